package serve_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"foyer/api"
	"foyer/api/serve"
)

// papers writes down what it is asked to print.
type papers struct {
	mu  sync.Mutex
	all []string
}

func (p *papers) note(format string, args ...any) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.all = append(p.all, fmt.Sprintf(format, args...))
	return nil
}

func (p *papers) heard() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.all)
}

func (p *papers) Print(_ context.Context, printer string, o api.PrintOrder) error {
	return p.note("%s %s %s by %s", printer, o.What, o.Language, o.By)
}

func (p *papers) Settle(_ context.Context, printer, serial string, verb api.PrintVerb) error {
	return p.note("%s %s %s", printer, serial, verb)
}

func TestPrintersAreAsked(t *testing.T) {
	p := &papers{}
	hub := serve.NewHub(serve.HubConfig{})
	s := newServer(t, serve.Config{Hub: hub, Desk: newDesk(hub), Printers: p})
	for _, c := range []struct {
		path, body string
		want       int
	}{
		{"front/print", `{"what":"test","language":"en","by":" Lin "}`, http.StatusNoContent},
		{"front/jobs/J1/again", `{"by":"Lin"}`, http.StatusNoContent},
		{"front/print", `{"what":"test","language":"en"}`, http.StatusBadRequest},
		{"front/print", `{"what":"cash","by":"Lin"}`, http.StatusBadRequest},
		{"front/print", `{`, http.StatusBadRequest},
		{"front/jobs/J1/burn", `{"by":"Lin"}`, http.StatusNotFound},
		{"front/jobs/J1/again", `{}`, http.StatusBadRequest},
		{strings.Repeat("x", 300) + "/print", `{"what":"test","by":"Lin"}`, http.StatusNotFound},
	} {
		r := httptest.NewRequest("POST", "/v1/reception/printers/"+c.path, strings.NewReader(c.body))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		s.Local().ServeHTTP(w, r)
		if w.Code != c.want {
			t.Errorf("%.40s %s: answered %d, want %d: %s", c.path, c.body, w.Code, c.want, w.Body)
		}
	}
	if got, want := p.heard(), []string{"front test en by Lin", "front J1 again"}; !slices.Equal(got, want) {
		t.Errorf("asked %q, want %q", got, want)
	}
}
