package scene

import (
	"slices"
	"strconv"
	"time"

	"foyer/api"
	"foyer/kiosk/keyboard"
)

// Step is how far somebody is who becomes a member.
type Step uint8

// The steps, in order.
const (
	AskAge      Step = iota // fourteen or older?
	TooYoung                // come with your parents
	AskPhone                // a mobile number
	AskName                 // a name
	AskTitle                // how to be addressed
	AskConsents             // what is allowed, each by itself
	Sending                 // the store takes it
	Unsent                  // the store could not take it
	Welcome                 // a member
)

// Form is what somebody fills in to become a member. It lives as long as their session, in memory alone.
type Form struct {
	N           uint64 // names the form: sent twice, it is taken once
	Step        Step
	Phone, Name keyboard.Sheet
	Wrong       bool     // what is written cannot be a telephone number
	Title       string   // of api.Titles
	Consents    []string // of api.Purposes: those given
	Refused     api.Code // why the store could not take it; "" where it was not reached
	Joined      api.Joined
	Carded      bool // their new card works
}

// The fields of the form.
var (
	phoneField = keyboard.Field{Kind: keyboard.Digits, Min: api.MinPhone, Max: api.MaxPhone, Secret: true}
	nameField  = keyboard.Field{Kind: keyboard.Name, Min: 1, Max: api.MaxName}
)

// join begins a form, or goes on with the one that was begun.
func (k Kiosk) join() Kiosk {
	k.Scene = Joining
	if k.Use.Form.N == 0 {
		k.Asked++
		k.Use.Form = Form{N: k.Asked, Phone: keyboard.Open(phoneField, k.Language), Name: keyboard.Open(nameField, k.Language)}
	}
	return k
}

// Sheet is what is being written now.
func (k Kiosk) Sheet() (keyboard.Sheet, bool) {
	switch {
	case k.Scene != Joining:
	case k.Use.Form.Step == AskPhone:
		return k.Use.Form.Phone, true
	case k.Use.Form.Step == AskName:
		return k.Use.Form.Name, true
	}
	return keyboard.Sheet{}, false
}

// Ready reports whether the step may be left.
func (f Form) Ready() bool {
	switch f.Step {
	case AskPhone:
		return f.Phone.Ready()
	case AskName:
		return f.Name.Ready()
	}
	return true
}

// typed takes a key of a hardware keyboard where something is being written; else it means nothing.
func (r Rules) typed(k Kiosk, in Typed, now time.Time) (Kiosk, *api.Session) {
	if _, writing := k.Sheet(); !writing {
		return k, nil
	}
	if in.Key == EnterKey {
		return r.touched(k, Touch{Act: Next}, now)
	}
	return r.touched(k, Touch{Act: Press, Key: in.Key}, now)
}

// fill is the form after a touch. What does not belong to its step changes nothing.
func (k Kiosk) fill(t Touch, now time.Time) Kiosk {
	if k.Scene != Joining {
		return k
	}
	f := &k.Use.Form
	switch {
	case f.Step == AskAge && t.Act == Yes:
		f.Step = AskPhone
	case f.Step == AskAge && t.Act == No:
		f.Step = TooYoung
	case f.Step == AskPhone && t.Act == Press:
		f.Phone, f.Wrong = f.Phone.Press(t.Key), false
	case f.Step == AskPhone && t.Act == Next && f.Ready():
		if f.Wrong = !api.ValidPhone(f.Phone.Value()); !f.Wrong {
			f.Step = AskName
		}
	case f.Step == AskName && t.Act == Press:
		f.Name = f.Name.Press(t.Key)
	case f.Step == AskName && t.Act == Next && f.Ready():
		f.Step = AskTitle
	case f.Step == AskTitle && t.Act == Choose && (t.Arg == "" || slices.Contains(api.Titles, t.Arg)):
		f.Title, f.Step = t.Arg, AskConsents
	case f.Step == AskConsents && t.Act == Toggle:
		f.Consents = toggled(f.Consents, t.Arg)
	case (f.Step == AskConsents || f.Step == Unsent) && t.Act == Next:
		return k.send(now)
	}
	return k
}

// toggled gives a consent or takes it back. Without being recognised none of the others means anything: they are not to be
// given before it, and go with it.
func toggled(given []string, purpose string) []string {
	i := slices.Index(given, purpose)
	switch {
	case i >= 0 && purpose == api.Recognise:
		return nil
	case i >= 0:
		return slices.Delete(slices.Clone(given), i, i+1)
	case !slices.Contains(api.Purposes, purpose), purpose != api.Recognise && !slices.Contains(given, api.Recognise):
		return given
	}
	return append(slices.Clone(given), purpose)
}

// send hands the form to foyerd.
func (k Kiosk) send(now time.Time) Kiosk {
	f := &k.Use.Form
	if k.Use.Ask.N != 0 {
		return k
	}
	f.Step, f.Refused = Sending, ""
	return k.ask(Ask{SignUp: &api.SignUp{
		Key: strconv.FormatUint(f.N, 10), Language: k.Language, Fourteen: true, Phone: f.Phone.Value(), Name: f.Name.Value(),
		Title: f.Title, Consents: f.Consents,
	}}, now)
}

// answered is the form after foyerd's word. Once it is taken, what was written is not needed any more.
func (f Form) answered(a Answered) Form {
	if a.Failed {
		f.Step, f.Refused = Unsent, a.Why
		return f
	}
	return Form{N: f.N, Step: Welcome, Consents: f.Consents, Joined: a.Joined}
}

// unfill goes one step back; from the first, and from the end, to the menu.
func (k Kiosk) unfill() Kiosk {
	f := &k.Use.Form
	switch f.Step {
	case AskAge, Welcome:
		k.Scene = Menu
	case TooYoung, AskPhone:
		f.Step = AskAge
	case AskName, AskTitle, AskConsents:
		f.Step--
	case Unsent:
		f.Step = AskConsents
	}
	return k
}

// speaking is the form in another language: what was written stays.
func (f Form) speaking(lang string) Form {
	f.Phone, f.Name = f.Phone.Speak(lang), f.Name.Speak(lang)
	return f
}

// joinedAs reports whether the person who was just greeted is the one who has become a member on this glass.
func (k Kiosk) joinedAs(g api.Greeting) bool {
	return k.Use.Form.Step == Welcome && g.Signup != "" && g.Signup == k.Use.Form.Joined.Signup && k.Guest.Visit == ""
}
