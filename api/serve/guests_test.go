package serve_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"foyer/api"
	"foyer/api/serve"
)

// guests notes what it is asked.
type guests struct {
	signed    []api.SignUp
	helped    []api.Help
	confirmed []api.Confirm
	fail      error
}

func (g *guests) SignUp(_ context.Context, s api.SignUp) (api.Joined, error) {
	g.signed = append(g.signed, s)
	return api.Joined{Signup: "s1", Code: "4821"}, g.fail
}

func (g *guests) CallStaff(_ context.Context, h api.Help) error {
	g.helped = append(g.helped, h)
	return g.fail
}

func (g *guests) Confirm(_ context.Context, _ string, c api.Confirm) error {
	g.confirmed = append(g.confirmed, c)
	return g.fail
}

const goodForm = `{"key":"k","language":"en","fourteen":true,"phone":"13812345678","name":"Anna Lindqvist","title":"ms","consents":["recognise"],"text":"en-1"}`

func TestGuests(t *testing.T) {
	for _, tc := range []struct {
		about, token, path, body string
		fail                     error
		want                     int
		says                     string
	}{
		{"a form", screenToken, "/v1/kiosk/signups", goodForm, nil, 200, `"code":"4821"`},
		{"a form by staff's token", receptionToken, "/v1/kiosk/signups", goodForm, nil, 403, "token"},
		{"a form by nobody", "", "/v1/kiosk/signups", goodForm, nil, 401, ""},
		{"too young", screenToken, "/v1/kiosk/signups", strings.Replace(goodForm, "true", "false", 1), nil, 400, "fourteen"},
		{"no phone", screenToken, "/v1/kiosk/signups", strings.Replace(goodForm, "13812345678", "138", 1), nil, 400, "phone"},
		{"a purpose", screenToken, "/v1/kiosk/signups", strings.Replace(goodForm, "recognise", "spy", 1), nil, 400, "consents"},
		{"a purpose twice", screenToken, "/v1/kiosk/signups", strings.Replace(goodForm, `"recognise"`, `"recognise","recognise"`, 1), nil, 400, "consents"},
		{"a name with a line break", screenToken, "/v1/kiosk/signups", strings.Replace(goodForm, "Anna ", `Anna\n`, 1), nil, 400, "name"},
		{"a name of emoji is one", screenToken, "/v1/kiosk/signups", strings.Replace(goodForm, "Anna Lindqvist", "🎉", 1), nil, 200, ""},
		{"too many", screenToken, "/v1/kiosk/signups", goodForm, api.NewProblem(api.CodeBusy, "too many"), 503, "too many"},
		{"help", screenToken, "/v1/kiosk/help", `{"language":"en"}`, nil, 204, ""},
		{"help in no language", screenToken, "/v1/kiosk/help", `{}`, nil, 400, "language"},
		{"a code", receptionToken, "/v1/reception/newcomers/s1/confirm", `{"by":"Li","code":"4821"}`, nil, 204, ""},
		{"a code by a screen", screenToken, "/v1/reception/newcomers/s1/confirm", `{"by":"Li","code":"4821"}`, nil, 403, ""},
		{"no code", receptionToken, "/v1/reception/newcomers/s1/confirm", `{"by":"Li","code":"x"}`, nil, 409, "wrong_code"},
		{"by nobody", receptionToken, "/v1/reception/newcomers/s1/confirm", `{"by":" ","code":"4821"}`, nil, 400, "by"},
	} {
		g := &guests{fail: tc.fail}
		s := newServer(t, serve.Config{Guests: g})
		r := httptest.NewRequest(http.MethodPost, tc.path, strings.NewReader(tc.body))
		r.Header.Set("Content-Type", "application/json")
		if tc.token != "" {
			r.Header.Set("Authorization", "Bearer "+tc.token)
		}
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code != tc.want || !strings.Contains(w.Body.String(), tc.says) {
			t.Errorf("%s: %d %s", tc.about, w.Code, w.Body)
		}
		if strings.Contains(w.Body.String(), "Lindqvist") || w.Code >= 400 && strings.Contains(w.Body.String(), "138") {
			t.Errorf("%s: the answer repeats the person: %s", tc.about, w.Body)
		}
		if refused := w.Code >= 400 && tc.fail == nil; refused && len(g.signed)+len(g.helped)+len(g.confirmed) > 0 {
			t.Errorf("%s: it was passed on", tc.about)
		}
	}
}

// Somebody at the kiosk calls, and a new member's code is entered, by finger and by keyboard.
func TestReceptionPageWelcomes(t *testing.T) {
	ctx := browser(t)
	s := &store{t: t}
	s.begin()
	defer func() { s.stop() }()
	run(t, ctx, chromedp.Navigate(s.url("/login?token="+receptionToken)), has(".empty:not([hidden])"), script(`localStorage.setItem("foyer.desk", "Lin")`))
	s.hub.Notice(api.Notice{ID: "c1", Kind: api.CalledFor, At: time.Now(), Language: "en", Times: 2})
	s.hub.Notice(api.Notice{ID: "s1", Kind: api.Newcomer, At: time.Now(), Member: "m-1", Name: text("李女士", "Ms Li"), Phone: "138****8000", Times: 1})
	run(t, ctx, has(`[data-notice="c1"]`), has(`[data-notice="s1"] .code`))
	look(t, ctx, "welcome")
	run(t, ctx, chromedp.EmulateViewport(1280, 800), chromedp.SendKeys(chromedp.CSS(`[data-notice="s1"] .code`), "48"))
	s.hub.Notice(api.Notice{ID: "c1", Kind: api.CalledFor, At: time.Now(), Language: "en", Times: 3})
	run(t, ctx, until(`document.querySelector('[data-notice="c1"]').innerText.includes("3")`),
		chromedp.SendKeys(chromedp.CSS(`[data-notice="s1"] .code`), "21"+kb.Enter), has(".toast:not(.bad)"))
	if got := s.guest.confirmed; len(got) != 1 || got[0] != (api.Confirm{By: "Lin", Code: "4821"}) {
		t.Errorf("confirmed %+v", got)
	}
	s.hub.Notice(api.Notice{ID: "s1", Kind: api.Newcomer, By: "Lin"})
	run(t, ctx, until(`document.querySelector('[data-notice="s1"]') === null`))
}
