package shop

import (
	"context"
	"fmt"
	"time"
)

// CallWaits tells reception that somebody at a kiosk asks for help. It stays until somebody says that they went.
type CallWaits struct {
	ID       string
	At       time.Time // of the last touch
	Language string    // what they speak
	Name     Text      // nil for who was not recognised
	Times    int
	By       string // who went; empty while nobody has
}

func (CallWaits) event() {}

// StaffCalled says that somebody at a kiosk asked for help.
type StaffCalled struct {
	Visit    string // "" for a walk-in
	Language string
}

// StaffCame says who went, and how long it took.
type StaffCame struct {
	By     string
	Waited time.Duration // since the first touch
}

func (StaffCalled) fact() {}
func (StaffCame) fact()   {}

// call is a call that nobody has answered.
type call struct {
	CallWaits
	since time.Time
}

// CallStaff tells reception that somebody at a kiosk wants help. One who asks again before anybody came is the same call. It
// returns when that is durable. Its errors are ErrSession (a language that is none), ErrStopped, the journal's, or the
// context's.
func (s *Shop) CallStaff(ctx context.Context, visit, language string) error {
	if !s.cfg.Words.Has(language, "greeting.guest") || visit != "" && !shortText(visit, 64) {
		return fmt.Errorf("%w: language %.20q: want one of %q", ErrSession, language, s.cfg.Words.Languages())
	}
	reply := make(chan error, 1)
	return s.ask(ctx, request{reply: reply, do: func(s *Shop) {
		s.cfg.Ledger.Record(Fact{At: s.now, Body: StaffCalled{visit, language}, Of: s.whose(visit)}, func(err error) {
			s.outcomes.add(func() {
				if err == nil {
					s.ring(visit, language)
				}
				reply <- err
			})
			s.nudge(s.settled)
		})
	}})
}

func (s *Shop) ring(visit, language string) {
	if s.calling == nil {
		s.calling = &call{CallWaits: CallWaits{ID: s.cfg.NewID()}, since: s.now}
	}
	c := s.calling
	c.At, c.Language, c.Name = s.now, language, nil
	c.Times++
	if card := s.desk.cards[visit]; card != nil {
		c.Name = card.Note.Name
	}
	s.cfg.Screens.Show(c.CallWaits)
}

// came notes that somebody went to who had called.
func (s *Shop) came(c *call, by string, reply chan error) {
	s.cfg.Ledger.Record(Fact{At: s.now, Body: StaffCame{by, s.now.Sub(c.since)}}, func(err error) {
		s.outcomes.add(func() {
			if err != nil {
				reply <- fmt.Errorf("record that somebody went: %w", err)
				return
			}
			c.By = by
			s.cfg.Screens.Show(c.CallWaits)
			if s.calling == c { // somebody else may have been as quick
				s.calling = nil
			}
			reply <- nil
		})
		s.nudge(s.settled)
	})
}
