// Package downlink brings headquarters' signed snapshots into force at the store, and keeps the last good ones.
//
// In: sealed snapshots from the line, and sealed changes of the members. Out: calls of Apply with verified snapshots, in
// the order of their versions; the last good one of each kind in the journal; a report of each that was applied or refused; questions
// for members where those in force are not headquarters'. Versions count from 1.
// It never puts anything into force that is forged, older than what is in force, meant for somebody else or refused by Apply;
// it never unpacks what it has not verified, and never lets a version go back, not over a restart either.
// Members who are not among those in force are asked for one by one (guests.go), if a filter has their tag (known.go).
// Members have a lease: who hears nothing new from headquarters for so long forgets them (lease.go).
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

	"foyer/shop/member"
	"foyer/sync/journal"
	"foyer/sync/vault"
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
	// Ask publishes a question to headquarters, without keeping it. With it members come as changes, and whole only where no
	// change leads to them; nil: whole, at each connection.
	Ask func(what string, payload []byte) error
	// Vault has the key that members are kept sealed with; it is erased when their lease ends. Nil: they are kept as they came.
	Vault      *vault.Vault
	OldKeyFile string // the key of members that were kept before there was a vault; it is erased
	// Guests puts members in force whom answers told of, beside those of Apply: all of them at each change. With it, and Ask, members
	// who are not at hand can be asked for; nil: they cannot.
	Guests func([]member.Member)
	Spread time.Duration // a new filter of known tags is fetched at some time within it, the first at once
	Log    *slog.Logger  // nil discards
}

// Downlink is made by New and run once.
type Downlink struct {
	c     Config
	inbox chan message
	ended chan struct{}
	ready chan struct{} // closed once what the journal kept is in force

	trusted  chan map[string]ed25519.PublicKey // capacity 1: what Trust was told last
	renewals chan renewal

	anew chan struct{} // capacity 1: compute the members' digest anew

	guests guests

	mu       sync.Mutex
	versions map[string]uint64 // in force

	// Run's own.
	now       map[string]inForce
	roster    roster
	tags      tags
	lease     lease
	list      string             // the name of the key that members are sealed with; empty until it is needed
	refused   map[string]string  // by kind: what was reported last, so that a retained message is not reported at each reconnection
	untrusted map[string]message // by kind: the last one whose key is not trusted; it is tried again when keys change
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
		versions: map[string]uint64{}, now: map[string]inForce{}, refused: map[string]string{}, untrusted: map[string]message{},
		trusted: make(chan map[string]ed25519.PublicKey, 1), anew: make(chan struct{}, 1), renewals: make(chan renewal), guests: newGuests(),
	}
	if d.asks() {
		d.subscribeGuests()
	}
	for _, kind := range slices.Sorted(maps.Keys(c.Apply)) {
		if kind == wire.Members && c.Ask != nil {
			d.subscribeMembers()
			continue
		}
		d.subscribe(kind, kind)
	}
	return d
}

// asks reports whether members who are not at hand can be asked for.
func (d *Downlink) asks() bool { return d.c.Ask != nil && d.c.Guests != nil }

// subscribe takes what comes on the topic as a message of a kind.
func (d *Downlink) subscribe(topic, kind string) {
	d.c.Pipe.Subscribe(d.c.Place.Down(topic), func(_ string, sealed []byte) {
		select {
		case d.inbox <- message{kind, sealed}:
		case <-d.ended:
		}
	})
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

// Doubt has the digest of the members that are kept computed anew, at headquarters' next word on them.
func (d *Downlink) Doubt() {
	select {
	case d.anew <- struct{}{}:
	default:
	}
}

// Restored is closed once Run has put into force what the journal kept. Who reads tags waits for it: before, every
// member is a stranger.
func (d *Downlink) Restored() <-chan struct{} { return d.ready }

// Run puts what the journal kept into force, then what headquarters sends, until ctx ends; then it returns nil. It
// returns an error when the journal has stopped.
func (d *Downlink) Run(ctx context.Context) error {
	defer close(d.ended)
	d.restoreLease()
	for _, kind := range slices.Sorted(maps.Keys(d.c.Apply)) {
		if err := d.restore(ctx, kind); err != nil {
			return fmt.Errorf("downlink: %w", err)
		}
	}
	d.leaveOld(ctx)
	if d.asks() {
		d.restoreKnown()
		d.restoreGuests(ctx)
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
		case <-d.anew:
			d.roster.known = false
		case d.c.Keys = <-d.trusted:
			todo = slices.Collect(maps.Values(d.untrusted))
			clear(d.untrusted)
		case r := <-d.renewals:
			d.renewKey(ctx, r)
		case <-d.askAgain():
			d.ask()
		case q := <-d.guests.questions:
			d.put(q)
		case <-d.questionTick():
			d.lookAtQuestions()
		case <-d.partTick():
			todo = []message{{wire.KnownParts, nil}}
		case <-d.leaseTick():
			if err := d.lookAtLease(ctx); err != nil {
				return fmt.Errorf("downlink: %w", err)
			}
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
func (d *Downlink) restore(ctx context.Context, kind string) error {
	version, kept, ok := d.c.Journal.Snapshot(kind)
	if !ok {
		return nil
	}
	sealed, err := d.unlocked(kept)
	switch {
	case errors.Is(err, vault.ErrErased): // the key was erased: they are forgotten
		d.forgotten(ctx, version)
		return nil
	case kind == wire.Members && d.lease.over(time.Now()):
		d.now[kind] = inForce{version: version}
		return d.forget(ctx)
	case err == nil:
		d.now[kind] = inForce{version, sealed}
		err = d.reapply(kind, sealed)
	default:
		d.now[kind] = inForce{version: version}
	}
	if err == nil {
		return nil
	}
	d.report(kind, version, &refusal{wire.RefusedNotKept, err})
	if version, kept, ok = d.c.Journal.SnapshotBefore(kind); ok {
		if sealed, err = d.unlocked(kept); err == nil {
			err = d.reapply(kind, sealed)
		}
		if err != nil {
			d.report(kind, version, &refusal{wire.RefusedNotKept, err})
		}
	}
	return nil
}

func (d *Downlink) reapply(kind string, sealed []byte) error {
	s, err := d.reopen(kind, sealed)
	if err != nil {
		return err
	}
	if err := d.c.Apply[kind](s); err != nil {
		return err
	}
	d.isInForce(s)
	d.c.Log.Info("snapshot from before is in force", "snapshot", kind, "version", s.Version)
	return nil
}

// receive takes one snapshot from the line. Its error is one to try again after: the snapshot itself is good.
func (d *Downlink) receive(ctx context.Context, m message) error {
	was := m
	var s wire.Snapshot
	var err error
	switch m.kind {
	case wire.MembersHead:
		s, err = d.head(ctx, m.sealed)
	case wire.MembersDelta:
		s, err = d.delta(ctx, m.sealed)
	case wire.MemberTopic:
		d.answer(ctx, m.sealed)
		return nil
	case wire.Known:
		s, err = d.knownHead(ctx, m.sealed)
	case wire.KnownParts:
		s, err = d.part(ctx, m.sealed)
		m.kind = wire.Known
	default:
		s, err = d.consider(ctx, m)
	}
	if m.kind == wire.MembersHead || m.kind == wire.MembersDelta {
		m.kind = wire.Members // what is told of, whatever brought it
	}
	switch r, refused := errors.AsType[*refusal](err); {
	case refused:
		if r.code == wire.RefusedKey {
			d.untrusted[was.kind] = was
		}
		d.report(m.kind, s.Version, r)
		return nil
	case err != nil && m.kind == wire.Known && d.tags.want != nil: // it is tried again as its parts are
		d.c.Log.Error("snapshot not kept; it is tried again", "snapshot", m.kind, "version", s.Version, "error", err)
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
	case have && s.Version == now.version && (now.sealed == nil || isRebuilt(now.sealed)) && d.InForce(m.kind) != now.version:
		// what was kept is of no use or forgotten; this is the whole that was asked for
	case have && s.Version == now.version:
		return s, refuse(wire.RefusedAltered, "version %d is in force with other contents: a change needs a new version", s.Version)
	}
	return s, d.putInForce(ctx, s, m.sealed)
}

// putInForce applies what was verified, keeps it and reports it.
func (d *Downlink) putInForce(ctx context.Context, s wire.Snapshot, kept []byte) error {
	if err := d.c.Apply[s.Kind](s); err != nil {
		return &refusal{wire.RefusedRules, err}
	}
	locked, err := d.locked(s.Kind, kept)
	if err == nil {
		err = d.c.Journal.PutSnapshot(ctx, s.Kind, s.Version, locked)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errNotKept, err)
	}
	d.now[s.Kind] = inForce{s.Version, kept}
	d.isInForce(s)
	if s.Kind == wire.Members {
		d.forgetGuests(ctx, s.MadeAt)
	}
	delete(d.refused, s.Kind)
	delete(d.untrusted, s.Kind)
	d.c.Log.Info("snapshot applied", "snapshot", s.Kind, "version", s.Version)
	d.c.Report(wire.SnapshotApplied, wire.Applied{Snapshot: s.Kind, Version: s.Version})
	return nil
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

func (d *Downlink) isInForce(s wire.Snapshot) {
	if s.Kind == wire.Members && d.c.Ask != nil {
		d.membersInForce(s)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.versions[s.Kind] = s.Version
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
