package shop

import (
	"time"

	"foyer/reader/tag"
	"foyer/shop/member"
	"foyer/shop/presence"
)

// ShownFor is how long a card that was shown at a counter or a kiosk may be bound: nobody's tag is known for longer.
const ShownFor = 30 * time.Second

// shownAgain is how often the desk is told of a card that goes on lying on the reader.
const shownAgain = 2 * time.Second

// CardShown tells the desk that a card which is nobody's, or is lost, was shown at a counter or a kiosk. It is forgotten
// after ShownFor; an empty Key says that there is none any more.
type CardShown struct {
	Key      string // random, of this showing
	Zone     Text
	At       time.Time
	Until    time.Time
	Standing member.Standing
}

func (CardShown) event() {}

// pad is the last card that was shown and is not a member's. It is held in memory alone.
type pad struct {
	key      string
	id, also tag.ID
	until    time.Time
	told     time.Time
}

func (p *pad) is(key string, now time.Time) bool { return p.key == key && now.Before(p.until) }

// counters maps readers to the zone in which a card can be shown: a counter or a kiosk where a read is a tap.
func counters(zones []Zone) map[string]string {
	at := map[string]string{}
	for _, z := range zones {
		if z.Tap && showsCards(z.Role) {
			for _, r := range z.Readers {
				at[r] = z.ID
			}
		}
	}
	return at
}

func showsCards(r presence.Role) bool { return r == presence.Counter || r == presence.Kiosk }

// lay notes a card that may be bound. In a zone that hears further than a few centimetres, only an arrival counts.
func (s *Shop) lay(id, also tag.ID, zone string) {
	standing, _ := s.bindings.Find(id, also)
	if standing == member.Carried || s.book == nil || s.elsewhere(id, also) {
		return // of a card that may be somebody's, nobody knows here yet whether it may be given out
	}
	if again := s.pad.id == id && s.now.Before(s.pad.until); !again {
		s.pad = pad{key: s.cfg.NewID(), id: id, also: also}
	}
	s.pad.until = s.now.Add(ShownFor)
	if standing == member.Unknown {
		s.give(id, also, zone)
	}
	if s.now.Sub(s.pad.told) >= shownAgain {
		s.pad.told = s.now
		s.cfg.Screens.Show(CardShown{s.pad.key, s.zoneName(zone), s.now, s.pad.until, standing})
	}
}

// clearPad forgets the card when its time is over, or when it has become somebody's.
func (s *Shop) clearPad() {
	if s.pad.key == "" {
		return
	}
	standing, _ := s.bindings.Find(s.pad.id, s.pad.also)
	if standing == member.Carried || !s.now.Before(s.pad.until) {
		s.pad = pad{}
		s.cfg.Screens.Show(CardShown{At: s.now})
	}
}
