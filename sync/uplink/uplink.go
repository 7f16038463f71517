// Package uplink carries one lane of the journal to headquarters, whatever the line does.
//
// In: the journal's records, headquarters' acknowledgements. Out: wire.Batch messages; the journal's cursor "hq", moved to
// the sequence up to which headquarters says that it holds everything durably. Sizes are in bytes, times are time.Duration.
// It never believes the broker, never moves the cursor by itself, never moves it beyond the journal's last record, and never
// keeps a record in memory that is not in the journal.
// Called by internal/daemon.
//
// # How it sends
//
// Go-back-N: batches of at most 200 records and 128 KiB, at most 8 of them without an answer. Sending starts again
// behind the cursor when the line has come up, when headquarters repeats an old acknowledgement (it saw a gap), and when there
// was no progress for 2 s. After such a silence only one record is sent as a question, and the patience grows to 30 s:
// while headquarters is away for a week a metered line carries some hundred bytes a minute, not the backlog again and again.
// The first answer opens the window.
//
// # Goroutines
//
// Run's own, and one that waits for new records in the journal. Acknowledgements come through a channel of 64; when it is
// full the oldest goes, since each later one says more. The channels that wake Run hold one.
package uplink

import (
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
	batchRecords = 200
	batchBytes   = 128 << 10
	window       = 8 // batches
	ackLength    = 64
)

// Defaults of Config.
const (
	DefaultPatience    = 2 * time.Second
	DefaultMaxPatience = 30 * time.Second
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
	Lane        string        // wire.MainLane
	Version     string        // of this program; when set, State{online} is published each time the line comes up
	Patience    time.Duration // DefaultPatience: without progress for so long it asks again
	MaxPatience time.Duration // DefaultMaxPatience
	Log         *slog.Logger  // nil discards
}

// Status is what an operator should know.
type Status struct {
	Acked       uint64        // headquarters holds everything up to here
	Last        uint64        // the journal's last record
	SentBatches int           // since the start, repeated ones included
	LastAck     time.Time     // when headquarters was last heard; zero: never since the start
	Skew        time.Duration // our clock minus headquarters'; within half of the round trip
	Why         string        // what is wrong and will not pass by itself; empty when nothing is
}

// Uplink is made by New and run once.
type Uplink struct {
	c    Config
	acks chan wire.Ack
	up   chan struct{}
	more chan struct{}

	mu     sync.Mutex
	status Status
}

// New returns an uplink and subscribes it to the acknowledgements: call it before the line runs.
func New(c Config) *Uplink {
	if c.Lane == "" {
		c.Lane = wire.MainLane
	}
	if c.Patience == 0 {
		c.Patience = DefaultPatience
	}
	if c.MaxPatience == 0 {
		c.MaxPatience = max(DefaultMaxPatience, c.Patience)
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	u := &Uplink{c: c, acks: make(chan wire.Ack, ackLength), up: make(chan struct{}, 1), more: make(chan struct{}, 1)}
	c.Pipe.Subscribe(c.Place.Ack(), u.heard)
	c.Pipe.OnUp(func() { poke(u.up) })
	return u
}

// Status reports how it stands.
func (u *Uplink) Status() Status {
	u.mu.Lock()
	defer u.mu.Unlock()
	s := u.status
	s.Acked, s.Last = u.c.Journal.Cursor(u.c.Lane, CursorName), u.last()
	return s
}

func (u *Uplink) last() uint64 { return u.c.Journal.Last(u.c.Lane) }

// Run sends until ctx ends, and then returns nil. It returns an error when the journal has stopped.
func (u *Uplink) Run(ctx context.Context) error {
	err := u.c.Journal.MoveCursor(ctx, u.c.Lane, CursorName, 0) // from now on nothing is pruned before headquarters has it
	if err == nil {
		err = u.run(ctx)
	}
	if ctx.Err() != nil {
		return nil
	}
	return fmt.Errorf("uplink of lane %s: %w", u.c.Lane, err)
}

func (u *Uplink) run(ctx context.Context) error {
	var watcher sync.WaitGroup
	defer watcher.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	watcher.Go(func() { u.watch(ctx) })
	f := newFlow(u.c.Journal.Cursor(u.c.Lane, CursorName), u.c.Patience, u.c.MaxPatience)
	for {
		u.send(f)
		if err := u.wait(ctx, f); err != nil {
			return err
		}
	}
}

// wait waits for the next thing to happen and takes it in.
func (u *Uplink) wait(ctx context.Context, f *flow) error {
	var silence <-chan time.Time
	if at, ok := f.deadline(u.last()); ok {
		silence = time.After(time.Until(at))
	}
	select {
	case <-u.up:
		f.cameUp()
		u.sayOnline()
	case a := <-u.acks:
		return u.take(ctx, f, a)
	case <-u.more:
	case <-silence:
		if f.silent(time.Now()) {
			u.fault("headquarters holds less than it had acknowledged: was it restored from a backup?", "acknowledged", f.acked)
		}
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// send fills the window.
func (u *Uplink) send(f *flow) {
	for {
		records, ok := f.room(u.last())
		if !ok {
			return
		}
		batch, err := u.batch(f.next, records)
		if err == nil {
			err = u.publish(batch)
		}
		if err != nil {
			u.c.Log.Debug("batch not sent", "lane", u.c.Lane, "first", f.next, "error", err)
			f.notTaken(time.Now())
			return
		}
		f.wentOut(batch.Last(), batch.SentAt)
	}
}

// batch reads the records from first on.
func (u *Uplink) batch(first uint64, limit int) (wire.Batch, error) {
	records, err := u.c.Journal.Read(u.c.Lane, first, limit, batchBytes)
	if err == nil && (len(records) == 0 || records[0].Seq != first) {
		err = errors.New("it is not there")
	}
	if err != nil {
		u.fault("a record cannot be read from the journal", "record", first, "error", err)
		return wire.Batch{}, err
	}
	b := wire.Batch{Epoch: u.c.Journal.Epoch(), Lane: u.c.Lane, First: first, SentAt: time.Now().UTC()}
	for _, r := range records {
		b.Records = append(b.Records, r.Payload)
	}
	return b, nil
}

func (u *Uplink) publish(b wire.Batch) error {
	data, err := wire.EncodeBatch(b)
	if err != nil {
		u.fault("records cannot be sent", "first", b.First, "last", b.Last(), "error", err)
		return err
	}
	if err := u.c.Pipe.Publish(u.c.Place.Up(u.c.Lane), false, data); err != nil {
		return err
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.status.SentBatches++
	return nil
}

func (u *Uplink) sayOnline() {
	if u.c.Version == "" {
		return
	}
	state, err := wire.EncodeState(wire.State{Online: true, At: time.Now().UTC(), Version: u.c.Version})
	if err == nil {
		err = u.c.Pipe.Publish(u.c.Place.State(), true, state)
	}
	if err != nil {
		u.c.Log.Debug("state not published", "error", err)
	}
}

// heard is called by the line. It only takes the message in.
func (u *Uplink) heard(_ string, payload []byte) {
	a, err := wire.DecodeAck(payload)
	if err != nil {
		u.c.Log.Warn("an acknowledgement that is none", "error", err)
		return
	}
	if a.Lane != u.c.Lane {
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

// take takes one acknowledgement, and all that wait behind it, and moves the cursor once.
func (u *Uplink) take(ctx context.Context, f *flow, a wire.Ack) error {
	before := f.acked
	for u.judge(f, a); len(u.acks) > 0; u.judge(f, a) {
		a = <-u.acks
	}
	if f.acked == before {
		return nil
	}
	err := u.c.Journal.MoveCursor(ctx, u.c.Lane, CursorName, f.acked)
	if err == nil || ctx.Err() != nil || errors.Is(err, journal.ErrStopped) {
		return err
	}
	u.fault("the cursor cannot be moved", "to", f.acked, "error", err)
	return nil // headquarters has the records: the next acknowledgement moves it
}

func (u *Uplink) judge(f *flow, a wire.Ack) {
	now := time.Now()
	v, answered := f.heard(a, u.c.Journal.Epoch(), u.last(), now)
	switch v {
	case foreign:
		u.c.Log.Debug("acknowledgement of another epoch", "lane", u.c.Lane, "epoch", a.Epoch)
		return
	case unwritten:
		u.fault("headquarters acknowledges records that were never written: was this store restored from a backup?",
			"acknowledged", a.Upto, "last", u.last())
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.status.LastAck = now
	if v == progress {
		u.status.Why = ""
	}
	if answered != nil {
		u.status.Skew = answered.at.Add(now.Sub(answered.at) / 2).Sub(a.HQTime).Round(time.Millisecond)
	}
}

// fault logs what a person must look at, once until it is over.
func (u *Uplink) fault(what string, args ...any) {
	u.mu.Lock()
	again := u.status.Why == what
	u.status.Why = what
	u.mu.Unlock()
	if !again {
		u.c.Log.Error(what, append(args, "lane", u.c.Lane)...)
	}
}

// watch wakes Run when there are new records. What it has seen is noted before it wakes: no record falls in between.
func (u *Uplink) watch(ctx context.Context) {
	seen := uint64(0)
	for u.c.Journal.Wait(ctx, u.c.Lane, seen) == nil {
		seen = u.last()
		poke(u.more)
	}
}

func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
