package console

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"strconv"
	"time"

	"foyer/hq"
	"foyer/sync/wire"
)

func (c *Console) packRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /api/packs", c.apiPacks)
	mux.HandleFunc("POST /api/packs/{pack}", c.apiPublishPack)
	mux.HandleFunc("POST /api/packs/{pack}/{version}/widen", c.apiWidenPack)
	mux.HandleFunc("POST /api/packs/{pack}/{version}/withdraw", c.apiWithdrawPack)
}

type apiRelease struct {
	wire.Release
	Bytes     int64     `json:"bytes"`
	Created   time.Time `json:"created"`
	Withdrawn time.Time `json:"withdrawn,omitzero"`
}

type apiStorePack struct {
	Pack    string    `json:"pack"`
	State   string    `json:"state"`   // "applied", "refused", "waiting": for the release that the store is to have
	Version uint64    `json:"version"` // in force; 0 is none
	Wanted  uint64    `json:"wanted"`  // 0: it is to have none
	Code    wire.Code `json:"code,omitempty"`
	Why     string    `json:"why,omitempty"`
}

func newAPIStorePacks(s hq.Store) []apiStorePack {
	all := []apiStorePack{}
	for _, p := range s.Packs {
		a := apiStorePack{Pack: p.Pack, State: "waiting", Version: p.InForce, Wanted: p.Wanted, Code: p.Code, Why: p.Why}
		switch {
		case p.Refused:
			a.State = "refused"
		case p.InForce == p.Wanted:
			a.State = "applied"
		}
		all = append(all, a)
	}
	return all
}

func (c *Console) apiPacks(w http.ResponseWriter, r *http.Request) {
	releases, err := c.hq.DB().Releases(r.Context())
	all := make([]apiRelease, len(releases))
	for i, x := range releases {
		all[i] = apiRelease{x.Release, x.Release.Bytes(), x.Created, x.Withdrawn}
	}
	c.reply(w, r, http.StatusOK, all, err)
}

// apiPublishPack takes a ZIP file as its body: POST /api/packs/art?percent=10&store=north&store=south&now=1.
func (c *Console) apiPublishPack(w http.ResponseWriter, r *http.Request) {
	release := wire.Release{Pack: r.PathValue("pack"), Percent: 100, Stores: r.URL.Query()["store"], Now: r.URL.Query().Get("now") == "1"}
	if text := r.URL.Query().Get("percent"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			problem(w, http.StatusBadRequest, "percent is no number", "want 0 to 100", nil)
			return
		}
		release.Percent = n
	}
	file, err := keepBody(w, r)
	if file != "" {
		defer os.Remove(file)
	}
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		problem(w, http.StatusRequestEntityTooLarge, "the file is too large", err.Error(), nil)
		return
	}
	if err != nil {
		c.fail(w, r, err)
		return
	}
	release, err = c.hq.PublishPack(r.Context(), file, release)
	c.replyPack(w, r, http.StatusCreated, release, err)
}

// keepBody writes the body to a file: a ZIP file's list is at its end.
func keepBody(w http.ResponseWriter, r *http.Request) (string, error) {
	f, err := os.CreateTemp("", "foyer-pack-*.zip")
	if err != nil {
		return "", err
	}
	_, err = io.Copy(f, http.MaxBytesReader(w, r.Body, wire.MaxPackBytes))
	return f.Name(), errors.Join(err, f.Close())
}

// replyPack answers with a release, or with why it is refused: all but the database's trouble is the sender's to mend.
func (c *Console) replyPack(w http.ResponseWriter, r *http.Request, status int, release wire.Release, err error) {
	if refused, ok := errors.AsType[*hq.PackRefused](err); ok {
		problem(w, http.StatusUnprocessableEntity, "the pack is refused", refused.Error(), nil)
		return
	}
	c.reply(w, r, status, apiRelease{Release: release, Bytes: release.Bytes(), Created: c.hq.Now().UTC()}, err)
}

func (c *Console) apiWidenPack(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Percent int      `json:"percent"`
		Stores  []string `json:"stores"`
	}
	if !readJSON(w, r, 1<<20, &in) {
		return
	}
	c.changePack(w, r, func(pack string, version uint64) error {
		return c.hq.WidenPack(r.Context(), pack, version, in.Percent, in.Stores)
	})
}

func (c *Console) apiWithdrawPack(w http.ResponseWriter, r *http.Request) {
	c.changePack(w, r, func(pack string, version uint64) error { return c.hq.WithdrawPack(r.Context(), pack, version) })
}

func (c *Console) changePack(w http.ResponseWriter, r *http.Request, change func(pack string, version uint64) error) {
	version, err := strconv.ParseUint(r.PathValue("version"), 10, 53)
	if err != nil {
		problem(w, http.StatusBadRequest, "the version is no number", "want 1 or more", nil)
		return
	}
	err = change(r.PathValue("pack"), version)
	if refused, ok := errors.AsType[*hq.PackRefused](err); ok {
		problem(w, http.StatusUnprocessableEntity, "this is refused", refused.Error(), nil)
		return
	}
	c.reply(w, r, http.StatusOK, json.RawMessage(`{"ok":true}`), err)
}
