package serve_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"foyer/api"
	"foyer/api/serve"
)

func get(t *testing.T, address, token string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

// call asks a handler without a network.
func call(h http.Handler, method, path, token, body string) *httptest.ResponseRecorder {
	req := httptest.NewRequest(method, path, strings.NewReader(body))
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/json")
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, req)
	return w
}

func problem(t *testing.T, w *httptest.ResponseRecorder) api.Problem {
	t.Helper()
	var p api.Problem
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || p.Status != w.Code || p.Detail == "" || p.Title == "" {
		t.Errorf("status %d with body %q is no good problem: %v", w.Code, w.Body, err)
	}
	return p
}

// Who may see and do what: every role on every address. A refusal comes before the body is looked at and holds nothing.
func TestEachRoleSeesItsOwnFaces(t *testing.T) {
	hub := serve.NewHub(serve.HubConfig{})
	s := newServer(t, serve.Config{Hub: hub})
	hub.Card(api.Card{Visit: "v1", Arrived: time.Now(), Name: text("王", "secret-name")})
	hub.Greeted(api.Kiosk, api.Greeting{Visit: "v1", Until: time.Now().Add(time.Hour), Headline: text("王", "secret-name")})
	const yes = 200
	for _, row := range []struct {
		method, path                                string
		none, wrong, reception, screen, trustedDoor int
	}{
		{"GET", "/v1/reception/snapshot", 401, 401, yes, 403, yes},
		{"GET", "/v1/wall/snapshot", 401, 401, 403, yes, yes},
		{"GET", "/v1/kiosk/snapshot", 401, 401, 403, yes, yes},
		{"GET", "/v1/reception/events", 401, 401, 400, 403, 400},
		{"GET", "/v1/wall/events", 401, 401, 403, 400, 400},
		{"GET", "/v1/kiosk/events", 401, 401, 403, 400, 400},
		{"POST", "/v1/reception/cards/v1/claim", 401, 401, 400, 403, 400},
		{"POST", "/v1/reception/cards/v1/release", 401, 401, 400, 403, 400},
		{"POST", "/v1/reception/cards/v1/serve", 401, 401, 400, 403, 400},
		{"POST", "/v1/kiosk/sessions", 401, 401, 403, 400, 400},
		{"GET", "/reception/", 303, 401, yes, 303, yes},
		{"GET", "/reception/main.js", yes, 401, yes, yes, yes},
		{"GET", "/reception/words/en.json", yes, 401, yes, yes, yes},
		{"GET", "/v1/reception/readers", 401, 401, yes, 403, yes},
		{"GET", "/healthz", yes, 401, yes, yes, yes},
		{"GET", "/metrics", 401, 401, 403, 403, yes},
		{"GET", "/v1/window/snapshot", 404, 401, 404, 404, 404},
	} {
		for who, tc := range map[string]struct {
			h     http.Handler
			token string
			want  int
		}{
			"nobody": {s, "", row.none}, "a wrong token": {newServer(t, serve.Config{Hub: hub}), "not-a-token-not-a-token", row.wrong},
			"reception": {s, receptionToken, row.reception}, "a screen": {s, screenToken, row.screen}, "the socket": {s.Local(), "", row.trustedDoor},
		} {
			w := call(tc.h, row.method, row.path, tc.token, "")
			if w.Code != tc.want {
				t.Errorf("%s %s by %s: %d, want %d", row.method, row.path, who, w.Code, tc.want)
			}
			if w.Code >= 400 {
				problem(t, w)
			}
			if w.Code != 200 && strings.Contains(w.Body.String(), "secret-name") {
				t.Errorf("%s %s tells %s a name", row.method, row.path, who)
			}
		}
	}
}

func TestOtherSitesAndMethodsAreRefused(t *testing.T) {
	s := newServer(t, serve.Config{})
	req := httptest.NewRequest("POST", "/v1/reception/cards/v1/claim", strings.NewReader(`{"by":"x"}`))
	req.Header.Set("Sec-Fetch-Site", "cross-site")
	req.Header.Set("Authorization", "Bearer "+receptionToken)
	w := httptest.NewRecorder()
	s.ServeHTTP(w, req)
	if w.Code != 403 || !strings.Contains(problem(t, w).Detail, "another site") {
		t.Errorf("a request of another site: %d %s", w.Code, w.Body)
	}
	for path, allow := range map[string]string{"/v1/wall/snapshot": "GET", "/v1/kiosk/sessions": "POST", "/login": "GET, POST"} {
		w := call(s, "DELETE", path, screenToken, "")
		if w.Code != 405 || w.Header().Get("Allow") != allow {
			t.Errorf("DELETE %s: %d, allow %q", path, w.Code, w.Header().Get("Allow"))
		}
		problem(t, w)
	}
	for _, path := range []string{"/v1", "/nowhere", "/reception/login.html", "/reception/index.html", "/reception/en.json", "/reception/words/fr.json", "/reception/words/main.js", "/reception/words/x"} {
		if w := call(s, "GET", path, "", ""); w.Code != 404 {
			t.Errorf("GET %s: %d", path, w.Code)
		}
	}
	w = call(s, "GET", "/reception/style.css", "", "")
	req = httptest.NewRequest("GET", "/reception/style.css", nil)
	req.Header.Set("If-None-Match", w.Header().Get("ETag"))
	w = httptest.NewRecorder()
	s.ServeHTTP(w, req)
	if w.Code != http.StatusNotModified {
		t.Errorf("a file that the browser has: %d", w.Code)
	}
}

func TestHealthAndFrames(t *testing.T) {
	s := newServer(t, serve.Config{Health: func(context.Context) error { return errors.New("the disk is full") }, Embed: []string{"http://127.0.0.1:8080"}})
	if w := call(s, "GET", "/healthz", "", ""); w.Code != 503 || problem(t, w).Detail != "the disk is full" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	h := call(s, "GET", "/reception/", receptionToken, "").Header()
	if !strings.HasSuffix(h.Get("Content-Security-Policy"), "frame-ancestors http://127.0.0.1:8080") || h.Get("X-Frame-Options") != "" {
		t.Errorf("frames: %v", h)
	}
}
