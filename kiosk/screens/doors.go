package screens

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"

	"foyer/api"
	"foyer/kiosk/look"
)

// single greets one arrival beside the house's picture.
type single struct {
	at              layer
	cfg             Config
	headline, under *block
	line            *block
	offer           *chip
}

func newSingle(c Config) *single {
	v := &single{at: newLayer(c.Frame), cfg: c}
	h, w, u := c.Frame.H/c.Frame.G, c.Frame.W/c.Frame.G, c.Frame.G
	head, align := v.at.g(w*0.48, 20, w*0.52-7, 32), fyne.TextAlignLeading
	foot := v.at.g(w*0.48, 76, w*0.52-7, 16)
	if c.Frame.Portrait() {
		head, foot, align = v.at.g(6, h*0.42+20, 88, 32), v.at.g(6, h-25, 88, 18), fyne.TextAlignCenter
	}
	v.headline = newBlock(c.Frame, head, style{sizes: []look.Size{{G: 14.5, MM: 20}, {G: 12.4, MM: 18}, look.Hero, {G: 9, MM: 14}, look.Title, {G: 6, MM: 11}, look.Heading, look.Lead},
		heavy: true, colour: look.Card, align: align, lines: 3, pitch: 1.16})
	v.under = newBlock(c.Frame, head, style{sizes: []look.Size{{G: 5, MM: 10}, look.Lead, look.Body}, colour: look.Fog, align: align, lines: 2, pitch: 1.2})
	v.line = newBlock(c.Frame, head, style{sizes: []look.Size{look.Heading, look.Lead}, heavy: true, colour: look.Honey, align: align, lines: 2})
	v.offer = newChip(c, foot, u)
	v.at.put(v.headline.at, v.under.at, v.line.at, v.offer.Container)
	v.at.Hide()
	return v
}

func (v *single) draw(guests []api.Greeting, lead string) {
	swap(v.at.Container, len(guests) == 1)
	g := api.Greeting{}
	if len(guests) == 1 {
		g = guests[0]
	}
	c, u := v.cfg, v.cfg.Frame.G
	v.headline.set(g.Headline.In(lead))
	v.under.set(g.Headline.In(c.other(lead)))
	v.under.place(look.Box{X: v.headline.box.X, Y: v.headline.below(3.4 * u), W: v.headline.box.W, H: 11 * u})
	v.line.set(g.Line.In(lead))
	v.line.place(look.Box{X: v.headline.box.X, Y: v.under.below(5 * u), W: v.headline.box.W, H: 13 * u})
	v.offer.show(lead, offerAt(g.Offers, 0))
}

// chip is an offer in one line: a picture, what it is, its title.
type chip struct {
	*fyne.Container
	cfg          Config
	art          *motif
	title, small *block
}

func newChip(c Config, box look.Box, u float32) *chip {
	k := &chip{Container: &fyne.Container{}, cfg: c}
	art := look.Box{X: box.X + 1.4*u, Y: box.Y + 1.4*u, W: box.H - 2.8*u, H: box.H - 2.8*u}
	k.art = newMotif(art, art.Inset(art.W*0.05, art.H*0.05), 2.4*u)
	x := art.Right() + 3*u
	k.small = newBlock(c.Frame, look.Box{X: x, Y: box.Y + box.H*0.2, W: box.Right() - x - 3*u, H: 3.4 * u},
		style{sizes: []look.Size{{G: 3.2, MM: 7}}, heavy: true, colour: look.Teal})
	k.title = newBlock(c.Frame, look.Box{X: x, Y: box.Y + box.H*0.2 + 5*u, W: box.Right() - x - 3*u, H: box.H*0.72 - 5*u},
		style{sizes: []look.Size{look.Heading, look.Lead, look.Body}, heavy: true, colour: look.Ink})
	k.Objects = []fyne.CanvasObject{raised(c.Frame, box, look.Paper, 3.6*u), k.art.at, k.small.at, k.title.at}
	return k
}

func (k *chip) show(lang string, o *api.Offer) {
	swap(k.Container, o != nil)
	if o == nil {
		return
	}
	k.art.show(o.Art)
	k.small.set(k.cfg.say(lang, "wall.offer"))
	k.title.set(o.Title.In(lang))
}

// row is several doors, one an arrival.
type row struct {
	*fyne.Container
	doors []*leaf
}

// leaves are the doors' colours.
var leaves = []color.NRGBA{look.Cream, look.Mist, look.Blush, look.Lilac}

func newRow(c Config, n int) *row {
	l := newLayer(c.Frame)
	h, w, u := c.Frame.H/c.Frame.G, c.Frame.W/c.Frame.G, c.Frame.G
	r := &row{Container: l.Container}
	gap := 3.6 * u
	boxes := l.g(5, 16.5, w-10, 77).Columns(n, gap)
	if c.Frame.Portrait() {
		area := l.g(5, 17, 90, h-28)
		boxes = area.Columns(2, gap)
		if n == 2 {
			boxes = area.Rows(2, gap)
		}
		if n > 2 {
			boxes = nil
			for _, line := range area.Rows(2, gap) {
				boxes = append(boxes, line.Columns(2, gap)...)
			}
		}
		if n == 3 {
			boxes[2].X = area.X + (area.W-boxes[2].W)/2
		}
	}
	for i := range n {
		d := newLeaf(c, boxes[i], leaves[i], u)
		r.doors = append(r.doors, d)
		r.Objects = append(r.Objects, d.Container)
	}
	if !c.Frame.Portrait() {
		r.Objects = append(r.Objects, plate(l.g(5, 93.7, w-10, 0.7), look.Deep, u))
	}
	r.Hide()
	return r
}

func (r *row) draw(guests []api.Greeting, on bool, fallback string) {
	for i, d := range r.doors {
		if on {
			d.show(guests[i], fallback)
		} else {
			d.show(api.Greeting{}, fallback)
		}
	}
}

// leaf is one door with its greeting.
type leaf struct {
	*fyne.Container
	cfg                    Config
	art                    *canvas.Image
	side                   float32
	words                  look.Box
	headline, under, offer *block
	rule                   *canvas.Rectangle
}

func newLeaf(c Config, box look.Box, fill color.Color, u float32) *leaf {
	d := &leaf{Container: &fyne.Container{}, cfg: c}
	radius := min(box.W/2, box.H*0.62)
	d.side = min(box.W*0.5, box.H*0.4, 30*u)
	top := box.Y + max(2*u, (radius-d.side)*0.42)
	art := whole(look.Box{X: box.X + (box.W-d.side)/2, Y: top, W: d.side, H: d.side})
	d.art = picture(nil, art)
	in := max(2.6*u, box.W*0.07)
	text := look.Box{X: box.X + in, Y: art.Bottom() + 2.4*u, W: box.W - 2*in}
	foot := box.Bottom() - 3*u
	d.words = look.Box{X: text.X, Y: text.Y, W: text.W, H: foot - 11*u - text.Y}
	text.H = d.words.H * 0.66
	d.headline = newBlock(c.Frame, text, style{sizes: []look.Size{look.Hero, {G: 9.4, MM: 14}, {G: 8.4, MM: 13}, look.Title, {G: 6.4, MM: 11}, {G: 5.6, MM: 10}, look.Heading, look.Lead, look.Body},
		heavy: true, colour: look.Ink, align: fyne.TextAlignCenter, lines: 3, pitch: 1.16})
	small := style{sizes: []look.Size{look.Lead, look.Body, look.Small}, colour: look.Slate, align: fyne.TextAlignCenter, lines: 2, pitch: 1.2}
	d.under = newBlock(c.Frame, text, small)
	d.rule = plate(look.Box{X: box.X + box.W/2 - 4*u, Y: foot - 9*u, W: 8 * u, H: 0.6 * u}, look.Coral, u)
	small.heavy, small.colour, small.rise = true, look.Teal, 0.5
	d.offer = newBlock(c.Frame, look.Box{X: text.X, Y: foot - 7.4*u, W: text.W, H: 7.4 * u}, small)
	d.Objects = []fyne.CanvasObject{door(box, fill, radius), d.art, d.headline.at, d.under.at, d.rule, d.offer.at}
	return d
}

func (d *leaf) show(g api.Greeting, fallback string) {
	lead, u := d.cfg.lead(g, fallback), d.cfg.Frame.G
	name := "mark"
	if len(g.Offers) > 0 {
		name = look.Motif(g.Offers[0].Art)
	}
	if img := look.Raster(name, int(d.side), int(d.side)); d.art.Image != img {
		d.art.Image = img
		d.art.Refresh()
	}
	d.headline.set(g.Headline.In(lead))
	d.under.set(g.Headline.In(d.cfg.other(lead)))
	d.middle(2.4 * u)
	offer := ""
	if len(g.Offers) > 0 {
		offer = g.Offers[0].Title.In(lead)
	}
	d.offer.set(offer)
	swap(d.rule, offer != "")
}

// middle puts headline and small headline in the middle of what lies between picture and rule.
func (d *leaf) middle(gap float32) {
	b := d.headline.box
	b.Y = d.words.Y
	d.headline.place(b)
	d.under.place(look.Box{X: b.X, Y: d.headline.below(gap), W: b.W, H: max(0, d.words.Bottom()-d.headline.below(gap))})
	if spare := (d.words.Bottom() - d.under.below(0)) * 0.42; spare > 0 {
		b.Y += spare
		d.headline.place(b)
		u := d.under.box
		u.Y += spare
		u.H -= spare
		d.under.place(u)
	}
}
