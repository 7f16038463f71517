package screens

import (
	"time"

	"fyne.io/fyne/v2"

	"foyer/kiosk/look"
	"foyer/kiosk/scene"
)

// helping is how to get help: one button calls somebody.
type helping struct {
	*page
	say  *message // above the button
	told *message // in its place
	call *button
}

func newHelping(c Config) *helping {
	v := &helping{page: newPage(c, scene.Finish, "check")}
	u := c.Frame.G
	v.say = newMessage(c, v.body, 18*u)
	box := look.Box{X: v.body.X, Y: v.body.Bottom() - 14*u, W: v.body.W, H: 14 * u}
	v.call = newButton(c.Frame, "call", box, warmly, "bell", false, c.touch(scene.Call, ""))
	v.told = newMessage(c, v.body, 0)
	v.at.put(v.say.Container, v.told.Container, v.call.pad)
	return v
}

func (v *helping) draw(k scene.Kiosk, now time.Time) {
	lang, c := k.Language, v.cfg
	v.show(k, now, c.say(lang, "help.lead"), c.say(lang, "help.title"), c.say(lang, "home.finish"))
	art, key := "cup", "ask"
	switch k.Use.Called {
	case scene.Calling:
		key = "calling"
	case scene.Coming:
		art, key = "star", "coming"
	case scene.CallFailed:
		key = "failed"
	}
	may := k.Use.Called == scene.NotCalled || k.Use.Called == scene.CallFailed
	for _, m := range []*message{v.say, v.told} {
		m.say(art, c.say(lang, "help."+key), c.say(lang, "help."+key+"_text"))
	}
	swap(v.say.Container, may)
	swap(v.told.Container, !may)
	swap(v.call.pad, may)
	v.call.set(c.say(lang, "help.call"))
}

// notes is what becomes of personal data, in plain words.
type notes struct {
	*page
	list []*note
}

// note is one thing about it.
type note struct {
	key         string
	title, text *block
}

func newNotes(c Config) *notes {
	v := &notes{page: newPage(c, scene.Help, "bell")}
	u := c.Frame.G
	keys := []string{"what", "why", "away", "rights"}
	gap := c.Frame.Gap(3)
	boxes := v.body.Rows(len(keys), gap)
	if !c.Frame.Portrait() {
		boxes = nil
		for _, row := range v.body.Rows(2, gap) {
			boxes = append(boxes, row.Columns(2, gap)...)
		}
	}
	for i, box := range boxes {
		n := &note{key: keys[i]}
		inner := box.Inset(4*u, 3*u)
		n.title = newBlock(c.Frame, look.Box{X: inner.X, Y: inner.Y, W: inner.W, H: 6 * u},
			style{sizes: []look.Size{{G: 4.4, MM: 9}, look.Lead, {G: 3.6, MM: 8}}, heavy: true, colour: look.TealLow})
		n.text = newBlock(c.Frame, look.Box{X: inner.X, Y: inner.Y + 6.6*u, W: inner.W, H: inner.H - 6.6*u},
			style{sizes: []look.Size{look.Body, {G: 3, MM: 7}, look.Small, {G: 2.5, MM: 6}}, colour: look.Ink, lines: 5, pitch: 1.38})
		v.at.put(&fyne.Container{Objects: []fyne.CanvasObject{plate(box, look.Card, 3.4*u), n.title.at, n.text.at}})
		v.list = append(v.list, n)
	}
	return v
}

func (v *notes) draw(k scene.Kiosk, now time.Time) {
	lang, c := k.Language, v.cfg
	v.show(k, now, c.say(lang, "privacy.lead"), c.say(lang, "privacy.title"), c.say(lang, "privacy.ask"))
	for _, n := range v.list {
		n.title.set(c.say(lang, "privacy."+n.key))
		n.text.set(c.say(lang, "privacy."+n.key+"_text"))
	}
}
