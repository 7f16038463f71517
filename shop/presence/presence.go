// Package presence turns sightings of tags into who came to a zone, who moved to another and who left.
//
// In: tag.Read values, the time and the readers' health. Out: Arrived, Left, Moved and Passed, handed to the caller's emit
// function before the call returns. Signal strengths are in dBm, times are our own receive times.
// It never reads a clock, starts a goroutine, touches a disk, or knows people: a tag is a hash here.
// Called by shop, from its one goroutine, and by internal/trace; a Tracker is not safe for concurrent use.
//
// A tag is a candidate, present, leaving or gone. The strength of a tag in a zone is the mean power of its last Average
// reads; a read without a strength is strong. A candidate arrives once MinReads reads within Window found it at Enter or
// stronger, and such reads have come for Dwell with no pause over Window; a tap reader's first read is an arrival. A
// candidate that falls silent has passed by, which is counted and tells nobody. A present tag stays as long as reads find
// it at Leave or stronger; without one for Window it is leaving, and for Grace it is gone. While a reader is offline, the
// tags that it heard last cannot leave; when it is back they are given a fresh Grace.
//
// Zones of one Group are one place with several corners: a tag is in one of them at a time. It moves when it has fulfilled
// all that makes an arrival in the other one, has been where it is for HoldOff, and is either heard there stronger by
// Resistance or not heard here any more for HoldOff; a tap always moves.
//
// The cost. A read is one look-up and one slot, a cache line each, whatever the number of tags present: expiry is a heap
// of times that are too early rather than too late, and a stay whose time has come and that was read since is put back,
// once in a Grace. Slots and cells hold no pointers. A zone keeps at most MaxCandidates candidates and a group MaxPresent
// present tags: a flood of random tags pushes out the longest silent ones, as Passed and Left, and memory stops growing.
package presence

import (
	"errors"
	"maps"
	"math"
	"slices"
	"time"

	"foyer/reader/tag"
)

// Limits of memory, of one zone and of one group of zones.
const (
	MaxCandidates = 4096
	MaxPresent    = 1 << 17
)

// frozenAtMost ends the presence of a tag whose reader died and was never replaced: by then the shop was closed once.
const frozenAtMost = 12 * time.Hour

// Counts is the tracker's state in numbers.
type Counts struct {
	Present    int
	Candidates int
	Unplaced   uint64 // reads from readers or antennas that belong to no zone
}

// Tracker knows which tags are in which zones.
type Tracker struct {
	zones      []area
	groups     []group
	ears       []ear
	byReader   map[string]int32
	lately     int32 // the ear of the last read: the next one is often its too
	stays      stays
	candidates candidates
	base       time.Time
	now        time.Duration // since base; never goes back
	unplaced   uint64
}

// area is a zone with its candidates, in order of their last read.
type area struct {
	Zone
	enter, leave power
	resistance   float64 // as a ratio of powers
	group        int32
	arrivals     uint64
	candidates   queue
}

// group is zones of which a tag is in one at a time.
type group struct {
	dues
	grace time.Duration // the shortest of its zones
}

// ear is a reader.
type ear struct {
	name     string
	antennas [maxAntennas]int16 // their zones; -1 is none
	offline  bool
	awaited  bool          // offline only because nobody has said anything since the restart: a read says enough
	back     time.Duration // when it last came back
}

// New returns a tracker that has seen nothing. It reports every fault of the zones at once.
func New(c Config) (*Tracker, error) {
	zones, faults := c.settled()
	if len(faults) > 0 {
		return nil, joined(faults)
	}
	t := &Tracker{byReader: map[string]int32{}, stays: newStays(), candidates: newCandidates()}
	groups := map[string]int32{}
	for i, z := range zones {
		g, known := groups[z.Group]
		if !known || z.Group == "" {
			g = int32(len(t.groups))
			groups[z.Group] = g
			t.groups = append(t.groups, group{grace: z.Grace})
		}
		t.groups[g].grace = min(t.groups[g].grace, z.Grace)
		t.zones = append(t.zones, area{group: g})
		t.zones[i].obey(z)
		for _, name := range z.Readers {
			t.earOf(name).listen(z.Antennas[name], int16(i))
		}
	}
	return t, nil
}

func joined(faults []Fault) error {
	errs := make([]error, len(faults))
	for i, f := range faults {
		errs[i] = f
	}
	return errors.Join(errs...)
}

// obey puts a zone's thresholds in force.
func (a *area) obey(z Zone) {
	a.Zone, a.enter, a.leave, a.resistance = z, powerOf(z.Enter), powerOf(z.Leave), ratio(z.Resistance)
}

// Retune puts other thresholds in force in a running tracker: who is present stays so, under the new grace, and who is about
// to arrive begins anew where an arrival takes another number of reads. The zones must be the same, in order, with the same
// readers, antennas, groups and averages. It changes nothing if it returns an error.
func (t *Tracker) Retune(c Config, now time.Time) error {
	zones, faults := c.settled()
	if len(faults) > 0 {
		return joined(faults)
	}
	if !slices.EqualFunc(t.zones, zones, func(a area, z Zone) bool { return a.sameShape(z) }) {
		return errors.New("the zones are others than before: that takes a restart")
	}
	t.advance(now)
	for i := range t.groups {
		t.groups[i].grace = math.MaxInt64
	}
	for i, z := range zones {
		a := &t.zones[i]
		if a.MinReads != z.MinReads {
			t.beginAnew(a)
		}
		a.obey(z)
		t.groups[a.group].grace = min(t.groups[a.group].grace, z.Grace)
	}
	t.remind()
	return nil
}

// sameShape tells whether two zones differ in thresholds only.
func (a *area) sameShape(z Zone) bool {
	return a.ID == z.ID && a.Role == z.Role && a.Group == z.Group && a.Average == z.Average &&
		slices.Equal(a.Readers, z.Readers) && maps.EqualFunc(a.Antennas, z.Antennas, slices.Equal)
}

// beginAnew forgets the strong reads of a zone's candidates: their ring is as long as an arrival takes.
func (t *Tracker) beginAnew(a *area) {
	for i := a.candidates.head; i != 0; i = t.candidates.at(i).next {
		t.candidates.at(i).hits = 0
	}
}

func (t *Tracker) earOf(name string) *ear {
	i, ok := t.byReader[name]
	if !ok {
		i = int32(len(t.ears))
		t.byReader[name] = i
		e := ear{name: name}
		for a := range e.antennas {
			e.antennas[a] = -1
		}
		t.ears = append(t.ears, e)
	}
	return &t.ears[i]
}

// listen gives some antennas to a zone, or all. A reader that does not tell antennas apart means its first.
func (e *ear) listen(antennas []uint8, zone int16) {
	for _, a := range antennas {
		e.antennas[a] = zone
		if a == 1 {
			e.antennas[0] = zone
		}
	}
	if len(antennas) == 0 {
		for a := range e.antennas {
			e.antennas[a] = zone
		}
	}
}

// Read takes one sighting. Times that run backwards are taken as the latest time seen.
func (t *Tracker) Read(r tag.Read, emit func(Event)) {
	ei, zi := t.place(&r)
	if zi < 0 || r.ID.IsZero() {
		t.unplaced++
		return
	}
	if t.ears[ei].awaited {
		t.ReaderOnline(r.Reader, true, r.At)
	}
	z := &t.zones[zi]
	now := t.advance(r.At)
	t.forget(z, r.At, emit)
	t.expire(z.group, r.At, emit)
	si := t.stays.find(&r.ID, z.group, t.zones)
	if si != 0 && t.stays.slots[si].zone == int16(zi) {
		s := &t.stays.slots[si]
		if s.mean.hear(&r, z, now-s.heard, z.leave) {
			s.last, s.ear = now, int16(ei)
		}
		s.heard = now
		return
	}
	ci := t.consider(&r, zi, now, emit)
	c := t.candidates.at(ci)
	strong := c.mean.hear(&r, z, now-c.last, z.enter)
	c.last = now
	if !strong || !c.hit(now, z) {
		return
	}
	if si == 0 {
		t.arrive(&r, ci, ei, emit)
	} else if t.mayMove(si, c, z) {
		t.move(&r, si, ci, ei, emit)
	}
}

// place finds a read's reader and zone; -1 is none.
func (t *Tracker) place(r *tag.Read) (ei, zi int32) {
	if ei = t.lately; int(ei) >= len(t.ears) || t.ears[ei].name != r.Reader {
		var ok bool
		if ei, ok = t.byReader[r.Reader]; !ok {
			return -1, -1
		}
		t.lately = ei
	}
	if r.Antenna >= maxAntennas {
		return ei, -1
	}
	return ei, int32(t.ears[ei].antennas[r.Antenna])
}

// Tick lets time pass: who was silent for long enough leaves or has passed. Twice a second is enough.
func (t *Tracker) Tick(now time.Time, emit func(Event)) {
	t.advance(now)
	for i := range t.zones {
		t.forget(&t.zones[i], now, emit)
	}
	for i := range t.groups {
		t.expire(int32(i), now, emit)
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
	came := online && e.offline
	e.offline, e.awaited = !online, false
	if came {
		e.back = now
		t.remind()
	}
}

// remind works all ends out anew: those that were frozen are earlier now.
func (t *Tracker) remind() {
	for _, g := range t.groups {
		h := g.dues
		for i := range h {
			h[i].at = t.look(&t.stays.slots[h[i].stay])
		}
		h.order()
	}
}

// Counts returns the state in numbers.
func (t *Tracker) Counts() Counts {
	c := Counts{Unplaced: t.unplaced, Present: t.stays.n}
	for i := range t.zones {
		c.Candidates += t.zones[i].candidates.n
	}
	return c
}

func (t *Tracker) advance(at time.Time) time.Duration {
	if t.base.IsZero() {
		t.base = at
	}
	t.now = max(t.now, at.Sub(t.base))
	return t.now
}

// consider finds the candidate of a tag that is not in the zone, or makes it one.
func (t *Tracker) consider(r *tag.Read, zi int32, now time.Duration, emit func(Event)) int32 {
	z := &t.zones[zi]
	if i := t.candidates.find(&r.ID, zi); i != 0 {
		z.candidates.toBack(&t.candidates, i)
		return i
	}
	if z.candidates.n >= MaxCandidates {
		t.pass(z, r.At, emit)
	}
	i := t.candidates.take(r.ID, zi, now)
	z.candidates.push(&t.candidates, i)
	return i
}

func (t *Tracker) arrive(r *tag.Read, ci, ei int32, emit func(Event)) {
	c := *t.candidates.at(ci)
	z := &t.zones[c.zone]
	t.makeRoom(z.group, r.At, emit)
	t.drop(z, ci)
	z.arrivals++
	i := t.stays.take(z.group, stay{id: c.id, last: t.now, heard: t.now, mean: c.mean, zone: int16(c.zone), ear: int16(ei)},
		record{also: r.Also, since: t.now, nth: z.arrivals})
	t.groups[z.group].push(due{t.look(&t.stays.slots[i]), i})
	emit(Arrived{ID: r.ID, Also: r.Also, Zone: z.ID, At: r.At, Nth: z.arrivals})
}

// mayMove tells whether a tag that has all that makes an arrival in the zone to is drawn away from where it is.
func (t *Tracker) mayMove(si int32, c *candidate, to *area) bool {
	s := &t.stays.slots[si]
	from := &t.zones[s.zone]
	switch {
	case to.Tap:
		return true
	case t.now-t.stays.records[si].since < to.HoldOff:
		return false
	case t.now-s.heard >= max(to.HoldOff, from.Window):
		return !t.ears[s.ear].offline // who does not hear does not hear that it is there, either
	}
	return c.mean.above(&s.mean, to.resistance)
}

func (t *Tracker) move(r *tag.Read, si, ci, ei int32, emit func(Event)) {
	c := *t.candidates.at(ci)
	to, s, rec := &t.zones[c.zone], &t.stays.slots[si], &t.stays.records[si]
	e := Moved{ID: r.ID, Also: rec.also, From: t.zones[s.zone].ID, To: to.ID, Seen: t.base.Add(s.last), At: r.At}
	t.drop(to, ci)
	to.arrivals++
	e.Nth = to.arrivals
	s.last, s.heard, s.mean, s.zone, s.ear = t.now, t.now, c.mean, int16(c.zone), int16(ei)
	rec.since, rec.nth = t.now, to.arrivals
	emit(e)
}

// makeRoom pushes out the tag of a full group that would be the next to leave.
func (t *Tracker) makeRoom(group int32, at time.Time, emit func(Event)) {
	g := &t.groups[group]
	for len(g.dues) >= MaxPresent {
		if at := t.look(&t.stays.slots[g.dues[0].stay]); at > g.dues[0].at {
			g.delay(at)
			continue
		}
		t.leave(group, at, emit)
	}
}

// forget lets the candidates of a zone pass that fell silent.
func (t *Tracker) forget(z *area, at time.Time, emit func(Event)) {
	for z.candidates.n > 0 && t.now-t.candidates.at(z.candidates.head).last >= z.linger() {
		t.pass(z, at, emit)
	}
}

// expire lets the tags of a group leave whose grace is over.
func (t *Tracker) expire(group int32, at time.Time, emit func(Event)) {
	g := &t.groups[group]
	for len(g.dues) > 0 && g.dues[0].at <= t.now {
		if s := &t.stays.slots[g.dues[0].stay]; t.end(s) > t.now {
			g.delay(t.look(s))
			continue
		}
		t.leave(group, at, emit)
	}
}

// end is when a tag has left, if nothing more is heard of it.
func (t *Tracker) end(s *stay) time.Duration {
	grace, e := t.zones[s.zone].Grace, &t.ears[s.ear]
	if e.offline {
		return s.last + max(grace, frozenAtMost)
	}
	return max(s.last, e.back) + grace
}

// look is when a stay is looked at again: never after its end, not even if it moves to where the grace is shorter.
func (t *Tracker) look(s *stay) time.Duration {
	return min(t.end(s), t.now+t.groups[t.zones[s.zone].group].grace)
}

// pass drops the first candidate. Who is present in another zone of the group did not pass by.
func (t *Tracker) pass(z *area, at time.Time, emit func(Event)) {
	i := z.candidates.head
	present := t.stays.find(&t.candidates.at(i).id, z.group, t.zones) != 0
	t.drop(z, i)
	if !present {
		emit(Passed{Zone: z.ID, At: at})
	}
}

func (t *Tracker) drop(z *area, ci int32) {
	z.candidates.remove(&t.candidates, ci)
	t.candidates.give(ci)
}

// leave drops the first stay of a group.
func (t *Tracker) leave(group int32, at time.Time, emit func(Event)) {
	g := &t.groups[group]
	i := g.dues[0].stay
	g.pop()
	s := t.stays.slots[i]
	e := Left{ID: s.id, Zone: t.zones[s.zone].ID, Seen: t.base.Add(s.last), At: at, Nth: t.stays.records[i].nth}
	t.stays.give(i, group)
	emit(e)
}
