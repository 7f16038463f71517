// Package visit makes one visit of one person out of several tags, zones and returns.
//
// In: arrivals and departures of a known member's tags, and the time. Out: Started, Returned and Ended, handed to the
// caller's emit function before the call returns; and a History a member, small enough to be stored with every fact.
// It never reads a clock or a disk, makes no ids itself, and does not know what a member is called.
// Called by shop, from its one goroutine; a Book is not safe for concurrent use.
//
// A visit begins with the first tag in the first zone and lasts while any tag is in any zone. Who is gone from all of
// them and comes back within the gap continues the visit; once the gap has passed it has ended, at the time when the
// person was last seen. A visit that was open when the program was killed is open again afterwards, so nobody is
// announced twice, unless the gap has passed meanwhile.
package visit

import (
	"cmp"
	"slices"
	"time"

	"foyer/reader/tag"
	"foyer/shop/member"
)

// DefaultGap is how long a person may be out of sight without ending the visit: a phone call at the door, a look next door.
const DefaultGap = 30 * time.Minute

// Visit is one stay of one member.
type Visit struct {
	ID     string
	Member member.ID
	Nth    int // 1 for the first visit to this store
	Zone   string
	Start  time.Time
	Seen   time.Time // the last arrival, or departure from a zone
	Last   time.Time // when the visit before this one ended; zero for the first
}

// Event is Started, Returned or Ended.
type Event interface{ event() }

// Started says that a visit began.
type Started struct{ Visit }

// Returned says that somebody is seen in one more zone, or again after being out of sight, in a visit that goes on.
type Returned struct {
	Visit
	Zone string // where, now
}

// Ended says that a visit is over since Visit.Seen.
type Ended struct{ Visit }

func (Started) event()  {}
func (Returned) event() {}
func (Ended) event()    {}

// Config is what New needs.
type Config struct {
	Gap       time.Duration // 0 is DefaultGap
	NewID     func() string // makes a random id for each visit; must be given
	Histories []History     // as they were stored; open visits go on
}

// Book holds the open visits and everybody's history.
type Book struct {
	gap       time.Duration
	newID     func() string
	histories map[member.ID]*History
	open      map[member.ID]*stay
	places    map[place]*stay
	now       time.Time // of the latest Tick
}

// place is one tag in one zone.
type place struct {
	tag  tag.ID
	zone string
}

// stay is an open visit with the places in which the person is now.
type stay struct {
	Visit
	places []place
}

// New returns a book with the histories given.
func New(c Config) *Book {
	b := &Book{gap: cmp.Or(c.Gap, DefaultGap), newID: c.NewID, histories: map[member.ID]*History{}, open: map[member.ID]*stay{}, places: map[place]*stay{}}
	for _, h := range c.Histories {
		h = h.Clone()
		b.histories[h.Member] = &h
		if o := h.Open; o != nil {
			b.open[h.Member] = &stay{Visit: Visit{ID: o.Visit, Member: h.Member, Nth: h.Count, Zone: o.Zone, Start: o.Start, Seen: o.Seen, Last: h.LastAt}}
		}
	}
	return b
}

// Arrive takes one tag's arrival in one zone.
func (b *Book) Arrive(who member.ID, id tag.ID, zone string, at time.Time, emit func(Event)) {
	s := b.open[who]
	if s != nil && s.over(at, b.gap) {
		b.end(s, emit)
		s = nil
	}
	p := place{id, zone}
	if other := b.places[p]; other != nil && other != s {
		b.vacate(other, p) // the card was given to somebody else while it lay on the reader
	}
	if s == nil {
		s = b.start(who, zone, at)
		b.enter(s, p, at)
		emit(Started{s.Visit})
		return
	}
	b.enter(s, p, at)
	emit(Returned{s.Visit, zone})
}

// Leave takes one tag's departure from one zone, and tells whose visit it is and whether the person is now in no zone. A
// tag that belongs to no visit gives false.
func (b *Book) Leave(id tag.ID, zone string, seen time.Time) (v Visit, gone bool) {
	p := place{id, zone}
	s := b.places[p]
	if s == nil {
		return Visit{}, false
	}
	s.seen(seen)
	b.vacate(s, p)
	return s.Visit, len(s.places) == 0
}

// Tick ends the visits whose gap has passed.
func (b *Book) Tick(now time.Time, emit func(Event)) {
	b.now = now
	for _, s := range b.sorted() {
		if s.over(now, b.gap) {
			b.end(s, emit)
		}
	}
}

// Close ends a member's visit at once, as when the consent to be recognised is withdrawn.
func (b *Book) Close(who member.ID, emit func(Event)) {
	if s := b.open[who]; s != nil {
		b.end(s, emit)
	}
}

// Of returns a member's open visit.
func (b *Book) Of(who member.ID) (Visit, bool) {
	if s := b.open[who]; s != nil {
		return s.Visit, true
	}
	return Visit{}, false
}

// Open lists the open visits in the order in which they began.
func (b *Book) Open() []Visit {
	var out []Visit
	for _, s := range b.sorted() {
		out = append(out, s.Visit)
	}
	return out
}

// Here counts the members who are in sight now: an open visit without a place is somebody who may come back.
func (b *Book) Here() int {
	n := 0
	for _, s := range b.open {
		if len(s.places) > 0 {
			n++
		}
	}
	return n
}

func (b *Book) sorted() []*stay {
	out := make([]*stay, 0, len(b.open))
	for _, s := range b.open {
		out = append(out, s)
	}
	slices.SortFunc(out, func(x, y *stay) int {
		return cmp.Or(x.Start.Compare(y.Start), cmp.Compare(x.ID, y.ID))
	})
	return out
}

func (b *Book) start(who member.ID, zone string, at time.Time) *stay {
	h := b.histories[who]
	if h == nil {
		h = &History{Member: who, FirstAt: at}
		b.histories[who] = h
	}
	h.Count++
	s := &stay{Visit: Visit{ID: b.newID(), Member: who, Nth: h.Count, Zone: zone, Start: at, Seen: at, Last: h.LastAt}}
	h.Open = &Open{Visit: s.ID, Zone: zone, Start: at, Seen: at}
	b.open[who] = s
	return s
}

func (b *Book) end(s *stay, emit func(Event)) {
	for _, p := range s.places {
		delete(b.places, p)
	}
	delete(b.open, s.Member)
	h := b.histories[s.Member]
	h.LastAt, h.Open = s.Seen, nil
	emit(Ended{s.Visit})
}

func (b *Book) enter(s *stay, p place, at time.Time) {
	s.seen(at)
	if b.places[p] == nil {
		b.places[p] = s
		s.places = append(s.places, p)
	}
}

func (b *Book) vacate(s *stay, p place) {
	delete(b.places, p)
	s.places = slices.DeleteFunc(s.places, func(q place) bool { return q == p })
}

func (s *stay) seen(at time.Time) {
	if at.After(s.Seen) {
		s.Seen = at
	}
}

func (s *stay) over(now time.Time, gap time.Duration) bool {
	return len(s.places) == 0 && now.Sub(s.Seen) > gap
}
