package api

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"time"
)

const (
	firstWait  = 100 * time.Millisecond
	longWait   = 2 * time.Second
	deniedWait = 10 * time.Second // nobody mends a token within seconds, and wrong ones are counted
)

// Update is what a follower learns. With a Snapshot, all before is void. With an Event, that one thing changed. With
// neither, only Online changed.
type Update struct {
	Snapshot *Snapshot
	Event    *Event
	Online   bool
	Why      error // why the connection is lost, when Online is false
}

// Follow keeps one face right until ctx ends, and then returns nil. It calls on, one call at a time from this
// goroutine, with a snapshot and then every event exactly once and in order; where that cannot be (a gap, a restarted
// foyerd) a new snapshot comes instead. It reconnects for ever: 100 ms to 2 s between attempts.
func Follow(ctx context.Context, c *Client, face Face, on func(Update)) error {
	f := follower{client: c, face: face, on: on}
	for ctx.Err() == nil {
		err := f.session(ctx)
		if ctx.Err() != nil {
			return nil
		}
		f.after(ctx, err)
	}
	return nil
}

type follower struct {
	client *Client
	face   Face
	on     func(Update)

	whole  bool // epoch and last describe what on has been told
	epoch  string
	last   uint64
	online bool
	told   bool // the first word has been said, so that being offline at the very start is told too
	tries  int  // attempts without any progress
}

// session lasts from a connection to its end.
func (f *follower) session(ctx context.Context) error {
	if !f.whole {
		s, err := f.client.Snapshot(ctx, f.face)
		if err != nil {
			return err
		}
		f.whole, f.epoch, f.last = true, s.Epoch, s.Last
		f.say(Update{Snapshot: &s, Online: true})
	}
	stream, err := f.client.Events(ctx, f.face, f.epoch, f.last)
	if err != nil {
		return err
	}
	defer stream.Close()
	if !f.online {
		f.say(Update{Online: true})
	}
	opened := time.Now()
	for {
		e, err := stream.Next()
		if err != nil {
			if time.Since(opened) >= Heartbeat {
				f.tries = 0
			}
			return err
		}
		if err := f.take(e); err != nil {
			return err
		}
	}
}

// take passes an event on, unless it was seen already; a gap asks for a new snapshot.
func (f *follower) take(e Event) error {
	switch {
	case e.ID <= f.last:
		return nil
	case e.ID > f.last+1:
		return ErrResync
	}
	f.last, f.tries = e.ID, 0
	f.say(Update{Event: &e, Online: true})
	return nil
}

// after decides what follows the end of a session: at once a new snapshot, or a wait. A server that asks for a resync
// again and again must not make us spin, so only the first one is free.
func (f *follower) after(ctx context.Context, err error) {
	if errors.Is(err, ErrResync) {
		f.whole = false
		if f.tries == 0 {
			f.tries++
			return
		}
	}
	if f.online || !f.told {
		f.say(Update{Online: false, Why: err})
	}
	pause(ctx, f.wait(err))
	f.tries++
}

func (f *follower) say(u Update) {
	f.online, f.told = u.Online, true
	f.on(u)
}

// wait doubles with each attempt and is cut by a random share, so that the screens of a store do not come back in step.
func (f *follower) wait(err error) time.Duration {
	d := min(firstWait<<min(f.tries, 10), longWait)
	if p, ok := errors.AsType[*Problem](err); ok && (p.Status == http.StatusUnauthorized ||
		p.Status == http.StatusForbidden || p.Status == http.StatusTooManyRequests) {
		d = deniedWait
	}
	return d - time.Duration(rand.Int64N(int64(d)/3))
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
