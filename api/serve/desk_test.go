package serve_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"foyer/api"
	"foyer/api/serve"
)

const goodSession = `{"language":"en","started":"2026-06-14T09:00:00Z","ended":"2026-06-14T09:01:00Z","taps":3,"end":"idle"}`

func TestDeskRefusalsReachTheClient(t *testing.T) {
	hub := serve.NewHub(serve.HubConfig{})
	d := newDesk(hub)
	var log bytes.Buffer
	addr := listen(t, newServer(t, serve.Config{Hub: hub, Desk: d, Log: slog.New(slog.NewTextHandler(&log, nil))}))
	c, err := api.NewClient("http://"+addr, receptionToken)
	if err != nil {
		t.Fatal(err)
	}
	d.arrive(api.Card{Visit: "v/1 王", State: api.CardNew, Arrived: time.Now()})
	if err := c.Claim(t.Context(), "v/1 王", "  Lin "); err != nil || d.card("v/1 王").By != "Lin" {
		t.Fatalf("claim: %v, by %q", err, d.card("v/1 王").By)
	}
	check := func(err error, code api.Code, status int) {
		t.Helper()
		p, ok := errors.AsType[*api.Problem](err)
		if !ok || p.Code != code || p.Status != status || p.Detail == "" {
			t.Errorf("got %v, want %s (%d)", err, code, status)
		}
	}
	check(c.Claim(t.Context(), "v/1 王", "Zhou"), api.CodeTaken, 409)
	check(c.Release(t.Context(), "v/1 王", "Zhou"), api.CodeNotYours, 409)
	check(c.Claim(t.Context(), "nobody", "Zhou"), api.CodeNotFound, 404)
	check(c.Claim(t.Context(), "v/1 王", ""), api.CodeInvalid, 400)
	d.refuse(fmt.Errorf("while closing: %w", api.NewProblem(api.CodeBusy, "the store closes")))
	check(c.Serve(t.Context(), "v/1 王", "Lin"), api.CodeBusy, 503)
	d.refuse(errors.New("disk secret-path is full"))
	err = c.Serve(t.Context(), "v/1 王", "Lin")
	check(err, api.CodeInternal, 500)
	if strings.Contains(err.Error(), "secret-path") || !strings.Contains(log.String(), "secret-path") {
		t.Errorf("the cause belongs in the log, not in the answer: %v / %s", err, log.String())
	}
	if strings.Contains(log.String(), "王") {
		t.Error("the log names a visit")
	}
	check(func() error { _, err := c.Snapshot(t.Context(), api.Wall); return err }(), api.CodeForbidden, 403)
}

func TestBodiesAreStrict(t *testing.T) {
	hub := serve.NewHub(serve.HubConfig{})
	d := newDesk(hub)
	local := newServer(t, serve.Config{Hub: hub, Desk: d}).Local()
	const claim, session = "/v1/reception/cards/v1/claim", "/v1/kiosk/sessions"
	long := strings.Repeat("x", 5000)
	for _, tc := range []struct {
		path, body string
		want       int
		says       string
	}{
		{claim, `{"by":"Lin"}`, 404, "visit"}, // well formed: only the visit is unknown
		{claim, `{"by":"Lin","admin":true}`, 400, "admin"},
		{claim, `{"by":"Lin"}{"by":"Zhou"}`, 400, "more after"},
		{claim, `{"by":"Lin"} x`, 400, "body"},
		{claim, `{"by":7}`, 400, "body"},
		{claim, `[]`, 400, "body"},
		{claim, `null`, 400, "by"},
		{claim, ``, 400, "body"},
		{claim, `{"by":"  "}`, 400, "by"},
		{claim, `{"by":"a\nb"}`, 400, "by"},
		{claim, `{"by":"a\u202eb"}`, 400, "by"},
		{claim, `{"by":"` + strings.Repeat("王", 40) + `"}`, 404, "visit"},
		{claim, `{"by":"` + strings.Repeat("王", 41) + `"}`, 400, "by"},
		{claim, `{"by":"` + long + `"}`, 413, "4096"},
		{"/v1/reception/cards/" + long + "/claim", `{"by":"Lin"}`, 404, "visit"},
		{"/v1/reception/cards/a%0Ab/claim", `{"by":"Lin"}`, 404, "visit"},
		{session, goodSession, 204, ""},
		{session, strings.Replace(goodSession, "idle", "bored", 1), 400, "idle or closed"},
		{session, strings.Replace(goodSession, "09:01", "08:01", 1), 400, "before started"},
		{session, strings.Replace(goodSession, "14T09:01", "16T09:01", 1), 400, "more than a day"},
		{session, strings.Replace(goodSession, "3,", "-3,", 1), 400, "taps"},
		{session, strings.Replace(goodSession, `"en"`, `""`, 1), 400, "language"},
		{session, `{}`, 400, "started"},
	} {
		w := call(local, "POST", tc.path, "", tc.body)
		if w.Code != tc.want {
			t.Errorf("%.60s %.60s: %d, want %d", tc.path, tc.body, w.Code, tc.want)
		}
		if w.Code >= 400 && !strings.Contains(problem(t, w).Detail, tc.says) {
			t.Errorf("%.60s: %s does not say %q", tc.body, w.Body, tc.says)
		}
	}
	if len(d.used) != 1 || d.used[0].Taps != 3 {
		t.Errorf("the desk heard of %v", d.used)
	}
	req := httptest.NewRequest("POST", claim, strings.NewReader(`{"by":"Lin"}`))
	req.Header.Set("Content-Type", "text/plain")
	w := httptest.NewRecorder()
	local.ServeHTTP(w, req)
	if w.Code != http.StatusUnsupportedMediaType {
		t.Errorf("a body that is no JSON: %d", w.Code)
	}
}

func FuzzBodies(f *testing.F) {
	hub := serve.NewHub(serve.HubConfig{})
	d := newDesk(hub)
	s, err := serve.New(serve.Config{Hub: hub, Desk: d, Cards: newWallets(hub)})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(`{"by":"Lin"}`)
	f.Add(goodSession)
	f.Add(`{"by":"Lin"}{"by"`)
	f.Add("{\"by\":\"\xff\"}")
	f.Add(`{"query":"王"}`)
	f.Add(`{"by":"Lin","reason":"lost","card":"c1","shown":"k1","vouched":true}`)
	f.Fuzz(func(t *testing.T, body string) {
		for _, path := range []string{"/v1/reception/cards/v1/claim", "/v1/kiosk/sessions", "/v1/reception/members/search",
			"/v1/reception/members/m-1001/cards/replace", "/v1/reception/notices/n1/dismiss"} {
			w := call(s.Local(), "POST", path, "", body)
			if w.Code >= 500 {
				t.Fatalf("%q: %d %s", body, w.Code, w.Body)
			}
			if w.Code >= 400 {
				problem(t, w)
			}
		}
		for _, u := range d.used {
			if u.Ended.Before(u.Started) || u.Taps < 0 {
				t.Fatalf("the desk was told %+v", u)
			}
		}
		d.used = nil
	})
}
