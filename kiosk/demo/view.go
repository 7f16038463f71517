package demo

import (
	"image/color"
	"math"
)

// Shape is what an Item is.
type Shape uint8

// The shapes.
const (
	Plate   Shape = iota // a rectangle, perhaps with round corners: up to a circle
	Stroke               // a line from X, Y over W, H, which may be negative
	Ring                 // a part of a ring from From to To degrees
	Picture              // File
	Clip                 // File, while Playing
	Cart                 // File
	Words                // Text
)

// Item is one thing on the stage, in the stage's units.
type Item struct {
	Shape      Shape
	X, Y, W, H float32
	Fill       color.NRGBA
	Edge       color.NRGBA
	Weight     float32 // of the edge, the line or the ring
	Radius     float32
	Shadow     bool
	From, To   float32
	File       string
	Playing    bool
	Text       string
	Size       float32
	Heavy      bool
	Align      string
	Top        bool
	Lines      int
	Opacity    float32 // 0 to 1, in sixteenths: each step of a text or a picture is kept by the screen for a while
}

// Target is a place to touch. The last one that a finger lies on is meant.
type Target struct {
	X, Y, W, H  float32
	Radius      float32
	Layer       int
	Tap, Swipes bool
	Slides      bool
	Hold        string // a button of the cartridge's gamepad
	Cart        bool   // the cartridge itself: it hears of the finger
}

// View is what stands on the stage. Its slices are used again by the next Draw.
type View struct {
	Ground  color.NRGBA
	Turn    int
	Items   []Item
	Targets []Target
}

// Draw lays the state out.
func (s State) Draw(v *View, tall bool, lang string) {
	v.Items, v.Targets = v.Items[:0], v.Targets[:0]
	if !s.Active() {
		return
	}
	sc := &s.Pack.scenes[s.scene]
	v.Ground, v.Turn = sc.ground, s.turns
	form := 0
	if tall {
		form = 1
	}
	var room [firstOwn + MaxVars + MaxLayers]float64
	vars := room[:copy(room[:], s.vars)]
	vars[slotTall] = float64(form)
	d := drawing{view: v, vars: vars, form: form, lang: lang}
	d.list(sc.layers, space{scale: 1, opacity: 1})
}

// space is where a layer lies: it turns the units of its group into those of the stage.
type space struct {
	x, y, scale, opacity float64
}

type drawing struct {
	view *View
	vars []float64
	form int
	lang string
}

func (d *drawing) list(layers []layer, in space) {
	for i := range layers {
		if len(d.view.Items) >= MaxShown {
			return
		}
		d.layer(&layers[i], in)
	}
}

func (d *drawing) layer(l *layer, in space) {
	if l.show != nil && l.show(d.vars) == 0 {
		return
	}
	at := l.at[d.form]
	x, y, w, h := at[0](d.vars), at[1](d.vars), at[2](d.vars), at[3](d.vars)
	opacity := in.opacity * math.Min(math.Max(l.opacity(d.vars), 0), 1)
	x, y, w, h, opacity = d.moved(l, x, y, w, h, opacity)
	box := Item{X: float32(in.x + x*in.scale), Y: float32(in.y + y*in.scale), W: float32(w * in.scale), H: float32(h * in.scale),
		Opacity: float32(math.Round(opacity*16) / 16)}
	d.target(l, box, in.scale)
	if box.Opacity > 0 && w > 0 && h >= 0 {
		d.draw(l, box, in.scale)
	}
	if l.inner != nil {
		d.list(l.inner, inside(l, d.vars, in, x, y, w, h, opacity))
	}
}

// inside is the space of a group: what is in it counts in the group's own units.
func inside(l *layer, vars []float64, in space, x, y, w, h, opacity float64) space {
	out := space{in.x + x*in.scale, in.y + y*in.scale, in.scale, opacity}
	if l.of == nil {
		return out
	}
	ow, oh := math.Max(1, l.of[0](vars)), math.Max(1, l.of[1](vars))
	fit := math.Min(w/ow, h/oh)
	out.x += (w - ow*fit) / 2 * in.scale
	out.y += (h - oh*fit) / 2 * in.scale
	out.scale *= fit
	return out
}

// moved applies the keyframes.
func (d *drawing) moved(l *layer, x, y, w, h, opacity float64) (float64, float64, float64, float64, float64) {
	if l.move == nil && l.scale == nil && l.fade == nil {
		return x, y, w, h, opacity
	}
	t := d.vars[slotT]
	if l.clock != nil {
		t = l.clock(d.vars)
	}
	if l.loop != nil {
		if round := l.loop(d.vars); round > 0 {
			t = t - math.Floor(t/round)*round
		}
	}
	if l.move != nil {
		x += l.move.at(d.vars, t, 1, l.ease)
		y += l.move.at(d.vars, t, 2, l.ease)
	}
	if l.scale != nil {
		f := math.Max(0, l.scale.at(d.vars, t, 1, l.ease))
		x, y, w, h = x+w*(1-f)/2, y+h*(1-f)/2, w*f, h*f
	}
	if l.fade != nil {
		opacity *= math.Min(math.Max(l.fade.at(d.vars, t, 1, l.ease), 0), 1)
	}
	return x, y, w, h, opacity
}

// at is the value of a track at a time: that of the nearest keyframes, and between two what lies between them.
func (tr track) at(vars []float64, t float64, column int, how ease) float64 {
	first := tr[0]
	if t <= first[0](vars) {
		return first[column](vars)
	}
	for i := 1; i < len(tr); i++ {
		a, b := tr[i-1], tr[i]
		from, to := a[0](vars), b[0](vars)
		if t >= to {
			continue
		}
		part := how.curve((t - from) / math.Max(to-from, 1e-6))
		return a[column](vars) + (b[column](vars)-a[column](vars))*part
	}
	return tr[len(tr)-1][column](vars)
}

func (e ease) curve(p float64) float64 {
	switch e {
	case "in":
		return p * p
	case "out":
		return 1 - (1-p)*(1-p)
	case "none":
		return p
	}
	return p * p * (3 - 2*p)
}

func (d *drawing) target(l *layer, box Item, scale float64) {
	if l.touch < 0 {
		return
	}
	d.view.Targets = append(d.view.Targets, Target{X: box.X, Y: box.Y, W: box.W, H: box.H, Radius: float32(l.radius(d.vars) * scale), Layer: l.touch,
		Tap: len(l.tap) > 0, Swipes: len(l.swipeL)+len(l.swipeR) > 0, Slides: l.slide != nil, Hold: string(l.hold), Cart: l.cart != ""})
}

// draw adds what the layer shows, the lowest first.
func (d *drawing) draw(l *layer, box Item, scale float64) {
	k := float32(scale)
	num := func(e expr) float32 { return float32(e(d.vars)) }
	add := func(shape Shape, change func(*Item)) {
		if len(d.view.Items) < MaxShown {
			one := box
			one.Shape = shape
			change(&one)
			d.view.Items = append(d.view.Items, one)
		}
	}
	if plain := l.line == nil && l.ring == nil; plain && (l.fill.A > 0 || l.stroke.A > 0) {
		add(Plate, func(i *Item) {
			i.Fill, i.Edge, i.Weight, i.Radius, i.Shadow = l.fill, l.stroke, num(l.weight)*k, num(l.radius)*k, l.shadow
		})
	}
	if l.line != nil {
		add(Stroke, func(i *Item) {
			x, y := num(l.line[0])*k, num(l.line[1])*k
			i.X, i.Y, i.W, i.H = box.X+x, box.Y+y, num(l.line[2])*k-x, num(l.line[3])*k-y
			i.Edge, i.Weight = l.stroke, num(l.weight)*k
		})
	}
	if l.ring != nil {
		add(Ring, func(i *Item) {
			i.From, i.To, i.Fill, i.Weight = num(l.ring[0]), num(l.ring[1]), l.fill, num(l.weight)*k
		})
	}
	if l.image != "" {
		add(Picture, func(i *Item) { i.File, i.Radius = l.image, num(l.radius)*k })
	}
	if l.clip != "" {
		add(Clip, func(i *Item) { i.File, i.Playing = l.clip, l.playing(d.vars) != 0 })
	}
	if l.cart != "" {
		add(Cart, func(i *Item) { i.File, i.Playing = l.cart, true })
	}
	if l.text != nil {
		add(Words, func(i *Item) {
			inset := num(l.inset) * k
			i.X, i.W = box.X+inset, box.W-2*inset
			i.Text, i.Size, i.Heavy, i.Fill, i.Align, i.Top, i.Lines = d.say(l), num(l.size)*k, l.heavy, l.colour, string(l.align), l.top, l.lines
		})
	}
}

func (d *drawing) say(l *layer) string {
	for _, lang := range []string{d.lang, "any", "en"} {
		if s, ok := l.text[lang]; ok {
			return s.say(d.vars)
		}
	}
	return ""
}

// Hit finds what a finger at a point of the stage means.
func (v *View) Hit(x, y float32) (Target, bool) {
	for i := len(v.Targets) - 1; i >= 0; i-- {
		if t := v.Targets[i]; x >= t.X && x < t.X+t.W && y >= t.Y && y < t.Y+t.H {
			return t, true
		}
	}
	return Target{}, false
}

// Finger is a gesture on a target of this view.
func (v *View) Finger(t Target, g Gesture, x float32) Finger {
	return Finger{Turn: v.Turn, Layer: t.Layer, Gesture: g, X: float64((x - t.X) / max(t.W, 1))}
}
