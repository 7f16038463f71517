// Package presence turns sightings of tags into who came to a zone and who left it.
//
// In: tag.Read values, the time and the readers' health. Out: Arrived, Left and Passed, handed to the caller's emit
// function before the call returns. Signal strengths are in dBm, times are our own receive times.
// It never reads a clock, starts a goroutine, touches a disk, or knows people: a tag is a hash here.
// Called by shop, from its one goroutine; a Tracker is not safe for concurrent use.
//
// The rules. A tap reader's read is an arrival. Anywhere else a tag is a candidate first, and arrives once it was read
// MinReads times within Window at Enter or stronger; a candidate that falls silent has passed by. A present tag stays as
// long as it is read at Leave or stronger, and leaves when that has not happened for Grace. While a reader is offline, the
// tags that it heard last cannot leave; when it is back they are given a fresh Grace. A read that carries no signal
// strength counts as strong.
//
// The cost. A read is one map look-up and a move to the end of a list, whatever the number of tags present: all tags of a
// zone share one Grace, so a list in order of last strong read is in order of expiry too, and only its front is looked at.
// Tags live in one slab without pointers. A zone keeps at most MaxCandidates candidates and MaxPresent present tags:
// a flood of random tags pushes out the longest silent ones, as Passed and Left, and memory stops growing.
package presence

import (
	"time"

	"foyer/reader/tag"
)

// Limits of one zone's memory.
const (
	MaxCandidates = 4096
	MaxPresent    = 1 << 17
)

// frozenAtMost ends the presence of a tag whose reader died and was never replaced: by then the shop was closed once.
const frozenAtMost = 12 * time.Hour

// Event is Arrived, Left or Passed.
type Event interface{ event() }

// Arrived says that a tag is certainly in a zone.
type Arrived struct {
	ID   tag.ID
	Also tag.ID // a shorter form that may be matched, or zero
	Zone string
	At   time.Time
}

// Left says that a tag is no longer in a zone.
type Left struct {
	ID   tag.ID
	Zone string
	Seen time.Time // its last strong read
	At   time.Time // when we were sure
}

// Passed says that some tag was heard and never became present. It does not tell which.
type Passed struct {
	Zone string
	At   time.Time
}

func (Arrived) event() {}
func (Left) event()    {}
func (Passed) event()  {}

// Counts is the tracker's state in numbers.
type Counts struct {
	Present    int
	Candidates int
	Unplaced   uint64 // reads from readers that belong to no zone
}

// key is one tag in one zone.
type key struct {
	id   tag.ID
	zone int32
}

// Tracker knows which tags are in which zones.
type Tracker struct {
	zones    []area
	ears     []ear
	byReader map[string]int32
	index    map[key]int32
	slots    slab
	base     time.Time
	now      time.Duration // since base; never goes back
	unplaced uint64
}

// area is a zone with its candidates, in order of their last read.
type area struct {
	Zone
	ears       []int32
	candidates list
}

// ear is a reader with the present tags that it was the last to hear, in order of their last strong read.
type ear struct {
	zone    int32
	offline bool
	back    time.Duration // when it last came back
	present list
}

// New returns a tracker that has seen nothing. It reports every fault of the zones at once.
func New(c Config) (*Tracker, error) {
	zones, err := c.settled()
	if err != nil {
		return nil, err
	}
	t := &Tracker{byReader: map[string]int32{}, index: map[key]int32{}, slots: newSlab()}
	for zi, z := range zones {
		a := area{Zone: z}
		for _, name := range z.Readers {
			t.byReader[name] = int32(len(t.ears))
			a.ears = append(a.ears, int32(len(t.ears)))
			t.ears = append(t.ears, ear{zone: int32(zi)})
		}
		t.zones = append(t.zones, a)
	}
	return t, nil
}

// Read takes one sighting. Times that run backwards are taken as the latest time seen.
func (t *Tracker) Read(r tag.Read, emit func(Event)) {
	ei, ok := t.byReader[r.Reader]
	if !ok || r.ID.IsZero() {
		t.unplaced++
		return
	}
	e := &t.ears[ei]
	a := &t.zones[e.zone]
	now := t.advance(r.At)
	t.expire(a, r.At, emit)
	k := key{r.ID, e.zone}
	i, known := t.index[k]
	switch {
	case known && t.slots.at(i).present:
		if strong(r, a.Leave) {
			t.refresh(i, ei, now)
		}
		return
	case known:
		a.candidates.toBack(&t.slots, i)
		t.slots.at(i).last = now
	default:
		i = t.admit(a, k, now, r.At, emit)
	}
	if strong(r, a.Enter) && t.slots.at(i).hit(now, a.MinReads, a.Window) {
		t.arrive(a, i, ei, r, emit)
	}
}

// Tick lets time pass: who was silent for long enough leaves or has passed. Twice a second is enough.
func (t *Tracker) Tick(now time.Time, emit func(Event)) {
	t.advance(now)
	for i := range t.zones {
		t.expire(&t.zones[i], now, emit)
	}
}

// ReaderOnline freezes departures from a reader that went away, and gives its tags a fresh grace when it is back.
// Readers count as online until told otherwise. A name in no zone is ignored.
func (t *Tracker) ReaderOnline(name string, online bool, at time.Time) {
	i, ok := t.byReader[name]
	if !ok {
		return
	}
	e := &t.ears[i]
	now := t.advance(at)
	if online && e.offline {
		e.back = now
	}
	e.offline = !online
}

// Counts returns the state in numbers.
func (t *Tracker) Counts() Counts {
	c := Counts{Unplaced: t.unplaced}
	for i := range t.zones {
		c.Candidates += t.zones[i].candidates.n
	}
	for i := range t.ears {
		c.Present += t.ears[i].present.n
	}
	return c
}

func strong(r tag.Read, floor tag.RSSI) bool { return !r.HasRSSI || r.RSSI >= floor }

func (t *Tracker) advance(at time.Time) time.Duration {
	if t.base.IsZero() {
		t.base = at
	}
	t.now = max(t.now, at.Sub(t.base))
	return t.now
}

func (t *Tracker) refresh(i, ei int32, now time.Duration) {
	s := t.slots.at(i)
	s.last = now
	if s.ear == ei {
		t.ears[ei].present.toBack(&t.slots, i)
		return
	}
	t.ears[s.ear].present.remove(&t.slots, i)
	s.ear = ei
	t.ears[ei].present.push(&t.slots, i)
}

// admit makes a candidate of a tag that was not here.
func (t *Tracker) admit(a *area, k key, now time.Duration, at time.Time, emit func(Event)) int32 {
	if a.candidates.n >= MaxCandidates {
		t.pass(a, at, emit)
	}
	i := t.slots.take(k, now)
	t.index[k] = i
	a.candidates.push(&t.slots, i)
	return i
}

func (t *Tracker) arrive(a *area, i, ei int32, r tag.Read, emit func(Event)) {
	t.makeRoom(a, r.At, emit)
	a.candidates.remove(&t.slots, i)
	s := t.slots.at(i)
	s.present, s.ear = true, ei
	t.ears[ei].present.push(&t.slots, i)
	emit(Arrived{ID: r.ID, Also: r.Also, Zone: a.ID, At: r.At})
}

// makeRoom pushes out the tag of a full zone that was silent the longest.
func (t *Tracker) makeRoom(a *area, at time.Time, emit func(Event)) {
	n, oldest := 0, int32(-1)
	for _, ei := range a.ears {
		l := t.ears[ei].present
		n += l.n
		if l.n > 0 && (oldest < 0 || t.slots.at(l.head).last < t.slots.at(t.ears[oldest].present.head).last) {
			oldest = ei
		}
	}
	if n >= MaxPresent {
		t.leave(a, &t.ears[oldest], at, emit)
	}
}

func (t *Tracker) expire(a *area, at time.Time, emit func(Event)) {
	for a.candidates.n > 0 && t.now-t.slots.at(a.candidates.head).last >= a.linger() {
		t.pass(a, at, emit)
	}
	for _, ei := range a.ears {
		e := &t.ears[ei]
		for e.present.n > 0 && e.gone(t.slots.at(e.present.head).last, t.now, a.Grace) {
			t.leave(a, e, at, emit)
		}
	}
}

// gone tells whether a tag heard last at last has left. It never answers no for one tag and yes for a tag behind it.
func (e *ear) gone(last, now, grace time.Duration) bool {
	if e.offline {
		return now-last >= max(grace, frozenAtMost)
	}
	return now-max(last, e.back) >= grace
}

// pass drops the first candidate.
func (t *Tracker) pass(a *area, at time.Time, emit func(Event)) {
	t.drop(&a.candidates)
	emit(Passed{Zone: a.ID, At: at})
}

// leave drops the first present tag of a reader.
func (t *Tracker) leave(a *area, e *ear, at time.Time, emit func(Event)) {
	s := t.drop(&e.present)
	emit(Left{ID: s.key.id, Zone: a.ID, Seen: t.base.Add(s.last), At: at})
}

func (t *Tracker) drop(l *list) slot {
	i := l.head
	s := *t.slots.at(i)
	l.remove(&t.slots, i)
	delete(t.index, s.key)
	t.slots.give(i)
	return s
}
