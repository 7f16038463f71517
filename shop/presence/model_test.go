package presence

import (
	"slices"
	"testing"
	"time"

	"foyer/reader/tag"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// slow decides by the rules as they are written in the package comment, by looking at everything each time.
type slow struct {
	zone    Zone
	offline map[string]bool
	back    map[string]time.Time
	enters  map[tag.ID][]time.Time
	heard   map[tag.ID]time.Time // candidates: any read
	present map[tag.ID]slowTag
}

type slowTag struct {
	reader string
	strong time.Time
}

func newSlow(z Zone) *slow {
	return &slow{zone: z.withDefaults(), offline: map[string]bool{}, back: map[string]time.Time{}, enters: map[tag.ID][]time.Time{},
		heard: map[tag.ID]time.Time{}, present: map[tag.ID]slowTag{}}
}

func (m *slow) tick(now time.Time) (out []Event) {
	for id, heard := range m.heard {
		if now.Sub(heard) >= m.zone.linger() {
			delete(m.heard, id)
			delete(m.enters, id)
			out = append(out, Passed{m.zone.ID, now})
		}
	}
	for id, p := range m.present {
		since := p.strong
		if b := m.back[p.reader]; b.After(since) {
			since = b
		}
		if !m.offline[p.reader] && now.Sub(since) >= m.zone.Grace {
			delete(m.present, id)
			out = append(out, Left{id, m.zone.ID, p.strong, now})
		}
	}
	return out
}

func (m *slow) read(r tag.Read) []Event {
	out := m.tick(r.At)
	if _, here := m.present[r.ID]; here {
		if r.RSSI >= m.zone.Leave {
			m.present[r.ID] = slowTag{r.Reader, r.At}
		}
		return out
	}
	m.heard[r.ID] = r.At
	if r.RSSI < m.zone.Enter {
		return out
	}
	m.enters[r.ID] = append(m.enters[r.ID], r.At)
	n := 0
	for _, t := range m.enters[r.ID] {
		if r.At.Sub(t) <= m.zone.Window {
			n++
		}
	}
	if n < m.zone.MinReads {
		return out
	}
	delete(m.heard, r.ID)
	delete(m.enters, r.ID)
	m.present[r.ID] = slowTag{r.Reader, r.At}
	return append(out, Arrived{ID: r.ID, Zone: m.zone.ID, At: r.At})
}

func (m *slow) online(name string, online bool, at time.Time) {
	if online && m.offline[name] {
		m.back[name] = at
	}
	m.offline[name] = !online
}

// The tracker and the slow model tell the same of any story.
func TestAgreesWithTheSlowModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		z := Zone{ID: "door", Role: Entrance, Readers: []string{"a", "b"}, Grace: 5 * time.Second,
			MinReads: rapid.IntRange(1, MaxMinReads).Draw(t, "min reads"), Window: time.Second}
		tr, err := New(Config{Zones: []Zone{z}})
		if err != nil {
			t.Fatal(err)
		}
		model, now := newSlow(z), start
		for range rapid.IntRange(1, 120).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.SampledFrom([]int{0, 1, 50, 100, 300, 700, 2000, 5000}).Draw(t, "ms")) * time.Millisecond)
			reader := rapid.SampledFrom(z.Readers).Draw(t, "reader")
			var got, want []Event
			emit := func(e Event) { got = append(got, e) }
			switch rapid.IntRange(0, 9).Draw(t, "what") {
			case 0:
				on := rapid.Bool().Draw(t, "on")
				tr.ReaderOnline(reader, on, now)
				model.online(reader, on, now)
			case 1:
				tr.Tick(now, emit)
				want = model.tick(now)
			default:
				r := tag.Read{ID: tagID(uint64(rapid.IntRange(0, 3).Draw(t, "tag"))), At: now, Reader: reader,
					RSSI: tag.RSSI(rapid.SampledFrom([]int{-60, -65, -66, -75, -76}).Draw(t, "rssi")), HasRSSI: true}
				tr.Read(r, emit)
				want = model.read(r)
			}
			// Within one call the order of departures is the tracker's own affair.
			sort := func(es []Event) []string {
				var s []string
				for _, e := range es {
					line := told(e)
					if l, ok := e.(Left); ok {
						line += l.ID.String()
					}
					s = append(s, line)
				}
				slices.Sort(s)
				return s
			}
			if diff := cmp.Diff(sort(want), sort(got)); diff != "" {
				t.Fatalf("want (-), got (+):\n%s", diff)
			}
		}
	})
}

// Nobody leaves who did not arrive, nobody arrives twice without leaving, whatever comes in.
func TestArrivalsAndDeparturesAlternate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tr, err := New(Config{Zones: []Zone{
			{ID: "door", Role: Entrance, Readers: []string{"a"}},
			{ID: "desk", Role: Kiosk, Readers: []string{"b"}, Tap: true},
		}})
		if err != nil {
			t.Fatal(err)
		}
		here := map[string]bool{}
		emit := func(e Event) {
			switch e := e.(type) {
			case Arrived:
				if k := e.Zone + string(e.ID[:]); here[k] {
					t.Fatalf("arrived twice in %s", e.Zone)
				} else {
					here[k] = true
				}
			case Left:
				if k := e.Zone + string(e.ID[:]); !here[k] {
					t.Fatalf("left %s without arriving", e.Zone)
				} else {
					delete(here, k)
				}
			}
		}
		for range rapid.IntRange(1, 200).Draw(t, "reads") {
			tr.Read(tag.Read{
				ID:     tagID(uint64(rapid.IntRange(0, 4).Draw(t, "tag"))),
				At:     start.Add(time.Duration(rapid.Int64Range(-1e12, 1e12).Draw(t, "at"))),
				Reader: rapid.SampledFrom([]string{"a", "b", "attic"}).Draw(t, "reader"),
				RSSI:   tag.RSSI(rapid.IntRange(-120, 20).Draw(t, "rssi")), HasRSSI: rapid.Bool().Draw(t, "has rssi"),
			}, emit)
		}
		if c := tr.Counts(); c.Present != len(here) {
			t.Fatalf("%d present, %d by the events", c.Present, len(here))
		}
	})
}
