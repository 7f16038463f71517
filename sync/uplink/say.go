package uplink

import (
	"time"

	"foyer/sync/wire"
)

// sayMore says how it stands when something has gone wrong or well again, and now and then: each word wakes a metered line.
func (u *Uplink) sayMore(now time.Time) {
	if u.saidAt.IsZero() || !u.open() {
		return
	}
	if why := u.Status().Why; why != u.saidWhy || now.Sub(u.saidAt) >= statePause {
		u.say(now)
	}
}

func (u *Uplink) open() bool {
	for _, l := range u.lanes {
		if !l.flow.open {
			return false
		}
	}
	return true
}

// say retains how it stands where headquarters reads it.
func (u *Uplink) say(now time.Time) {
	if u.c.Version == "" {
		return
	}
	s := u.Status()
	u.saidAt, u.saidWhy = now, s.Why
	word := s.state(u.c.Version, now)
	if u.c.Guests != nil {
		word.Guests = u.c.Guests()
	}
	state, err := wire.EncodeState(word)
	if err == nil {
		err = u.c.Pipe.Publish(u.c.Place.State(), true, state)
	}
	if err != nil {
		u.c.Log.Debug("state not published", "error", err)
	}
}

func (s Status) state(version string, now time.Time) wire.State {
	w := wire.State{Online: true, At: now.UTC(), Version: version, Epoch: s.Epoch, Budget: s.Budget, Spent: s.Spent, Why: s.Why}
	if s.Measured {
		w.SkewMS = new(s.Skew.Milliseconds())
	}
	if g := s.GivenUp; g != (wire.GivenUp{}) {
		w.Given = &g
	}
	for _, l := range s.Lanes {
		w.Lanes = append(w.Lanes, wire.LaneState{Lane: l.Lane, Last: l.Last, Acked: l.Acked, Oldest: l.Oldest.UTC(), LastAck: l.LastAck.UTC().Truncate(time.Second),
			Lost: l.Lost, Waits: l.Waits})
	}
	return w
}
