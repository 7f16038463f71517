package scene

import (
	"time"

	"foyer/api"
)

// Ask is something that foyerd is asked, once for each N. The zero value asks nothing. It is answered by an Answered, also
// where foyerd is away.
type Ask struct {
	N      uint64
	Since  time.Time
	Help   *api.Help
	SignUp *api.SignUp
}

// Answered is what became of an Ask.
type Answered struct {
	N      uint64
	Why    api.Code   // why it was refused; "" for granted, or where foyerd was not reached
	Failed bool       // refused, or foyerd was not reached
	Joined api.Joined // of a SignUp
}

// Called says how far a call for staff is.
type Called uint8

// The states of a call.
const (
	NotCalled Called = iota
	Calling          // foyerd has not answered yet
	Coming           // staff have been told
	CallFailed
)

// ask puts a question to foyerd.
func (k Kiosk) ask(a Ask, now time.Time) Kiosk {
	k.Asked++
	a.N, a.Since = k.Asked, now
	k.Use.Ask = a
	return k
}

// call asks for somebody, once a session: who touches again is told again that somebody is coming.
func (k Kiosk) call(now time.Time) Kiosk {
	k.Scene = Helping
	if k.Use.Called == Calling || k.Use.Called == Coming || k.Use.Ask.N != 0 {
		return k
	}
	k.Use.Called = Calling
	return k.ask(Ask{Help: &api.Help{Language: k.Language, Visit: k.Guest.Visit}}, now)
}

// answered takes what foyerd says. The answer to a question of a session that is over is nobody's.
func (r Rules) answered(k Kiosk, a Answered) Kiosk {
	asked := k.Use.Ask
	if asked.N == 0 || asked.N != a.N {
		return k
	}
	k.Use.Ask = Ask{}
	switch {
	case asked.Help != nil && a.Failed:
		k.Use.Called = CallFailed
	case asked.Help != nil:
		k.Use.Called = Coming
	case asked.SignUp != nil:
		k.Use.Form = k.Use.Form.answered(a)
	}
	return k
}
