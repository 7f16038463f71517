package screens

import (
	"time"

	"fyne.io/fyne/v2"

	"foyer/kiosk/look"
	"foyer/kiosk/scene"
)

// waiting says that it takes a moment: foyerd does not answer.
type waiting struct {
	at           layer
	cfg          Config
	header       *header
	title, under *block
	text         *block
}

func newWaiting(c Config) *waiting {
	v := &waiting{at: newLayer(c.Frame), cfg: c}
	h, w, u := c.Frame.H/c.Frame.G, c.Frame.W/c.Frame.G, c.Frame.G
	hero, box := v.at.g(0, 0, 100, h*0.66), v.at.g(6, h*0.66+8, 88, 15)
	head := v.at.g(6, 5, 88, 8)
	centre, align := 0.5, fyne.TextAlignCenter
	if !c.Frame.Portrait() {
		hero, box = v.at.g(0, 0, w*0.48, h), v.at.g(w*0.48+9, 31, w*0.52-16, 17)
		head, align = v.at.g(6, 5, w-12, 8), fyne.TextAlignLeading
	}
	v.at.put(hall(look.Hall{Centre: centre, Base: 0.86, Span: 0.68, Plants: true, Stars: true}, hero))
	v.header = newHeader(c, v.at, head, hero.W, true, c.Frame.Portrait())
	v.title = newBlock(c.Frame, box, style{sizes: []look.Size{{G: 9, MM: 14}, look.Title, {G: 6, MM: 11}, look.Heading}, heavy: true, colour: look.Ink, align: align, lines: 2, rise: 1, pitch: 1.16})
	v.under = newBlock(c.Frame, look.Box{X: box.X, Y: box.Bottom() + 3.5*u, W: box.W, H: 6 * u},
		style{sizes: []look.Size{look.Lead}, colour: look.Slate, align: align})
	v.text = newBlock(c.Frame, look.Box{X: box.X, Y: box.Bottom() + 12*u, W: box.W, H: 6 * u},
		style{sizes: []look.Size{look.Lead, look.Body}, colour: look.Teal, align: align, lines: 2})
	v.at.put(v.title.at, v.under.at, v.text.at)
	return v
}

func (v *waiting) layer() layer { return v.at }

func (v *waiting) draw(k scene.Kiosk, now time.Time) {
	v.header.show(k.Language, k.Shop.Name, now)
	v.title.set(v.cfg.say(k.Language, "waiting.title"))
	v.under.set(v.cfg.say(v.cfg.other(k.Language), "waiting.title"))
	v.text.set(v.cfg.say(k.Language, "waiting.text"))
}
