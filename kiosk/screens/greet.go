package screens

import (
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"

	"foyer/kiosk/look"
	"foyer/kiosk/scene"
)

// greet says good morning: one headline as large as it fits, one line, and the way on.
type greet struct {
	at              layer
	cfg             Config
	header          *header
	everyday, feast *canvas.Image
	paper           *canvas.Image
	headline, under *block
	line, beneath   *block
	enter, later    *button
	words           *fyne.Container
	visit           string
	riser           riser
}

type greetPlan struct {
	hero, head, headline, line, enter, later look.Box
	align                                    fyne.TextAlign
}

func planGreet(l layer) greetPlan {
	h, w := l.frame.H/l.frame.G, l.frame.W/l.frame.G
	if l.frame.Portrait() {
		hero := h * 0.63
		return greetPlan{
			hero: l.g(0, 0, 100, hero), head: l.g(6, 5, 88, 8), headline: l.g(6, 21, 88, 27),
			line: l.g(6, hero+5.5, 88, 12), enter: l.g(6, h-35, 88, 14), later: l.g(6, h-16.5, 88, 11), align: fyne.TextAlignCenter,
		}
	}
	x := w * 0.48
	return greetPlan{
		hero: l.g(0, 0, x, h), head: l.g(6, 5, w-12, 8), headline: l.g(x+7, 17, w-x-13, 23), line: l.g(x+7, 50, w-x-13, 10.6),
		enter: l.g(x+7, 70.5, w-x-13, 12), later: l.g(x+7, 86, w-x-13, 10), align: fyne.TextAlignLeading,
	}
}

func newGreet(c Config) *greet {
	v := &greet{at: newLayer(c.Frame), cfg: c, words: &fyne.Container{}}
	p, portrait := planGreet(v.at), c.Frame.Portrait()
	view := look.Hall{Centre: 0.5, Base: 0.9, Span: 0.7, Plants: true, Stars: true}
	if portrait {
		view.Span = 0.66
	}
	v.everyday = hall(view, p.hero)
	view.Mood = look.Feast
	v.feast = hall(view, p.hero)
	hero, clear := whole(p.hero), p.headline
	clear.H += 6 * c.Frame.G
	v.paper = picture(look.Confetti(int(hero.W), int(hero.H), p.head, clear), hero)
	v.at.put(v.everyday, v.feast, v.paper)
	v.header = newHeader(c, v.at, p.head, p.hero.W, true, portrait)
	head, under := look.Card, look.Fog
	if !portrait {
		head, under = look.Ink, look.Slate
	}
	v.headline = newBlock(c.Frame, p.headline, style{sizes: []look.Size{{G: 12.4, MM: 16}, look.Hero, {G: 9.4, MM: 14}, look.Title, {G: 6, MM: 11}, look.Heading, look.Lead, look.Body},
		heavy: true, colour: head, align: p.align, lines: 3, pitch: 1.18})
	v.under = newBlock(c.Frame, p.headline, style{sizes: []look.Size{look.Lead, look.Body, look.Small}, colour: under, align: p.align})
	v.line = newBlock(c.Frame, p.line, style{sizes: []look.Size{{G: 4.8, MM: 10}, look.Lead, {G: 3.6, MM: 8}}, heavy: true, colour: look.Teal, align: p.align, lines: 2, pitch: 1.22})
	v.beneath = newBlock(c.Frame, p.line, style{sizes: []look.Size{look.Body, look.Small}, colour: look.Slate, align: p.align, lines: 2})
	v.words.Objects = []fyne.CanvasObject{v.headline.at, v.under.at, v.line.at, v.beneath.at}
	v.enter = newButton(c.Frame, "enter", p.enter, mainly, "arrow", true, c.touch(scene.Enter, ""))
	v.later = newButton(c.Frame, "later", p.later, also, "", false, c.touch(scene.Finish, ""))
	v.at.put(v.words, v.enter.pad, v.later.pad)
	return v
}

func (v *greet) layer() layer { return v.at }

func (v *greet) draw(k scene.Kiosk, now time.Time) {
	lang, c, g, u := k.Language, v.cfg, k.Guest, v.cfg.Frame.G
	v.header.show(lang, k.Shop.Name, now)
	swap(v.feast, g.Festive)
	swap(v.paper, g.Festive)
	swap(v.everyday, !g.Festive)
	v.headline.set(g.Headline.In(lang))
	v.under.set(g.Headline.In(c.other(lang)))
	v.under.place(look.Box{X: v.headline.box.X, Y: v.headline.below(3 * u), W: v.headline.box.W, H: 5 * u})
	v.line.set(g.Line.In(lang))
	if !c.Frame.Portrait() {
		v.line.place(look.Box{X: v.line.box.X, Y: v.under.below(4.6 * u), W: v.line.box.W, H: v.line.box.H})
	}
	v.beneath.set(g.Line.In(c.other(lang)))
	v.beneath.place(look.Box{X: v.line.box.X, Y: v.line.below(2.2 * u), W: v.line.box.W, H: 4.4 * u})
	v.enter.set(c.say(lang, "greet.enter"))
	v.later.set(c.say(lang, "greet.later"))
	if !g.Neutral && g.Visit != "" { // nothing of a person is shown before they have said that it is them
		v.enter.set(c.say(lang, "greet.me"))
		v.later.set(c.say(lang, "greet.not_me"))
	}
	if g.Visit != v.visit {
		v.visit = g.Visit
		v.riser.start(v.words, 5*u, c.Still || g.Visit == "")
	}
}

// swap shows or hides a thing, and touches it only when that is a change.
func swap(o fyne.CanvasObject, on bool) {
	switch {
	case on && !o.Visible():
		o.Show()
	case !on && o.Visible():
		o.Hide()
	}
}
