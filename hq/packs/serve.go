package packs

import (
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"time"

	"foyer/sync/wire"
)

// slowest is how long one piece of a file may take to be written to a store.
const slowest = 2 * time.Minute

// Handler is Files for stores with a token. auth is asked at each request.
func (d *Depot) Handler(auth func(store, token string) bool, log *slog.Logger) http.Handler {
	return Guarded(auth, d.Files(log))
}

// Guarded serves stores with a token alone, which StoreOf then tells.
func Guarded(auth func(store, token string) bool, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		store, token, ok := r.BasicAuth()
		if !ok || !auth(store, token) {
			w.Header().Set("WWW-Authenticate", `Basic realm="a store's name and token"`)
			http.Error(w, "want a store's name and token", http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// StoreOf is the store of a request that Guarded let in.
func StoreOf(r *http.Request) string {
	store, _, _ := r.BasicAuth()
	return store
}

// Files serves files by range requests to whoever asks: who may ask is settled before.
func (d *Depot) Files(log *slog.Logger) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+wire.PackPath+"{digest}", func(w http.ResponseWriter, r *http.Request) { d.serve(w, r, log) })
	return mux
}

func (d *Depot) serve(w http.ResponseWriter, r *http.Request, log *slog.Logger) {
	var digest wire.Digest
	if err := digest.UnmarshalText([]byte(r.PathValue("digest"))); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	f, err := d.File(digest)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			log.Error("a file of a pack cannot be read", "file", digest.String(), "err", err)
		}
		http.NotFound(w, r)
		return
	}
	defer f.Close()
	w.Header().Set("ETag", digest.ETag())
	w.Header().Set("Content-Type", "application/octet-stream") // else it would be read twice to guess one
	w.Header().Set("Cache-Control", "private, max-age=31536000, immutable")
	http.ServeContent(&patient{w, http.NewResponseController(w)}, r, "", time.Time{}, f)
}

// patient gives a slow line time for each write, in place of a limit for the whole file.
type patient struct {
	http.ResponseWriter
	control *http.ResponseController
}

func (p *patient) Write(data []byte) (int, error) {
	p.control.SetWriteDeadline(time.Now().Add(slowest)) // an error says that there is no deadline to set
	return p.ResponseWriter.Write(data)
}
