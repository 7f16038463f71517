package scene

import (
	"time"

	"foyer/api"
)

// Wall is the state of the welcome wall. The zero value is the calm loop without offers.
type Wall struct {
	Language string // leads while nobody is greeted
	Shop     Shop
	Guests   []api.Greeting // who is greeted now, oldest first; personal only as far as the name that consent allows
	Offer    int            // which of the showcase stands
	Turned   time.Time
}

// Showing returns the offer that the calm loop shows now.
func (w Wall) Showing() (api.Offer, bool) {
	if len(w.Shop.Showcase) == 0 {
		return api.Offer{}, false
	}
	return w.Shop.Showcase[w.Offer%len(w.Shop.Showcase)], true
}

// NextWall is the wall's reducer. Touches mean nothing to it.
func (r Rules) NextWall(w Wall, in Input, now time.Time) Wall {
	r = r.defaults().told(in, w.Shop)
	w.Language = r.Language
	switch in := in.(type) {
	case Snapshot:
		w.Shop = w.Shop.snapshot(in.Snapshot, now)
		w.Guests = nil
		for _, g := range in.Greetings {
			w.Guests = put(w.Guests, w.Shop.localize(g, now, r.Longest), now)
		}
	case Greeted:
		w.Guests = put(w.Guests, w.Shop.localize(in.Greeting, now, r.Longest), now)
	case Departed:
		w.Guests = without(w.Guests, in.Visit)
	case Showcase:
		w.Shop.Showcase = in.Offers
	case Status:
		w.Shop.Status = in.Status
	case Lost:
		w.Shop = w.Shop.lost(now)
	case Found:
		w.Shop = w.Shop.found()
	}
	return r.loop(w, now)
}

// loop lets greetings go when their time is over and turns the page of the showcase.
func (r Rules) loop(w Wall, now time.Time) Wall {
	w.Guests = due(w.Guests, now)
	if n := len(w.Shop.Showcase); n > 0 {
		w.Offer %= n
	} else {
		w.Offer = 0
	}
	switch {
	case w.Turned.IsZero():
		w.Turned = now
	case now.Sub(w.Turned) >= r.Turn:
		w.Turned = now
		w.Offer++
	}
	if n := len(w.Shop.Showcase); n > 0 {
		w.Offer %= n
	}
	return w
}
