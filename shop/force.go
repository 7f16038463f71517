package shop

import (
	"log/slog"
	"reflect"
	"slices"
	"time"

	"foyer/shop/campaign"
	"foyer/shop/greeting"
	"foyer/shop/member"
	"foyer/shop/visit"
)

// refresh takes over the campaigns and members that were set since, in this order: cards need both.
func (s *Shop) refresh() {
	if c := s.campaigns.Load(); c != s.set || s.showcase.at.IsZero() {
		s.set = c
		if c != nil {
			s.cfg.Log.Info("campaigns are in force", slog.Int("campaigns", c.Len()))
		}
		s.showcase.next = s.now
		s.updateShowcase()
	}
	if b := s.members.Load(); b != s.newcomers.base {
		s.newcomers.base = b
		s.overlay()
		s.settleNewcomers()
		s.cfg.Log.Info("members are in force", slog.Int("members", b.Len()))
		if n := len(b.Clashes()); n > 0 {
			s.cfg.Log.Warn("some tags are claimed by several members and match nobody: settle them at headquarters", slog.Int("tags", n))
		}
		s.reviewVisits()
		if b != nil {
			s.forgetMembers()
		}
	}
}

// reviewVisits holds the open visits against a new book: who is no longer in it is forgotten at once, whose consents
// changed is taken off the screens, cards follow, and visits that were open before a restart get theirs back.
func (s *Shop) reviewVisits() {
	if s.book == nil {
		return
	}
	s.rejoin()
	for _, v := range s.visits.Open() {
		m, ok := s.book.ByID(v.Member)
		c := s.desk.cards[v.ID]
		switch {
		case !ok:
			s.forget(v, c)
		case c == nil:
			s.restore(v, m)
		case !reflect.DeepEqual(m, c.member):
			if !slices.Equal(m.Consents, c.member.Consents) || m.NoGreeting != c.member.NoGreeting {
				s.cfg.Screens.Show(Left{v.ID, s.now})
			}
			c.member, c.Note = m, s.quietly(v, m).Note
			s.cfg.Screens.Show(CardChanged{c.Card})
		}
	}
}

// quietly decides anew for a card, with nothing said to anybody.
func (s *Shop) quietly(v visit.Visit, m *member.Member) greeting.Decision {
	return greeting.Decide(s.input(v, m, v.Zone, greeting.Greeted{Wall: true, Kiosk: true}))
}

// forget ends the visit of who is no member any more, or does not want to be recognised, and wipes the card.
func (s *Shop) forget(v visit.Visit, c *entry) {
	if c != nil {
		s.wipe(c)
	}
	s.visits.Close(v.Member, s.visited)
}

// restore lays the card of a visit that was open when the program ended last.
func (s *Shop) restore(v visit.Visit, m *member.Member) *entry {
	c := s.desk.put(v, m, s.quietly(v, m).Note, s.zoneName(v.Zone))
	if o := s.visits.History(v.Member).Open; o != nil && o.ClaimedBy != "" {
		c.By, c.ClaimedAt, c.ServedAt, c.State = o.ClaimedBy, o.ClaimedAt, o.ServedAt, StateClaimed
		if !o.ServedAt.IsZero() {
			c.State = StateServed
		}
	}
	s.cfg.Screens.Show(CardChanged{c.Card})
	return c
}

// zoneName is what staff call a zone. A zone that is not in the configuration any more was some way in.
func (s *Shop) zoneName(id string) Text {
	if z, ok := s.zones[id]; ok {
		return z.Name
	}
	return everyLanguage(s.cfg.Words, "greeting.zone.entrance")
}

// showcase is what is offered to everybody, and when that may change by itself.
type showcase struct {
	at   time.Time // when it was worked out last
	next time.Time // zero: never
	ids  []*campaign.Campaign
}

// updateShowcase shows the public campaigns when others run than before.
func (s *Shop) updateShowcase() {
	sc := &s.showcase
	if sc.next.IsZero() || s.now.Before(sc.next) {
		return
	}
	first := sc.at.IsZero()
	running := s.set.Public(s.now, s.cfg.StoreID)
	sc.at, sc.next = s.now, s.set.Next(s.now, s.cfg.StoreID)
	if !first && slices.Equal(running, sc.ids) {
		return
	}
	sc.ids = running
	s.cfg.Screens.Show(ShowcaseChanged{greeting.Public(running, s.cfg.Words)})
}
