package console

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"html/template"
	"io/fs"
	"math"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"

	"foyer/internal/words"
)

const langCookie = "foyer_lang"

// pages are the templates of one language: each page with the layout, and all parts.
type pages struct {
	lang  string
	pages map[string]*template.Template
}

func (c *Console) parsePages() (map[string]*pages, error) {
	all := map[string]*pages{}
	for _, lang := range c.words.Languages() {
		shared, err := template.New("").Funcs(c.funcs(lang)).ParseFS(files, "templates/layout.html", "templates/part_*.html")
		if err != nil {
			return nil, err
		}
		p := &pages{lang: lang, pages: map[string]*template.Template{}}
		names, err := fs.Glob(files, "templates/page_*.html")
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			own, err := template.Must(shared.Clone()).ParseFS(files, name)
			if err != nil {
				return nil, err
			}
			p.pages[strings.TrimSuffix(strings.TrimPrefix(path.Base(name), "page_"), ".html")] = own
		}
		p.pages["parts"] = shared
		all[lang] = p
	}
	return all, nil
}

// view is what the layout shows around a page's own data.
type view struct {
	Lang, Other string // the language, and the one to switch to
	Page        string
	Path        string
	Chain       string
	Broker      bool
	Revision    string // of the static files
	In          bool   // signed in
	Data        any
}

// render shows a page. It is made whole before the first byte is sent, so that a fault is an error and no half page.
func (c *Console) render(w http.ResponseWriter, r *http.Request, status int, page string, data any) {
	lang := c.language(w, r)
	online, _ := c.hq.BrokerOnline()
	v := view{Lang: lang, Other: otherLang(c.words, lang), Page: page, Path: r.URL.Path, Chain: c.hq.Chain(), Broker: online,
		Revision: revision, In: page != "login", Data: data}
	c.write(w, status, c.pages[lang].pages[page], "layout", v)
}

// part shows one live part of a page.
func (c *Console) part(w http.ResponseWriter, r *http.Request, name string, data any) {
	c.write(w, http.StatusOK, c.pages[c.language(w, r)].pages["parts"], name, data)
}

func (c *Console) write(w http.ResponseWriter, status int, t *template.Template, name string, data any) {
	var b bytes.Buffer
	if err := t.ExecuteTemplate(&b, name, data); err != nil {
		c.log.Error("a page could not be made", "part", name, "err", err)
		http.Error(w, "this page could not be made; the log says why", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	w.Write(b.Bytes())
}

// language is the one asked for by ?lang=, which is remembered, or the remembered one, or the browser's first that we have.
func (c *Console) language(w http.ResponseWriter, r *http.Request) string {
	if lang := r.URL.Query().Get("lang"); c.pages[lang] != nil {
		http.SetCookie(w, &http.Cookie{Name: langCookie, Value: lang, Path: "/", MaxAge: 365 * 24 * 3600, HttpOnly: true, SameSite: http.SameSiteStrictMode})
		return lang
	}
	if cookie, err := r.Cookie(langCookie); err == nil && c.pages[cookie.Value] != nil {
		return cookie.Value
	}
	for want := range strings.SplitSeq(r.Header.Get("Accept-Language"), ",") {
		want, _, _ = strings.Cut(strings.ToLower(strings.TrimSpace(want)), ";")
		for _, lang := range c.words.Languages() {
			base, _, _ := strings.Cut(strings.ToLower(lang), "-")
			if want == strings.ToLower(lang) || want == base || strings.HasPrefix(want, base+"-") {
				return lang
			}
		}
	}
	return words.Fallback
}

func otherLang(w *words.Catalogue, lang string) string {
	for _, l := range w.Languages() {
		if l != lang {
			return l
		}
	}
	return lang
}

// funcs are what templates call. t is a text of the console section; its values come in pairs.
func (c *Console) funcs(lang string) template.FuncMap {
	say := func(key string, pairs ...any) string { return c.say(lang, key, pairs...) }
	return template.FuncMap{
		"t":         say,
		"clock":     func(t time.Time) string { return c.stamp(t, "15:04:05") },
		"minute":    func(t time.Time) string { return c.stamp(t, "2006-01-02 15:04") },
		"ago":       func(t time.Time) string { return c.ago(lang, t) },
		"span":      func(d time.Duration) string { return c.span(lang, d) },
		"date":      func(t time.Time) string { return c.date(lang, t) },
		"short":     func(id string) string { return shortID(id) },
		"number":    number,
		"count":     func(n uint64) string { return number(int(min(n, math.MaxInt64))) },
		"megabytes": func(n int64) string { return strconv.FormatFloat(float64(n)/1e6, 'f', 1, 64) },
		"hue":       hue,
		"lang":      func() string { return lang },
		"percent": func(part, all int) int {
			return int(math.Round(100 * float64(part) / float64(max(all, 1))))
		},
		"list": func(all ...string) []string { return all },
		"sum":  func(a, b, c int) int { return a + b + c },
		"in":   func(l, key string) string { return c.say(l, key) },
		"tier": func(name string) string { return c.words.Text(lang, "greeting.tier."+name) },
	}
}

func (c *Console) say(lang, key string, pairs ...any) string {
	text := make([]string, len(pairs))
	for i, p := range pairs {
		switch p := p.(type) {
		case string:
			text[i] = p
		case int:
			text[i] = number(p)
		case uint64:
			text[i] = strconv.FormatUint(p, 10)
		default:
			text[i] = fmt.Sprint(p)
		}
	}
	return c.words.Text(lang, "console."+key, text...)
}

func (c *Console) stamp(t time.Time, layout string) string {
	if t.IsZero() {
		return "–"
	}
	return t.In(c.zone).Format(layout)
}

// ago is a time in words, as exact as it is near.
func (c *Console) ago(lang string, t time.Time) string {
	if t.IsZero() {
		return c.say(lang, "time.never")
	}
	d := c.hq.Now().Sub(t)
	if d < 10*time.Second {
		return c.say(lang, "time.now")
	}
	return c.say(lang, "time.ago", "span", c.span(lang, d))
}

func (c *Console) span(lang string, d time.Duration) string {
	switch d = d.Abs(); {
	case d < 2*time.Minute:
		return c.say(lang, "time.seconds", "n", int(d.Seconds()))
	case d < 2*time.Hour:
		return c.say(lang, "time.minutes", "n", int(d.Minutes()))
	case d < 48*time.Hour:
		return c.say(lang, "time.hours", "n", int(d.Hours()))
	}
	return c.say(lang, "time.days", "n", int(d.Hours()/24))
}

// date is a day as people say it.
func (c *Console) date(lang string, t time.Time) string {
	t = t.In(c.zone)
	return c.say(lang, "time.date", "year", t.Format("2006"), "month", c.say(lang, "time.month."+strconv.Itoa(int(t.Month()))),
		"day", t.Format("2"), "weekday", c.say(lang, "time.weekday."+strconv.Itoa(int(t.Weekday()))))
}

// shortID is enough of a pseudonym to tell two apart on a page.
func shortID(id string) string {
	if r := []rune(id); len(r) > 10 {
		return string(r[:10]) + "…"
	}
	return id
}

// hue gives each member a colour class of their own, the same each time.
func hue(id string) string {
	sum := sha256.Sum256([]byte(id))
	return "hue" + strconv.Itoa(int(sum[0])%6)
}

// number groups thousands.
func number(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func seconds(d time.Duration) string { return strconv.Itoa(int(math.Ceil(d.Seconds()))) }

// revision changes with the static files, so that a browser that keeps them never mixes two versions.
var revision = func() string {
	sum := sha256.New()
	fs.WalkDir(files, "static", func(p string, d fs.DirEntry, err error) error {
		if data, rerr := files.ReadFile(p); err == nil && rerr == nil {
			sum.Write(data)
		}
		return nil
	})
	return hex.EncodeToString(sum.Sum(nil)[:6])
}()

func (c *Console) notFound(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "/api/") {
		problem(w, http.StatusNotFound, "no such address", "see the comment of package console for what there is", nil)
		return
	}
	c.render(w, r, http.StatusNotFound, "lost", nil)
}

// broken tells that something here went wrong, which the log explains.
func (c *Console) broken(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() != nil {
		return // the browser went away
	}
	c.log.Error("a request failed", "path", r.URL.Path, "err", err)
	http.Error(w, "this did not work here; the log says why", http.StatusInternalServerError)
}
