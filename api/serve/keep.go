package serve

import (
	"slices"
	"time"

	"foyer/api"
)

const (
	maxGreetings = 32            // more than any screen can show
	maxCards     = 200           // more than a reception can work through
	maxOpen      = 6 * time.Hour // how long past midnight a visit that has not ended is still of today
)

func public(face api.Face) bool { return face == api.Wall || face == api.Kiosk }

func without(all []api.Greeting, visit string) []api.Greeting {
	return slices.DeleteFunc(all, func(g api.Greeting) bool { return g.Visit == visit })
}

// due keeps the greetings whose time is not over, the newest where there are too many. It may reuse all.
func due(all []api.Greeting, now time.Time) []api.Greeting {
	all = slices.DeleteFunc(all, func(g api.Greeting) bool { return !g.Until.After(now) })
	return all[max(0, len(all)-maxGreetings):]
}

// current returns a copy with the cards of the day of now, in now's time zone, at most maxCards. Where there are more,
// those that ended go first, then the oldest.
func current(all []api.Card, now time.Time) []api.Card {
	y, m, d := now.Date()
	midnight := time.Date(y, m, d, 0, 0, 0, 0, now.Location())
	kept := make([]api.Card, 0, len(all))
	for _, c := range all {
		if !c.Arrived.Before(midnight) || open(c) && now.Sub(c.Arrived) < maxOpen {
			kept = append(kept, c)
		}
	}
	surplus := len(kept) - maxCards
	for _, drop := range []func(api.Card) bool{ended, func(api.Card) bool { return true }} {
		kept = slices.DeleteFunc(kept, func(c api.Card) bool {
			if surplus <= 0 || !drop(c) {
				return false
			}
			surplus--
			return true
		})
	}
	return kept
}

func open(c api.Card) bool { return c.State == api.CardNew || c.State == api.CardClaimed }

func ended(c api.Card) bool { return !open(c) }
