package scene

import (
	"slices"
	"time"

	"foyer/api"
)

// Scene is what fills the kiosk's glass.
type Scene uint8

// The scenes.
const (
	Waiting Scene = iota // foyerd does not answer: one moment
	Attract              // nobody: an invitation
	Greet                // somebody was recognised
	Home                 // the offers
	Detail               // one offer
	Shelf                // the demos that may be tried
	Demo                 // one of them
	Menu                 // what can be done here
	Helping              // how to get help
	Notes                // what becomes of personal data
	Joining              // becoming a member
	Last    = Joining
)

// String names the scene, for tests and logs.
func (s Scene) String() string {
	return [...]string{"waiting", "attract", "greet", "home", "detail", "shelf", "demo", "menu", "helping", "notes", "joining"}[s]
}

// Notice is a short word at the edge of a scene.
type Notice uint8

// The notices.
const (
	NoNotice   Notice = iota
	NextInLine        // somebody else tapped a card while a person is being served
	FinishHere        // a card was tapped while nobody in particular looks around
)

// Kiosk is the state of the touch screen. The zero value waits for foyerd.
type Kiosk struct {
	Scene    Scene
	Language string
	Shop     Shop
	Asked    uint64 // how much foyerd was asked so far: it names each Ask

	// Personal: zero whenever nobody is greeted or served.
	Guest  api.Greeting   // whom the glass belongs to; no Visit when anonymous
	Line   []api.Greeting // who was recognised meanwhile, oldest first
	Since  time.Time      // when Guest came on the glass
	Use    Use            // the session
	Notice Notice
	Until  time.Time // when the notice goes
	Play   Play      // what Demo plays
}

// Use is one use of the kiosk, from its first touch.
type Use struct {
	Taps    int // zero: no session
	Started time.Time
	Touched time.Time
	Warned  time.Time // since when the idle warning stands; zero: it does not
	Page    int       // of the offers
	Offer   string    // the campaign that Detail shows
	Form    Form      // becoming a member
	Called  Called    // somebody of the staff
	Ask     Ask       // what foyerd has not answered yet
}

// Active reports whether somebody is using the kiosk.
func (u Use) Active() bool { return u.Taps > 0 }

// Offers lists what this person may look at: first what was chosen for them, then what anybody may see.
func (k Kiosk) Offers() []api.Offer {
	offers := slices.Clone(k.Guest.Offers)
	for _, o := range k.Shop.Showcase {
		if !slices.ContainsFunc(offers, func(have api.Offer) bool { return have.Campaign == o.Campaign }) {
			offers = append(offers, o)
		}
	}
	return offers
}

// Chosen returns the offer that Detail shows.
func (k Kiosk) Chosen() (api.Offer, bool) {
	for _, o := range k.Offers() {
		if o.Campaign == k.Use.Offer {
			return o, true
		}
	}
	return api.Offer{}, false
}

// Warning reports whether the idle warning stands.
func (k Kiosk) Warning() bool { return !k.Use.Warned.IsZero() }

// Countdown is what the idle warning has left, never negative.
func (k Kiosk) Countdown(r Rules, now time.Time) time.Duration {
	if !k.Warning() {
		return 0
	}
	return max(0, r.defaults().Warning-now.Sub(k.Use.Warned))
}

// Next is the kiosk's reducer. The session is not nil when this input ended one.
func (r Rules) Next(k Kiosk, in Input, now time.Time) (Kiosk, *api.Session) {
	r = r.defaults().told(in, k.Shop)
	if k.Language == "" || k.Scene <= Attract && !k.Use.Active() {
		k.Language = r.Language
	}
	var ended *api.Session
	switch in := in.(type) {
	case Snapshot:
		k = r.resync(k, in.Snapshot, now)
	case Greeted:
		k = r.greeted(k, in.Greeting, now)
	case Departed:
		k = r.departed(k, in.Visit, now)
	case Showcase:
		k.Shop.Showcase = in.Offers
	case Status:
		k.Shop.Status = in.Status
	case Carded:
		if f := &k.Use.Form; f.Step == Welcome && f.Joined.Signup == in.Signup {
			f.Carded = true
		}
	case Lost:
		k.Shop = k.Shop.lost(now)
	case Found:
		k.Shop = k.Shop.found()
	case Answered:
		k = r.answered(k, in)
	case Touch:
		k, ended = r.touched(k, in, now)
	case Typed:
		k, ended = r.typed(k, in, now)
	}
	k = r.playing(k, in, now)
	k, late := r.settle(k, now)
	if ended == nil {
		ended = late
	}
	return k, ended
}

// resync takes a snapshot: the shop, and who is still to be greeted. An untouched greeting that it no longer holds goes.
func (r Rules) resync(k Kiosk, in api.Snapshot, now time.Time) Kiosk {
	k.Shop = k.Shop.snapshot(in, now)
	if k.Scene == Greet && !k.Use.Active() && find(in.Greetings, k.Guest.Visit) < 0 {
		k = r.wiped(k)
	}
	k.Line = slices.DeleteFunc(slices.Clone(k.Line), func(g api.Greeting) bool { return find(in.Greetings, g.Visit) < 0 })
	for _, g := range in.Greetings {
		k = r.greeted(k, g, now)
	}
	return k
}

// greeted puts a greeting in the line; settle brings it on the glass when its turn comes. Nobody is ever swapped out
// by a card that another person taps: the newcomer gets a notice and waits.
func (r Rules) greeted(k Kiosk, g api.Greeting, now time.Time) Kiosk {
	g = k.Shop.localize(g, now, r.Longest)
	if theirs := k.joinedAs(g); theirs || k.Guest.Visit == g.Visit && g.Visit != "" {
		k.Guest, k.Line = g, without(k.Line, g.Visit)
		k.Use.Form.Carded = k.Use.Form.Carded || theirs
		return k
	}
	known := find(k.Line, g.Visit) >= 0
	k.Line = put(k.Line, g, now)
	if known || find(k.Line, g.Visit) < 0 || !k.Use.Active() || k.Scene == Attract {
		return k
	}
	k.Notice, k.Until = NextInLine, now.Add(r.Notice)
	if k.Guest.Visit == "" {
		k.Notice = FinishHere
	}
	return k
}

// departed forgets a visit. In the middle of a session the person gets the countdown, not a slammed door.
func (r Rules) departed(k Kiosk, visit string, now time.Time) Kiosk {
	k.Line = without(k.Line, visit)
	switch {
	case visit == "" || k.Guest.Visit != visit:
	case !k.Use.Active():
		k = r.wiped(k)
	case !k.Warning():
		k.Use.Warned = now
	}
	return k
}

// touched obeys a finger.
func (r Rules) touched(k Kiosk, t Touch, now time.Time) (Kiosk, *api.Session) {
	if k.Scene == Waiting {
		return k, nil
	}
	k = touchedAt(k, now)
	if t.Act == Finish {
		return r.finish(k, "closed", now)
	}
	if k.Warning() {
		k.Use.Warned = time.Time{}
		return k, nil
	}
	return r.obey(k, t, now)
}

func (r Rules) obey(k Kiosk, t Touch, now time.Time) (Kiosk, *api.Session) {
	switch t.Act {
	case Speak:
		k.Language = r.speak(t.Arg)
		k.Use.Form = k.Use.Form.speaking(k.Language)
	case Enter:
		k.Scene = Home
	case Anywhere:
		if k.Scene == Attract {
			k.Scene = Home
		}
	case Open:
		k.Use.Offer = t.Arg
		if _, ok := k.Chosen(); ok {
			k.Scene = Detail
		}
	case Turn:
		k.Use.Page++
	case Try:
		k.Scene, k.Use.Page = Shelf, 0
	case Start:
		k = k.play(t.Arg, now)
	case Back:
		return r.back(k, now)
	case Services:
		k.Scene = Menu
	case Help:
		k.Scene = Helping
	case Call:
		k = k.call(now)
	case Privacy:
		k.Scene = Notes
	case Join:
		k = k.join()
	default:
		k = k.fill(t, now)
	}
	return k, nil
}

// back goes one step back; from the first scene that is the end.
func (r Rules) back(k Kiosk, now time.Time) (Kiosk, *api.Session) {
	switch k.Scene {
	case Demo:
		k.Scene, k.Play = Shelf, Play{}
	case Detail, Shelf, Menu:
		k.Scene, k.Use.Offer, k.Use.Page = Home, "", 0
	case Helping, Notes:
		k.Scene = Menu
	case Joining:
		k = k.unfill()
	default:
		return r.finish(k, "closed", now)
	}
	return k, nil
}

// settle applies what time alone brings about.
func (r Rules) settle(k Kiosk, now time.Time) (Kiosk, *api.Session) {
	k.Line = due(k.Line, now)
	if k.Notice != NoNotice && !now.Before(k.Until) {
		k.Notice, k.Until = NoNotice, time.Time{}
	}
	var ended *api.Session
	if k.Use.Active() {
		k, ended = r.idle(k, now)
	}
	if k.Use.Active() && k.Scene != Attract {
		return r.present(k), ended
	}
	return r.nobody(k, now), ended
}

// present keeps a running session sound when its offers change under it.
func (r Rules) present(k Kiosk) Kiosk {
	if _, ok := k.Chosen(); k.Scene == Detail && !ok {
		k.Scene, k.Use.Offer = Home, ""
	}
	return k
}

// idle warns a session that nobody touches, and ends it when the countdown is over. On the attract scene there is
// nothing to lose, so it ends without a warning.
func (r Rules) idle(k Kiosk, now time.Time) (Kiosk, *api.Session) {
	quiet := now.Sub(k.Use.Touched) >= r.patience(k)
	switch {
	case quiet && k.Scene == Attract, k.Warning() && now.Sub(k.Use.Warned) >= r.Warning:
		return r.finish(k, "idle", now)
	case quiet && !k.Warning():
		k.Use.Warned = now
	}
	return k, nil
}

// patience is how long nobody may touch before the warning. Who writes must think; and what foyerd was asked, it answers first.
func (r Rules) patience(k Kiosk) time.Duration {
	if k.Scene == Joining {
		return r.Form
	}
	return r.Idle
}

// nobody chooses the scene while nobody uses the kiosk: who is greeted, the invitation, or "one moment".
func (r Rules) nobody(k Kiosk, now time.Time) Kiosk {
	if k.Scene == Greet && (!now.Before(k.Guest.Until) || len(k.Line) > 0 && now.Sub(k.Since) >= r.Hold) {
		k = r.wiped(k)
	}
	if !k.Shop.Online {
		if k.Scene == Waiting || k.Shop.LostAt.IsZero() || now.Sub(k.Shop.LostAt) >= r.Grace {
			k = r.wiped(k)
			k.Line, k.Scene = nil, Waiting
		}
		return k
	}
	if k.Scene == Waiting {
		k.Scene = Attract
	}
	if k.Scene == Attract && len(k.Line) > 0 {
		k.Guest, k.Line = k.Line[0], slices.Clone(k.Line[1:])
		k.Scene, k.Since = Greet, now
		k.Language = r.speak(k.Guest.Language)
	}
	return k
}

// finish ends a session and wipes it.
func (r Rules) finish(k Kiosk, how string, now time.Time) (Kiosk, *api.Session) {
	s := &api.Session{
		Visit: k.Guest.Visit, Language: k.Language,
		Started: k.Use.Started, Ended: now, Taps: k.Use.Taps, End: how,
	}
	return r.wiped(k), s
}

// wiped is the invitation, with nothing left of whoever was there. Who waits in line stays in line.
func (r Rules) wiped(k Kiosk) Kiosk {
	return Kiosk{Scene: Attract, Language: r.Language, Shop: k.Shop, Asked: k.Asked, Line: k.Line}
}
