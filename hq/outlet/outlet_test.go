package outlet

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"foyer/hq/store"
	"foyer/sync/wire"
)

const token = "a token that is long enough"

// memory is a Feed in memory.
type memory struct {
	mu     sync.Mutex
	all    []store.Told
	upto   map[string]uint64
	change chan struct{}
}

func newMemory(n int) *memory {
	m := &memory{upto: map[string]uint64{}, change: make(chan struct{}, 1)}
	m.add(n)
	return m
}

func (m *memory) add(n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for range n {
		i := uint64(len(m.all) + 1)
		m.all = append(m.all, store.Told{Number: i, Store: "north", Epoch: "E", Lane: "main", Seq: i,
			Record: wire.NewRecord(wire.VisitStarted, time.Date(2026, 6, 14, 12, 0, 0, 0, time.UTC), wire.Visit{Visit: fmt.Sprint("v", i), Member: "m-1"})})
	}
	select {
	case m.change <- struct{}{}:
	default:
	}
}

func (m *memory) NumberFeed(context.Context) error { return nil }

func (m *memory) Feed(_ context.Context, after uint64, most int) ([]store.Told, uint64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	rest := m.all[min(after, uint64(len(m.all))):]
	rest = rest[:min(most, len(rest))]
	return rest, after + uint64(len(rest)), nil
}

func (m *memory) FeedPlace(_ context.Context, n uint64) (string, uint64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if n == 0 || n > uint64(len(m.all)) {
		return "", uint64(len(m.all)), nil
	}
	return m.all[n-1].Store + fmt.Sprint(n), uint64(len(m.all)), nil
}

func (m *memory) Outlet(_ context.Context, name string) (uint64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.upto[name], nil
}

func (m *memory) MoveOutlet(_ context.Context, name string, upto uint64, _ time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.upto[name] = upto
	return nil
}

func (m *memory) watch() (<-chan struct{}, func()) { return m.change, func() {} }

func serve(t *testing.T, m *memory) *httptest.Server {
	t.Helper()
	o, err := New(Config{Feed: m, Token: token, Watch: m.watch, Outside: wire.Outside{Chain: "wanlian"}})
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(o)
	t.Cleanup(s.Close)
	return s
}

func ask(t *testing.T, s *httptest.Server, query string, header ...string) (*http.Response, []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "GET", s.URL+Path+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, body
}

// Batches by the cursor, to the end, then what comes while somebody waits.
func TestPull(t *testing.T) {
	m := newMemory(25)
	s := serve(t, m)
	after, ids := "", map[string]bool{}
	for range 3 {
		resp, body := ask(t, s, "?limit=10&after="+after)
		var events []wire.CloudEvent
		if err := json.Unmarshal(body, &events); err != nil || resp.Header.Get("Content-Type") != wire.CloudEventBatchType {
			t.Fatalf("%s %v", body, err)
		}
		for _, e := range events {
			if ids[e.ID] || e.Type != "com.foyer.visit.started" || strings.Contains(string(e.Data), "m-1") {
				t.Errorf("event %+v", e)
			}
			ids[e.ID] = true
		}
		after = resp.Header.Get(CursorHeader)
	}
	if len(ids) != 25 {
		t.Fatalf("%d events, want 25", len(ids))
	}
	if resp, body := ask(t, s, "?after="+after); string(body) != "[]\n" || resp.Header.Get(CursorHeader) != after {
		t.Errorf("at the end: %s, cursor %s, was %s", body, resp.Header.Get(CursorHeader), after)
	}
	go m.add(1)
	if _, body := ask(t, s, "?wait=30s&after="+after); !strings.Contains(string(body), `"E/main/26"`) {
		t.Errorf("what came meanwhile: %s", body)
	}
	if resp, body := ask(t, s, "?after="+after, "Accept", wire.CloudEventType); resp.Header.Get("Content-Type") != wire.CloudEventType || body[0] != '{' {
		t.Errorf("one event: %s", body)
	}
	resp, _ := ask(t, s, "?after=now", "Accept", wire.CloudEventType)
	if resp.StatusCode != http.StatusNoContent || !strings.HasPrefix(resp.Header.Get(CursorHeader), "26-") {
		t.Errorf("from now on: %s, cursor %s", resp.Status, resp.Header.Get(CursorHeader))
	}
}

func TestRefusals(t *testing.T) {
	s := serve(t, newMemory(5))
	for query, want := range map[string]int{"?limit=0": 400, "?limit=1001": 400, "?wait=2m": 400, "?after=5": 400, "?after=x": 400, "?after=5-000000000000": 410, "?after=99-000000000000": 410} {
		if resp, body := ask(t, s, query); resp.StatusCode != want || !strings.Contains(string(body), `"detail"`) {
			t.Errorf("%s: %d %s, want %d", query, resp.StatusCode, body, want)
		}
	}
	if resp, _ := ask(t, s, "", "Authorization", "Bearer wrong"); resp.StatusCode != 401 {
		t.Errorf("a wrong token: %d", resp.StatusCode)
	}
	if resp, err := http.Post(s.URL+Path, "text/plain", nil); err != nil || resp.StatusCode != 405 {
		t.Errorf("a POST: %v %v", resp, err)
	}
	if _, err := New(Config{Token: "short"}); err == nil {
		t.Error("a short token is taken")
	}
	for _, bad := range []string{"", "http://example.net/x", "ftp://localhost", "https://me:secret@example.net/", "example.net"} {
		if CheckHook(bad) == nil {
			t.Errorf("%q is taken for a webhook", bad)
		}
	}
}

// A stream, taken up again after the last id that came.
func TestStream(t *testing.T) {
	m := newMemory(2)
	s := serve(t, m)
	read := func(last string, want int) (ids []string) {
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		req, err := http.NewRequestWithContext(ctx, "GET", s.URL+Path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+token)
		req.Header.Set("Accept", "text/event-stream")
		req.Header.Set("Last-Event-ID", last)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		for lines := bufio.NewScanner(resp.Body); len(ids) < want && lines.Scan(); {
			if id, ok := strings.CutPrefix(lines.Text(), "id: "); ok {
				ids = append(ids, id)
			}
		}
		return ids
	}
	first := read("", 2)
	m.add(2)
	if second := read(first[1], 2); !strings.HasPrefix(second[0], "3-") || !strings.HasPrefix(second[1], "4-") {
		t.Errorf("after %v came %v", first, second)
	}
}

// The webhook is down, slow and back: everything arrives in order, and nothing that it took is sent again.
func TestWebhook(t *testing.T) {
	m := newMemory(250)
	var mu sync.Mutex
	var got []string
	answers := []int{500, 200, 429, 302, 200}
	all := make(chan struct{})
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		var events []wire.CloudEvent
		if err := json.NewDecoder(r.Body).Decode(&events); err != nil || r.Header.Get("Authorization") != "Bearer hook" {
			t.Errorf("%v, %v", err, r.Header)
		}
		status := 204
		if len(answers) > 0 {
			status, answers = answers[0], answers[1:]
		}
		if status/100 == 2 {
			for _, e := range events {
				got = append(got, e.ID)
			}
			if len(got) == 250 {
				close(all)
			}
		}
		w.WriteHeader(status)
	}))
	defer hook.Close()
	o, err := New(Config{Feed: m, Watch: m.watch, Outside: wire.Outside{Chain: "wanlian"}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- o.RunWebhook(ctx, Webhook{URL: hook.URL, Token: "hook", Now: time.Now}) }()
	select {
	case <-all:
	case <-time.After(time.Minute):
		t.Error("not all came")
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	mu.Lock()
	defer mu.Unlock()
	for i, id := range got {
		if id != fmt.Sprint("E/main/", i+1) {
			t.Fatalf("event %d is %s", i+1, id)
		}
	}
}

// FuzzQuestion: any question is answered, and never with events that were not asked for.
func FuzzQuestion(f *testing.F) {
	f.Add("3-aabbccddeeff", "10", "0s", "")
	f.Add("now", "", "", "text/event-stream")
	o, err := New(Config{Feed: newMemory(5), Token: token, Outside: wire.Outside{Chain: "wanlian"}})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, after, limit, wait, accept string) {
		r := httptest.NewRequest("GET", Path, nil)
		r.URL.RawQuery = map[bool]string{true: "limit=" + limit + "&wait=" + wait}[limit != "" && wait != ""]
		q := r.URL.Query()
		q.Set("after", after)
		r.URL.RawQuery = q.Encode()
		r.Header.Set("Accept", accept)
		got, err := o.question(r)
		if err == nil && (got.limit < 1 || got.limit > maxLimit || got.wait < 0 || got.wait > maxWait || got.after > 5) {
			t.Fatalf("%+v", got)
		}
	})
}
