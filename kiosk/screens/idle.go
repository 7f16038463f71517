package screens

import (
	"strconv"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"

	"foyer/kiosk/look"
	"foyer/kiosk/scene"
)

// idle asks whether anybody is still there, and counts down before the screen starts over.
type idle struct {
	at          layer
	cfg         Config
	ring        *canvas.Arc
	number      *block
	seconds     *block
	title, text *block
	more, done  *button
}

type idlePlan struct{ sheet, ring, title, text, more, done look.Box }

func planIdle(l layer) idlePlan {
	h, w := l.frame.H/l.frame.G, l.frame.W/l.frame.G
	if l.frame.Portrait() {
		return idlePlan{
			sheet: l.g(0, 40, 100, h-40), ring: l.g(31, 51, 38, 38), title: l.g(6, h-80, 88, 9), text: l.g(10, h-66, 80, 12),
			more: l.g(6, h-46, 88, 15), done: l.g(6, h-24, 88, 13),
		}
	}
	x := w * 0.31
	return idlePlan{
		sheet: l.g(x, 0, w-x, h), ring: l.g((x+w)/2-13, 6, 26, 26), title: l.g(x+7, 35, w-x-14, 8), text: l.g(x+10, 46, w-x-20, 10),
		more: l.g(x+7, 61, w-x-14, 13.5), done: l.g(x+7, 80, w-x-14, 12),
	}
}

func newIdle(c Config) *idle {
	v := &idle{at: newLayer(c.Frame), cfg: c}
	p, u := planIdle(v.at), c.Frame.G
	sheet := plate(p.sheet, look.Night, 0)
	if c.Frame.Portrait() {
		sheet.TopLeftCornerRadius, sheet.TopRightCornerRadius = 6*u, 6*u
	}
	sheet.Shadow = canvas.Shadow{Color: look.Shade, BlurRadius: 4 * u}
	// Under the sheet nothing can be touched: a touch anywhere says that somebody is still there.
	v.at.put(newPad("still here", look.Box{W: c.Frame.W, H: c.Frame.H}, 0, c.touch(scene.Anywhere, "")), sheet)
	v.countdown(p.ring)
	centre := style{heavy: true, colour: look.Card, align: fyne.TextAlignCenter}
	centre.sizes = []look.Size{look.Title, {G: 6, MM: 11}, look.Heading}
	v.title = newBlock(c.Frame, p.title, centre)
	v.text = newBlock(c.Frame, p.text, style{sizes: []look.Size{look.Lead, look.Body}, colour: look.Fog, align: fyne.TextAlignCenter, lines: 2})
	v.more = newButton(c.Frame, "more", p.more, warmly, "more", false, c.touch(scene.More, ""))
	v.done = newButton(c.Frame, "done", p.done, quietly, "check", false, c.touch(scene.Finish, ""))
	v.at.put(v.title.at, v.text.at, v.more.pad, v.done.pad)
	v.at.Hide()
	return v
}

func (v *idle) countdown(ring look.Box) {
	u := v.cfg.Frame.G
	back := canvas.NewArc(0, 360, 0.86, look.Deep)
	v.ring = canvas.NewArc(0, 360, 0.86, look.Honey)
	for _, a := range []*canvas.Arc{back, v.ring} {
		a.Move(ring.Pos())
		a.Resize(ring.Size())
	}
	v.ring.CornerRadius = u
	v.number = newBlock(v.cfg.Frame, look.Box{X: ring.X, Y: ring.Y + ring.H*0.24, W: ring.W, H: ring.H * 0.38},
		style{sizes: []look.Size{{G: ring.H / u * 0.36, MM: 14}}, heavy: true, colour: look.Card, align: fyne.TextAlignCenter, rise: 0.5})
	v.seconds = newBlock(v.cfg.Frame, look.Box{X: ring.X, Y: ring.Y + ring.H*0.64, W: ring.W, H: ring.H * 0.14},
		style{sizes: []look.Size{look.Body, look.Small}, colour: look.Fog, align: fyne.TextAlignCenter, rise: 0.5})
	v.at.put(back, v.ring, v.number.at, v.seconds.at)
}

func (v *idle) draw(k scene.Kiosk, now time.Time) {
	swap(v.at.Container, k.Warning())
	if !k.Warning() {
		return
	}
	lang, c := k.Language, v.cfg
	left := k.Countdown(c.Rules, now)
	v.number.set(strconv.Itoa(int((left + time.Second - 1) / time.Second)))
	v.seconds.set(c.say(lang, "idle.seconds"))
	v.title.set(c.say(lang, "idle.title"))
	v.text.set(c.say(lang, "idle.text"))
	v.more.set(c.say(lang, "idle.more"))
	v.done.set(c.say(lang, "idle.done"))
	v.turn(float32(left) / float32(max(time.Second, v.whole(k, now))))
}

// whole is the full length of the countdown.
func (v *idle) whole(k scene.Kiosk, now time.Time) time.Duration {
	return k.Countdown(v.cfg.Rules, now) + now.Sub(k.Use.Warned)
}

func (v *idle) turn(part float32) {
	if end := 360 * min(1, max(0, part)); v.ring.EndAngle != end {
		v.ring.EndAngle = end
		v.ring.Refresh()
	}
}
