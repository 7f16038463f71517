package serve_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"foyer/api/serve"
)

// The pairing link: the token becomes a cookie that no script can read, and is gone from the address.
func TestLoginByLink(t *testing.T) {
	now := nine
	s := newServer(t, serve.Config{Now: func() time.Time { return now }})
	w := call(s, "GET", "/login?token="+receptionToken, "", "")
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/reception/" || w.Header().Get("Referrer-Policy") != "no-referrer" {
		t.Fatalf("%d to %q", w.Code, w.Header().Get("Location"))
	}
	cookie := w.Result().Cookies()[0]
	if !cookie.HttpOnly || cookie.SameSite != http.SameSiteStrictMode || strings.Contains(cookie.Value, receptionToken) {
		t.Errorf("cookie %v", cookie)
	}
	ask := func(h http.Handler, c *http.Cookie, path string) *httptest.ResponseRecorder {
		req := httptest.NewRequest("GET", path, nil)
		req.AddCookie(c)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, req)
		return w
	}
	if got := ask(s, cookie, "/v1/reception/snapshot").Code; got != 200 {
		t.Errorf("with the cookie: %d", got)
	}
	if got := ask(s, cookie, "/v1/wall/snapshot").Code; got != 403 {
		t.Errorf("the reception's cookie on the wall: %d", got)
	}
	restarted := newServer(t, serve.Config{Now: func() time.Time { return now }})
	if got := ask(restarted, cookie, "/v1/reception/snapshot").Code; got != 200 {
		t.Errorf("after a restart: %d", got)
	}
	changed := newServer(t, serve.Config{Tokens: []serve.Token{{Role: serve.ForReception, Secret: "another-token-1234567"}}})
	if got := ask(changed, cookie, "/v1/reception/snapshot").Code; got != 401 {
		t.Errorf("after the token changed: %d", got)
	}
	now = now.Add(29 * 24 * time.Hour)
	renewed := ask(s, cookie, "/reception/").Result().Cookies()[0]
	now = now.Add(2 * 24 * time.Hour)
	if got := ask(s, cookie, "/v1/reception/snapshot").Code; got != 401 {
		t.Errorf("after 31 days: %d", got)
	}
	if got := ask(s, renewed, "/v1/reception/snapshot").Code; got != 200 {
		t.Errorf("the renewed cookie: %d", got)
	}
	expiry, signature, _ := strings.Cut(cookie.Value, ".")
	for _, forged := range []string{"", ".", "9999999999." + signature, expiry + "." + signature[1:], expiry, "9" + cookie.Value} {
		if got := ask(s, &http.Cookie{Name: cookie.Name, Value: forged}, "/v1/reception/snapshot").Code; got != 401 {
			t.Errorf("forged cookie %q: %d", forged, got)
		}
	}
}

func TestLoginByForm(t *testing.T) {
	addr := listen(t, newServer(t, serve.Config{}))
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	c := &http.Client{Jar: jar}
	for token, want := range map[string]string{"wrong-wrong-wrong-wrong": "not known here", screenToken: "public screen", receptionToken: `id="guests"`} {
		resp, err := c.PostForm("http://"+addr+"/login", url.Values{"token": {token}})
		if err != nil {
			t.Fatal(err)
		}
		page, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if !strings.Contains(string(page), want) {
			t.Errorf("after %q the page lacks %q", token, want)
		}
		if strings.Contains(string(page), token) {
			t.Errorf("the page repeats the token")
		}
	}
}

// Ten wrong tokens from one address, then waiting, for it alone; requests without any token are no guesses.
func TestGuessingIsSlow(t *testing.T) {
	now := nine
	s := newServer(t, serve.Config{Now: func() time.Time { return now }})
	ask := func(from, token string) int {
		req := httptest.NewRequest("GET", "/v1/wall/snapshot", nil)
		req.RemoteAddr = from
		if token != "" {
			req.Header.Set("Authorization", "Bearer "+token)
		}
		w := httptest.NewRecorder()
		s.ServeHTTP(w, req)
		return w.Code
	}
	for range 50 {
		if got := ask("10.0.0.1:5000", ""); got != 401 {
			t.Fatalf("without a token: %d", got)
		}
	}
	for i := range 10 {
		if got := ask(fmt.Sprintf("10.0.0.1:%d", 5000+i), "wrong"); got != 401 {
			t.Fatalf("guess %d: %d", i, got)
		}
	}
	for who, want := range map[string]int{"wrong": 429, screenToken: 429} {
		if got := ask("10.0.0.1:6000", who); got != want {
			t.Errorf("after ten guesses: %d, want %d", got, want)
		}
	}
	if got := ask("10.0.0.2:5000", screenToken); got != 200 {
		t.Errorf("another address: %d", got)
	}
	now = now.Add(7 * time.Second)
	if got := ask("10.0.0.1:6000", screenToken); got != 200 {
		t.Errorf("after the wait: %d", got)
	}
	for i := range 3000 {
		ask(fmt.Sprintf("10.1.%d.%d:1", i/250, i%250), "wrong")
	}
	if got := ask("10.9.9.9:1", screenToken); got != 429 {
		t.Errorf("a new address while a thousand guess: %d, want 429", got)
	}
	now = now.Add(time.Hour)
	if got := ask("10.9.9.9:1", screenToken); got != 200 {
		t.Errorf("an hour later: %d", got)
	}
}

func TestNewTellsAllFaults(t *testing.T) {
	_, err := serve.New(serve.Config{
		Tokens: []serve.Token{{Role: "boss", Secret: receptionToken}, {Role: serve.ForScreen, Secret: "short-secret"}},
		Embed:  []string{"evil.example; script-src *"},
	})
	for _, want := range []string{"hub", `"boss"`, "token 2", "12 characters", "evil.example"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not tell of %s", err, want)
		}
	}
	if err != nil && strings.Contains(err.Error(), "short-secret") {
		t.Error("the error tells a secret")
	}
}
