package shop

import (
	"slices"
	"time"

	"foyer/shop/greeting"
	"foyer/shop/member"
	"foyer/shop/visit"
)

// maxCards bounds the reception desk: a day of a busy store.
const maxCards = 1000

// desk holds today's cards by visit.
type desk struct {
	cards map[string]*entry
}

// entry is a card with what staff do not see.
type entry struct {
	Card
	member    *member.Member
	kioskDone bool      // the kiosk has greeted in this visit
	kept      time.Time // the time seen that is stored
	pending   *pending  // an action that is being recorded
}

// put lays a new card, and takes the oldest finished one off a full desk.
func (d *desk) put(v visit.Visit, m *member.Member, n greeting.Note, zone Text) *entry {
	if len(d.cards) >= maxCards {
		d.dropOldest()
	}
	c := &entry{Card: Card{Visit: v.ID, State: StateNew, Arrived: v.Start, Zone: zone, Note: n}, member: m, kept: v.Seen}
	d.cards[v.ID] = c
	return c
}

func (d *desk) dropOldest() {
	var oldest *entry
	for _, c := range d.cards {
		if c.pending == nil && !c.Gone.IsZero() && (oldest == nil || c.Arrived.Before(oldest.Arrived)) {
			oldest = c
		}
	}
	if oldest != nil {
		delete(d.cards, oldest.Visit)
	}
}

// forget takes the cards of earlier days off, once the person is gone.
func (d *desk) forget(now time.Time) {
	today := visit.Day(now)
	for id, c := range d.cards {
		if c.pending == nil && !c.Gone.IsZero() && visit.Day(c.Arrived.In(now.Location())) != today {
			delete(d.cards, id)
		}
	}
}

func (c *entry) goAway(seen time.Time) {
	c.Gone = seen
	if c.State == StateNew {
		c.State = StateLeft
	}
}

// comeBack reports whether that changed anything.
func (c *entry) comeBack() bool {
	if c.Gone.IsZero() {
		return false
	}
	c.Gone = time.Time{}
	if c.State == StateLeft {
		c.State = StateNew
	}
	return true
}

// ends are how a use of the kiosk may end.
var ends = []string{"idle", "closed"}

func knownEnd(s string) bool { return slices.Contains(ends, s) }
