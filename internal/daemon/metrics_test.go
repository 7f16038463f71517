package daemon

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"foyer/api"
	"foyer/reader/sim"
	"foyer/reader/tag"
	"foyer/shop/member"
	"foyer/sync/journal"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

const metricsToken = "metrics-token-1234567890"

// A store with one reader on a pseudo-terminal, seen through its two doors.
type watched struct {
	t      *testing.T
	port   *sim.PTY
	device *sim.RDM6300
	dir    string
	tcp    string
}

// fob is Wang's, in the store's book of members.
var fob = [5]byte{0x6F, 0x00, 0x7B, 0x39, 0x72}

func newWatched(t *testing.T) *watched {
	t.Helper()
	w := &watched{t: t, dir: t.TempDir()}
	var err error
	if w.port, err = sim.NewPTY(filepath.Join(w.dir, "port")); err != nil {
		t.Fatal(err)
	}
	w.device = sim.NewRDM6300(w.port)
	write(t, w.dir, "tag.key", tag.NewSecret())
	write(t, w.dir, "metrics.token", metricsToken)
	write(t, w.dir, "reception.token", "reception-token-1234567890")
	config := strings.NewReplacer("socket: foyerd.sock", "socket: foyerd.sock, tcp: '127.0.0.1:0', reception_token_file: reception.token, metrics_token_file: metrics.token",
		"/dev/serial/by-id/x", w.port.Path()).Replace(good)
	c, err := LoadConfig(write(t, w.dir, "foyerd.yaml", config))
	if err != nil {
		t.Fatal(err)
	}
	j, err := journal.Open(filepath.Join(w.dir, "journal.db"), journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	h, err := build(c, j, newTestSafe(t, j).vault, Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	key, err := tag.NewKey(c.secret)
	if err != nil {
		t.Fatal(err)
	}
	number, err := tag.NewNumber(tag.EM4100, fob[:])
	if err != nil {
		t.Fatal(err)
	}
	book, err := member.NewBook([]member.Member{{ID: "m-4711", Tags: []tag.ID{key.ID(number)}, Family: "王", FamilyLatin: "Wang", Given: "Secretive",
		Consents: []member.Purpose{member.Recognise}}})
	if err != nil {
		t.Fatal(err)
	}
	h.shop.SetMembers(book)
	w.start(h, j)
	return w
}

// start runs the house and its reader until the test ends.
func (w *watched) start(h *house, j *journal.Journal) {
	tcp, local, err := h.listen()
	if err != nil {
		w.t.Fatal(err)
	}
	w.tcp = tcp.Addr().String()
	ctx, cancel := context.WithCancel(w.t.Context())
	ended := make(chan error, 2)
	go func() { ended <- h.run(ctx, tcp, local, func() error { return nil }) }()
	go func() { w.device.Run(ctx); ended <- nil }()
	w.t.Cleanup(func() {
		cancel()
		w.port.Close()
		for range 2 {
			if err := <-ended; err != nil {
				w.t.Error(err)
			}
		}
		if err := j.Close(); err != nil {
			w.t.Error(err)
		}
	})
}

// local asks through the socket.
func (w *watched) local(path string) []byte {
	w.t.Helper()
	c := http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", filepath.Join(w.dir, "foyerd.sock"))
	}}}
	resp, err := c.Get("http://foyerd" + path)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != 200 {
		w.t.Fatalf("%s: %d %s %v", path, resp.StatusCode, body, err)
	}
	return body
}

// page is /metrics as Prometheus reads it: "name{label=value,...}" to number.
func (w *watched) page() map[string]float64 {
	w.t.Helper()
	return parsePage(w.t, w.local("/metrics"))
}

func parsePage(t *testing.T, page []byte) map[string]float64 {
	t.Helper()
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(page))
	if err != nil {
		t.Fatalf("%v in\n%s", err, page)
	}
	out := map[string]float64{}
	for name, f := range families {
		if counter := strings.HasSuffix(name, "_total"); counter != (f.GetType() == dto.MetricType_COUNTER) || f.GetHelp() == "" {
			t.Errorf("%s is a %v with the help %q", name, f.GetType(), f.GetHelp())
		}
		for _, m := range f.GetMetric() {
			var key strings.Builder
			key.WriteString(name)
			for _, l := range m.GetLabel() {
				key.WriteString(" " + l.GetName() + "=" + l.GetValue())
			}
			out[key.String()] = m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	return out
}

// until waits for the page to be as wanted: what it tells happens on other goroutines.
func (w *watched) until(what string, ok func(map[string]float64) bool) map[string]float64 {
	w.t.Helper()
	for end := time.Now().Add(time.Minute); ; {
		page := w.page()
		if ok(page) {
			return page
		}
		if time.Now().After(end) {
			w.t.Fatalf("not yet: %s\n%s", what, w.local("/metrics"))
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func TestMetricsTellWhatTheStoreDoes(t *testing.T) {
	w := newWatched(t)
	w.until("the reader is online", func(p map[string]float64) bool { return p["foyer_reader_online reader=tap"] == 1 })
	before := w.page()
	if _, ok := before["foyer_reader_last_read_timestamp_seconds reader=tap"]; ok || before["foyer_shop_present_members"] != 0 {
		t.Errorf("before anybody came: %v", before)
	}
	w.port.Write([]byte("\x02100026F444426\x03")) // a check of another frame
	w.device.Near(fob)
	p := w.until("Wang is greeted", func(p map[string]float64) bool {
		return p["foyer_shop_present_members"] == 1 && p["foyer_shop_greetings_total face=kiosk"] == 1 && p["foyer_journal_last_sequence"] > 0
	})
	for name, least := range map[string]float64{
		"foyer_reader_frames_total reader=tap": 1, "foyer_reader_reads_total reader=tap": 1,
		"foyer_reader_last_read_timestamp_seconds reader=tap": before["process_start_time_seconds"] - 2,
		"foyer_journal_used_bytes":                            1, "foyer_journal_max_bytes": 1 << 20, "foyer_journal_healthy": 1, "process_open_fds": 5,
	} {
		if got, ok := p[name]; !ok || got < least {
			t.Errorf("%s is %v", name, got)
		}
	}
	bad := 0.0
	for name, n := range p {
		if strings.HasPrefix(name, "foyer_reader_bad_frames_total") {
			bad += n
		}
	}
	if bad+p["foyer_reader_noise_bytes_total reader=tap"] == 0 {
		t.Errorf("the bad frame was not counted: %v", p)
	}
	if _, ok := p["foyer_line_online"]; ok {
		t.Error("a store on its own tells of a line to headquarters")
	}
	w.port.Unplug()
	w.until("the reader is gone", func(p map[string]float64) bool { return p["foyer_reader_online reader=tap"] == 0 })
	if err := w.port.Plug(); err != nil {
		t.Fatal(err)
	}
	w.until("it is back", func(p map[string]float64) bool { return p["foyer_reader_reopenings_total reader=tap"] >= 1 })
}

// Nobody can tell from the metrics, or from the readers' numbers, who is in the shop.
func TestMetricsNameNobody(t *testing.T) {
	w := newWatched(t)
	w.device.Near(fob)
	w.until("Wang is in", func(p map[string]float64) bool { return p["foyer_shop_present_members"] == 1 })
	var snap api.Snapshot
	if err := json.Unmarshal(w.local("/v1/reception/snapshot"), &snap); err != nil || len(snap.Cards) != 1 || snap.Cards[0].Name["en"] == "" {
		t.Fatalf("the reception page does not know Wang, so this test proves nothing: %v, %+v", err, snap.Cards)
	}
	for _, path := range []string{"/metrics", "/v1/reception/readers"} {
		text := strings.ToLower(string(w.local(path)))
		for _, secret := range []string{"wang", "王", "secretive", "m-4711", hex.EncodeToString(fob[:]), "8075634", strings.ToLower(snap.Cards[0].Visit)} {
			if strings.Contains(text, secret) {
				t.Errorf("%s tells %q:\n%s", path, secret, text)
			}
		}
	}
}

// On TCP the token of the configuration opens the page, and no other does.
func TestMetricsOverTCP(t *testing.T) {
	w := newWatched(t)
	for token, want := range map[string]int{metricsToken: 200, "reception-token-1234567890": 403, "": 401} {
		req, err := http.NewRequestWithContext(t.Context(), "GET", "http://"+w.tcp+"/metrics", nil)
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
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != want || want != 200 && bytes.Contains(body, []byte("foyer_")) {
			t.Errorf("%.10s...: %d, want %d\n%s", token, resp.StatusCode, want, body)
		}
		if want == 200 {
			parsePage(t, body)
		}
	}
}

func TestReaderHealthForStaff(t *testing.T) {
	w := newWatched(t)
	w.device.Near(fob)
	w.until("it reads", func(p map[string]float64) bool { return p["foyer_reader_reads_total reader=tap"] >= 1 })
	var all []api.ReaderHealth
	if err := json.Unmarshal(w.local("/v1/reception/readers"), &all); err != nil || len(all) != 1 {
		t.Fatal(all, err)
	}
	if h := all[0]; h.Name != "tap" || !h.Online || h.Reads == 0 || h.Frames < h.Reads || h.Advice.Code != "well" || h.Advice.Text["zh-CN"] == "" || h.Bad == nil {
		t.Errorf("%+v", h)
	}
}
