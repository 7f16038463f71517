package downlink

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"foyer/reader/tag"
	"foyer/shop/member"
	"foyer/sync/journal"
	"foyer/sync/known"
	"foyer/sync/wire"
)

// Guests are members whom the store does not have at hand: headquarters told of them in answer to a question. They are kept as
// regulars are, sealed with the same key and under the same lease. Whoever a store is told of, headquarters sends with the
// next members; so when newer members come into force, all guests told of before go: they are among these, or not to be known.
//
// Of a tag that is nobody's a store asks only where the filter of known tags has it: of 256 strangers, one. Without a filter
// it asks for nobody. A question has hashes under the chain's key and nothing else.
const (
	guestBucket = "guests" // in the journal's state, by what says nothing of the member

	maxGuests   = 2000 // the oldest goes
	answerLate  = 500 * time.Millisecond
	answerLost  = 30 * time.Second // no answer comes any more
	maxOpen     = 64               // questions without an answer
	maxNobodies = 256              // tags that headquarters does not know, for nobodyFor: strangers, so in memory alone
	nobodyFor   = time.Hour
	askQueue    = 16
)

// Guesting counts questions.
type Guesting struct {
	Looked   uint64 // tags that nobody at hand has
	Hits     uint64 // of these, the filter has
	Asked    uint64
	Named    uint64 // answered with a member
	Nobody   uint64 // answered with nobody
	Late     uint64 // not answered in half a second
	Refused  uint64 // answers that are forged, of no question, or for somebody else
	Held     int    // guests now
	Known    uint64 // version of the filter; 0: none
	Tags     int    // in it
	KnownLen int64  // bytes of it that were fetched since the start
}

// question is one that the shop asks.
type question struct {
	ask  wire.MemberAsk
	at   time.Time
	late bool
	done []func()
}

// guest is a member whom an answer told of.
type guest struct {
	member member.Member
	madeAt time.Time // the answer, by headquarters' clock
	sealed []byte    // by headquarters
	name   string    // in the journal: it says nothing of whose it is
}

// guests is what is known of members who are not at hand.
type guests struct {
	filter    atomic.Pointer[known.Filter]
	questions chan question

	mu       sync.Mutex // guards what follows
	counts   Guesting
	nobodies map[tag.ID]time.Time // until when

	// Run's own.
	open map[wire.Nonce]*question
	all  map[member.ID]guest
}

func newGuests() guests {
	return guests{questions: make(chan question, askQueue), nobodies: map[tag.ID]time.Time{}, open: map[wire.Nonce]*question{}, all: map[member.ID]guest{}}
}

// subscribeGuests takes answers and the filter.
func (d *Downlink) subscribeGuests() {
	d.subscribe(wire.MemberTopic, wire.MemberTopic)
	d.subscribe(wire.Known, wire.Known)
	d.subscribe(wire.KnownParts, wire.KnownParts)
}

// Guesting tells how it went since the start.
func (d *Downlink) Guesting() Guesting {
	d.guests.mu.Lock()
	defer d.guests.mu.Unlock()
	return d.guests.counts
}

func (d *Downlink) counted(count func(*Guesting)) {
	d.guests.mu.Lock()
	defer d.guests.mu.Unlock()
	count(&d.guests.counts)
}

// Maybe reports whether a tag may be that of a member who is not at hand: also where only its shorter form may.
func (d *Downlink) Maybe(id, also tag.ID) bool {
	may := d.maybe(id, also)
	d.counted(func(c *Guesting) {
		if c.Looked++; len(may) > 0 {
			c.Hits++
		}
	})
	return len(may) > 0
}

// maybe lists the forms of a number that are to be asked for.
func (d *Downlink) maybe(id, also tag.ID) (may []tag.ID) {
	f := d.guests.filter.Load()
	if f == nil || d.InForce(wire.Members) == 0 {
		return nil
	}
	for _, form := range []tag.ID{id, also} {
		if f.Has(form) && !d.isNobody(form) && !slices.Contains(may, form) {
			may = append(may, form)
		}
	}
	return may
}

func (d *Downlink) isNobody(id tag.ID) bool {
	d.guests.mu.Lock()
	defer d.guests.mu.Unlock()
	until, nobody := d.guests.nobodies[id]
	return nobody && time.Now().Before(until)
}

// Ask asks headquarters whose a tag is, unless it cannot be asked. done is called once: when the member is in force, when there is
// none, or when no answer came. It does not block.
func (d *Downlink) Ask(id, also tag.ID, done func()) bool {
	may := d.maybe(id, also)
	if len(may) == 0 {
		return false
	}
	select {
	case d.guests.questions <- question{ask: wire.MemberAsk{Nonce: wire.NewNonce(), Tags: may}, at: time.Now(), done: []func(){done}}:
		return true
	default:
		return false
	}
}

// put sends a question, unless the same is on its way.
func (d *Downlink) put(q question) {
	for _, open := range d.guests.open {
		if slices.Equal(open.ask.Tags, q.ask.Tags) {
			open.done = append(open.done, q.done...)
			return
		}
	}
	payload, err := wire.EncodeMemberAsk(q.ask)
	if err == nil && len(d.guests.open) >= maxOpen {
		err = errors.New("too many questions wait for an answer")
	}
	if err == nil {
		err = d.c.Ask(wire.MemberTopic, payload)
	}
	if err != nil {
		d.c.Log.Debug("headquarters was not asked whose a tag is", "error", err)
		q.end()
		return
	}
	q.ask.V = wire.Version
	d.guests.open[q.ask.Nonce] = &q
	d.counted(func(c *Guesting) { c.Asked++ })
}

func (q *question) end() {
	for _, done := range q.done {
		done()
	}
}

// questionTick fires when a question has waited for long.
func (d *Downlink) questionTick() <-chan time.Time {
	var first time.Time
	for _, q := range d.guests.open {
		if when := q.due(); first.IsZero() || when.Before(first) {
			first = when
		}
	}
	if first.IsZero() {
		return nil
	}
	return time.After(time.Until(first))
}

// due is when the question is late, and then when it is lost.
func (q *question) due() time.Time {
	if q.late {
		return q.at.Add(answerLost)
	}
	return q.at.Add(answerLate + 1)
}

func (d *Downlink) lookAtQuestions() {
	for nonce, q := range d.guests.open {
		switch {
		case time.Now().Before(q.due()):
		case !q.late:
			q.late = true
			d.counted(func(c *Guesting) { c.Late++ })
		default:
			delete(d.guests.open, nonce)
			q.end()
		}
	}
}

// answer takes headquarters' word on a tag. Nothing that it refuses is a word of headquarters to this question.
func (d *Downlink) answer(ctx context.Context, sealed []byte) {
	s, body, err := d.readAnswer(sealed)
	q := d.guests.open[body.Nonce]
	if err == nil && (q == nil || !body.Answers(q.ask)) {
		err = errors.New("it answers no question that is open")
	}
	var told *member.Member
	if err == nil && body.Member != nil {
		told, err = readGuest(body)
	}
	if err != nil {
		d.c.Log.Warn("an answer of who a tag's member is was refused", "error", err)
		d.counted(func(c *Guesting) { c.Refused++ })
		return
	}
	delete(d.guests.open, body.Nonce)
	if told == nil {
		d.nobody(body.Tags)
	} else {
		d.counted(func(c *Guesting) { c.Named++ })
		d.welcome(ctx, guest{*told, s.MadeAt, sealed, rand.Text()})
	}
	q.end()
}

func (d *Downlink) readAnswer(sealed []byte) (wire.Snapshot, wire.MemberBody, error) {
	s, err := d.verify(wire.MemberTopic, sealed)
	if err != nil {
		return s, wire.MemberBody{}, err
	}
	if s.Store != d.c.Place.Store {
		return s, wire.MemberBody{}, errors.New("it is for no store by name")
	}
	body, err := s.Member()
	return s, body, err
}

// readGuest checks the member of an answer as a roster's are, and that it is who was asked for.
func readGuest(b wire.MemberBody) (*member.Member, error) {
	var m member.Member
	if err := json.Unmarshal(b.Member, &m); err != nil {
		return nil, fmt.Errorf("%w: %w", wire.ErrFormat, err)
	}
	if err := member.Check([]member.Member{m}); err != nil {
		return nil, err
	}
	has := func(id tag.ID) bool { return slices.Contains(m.Tags, id) || slices.Contains(m.Blocked, id) }
	if !m.Allows(member.Recognise) || !slices.ContainsFunc(b.Tags, has) {
		return nil, errors.New("its member is not who was asked for")
	}
	return &m, nil
}

// nobody remembers for a while that tags are nobody's, so that the same stranger is not asked for at every step.
func (d *Downlink) nobody(tags []tag.ID) {
	d.guests.mu.Lock()
	defer d.guests.mu.Unlock()
	d.guests.counts.Nobody++
	all := d.guests.nobodies
	for _, id := range tags {
		all[id] = time.Now().Add(nobodyFor)
	}
	for len(all) > maxNobodies {
		var oldest tag.ID
		for id, until := range all {
			if oldest.IsZero() || until.Before(all[oldest]) {
				oldest = id
			}
		}
		delete(all, oldest)
	}
}

// welcome puts a guest in force, and keeps what was told.
func (d *Downlink) welcome(ctx context.Context, g guest) {
	if was, again := d.guests.all[g.member.ID]; again {
		g.name = was.name
	}
	d.guests.all[g.member.ID] = g
	for len(d.guests.all) > maxGuests {
		d.forgetGuest(ctx, slices.MinFunc(slices.Collect(maps.Keys(d.guests.all)), func(x, y member.ID) int {
			return d.guests.all[x].madeAt.Compare(d.guests.all[y].madeAt)
		}))
	}
	if err := d.keepGuest(ctx, g); err != nil {
		d.c.Log.Error("a guest is not kept for a restart", "error", err)
	}
	d.showGuests()
}

// keepGuest keeps what headquarters said of a guest, sealed as the members are.
func (d *Downlink) keepGuest(ctx context.Context, g guest) error {
	locked, err := d.locked(wire.Members, g.sealed)
	if err != nil {
		return err
	}
	return d.putGuest(ctx, g.name, locked)
}

// keepGuests keeps all guests anew: the key that they are sealed with is another.
func (d *Downlink) keepGuests(ctx context.Context) error {
	for _, g := range d.guests.all {
		if err := d.keepGuest(ctx, g); err != nil {
			return err
		}
	}
	return nil
}

func (d *Downlink) putGuest(ctx context.Context, name string, value []byte) error {
	return d.c.Journal.Submit(ctx, journal.Entry{Puts: []journal.Put{{Bucket: guestBucket, Key: name, Value: value}}})
}

// forgetGuest lets one go, from the disk too.
func (d *Downlink) forgetGuest(ctx context.Context, id member.ID) {
	name := d.guests.all[id].name
	delete(d.guests.all, id)
	if err := d.putGuest(ctx, name, nil); err != nil {
		d.c.Log.Error("a guest is not taken off the disk", "error", err)
	}
}

// showGuests puts the guests in force as they are now.
func (d *Downlink) showGuests() {
	var all []member.Member
	for _, id := range slices.Sorted(maps.Keys(d.guests.all)) {
		all = append(all, d.guests.all[id].member)
	}
	d.counted(func(c *Guesting) { c.Held = len(all) })
	d.c.Guests(all)
}

// forgetGuests lets those go of whom newer members tell, or who are not to be known any more; at zero, all.
func (d *Downlink) forgetGuests(ctx context.Context, before time.Time) {
	changed := false
	for id, g := range d.guests.all {
		if before.IsZero() || g.madeAt.Before(before) {
			d.forgetGuest(ctx, id)
			changed = true
		}
	}
	if changed {
		d.showGuests()
	}
}

// restoreGuests reads those back of whom the members in force do not tell. It is as strict as with what comes by the line.
func (d *Downlink) restoreGuests(ctx context.Context) {
	state, err := d.c.Journal.State(guestBucket)
	if err != nil {
		d.c.Log.Error("the guests cannot be read", "error", err)
	}
	for name, kept := range state {
		g, err := d.reopenGuest(kept)
		if err != nil || d.InForce(wire.Members) == 0 || g.madeAt.Before(d.roster.madeAt) {
			d.c.Log.Debug("a guest from before is forgotten", "error", err)
			d.putGuest(ctx, name, nil)
			continue
		}
		g.name = name
		d.guests.all[g.member.ID] = g
	}
	if len(d.guests.all) > 0 {
		d.showGuests()
	}
}

func (d *Downlink) reopenGuest(kept []byte) (guest, error) {
	sealed, err := d.unlocked(kept)
	if err != nil {
		return guest{}, err
	}
	s, body, err := d.readAnswer(sealed)
	if err != nil {
		return guest{}, err
	}
	m, err := readGuest(body)
	if err != nil {
		return guest{}, err
	}
	return guest{member: *m, madeAt: s.MadeAt, sealed: sealed}, nil
}
