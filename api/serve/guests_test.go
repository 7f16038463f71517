package serve_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

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
