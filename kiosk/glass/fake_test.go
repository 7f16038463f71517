package glass_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"foyer/api"
)

// fakeFoyerd speaks the local contract of package api and nothing else: a twin for tests of the window, so that they need
// no shop. It is no part of any program.
type fakeFoyerd struct {
	Address string

	mu       sync.Mutex
	snapshot api.Snapshot
	events   []api.Event
	changed  chan struct{}
	sessions chan api.Session
	pictures chan []byte
	signups  chan api.SignUp
	calls    chan api.Help
}

func newFakeFoyerd(t testing.TB) *fakeFoyerd {
	t.Helper()
	f := &fakeFoyerd{changed: make(chan struct{}), sessions: make(chan api.Session, 64), pictures: make(chan []byte, 8),
		signups: make(chan api.SignUp, 4), calls: make(chan api.Help, 4)}
	f.snapshot = api.Snapshot{Epoch: "e1", Store: text("滨江路旗舰店", "Riverside Flagship Store"), Showcase: offers()}
	socket := filepath.Join(t.TempDir(), "api.sock")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	f.Address = "unix://" + socket
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/{face}/snapshot", f.serveSnapshot)
	mux.HandleFunc("GET /v1/{face}/events", f.serveEvents)
	mux.HandleFunc("POST /v1/kiosk/sessions", f.takeSession)
	mux.HandleFunc("PUT /v1/{face}/pictures/{order}", f.takePicture)
	mux.HandleFunc("POST /v1/kiosk/signups", func(w http.ResponseWriter, r *http.Request) {
		var s api.SignUp
		json.NewDecoder(r.Body).Decode(&s)
		f.signups <- s
		json.NewEncoder(w).Encode(api.Joined{Signup: "s1", Code: "4821", Name: text("李女士", "Ms Li"), Card: true})
	})
	mux.HandleFunc("POST /v1/kiosk/help", func(w http.ResponseWriter, r *http.Request) {
		var h api.Help
		json.NewDecoder(r.Body).Decode(&h)
		f.calls <- h
		w.WriteHeader(http.StatusNoContent)
	})
	server := &http.Server{Handler: mux}
	go server.Serve(l)
	t.Cleanup(func() { server.Close() })
	return f
}

func (f *fakeFoyerd) serveSnapshot(w http.ResponseWriter, _ *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.snapshot
	s.Now, s.Last = time.Now(), uint64(len(f.events))
	json.NewEncoder(w).Encode(s)
}

func (f *fakeFoyerd) serveEvents(w http.ResponseWriter, r *http.Request) {
	var sent int
	fmt.Sscan(r.URL.Query().Get("after"), &sent)
	w.Header().Set("Content-Type", "text/event-stream")
	w.(http.Flusher).Flush()
	for {
		f.mu.Lock()
		fresh, changed := f.events[min(sent, len(f.events)):], f.changed
		f.mu.Unlock()
		for _, e := range fresh {
			data, _ := json.Marshal(e)
			fmt.Fprintf(w, "event: %s\ndata: %s\n\n", e.Kind, data)
			sent++
		}
		w.(http.Flusher).Flush()
		select {
		case <-changed:
		case <-time.After(api.Heartbeat):
			fmt.Fprint(w, ": still here\n\n")
			w.(http.Flusher).Flush()
		case <-r.Context().Done():
			return
		}
	}
}

func (f *fakeFoyerd) takeSession(w http.ResponseWriter, r *http.Request) {
	var s api.Session
	if err := json.NewDecoder(r.Body).Decode(&s); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	f.sessions <- s
	w.WriteHeader(http.StatusNoContent)
}

func (f *fakeFoyerd) takePicture(w http.ResponseWriter, r *http.Request) {
	data, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	f.pictures <- data
	w.WriteHeader(http.StatusNoContent)
}

// say sends an event to every screen.
func (f *fakeFoyerd) say(kind api.Kind, body any) {
	data, err := json.Marshal(body)
	if err != nil {
		panic(err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	switch body := body.(type) {
	case api.Greeting:
		f.snapshot.Greetings = append(f.snapshot.Greetings, body)
	case api.Departure:
		f.snapshot.Greetings = slices.DeleteFunc(f.snapshot.Greetings, func(g api.Greeting) bool { return g.Visit == body.Visit })
	}
	f.events = append(f.events, api.Event{ID: uint64(len(f.events) + 1), Kind: kind, At: time.Now(), Data: data})
	close(f.changed)
	f.changed = make(chan struct{})
}

func text(zh, en string) api.Text { return api.Text{"zh-CN": zh, "en": en} }

func offers() []api.Offer {
	return []api.Offer{
		{Campaign: "phone", Art: "phone", Title: text("新机以旧换新", "Trade in and save"), Text: text("带上旧手机，现场评估。", "Bring your old phone.")},
		{Campaign: "data", Art: "data", Title: text("周末流量翻倍", "Double data all weekend"), Text: text("套餐内流量自动翻倍。", "Your plan's data doubles.")},
		{Campaign: "cup", Art: "cup", Title: text("来店请您喝咖啡", "Coffee is on us"), Text: text("凭卡领取一杯。", "Show your card.")},
	}
}

func greeting(visit, lang, zh, en string, lasts time.Duration) api.Greeting {
	now := time.Now()
	return api.Greeting{Visit: visit, At: now, Until: now.Add(lasts), Language: lang, Headline: text(zh, en),
		Line: text("很高兴再次见到您", "Lovely to see you again"), Offers: offers()[:1]}
}
