// Package scene decides what stands on the glass: which scene, for whom, in which language, until when.
//
// In: an Input (a snapshot or an event from foyerd, a touch, the loss of foyerd, or a tick) and the time. Out: the next
// Kiosk or Wall state, a plain value that a screen draws as it is, and at the end of a kiosk session its api.Session.
// Durations are time.Duration; every time is this machine's own clock (foyerd's is corrected by the snapshot).
// It never draws, never reads a clock, starts no goroutine and keeps nothing of a person once the session is over.
// Called by kiosk/glass, which feeds it, and kiosk/screens, which draws what comes out.
package scene

import (
	"slices"
	"time"

	"foyer/api"
	"foyer/kiosk/demo"
	"foyer/kiosk/keyboard"
)

// Rules are the settings of a screen. Zero fields take the defaults that are named.
type Rules struct {
	Languages []string      // the languages on offer, in order; zh-CN and en
	Language  string        // the language of nobody in particular; the first of Languages
	Idle      time.Duration // a session without a touch is warned after this; 60 s
	Form      time.Duration // and while a form is filled in; twice Idle
	Warning   time.Duration // the countdown of the warning; 20 s
	Hold      time.Duration // a greeting stays at least so long before the next in line is greeted; 5 s
	Longest   time.Duration // an untouched greeting stays at most so long; 60 s
	Grace     time.Duration // foyerd may be away so long before the screen says so; 3 s
	Turn      time.Duration // the wall shows each offer so long; 9 s
	Notice    time.Duration // a notice stays so long; 6 s
}

func (r Rules) defaults() Rules {
	if len(r.Languages) == 0 {
		r.Languages = []string{"zh-CN", "en"}
	}
	if !slices.Contains(r.Languages, r.Language) {
		r.Language = r.Languages[0]
	}
	for _, d := range []struct {
		field *time.Duration
		value time.Duration
	}{
		{&r.Idle, 60 * time.Second}, {&r.Form, 2 * max(r.Idle, 0)}, {&r.Warning, 20 * time.Second}, {&r.Hold, 5 * time.Second},
		{&r.Longest, 60 * time.Second}, {&r.Grace, 3 * time.Second}, {&r.Turn, 9 * time.Second},
		{&r.Notice, 6 * time.Second}, {&r.Form, 120 * time.Second},
	} {
		if *d.field <= 0 {
			*d.field = d.value
		}
	}
	return r
}

// told takes the language that the store gives its screens for nobody in particular.
func (r Rules) told(in Input, s Shop) Rules {
	lang := s.Status.Language
	switch in := in.(type) {
	case Snapshot:
		lang = in.Status.Language
	case Status:
		lang = in.Language
	}
	r.Language = r.speak(lang)
	return r
}

// speak returns lang where the screen offers it, else the screen's own language.
func (r Rules) speak(lang string) string {
	if slices.Contains(r.Languages, lang) {
		return lang
	}
	return r.Language
}

// Input is something that happened: Snapshot, Greeted, Departed, Showcase, Status, Carded, Lost, Found, Answered, Touch, Typed or
// Tick.
type Input interface{ input() }

// The inputs that come from foyerd.
type (
	// Snapshot is the whole truth at the start and after a gap.
	Snapshot struct{ api.Snapshot }
	// Greeted is an arrival to be greeted, or news of one that is.
	Greeted struct{ api.Greeting }
	// Departed is a visit that is over.
	Departed struct{ Visit string }
	// Showcase is the new list of what anybody may see.
	Showcase struct{ Offers []api.Offer }
	// Status is the shop's health.
	Status struct{ api.Status }
	// Carded says that the card of who has just become a member is theirs.
	Carded struct{ Signup string }
	// Lost says that foyerd does not answer.
	Lost struct{}
	// Found says that it does again, and that nothing was missed meanwhile.
	Found struct{}
)

// Tick is the passing of time. It is due about once a second.
type Tick struct{}

// Touch is a finger on the glass.
type Touch struct {
	Act Act
	Arg string       // Open: the campaign; Speak: the language; Start: the pack; Choose: a title; Toggle: a purpose
	Key keyboard.Key // Press
}

// Typed is a key of a hardware keyboard, or a character of a scanner. It counts where something can be written.
type Typed struct{ Key keyboard.Key }

// EnterKey ends what is being written with a hardware keyboard.
const EnterKey keyboard.Key = '\r'

// Act is what a touch asks for.
type Act uint8

// The acts.
const (
	Anywhere Act = iota // a touch beside every button
	Enter               // show me what is here
	Open                // show me this offer
	Turn                // show me more offers
	Speak               // this language, please
	Try                 // show me what I can try
	Start               // let me try this
	Back                // one step back
	More                // I need more time
	Services            // show me what I can do here
	Help                // show me how to get help
	Call                // call somebody
	Privacy             // tell me what becomes of my data
	Join                // I want to become a member
	Yes                 // to a question
	No                  // to a question
	Press               // this key
	Next                // I have written it; or: send it once more
	Choose              // this one
	Toggle              // allow it, or not any more
	Finish              // I am done
)

func (Snapshot) input() {}
func (Greeted) input()  {}
func (Departed) input() {}
func (Showcase) input() {}
func (Status) input()   {}
func (Carded) input()   {}
func (Lost) input()     {}
func (Found) input()    {}
func (Tick) input()     {}
func (Touch) input()    {}
func (Typed) input()    {}
func (Answered) input() {}

// Shop is what every screen knows of the shop. There is nothing personal in it.
type Shop struct {
	Name     api.Text
	Showcase []api.Offer
	Status   api.Status
	Online   bool
	LostAt   time.Time     // since when foyerd is away; zero before the first word of it
	Skew     time.Duration // foyerd's clock minus ours
	Packs    []*demo.Pack  // what may be tried
}

// snapshot takes the shop's part of a snapshot.
func (s Shop) snapshot(in api.Snapshot, now time.Time) Shop {
	s.Name, s.Showcase, s.Status = in.Store, in.Showcase, in.Status
	s.Skew = in.Now.Sub(now)
	return s.found()
}

// found notes that foyerd is there.
func (s Shop) found() Shop {
	s.Online, s.LostAt = true, time.Time{}
	return s
}

// lost notes that foyerd is away, and since when.
func (s Shop) lost(now time.Time) Shop {
	if s.Online || s.LostAt.IsZero() {
		s.Online, s.LostAt = false, now
	}
	return s
}

// localize moves a greeting's end from foyerd's clock to ours, and bounds it: a greeting without end is a stuck screen.
func (s Shop) localize(g api.Greeting, now time.Time, longest time.Duration) api.Greeting {
	g.Until = g.Until.Add(-s.Skew)
	if last := now.Add(longest); g.Until.After(last) {
		g.Until = last
	}
	return g
}

// waiting bounds how many arrivals a screen holds; the oldest gives way.
const waiting = 12

// put adds a greeting to a line of them, or renews the one of the same visit, and drops those that are no longer due.
func put(line []api.Greeting, g api.Greeting, now time.Time) []api.Greeting {
	line = due(line, now)
	if i := find(line, g.Visit); i >= 0 {
		line[i] = g
		return due(line, now)
	}
	line = due(append(line, g), now)
	return line[max(0, len(line)-waiting):]
}

// due returns a copy without the greetings whose time is over.
func due(line []api.Greeting, now time.Time) []api.Greeting {
	var left []api.Greeting
	for _, g := range line {
		if now.Before(g.Until) {
			left = append(left, g)
		}
	}
	return left
}

// without returns a copy without the visit.
func without(line []api.Greeting, visit string) []api.Greeting {
	var left []api.Greeting
	for _, g := range line {
		if g.Visit != visit {
			left = append(left, g)
		}
	}
	return left
}

func find(line []api.Greeting, visit string) int {
	return slices.IndexFunc(line, func(g api.Greeting) bool { return g.Visit == visit })
}
