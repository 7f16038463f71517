package shop

import (
	"time"

	"foyer/reader/tag"
	"foyer/shop/member"
	"foyer/shop/presence"
)

// maxWaiting bounds the arrivals that wait: who comes beyond it is a stranger.
const maxWaiting = 64

// Elsewhere knows of members whom the store does not have at hand. Neither method blocks.
type Elsewhere interface {
	// Maybe reports whether a tag may be such a member's. For nearly all strangers it says no, without a word to anybody.
	Maybe(id, also tag.ID) bool
	// Ask asks whose it is, unless nobody can be asked now. done is called once, from any goroutine: when the member is in
	// force, or when it is nobody's, or when no answer came for long.
	Ask(id, also tag.ID, done func()) bool
}

// waiting is an arrival whose member is asked for.
type waiting struct {
	presence.Arrived
	until time.Time
	late  bool           // the time is over, and the person was nobody for the screens
	left  *presence.Left // and is out of sight
}

// elsewhere reports whether a tag that is nobody's here may be a member's of other stores. One that the store has changed itself
// is what the store made it.
func (s *Shop) elsewhere(id, also tag.ID) bool {
	standing, _ := s.bindings.Find(id, also)
	return s.cfg.Elsewhere != nil && s.book != nil && standing == member.Unknown && !s.bindings.Marked(id) && s.cfg.Elsewhere.Maybe(id, also)
}

// await asks whose a tag is that arrives, and reports whether the arrival waits for the answer: for Times.Guest. Then the person is
// nobody for the public screens; a name that comes later is for reception, and for the next time.
func (s *Shop) await(e presence.Arrived) bool {
	if !s.elsewhere(e.ID, e.Also) {
		return false
	}
	if w := s.waiting[e.ID]; w != nil {
		w.Zone, w.left = e.Zone, nil
		return true
	}
	if len(s.waiting) >= maxWaiting {
		return false
	}
	w := &waiting{Arrived: e, until: s.cfg.Now().Add(s.cfg.Times.Guest)}
	asked := s.cfg.Elsewhere.Ask(e.ID, e.Also, func() {
		s.outcomes.add(func() { s.answered(w) })
		s.nudge(s.settled)
	})
	if asked {
		s.waiting[e.ID] = w
	}
	return asked
}

// answered goes on with an arrival: what headquarters said is in force.
func (s *Shop) answered(w *waiting) {
	delete(s.waiting, w.ID)
	s.refresh()
	if w.late {
		s.enterLate(w)
	} else {
		s.enter(w.Arrived)
	}
	if w.left != nil {
		s.left(*w.left)
	}
}

// enterLate is enter without a word to anybody but staff.
func (s *Shop) enterLate(w *waiting) {
	switch standing, m := s.bindings.Find(w.ID, w.Also); standing {
	case member.Carried:
		s.quiet = true
		s.visit(m, w.Arrived)
		s.quiet = false
	case member.Blocked:
		s.turnedUp(w.ID, m, w.Zone)
	default:
		s.strangers[w.Zone]++
	}
}

// hurry fires when the first of the arrivals that wait has waited long enough.
func (s *Shop) hurry() <-chan time.Time {
	var first time.Time
	for _, w := range s.waiting {
		if !w.late && (first.IsZero() || w.until.Before(first)) {
			first = w.until
		}
	}
	if first.IsZero() {
		return nil
	}
	return time.After(first.Sub(s.cfg.Now()))
}

// giveUp makes nobody of those who have waited long enough. Whose name comes late is not shown on a screen any more, where somebody
// else may stand by then.
func (s *Shop) giveUp() {
	for _, w := range s.waiting {
		if !w.late && !s.now.Before(w.until) {
			w.late = true
			s.notice(w.Zone, member.Unknown)
		}
	}
}

// stray follows a tag that waits into another zone.
func (s *Shop) stray(id tag.ID, zone string) {
	if w := s.waiting[id]; w != nil {
		w.Zone = zone
	}
}

// leaves notes that a tag left before there was an answer, and reports whether it did: the person may be about still.
func (s *Shop) leaves(e presence.Left) bool {
	w := s.waiting[e.ID]
	if w != nil && w.Zone == e.Zone {
		w.left = &e
	}
	return w != nil
}
