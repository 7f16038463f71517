package shop

import (
	"time"

	"foyer/shop/member"
	"foyer/shop/presence"
)

// Noticed says that a tag arrived somewhere, for a lamp or a buzzer beside the reader: whose it is, it does not say.
type Noticed struct {
	Zone     string // its id
	Standing member.Standing
	At       time.Time
}

// notice tells Config.Noticed of an arrival.
func (s *Shop) notice(zone string, standing member.Standing) {
	if s.cfg.Noticed != nil {
		s.cfg.Noticed(Noticed{zone, standing, s.now})
	}
}

// strayed notes the move of a tag that no member carries.
func (s *Shop) strayed(e presence.Moved) {
	if standing, _ := s.bindings.Find(e.ID, e.Also); standing != member.Carried {
		s.notice(e.To, standing)
	}
}
