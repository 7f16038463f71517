// Package command does what headquarters asks of a store: each command once, in time, and answered.
//
// In: sealed commands from the line. Out: calls of Do, one at a time, and one journalled record a command that says what became
// of it. Times are compared on headquarters' clock, as far as the store has measured how far its own is off.
// It never does what is not signed by headquarters for this very store, what is over, or what it did before: the commands it
// did are kept in the journal, in one commit with the answer and with what the command changed.
// Called by internal/daemon.
//
// # Once
//
// A command that is there again is answered again and not done. The last 256 are remembered one by one; of the older ones the
// highest number is, and what has a lower number is refused. A power cut between doing and answering makes headquarters send
// it again, and the store do it again, so what is done must bear that; a change of settings is in the commit with its answer,
// and what cannot bear it (a restart) is answered first and done After.
//
// # Goroutines
//
// Run's own does one command after the other. Commands come through a channel of 8; what finds it full comes again.
package command

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"foyer/sync/journal"
	"foyer/sync/wire"
)

const (
	inboxLength = 8
	remembered  = 256
	againPause  = time.Minute      // between two answers to one command
	maxAnswered = 1000             // commands of which is known when they were answered
	longest     = 15 * time.Minute // that one command may take
	bucket      = "commands"       // in the journal's state: id -> kept, and floorKey
	floorKey    = "floor"          // no command's id: those are random and longer
)

// Pipe is the line as commands come by it.
type Pipe interface {
	Subscribe(filter string, fn func(topic string, payload []byte))
}

// Answer is what became of a command, and what belongs to it.
type Answer struct {
	Outcome  wire.Outcome
	Code     wire.DoneCode
	Why      string
	Settings map[string]string
	Results  []wire.Result
	Puts     []journal.Put // what it changes in the journal's state, in one commit with the answer
	After    func()        // done once the answer is on the disk
}

// Refused is an Answer.
func Refused(code wire.DoneCode, err error) Answer {
	return Answer{Outcome: wire.IsRefused, Code: code, Why: err.Error()}
}

// Failed is an Answer.
func Failed(code wire.DoneCode, err error) Answer {
	return Answer{Outcome: wire.IsFailed, Code: code, Why: err.Error()}
}

// Config of a Desk. Place, Journal, Pipe, Keys and Do must be there.
type Config struct {
	Place   wire.Place
	Journal *journal.Journal
	Pipe    Pipe
	Keys    map[string]ed25519.PublicKey // trusted, by key id, until Trust says otherwise
	Do      map[wire.Do]func(ctx context.Context, c wire.Command) Answer
	Skew    func() time.Duration                 // our clock minus headquarters'; nil: they agree
	Report  func(kind wire.Kind, a wire.Applied) // wire.SnapshotRefused, for what cannot be believed; nil for none
	Log     *slog.Logger                         // nil discards
}

// Counts are for metrics.
type Counts struct {
	Done, Refused, Failed, Expired, Repeated, Unbelieved uint64
}

// Desk is made by New and run once.
type Desk struct {
	c     Config
	inbox chan []byte
	keys  atomic.Pointer[map[string]ed25519.PublicKey]

	mu     sync.Mutex
	counts Counts

	// Run's own.
	did      map[string]kept
	floor    uint64
	answered map[string]time.Time // by id: since the start
	doubted  string               // what was reported last of a command that cannot be believed
}

// kept is a command that was done, or refused for good.
type kept struct {
	Number uint64    `json:"number"`
	Done   wire.Done `json:"done"`
}

// New returns a desk and subscribes it: call it before the line runs.
func New(c Config) *Desk {
	if c.Skew == nil {
		c.Skew = func() time.Duration { return 0 }
	}
	if c.Report == nil {
		c.Report = func(wire.Kind, wire.Applied) {}
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	d := &Desk{c: c, inbox: make(chan []byte, inboxLength), did: map[string]kept{}, answered: map[string]time.Time{}}
	d.Trust(c.Keys)
	c.Pipe.Subscribe(c.Place.Down(wire.Commands), func(_ string, sealed []byte) {
		select {
		case d.inbox <- sealed:
		default: // headquarters sends it again
		}
	})
	return d
}

// Trust replaces the trusted keys.
func (d *Desk) Trust(keys map[string]ed25519.PublicKey) { d.keys.Store(&keys) }

// Counts are those since the start.
func (d *Desk) Counts() Counts {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.counts
}

// Run does what comes until ctx ends; then it returns nil. It returns an error when the journal has stopped.
func (d *Desk) Run(ctx context.Context) error {
	if err := d.remember(); err != nil {
		return fmt.Errorf("commands: %w", err)
	}
	for {
		select {
		case sealed := <-d.inbox:
			err := d.take(ctx, sealed)
			switch {
			case ctx.Err() != nil:
				return nil
			case errors.Is(err, journal.ErrStopped):
				return fmt.Errorf("commands: %w", err)
			case err != nil:
				d.c.Log.Error("a command is not answered: the journal refuses; headquarters will send it again", "err", err)
			}
		case <-ctx.Done():
			return nil
		}
	}
}

// remember reads back what was done. What cannot be read is as if it had a number that is over.
func (d *Desk) remember() error {
	state, err := d.c.Journal.State(bucket)
	if err != nil {
		return fmt.Errorf("read what was done: %w", err)
	}
	for id, value := range state {
		if id == floorKey {
			if err := json.Unmarshal(value, &d.floor); err != nil {
				return fmt.Errorf("read what was done: %w", err)
			}
			continue
		}
		var k kept
		if err := json.Unmarshal(value, &k); err != nil {
			return fmt.Errorf("read what was done: %w", err)
		}
		d.did[id] = k
	}
	return nil
}

// take believes, compares, does and answers a command, in this order.
func (d *Desk) take(ctx context.Context, sealed []byte) error {
	c, err := wire.OpenCommand(sealed, d.c.Place, *d.keys.Load())
	if err != nil {
		d.doubt(err)
		return nil
	}
	if k, ok := d.did[c.ID]; ok {
		return d.repeat(ctx, k)
	}
	if c.Number <= d.floor { // known by its number; not remembered anew, or it would push out another
		return d.repeat(ctx, kept{c.Number, wire.Done{ID: c.ID, Do: c.Do, Outcome: wire.IsRefused, Code: wire.NotNew,
			Why: fmt.Sprintf("its number %d is not above %d", c.Number, d.floor)}})
	}
	a := Answer{Outcome: wire.IsExpired}
	if time.Now().Add(-d.c.Skew()).Before(c.Expires) {
		a = d.do(ctx, c)
	}
	if ctx.Err() != nil {
		return nil // it comes again
	}
	return d.answer(ctx, c, a)
}

func (d *Desk) do(ctx context.Context, c wire.Command) Answer {
	do := d.c.Do[c.Do]
	if do == nil {
		return Refused(wire.NotKnown, fmt.Errorf("this foyerd knows no command %.40q", c.Do))
	}
	d.c.Log.Info("headquarters' command is done", "command", c.ID, "do", string(c.Do))
	ctx, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	return do(ctx, c)
}

// answer journals what became of a command, with the memory that it was done and with what it changes.
func (d *Desk) answer(ctx context.Context, c wire.Command, a Answer) error {
	done := wire.Done{ID: c.ID, Do: c.Do, Outcome: a.Outcome, Code: a.Code, Why: a.Why, Settings: a.Settings, Results: a.Results}.Shortened()
	k := kept{c.Number, done}
	puts, forgotten, floor, err := d.keep(c.ID, k)
	if err != nil {
		return err
	}
	if err := d.record(ctx, done, append(puts, a.Puts...)); err != nil {
		return err
	}
	if d.did[c.ID], d.floor = k, floor; forgotten != "" {
		delete(d.did, forgotten)
	}
	d.count(done.Outcome)
	d.c.Log.Info("a command is answered", "command", c.ID, "do", string(c.Do), "outcome", string(done.Outcome), "code", string(done.Code))
	if a.After != nil {
		a.After()
	}
	return nil
}

// keep is what the journal's state gets, and which command is from then on known by its number alone.
func (d *Desk) keep(id string, k kept) (puts []journal.Put, forgotten string, floor uint64, err error) {
	value, err := json.Marshal(k)
	if err != nil {
		return nil, "", 0, err
	}
	puts, floor = []journal.Put{{Bucket: bucket, Key: id, Value: value}}, d.floor
	if len(d.did) < remembered {
		return puts, "", floor, nil
	}
	lowest := uint64(math.MaxUint64)
	for old, was := range d.did {
		if was.Number < lowest {
			lowest, forgotten = was.Number, old
		}
	}
	floor = max(floor, lowest)
	text, err := json.Marshal(floor)
	return append(puts, journal.Put{Bucket: bucket, Key: forgotten}, journal.Put{Bucket: bucket, Key: floorKey, Value: text}), forgotten, floor, err
}

// repeat answers a command that was answered before.
func (d *Desk) repeat(ctx context.Context, k kept) error {
	d.mu.Lock()
	d.counts.Repeated++
	d.mu.Unlock()
	if last, ok := d.answered[k.Done.ID]; ok && time.Since(last) < againPause {
		return nil // the answer is on its way
	}
	return d.record(ctx, k.Done, nil)
}

func (d *Desk) record(ctx context.Context, done wire.Done, puts []journal.Put) error {
	payload, err := wire.EncodeRecord(wire.NewRecord(wire.CommandDone, time.Now(), done))
	if err != nil {
		return err
	}
	if _, err := d.c.Journal.Append(ctx, journal.Entry{Lane: wire.LaneOf(wire.CommandDone), Payload: payload, Puts: puts}); err != nil {
		return err
	}
	if len(d.answered) > maxAnswered {
		clear(d.answered)
	}
	d.answered[done.ID] = time.Now()
	return nil
}

func (d *Desk) count(o wire.Outcome) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch o {
	case wire.IsDone:
		d.counts.Done++
	case wire.IsRefused:
		d.counts.Refused++
	case wire.IsFailed:
		d.counts.Failed++
	case wire.IsExpired:
		d.counts.Expired++
	}
}

// doubt tells of a command that cannot be believed, but not twice in a row of the same one: whoever sent it has no number for it.
func (d *Desk) doubt(err error) {
	d.mu.Lock()
	d.counts.Unbelieved++
	d.mu.Unlock()
	codes := []struct {
		is   error
		code wire.Code
	}{{wire.ErrForged, wire.RefusedForged}, {wire.ErrUnknownKey, wire.RefusedKey}, {wire.ErrTooLarge, wire.RefusedTooLarge}, {wire.ErrElsewhere, wire.RefusedElsewhere}}
	code := wire.RefusedFormat
	if i := slices.IndexFunc(codes, func(x struct {
		is   error
		code wire.Code
	}) bool {
		return errors.Is(err, x.is)
	}); i >= 0 {
		code = codes[i].code
	}
	if d.doubted == err.Error() {
		return
	}
	d.doubted = err.Error()
	d.c.Log.Warn("a command is not believed", "code", string(code), "err", err)
	d.c.Report(wire.SnapshotRefused, wire.Applied{Snapshot: wire.Commands, Code: code, Why: err.Error()})
}
