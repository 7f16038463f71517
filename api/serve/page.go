package serve

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html/template"
	"io/fs"
	"maps"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"foyer/api"
	"foyer/internal/words"
)

//go:embed reception
var receptionFiles embed.FS

// pageHeader tells on each snapshot which version of the page this server has, so that a tablet that was never closed
// loads the new page after an update.
const pageHeader = "Foyer-Page"

// wordsOfPage is the part of the catalogue that the page is given.
const wordsOfPage = "reception."

// page holds the reception page ready to send, and the rules that a browser must keep.
type page struct {
	version string
	policy  string
	frames  bool
	files   map[string]file // by name in /reception/: "style.css", "zh-CN.json"
	login   *template.Template
	texts   []map[string]string // one a language, with its tag under "lang"
}

type file struct {
	kind string
	data []byte
	etag string
}

var kinds = map[string]string{
	".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8",
	".svg": "image/svg+xml", ".json": "application/json", ".webmanifest": "application/manifest+json",
}

func newPage(c *words.Catalogue, embed []string) (*page, error) {
	p := &page{files: map[string]file{}, frames: len(embed) > 0}
	ancestors := "'none'"
	for _, origin := range embed {
		u, err := url.Parse(origin)
		if err != nil || u.Host == "" || origin != u.Scheme+"://"+u.Host || strings.ContainsAny(origin, " ;,'") {
			return nil, fmt.Errorf("origin that may frame the page %q: want http://host:port", origin)
		}
	}
	if p.frames {
		ancestors = strings.Join(embed, " ")
	}
	p.policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
		"manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors " + ancestors
	for _, lang := range c.Languages() {
		texts := c.Section(lang, wordsOfPage)
		data, err := json.Marshal(texts)
		if err != nil {
			return nil, err
		}
		p.add(lang+".json", data)
		texts["lang"] = lang
		p.texts = append(p.texts, texts)
	}
	return p, p.load(c.Languages())
}

// load reads the embedded files and fills the two that are templates.
func (p *page) load(langs []string) error {
	dir, err := fs.Sub(receptionFiles, "reception")
	if err != nil {
		return err
	}
	templates, err := template.ParseFS(dir, "index.html", "login.html")
	if err != nil {
		return err
	}
	p.login = templates.Lookup("login.html")
	names, err := fs.Glob(dir, "*")
	if err != nil {
		return err
	}
	for _, name := range names {
		data, err := fs.ReadFile(dir, name)
		if err != nil {
			return err
		}
		p.add(name, data)
	}
	delete(p.files, "login.html")
	sums := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(p.files)) {
		fmt.Fprint(sums, name, p.files[name].etag)
	}
	p.version = hex.EncodeToString(sums.Sum(nil))[:16]
	var index bytes.Buffer
	err = templates.Lookup("index.html").Execute(&index, map[string]any{"Langs": strings.Join(langs, " "), "Texts": p.texts, "Version": p.version})
	p.add("index.html", index.Bytes())
	return err
}

func (p *page) add(name string, data []byte) {
	sum := sha256.Sum256(data)
	p.files[name] = file{kind: kinds[path.Ext(name)], data: data, etag: `"` + hex.EncodeToString(sum[:12]) + `"`}
}

// protect sets what a browser must keep, on every answer.
func (p *page) protect(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", p.policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		if !p.frames {
			h.Set("X-Frame-Options", "DENY")
		}
		next.ServeHTTP(w, r)
	})
}

func (p *page) send(w http.ResponseWriter, r *http.Request, name string) *api.Problem {
	f, ok := p.files[name]
	if !ok {
		return api.NewProblem(api.CodeNotFound, "the page has no such file")
	}
	w.Header().Set("Content-Type", f.kind)
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("ETag", f.etag)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(f.data))
	return nil
}

// asset sends a file that holds nothing of any person, so it needs no token.
func (p *page) asset(w http.ResponseWriter, r *http.Request) *api.Problem {
	name := r.PathValue("file")
	if path.Ext(name) == ".json" || name == "index.html" {
		return api.NewProblem(api.CodeNotFound, "the page has no such file")
	}
	return p.send(w, r, name)
}

func (p *page) words(w http.ResponseWriter, r *http.Request) *api.Problem {
	name := r.PathValue("file")
	if path.Ext(name) != ".json" {
		return api.NewProblem(api.CodeNotFound, "words are in /reception/words/LANGUAGE.json")
	}
	return p.send(w, r, name)
}

// reception sends the page to staff and everybody else to the sign-in.
func (s *Server) reception(w http.ResponseWriter, r *http.Request) *api.Problem {
	if !rolesOf(r).reception {
		http.Redirect(w, r, "/login", http.StatusSeeOther)
		return nil
	}
	s.guard.renew(w, r)
	return s.page.send(w, r, "index.html")
}

func home(w http.ResponseWriter, r *http.Request) *api.Problem {
	http.Redirect(w, r, "/reception/", http.StatusSeeOther)
	return nil
}
