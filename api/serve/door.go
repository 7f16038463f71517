package serve

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"foyer/api"
)

// identify says what a request may do.
type identify func(*http.Request) (roles, *api.Problem)

// handler answers a request that may be answered; the Problem it returns is written for it.
type handler func(http.ResponseWriter, *http.Request) *api.Problem

// route is one thing that can be asked. A route whose path holds {face} checks the face itself, by the same roles.
type route struct {
	method, path string
	may          func(*http.Request, roles) bool
	do           handler
}

func anybody(*http.Request, roles) bool       { return true }
func staff(_ *http.Request, r roles) bool     { return r.reception }
func screens(_ *http.Request, r roles) bool   { return r.screen }
func watchers(_ *http.Request, r roles) bool  { return r.metrics }
func ownFace(req *http.Request, r roles) bool { return r.sees(api.Face(req.PathValue("face"))) }

func (s *Server) routes(streams *gate) []route {
	return append(slices.Concat(s.cardRoutes(), s.printerRoutes(), s.guestRoutes()), []route{
		{"GET", "/v1/{face}/snapshot", ownFace, s.snapshot},
		{"GET", "/v1/{face}/events", ownFace, s.events(streams)},
		{"POST", "/v1/reception/cards/{visit}/claim", staff, s.card(s.claim)},
		{"POST", "/v1/reception/cards/{visit}/release", staff, s.card(s.release)},
		{"POST", "/v1/reception/cards/{visit}/serve", staff, s.card(s.serve)},
		{"POST", "/v1/kiosk/sessions", screens, s.session},
		{"POST", "/v1/kiosk/demos", screens, s.tried},
		{"GET", "/v1/reception/readers", staff, s.readers},
		{"PUT", "/v1/{face}/pictures/{order}", ownFace, s.picture},
		{"GET", "/v1/settings", watchers, s.set},
		{"GET", "/healthz", anybody, s.healthz},
		{"GET", "/metrics", watchers, s.metrics},
		{"GET", "/reception/{$}", anybody, s.reception},
		{"GET", "/reception/{file}", anybody, s.page.asset},
		{"GET", "/reception/words/{file}", anybody, s.page.words},
		{"GET", "/login", anybody, s.loginByLink},
		{"POST", "/login", anybody, s.loginByForm},
		{"GET", "/{$}", anybody, home},
	}...)
}

// door puts the routes behind one way of telling who asks.
func (s *Server) door(who identify, streams *gate) http.Handler {
	mux := http.NewServeMux()
	methods := map[string][]string{}
	for _, rt := range s.routes(streams) {
		methods[rt.path] = append(methods[rt.path], rt.method)
		mux.Handle(rt.method+" "+rt.path, s.checked(who, rt))
	}
	for path, known := range methods {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Allow", strings.Join(known, ", "))
			s.complain(w, r, api.NewProblem(api.CodeWrongMethod, "this address takes only "+strings.Join(known, " and ")))
		})
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.complain(w, r, api.NewProblem(api.CodeNotFound, "nothing is at this address; the page of the reception is /reception/"))
	})
	cross := http.NewCrossOriginProtection()
	cross.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.complain(w, r, api.NewProblem(api.CodeForbidden, "the request comes from another site's page; use the store's own page"))
	}))
	return s.page.protect(cross.Handler(mux))
}

// checked refuses whoever may not, before anything else is looked at.
func (s *Server) checked(who identify, rt route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got, p := who(r)
		switch {
		case p != nil:
		case rt.may(r, got):
			p = rt.do(w, r.WithContext(withRoles(r.Context(), got)))
		case strings.HasPrefix(rt.path, "/v1/{face}/") && !faceExists(r.PathValue("face")):
			p = api.NewProblem(api.CodeNotFound, "there is no such face; the faces are wall, kiosk and reception")
		case got.none():
			p = api.NewProblem(api.CodeSignIn, "send the header Authorization: Bearer TOKEN, or sign in at /login")
		default:
			p = api.NewProblem(api.CodeForbidden, "this token is for other faces; use the one for "+cmp.Or(r.PathValue("face"), "this task"))
		}
		if p != nil {
			s.complain(w, r, p)
		}
	})
}

func faceExists(name string) bool { return everything.sees(api.Face(name)) }

// complain writes a Problem as the whole answer.
func (s *Server) complain(w http.ResponseWriter, r *http.Request, p *api.Problem) {
	switch p.Status {
	case http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", `Bearer realm="foyer"`)
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", "6")
	}
	s.answer(w, r, p.Status, "application/problem+json", p)
}

func (s *Server) answer(w http.ResponseWriter, r *http.Request, status int, kind string, body any) {
	data, err := json.Marshal(body)
	if err != nil {
		s.log.Error("an answer cannot be written", "pattern", r.Pattern, "err", err)
		status, kind, data = http.StatusInternalServerError, "application/problem+json", []byte(`{"status":500,"code":"internal"}`)
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	if _, err := w.Write(data); err != nil {
		s.log.Debug("an answer was not taken", "pattern", r.Pattern, "err", err)
	}
}
