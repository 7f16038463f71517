package shop

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"foyer/reader/tag"
	"foyer/shop/member"
	"foyer/shop/presence"
	"foyer/shop/visit"
)

// witness is screens and a ledger that note the order of things. While gate is not nil, the ledger pushes back.
type witness struct {
	mu    sync.Mutex
	order []string
	gate  chan struct{}
}

func (w *witness) Show(e Event) { w.note("%T", e) }

func (w *witness) Record(f Fact, done func(error)) {
	w.note("%T", f.Body)
	if w.gate != nil {
		<-w.gate
	}
	if done != nil {
		done(nil) // at once, from the loop itself: also allowed
	}
}

func (w *witness) note(format string, x any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.order = append(w.order, strings.TrimPrefix(fmt.Sprintf(format, x), "shop."))
}

func (w *witness) told() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Join(w.order, " ")
}

func card(n int) tag.ID { return tag.ID{14: byte(n >> 8), 15: byte(n)} }

func crowd(n int) []member.Member {
	var ms []member.Member
	for i := range n {
		ms = append(ms, member.Member{ID: member.ID(fmt.Sprintf("secret-member-%d", i)), Family: "王", Given: "秘密", Title: member.Ms, Tags: []tag.ID{card(i + 1)},
			Consents: []member.Purpose{member.Recognise, member.GreetByName, member.PublicScreen}})
	}
	return ms
}

// opened is a shop with one pad, and members with the cards 1 to n.
func opened(t testing.TB, w *witness, n int, change ...func(*Config)) *Shop {
	t.Helper()
	c := Config{StoreID: "s1", Zones: []Zone{{Zone: presence.Zone{ID: "desk", Role: presence.Kiosk, Readers: []string{"pad"}, Tap: true}}},
		Location: time.UTC, Screens: w, Ledger: w}
	for _, f := range change {
		f(&c)
	}
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	b, err := member.NewBook(crowd(n))
	if err != nil {
		t.Fatal(err)
	}
	s.SetMembers(b)
	return s
}

func running(t *testing.T, s *Shop) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := s.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	return func() { cancel(); wg.Wait() }
}

func TestAGreetingIsShownBeforeItIsRecordedAndAClaimAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &witness{}
		s := opened(t, w, 1, func(c *Config) { c.NewID = func() string { return "v1" } })
		stop := running(t, s)
		s.Reads() <- tag.Read{ID: card(1), At: time.Now(), Reader: "pad"}
		synctest.Wait()
		if err := s.Claim(t.Context(), "v1", "Li"); err != nil {
			t.Error(err)
		}
		stop()
		want := "ShowcaseChanged Greeted Greeted CardChanged VisitStarted GreetingDecided CardClaimed CardChanged"
		if got := w.told(); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	})
}

// A journal that pushes back holds up the loop, not the screens of who came before; and what was asked meanwhile is
// answered once it goes on.
func TestThePushBackOfTheLedger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &witness{gate: make(chan struct{})}
		s := opened(t, w, 2, func(c *Config) { c.NewID = func() string { return "v1" } })
		stop := running(t, s)
		s.Read(tag.Read{ID: card(1), At: time.Now(), Reader: "pad"})
		synctest.Wait()
		if got := w.told(); !strings.Contains(got, "Greeted") || strings.HasSuffix(got, "GreetingDecided") {
			t.Errorf("while the journal is full: %s", got)
		}
		claimed := make(chan error, 1)
		go func() { claimed <- s.Claim(t.Context(), "v1", "Li") }()
		synctest.Wait()
		select {
		case err := <-claimed:
			t.Errorf("claimed while the journal is full: %v", err)
		default:
		}
		close(w.gate)
		if err := <-claimed; err != nil {
			t.Error(err)
		}
		stop()
	})
}

func TestAFullQueueDropsTheOldestRead(t *testing.T) {
	s := opened(t, &witness{}, 0)
	for i := range readQueue + 10 {
		s.Read(tag.Read{ID: card(i), Reader: "pad"})
	}
	if r := <-s.reads; r.ID != card(10) || s.Dropped() != 10 {
		t.Errorf("the oldest is %v and %d were dropped, want no. 10 and 10", r.ID, s.Dropped())
	}
}

// The last use of a member's name, id or card in a log would be one too many.
func TestTheLogHoldsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		w := &witness{}
		s := opened(t, w, 3, func(c *Config) {
			c.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		})
		stop := running(t, s)
		for i := range 5 {
			s.Read(tag.Read{ID: card(i + 1), At: time.Now(), Reader: "pad"})
			s.Read(tag.Read{ID: card(i + 1), At: time.Now(), Reader: "attic"})
			time.Sleep(time.Minute)
		}
		stop()
		if !strings.Contains(log.String(), "belong to no zone") {
			t.Errorf("the log does not tell of the reader in no zone:\n%s", &log)
		}
		for _, secret := range []string{"secret-member", "王", "秘密", card(1).String() + "0", "000000000000000"} {
			if strings.Contains(log.String(), secret) {
				t.Errorf("the log holds %q:\n%s", secret, &log)
			}
		}
	})
}

func TestNewTellsWhatIsWrongWithTheZones(t *testing.T) {
	_, err := New(Config{StoreID: "s1", Zones: []Zone{{Zone: presence.Zone{ID: "a"}}, {Zone: presence.Zone{ID: "a", Role: presence.Exit}}}})
	if err == nil || !strings.Contains(err.Error(), "zones of store s1") || !strings.Contains(err.Error(), "no readers") || !strings.Contains(err.Error(), "taken by another") {
		t.Errorf("got %v", err)
	}
}

// A long and busy time leaves the desk bounded and the histories right.
func TestTheDeskIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &witness{}
		const n = maxCards + 200
		s := opened(t, w, n)
		stop := running(t, s)
		for i := range n {
			s.Read(tag.Read{ID: card(i + 1), At: time.Now(), Reader: "pad"})
			time.Sleep(10 * time.Second)
		}
		stop()
		if got := len(s.desk.cards); got > maxCards {
			t.Errorf("%d cards, want at most %d", got, maxCards)
		}
		if h := s.visits.History("secret-member-0"); h.Count != 1 || h.Open != nil {
			t.Errorf("the first visitor's history: %+v", h)
		}
	})
}

// A history survives JSON with all that a restart needs.
func TestHistoryIsSmall(t *testing.T) {
	h := visit.History{Member: "m-0123456789abcdef", Count: 999, FirstAt: time.Now(), LastAt: time.Now(),
		Open: &visit.Open{Visit: strings.Repeat("v", 26), Zone: "entrance", Start: time.Now(), Seen: time.Now(), ClaimedBy: "Li", ClaimedAt: time.Now()}}
	data, err := json.Marshal(h)
	if err != nil || len(data) > 512 {
		t.Errorf("%d bytes, %v: want at most 512", len(data), err)
	}
}

// BenchmarkArrival is the way from a read to shown and recorded, in the loop.
func BenchmarkArrival(b *testing.B) {
	w := &nobody{}
	s := opened(b, &witness{}, 1000, func(c *Config) { c.Screens, c.Ledger = w, w })
	s.at(time.Now())
	s.refresh()
	now, i := time.Now(), 0
	b.ReportAllocs()
	for b.Loop() {
		if i++; i%1000 == 0 {
			now = now.Add(time.Hour)
			s.at(now)
			s.tick()
		}
		s.at(now)
		s.tracker.Read(tag.Read{ID: card(i%1000 + 1), At: now, Reader: "pad"}, s.moved)
	}
}

type nobody struct{}

func (*nobody) Show(Event)               {}
func (*nobody) Record(Fact, func(error)) {}
