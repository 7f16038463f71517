// Package uplink carries the journal to headquarters, whatever the line does.
//
// In: the journal's records, headquarters' acknowledgements. Out: wire.Batch messages; the journal's cursor "hq", moved to
// the sequence up to which headquarters says that it holds everything durably, and "hq-kept" behind it; wire.State, retained.
// Sizes are in bytes, times are time.Duration.
// It never believes the broker, never moves the cursor by itself, never moves it beyond the journal's last record, and never
// keeps a record in memory that is not in the journal.
// Called by internal/daemon.
//
// # How it sends
//
// Go-back-N in each lane: batches of at most 250 records and 128 KiB, at most 8 of them without an answer. Sending starts again
// behind the cursor when the line has come up, when headquarters repeats an old acknowledgement (it saw a gap), and when there
// was no progress for 2 s, or for 30 s while the line still carries what was sent (Config.Held): a slow line is not a silent one.
// After such a silence only one record is sent as a question, and the patience grows to 30 s: while headquarters is away for a week
// a metered line carries some hundred bytes a minute, not the backlog again and again. An answer to what was sent before the
// question says that it was only late: headquarters needs more time, and nothing is sent again.
// The first answer opens the window, and tells which version of wire.Batch headquarters reads: questions are asked in the first.
//
// Lanes go in the order of wire.Lanes: one waits while one before it has anything left to send, unless that one only asks.
// On a metered line (Config.Budget) numbers wait for the next day when 60 % of the bytes are spent, visits at 90 %; what
// people were given never waits. There, visits wait 10 s for company, numbers a minute: a batch of one costs twenty times as much
// an event as a full one.
//
// # When one of the two has forgotten
//
// Records stay for 72 h after they were acknowledged, less when the journal is half full. If headquarters holds less than it had
// acknowledged (it was restored from a backup), sending starts again behind what it holds; what the journal no longer has
// is told as lost. If it holds records that this journal never wrote, or wrote otherwise, this box was restored from an older
// image: the journal is given a new epoch and what lies behind the cursor is sent under it.
//
// # Goroutines
//
// Run's own, and one a lane that waits for new records in the journal. Acknowledgements come through a channel of 64; when it is
// full the oldest goes, since each later one says more. The channels that wake Run hold one.
package uplink

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"foyer/sync/journal"
	"foyer/sync/wire"
)

// CursorName is the journal's cursor that headquarters moves.
const CursorName = "hq"

// Limits of what is on its way.
const (
	batchRecords = 250
	batchBytes   = 128 << 10
	window       = 8 // batches
	ackLength    = 64
)

// Defaults of Config.
const (
	DefaultPatience    = 2 * time.Second
	DefaultMaxPatience = 30 * time.Second
)

const (
	housekeeping = time.Minute
	statePause   = 15 * time.Minute // between two States of a line that stays up and well
	forkPause    = time.Minute      // between two new epochs: whoever asks for them faster is wrong
)

// Pipe is the line as the uplink needs it: unreliable.
type Pipe interface {
	Publish(topic string, retained bool, payload []byte) error
	Subscribe(filter string, fn func(topic string, payload []byte))
	OnUp(fn func())
}

// Config of an uplink. Place, Journal and Pipe must be there.
type Config struct {
	Place       wire.Place
	Journal     *journal.Journal
	Pipe        Pipe
	Lanes       []string                // wire.Lanes; they go first in this order
	Version     string                  // of this program; when set, wire.State is published each time the line comes up, and now and then
	Patience    time.Duration           // DefaultPatience: without progress for so long it asks again
	MaxPatience time.Duration           // DefaultMaxPatience
	Keep        time.Duration           // DefaultKeep: so long records stay after they were acknowledged
	Budget      int64                   // bytes a day; 0: the line is not metered
	Guests      func() *wire.GuestState // what State tells of questions for members; nil: nothing
	Traffic     func() int64            // bytes that the line has moved since the start; nil: unknown, nothing is counted
	Held        func() int              // bytes that the line has taken and still carries; nil: unknown, none
	// Open makes a record of what the journal keeps: it may be sealed there. Nil: the journal keeps records as they are.
	Open func(kept []byte) []byte
	Log  *slog.Logger // nil discards
}

// Status is what an operator should know.
type Status struct {
	Epoch       string
	Acked       uint64        // records of all lanes that headquarters holds
	Last        uint64        // records of all lanes
	Lanes       []LaneStatus  // in the order in which they go first
	SentBatches int           // since the start, repeated ones included
	LastAck     time.Time     // when headquarters was last heard; zero: never since the start
	Skew        time.Duration // our clock minus headquarters'; within half of the round trip
	Measured    bool          // Skew is known
	Budget      int64         // bytes a day; 0: not metered
	Spent       int64         // of them today
	GivenUp     wire.GivenUp  // records that the journal gave up for room
	Why         string        // what is wrong and will not pass by itself; empty when nothing is
}

// Oldest is when the oldest record that waits was made; zero: none waits.
func (s Status) Oldest() (oldest time.Time) {
	for _, l := range s.Lanes {
		if oldest.IsZero() || !l.Oldest.IsZero() && l.Oldest.Before(oldest) {
			oldest = l.Oldest
		}
	}
	return oldest
}

// Lost counts the records told as lost since the start.
func (s Status) Lost() (n uint64) {
	for _, l := range s.Lanes {
		n += l.Lost
	}
	return n
}

// Uplink is made by New and run once.
type Uplink struct {
	c    Config
	acks chan wire.Ack
	up   chan struct{}
	more chan struct{}

	budget chan int64 // capacity 1: what SetBudget was told last

	// Run's goroutine alone:
	lanes    []*lane
	held     bool // the journal knows our cursors
	purse    purse
	kept     map[string]kept
	pruneAt  time.Time
	takes    int // the version of Batch that headquarters reads; 0: not known
	skew     time.Duration
	forkedAt time.Time
	saidAt   time.Time // State
	saidWhy  string

	mu     sync.Mutex
	status Status
}

// New returns an uplink and subscribes it to the acknowledgements: call it before the line runs.
func New(c Config) *Uplink {
	if len(c.Lanes) == 0 {
		c.Lanes = wire.Lanes
	}
	c.Patience = cmp.Or(c.Patience, DefaultPatience)
	c.MaxPatience = cmp.Or(c.MaxPatience, max(DefaultMaxPatience, c.Patience))
	c.Keep = cmp.Or(c.Keep, DefaultKeep)
	if c.Open == nil {
		c.Open = func(kept []byte) []byte { return kept }
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	u := &Uplink{c: c, acks: make(chan wire.Ack, ackLength), up: make(chan struct{}, 1), more: make(chan struct{}, 1), budget: make(chan int64, 1), kept: map[string]kept{}}
	for _, name := range c.Lanes {
		u.lanes = append(u.lanes, u.newLane(name))
	}
	u.note(time.Now())
	c.Pipe.Subscribe(c.Place.Ack(), u.heard)
	c.Pipe.OnUp(func() { poke(u.up) })
	return u
}

// SetBudget replaces Config.Budget while the uplink runs. What today has cost so far counts.
func (u *Uplink) SetBudget(bytes int64) {
	select {
	case <-u.budget: // nobody took what was told before
	default:
	}
	select {
	case u.budget <- bytes:
	default: // somebody else told at the same moment
	}
}

// Status reports how it stands.
func (u *Uplink) Status() Status {
	u.mu.Lock()
	defer u.mu.Unlock()
	s := u.status
	given := u.c.Journal.Health().Thinned
	s.GivenUp = wire.GivenUp{Visits: given[journal.Visit], Statistics: given[journal.Statistic]}
	s.Epoch, s.Acked, s.Last, s.Lanes = u.c.Journal.Epoch(), 0, 0, append([]LaneStatus(nil), s.Lanes...)
	for i := range s.Lanes {
		l := &s.Lanes[i]
		l.Last = max(l.Acked, u.c.Journal.Last(l.Lane))
		s.Acked, s.Last = s.Acked+l.Acked, s.Last+l.Last
	}
	return s
}

// note makes what Run's goroutine knows visible.
func (u *Uplink) note(now time.Time) {
	var lanes []LaneStatus
	why := ""
	for _, l := range u.lanes {
		lanes = append(lanes, LaneStatus{Lane: l.name, Acked: l.acked, Last: u.last(l), Oldest: u.oldestOf(l), LastAck: l.lastAck, Lost: l.lost,
			Waits: l.next <= u.last(l) && u.purse.refuses(l.name, now)})
		why = cmp.Or(why, l.why)
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.status.Lanes, u.status.Why, u.status.Budget, u.status.Spent = lanes, why, u.purse.limit, u.purse.spent
}

// Run sends until ctx ends, and then returns nil. It returns an error when the journal has stopped.
func (u *Uplink) Run(ctx context.Context) error {
	err := u.run(ctx)
	if ctx.Err() != nil {
		return nil
	}
	return fmt.Errorf("uplink: %w", err)
}

// hold makes the cursors known: from now on nothing is pruned before headquarters has it. A disk that does not take that is asked
// again; what it holds is sent meanwhile, all the more.
func (u *Uplink) hold(ctx context.Context) error {
	if u.held {
		return nil
	}
	for _, l := range u.lanes {
		for _, cursor := range []string{CursorName, KeptCursor} {
			if err := u.c.Journal.MoveCursor(ctx, l.name, cursor, 0); err != nil {
				return err
			}
		}
	}
	u.held = true
	return nil
}

func (u *Uplink) run(ctx context.Context) error {
	var watchers sync.WaitGroup
	defer watchers.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for _, l := range u.lanes {
		watchers.Go(func() { u.watch(ctx, l.name) })
	}
	u.purse = openPurse(u.c.Journal, u.c.Budget, time.Now())
	u.loadKept()
	for {
		now := time.Now()
		if err := u.keepHouse(ctx, now); err != nil {
			return err
		}
		u.send(now)
		u.note(now)
		u.sayMore(now)
		if err := u.wait(ctx, now); err != nil {
			return err
		}
	}
}

// keepHouse does what costs nothing when there is nothing to do.
func (u *Uplink) keepHouse(ctx context.Context, now time.Time) error {
	for _, err := range []error{u.hold(ctx), u.countTraffic(ctx, now), u.prune(ctx, now)} {
		if ctx.Err() != nil || errors.Is(err, journal.ErrStopped) {
			return cmp.Or(ctx.Err(), err)
		}
		if err != nil {
			u.c.Log.Debug("the uplink's own state is not kept", "error", err) // the journal has told why
		}
	}
	return nil
}

// wait waits for the next thing to happen and takes it in.
func (u *Uplink) wait(ctx context.Context, now time.Time) error {
	timer := time.NewTimer(time.Until(u.wake(now)))
	defer timer.Stop()
	select {
	case <-u.up:
		for _, l := range u.lanes {
			l.cameUp(u.takes == 0)
		}
		u.say(time.Now())
	case a := <-u.acks:
		return u.take(ctx, a)
	case <-u.more:
	case u.purse.limit = <-u.budget:
		if !u.saidAt.IsZero() && u.open() {
			u.note(time.Now())
			u.say(time.Now())
		}
	case <-timer.C:
		u.silence(time.Now())
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// wake is when something must be done though nothing happens.
func (u *Uplink) wake(now time.Time) time.Time {
	at := now.Add(housekeeping)
	for _, l := range u.lanes {
		if d, ok := l.deadline(u.last(l)); ok && d.Before(at) {
			at = d
		}
		if d := l.noticed.Add(u.purse.linger(l.name)); !l.noticed.IsZero() && d.After(now) && d.Before(at) {
			at = d
		}
	}
	return at
}

// silence asks where there was no progress. Perhaps headquarters was replaced by an older one: it is asked in the first version.
func (u *Uplink) silence(now time.Time) {
	for _, l := range u.lanes {
		d, ok := l.deadline(u.last(l))
		if !ok || now.Before(d) || u.c.Held != nil && u.c.Held() > 0 && l.carried() {
			continue
		}
		l.silent(now)
		u.takes = 0
	}
}

func (u *Uplink) version() int {
	if u.takes >= wire.BatchCompact {
		return wire.BatchCompact
	}
	return wire.BatchJSON
}

// heard is called by the line. It only takes the message in.
func (u *Uplink) heard(_ string, payload []byte) {
	a, err := wire.DecodeAck(payload)
	if err != nil {
		u.c.Log.Warn("an acknowledgement that is none", "error", err)
		return
	}
	for {
		select {
		case u.acks <- a:
			return
		default:
		}
		select {
		case <-u.acks:
		default:
		}
	}
}

// take takes one acknowledgement, and all that wait behind it, and moves the cursors once.
func (u *Uplink) take(ctx context.Context, a wire.Ack) error {
	moved := map[*lane]bool{}
	fork := false
	for more := true; more; {
		if l := u.lane(a.Lane); l != nil {
			v := u.judge(l, a)
			moved[l] = moved[l] || v == progress
			fork = fork || v == forked
		}
		select {
		case a = <-u.acks:
		default:
			more = false
		}
	}
	u.note(time.Now())
	for l := range moved {
		if moved[l] {
			if err := u.move(ctx, l); err != nil {
				return err
			}
		}
	}
	if fork {
		return u.fork(ctx, time.Now())
	}
	return nil
}

func (u *Uplink) lane(name string) *lane {
	for _, l := range u.lanes {
		if l.name == name {
			return l
		}
	}
	return nil
}

func (u *Uplink) move(ctx context.Context, l *lane) error {
	err := u.c.Journal.MoveCursor(ctx, l.name, CursorName, l.acked)
	if err == nil || ctx.Err() != nil || errors.Is(err, journal.ErrStopped) {
		return err
	}
	u.fault(l, "the cursor cannot be moved", "to", l.acked, "error", err)
	return nil // headquarters has the records: the next acknowledgement moves it
}

func (u *Uplink) judge(l *lane, a wire.Ack) verdict {
	now := time.Now()
	was := l.acked
	v, answered := l.flow.heard(a, u.c.Journal.Epoch(), u.last(l), now)
	switch v {
	case foreign:
		u.c.Log.Debug("acknowledgement of another epoch", "lane", l.name, "epoch", a.Epoch)
		return v
	case forgot:
		u.goBack(l, was)
	case progress:
		l.why, l.fresh = "", false
	}
	u.takes, l.lastAck = max(a.Takes, wire.BatchJSON), now
	u.mu.Lock()
	defer u.mu.Unlock()
	u.status.LastAck = now
	if answered != nil {
		u.skew = answered.at.Add(now.Sub(answered.at) / 2).Sub(a.HQTime).Round(time.Millisecond)
		u.status.Skew, u.status.Measured = u.skew, true
	}
	return v
}

// goBack tells that headquarters has forgotten. The first numbers of an epoch that goes on from another are not its own.
func (u *Uplink) goBack(l *lane, was uint64) {
	if base := u.c.Journal.Origin().Bases[l.name]; l.acked < base {
		l.acked = base
		l.rewind()
	}
	l.fresh, l.lostTo = true, 0
	if l.acked < was {
		u.fault(l, "headquarters holds less than it had acknowledged: it was restored from a backup, and is sent what it lacks",
			"acknowledged", was, "holds", l.acked)
	}
}

// fork goes on under a new epoch: this box has forgotten what it had told.
func (u *Uplink) fork(ctx context.Context, now time.Time) error {
	const why = "this store was restored from an older image: it goes on under a new epoch"
	if !u.forkedAt.IsZero() && now.Sub(u.forkedAt) < forkPause {
		u.c.Log.Debug("headquarters asks again for a new epoch")
		return nil
	}
	before := u.c.Journal.Epoch()
	if err := u.c.Journal.Fork(ctx, CursorName); err != nil {
		if ctx.Err() != nil || errors.Is(err, journal.ErrStopped) {
			return err
		}
		u.c.Log.Error("a new epoch cannot be written", "error", err) // asked for again with the next answer
		return nil
	}
	u.forkedAt = now
	for i, l := range u.lanes {
		next := u.newLane(l.name)
		next.open, next.since, next.lost = l.open, now, l.lost
		if next.next <= u.last(next) {
			next.why = why // until the first of them is acknowledged
		}
		u.lanes[i] = next
	}
	u.c.Log.Error(why, "before", before, "epoch", u.c.Journal.Epoch())
	return nil
}

// fault logs what a person must look at, once until it is over.
func (u *Uplink) fault(l *lane, what string, args ...any) {
	if l.why != what {
		u.c.Log.Error(what, append(args, "lane", l.name)...)
	}
	l.why = what
}

// watch wakes Run when there are new records. What it has seen is noted before it wakes: no record falls in between.
func (u *Uplink) watch(ctx context.Context, lane string) {
	seen := uint64(0)
	for u.c.Journal.Wait(ctx, lane, seen) == nil {
		seen = u.c.Journal.Last(lane)
		poke(u.more)
	}
}

func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
