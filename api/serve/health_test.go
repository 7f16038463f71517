package serve_test

import (
	"encoding/json"
	"strings"
	"testing"

	"foyer/api"
	"foyer/api/serve"
	"foyer/internal/prom"
)

const metricsToken = "metrics-token-1234567890"

// The metrics' token opens the metrics, and not one of the faces.
func TestMetricsTokenOpensNothingElse(t *testing.T) {
	s := newServer(t, serve.Config{
		Tokens:  append([]serve.Token{{Role: serve.ForMetrics, Secret: metricsToken}}, tokens...),
		Metrics: func(p *prom.Page) { p.Gauge("foyer_up", "Up."); p.Flag(true) },
	})
	w := call(s, "GET", "/metrics", metricsToken, "")
	if w.Code != 200 || w.Header().Get("Content-Type") != prom.ContentType || !strings.Contains(w.Body.String(), "\nfoyer_up 1\n") {
		t.Errorf("%d %s\n%s", w.Code, w.Header(), w.Body)
	}
	for _, path := range []string{"/v1/reception/snapshot", "/v1/reception/readers", "/v1/wall/snapshot", "/v1/kiosk/snapshot"} {
		if w := call(s, "GET", path, metricsToken, ""); w.Code != 403 {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	if w := call(s, "GET", "/login?token="+metricsToken, "", ""); w.Code != 403 || len(w.Result().Cookies()) != 0 {
		t.Errorf("it signs a browser in: %d", w.Code)
	}
}

func TestReadersInNumbers(t *testing.T) {
	want := api.ReaderHealth{Name: "door", Frames: 12, Bad: []api.BadFrames{{Kind: "cut", Name: text("断", "Cut"), Count: 2}}}
	s := newServer(t, serve.Config{Readers: func() []api.ReaderHealth { return []api.ReaderHealth{want} }})
	var got []api.ReaderHealth
	w := call(s, "GET", "/v1/reception/readers", receptionToken, "")
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || len(got) != 1 || mustJSON(t, got[0]) != mustJSON(t, want) {
		t.Errorf("%v %s", err, w.Body)
	}
	if w := call(newServer(t, serve.Config{}), "GET", "/v1/reception/readers", receptionToken, ""); w.Body.String() != "[]" {
		t.Errorf("without readers: %s", w.Body)
	}
}
