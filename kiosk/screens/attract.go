package screens

import (
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"

	"foyer/api"
	"foyer/kiosk/look"
	"foyer/kiosk/scene"
)

// teasers is how many of today's offers the invitation shows.
const teasers = 3

// attract invites: the house's picture, a card that dips to the reader, today's offers.
type attract struct {
	at      layer
	cfg     Config
	header  *header
	welcome *block
	beneath *block
	tap     *block
	hint    *block
	today   *block
	offers  [teasers]*teaser
	plain   *fyne.Container // in place of the offers, when there are none
	ask     *block
	speak   *button
	join    *button
	browse  *button
	card    *canvas.Image
	dip     *fyne.Animation
	dipped  time.Time
	lang    string
}

// attractPlan is where things lie.
type attractPlan struct {
	hero, head, welcome, panel, today, teasers, bar look.Box
	hall                                            look.Hall
	darkRight                                       bool
}

func planAttract(l layer) attractPlan {
	h, w := l.frame.H/l.frame.G, l.frame.W/l.frame.G
	if l.frame.Portrait() {
		hero := h * 0.585
		return attractPlan{
			hero: l.g(0, 0, 100, hero), head: l.g(6, 5, 88, 8), welcome: l.g(6, 20, 88, 12),
			panel: l.g(6, hero-9, 88, 25), today: l.g(6, hero+20, 88, 5), teasers: l.g(6, hero+27.5, 88, h-hero-48.5),
			bar: l.g(6, h-16.5, 88, 11), darkRight: true,
			hall: look.Hall{Centre: 0.5, Base: 0.885, Span: 0.66, Plants: true, Stars: true},
		}
	}
	return attractPlan{
		hero: l.g(0, 0, w*0.48, h), head: l.g(6, 5, w-12, 8), welcome: l.g(6, 19, w*0.48-12, 11),
		panel: l.g(w*0.48-7, 18, w*0.52+1, 27), today: l.g(w*0.48+6, 50, w*0.52-12, 5), teasers: l.g(w*0.48+6, 57, w*0.52-12, 22.5),
		bar:  l.g(w*0.48+6, 84, w*0.52-12, 11),
		hall: look.Hall{Centre: 0.5, Base: 0.9, Span: 0.68, Plants: true, Stars: true},
	}
}

func newAttract(c Config) *attract {
	a := &attract{at: newLayer(c.Frame), cfg: c}
	p, u := planAttract(a.at), c.Frame.G
	a.at.put(hall(p.hall, p.hero))
	a.header = newHeader(c, a.at, p.head, p.hero.W, true, p.darkRight)
	a.welcome = newBlock(c.Frame, p.welcome, style{sizes: []look.Size{{G: 12, MM: 16}, look.Hero, look.Title}, heavy: true,
		colour: look.Card, align: fyne.TextAlignCenter})
	a.beneath = newBlock(c.Frame, look.Box{X: p.welcome.X, Y: p.welcome.Bottom() + 2.5*u, W: p.welcome.W, H: 5 * u},
		style{sizes: []look.Size{look.Lead}, colour: look.Fog, align: fyne.TextAlignCenter})
	a.at.put(a.welcome.at, a.beneath.at)
	a.invite(p.panel)
	a.today = newBlock(c.Frame, p.today, style{sizes: []look.Size{look.Lead}, heavy: true, colour: look.Ink, rise: 0.5})
	a.at.put(a.today.at)
	for i, box := range p.teasers.Columns(teasers, c.Frame.Gap(3)) {
		a.offers[i] = newTeaser(c, box)
		a.at.put(a.offers[i].pad)
	}
	a.help(p.teasers)
	bar := p.bar.Columns(3, c.Frame.Gap(3.5))
	a.speak = newButton(c.Frame, "language", bar[0], also, "globe", false, func() { c.touch(scene.Speak, c.other(a.lang))() })
	a.join = newButton(c.Frame, "join", bar[1], also, "", false, c.touch(scene.Join, ""))
	a.browse = newButton(c.Frame, "browse", bar[2], mainly, "", false, c.touch(scene.Enter, ""))
	a.at.put(a.speak.pad, a.join.pad, a.browse.pad)
	return a
}

// invite draws the panel with the card and the reader.
func (a *attract) invite(box look.Box) {
	u := a.cfg.Frame.G
	reader := look.Box{X: box.X + 4*u, Y: box.Bottom() - 17*u, W: 25 * u, H: 15 * u}
	card := look.Box{X: reader.X + 6.2*u, Y: reader.Y - 5*u, W: 13.5 * u, H: 8.9 * u}
	a.card = drawing("card", card)
	x := reader.Right() + 4*u
	w := min(box.Right(), a.cfg.Frame.W-6*u) - x - 4*u
	a.tap = newBlock(a.cfg.Frame, look.Box{X: x, Y: box.Y + 3.5*u, W: w, H: 8.5 * u},
		style{sizes: []look.Size{{G: 6.2, MM: 11}, look.Heading, look.Lead}, heavy: true, colour: look.Ink, lines: 2, rise: 1, pitch: 1.15})
	a.hint = newBlock(a.cfg.Frame, look.Box{X: x, Y: box.Y + 15*u, W: w, H: 8 * u},
		style{sizes: []look.Size{look.Body, look.Small}, colour: look.Slate, lines: 2})
	a.at.put(raised(a.cfg.Frame, box, look.Card, 4*u), drawing("reader", reader), a.card, a.tap.at, a.hint.at)
	a.dip = dip(a.card, card.Pos(), 3.2*u)
}

// help is what stands in place of the offers when there are none.
func (a *attract) help(box look.Box) {
	u := a.cfg.Frame.G
	m := newMotif(box, look.Box{X: box.X + 4*u, Y: box.Y + box.H*0.06, W: box.H * 0.88, H: box.H * 0.88}, 3.6*u)
	m.show("cup")
	x := box.X + box.H + 4*u
	a.ask = newBlock(a.cfg.Frame, look.Box{X: x, Y: box.Y, W: box.Right() - x - 4*u, H: box.H},
		style{sizes: []look.Size{look.Lead, look.Body, look.Small}, colour: look.Ink, lines: 3, rise: 0.5, pitch: 1.4})
	a.plain = &fyne.Container{Objects: []fyne.CanvasObject{m.at, a.ask.at}}
	a.at.put(a.plain)
}

func (a *attract) layer() layer { return a.at }

func (a *attract) draw(k scene.Kiosk, now time.Time) {
	lang, c := k.Language, a.cfg
	a.lang = lang
	a.header.show(lang, k.Shop.Name, now)
	a.welcome.set(c.say(lang, "attract.welcome"))
	a.beneath.set(c.say(c.other(lang), "attract.welcome"))
	a.tap.set(c.say(lang, "attract.tap"))
	a.hint.set(c.say(lang, "attract.hint"))
	a.speak.set(c.say(c.other(lang), "language"))
	a.join.set(c.say(lang, "attract.join"))
	a.browse.set(c.say(lang, "attract.browse"))
	swap(a.plain, len(k.Shop.Showcase) == 0)
	a.ask.set(c.say(lang, "home.empty_text"))
	a.today.set(c.say(lang, "attract.today"))
	if len(k.Shop.Showcase) == 0 {
		a.today.set(c.say(lang, "home.empty_title"))
	}
	for i, t := range a.offers {
		t.show(lang, offerAt(k.Shop.Showcase, i))
	}
	a.beckon(now)
}

// restful is the time from dip to dip. Without a graphics chip a moving picture costs a whole processor.
const restful = 8 * time.Second

// beckon dips the card every few seconds. Between two dips the picture stands still and costs nothing.
func (a *attract) beckon(now time.Time) {
	if !a.at.Visible() { // a greeting has come: every frame is for that now
		a.dip.Stop()
		return
	}
	if a.cfg.Still || now.Sub(a.dipped) < restful {
		return
	}
	a.dipped = now
	a.dip.Stop()
	a.dip.Start()
}

func offerAt(offers []api.Offer, i int) *api.Offer {
	if i >= len(offers) {
		return nil
	}
	return &offers[i]
}

// teaser is a small card with an offer's picture and title.
type teaser struct {
	*pad
	art   *motif
	title *block
	about api.Offer
}

func newTeaser(c Config, box look.Box) *teaser {
	u := c.Frame.G
	t := &teaser{}
	t.art = newMotif(look.Box{W: box.W, H: box.H}, look.Box{X: (box.W - box.H*0.56) / 2, Y: box.H * 0.05, W: box.H * 0.56, H: box.H * 0.56}, 3.2*u)
	t.title = newBlock(c.Frame, look.Box{X: 1.5 * u, Y: box.H * 0.64, W: box.W - 3*u, H: box.H * 0.32},
		style{sizes: []look.Size{{G: 3, MM: 7}, look.Small, {G: 2.4, MM: 6}}, heavy: true, colour: look.Ink, align: fyne.TextAlignCenter, lines: 2, rise: 0.5, pitch: 1.24})
	t.pad = newPad("teaser", box, 3.2*u, func() { c.touch(scene.Open, t.about.Campaign)() }, t.art.at, t.title.at)
	return t
}

func (t *teaser) show(lang string, o *api.Offer) {
	if o == nil {
		t.pad.Hide()
		return
	}
	t.about = *o
	t.art.show(o.Art)
	t.title.set(o.Title.In(lang))
	t.pad.Show()
}
