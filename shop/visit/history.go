package visit

import (
	"maps"
	"time"

	"foyer/shop/member"
)

// History is all that a store remembers of one member: it is stored in the same transaction as the fact that changed it.
type History struct {
	Member  member.ID        `json:"member"`
	Count   int              `json:"count"`             // visits begun, the open one included
	FirstAt time.Time        `json:"first_at"`          // when the first one began
	LastAt  time.Time        `json:"last_at,omitzero"`  // when the last one ended
	Open    *Open            `json:"open,omitempty"`    // the visit that goes on
	Offered map[string]Offer `json:"offered,omitempty"` // by campaign; today's only
}

// Open is the part of an open visit that must outlive a crash.
type Open struct {
	Visit     string    `json:"visit"`
	Zone      string    `json:"zone"`
	Start     time.Time `json:"start"`
	Seen      time.Time `json:"seen"`
	ClaimedBy string    `json:"claimed_by,omitempty"`
	ClaimedAt time.Time `json:"claimed_at,omitzero"`
	ServedAt  time.Time `json:"served_at,omitzero"`
}

// Offer counts how often a campaign was offered on one day. One visit counts once, however often it is shown in it.
type Offer struct {
	Day   string `json:"day"` // "2026-06-14", in the store's zone
	Count int    `json:"count"`
	Visit string `json:"visit"` // the latest
}

// Day names the calendar day of t in its own zone.
func Day(t time.Time) string { return t.Format(time.DateOnly) }

// Clone returns a copy that shares nothing.
func (h History) Clone() History {
	h.Offered = maps.Clone(h.Offered)
	if h.Open != nil {
		h.Open = new(*h.Open)
	}
	return h
}

// OfferedOn counts the visits of that day in which a campaign was offered, other than the visit named.
func (h History) OfferedOn(campaign, day, except string) int {
	o := h.Offered[campaign]
	switch {
	case o.Day != day:
		return 0
	case o.Visit == except:
		return o.Count - 1
	}
	return o.Count
}

// History returns a copy of a member's history as it is now; who is in a zone was seen at the latest Tick. A member never seen has an empty one.
func (b *Book) History(who member.ID) History {
	h, ok := b.histories[who]
	if !ok {
		return History{Member: who}
	}
	out := h.Clone()
	if s := b.open[who]; s != nil {
		out.Open.Seen = s.Seen
		if len(s.places) > 0 && b.now.After(s.Seen) {
			out.Open.Seen = b.now
		}
	}
	return out
}

// Offered notes that a campaign was offered in the member's open visit.
func (b *Book) Offered(who member.ID, campaign string, at time.Time) {
	s, h := b.open[who], b.histories[who]
	if s == nil {
		return
	}
	day := Day(at)
	maps.DeleteFunc(h.Offered, func(_ string, o Offer) bool { return o.Day != day })
	if h.Offered == nil {
		h.Offered = map[string]Offer{}
	}
	h.Offered[campaign] = Offer{Day: day, Count: h.OfferedOn(campaign, day, s.ID) + 1, Visit: s.ID}
}

// Attend notes who claimed the member's open visit at reception and when it was claimed and served; zero values undo.
func (b *Book) Attend(who member.ID, by string, claimed, served time.Time) {
	if h := b.histories[who]; h != nil && h.Open != nil {
		h.Open.ClaimedBy, h.Open.ClaimedAt, h.Open.ServedAt = by, claimed, served
	}
}
