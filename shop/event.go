package shop

import (
	"time"

	"foyer/shop/greeting"
)

// Event is one change that some screen shows: Greeted, Left, CardChanged, ShowcaseChanged, StrangersCounted,
// BlockedSeen, CardShown, NewcomerWaits, NewCardWorks or CallWaits. What an event holds is never changed afterwards.
type Event interface{ event() }

// Face is a public screen.
type Face string

// The public screens.
const (
	Wall  Face = "wall"
	Kiosk Face = "kiosk"
)

// Greeted is what one public screen says to one arrival, already limited to what that screen may show.
type Greeted struct {
	Face  Face
	Zone  string // its id: which kiosk
	Visit string
	At    time.Time
	Until time.Time // after that the screen moves on
	// Signup, at the kiosk alone, is that of who became a member here today.
	Signup string
	greeting.Said
}

// Left takes a visit off the public screens.
type Left struct {
	Visit string
	At    time.Time
}

// CardChanged is a card, new or changed, for reception.
type CardChanged struct{ Card Card }

// ShowcaseChanged is the whole list of what is offered to everybody now, with nobody's name in it.
type ShowcaseChanged struct{ Offers []greeting.Offer }

// StrangersCounted is how many unknown tags were about in the last minute, in all zones.
type StrangersCounted struct {
	At    time.Time
	Count int
}

func (Greeted) event()          {}
func (Left) event()             {}
func (CardChanged) event()      {}
func (ShowcaseChanged) event()  {}
func (StrangersCounted) event() {}

// CardState is where a card stands.
type CardState string

// The states.
const (
	StateNew     CardState = "new"
	StateClaimed CardState = "claimed"
	StateServed  CardState = "served"
	StateLeft    CardState = "left" // left before anybody claimed
)

// Card is one arrival as staff see it.
type Card struct {
	Visit     string
	State     CardState
	Arrived   time.Time
	Gone      time.Time // zero while the person is about
	Zone      Text      // where the visit began
	By        string    // who claimed it
	ClaimedAt time.Time
	ServedAt  time.Time
	greeting.Note
}
