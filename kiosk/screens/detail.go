package screens

import (
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"

	"foyer/kiosk/look"
	"foyer/kiosk/scene"
)

// detail shows one offer large.
type detail struct {
	at                layer
	cfg               Config
	header            *header
	art               *motif
	title, text       *block
	ask               *block
	strip             *canvas.Rectangle
	back, speak, done *button
	lang              string
}

type detailPlan struct {
	ground, picture, head, title, text, strip, back, speak, done look.Box
}

func planDetail(l layer) detailPlan {
	h, w := l.frame.H/l.frame.G, l.frame.W/l.frame.G
	if l.frame.Portrait() {
		g := h * 0.53
		return detailPlan{
			ground: l.g(0, 0, 100, g), picture: l.g(50-(g-20)/2, 17, g-20, g-20), head: l.g(6, 5, 88, 8),
			title: l.g(6, g+6, 88, 18), text: l.g(6, g+25, 88, 18), strip: l.g(6, h-35.5, 88, 14),
			back: l.g(6, h-16.5, 27, 11), speak: l.g(36.5, h-16.5, 27, 11), done: l.g(67, h-16.5, 27, 11),
		}
	}
	x := w * 0.46
	return detailPlan{
		ground: l.g(0, 0, x, h), picture: l.g(x/2-34, 20, 68, 68), head: l.g(6, 5, w-12, 8),
		title: l.g(x+7, 18, w-x-13, 19), text: l.g(x+7, 39, w-x-13, 21), strip: l.g(x+7, 64, w-x-13, 14),
		back: l.g(x+7, 84.5, 25, 11), speak: l.g(x+35.5, 84.5, 25, 11), done: l.g(w-31, 84.5, 25, 11),
	}
}

func newDetail(c Config) *detail {
	v := &detail{at: newLayer(c.Frame), cfg: c}
	p, u := planDetail(v.at), c.Frame.G
	v.art = newMotif(p.ground, p.picture, 0)
	v.at.put(v.art.at)
	v.header = newHeader(c, v.at, p.head, p.ground.W, false, false)
	v.title = newBlock(c.Frame, p.title, style{sizes: []look.Size{{G: 8.6, MM: 13}, look.Title, {G: 6.2, MM: 11}, look.Heading}, heavy: true, colour: look.Ink, lines: 2, pitch: 1.18})
	v.text = newBlock(c.Frame, p.text, style{sizes: []look.Size{{G: 4.2, MM: 9}, look.Body, look.Small}, colour: look.Slate, lines: 3, pitch: 1.45})
	v.strip = plate(p.strip, look.Mist, 3.4*u)
	mark := look.Box{X: p.strip.X + 3.4*u, Y: p.strip.Y + 3*u, W: p.strip.H - 6*u, H: p.strip.H - 6*u}
	v.ask = newBlock(c.Frame, look.Box{X: mark.Right() + 3*u, Y: p.strip.Y + 1.5*u, W: p.strip.Right() - mark.Right() - 6*u, H: p.strip.H - 3*u},
		style{sizes: []look.Size{look.Lead, look.Body, look.Small}, heavy: true, colour: look.TealLow, lines: 2, rise: 0.5, pitch: 1.28})
	v.at.put(v.title.at, v.text.at, v.strip, drawing("mark", mark), v.ask.at)
	v.back = newButton(c.Frame, "back", p.back, also, "back", false, c.touch(scene.Back, ""))
	v.speak = newButton(c.Frame, "language", p.speak, also, "globe", false, func() { c.touch(scene.Speak, c.other(v.lang))() })
	v.done = newButton(c.Frame, "finish", p.done, mainly, "check", false, c.touch(scene.Finish, ""))
	v.at.put(v.back.pad, v.speak.pad, v.done.pad)
	return v
}

func (v *detail) layer() layer { return v.at }

func (v *detail) draw(k scene.Kiosk, now time.Time) {
	lang, c := k.Language, v.cfg
	v.lang = lang
	v.header.show(lang, k.Shop.Name, now)
	offer, _ := k.Chosen()
	v.art.show(offer.Art)
	v.title.set(offer.Title.In(lang))
	v.text.set(offer.Text.In(lang))
	v.text.place(look.Box{X: v.text.box.X, Y: v.title.below(4.2 * c.Frame.G), W: v.text.box.W, H: v.strip.Position().Y - v.title.below(7*c.Frame.G)})
	v.ask.set(c.say(lang, "detail.ask"))
	v.back.set(c.say(lang, "detail.back"))
	v.speak.set(c.say(c.other(lang), "language"))
	v.done.set(c.say(lang, "home.finish"))
}

// notice is a short word below the header, over whatever scene stands.
type notice struct {
	at   layer
	cfg  Config
	text *block
}

func newNotice(c Config) *notice {
	n := &notice{at: newLayer(c.Frame), cfg: c}
	w, u := c.Frame.W/c.Frame.G, c.Frame.G
	box := n.at.g(4, 3, 92, 12)
	if !c.Frame.Portrait() {
		box = n.at.g(4, 3, w-8, 11)
	}
	n.text = newBlock(c.Frame, box.Inset(4*u, 0), style{sizes: []look.Size{{G: 4.4, MM: 9}, look.Lead, {G: 3.6, MM: 8}, look.Body}, heavy: true,
		colour: look.Ink, align: fyne.TextAlignCenter, lines: 2, rise: 0.5, pitch: 1.16})
	n.at.put(raised(c.Frame, box, look.Honey, box.H/2), n.text.at)
	n.at.Hide()
	return n
}

func (n *notice) draw(k scene.Kiosk) {
	swap(n.at.Container, k.Notice != scene.NoNotice && !k.Warning())
	switch k.Notice {
	case scene.NextInLine:
		n.text.set(n.cfg.say(k.Language, "notice.next"))
	case scene.FinishHere:
		n.text.set(n.cfg.say(k.Language, "notice.finish"))
	}
}
