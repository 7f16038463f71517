package screens

import (
	"image/color"
	"slices"
	"strconv"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"

	"foyer/api"
	"foyer/kiosk/look"
	"foyer/kiosk/scene"
)

// joining is how somebody becomes a member, one question a page.
type joining struct {
	*page
	steps   map[scene.Step]*fyne.Container
	line    *line
	keys    *board
	note    *block
	age     [2]*button
	titles  []*choice
	allowed []*consent
	say     *message
	welcome *welcome
}

// choice is a button that answers a question.
type choice struct {
	*button
	key string
}

func newJoining(c Config) *joining {
	v := &joining{page: newPage(c, scene.Next, "next"), steps: map[scene.Step]*fyne.Container{}}
	u, body := c.Frame.G, v.body
	field := look.Box{X: body.X, Y: body.Y, W: body.W, H: max(14*u, (look.TargetMM+4)*c.Frame.MM)}
	if !c.Frame.Portrait() {
		field.H = max(11*u, (look.TargetMM+2)*c.Frame.MM)
	}
	noteH := 5 * u
	v.line = newLine(c, field)
	v.note = newBlock(c.Frame, look.Box{X: field.X + u, Y: field.Bottom() + u, W: field.W - 2*u, H: noteH - u},
		style{sizes: []look.Size{look.Body, look.Small}, heavy: true, colour: look.Rust, rise: 0.5})
	top := field.Bottom() + noteH + u
	v.keys = newBoard(c, look.Box{X: body.X, Y: top, W: body.W, H: body.Bottom() - top})
	writing := &fyne.Container{Objects: []fyne.CanvasObject{v.line.Container, v.note.at, v.keys.at}}
	v.steps[scene.AskPhone], v.steps[scene.AskName] = writing, writing
	v.steps[scene.AskAge] = v.newAge()
	v.steps[scene.AskTitle] = v.newTitles()
	v.steps[scene.AskConsents] = v.newConsents()
	v.say = newMessage(c, body, 0)
	for _, s := range []scene.Step{scene.TooYoung, scene.Sending, scene.Unsent} {
		v.steps[s] = v.say.Container
	}
	v.welcome = newWelcome(c, body)
	v.steps[scene.Welcome] = v.welcome.Container
	for _, s := range []scene.Step{scene.AskPhone, scene.AskAge, scene.AskTitle, scene.AskConsents, scene.Sending, scene.Welcome} {
		v.at.put(v.steps[s])
	}
	return v
}

func (v *joining) newAge() *fyne.Container {
	c, u := v.cfg, v.cfg.Frame.G
	area := v.body
	area.H = min(area.H, 56*u)
	area.Y += (v.body.H - area.H) / 2
	boxes := area.Rows(2, c.Frame.Gap(5))
	v.age[0] = newButton(c.Frame, "yes", boxes[0], mainly, "check", false, c.touch(scene.Yes, ""))
	v.age[1] = newButton(c.Frame, "no", boxes[1], also, "", false, c.touch(scene.No, ""))
	return &fyne.Container{Objects: []fyne.CanvasObject{v.age[0].pad, v.age[1].pad}}
}

func (v *joining) newTitles() *fyne.Container {
	c, at := v.cfg, &fyne.Container{}
	keys := append(slices.Clone(api.Titles), "")
	var boxes []look.Box
	gap := c.Frame.Gap(3.4)
	rows := v.body.Rows(3, gap)
	if c.Frame.Portrait() {
		area := v.body
		area.H = min(area.H, 92*c.Frame.G)
		area.Y += (v.body.H - area.H) / 2
		boxes = area.Rows(len(keys), gap)
	} else {
		boxes = append(append(append(boxes, rows[0].Columns(2, gap)...), rows[1].Columns(2, gap)...), rows[2])
	}
	for i, key := range keys {
		one := &choice{newButton(c.Frame, "title", boxes[i], also, "", false, c.touch(scene.Choose, key)), key}
		v.titles = append(v.titles, one)
		at.Objects = append(at.Objects, one.pad)
	}
	return at
}

func (v *joining) newConsents() *fyne.Container {
	c, at := v.cfg, &fyne.Container{}
	gap := c.Frame.Gap(2)
	boxes := v.body.Rows(len(api.Purposes), gap)
	if !c.Frame.Portrait() {
		boxes = nil
		for _, row := range v.body.Rows(3, gap) {
			boxes = append(boxes, row.Columns(2, gap)...)
		}
	}
	for i, purpose := range api.Purposes {
		one := newConsent(c, boxes[i], purpose)
		v.allowed = append(v.allowed, one)
		at.Objects = append(at.Objects, one.pad)
	}
	return at
}

// asked are the steps that ask something, in order: where somebody is told how far they are.
var asked = []scene.Step{scene.AskPhone, scene.AskName, scene.AskTitle, scene.AskConsents}

// stepKeys name the words of each step.
var stepKeys = map[scene.Step]string{scene.AskAge: "age", scene.TooYoung: "young", scene.AskPhone: "phone", scene.AskName: "name",
	scene.AskTitle: "title", scene.AskConsents: "consents", scene.Sending: "sending", scene.Unsent: "unsent", scene.Welcome: "welcome"}

func (v *joining) draw(k scene.Kiosk, now time.Time) {
	lang, c, f := k.Language, v.cfg, k.Use.Form
	key := stepKeys[f.Step]
	kicker := c.say(lang, "join.lead")
	if i := slices.Index(asked, f.Step); i >= 0 {
		kicker = c.say(lang, "join.step", "n", strconv.Itoa(i+1), "of", strconv.Itoa(len(asked)))
	}
	title := c.say(lang, "join."+key)
	if f.Step == scene.Welcome {
		title = c.say(lang, "join.welcome", "name", f.Joined.Name.In(lang))
	}
	v.show(k, now, kicker, title, v.onward(lang, f))
	for _, at := range v.steps {
		swap(at, at == v.steps[f.Step])
	}
	v.write(k)
	v.answer(lang, f)
}

// onward is the word of the way on; none where the body's own buttons lead on.
func (v *joining) onward(lang string, f scene.Form) string {
	v.act = scene.Next
	switch f.Step {
	case scene.TooYoung, scene.Welcome:
		v.act = scene.Finish
		return v.cfg.say(lang, "home.finish")
	case scene.AskPhone, scene.AskName:
		if f.Ready() {
			return v.cfg.say(lang, "join.next")
		}
	case scene.AskConsents:
		return v.cfg.say(lang, "join.send")
	case scene.Unsent:
		return v.cfg.say(lang, "join.again")
	}
	return ""
}

// write draws what is being written; where nothing is, nothing of it stays.
func (v *joining) write(k scene.Kiosk) {
	sheet, _ := k.Sheet()
	lang, f := k.Language, k.Use.Form
	v.line.show(sheet, v.cfg.say(lang, "join."+map[bool]string{true: "name_hint", false: "phone_hint"}[f.Step == scene.AskName]))
	v.keys.show(lang, sheet)
	v.note.set("")
	if f.Wrong {
		v.note.set(v.cfg.say(lang, "join.phone_wrong"))
	}
}

func (v *joining) answer(lang string, f scene.Form) {
	c := v.cfg
	v.age[0].set(c.say(lang, "join.age_yes"))
	v.age[1].set(c.say(lang, "join.age_no"))
	for _, t := range v.titles {
		key := t.key
		if key == "" {
			key = "none"
		}
		t.set(c.say(lang, "join.title_"+key))
	}
	free := slices.Contains(f.Consents, api.Recognise)
	for _, a := range v.allowed {
		a.show(lang, slices.Contains(f.Consents, a.purpose), free || a.purpose == api.Recognise)
	}
	switch f.Step {
	case scene.TooYoung:
		v.say.say("gift", c.say(lang, "join.young_title"), c.say(lang, "join.young_text"))
	case scene.Sending:
		v.say.say("star", c.say(lang, "waiting.title"), c.say(lang, "join.sending_text"))
	case scene.Unsent:
		key := "join.unsent_text"
		if f.Refused == api.CodeInvalid {
			key = "join.refused_text"
		}
		v.say.say("cup", c.say(lang, "join.unsent_title"), c.say(lang, key))
	}
	v.welcome.show(lang, f)
}

// consent is one thing that may be allowed: its own switch, off until it is touched.
type consent struct {
	*pad
	cfg         Config
	purpose     string
	title, text *block
	face        *canvas.Rectangle
	track       *canvas.Rectangle
	knob        *canvas.Circle
	check       *canvas.Image
	home        fyne.Position
	slide       float32
}

func newConsent(c Config, box look.Box, purpose string) *consent {
	u := c.Frame.G
	v := &consent{cfg: c, purpose: purpose}
	h := min(6.4*u, box.H*0.5)
	track := look.Box{X: box.W - 3.4*u - h*1.8, Y: (box.H - h) / 2, W: h * 1.8, H: h}
	text := look.Box{X: 3.6 * u, W: track.X - 6*u, H: box.H}
	v.face = plate(look.Box{W: box.W, H: box.H}, look.Card, 3*u)
	v.face.StrokeColor, v.face.StrokeWidth = look.Sand, max(1, 0.3*u)
	v.title = newBlock(c.Frame, text, style{sizes: []look.Size{{G: 3.9, MM: 8}, {G: 3.4, MM: 7.5}, {G: 3, MM: 7}}, heavy: true, colour: look.Ink, lines: 2, pitch: 1.2})
	v.text = newBlock(c.Frame, text, style{sizes: []look.Size{{G: 2.9, MM: 6.5}, {G: 2.5, MM: 6}, {G: 2.3, MM: 5.5}}, colour: look.Slate, lines: 3, pitch: 1.26})
	v.track = plate(track, look.Fog, h/2)
	v.track.StrokeWidth = max(1, 0.3*u)
	v.knob = canvas.NewCircle(look.Card)
	pad := h * 0.12
	v.knob.Resize(fyne.NewSize(h-2*pad, h-2*pad))
	v.home, v.slide = fyne.NewPos(track.X+pad, track.Y+pad), h*0.8
	v.check = drawing("icon-check-teal", look.Box{X: v.home.X + v.slide, Y: v.home.Y, W: h - 2*pad, H: h - 2*pad}.Inset(h*0.1, h*0.1))
	v.pad = newPad("consent", box, 3*u, c.touch(scene.Toggle, purpose), v.face, v.title.at, v.text.at, v.track, v.knob, v.check)
	return v
}

// show sets the switch. One that means nothing before another says so.
func (v *consent) show(lang string, on, free bool) {
	u := v.cfg.Frame.G
	v.title.set(v.cfg.say(lang, "join.allow_"+v.purpose))
	key := "join.allow_" + v.purpose + "_text"
	if !free {
		key = "join.allow_first"
	}
	v.text.set(v.cfg.say(lang, key))
	gap := 0.8 * u
	room := v.Size().Height - 2.4*u
	v.title.place(look.Box{X: v.title.box.X, Y: v.title.box.Y, W: v.title.box.W, H: room * 0.44})
	v.text.place(look.Box{X: v.text.box.X, Y: v.text.box.Y, W: v.text.box.W, H: max(0, room-v.title.foot-gap)})
	top := 1.2*u + max(0, (room-v.title.foot-gap-v.text.foot)/2)
	v.title.place(look.Box{X: v.title.box.X, Y: top, W: v.title.box.W, H: v.title.box.H})
	v.text.place(look.Box{X: v.text.box.X, Y: top + v.title.foot + gap, W: v.text.box.W, H: v.text.box.H})
	track, edge, face := look.Sand, look.Slate, look.Card
	switch {
	case on:
		track, edge = look.Teal, look.Teal
	case !free:
		edge, face = look.Fog, look.Paper
	}
	paintIf(v.track, track, edge)
	paintIf(v.face, face, v.face.StrokeColor)
	at := v.home
	if on {
		at.X += v.slide
	}
	v.knob.Move(at)
	swap(v.check, on)
}

// paintIf gives a plate other colours, where they are others.
func paintIf(r *canvas.Rectangle, fill, edge color.Color) {
	if r.FillColor != fill || r.StrokeColor != edge {
		r.FillColor, r.StrokeColor = fill, edge
		r.Refresh()
	}
}

// welcome is what a new member sees: the code for staff, and where to hold the card.
type welcome struct {
	*fyne.Container
	cfg               Config
	digits            [4]*block
	reader, card      *canvas.Image
	done              *fyne.Container
	hold, under       *block
	enter             *button
	panel             look.Box
	codeTitle, safety *block
}

func newWelcome(c Config, body look.Box) *welcome {
	v := &welcome{Container: &fyne.Container{}, cfg: c}
	gap := c.Frame.Gap(3)
	code := look.Box{X: body.X, Y: body.Y, W: body.W, H: (body.H - gap) * 0.5}
	v.panel = look.Box{X: body.X, Y: code.Bottom() + gap, W: body.W, H: body.H - code.H - gap}
	if !c.Frame.Portrait() {
		halves := body.Columns(2, gap)
		code, v.panel = halves[0], halves[1]
	}
	v.code(code)
	v.hint(v.panel)
	return v
}

// code draws the four digits that staff ask for.
func (v *welcome) code(box look.Box) {
	c, u := v.cfg, v.cfg.Frame.G
	centre := style{sizes: []look.Size{{G: 4.4, MM: 9}, look.Lead, look.Body}, heavy: true, colour: look.Ink, align: fyne.TextAlignCenter, lines: 2, rise: 0.5, pitch: 1.2}
	v.codeTitle = newBlock(c.Frame, look.Box{X: box.X + 3*u, Y: box.Y + 2*u, W: box.W - 6*u, H: box.H * 0.26}, centre)
	v.Objects = append(v.Objects, raised(c.Frame, box, look.Card, 3.6*u), v.codeTitle.at)
	digits := look.Box{X: box.X + 5*u, Y: box.Y + box.H*0.32, W: box.W - 10*u, H: box.H * 0.38}
	side := min(digits.H, (digits.W-9*u)/4)
	digits.X, digits.W = digits.X+(digits.W-4*side-9*u)/2, 4*side+9*u
	for i, place := range digits.Columns(len(v.digits), 3*u) {
		place.Y, place.H = place.Y+(place.H-side)/2, side
		v.digits[i] = newBlock(c.Frame, place, style{sizes: []look.Size{{G: side / u * 0.62, MM: 10}}, heavy: true, colour: look.TealLow, align: fyne.TextAlignCenter, rise: 0.5})
		v.Objects = append(v.Objects, plate(place, look.Mist, side*0.22), v.digits[i].at)
	}
	v.safety = newBlock(c.Frame, look.Box{X: box.X + 4*u, Y: box.Y + box.H*0.74, W: box.W - 8*u, H: box.H * 0.22},
		style{sizes: []look.Size{look.Body, look.Small, {G: 2.5, MM: 6}}, colour: look.Slate, align: fyne.TextAlignCenter, lines: 3, rise: 0.5, pitch: 1.3})
	v.Objects = append(v.Objects, v.safety.at)
}

// hint draws a card that goes to the reader.
func (v *welcome) hint(box look.Box) {
	c, u := v.cfg, v.cfg.Frame.G
	w := min(25*u, box.W*0.36)
	reader := look.Box{X: box.X + 4*u, Y: box.Y + box.H/2, W: w, H: w * 0.6}
	x := reader.Right() + 4*u
	text := look.Box{X: x, Y: box.Y + 3*u, W: box.Right() - x - 4*u, H: box.H - 21*u}
	if !c.Frame.Portrait() {
		reader = look.Box{X: box.X + (box.W-w)/2, Y: box.Y + 11*u, W: w, H: w * 0.6}
		text = look.Box{X: box.X + 3*u, Y: reader.Bottom() + u, W: box.W - 6*u, H: box.H - reader.Bottom() + box.Y - 15*u}
	} else {
		reader.Y = text.Y + (text.H-reader.H)/2 + 3*u
	}
	card := look.Box{X: reader.X + w*0.25, Y: reader.Y - w*0.2, W: w * 0.54, H: w * 0.356}
	side := w * 0.8
	v.reader, v.card = drawing("reader", reader), drawing("card", card)
	done := look.Box{X: reader.X + (w-side)/2, Y: (card.Y + reader.Bottom() - side) / 2, W: side, H: side}
	v.done = &fyne.Container{Objects: []fyne.CanvasObject{plate(done, look.Teal, side/2), drawing("icon-check-white", done.Inset(side*0.16, side*0.16))}}
	align := fyne.TextAlignLeading
	if !c.Frame.Portrait() {
		align = fyne.TextAlignCenter
	}
	v.hold = newBlock(c.Frame, look.Box{X: text.X, Y: text.Y, W: text.W, H: text.H * 0.5}, style{sizes: []look.Size{{G: 4.6, MM: 9}, look.Lead, look.Body}, heavy: true, colour: look.Ink, align: align, lines: 2, rise: 1, pitch: 1.2})
	v.under = newBlock(c.Frame, look.Box{X: text.X, Y: text.Y + text.H*0.5 + 1.6*u, W: text.W, H: text.H*0.5 - 1.6*u}, style{sizes: []look.Size{look.Body, look.Small, {G: 2.5, MM: 6}}, colour: look.Slate, align: align, lines: 3, pitch: 1.3})
	button := look.Box{X: box.X + 3*u, Y: box.Bottom() - 14.5*u, W: box.W - 6*u, H: 11.5 * u}
	v.enter = newButton(c.Frame, "enter", button, mainly, "arrow", true, c.touch(scene.Enter, ""))
	v.Objects = append(v.Objects, plate(box, look.Butter, 3.6*u), v.reader, v.card, v.done, v.hold.at, v.under.at, v.enter.pad)
}

func (v *welcome) show(lang string, f scene.Form) {
	c := v.cfg
	code := []rune(f.Joined.Code + strings.Repeat(" ", len(v.digits)))
	for i, d := range v.digits {
		d.set(string(code[i]))
	}
	v.codeTitle.set(c.say(lang, "join.code"))
	v.safety.set(c.say(lang, "join.code_text"))
	key := "later"
	switch {
	case f.Carded:
		key = "carded"
	case !slices.Contains(f.Consents, api.Recognise):
		key = "nocard"
	case f.Joined.Card:
		key = "card"
	}
	swap(v.reader, !f.Carded)
	swap(v.card, !f.Carded)
	swap(v.done, f.Carded)
	v.hold.set(c.say(lang, "join."+key))
	v.under.set(c.say(lang, "join."+key+"_text"))
	v.enter.set(c.say(lang, "greet.enter"))
}
