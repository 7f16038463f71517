package api

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestNewClientRefusesWhatItCannotReach(t *testing.T) {
	for _, bad := range []string{"", "foyerd", "unix://relative/path", "unix:", "ftp://host", "http://", "http://host/path", "://"} {
		if _, err := NewClient(bad, ""); err == nil {
			t.Errorf("NewClient(%q) took it", bad)
		} else if !strings.Contains(err.Error(), "address of foyerd") {
			t.Errorf("NewClient(%q): %v does not say what is wrong", bad, err)
		}
	}
	for _, good := range []string{"unix:///run/foyer/api.sock", "http://127.0.0.1:8080", "http://127.0.0.1:8080/", "https://store:8443"} {
		if _, err := NewClient(good, ""); err != nil {
			t.Errorf("NewClient(%q): %v", good, err)
		}
	}
}

func TestClientSaysWhatItDoes(t *testing.T) {
	type asked struct{ Method, Path, Token, Kind, Body string }
	var got []asked
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got = append(got, asked{r.Method, r.URL.EscapedPath(), r.Header.Get("Authorization"), r.Header.Get("Content-Type"), string(body)})
		w.WriteHeader(http.StatusNoContent)
	}))
	defer server.Close()
	c, err := NewClient(server.URL, "tok")
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	at := time.Date(2026, 6, 14, 9, 0, 0, 0, time.UTC)
	for _, err := range []error{
		c.Claim(ctx, "a/b", "Lin"), c.Release(ctx, "v1", "Lin"), c.Serve(ctx, "v1", "Lin"),
		c.ReportSession(ctx, Session{Language: "en", Started: at, Ended: at.Add(time.Minute), Taps: 3, End: "idle"}),
	} {
		if err != nil {
			t.Error(err)
		}
	}
	by := `{"by":"Lin"}`
	want := []asked{
		{"POST", "/v1/reception/cards/a%2Fb/claim", "Bearer tok", "application/json", by},
		{"POST", "/v1/reception/cards/v1/release", "Bearer tok", "application/json", by},
		{"POST", "/v1/reception/cards/v1/serve", "Bearer tok", "application/json", by},
		{"POST", "/v1/kiosk/sessions", "Bearer tok", "application/json",
			`{"language":"en","started":"2026-06-14T09:00:00Z","ended":"2026-06-14T09:01:00Z","taps":3,"end":"idle"}`},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestClientErrorsCarryTheProblem(t *testing.T) {
	answer := func(w http.ResponseWriter) {}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { answer(w) }))
	defer server.Close()
	c, err := NewClient(server.URL, "")
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		answer func(w http.ResponseWriter)
		want   Problem
	}{
		"a problem": {func(w http.ResponseWriter) {
			w.WriteHeader(http.StatusConflict)
			_ = json.NewEncoder(w).Encode(NewProblem(CodeTaken, "Lin was quicker"))
		}, Problem{Status: 409, Title: "Conflict", Code: CodeTaken, Detail: "Lin was quicker"}},
		"somebody else's page": {func(w http.ResponseWriter) {
			w.WriteHeader(http.StatusBadGateway)
			_, _ = w.Write([]byte("<h1>proxy</h1>"))
		}, Problem{Status: 502, Title: "Bad Gateway", Detail: "the answer does not come from foyerd; check the address"}},
		"a redirect is not followed": {func(w http.ResponseWriter) {
			w.Header().Set("Location", "http://elsewhere.invalid/")
			w.WriteHeader(http.StatusFound)
		}, Problem{Status: 302, Title: "Found", Detail: "the answer does not come from foyerd; check the address"}},
	} {
		answer = tc.answer
		for _, err := range []error{c.Claim(t.Context(), "v", "Lin"), func() error { _, err := c.Events(t.Context(), Wall, "e", 0); return err }()} {
			p, ok := errors.AsType[*Problem](err)
			if !ok {
				t.Errorf("%s: %v is no Problem", name, err)
			} else if d := cmp.Diff(tc.want, *p); d != "" {
				t.Errorf("%s: %s", name, d)
			}
		}
	}
}

func TestEveryCodeHasItsStatus(t *testing.T) {
	for code, status := range statuses {
		if p := NewProblem(code, "x"); p.Status != status || p.Code != code || p.Title == "" {
			t.Errorf("NewProblem(%s) = %+v", code, p)
		}
	}
	if p := NewProblem("nonsense", "x"); p.Status != 500 || p.Code != CodeInternal {
		t.Errorf("an unknown code became %+v", p)
	}
}

func TestClientBoundsAnswers(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		chunk := []byte(strings.Repeat(" ", 1<<20))
		for range maxAnswer>>20 + 2 {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	}))
	defer server.Close()
	c, err := NewClient(server.URL, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Snapshot(t.Context(), Wall); err == nil || !strings.Contains(err.Error(), "longer than") {
		t.Errorf("an endless answer gave %v", err)
	}
}
