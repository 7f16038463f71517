// Package gate is headquarters' door for stores over HTTPS: enrolment, renewal of badges, and news.
//
// In: requests of sync/badge, over TLS with the store's certificate where there is one. Out: grants, news, refusals with
// what to do about them. It serves what else stores may fetch, to those alone who show a good badge.
// It never decides: hq does. It never logs a code.
// Called by cmd/foyer-hq.
package gate

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"math"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"foyer/hq/ca"
	"foyer/sync/badge"
)

// Headquarters is hq, as this door needs it. Its refusals are *badge.Refusal and *ca.RefusedRequest.
type Headquarters interface {
	Enrol(ctx context.Context, r badge.Request) (badge.Grant, error)
	Renew(ctx context.Context, shown *x509.Certificate, r badge.Request) (badge.Grant, error)
	Status(ctx context.Context, shown *x509.Certificate) (badge.News, error)
	Admit(shown *x509.Certificate) (store string, err error)
	Now() time.Time
}

// Gate is an http.Handler for a server with hq.ServerTLS.
type Gate struct {
	hq    Headquarters
	log   *slog.Logger
	mux   *http.ServeMux
	tries tries
}

// New returns the door.
func New(h Headquarters, log *slog.Logger) *Gate {
	g := &Gate{hq: h, log: log, mux: http.NewServeMux()}
	if log == nil {
		g.log = slog.New(slog.DiscardHandler)
	}
	g.mux.HandleFunc("POST "+badge.EnrolPath, g.enrol)
	g.mux.HandleFunc("POST "+badge.RenewPath, g.renew)
	g.mux.HandleFunc("GET "+badge.StatusPath, g.status)
	g.mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		g.refuse(w, &badge.Refusal{Status: http.StatusNotFound, Word: badge.BadRequest, Detail: "this is headquarters' door for stores; there is nothing at this address"})
	})
	return g
}

func (g *Gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	g.mux.ServeHTTP(w, r)
}

// Handle serves something else behind this door, for stores with a good badge: StoreOf tells the handler which.
func (g *Gate) Handle(pattern string, next http.Handler) {
	g.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		store, err := g.hq.Admit(shown(r))
		if err != nil {
			g.fail(w, r, err)
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), storeKey{}, store)))
	})
}

type storeKey struct{}

// StoreOf is the store whose badge a request behind Handle shows.
func StoreOf(r *http.Request) string {
	store, _ := r.Context().Value(storeKey{}).(string)
	return store
}

func (g *Gate) enrol(w http.ResponseWriter, r *http.Request) {
	from := address(r)
	if wait := g.tries.wait(from, g.hq.Now()); wait > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
		g.refuse(w, &badge.Refusal{Status: http.StatusTooManyRequests, Word: badge.SlowDown,
			Detail: "too many wrong codes came; wait a minute, then try again. The code is still good"})
		return
	}
	in, ok := g.read(w, r)
	if !ok {
		return
	}
	grant, err := g.hq.Enrol(r.Context(), in)
	if refused, ok := errors.AsType[*badge.Refusal](err); ok && refused.Word == badge.WrongCode {
		g.tries.wrong(from, g.hq.Now())
	}
	g.answer(w, r, grant, err)
}

func (g *Gate) renew(w http.ResponseWriter, r *http.Request) {
	in, ok := g.read(w, r)
	if !ok {
		return
	}
	grant, err := g.hq.Renew(r.Context(), shown(r), in)
	g.answer(w, r, grant, err)
}

func (g *Gate) status(w http.ResponseWriter, r *http.Request) {
	news, err := g.hq.Status(r.Context(), shown(r))
	g.answer(w, r, news, err)
}

func shown(r *http.Request) *x509.Certificate {
	if r.TLS == nil || len(r.TLS.PeerCertificates) == 0 {
		return nil
	}
	return r.TLS.PeerCertificates[0]
}

func (g *Gate) read(w http.ResponseWriter, r *http.Request) (badge.Request, bool) {
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, badge.MaxMessage))
	var in badge.Request
	if err == nil {
		in, err = badge.DecodeRequest(data)
	}
	if err != nil {
		g.refuse(w, &badge.Refusal{Status: http.StatusBadRequest, Word: badge.BadRequest, Detail: err.Error()})
	}
	return in, err == nil
}

func (g *Gate) answer(w http.ResponseWriter, r *http.Request, body any, err error) {
	if err != nil {
		g.fail(w, r, err)
		return
	}
	data, err := json.Marshal(body)
	if err != nil {
		g.fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Write(append(data, '\n'))
}

// statuses are the HTTP statuses of refusals.
var statuses = map[string]int{badge.WrongCode: http.StatusForbidden, badge.UsedCode: http.StatusForbidden, badge.Expired: http.StatusForbidden,
	badge.Elsewhere: http.StatusConflict, badge.Revoked: http.StatusForbidden, badge.NoBadge: http.StatusUnauthorized, badge.BadRequest: http.StatusBadRequest}

func (g *Gate) fail(w http.ResponseWriter, r *http.Request, err error) {
	if request, ok := errors.AsType[*ca.RefusedRequest](err); ok {
		err = &badge.Refusal{Word: badge.BadRequest, Detail: request.Error()}
	}
	if refused, ok := errors.AsType[*badge.Refusal](err); ok {
		out := *refused
		out.Status = statuses[out.Word]
		g.log.Warn("a store was refused", "path", r.URL.Path, "from", address(r), "why", out.Word)
		g.refuse(w, &out)
		return
	}
	if r.Context().Err() == nil {
		g.log.Error("a store's request failed", "path", r.URL.Path, "err", err)
	}
	g.refuse(w, &badge.Refusal{Status: http.StatusInternalServerError, Word: badge.Trouble, Detail: "something is wrong at headquarters; its log says what. Try again later"})
}

// refuse tells headquarters' time with every refusal, so that whoever looks for a cause sees a wrong clock.
func (g *Gate) refuse(w http.ResponseWriter, out *badge.Refusal) {
	out.Time = g.hq.Now().UTC()
	data, err := json.Marshal(out)
	if err != nil {
		http.Error(w, out.Detail, out.Status)
		return
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(out.Status)
	w.Write(append(data, '\n'))
}

func address(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// Wrong codes within a minute after which nobody is listened to, from one address and from all together. A code has 60
// bits, so this is for the log and the database rather than for the code.
const (
	most    = 5
	mostAll = 60
	within  = time.Minute
)

// tries counts wrong codes.
type tries struct {
	mu    sync.Mutex
	began time.Time
	all   int
	by    map[string]int
}

// wait is how long an address must wait; 0 if it need not.
func (t *tries) wait(from string, now time.Time) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.fresh(now)
	if t.by[from] < most && t.all < mostAll {
		return 0
	}
	return max(t.began.Add(within).Sub(now), time.Second)
}

func (t *tries) wrong(from string, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.fresh(now)
	t.by[from]++
	t.all++
}

func (t *tries) fresh(now time.Time) {
	if age := now.Sub(t.began); t.by == nil || age >= within || age < 0 {
		t.began, t.all, t.by = now, 0, map[string]int{}
	}
}
