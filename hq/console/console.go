// Package console is headquarters in the browser, and the same as JSON for tools.
//
// In: HTTP requests of whoever has the admin token. Out: pages in Chinese and English, JSON, and one stream of "something
// changed" events, at which a page fetches its live part again. Times are shown in the server's zone; JSON has UTC.
// It never decides: hq does. It never shows a raw tag number (nobody has one), a birthday or a full name.
// Called by cmd/foyer-hq, and by tools over HTTP.
//
// The JSON side, under the same rights (a session's cookie, or "Authorization: Bearer <admin token>"); errors are
// api.Problem, with "faults" where a file or a form has some:
//
//	GET  /api/stores                  all stores: line, version, last_seen, skew_ms, behind_ms, badge, applied[]
//	POST /api/stores                  {"id","name_zh","name_en"} -> 201 {"id","token"}; the token is shown this once
//	POST /api/stores/{id}/token       a new token -> {"id","token"}
//	POST /api/stores/{id}/enrol       a one-time code -> {"id","ticket"}; 409 where no door for stores is open
//	POST /api/stores/{id}/revoke      shuts a store out -> {"id","badge"}
//	GET  /api/stores/{id}/commands    what the store was asked to do, newest first
//	POST /api/stores/{id}/commands    {"do","set","reset","screen","valid"} -> 202 the command; 422 where no store would do it
//	GET  /api/commands/{id}           one of them; .../results/{name} is a file that it brought
//	GET  /api/visits                  ?store=&since=RFC3339&limit=: newest first
//	GET  /api/records                 ?store=&kind=&from=SEQ&limit=: as stored, in order
//	GET  /api/records/count           ?store= -> {"count"}
//	GET  /api/gaps                    records that will never come
//	GET  /api/members                 ?after=ID&limit=: masked
//	GET  /api/members/{id}/cards      cards by their short names, and what stores did with them
//	POST /api/members/import          text/csv; ?dry=1 only checks -> hq.Preview; 422 with faults and nothing stored
//	GET  /api/campaigns               all, with state and what each store made of them
//	GET  /api/campaigns/{id}
//	POST /api/campaigns               campaign.Campaign (id "" makes one) -> 201 the campaign; 422 with faults, nothing stored
//	POST /api/campaigns/check         the same, only checked -> 200 {"ok":true} or 422
//	POST /api/campaigns/{id}/push     sends it to the stores as it was saved
//	POST /api/campaigns/{id}/end      takes it off the stores
//	GET  /api/snapshots               newest version of each kind
//	GET  /api/events                  Server-Sent Events: "change" whenever any of the above may differ
package console

import (
	"context"
	"embed"
	"io/fs"
	"log/slog"
	"net/http"
	"time"

	"foyer/hq"
	"foyer/internal/words"
)

//go:embed templates static
var files embed.FS

// Config is what the console needs. Zone defaults to time.Local.
type Config struct {
	HQ   *hq.HQ
	Log  *slog.Logger
	Zone *time.Location
	// Stop ends the event streams, so that a server that shuts down does not wait for them. nil never does.
	Stop context.Context
}

// Console answers requests. It is an http.Handler.
type Console struct {
	cfg     Config
	hq      *hq.HQ
	words   *words.Catalogue
	zone    *time.Location
	log     *slog.Logger
	doors   *doors
	pages   map[string]*pages // by language
	handler http.Handler
}

// New makes the console.
func New(cfg Config) (*Console, error) {
	c := &Console{cfg: cfg, hq: cfg.HQ, words: words.Load(), zone: cfg.Zone, log: cfg.Log, doors: newDoors(cfg.HQ.AdminToken(), cfg.HQ.Now)}
	if c.zone == nil {
		c.zone = time.Local
	}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	if c.cfg.Stop == nil {
		c.cfg.Stop = context.Background()
	}
	var err error
	if c.pages, err = c.parsePages(); err != nil {
		return nil, err
	}
	c.handler = guard(http.NewCrossOriginProtection().Handler(c.routes()))
	return c, nil
}

func (c *Console) ServeHTTP(w http.ResponseWriter, r *http.Request) { c.handler.ServeHTTP(w, r) }

func (c *Console) routes() http.Handler {
	static, err := fs.Sub(files, "static")
	if err != nil {
		panic(err) // the folder is embedded above
	}
	open := http.NewServeMux()
	open.Handle("GET /static/", http.StripPrefix("/static/", cached(http.FileServerFS(static))))
	open.HandleFunc("GET /login", c.loginPage)
	open.HandleFunc("POST /login", c.login)
	open.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("ok\n")) })
	open.Handle("/", c.behindDoor(c.inside()))
	return open
}

// inside are the routes that need the admin's rights.
func (c *Console) inside() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", c.overview)
	mux.HandleFunc("GET /parts/overview", c.overviewPart)
	mux.HandleFunc("GET /stores", c.stores)
	mux.HandleFunc("GET /parts/stores", c.storesPart)
	mux.HandleFunc("POST /stores", c.addStore)
	mux.HandleFunc("POST /stores/{id}/token", c.newToken)
	mux.HandleFunc("POST /stores/{id}/enrol", c.enrolStore)
	mux.HandleFunc("POST /stores/{id}/revoke", c.revokeStore)
	mux.HandleFunc("GET /members", c.members)
	mux.HandleFunc("GET /members/{id}", c.member)
	mux.HandleFunc("POST /members/{id}/regular", c.markRegular)
	mux.HandleFunc("POST /members/{id}/erase", c.eraseMember)
	mux.HandleFunc("GET /erasures", c.erasures)
	mux.HandleFunc("GET /parts/erasures", c.erasuresPart)
	mux.HandleFunc("GET /members/template.csv", c.memberTemplate)
	mux.HandleFunc("POST /members/check", c.checkMembers)
	mux.HandleFunc("POST /members/apply", c.applyMembers)
	mux.HandleFunc("GET /campaigns", c.campaigns)
	mux.HandleFunc("GET /parts/campaigns", c.campaignsPart)
	mux.HandleFunc("GET /campaigns/new", c.newCampaign)
	mux.HandleFunc("GET /campaigns/{id}", c.editCampaign)
	mux.HandleFunc("GET /parts/campaigns/{id}", c.reachPart)
	mux.HandleFunc("POST /campaigns", c.saveCampaign)
	mux.HandleFunc("POST /campaigns/check", c.checkCampaign)
	mux.HandleFunc("POST /campaigns/{id}/end", c.endCampaign)
	mux.HandleFunc("GET /events", c.events)
	mux.HandleFunc("POST /logout", c.logout)
	c.apiRoutes(mux)
	mux.HandleFunc("/", c.notFound)
	return mux
}

// policy lets a page load what this server has, run no inline script, and stand in nobody's frame.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

func guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

// cached lets browsers keep a file for a day: its address carries what it contains.
func cached(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "public, max-age=86400")
		next.ServeHTTP(w, r)
	})
}
