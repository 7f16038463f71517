package serve_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"foyer/api"
	"foyer/api/serve"
)

var nine = time.Date(2026, 6, 14, 9, 0, 0, 0, time.UTC)

// clockHub returns a hub whose clock the test holds.
func clockHub(at time.Time) (*serve.Hub, func(time.Duration)) {
	now := at
	h := serve.NewHub(serve.HubConfig{Now: func() time.Time { return now }, Location: time.UTC})
	return h, func(d time.Duration) { now = now.Add(d) }
}

func snapshot(t *testing.T, h *serve.Hub, face api.Face) api.Snapshot {
	t.Helper()
	s, ok := h.Snapshot(face)
	if !ok {
		t.Fatalf("no snapshot of %s", face)
	}
	return s
}

func visitsOf(cards []api.Card) string {
	var all []string
	for _, c := range cards {
		all = append(all, c.Visit)
	}
	return strings.Join(all, " ")
}

func TestHubCountsEachFaceByItself(t *testing.T) {
	h, _ := clockHub(nine)
	h.Status(api.Status{})
	h.Showcase([]api.Offer{{Campaign: "tea"}})
	h.Greeted(api.Wall, api.Greeting{Visit: "v1", Until: nine.Add(time.Minute)})
	h.Card(api.Card{Visit: "v1", Arrived: nine})
	for face, want := range map[api.Face]uint64{api.Wall: 3, api.Kiosk: 2, api.Reception: 2} {
		if got := snapshot(t, h, face).Last; got != want {
			t.Errorf("%s has %d events, want %d", face, got, want)
		}
	}
	if _, ok := h.Snapshot("window"); ok {
		t.Error("a face that does not exist has a snapshot")
	}
}

func TestHubSaysNothingTwice(t *testing.T) {
	h, _ := clockHub(nine)
	for range 3 {
		h.Status(api.Status{Readers: []api.Reader{{Name: "door", Online: true}}})
		h.Card(api.Card{Visit: "v1", Arrived: nine})
		h.Card(api.Card{Visit: "v2", Arrived: nine})
		h.Showcase(nil)
	}
	if got := snapshot(t, h, api.Reception).Last; got != 3 {
		t.Errorf("reception has %d events, want 3", got)
	}
	if got := snapshot(t, h, api.Wall).Last; got != 2 {
		t.Errorf("the wall has %d events, want 2", got)
	}
	h.Card(api.Card{Visit: "v1", Arrived: nine, State: api.CardClaimed})
	h.Card(api.Card{Visit: "v1", Arrived: nine})
	if got := snapshot(t, h, api.Reception).Last; got != 5 {
		t.Errorf("after there and back reception has %d events, want 5", got)
	}
}

func TestHubDropsGreetingsPastTheirTime(t *testing.T) {
	h, pass := clockHub(nine)
	greet := func(visit string, d time.Duration) {
		h.Greeted(api.Kiosk, api.Greeting{Visit: visit, Until: nine.Add(d), Festive: true})
	}
	greet("v1", 10*time.Second)
	greet("v2", 20*time.Second)
	greet("v3", 30*time.Second)
	greet("v2", 25*time.Second)
	h.Departed(api.Kiosk, "v3")
	due := func() (all []string) {
		for _, g := range snapshot(t, h, api.Kiosk).Greetings {
			all = append(all, g.Visit)
		}
		return all
	}
	if d := cmp.Diff([]string{"v1", "v2"}, due()); d != "" {
		t.Error(d)
	}
	pass(10 * time.Second)
	if d := cmp.Diff([]string{"v2"}, due()); d != "" {
		t.Error("at the very end of v1: " + d)
	}
	pass(15 * time.Second)
	if d := cmp.Diff([]string(nil), due()); d != "" {
		t.Error(d)
	}
}

// Whose birthday it is, is not for the wall, whatever the caller says; cards and greetings stay on their faces.
func TestHubKeepsFacesApart(t *testing.T) {
	h, _ := clockHub(nine)
	h.Greeted(api.Wall, api.Greeting{Visit: "v1", Until: nine.Add(time.Hour), Festive: true})
	h.Greeted(api.Kiosk, api.Greeting{Visit: "v1", Until: nine.Add(time.Hour), Headline: text("王女士", "kiosk-marker"), Festive: true})
	h.Greeted(api.Reception, api.Greeting{Visit: "v1", Until: nine.Add(time.Hour)})
	h.Departed(api.Reception, "v1")
	h.Card(api.Card{Visit: "card-marker", Arrived: nine, Name: text("王", "Wang")})
	wall, kiosk, reception := snapshot(t, h, api.Wall), snapshot(t, h, api.Kiosk), snapshot(t, h, api.Reception)
	if wall.Greetings[0].Festive || !kiosk.Greetings[0].Festive {
		t.Error("festive: want it at the kiosk and not on the wall")
	}
	if reception.Last != 1 || len(reception.Greetings) != 0 || len(reception.Cards) != 1 {
		t.Errorf("reception has %+v", reception)
	}
	if all := mustJSON(t, wall) + mustJSON(t, kiosk); strings.Contains(all, "card-marker") || strings.Contains(all, "Wang") {
		t.Error("a card is on a public screen")
	}
	if strings.Contains(mustJSON(t, wall), "kiosk-marker") {
		t.Error("the kiosk's greeting is on the wall")
	}
}

func TestHubKeepsTodaysCards(t *testing.T) {
	h, pass := clockHub(nine)
	card := func(visit string, at time.Time, state api.CardState) {
		h.Card(api.Card{Visit: visit, Arrived: at, State: state})
	}
	card("yesterday", nine.Add(-20*time.Hour), api.CardServed)
	card("v2", nine.Add(-time.Hour), api.CardServed)
	card("v1", nine.Add(-2*time.Hour), api.CardNew)
	card("late", nine.Add(14*time.Hour+50*time.Minute), api.CardClaimed)
	if got := visitsOf(snapshot(t, h, api.Reception).Cards); got != "late v2 v1" {
		t.Errorf("cards %s, newest first", got)
	}
	pass(15*time.Hour + 10*time.Minute)
	if got := visitsOf(snapshot(t, h, api.Reception).Cards); got != "late" {
		t.Errorf("after midnight cards %q, want the one that is still being helped", got)
	}
	pass(6 * time.Hour)
	if got := visitsOf(snapshot(t, h, api.Reception).Cards); got != "" {
		t.Errorf("six hours later cards %q", got)
	}
}

// Where there are too many cards, those that ended make room first.
func TestHubBoundsCards(t *testing.T) {
	h, _ := clockHub(nine)
	for i := range 300 {
		state := api.CardServed
		if i < 5 {
			state = api.CardNew
		}
		h.Card(api.Card{Visit: fmt.Sprint(i), Arrived: nine.Add(time.Duration(i) * time.Second), State: state})
	}
	cards := snapshot(t, h, api.Reception).Cards
	if len(cards) != 200 || cards[0].Visit != "299" || cards[199].Visit != "0" || cards[195].Visit != "4" || cards[194].Visit != "105" {
		t.Errorf("%d cards: %s", len(cards), visitsOf(cards))
	}
}

// A value that JSON cannot hold must not break the snapshots of all.
func TestHubRefusesWhatCannotBeWritten(t *testing.T) {
	h, _ := clockHub(nine)
	h.Card(api.Card{Visit: "v1", Arrived: time.Date(12000, 1, 1, 0, 0, 0, 0, time.UTC)})
	h.Greeted(api.Wall, api.Greeting{Visit: "v1", Until: time.Date(12000, 1, 1, 0, 0, 0, 0, time.UTC)})
	for _, face := range []api.Face{api.Wall, api.Reception} {
		s := snapshot(t, h, face)
		if _, err := json.Marshal(s); err != nil || s.Last != 0 {
			t.Errorf("%s: last %d, %v", face, s.Last, err)
		}
	}
}

// apply is what a face does with updates: the same as a snapshot would have said.
type face struct {
	mu     sync.Mutex
	epoch  string
	last   uint64
	cards  map[string]api.Card
	gaps   int
	snaps  int
	lost   int
	notify chan struct{}
}

func newFace() *face { return &face{cards: map[string]api.Card{}, notify: make(chan struct{}, 1)} }

func (f *face) on(u api.Update) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case u.Snapshot != nil:
		f.snaps++
		f.epoch, f.last, f.cards = u.Snapshot.Epoch, u.Snapshot.Last, map[string]api.Card{}
		for _, c := range u.Snapshot.Cards {
			f.cards[c.Visit] = c
		}
	case u.Event != nil:
		if u.Event.ID != f.last+1 {
			f.gaps++
		}
		f.last = u.Event.ID
		var c api.Card
		if u.Event.Kind == api.CardSet && json.Unmarshal(u.Event.Data, &c) == nil {
			f.cards[c.Visit] = c
		}
	case !u.Online:
		f.lost++
	}
	select {
	case f.notify <- struct{}{}:
	default:
	}
}

// await blocks until the face satisfies ok.
func (f *face) await(t *testing.T, what string, ok func(*face) bool) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	for {
		f.mu.Lock()
		done := ok(f)
		f.mu.Unlock()
		if done {
			return
		}
		select {
		case <-f.notify:
		case <-deadline:
			t.Fatalf("never saw: %s (epoch %s, last %d, %d cards)", what, f.epoch, f.last, len(f.cards))
		}
	}
}

// Many publish and many follow at once: every follower ends with what the snapshot says, and none saw a gap.
func TestManyPublishersManyFollowers(t *testing.T) {
	hub := serve.NewHub(serve.HubConfig{})
	addr := listen(t, newServer(t, serve.Config{Hub: hub}))
	var faces []*face
	for range 4 {
		faces = append(faces, follow(t, addr, receptionToken, api.Reception))
	}
	var publishers sync.WaitGroup
	for p := range 4 {
		publishers.Go(func() {
			for i := range 200 {
				hub.Card(api.Card{Visit: fmt.Sprintf("v%d", (p*50+i)%100), Arrived: time.Now(), Nth: p*1000 + i})
				hub.Greeted(api.Wall, api.Greeting{Visit: fmt.Sprint(p, i), Until: time.Now().Add(time.Minute)})
			}
		})
	}
	publishers.Wait()
	want, _ := hub.Snapshot(api.Reception)
	for _, f := range faces {
		f.await(t, "the last event", func(f *face) bool { return f.last == want.Last })
		if f.gaps > 0 {
			t.Errorf("a follower saw %d gaps", f.gaps)
		}
		for _, c := range want.Cards {
			if f.cards[c.Visit].Nth != c.Nth {
				t.Errorf("card %s differs from the snapshot", c.Visit)
			}
		}
		if len(f.cards) != len(want.Cards) {
			t.Errorf("%d cards, the snapshot has %d", len(f.cards), len(want.Cards))
		}
	}
}

// A listener that reads nothing does not hold up publishing, and is told to resync when it reads again.
func TestASlowListenerHoldsUpNobody(t *testing.T) {
	hub := serve.NewHub(serve.HubConfig{Epoch: "e"})
	addr := listen(t, newServer(t, serve.Config{Hub: hub}))
	resp := get(t, "http://"+addr+"/v1/reception/events?epoch=e&after=0", receptionToken)
	defer resp.Body.Close()
	big := api.Card{Visit: "v", Arrived: time.Now(), Name: text("王", strings.Repeat("x", 64<<10))}
	for i := range 500 { // 32 MB: more than any socket buffer and far more than the ring holds
		big.Nth = i
		hub.Card(big)
	}
	var tail [64]byte
	var last string
	for {
		n, err := resp.Body.Read(tail[:])
		last = (last + string(tail[:n]))[max(0, len(last)+n-64):]
		if err != nil {
			break
		}
	}
	if !strings.HasSuffix(last, "event: resync\ndata: {}\n\n") {
		t.Errorf("the stream ended with %q", last)
	}
}

// foyerd ends and starts again with nothing remembered: followers come back to the new epoch without doubles.
func TestRestartMeansANewEpoch(t *testing.T) {
	first := serve.NewHub(serve.HubConfig{Epoch: "one"})
	addr, stop := listenUntil(t, newServer(t, serve.Config{Hub: first}), "127.0.0.1:0")
	first.Card(api.Card{Visit: "v1", Arrived: time.Now()})
	first.Card(api.Card{Visit: "v2", Arrived: time.Now()})
	f := follow(t, addr, receptionToken, api.Reception)
	f.await(t, "both cards", func(f *face) bool { return len(f.cards) == 2 })
	stop()
	f.await(t, "the loss", func(f *face) bool { return f.lost == 1 })

	second := serve.NewHub(serve.HubConfig{Epoch: "two"})
	second.Card(api.Card{Visit: "v2", Arrived: time.Now()})
	_, stop = listenUntil(t, newServer(t, serve.Config{Hub: second}), addr)
	defer stop()
	f.await(t, "the new epoch", func(f *face) bool { return f.epoch == "two" })
	second.Card(api.Card{Visit: "v3", Arrived: time.Now()})
	f.await(t, "the newcomer", func(f *face) bool { return f.cards["v3"].Visit == "v3" })
	if len(f.cards) != 2 || f.gaps > 0 || f.snaps != 2 {
		t.Errorf("%d cards, %d gaps, %d snapshots; want 2, 0, 2", len(f.cards), f.gaps, f.snaps)
	}
}

// What the ring holds is replayed, what it no longer holds asks for a resync, and so do other epochs and the future.
func TestStreamsStartWhereTheListenerStands(t *testing.T) {
	hub := serve.NewHub(serve.HubConfig{Epoch: "e"})
	addr := listen(t, newServer(t, serve.Config{Hub: hub}))
	c, err := api.NewClient("http://"+addr, receptionToken)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 300 {
		hub.Card(api.Card{Visit: "v", Arrived: nine, Nth: i})
	}
	for _, tc := range []struct {
		epoch string
		after uint64
		first uint64 // 0: resync
	}{{"e", 44, 45}, {"e", 299, 300}, {"e", 43, 0}, {"e", 0, 0}, {"e", 301, 0}, {"other", 299, 0}, {"e", 1 << 63, 0}} {
		s, err := c.Events(t.Context(), api.Reception, tc.epoch, tc.after)
		if err != nil {
			t.Fatal(err)
		}
		e, err := s.Next()
		if tc.first == 0 && err != api.ErrResync || tc.first > 0 && (err != nil || e.ID != tc.first) {
			t.Errorf("after %d of %s: event %d, %v; want %d", tc.after, tc.epoch, e.ID, err, tc.first)
		}
		_ = s.Close()
	}
	for _, query := range []string{"", "?after=1", "?epoch=e", "?epoch=e&after=-1", "?epoch=e&after=x", "?epoch=e&after=99999999999999999999"} {
		resp := get(t, "http://"+addr+"/v1/reception/events"+query, receptionToken)
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusBadRequest {
			t.Errorf("%q: %d", query, resp.StatusCode)
		}
	}
}

func follow(t *testing.T, addr, token string, name api.Face) *face {
	t.Helper()
	c, err := api.NewClient("http://"+addr, token)
	if err != nil {
		t.Fatal(err)
	}
	f := newFace()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- api.Follow(ctx, c, name, f.on) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Follow ended with %v", err)
		}
	})
	f.await(t, "the first snapshot", func(f *face) bool { return f.snaps > 0 })
	return f
}
