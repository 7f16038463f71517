package signal

import (
	"cmp"
	"context"
	"log/slog"
	"time"

	"foyer/reader/link"
)

// Door is a door that came to rest.
type Door struct {
	Name string
	Open bool
	At   time.Time // when it began to stand so
}

// DoorConfig is one door contact: closed while the door is.
type DoorConfig struct {
	Name   string
	Port   string        // "gpio:LINE"
	Settle time.Duration // how long a contact must rest; default 50 ms
	Log    *slog.Logger

	Trouble func(error)                                // is told when the contact fails, and, with nil, when it works again; nil is fine
	Open    func(ctx context.Context) (Contact, error) // nil: the kernel's line
}

// Contact is what a door needs of link.Contact.
type Contact interface {
	Next(wait time.Duration) (closed, moved bool, err error)
	Close() error
}

// WatchDoor tells each rest of a door until ctx ends: first how it stands, then every change. tell must not block.
// A contact whose chip vanishes is opened again. The error is that of a port that can never open.
func WatchDoor(ctx context.Context, c DoorConfig, tell func(Door)) error {
	troubled := false
	use := func(ctx context.Context, contact Contact) error {
		if troubled {
			c.Log.Info("door contact works again", "door", c.Name)
			c.trouble(nil)
		}
		troubled = false
		return watch(ctx, c, contact, tell)
	}
	return c.dialer().Run(ctx, use, func(err error) {
		if !troubled {
			c.Log.Warn("door contact does not work", "door", c.Name, "err", err)
			c.trouble(err)
		}
		troubled = true
	})
}

func (c DoorConfig) dialer() *link.Dialer[Contact] {
	kernel := link.DialContact(c.Port)
	open := c.Open
	if open == nil {
		open = func(ctx context.Context) (Contact, error) {
			contact, err := kernel.Open(ctx)
			if err != nil {
				return nil, err // and not a nil *link.Contact, which is no nil Contact
			}
			return contact, nil
		}
	}
	return &link.Dialer[Contact]{Open: open, Trace: kernel.Trace}
}

func (c DoorConfig) trouble(err error) {
	if c.Trouble != nil {
		c.Trouble(err)
	}
}

// lookEvery is how soon watch notices that ctx has ended.
const lookEvery = 200 * time.Millisecond

func watch(ctx context.Context, c DoorConfig, contact Contact, tell func(Door)) error {
	r := rest{settle: cmp.Or(c.Settle, 50*time.Millisecond)}
	wait := time.Nanosecond // at once: how does it stand?
	for ctx.Err() == nil {
		closed, moved, err := contact.Next(wait)
		if err != nil || ctx.Err() != nil {
			return err
		}
		now := time.Now()
		if r.look(closed, moved, now) {
			tell(Door{Name: c.Name, Open: !closed, At: r.since})
		}
		wait = r.wait(now)
	}
	return nil
}

// rest finds out when a contact has stopped bouncing. It has no clock.
type rest struct {
	settle time.Duration
	told   bool // how it stands was told
	stood  bool // what was told last
	begun  bool // since is set
	closed bool // as last seen
	since  time.Time
}

// look takes one look at the contact, and reports whether it rests otherwise than was told last.
func (r *rest) look(closed, moved bool, now time.Time) bool {
	if !r.begun || moved || closed != r.closed {
		r.begun, r.closed, r.since = true, closed, now
	}
	if r.told && r.closed == r.stood || now.Sub(r.since) < r.settle {
		return false
	}
	r.told, r.stood = true, r.closed
	return true
}

// wait is how long nothing needs to be looked at.
func (r *rest) wait(now time.Time) time.Duration {
	if r.told && r.closed == r.stood {
		return lookEvery
	}
	return max(r.settle-now.Sub(r.since), time.Millisecond)
}
