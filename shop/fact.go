package shop

import (
	"time"

	"foyer/shop/greeting"
	"foyer/shop/member"
	"foyer/shop/visit"
)

// Fact is one thing that happened, with the state that must be stored in the same transaction.
type Fact struct {
	At    time.Time
	Body  Body           // nil: nothing happened, only State is to be stored
	State *visit.History // nil: no state; keyed by State.Member otherwise, replacing what was stored
	Of    member.ID      // whose fact it is; empty: nobody's, or no member's
}

// Body is VisitStarted, VisitEnded, GreetingDecided, CardClaimed, CardReleased, CardServed, StrangersPassed, KioskUsed, DemoTried,
// ReaderChanged, TagChanged, TagsSettled, TagsDisowned, BlockedTagSeen, BlockedTagHandled, MembersForgotten, MemberSignedUp,
// NumberConfirmed, CodeTried, NewcomersSettled, StaffCalled or StaffCame.
type Body interface{ fact() }

// VisitStarted says that a member's visit began.
type VisitStarted struct {
	Visit  string
	Member member.ID
	Zone   string
	Nth    int
}

// VisitEnded says that it is over.
type VisitEnded struct {
	Visit  string
	Member member.ID
	Zone   string // where it began
	Nth    int
	Stayed time.Duration
}

// GreetingDecided is one decision with every reason.
type GreetingDecided struct {
	Visit    string
	Zone     string
	Named    bool   // the wall said the name
	Campaign string // the offer chosen, or ""
	Reasons  []greeting.Reason
}

// CardClaimed says that somebody of the staff took an arrival on.
type CardClaimed Attended

// CardReleased says that they gave it back.
type CardReleased Attended

// CardServed says that the person was served.
type CardServed Attended

// Attended is what staff did with a card.
type Attended struct {
	Visit  string
	By     string
	Waited time.Duration // since the arrival
}

// StrangersPassed counts unknown tags of one zone.
type StrangersPassed struct {
	Zone  string
	Count int
}

// KioskUsed is one finished use of the kiosk.
type KioskUsed struct {
	Visit    string // "" for a walk-in
	Language string
	Used     time.Duration
	Taps     int
	End      string // "idle" or "closed"
}

// DemoTried is one demo pack that somebody tried.
type DemoTried struct {
	Visit    string // "" for a walk-in
	Language string
	Pack     string
	Version  int
	Took     time.Duration
	Score    int
	End      string // "done", "won", "lost" or "left"
	Reward   string // earned; "" for none
}

// ReaderChanged says that a reader came or went.
type ReaderChanged struct {
	Reader string
	Online bool
	Why    string
}

func (VisitStarted) fact()    {}
func (VisitEnded) fact()      {}
func (GreetingDecided) fact() {}
func (CardClaimed) fact()     {}
func (CardReleased) fact()    {}
func (CardServed) fact()      {}
func (StrangersPassed) fact() {}
func (KioskUsed) fact()       {}
func (DemoTried) fact()       {}
func (ReaderChanged) fact()   {}
