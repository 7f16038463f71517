package downlink

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"foyer/sync/journal"
	"foyer/sync/wire"
)

const (
	leaseBucket = "lease"
	leaseKey    = "members"
	leaseLook   = 10 * time.Minute // a clock that was wrong may be set meanwhile
	leaseGrace  = time.Minute      // for headquarters to renew the lease of a store that is online
)

// lease is how long the members may be kept without a word from headquarters. Only a head that is newer than all before
// renews it: a broker that repeats an old one does not.
type lease struct {
	Heard  time.Time     `json:"heard"` // when the newest head came, by the store's clock
	MadeAt time.Time     `json:"made_at"`
	For    time.Duration `json:"for"` // nanoseconds; 0: for ever

	used   time.Duration // of it, when this process took it up
	since  time.Time     // when that was; it has a monotonic reading
	behind bool          // the clock was behind Heard then: it was wrong, and will be set

	asked    time.Time // when headquarters was asked for a new one, because it had ended
	unerased bool      // it has ended, and the disk still holds the key
}

// takeUp begins to count. What passed while nobody counted is known from the wall clock alone.
func (l *lease) takeUp(now time.Time) {
	l.since, l.used = now, min(l.For+1, max(0, now.Round(0).Sub(l.Heard)))
	l.behind = now.Round(0).Before(l.Heard)
}

// left is how much of a lease there is. While this process runs it counts by the monotonic clock, so that a wall clock that is set, or
// jumps, ends none. One that was behind at the start is believed when it is set: the box may have been off for long.
func (l lease) left(now time.Time) time.Duration {
	used := l.used + now.Sub(l.since)
	if l.behind {
		used = max(used, now.Round(0).Sub(l.Heard))
	}
	return l.For - used
}

// over reports a lease that has ended.
func (l lease) over(now time.Time) bool { return l.For > 0 && l.left(now) < 0 }

// restoreLease reads what the journal knows of the lease.
func (d *Downlink) restoreLease() {
	state, err := d.c.Journal.State(leaseBucket)
	if err == nil && state[leaseKey] != nil {
		err = json.Unmarshal(state[leaseKey], &d.lease)
	}
	if err != nil {
		d.c.Log.Error("the members' lease cannot be read", "error", err)
	}
	d.lease.takeUp(time.Now())
}

// renew takes a head's word for how long the members may be kept.
func (d *Downlink) renew(ctx context.Context, s wire.Snapshot, body wire.HeadBody) {
	if !s.MadeAt.After(d.lease.MadeAt) {
		return
	}
	d.lease = lease{Heard: time.Now().Round(0), since: time.Now(), MadeAt: s.MadeAt, For: time.Duration(body.LeaseSeconds) * time.Second}
	data, err := json.Marshal(d.lease)
	if err == nil {
		err = d.c.Journal.Submit(ctx, journal.Entry{Puts: []journal.Put{{Bucket: leaseBucket, Key: leaseKey, Value: data}}})
	}
	if err != nil {
		d.c.Log.Error("the members' lease is not kept", "error", err)
	}
}

// leaseTick fires when the lease is to be looked at.
func (d *Downlink) leaseTick() <-chan time.Time {
	if d.lease.unerased {
		return time.After(leaseGrace)
	}
	if d.lease.For == 0 || d.now[wire.Members].sealed == nil {
		return nil
	}
	left := d.lease.left(time.Now()) + time.Millisecond
	if !d.lease.asked.IsZero() {
		left = leaseGrace
	}
	return time.After(max(0, min(left, leaseLook)))
}

// lookAtLease forgets the members when the lease has ended. A store that is online asks first: its clock may have been wrong at the start.
func (d *Downlink) lookAtLease(ctx context.Context) error {
	switch {
	case d.lease.unerased:
		d.erase()
		return nil
	case !d.lease.over(time.Now()):
		d.lease.asked = time.Time{}
		return nil
	case d.lease.asked.IsZero() && d.ask() == nil:
		d.lease.asked = time.Now()
		return nil
	}
	return d.forget(ctx)
}

// forget makes the members unreadable, for the shop at once and on the disk. Their version stays the mark below which
// nothing is taken; the same version is taken again when headquarters sends it.
func (d *Downlink) forget(ctx context.Context) error {
	version := d.now[wire.Members].version
	none := wire.Snapshot{Kind: wire.Members, Chain: d.c.Place.Chain, Version: version, Body: wire.Roster{}.Body()}
	if err := d.c.Apply[wire.Members](none); err != nil {
		return fmt.Errorf("forget the members: %w", err) // nobody is a list that breaks no rule
	}
	d.forgotten(ctx, version)
	d.report(wire.Members, version, refuse(wire.RefusedLease, "nothing new from headquarters since %s", d.lease.Heard.UTC().Format(time.RFC3339)))
	d.erase()
	return nil
}

func (d *Downlink) forgotten(ctx context.Context, version uint64) {
	d.forgetGuests(ctx, time.Time{})
	d.roster, d.lease.asked = roster{}, time.Time{}
	d.now[wire.Members] = inForce{version: version}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.versions[wire.Members] = 0
}

// erase takes the key from the disk, and is tried again while that refuses.
func (d *Downlink) erase() {
	if d.c.Vault == nil {
		return
	}
	_, err := d.c.Vault.Erase(isList)
	if d.lease.unerased = err != nil; d.lease.unerased {
		d.c.Log.Error("the members are forgotten, but their key cannot be erased; it is tried again", "error", err)
	}
}
