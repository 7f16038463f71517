package screens

import (
	"slices"
	"strconv"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"

	"foyer/api"
	"foyer/kiosk/look"
	"foyer/kiosk/scene"
)

// doors is how many arrivals the wall names at once.
const doors = 4

// Wall draws scene.Wall on look.Night.
type Wall struct {
	cfg    Config
	root   *fyne.Container
	at     layer
	header *header
	hall   *canvas.Image
	calm   *calm
	single *single
	rows   [doors + 1]*row // by the number of doors: 2, 3 and 4
	others *block
	seen   []string
	riser  riser
}

// NewWall makes the wall for one size of screen.
func NewWall(c Config) *Wall {
	w := &Wall{cfg: c, at: newLayer(c.Frame), root: &fyne.Container{}}
	h, wide := c.Frame.H/c.Frame.G, c.Frame.W/c.Frame.G
	w.hall = hall(look.Hall{Mood: look.Wide, Centre: 0.5, Base: 0.86, Span: 0.84, Plants: true}, hallBox(w.at))
	w.at.put(w.hall)
	w.header = newHeader(c, w.at, w.at.g(5, 4.5, wide-10, 8), c.Frame.W*0.6, true, true)
	w.calm, w.single = newCalm(c), newSingle(c)
	w.at.put(w.calm.at.Container, w.single.at.Container)
	for n := 2; n <= doors; n++ {
		w.rows[n] = newRow(c, n)
		w.at.put(w.rows[n].Container)
	}
	w.others = newBlock(c.Frame, w.at.g(wide/2-50, 95, 100, 4.6), style{sizes: []look.Size{look.Lead, look.Body}, heavy: true, colour: look.Honey, align: fyne.TextAlignCenter, rise: 0.5})
	if c.Frame.Portrait() {
		w.others.place(w.at.g(6, h-9, 88, 6))
	}
	w.at.put(w.others.at)
	w.root.Objects = []fyne.CanvasObject{w.at.Container}
	w.root.Resize(fyne.NewSize(c.Frame.W, c.Frame.H))
	return w
}

// hallBox is where the house's picture stands.
func hallBox(l layer) look.Box {
	h, w := l.frame.H/l.frame.G, l.frame.W/l.frame.G
	if l.frame.Portrait() {
		return l.g(5, 14, 90, h*0.42)
	}
	return l.g(2, 8, w*0.46, 92)
}

// Root is what the window holds.
func (w *Wall) Root() fyne.CanvasObject { return w.root }

// Show draws a state.
func (w *Wall) Show(s scene.Wall, now time.Time) {
	guests := s.Guests[max(0, len(s.Guests)-doors):]
	lead := s.Language
	if len(guests) == 1 {
		lead = guests[0].Language
	}
	if !slices.Contains(w.cfg.Languages, lead) {
		lead = s.Language
	}
	w.header.show(lead, s.Shop.Name, now)
	swap(w.hall, len(guests) < 2)
	w.calm.draw(s, len(guests) == 0)
	w.single.draw(guests, lead)
	for n, r := range w.rows {
		if r != nil {
			swap(r.Container, n == len(guests))
			r.draw(guests, n == len(guests), s.Language)
		}
	}
	w.count(s, len(s.Guests)-len(guests))
	w.enter(guests)
}

func (w *Wall) count(s scene.Wall, more int) {
	if more <= 0 {
		w.others.set("")
		return
	}
	n := strconv.Itoa(more)
	w.others.set(w.cfg.say(s.Language, "wall.others", "n", n) + "   " + w.cfg.say(w.cfg.other(s.Language), "wall.others", "n", n))
}

// enter moves newcomers in.
func (w *Wall) enter(guests []api.Greeting) {
	var visits []string
	for _, g := range guests {
		visits = append(visits, g.Visit)
	}
	fresh := slices.ContainsFunc(visits, func(v string) bool { return !slices.Contains(w.seen, v) })
	w.seen = visits
	if len(guests) == 0 {
		w.riser.stop()
	}
	if !fresh {
		return
	}
	mover := fyne.CanvasObject(w.single.at.Container)
	if n := len(guests); n >= 2 {
		mover = w.rows[n].Container
	}
	w.riser.start(mover, 6*w.cfg.Frame.G, w.cfg.Still)
}

// lead returns the language that a guest is greeted in.
func (c Config) lead(g api.Greeting, fallback string) string {
	if slices.Contains(c.Languages, g.Language) {
		return g.Language
	}
	return fallback
}

// calm is the loop while nobody is greeted: the house's line, or one offer after the other.
type calm struct {
	at           layer
	cfg          Config
	brand, under *block
	board        *fyne.Container
	kicker       *block
	art          *motif
	title, small *block
	text         *block
	dots         []*canvas.Rectangle
	shown        string
	riser        riser
}

func newCalm(c Config) *calm {
	v := &calm{at: newLayer(c.Frame), cfg: c, board: &fyne.Container{}}
	h, w, u := c.Frame.H/c.Frame.G, c.Frame.W/c.Frame.G, c.Frame.G
	brand, board := v.at.g(w*0.5, 34, w*0.5-6, 24), v.at.g(w*0.5, 17, w*0.5-6, 76)
	align := fyne.TextAlignLeading
	if c.Frame.Portrait() {
		brand, board, align = v.at.g(6, h*0.42+16, 88, 40), v.at.g(6, h*0.42+17, 88, h*0.58-24), fyne.TextAlignCenter
	}
	v.brand = newBlock(c.Frame, brand, style{sizes: []look.Size{{G: 10, MM: 16}, {G: 8.4, MM: 14}, look.Title}, heavy: true, colour: look.Card, align: align, lines: 2, rise: 0.5, pitch: 1.2})
	v.under = newBlock(c.Frame, brand, style{sizes: []look.Size{look.Heading, look.Lead}, colour: look.Fog, align: align, lines: 2})
	v.at.put(v.brand.at, v.under.at, v.board)
	v.offer(board, u)
	return v
}

// offer lays out the board of one offer.
func (v *calm) offer(box look.Box, u float32) {
	f := v.cfg.Frame
	v.kicker = newBlock(f, look.Box{X: box.X + 1*u, Y: box.Y, W: box.W - 20*u, H: 5 * u},
		style{sizes: []look.Size{look.Lead, look.Body}, heavy: true, colour: look.Honey, rise: 0.5})
	plateBox := look.Box{X: box.X, Y: box.Y + 7.5*u, W: box.W, H: box.H - 7.5*u}
	art := look.Box{X: plateBox.X + 2*u, Y: plateBox.Y + 2*u, W: plateBox.W - 4*u, H: plateBox.H - 34*u}
	side := art.H * 0.94
	v.art = newMotif(art, look.Box{X: art.X + (art.W-side)/2, Y: art.Y + art.H*0.03, W: side, H: side}, 3*u)
	words := look.Box{X: plateBox.X + 5*u, Y: art.Bottom() + 3.4*u, W: plateBox.W - 10*u}
	v.title = newBlock(f, look.Box{X: words.X, Y: words.Y, W: words.W, H: 9 * u},
		style{sizes: []look.Size{{G: 6.6, MM: 12}, {G: 5.6, MM: 11}, look.Heading, look.Lead}, heavy: true, colour: look.Ink, lines: 1})
	v.small = newBlock(f, words, style{sizes: []look.Size{{G: 3.6, MM: 8}, look.Body, look.Small}, heavy: true, colour: look.Teal})
	v.text = newBlock(f, words, style{sizes: []look.Size{{G: 3.6, MM: 8}, look.Body, look.Small}, colour: look.Slate, lines: 2, pitch: 1.34})
	v.board.Objects = []fyne.CanvasObject{v.kicker.at, raised(f, plateBox, look.Paper, 4*u), v.art.at, v.title.at, v.small.at, v.text.at}
	for i := range 8 {
		dot := plate(look.Box{X: box.Right() - 2*u - float32(i)*3.4*u, Y: box.Y + 1.8*u, W: 1.8 * u, H: 1.8 * u}, look.Deep, u)
		v.dots = append(v.dots, dot)
		v.board.Objects = append(v.board.Objects, dot)
	}
}

func (v *calm) draw(s scene.Wall, on bool) {
	swap(v.at.Container, on)
	if !on {
		v.riser.stop()
		return
	}
	c, lang := v.cfg, s.Language
	offer, ok := s.Showing()
	swap(v.board, ok)
	swap(v.brand.at, !ok)
	swap(v.under.at, !ok)
	if !ok {
		v.brand.set(c.say(lang, "wall.brand"))
		v.under.set(c.say(c.other(lang), "wall.brand"))
		v.under.place(look.Box{X: v.brand.box.X, Y: v.brand.below(3 * c.Frame.G), W: v.brand.box.W, H: 12 * c.Frame.G})
		return
	}
	v.fill(offer, lang)
	v.point(s)
	if v.shown != offer.Campaign {
		v.shown = offer.Campaign
		v.riser.start(v.board, 2.4*c.Frame.G, c.Still)
	}
}

func (v *calm) fill(o api.Offer, lang string) {
	c, u := v.cfg, v.cfg.Frame.G
	v.kicker.set(c.say(lang, "attract.today") + "  ·  " + c.say(c.other(lang), "attract.today"))
	v.art.show(o.Art)
	v.title.set(o.Title.In(lang))
	v.small.set(o.Title.In(c.other(lang)))
	v.small.place(look.Box{X: v.title.box.X, Y: v.title.below(2.2 * u), W: v.title.box.W, H: 5 * u})
	v.text.set(o.Text.In(lang))
	v.text.place(look.Box{X: v.title.box.X, Y: v.small.below(2.2 * u), W: v.title.box.W, H: 11 * u})
}

// point lights the dot of the offer that stands.
func (v *calm) point(s scene.Wall) {
	n := min(len(s.Shop.Showcase), len(v.dots))
	for i, d := range v.dots {
		swap(d, n > 1 && i < n)
		fill := look.Deep
		if i == n-1-s.Offer%max(1, n) {
			fill = look.Honey
		}
		if d.FillColor != fill {
			d.FillColor = fill
			d.Refresh()
		}
	}
}
