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
	zones   map[string]Zone
	offline map[string]bool
	back    map[string]time.Time
	near    map[place]*slowNear // candidates
	here    map[tag.ID]*slowHere
}

type place struct {
	id   tag.ID
	zone string
}

type slowNear struct {
	reads []tag.Read // all of them
	hits  []time.Time
}

type slowHere struct {
	zone, reader  string
	since, strong time.Time
	reads         []tag.Read
}

// strength is the sum and count of the powers that count at the end of reads.
func strength(reads []tag.Read, z Zone) (sum power, n int) {
	for i := len(reads) - 1; i >= 0 && n < z.Average; i-- {
		sum += powerOf(reads[i].RSSI)
		n++
		if i > 0 && reads[i].At.Sub(reads[i-1].At) > z.Window {
			break
		}
	}
	return sum, n
}

func enough(reads []tag.Read, z Zone, floor tag.RSSI) bool {
	sum, n := strength(reads, z)
	return sum >= power(n)*powerOf(floor)
}

func (m *slow) tick(now time.Time) (out []Event) {
	for p, c := range m.near {
		if z := m.zones[p.zone]; now.Sub(c.reads[len(c.reads)-1].At) >= z.linger() {
			delete(m.near, p)
			if m.here[p.id] == nil {
				out = append(out, Passed{p.zone, now})
			}
		}
	}
	for id, h := range m.here {
		since := h.strong
		if b := m.back[h.reader]; b.After(since) {
			since = b
		}
		if !m.offline[h.reader] && now.Sub(since) >= m.zones[h.zone].Grace {
			delete(m.here, id)
			out = append(out, Left{ID: id, Zone: h.zone, Seen: h.strong, At: now})
		}
	}
	return out
}

func (m *slow) read(r tag.Read, zone string) []Event {
	z := m.zones[zone]
	h := m.here[r.ID]
	if h != nil && h.zone == zone {
		h.reads = append(h.reads, r)
		if enough(h.reads, z, z.Leave) {
			h.strong, h.reader = r.At, r.Reader
		}
		return nil
	}
	c := m.near[place{r.ID, zone}]
	if c == nil {
		c = &slowNear{}
		m.near[place{r.ID, zone}] = c
	}
	c.reads = append(c.reads, r)
	if !enough(c.reads, z, z.Enter) {
		return nil
	}
	c.hits = append(c.hits, r.At)
	n, streak := 0, r.At
	for i := len(c.hits) - 1; i >= 0; i-- {
		if r.At.Sub(c.hits[i]) <= z.Window {
			n++
		}
		if streak.Sub(c.hits[i]) > z.Window {
			break
		}
		streak = c.hits[i]
	}
	if n < z.MinReads || r.At.Sub(streak) < z.Dwell {
		return nil
	}
	if h == nil {
		m.enter(r, zone, c)
		return []Event{Arrived{ID: r.ID, Zone: zone, At: r.At}}
	}
	if !m.drawn(h, c, z, r.At) {
		return nil
	}
	m.enter(r, zone, c)
	return []Event{Moved{ID: r.ID, From: h.zone, To: zone, At: r.At}}
}

func (m *slow) enter(r tag.Read, zone string, c *slowNear) {
	delete(m.near, place{r.ID, zone})
	m.here[r.ID] = &slowHere{zone: zone, reader: r.Reader, since: r.At, strong: r.At, reads: c.reads}
}

func (m *slow) drawn(h *slowHere, c *slowNear, to Zone, now time.Time) bool {
	if now.Sub(h.since) < to.HoldOff {
		return false
	}
	from := m.zones[h.zone]
	if now.Sub(h.reads[len(h.reads)-1].At) >= max(to.HoldOff, from.Window) {
		return !m.offline[h.reader]
	}
	there, n := strength(c.reads, to)
	here, k := strength(h.reads, from)
	return float64(there)*float64(k) >= ratio(to.Resistance)*float64(here)*float64(n)
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
		zone := func(id string, readers ...string) Zone {
			return Zone{ID: id, Role: Entrance, Readers: readers, Group: "shop",
				Grace:    time.Duration(rapid.IntRange(3, 6).Draw(t, "grace")) * time.Second,
				MinReads: rapid.IntRange(1, MaxMinReads).Draw(t, "min reads"), Window: time.Second,
				Average: rapid.IntRange(1, MaxAverage).Draw(t, "average"),
				Dwell:   rapid.SampledFrom([]time.Duration{0, 0, 500 * time.Millisecond, 2 * time.Second}).Draw(t, "dwell"),
			}.WithDefaults()
		}
		door, desk := zone("door", "a", "b"), zone("desk", "c")
		c := Config{Zones: []Zone{door, desk}}
		tr, err := New(c)
		if err != nil {
			t.Fatal(err)
		}
		model, now := &slow{zones: map[string]Zone{"door": door, "desk": desk}, offline: map[string]bool{}, back: map[string]time.Time{},
			near: map[place]*slowNear{}, here: map[tag.ID]*slowHere{}}, start
		for range rapid.IntRange(1, 150).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.SampledFrom([]int{0, 1, 50, 100, 300, 700, 2000, 5000}).Draw(t, "ms")) * time.Millisecond)
			reader := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "reader")
			var got, want []Event
			emit := func(e Event) { got = append(got, e) }
			tr.Tick(now, emit) // so that both look at both zones
			want = model.tick(now)
			switch rapid.IntRange(0, 12).Draw(t, "what") {
			case 0:
				on := rapid.Bool().Draw(t, "on")
				tr.ReaderOnline(reader, on, now)
				model.online(reader, on, now)
			default:
				r := tag.Read{ID: tagID(uint64(rapid.IntRange(0, 3).Draw(t, "tag"))), At: now, Reader: reader,
					RSSI: tag.RSSI(rapid.SampledFrom([]int{-50, -58, -60, -65, -66, -75, -76}).Draw(t, "rssi")), HasRSSI: true}
				tr.Read(r, emit)
				z := "door"
				if reader == "c" {
					z = "desk"
				}
				want = append(want, model.read(r, z)...)
			}
			if diff := cmp.Diff(sorted(want), sorted(got)); diff != "" {
				t.Fatalf("want (-), got (+):\n%s", diff)
			}
			if c := tr.Counts(); c.Present != len(model.here) || c.Candidates != len(model.near) {
				t.Fatalf("%+v, want %d and %d", c, len(model.here), len(model.near))
			}
		}
	})
}

// sorted writes events down; within one call their order is the tracker's own affair.
func sorted(es []Event) []string {
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

// Nobody leaves who did not arrive, nobody arrives twice without leaving, whatever comes in.
func TestArrivalsAndDeparturesAlternate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tr, err := New(Config{Zones: []Zone{
			{ID: "door", Role: Entrance, Readers: []string{"a"}},
			{ID: "desk", Role: Kiosk, Readers: []string{"b"}, Tap: true},
			{ID: "left", Role: Counter, Readers: []string{"c"}, Antennas: map[string][]uint8{"c": {1}}, Group: "hall"},
			{ID: "right", Role: Counter, Readers: []string{"c"}, Antennas: map[string][]uint8{"c": {2, 3}}, Group: "hall", Grace: time.Second},
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
			case Moved:
				delete(here, e.From+string(e.ID[:]))
				here[e.To+string(e.ID[:])] = true
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
				ID:      tagID(uint64(rapid.IntRange(0, 4).Draw(t, "tag"))),
				At:      start.Add(time.Duration(rapid.Int64Range(-1e12, 1e12).Draw(t, "at"))),
				Reader:  rapid.SampledFrom([]string{"a", "b", "c", "attic"}).Draw(t, "reader"),
				Antenna: rapid.Uint8Range(0, 4).Draw(t, "antenna"),
				RSSI:    tag.RSSI(rapid.IntRange(-120, 20).Draw(t, "rssi")), HasRSSI: rapid.Bool().Draw(t, "has rssi"),
			}, emit)
		}
		if c := tr.Counts(); c.Present != len(here) {
			t.Fatalf("%d present, %d by the events", c.Present, len(here))
		}
	})
}
