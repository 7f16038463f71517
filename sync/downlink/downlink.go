// Package downlink brings headquarters' signed snapshots into force at the store, and keeps the last good ones.
//
// In: sealed snapshots from the line. Out: calls of Apply with verified snapshots, in the order of their versions; the
// last good one of each kind in the journal; a report of each that was applied or refused. Versions count from 1.
// It never puts anything into force that is forged, older than what is in force, meant for somebody else or refused by Apply;
// it never unpacks what it has not verified, and never lets a version go back, not over a restart either.
// Called by internal/daemon.
//
// # Goroutines
//
// Run's own, on which Apply and Report are called. Snapshots come through a channel of 4; while it is full the
// line's dispatcher waits.
package downlink

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"foyer/sync/journal"
	"foyer/sync/wire"
)

const (
	inboxLength = 4                // of up to wire.MaxSealed bytes each
	keepAgain   = 10 * time.Second // until a snapshot that the journal could not keep is tried again
)

// Pipe is the line as the downlink needs it.
type Pipe interface {
	Subscribe(filter string, fn func(topic string, payload []byte))
}

// Config of a downlink. Place, Journal, Pipe, Keys and Apply must be there.
type Config struct {
	Place   wire.Place
	Journal *journal.Journal
	Pipe    Pipe
	Keys    map[string]ed25519.PublicKey         // trusted, by key id, until Trust says otherwise
	Apply   map[string]func(wire.Snapshot) error // by kind: checks the contents and puts them into force, or returns why not and changes nothing
	Report  func(kind wire.Kind, a wire.Applied) // wire.SnapshotApplied or wire.SnapshotRefused; nil for none
	Log     *slog.Logger                         // nil discards
}

// Downlink is made by New and run once.
type Downlink struct {
	c     Config
	inbox chan message
	ended chan struct{}
	ready chan struct{} // closed once what the journal kept is in force

	trusted chan map[string]ed25519.PublicKey // capacity 1: what Trust was told last

	mu       sync.Mutex
	versions map[string]uint64 // in force

	// Run's own.
	now     map[string]inForce
	refused map[string]string  // by kind: what was reported last, so that a retained message is not reported at each reconnection
	locked  map[string]message // by kind: the last one whose key is not trusted; it is tried again when keys change
}

type message struct {
	kind   string
	sealed []byte
}

// inForce is the last good snapshot of a kind. Its version stays the mark even if it could not be put into force again.
type inForce struct {
	version uint64
	sealed  []byte
}

// refusal is why a snapshot is not put into force.
type refusal struct {
	code wire.Code
	err  error
}

func (r *refusal) Error() string { return r.err.Error() }

func refuse(code wire.Code, format string, args ...any) *refusal {
	return &refusal{code, fmt.Errorf(format, args...)}
}

// errNotKept is no refusal: the snapshot is good, the journal could not keep it.
var errNotKept = errors.New("the journal cannot keep the snapshot")

// New returns a downlink and subscribes it to the kinds that Apply names: call it before the line runs.
func New(c Config) *Downlink {
	if c.Report == nil {
		c.Report = func(wire.Kind, wire.Applied) {}
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	d := &Downlink{
		c: c, inbox: make(chan message, inboxLength), ended: make(chan struct{}), ready: make(chan struct{}),
		versions: map[string]uint64{}, now: map[string]inForce{}, refused: map[string]string{}, locked: map[string]message{},
		trusted: make(chan map[string]ed25519.PublicKey, 1),
	}
	for _, kind := range slices.Sorted(maps.Keys(c.Apply)) {
		c.Pipe.Subscribe(c.Place.Down(kind), func(_ string, sealed []byte) {
			select {
			case d.inbox <- message{kind, sealed}:
			case <-d.ended:
			}
		})
	}
	return d
}

// InForce is the version of a kind that is in force; 0 for none.
func (d *Downlink) InForce(kind string) uint64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.versions[kind]
}

// Trust replaces the trusted keys: headquarters changes its key. A snapshot that came before its key did is tried again.
func (d *Downlink) Trust(keys map[string]ed25519.PublicKey) {
	select {
	case <-d.trusted: // nobody took what was told before
	default:
	}
	select {
	case d.trusted <- keys:
	default: // somebody else told at the same moment
	}
}

// Restored is closed once Run has put into force what the journal kept. Who reads tags waits for it: before, every
// member is a stranger.
func (d *Downlink) Restored() <-chan struct{} { return d.ready }

// Run puts what the journal kept into force, then what headquarters sends, until ctx ends; then it returns nil. It
// returns an error when the journal has stopped.
func (d *Downlink) Run(ctx context.Context) error {
	defer close(d.ended)
	for _, kind := range slices.Sorted(maps.Keys(d.c.Apply)) {
		d.restore(kind)
	}
	close(d.ready)
	var again []message // good, but not kept
	for {
		var retry <-chan time.Time
		if len(again) > 0 {
			retry = time.After(keepAgain)
		}
		var todo []message
		select {
		case m := <-d.inbox:
			todo = []message{m}
		case <-retry:
			todo, again = again, nil
		case d.c.Keys = <-d.trusted:
			todo = slices.Collect(maps.Values(d.locked))
			clear(d.locked)
		case <-ctx.Done():
			return nil
		}
		for _, m := range todo {
			err := d.receive(ctx, m)
			switch {
			case ctx.Err() != nil:
				return nil
			case errors.Is(err, journal.ErrStopped):
				return fmt.Errorf("downlink: %w", err)
			case err != nil:
				again = append(slices.DeleteFunc(again, func(old message) bool { return old.kind == m.kind }), m)
			}
		}
	}
}

// restore puts the last good snapshot of a kind into force again, or the one before it. It was verified when it was kept, and
// is verified again: the file may have been changed, and a key may be trusted no more.
func (d *Downlink) restore(kind string) {
	version, sealed, ok := d.c.Journal.Snapshot(kind)
	if !ok {
		return
	}
	d.now[kind] = inForce{version, sealed}
	err := d.reapply(kind, sealed)
	if err == nil {
		return
	}
	d.report(kind, version, &refusal{wire.RefusedNotKept, err})
	if version, sealed, ok = d.c.Journal.SnapshotBefore(kind); ok {
		if err := d.reapply(kind, sealed); err != nil {
			d.report(kind, version, &refusal{wire.RefusedNotKept, err})
		}
	}
}

func (d *Downlink) reapply(kind string, sealed []byte) error {
	s, err := d.verify(kind, sealed)
	if err != nil {
		return err
	}
	if err := d.c.Apply[kind](s); err != nil {
		return err
	}
	d.isInForce(kind, s.Version)
	d.c.Log.Info("snapshot from before is in force", "snapshot", kind, "version", s.Version)
	return nil
}

// receive takes one snapshot from the line. Its error is one to try again after: the snapshot itself is good.
func (d *Downlink) receive(ctx context.Context, m message) error {
	s, err := d.consider(ctx, m)
	switch r, refused := errors.AsType[*refusal](err); {
	case refused:
		if r.code == wire.RefusedKey {
			d.locked[m.kind] = m
		}
		d.report(m.kind, s.Version, r)
		return nil
	case err != nil:
		d.c.Log.Error("snapshot not kept; it is tried again", "snapshot", m.kind, "version", s.Version, "error", err)
	}
	return err
}

// consider verifies, compares, applies and keeps a snapshot, in this order.
func (d *Downlink) consider(ctx context.Context, m message) (wire.Snapshot, error) {
	s, err := d.verify(m.kind, m.sealed)
	if err != nil {
		return s, err
	}
	now, have := d.now[m.kind]
	switch {
	case have && s.Version < now.version:
		return s, refuse(wire.RefusedOlder, "version %d is older than %d, which is in force", s.Version, now.version)
	case have && s.Version == now.version && bytes.Equal(m.sealed, now.sealed):
		if d.InForce(m.kind) == now.version {
			return s, nil // headquarters' retained message, once more
		} // else it was kept, and failed when it was put into force again
	case have && s.Version == now.version:
		return s, refuse(wire.RefusedAltered, "version %d is in force with other contents: a change needs a new version", s.Version)
	}
	if err := d.c.Apply[m.kind](s); err != nil {
		return s, &refusal{wire.RefusedRules, err}
	}
	if err := d.c.Journal.PutSnapshot(ctx, m.kind, s.Version, m.sealed); err != nil {
		return s, fmt.Errorf("%w: %w", errNotKept, err)
	}
	d.now[m.kind] = inForce{s.Version, m.sealed}
	d.isInForce(m.kind, s.Version)
	delete(d.refused, m.kind)
	delete(d.locked, m.kind)
	d.c.Log.Info("snapshot applied", "snapshot", m.kind, "version", s.Version)
	d.c.Report(wire.SnapshotApplied, wire.Applied{Snapshot: m.kind, Version: s.Version})
	return s, nil
}

// verify opens a snapshot and checks that it is for us. Its error is a refusal.
func (d *Downlink) verify(kind string, sealed []byte) (wire.Snapshot, error) {
	s, err := wire.Open(sealed, d.c.Keys)
	if err != nil {
		return wire.Snapshot{}, &refusal{codeOf(err), err}
	}
	if err := s.For(d.c.Place); err != nil {
		return s, &refusal{wire.RefusedElsewhere, err}
	}
	if s.Kind != kind {
		return s, refuse(wire.RefusedElsewhere, "it is a snapshot of %s and came as one of %s", s.Kind, kind)
	}
	return s, nil
}

func codeOf(err error) wire.Code {
	switch {
	case errors.Is(err, wire.ErrForged):
		return wire.RefusedForged
	case errors.Is(err, wire.ErrUnknownKey):
		return wire.RefusedKey
	case errors.Is(err, wire.ErrTooLarge):
		return wire.RefusedTooLarge
	}
	return wire.RefusedFormat
}

func (d *Downlink) isInForce(kind string, version uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.versions[kind] = version
}

// report tells of a refusal, but not twice in a row of the same one.
func (d *Downlink) report(kind string, version uint64, r *refusal) {
	what := fmt.Sprintf("%d %s %v", version, r.code, r.err)
	if d.refused[kind] == what {
		return
	}
	d.refused[kind] = what
	d.c.Log.Warn("snapshot refused", "snapshot", kind, "version", version, "code", r.code, "error", r.err)
	d.c.Report(wire.SnapshotRefused, wire.Applied{Snapshot: kind, Version: version, Code: r.code, Why: shorten(r.err.Error())})
}

// shorten keeps a report of a broken campaign within a record.
func shorten(why string) string {
	const most = 1000
	runes := []rune(why)
	if len(runes) <= most {
		return why
	}
	return string(runes[:most]) + "..."
}
