package visit

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"foyer/reader/tag"
	"foyer/shop/member"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var nine = time.Date(2026, 6, 14, 9, 0, 0, 0, time.UTC)

func minute(m float64) time.Time { return nine.Add(time.Duration(m * float64(time.Minute))) }

func card(n byte) tag.ID { return tag.ID{15: n} }

// counter makes ids that tell which visit it is.
func counter() func() string {
	n := 0
	return func() string { n++; return fmt.Sprintf("v%d", n) }
}

func told(e Event) string {
	m := func(t time.Time) float64 { return t.Sub(nine).Minutes() }
	switch e := e.(type) {
	case Started:
		return fmt.Sprintf("%s started: %s, no. %d, at %v", e.ID, e.Member, e.Nth, m(e.Start))
	case Returned:
		return fmt.Sprintf("%s returned: %s", e.ID, e.Zone)
	case Ended:
		return fmt.Sprintf("%s ended: %v to %v", e.ID, m(e.Start), m(e.Seen))
	}
	return "?"
}

type script struct {
	b   *Book
	got []string
}

func (s *script) emit(e Event) { s.got = append(s.got, told(e)) }

func TestStories(t *testing.T) {
	for _, tc := range []struct {
		name string
		tell func(s *script)
		want []string
	}{
		{"two tags and two zones are one visit", func(s *script) {
			s.b.Arrive("anna", card(1), "door", minute(0), s.emit)
			s.b.Arrive("anna", card(2), "door", minute(1), s.emit)
			s.b.Arrive("anna", card(1), "desk", minute(2), s.emit)
			s.b.Leave(card(1), "door", minute(3))
			s.b.Leave(card(1), "desk", minute(4))
			s.b.Tick(minute(90), s.emit) // the second tag is still at the door
			s.b.Leave(card(2), "door", minute(91))
			s.b.Tick(minute(121), s.emit)
			s.b.Tick(minute(121.1), s.emit)
		}, []string{"v1 started: anna, no. 1, at 0", "v1 returned: door", "v1 returned: desk", "v1 ended: 0 to 91"}},
		{"a return within the gap continues", func(s *script) {
			s.b.Arrive("anna", card(1), "door", minute(0), s.emit)
			s.b.Leave(card(1), "door", minute(5))
			s.b.Arrive("anna", card(1), "door", minute(35), s.emit)
		}, []string{"v1 started: anna, no. 1, at 0", "v1 returned: door"}},
		{"a return after the gap is a new visit, with or without a tick", func(s *script) {
			s.b.Arrive("anna", card(1), "door", minute(0), s.emit)
			s.b.Leave(card(1), "door", minute(5))
			s.b.Arrive("anna", card(1), "door", minute(35.1), s.emit)
		}, []string{"v1 started: anna, no. 1, at 0", "v1 ended: 0 to 5", "v2 started: anna, no. 2, at 35.1"}},
		{"two people are two visits", func(s *script) {
			s.b.Arrive("anna", card(1), "door", minute(0), s.emit)
			s.b.Arrive("bob", card(2), "door", minute(1), s.emit)
			s.b.Close("anna", s.emit)
			s.b.Leave(card(1), "door", minute(2))
		}, []string{"v1 started: anna, no. 1, at 0", "v2 started: bob, no. 1, at 1", "v1 ended: 0 to 0"}},
		{"a card that changes hands on the reader moves to its new owner", func(s *script) {
			s.b.Arrive("anna", card(1), "door", minute(0), s.emit)
			s.b.Arrive("bob", card(1), "door", minute(1), s.emit)
			s.b.Tick(minute(31.5), s.emit)
		}, []string{"v1 started: anna, no. 1, at 0", "v2 started: bob, no. 1, at 1", "v1 ended: 0 to 0"}},
		{"a stranger's departure is nothing", func(s *script) { s.b.Leave(card(9), "door", minute(1)) }, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := &script{b: New(Config{NewID: counter()})}
			tc.tell(s)
			if diff := cmp.Diff(tc.want, s.got); diff != "" {
				t.Errorf("want (-), got (+):\n%s", diff)
			}
		})
	}
}

// stored sends a history through JSON, as the journal does.
func stored(t testing.TB, h History) History {
	data, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	var back History
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	return back
}

func TestKilledAndStartedAgain(t *testing.T) {
	s := &script{b: New(Config{NewID: counter()})}
	s.b.Arrive("anna", card(1), "door", minute(0), s.emit)
	s.b.Offered("anna", "tea", minute(0))
	s.b.Attend("anna", "Li", minute(2), time.Time{})
	s.b.Tick(minute(50), s.emit)
	h := stored(t, s.b.History("anna"))
	if h.Count != 1 || h.Open == nil || !h.Open.Seen.Equal(minute(50)) || h.Open.ClaimedBy != "Li" {
		t.Fatalf("stored %+v, open %+v", h, h.Open)
	}

	again := &script{b: New(Config{NewID: counter(), Histories: []History{h}})}
	again.b.Arrive("anna", card(1), "door", minute(60), again.emit)
	again.b.Leave(card(1), "door", minute(61))
	again.b.Tick(minute(100), again.emit)
	want := []string{"v1 returned: door", "v1 ended: 0 to 61"}
	if diff := cmp.Diff(want, again.got); diff != "" {
		t.Errorf("want (-), got (+):\n%s", diff)
	}
	h = stored(t, again.b.History("anna"))
	if h.Open != nil || h.Count != 1 || !h.LastAt.Equal(minute(61)) {
		t.Errorf("after the end: %+v", h)
	}

	late := &script{b: New(Config{NewID: func() string { return "new" }, Histories: []History{stored(t, s.b.History("anna"))}})}
	late.b.Arrive("anna", card(1), "door", minute(81), late.emit)
	want = []string{"v1 ended: 0 to 50", "new started: anna, no. 2, at 81"}
	if diff := cmp.Diff(want, late.got); diff != "" {
		t.Errorf("want (-), got (+):\n%s", diff)
	}
	if v, ok := late.b.Of("anna"); !ok || !v.Last.Equal(minute(50)) {
		t.Errorf("the new visit is %+v, %v", v, ok)
	}
}

func TestOffersCountOnceAVisit(t *testing.T) {
	s := &script{b: New(Config{NewID: counter()})}
	s.b.Arrive("anna", card(1), "door", minute(0), s.emit)
	s.b.Offered("anna", "tea", minute(0))
	s.b.Offered("anna", "tea", minute(1))
	s.b.Leave(card(1), "door", minute(2))
	s.b.Arrive("anna", card(1), "door", minute(60), s.emit)
	h := s.b.History("anna")
	if n := h.OfferedOn("tea", Day(nine), h.Open.Visit); n != 1 {
		t.Errorf("before the second visit's offer: %d, want 1", n)
	}
	s.b.Offered("anna", "tea", minute(60))
	h = s.b.History("anna")
	if n, all := h.OfferedOn("tea", Day(nine), h.Open.Visit), h.OfferedOn("tea", Day(nine), ""); n != 1 || all != 2 {
		t.Errorf("after it: %d besides this visit, %d in all; want 1 and 2", n, all)
	}
	s.b.Offered("anna", "cake", minute(24*60))
	if h := s.b.History("anna"); len(h.Offered) != 1 || h.OfferedOn("tea", Day(minute(24*60)), "") != 0 {
		t.Errorf("the next day: %+v", h.Offered)
	}
}

// Whatever happens and whenever the program is killed: visits start once, end once, and are counted without a hole.
func TestVisitsAreCountedWithoutAHole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		newID, now := counter(), nine
		b := New(Config{NewID: newID})
		open, count := map[member.ID]string{}, map[member.ID]int{}
		emit := func(e Event) {
			switch e := e.(type) {
			case Started:
				count[e.Member]++
				if open[e.Member] != "" || e.Nth != count[e.Member] {
					t.Fatalf("%s, while %q is open and %d were counted", told(e), open[e.Member], count[e.Member])
				}
				open[e.Member] = e.ID
			case Returned:
				if open[e.Member] != e.ID {
					t.Fatalf("%s, while %q is open", told(e), open[e.Member])
				}
			case Ended:
				if open[e.Member] != e.ID || e.Seen.Before(e.Start) {
					t.Fatalf("%s, while %q is open", told(e), open[e.Member])
				}
				delete(open, e.Member)
			}
		}
		people := []member.ID{"anna", "bob"}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.SampledFrom([]int{0, 1, 20, 31, 600}).Draw(t, "minutes")) * time.Minute)
			who := rapid.IntRange(0, 1).Draw(t, "who")
			id, zone := card(byte(who*2+rapid.IntRange(0, 1).Draw(t, "card"))), rapid.SampledFrom([]string{"door", "desk"}).Draw(t, "zone")
			switch rapid.IntRange(0, 4).Draw(t, "what") {
			case 0, 1:
				b.Arrive(people[who], id, zone, now, emit)
			case 2:
				b.Leave(id, zone, now)
			case 3:
				b.Tick(now, emit)
			case 4:
				var hs []History
				for _, p := range people {
					data, err := json.Marshal(b.History(p))
					if err != nil {
						t.Fatal(err)
					}
					var h History
					if err := json.Unmarshal(data, &h); err != nil {
						t.Fatal(err)
					}
					hs = append(hs, h)
				}
				b = New(Config{NewID: newID, Histories: hs})
			}
			if len(b.Open()) != len(open) {
				t.Fatalf("%d open, %d by the events", len(b.Open()), len(open))
			}
		}
	})
}
