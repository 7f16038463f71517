package demo

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"image"
	"image/jpeg"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"time"

	"foyer/internal/words"
)

//go:embed page
var pageFiles embed.FS

// action is one button. A toggle's button stays pressed while its trouble lasts.
type action struct {
	Name, Words, Toggle, Class string
}

type group struct {
	Name    string
	Actions []action
}

var groups = []group{
	{"kiosk", []action{{Name: "tap/anna", Words: "anna"}, {Name: "tap/chen", Words: "chen"}, {Name: "tap/li", Words: "birthday"}}},
	{"door", []action{{Name: "walk/li,bob,zhang", Words: "three"}, {Name: "stranger", Words: "stranger"}}},
	{"trouble", []action{
		{Name: "unplug-tap", Words: "unplug_tap", Toggle: "unplug-tap", Class: "trouble"},
		{Name: "unplug-door", Words: "unplug_door", Toggle: "unplug-door", Class: "trouble"},
		{Name: "cut", Words: "cut", Toggle: "cut", Class: "trouble"},
		{Name: "hq-down", Words: "hq_down", Toggle: "hq-down", Class: "trouble"},
		{Name: "kill/kiosk", Words: "kill_kiosk", Class: "trouble"},
		{Name: "kill/store", Words: "kill_store", Class: "trouble"},
	}},
}

// page serves the control page. It lives on loopback and answers to loopback names only, so that no web page elsewhere
// can reach it through a name of its own.
func (h *House) page() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", h.index)
	for _, name := range []string{"style.css", "page.js", "mark.svg"} {
		mux.HandleFunc("GET /"+name, func(w http.ResponseWriter, r *http.Request) {
			http.ServeFileFS(w, r, pageFiles, "page/"+name)
		})
	}
	mux.HandleFunc("GET /state", h.state)
	mux.HandleFunc("GET /live/{screen}", h.live)
	mux.HandleFunc("POST /tap/{screen}", h.tapGlass)
	mux.HandleFunc("POST /do/{action...}", h.do)
	return loopbackOnly(http.NewCrossOriginProtection().Handler(mux))
}

func loopbackOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil || (host != "127.0.0.1" && host != "localhost" && host != "::1") {
			http.Error(w, "this page answers to 127.0.0.1 only", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (h *House) index(w http.ResponseWriter, r *http.Request) {
	lang := language(w, r)
	t := template.New("index.html").Funcs(template.FuncMap{
		"t": func(key string) string { return words.Load().Text(lang, "demo."+key) },
	})
	t, err := t.ParseFS(pageFiles, "page/index.html")
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	var out bytes.Buffer
	if err := t.Execute(&out, map[string]any{"Lang": lang, "Groups": groups, "Reception": h.receptionURL(), "Console": h.consoleURL()}); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Write(out.Bytes())
}

// language takes the choice of ?lang=, else the one made before, else the browser's.
func language(w http.ResponseWriter, r *http.Request) string {
	if chosen := r.URL.Query().Get("lang"); chosen == "zh-CN" || chosen == "en" {
		http.SetCookie(w, &http.Cookie{Name: "demo_lang", Value: chosen, Path: "/", SameSite: http.SameSiteLaxMode, MaxAge: 1 << 25})
		return chosen
	}
	if c, err := r.Cookie("demo_lang"); err == nil && (c.Value == "zh-CN" || c.Value == "en") {
		return c.Value
	}
	if strings.HasPrefix(r.Header.Get("Accept-Language"), "zh") {
		return "zh-CN"
	}
	return "en"
}

func (h *House) state(w http.ResponseWriter, r *http.Request) {
	status := h.Status()
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	json.NewEncoder(w).Encode(map[string]any{
		"on": map[string]bool{
			"unplug-tap": h.tap.out(), "unplug-door": h.door.out(),
			"cut": h.wire.IsCut(), "hq-down": h.hq.Held(),
		},
		"last": status.Journal.Last, "acked": status.Journal.Acked,
	})
}

// live answers with a picture of what is on the glass now, at half size.
func (h *House) live(w http.ResponseWriter, r *http.Request) {
	g, ok := h.glass[strings.TrimSuffix(r.PathValue("screen"), ".jpg")]
	if !ok {
		http.NotFound(w, r)
		return
	}
	img, err := g.picture()
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, half(img), &jpeg.Options{Quality: 85}); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "image/jpeg")
	w.Header().Set("Cache-Control", "no-store")
	w.Write(out.Bytes())
}

// half averages each square of four pixels. Pictures of 1100 pixels and less a side stay as they are.
func half(src *image.RGBA) *image.RGBA {
	size := src.Rect.Size()
	if max(size.X, size.Y) <= 1100 {
		return src
	}
	dst := image.NewRGBA(image.Rect(0, 0, size.X/2, size.Y/2))
	for y := range size.Y / 2 {
		a := src.Pix[2*y*src.Stride:]
		b := src.Pix[(2*y+1)*src.Stride:]
		d := dst.Pix[y*dst.Stride:]
		for x := range size.X / 2 {
			for c := range 4 {
				i := 8*x + c
				d[4*x+c] = uint8((int(a[i]) + int(a[i+4]) + int(b[i]) + int(b[i+4])) / 4)
			}
		}
	}
	return dst
}

func (h *House) tapGlass(w http.ResponseWriter, r *http.Request) {
	g, ok := h.glass[r.PathValue("screen")]
	x, errX := strconv.ParseFloat(r.URL.Query().Get("x"), 64)
	y, errY := strconv.ParseFloat(r.URL.Query().Get("y"), 64)
	if !ok || errX != nil || errY != nil || x < 0 || x > 1 || y < 0 || y > 1 {
		http.Error(w, "want a screen (kiosk, wall) and x and y from 0 to 1", http.StatusBadRequest)
		return
	}
	if err := g.tap(x, y); err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
	}
}

func (h *House) do(w http.ResponseWriter, r *http.Request) {
	if err := h.Do(r.PathValue("action")); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
	}
}

// frame is a relay to a page of the product that brings its own token and lets the demo's page show it in a frame. The
// product itself allows no framing and wants a login; only the demo, on loopback, does without.
func frame(target func() (string, string), by string) http.Handler {
	proxy := &httputil.ReverseProxy{
		FlushInterval: -1, // live events pass at once
		Rewrite: func(pr *httputil.ProxyRequest) {
			addr, token := target()
			pr.SetURL(&url.URL{Scheme: "http", Host: addr})
			pr.Out.Host = pr.In.Host
			pr.Out.Header.Set("Authorization", "Bearer "+token)
		},
		ModifyResponse: func(resp *http.Response) error {
			resp.Header.Del("X-Frame-Options")
			if csp := resp.Header.Get("Content-Security-Policy"); csp != "" {
				resp.Header.Set("Content-Security-Policy", strings.ReplaceAll(csp, "frame-ancestors 'none'", "frame-ancestors "+by))
			}
			return nil
		},
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.WriteHeader(http.StatusBadGateway)
			fmt.Fprint(w, away)
		},
	}
	return loopbackOnly(proxy)
}

// away is shown in the frame while a program is down. It tries again by itself.
var away = func() string {
	var b strings.Builder
	b.WriteString(`<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="2"><title>Foyer</title>` +
		`<body style="font:18px/1.6 'Noto Sans SC',system-ui,sans-serif;color:#16202a;background:#f7f5f1;display:grid;place-items:center;height:90vh;text-align:center"><div>`)
	for _, lang := range words.Load().Languages() {
		fmt.Fprintf(&b, "<p lang=%q>%s</p>", lang, template.HTMLEscapeString(words.Load().Text(lang, "demo.away")))
	}
	b.WriteString("</div>")
	return b.String()
}()

// timeout is how long the page waits for a program's answer.
const timeout = 2 * time.Second
