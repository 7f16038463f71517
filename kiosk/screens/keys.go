package screens

import (
	"strings"
	"unicode"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"

	"foyer/kiosk/keyboard"
	"foyer/kiosk/look"
	"foyer/kiosk/scene"
)

// board draws the keys of a keyboard.Sheet, and above them what letters of Pinyin may stand for.
//
// Its keys take no focus: they are pads, which report a touch and nothing else. A key is at least 12 mm and 2 mm from the
// next, less than a button: ten must stand side by side, and a wrong one is mended by one more touch.
type board struct {
	at      *fyne.Container
	cfg     Config
	layouts map[keyboard.Layout]*layout
	choices [keyboard.OnPage]*key
	before  *key
	after   *key
	letters *block
	offer   *fyne.Container
}

// layout is one set of keys. Its last row has two forms: for sentences, which also take digits and marks, and for all else.
type layout struct {
	*fyne.Container
	keys []*key
	feet [2]*fyne.Container
}

// key is one of them. Its label may depend on the sheet.
type key struct {
	*pad
	press keyboard.Key
	label *block
	face  *canvas.Rectangle
}

// spacebar and company are how keys that are no characters are written in the rows below.
const (
	spacebar = ' '
	erasing  = '←'
	shifting = '↑'
	swapping = '⇄'
	marking  = '#'
)

// rows are the keys of each layout; a digit behind a key would be hard to read, so widths are in spans.
var rows = map[keyboard.Layout][]string{
	keyboard.Numbers: {"123", "456", "789", " 0←"},
	keyboard.Latin:   {"qwertyuiop", "asdfghjkl", "↑zxcvbnm←", "⇄'- ", "⇄#', ."},
	keyboard.Pinyin:  {"qwertyuiop", "asdfghjkl", "zxcvbnm←", "⇄'· ", "⇄#'， 。"},
	keyboard.Marks:   {"1234567890", "-/:;()&@\"", ".,?!'%+←", "#，。？！ ", "#，。？！ "},
}

// newBoard lays the keys out in a box: the choices at its top, the keys below them, not higher than they need be.
func newBoard(c Config, box look.Box) *board {
	u := c.Frame.G
	b := &board{at: &fyne.Container{}, cfg: c, layouts: map[keyboard.Layout]*layout{}}
	bar := look.Box{X: box.X, Y: box.Y, W: box.W, H: max(min(11*u, box.H*0.2), look.KeyMM*c.Frame.MM)}
	keys := look.Box{X: box.X, Y: bar.Bottom() + 2*u, W: box.W, H: box.Bottom() - bar.Bottom() - 2*u}
	if most := 4 * max(14.5*u, look.KeyMM*c.Frame.MM); keys.H > most {
		keys.Y += keys.H - most
		keys.H = most
		bar.Y = keys.Y - bar.H - 2*u
	}
	for l := range rows {
		area, gap := keys, c.keyGap()
		if l == keyboard.Numbers {
			area, gap = look.Box{X: box.X, Y: bar.Y, W: box.W, H: keys.Bottom() - bar.Y}, c.Frame.Gap(2.4)
		}
		b.layouts[l] = b.lay(l, area, gap)
		b.at.Objects = append(b.at.Objects, b.layouts[l].Container)
	}
	b.bar(bar)
	return b
}

// keyGap is how far keys are apart.
func (c Config) keyGap() float32 { return max(1.1*c.Frame.G, look.KeyGapMM*c.Frame.MM) }

func (b *board) lay(l keyboard.Layout, area look.Box, gap float32) *layout {
	out := &layout{Container: &fyne.Container{}}
	lines := area.Rows(4, gap)
	for i, text := range rows[l] {
		to := out.Container
		if i >= 3 && l != keyboard.Numbers {
			to = &fyne.Container{}
			out.feet[i-3] = to
			out.Objects = append(out.Objects, to)
		}
		for _, k := range b.row(l, []rune(text), lines[min(i, 3)], gap) {
			out.keys = append(out.keys, k)
			to.Objects = append(to.Objects, k.pad)
		}
	}
	return out
}

// row lays one row of keys out, in the middle of its line.
func (b *board) row(l keyboard.Layout, keys []rune, line look.Box, gap float32) (out []*key) {
	unit := (line.W + gap) / 10
	if l == keyboard.Numbers {
		unit = (line.W + gap) / 3
	}
	spans := spansOf(l, keys)
	var total float32
	for _, s := range spans {
		total += s
	}
	x := line.X + (line.W+gap-total*unit)/2
	for n, r := range keys {
		box := look.Box{X: x, Y: line.Y, W: spans[n]*unit - gap, H: line.H}
		x += spans[n] * unit
		if l != keyboard.Numbers || r != spacebar { // nothing stands beside the nought
			out = append(out, b.newKey(r, box))
		}
	}
	return out
}

// spansOf is how many places each key of a row takes. The space bar takes what the others leave of ten.
func spansOf(l keyboard.Layout, keys []rune) []float32 {
	spans := make([]float32, len(keys))
	space, left := -1, float32(10)
	for i, r := range keys {
		spans[i] = 1
		switch {
		case l == keyboard.Numbers:
		case r == erasing || r == shifting:
			spans[i] = 1.5
		case r == swapping || r == marking:
			spans[i] = 1.8
		case r == spacebar:
			space, spans[i] = i, 0
		}
		left -= spans[i]
	}
	if space >= 0 {
		spans[space] = left
	}
	return spans
}

func (b *board) newKey(r rune, box look.Box) *key {
	f, u := b.cfg.Frame, b.cfg.Frame.G
	k := &key{press: keyboard.Key(r)}
	inner := look.Box{W: box.W, H: box.H}
	fill := look.Card
	icon := ""
	switch r {
	case erasing:
		k.press, fill, icon = keyboard.Erase, look.Sand, "erase"
	case shifting:
		k.press, fill, icon = keyboard.Shift, look.Sand, "shift"
	case swapping:
		k.press, fill = keyboard.Switch, look.Sand
	case marking:
		k.press, fill = keyboard.More, look.Sand
	}
	radius := min(2.2*u, box.H*0.24)
	k.face = plate(inner, fill, radius)
	k.face.StrokeColor, k.face.StrokeWidth = look.Sand, max(1, 0.24*u)
	k.label = newBlock(f, inner, style{sizes: []look.Size{{G: min(6.2, box.H/u*0.5, box.W/u*0.62), MM: 7}, look.Body, look.Small}, heavy: true, colour: look.Ink, align: fyne.TextAlignCenter, rise: 0.5})
	objects := []fyne.CanvasObject{k.face, k.label.at}
	if icon != "" {
		side := min(box.H, box.W) * 0.46
		objects = append(objects, drawing("icon-"+icon+"-ink", look.Box{X: (box.W - side) / 2, Y: (box.H - side) / 2, W: side, H: side}))
	}
	k.pad = newPad("key", box, radius, func() { b.cfg.key(k.press) }, objects...)
	k.pad.dense = true
	return k
}

// key reports a key.
func (c Config) key(k keyboard.Key) {
	if c.Touch != nil {
		c.Touch(scene.Touch{Act: scene.Press, Key: k})
	}
}

// bar lays the choices out between two keys that turn their pages.
func (b *board) bar(box look.Box) {
	f, u := b.cfg.Frame, b.cfg.Frame.G
	b.offer = &fyne.Container{}
	places := box.Columns(keyboard.OnPage+2, b.cfg.keyGap())
	b.before, b.after = b.newKey(rune(keyboard.Back), places[0]), b.newKey(rune(keyboard.Next), places[len(places)-1])
	b.before.press, b.after.press = keyboard.Back, keyboard.Next
	for i := range b.choices {
		b.choices[i] = b.newKey(0, places[i+1])
		b.choices[i].press = keyboard.Choose + keyboard.Key(i)
		b.choices[i].face.FillColor = look.Mist
		b.offer.Objects = append(b.offer.Objects, b.choices[i].pad)
	}
	b.offer.Objects = append(b.offer.Objects, b.before.pad, b.after.pad)
	b.letters = newBlock(f, look.Box{X: box.X + u, Y: box.Y, W: box.W - 2*u, H: box.H}, style{sizes: []look.Size{look.Body, look.Small}, colour: look.Slate, rise: 0.5})
	b.at.Objects = append(b.at.Objects, b.offer, b.letters.at)
}

// show draws a sheet's keys.
func (b *board) show(lang string, s keyboard.Sheet) {
	for l, keys := range b.layouts {
		swap(keys.Container, l == s.Layout)
		if keys.feet[0] != nil {
			swap(keys.feet[0], s.Field.Kind != keyboard.Words)
			swap(keys.feet[1], s.Field.Kind == keyboard.Words)
		}
	}
	for _, k := range b.layouts[s.Layout].keys {
		k.name(b.cfg, lang, s)
	}
	choices := s.Choices()
	swap(b.offer, len(choices) > 0)
	for i, k := range b.choices {
		swap(k.pad, i < len(choices))
		if i < len(choices) {
			k.label.set(choices[i].Text)
		} else {
			k.label.set("")
		}
	}
	back, next := s.Turns()
	swap(b.before.pad, back)
	swap(b.after.pad, next)
	b.before.label.set("‹")
	b.after.label.set("›")
	hint := ""
	if s.Layout == keyboard.Pinyin && len(choices) == 0 {
		hint = b.cfg.say(lang, "keys.pinyin_hint")
	}
	b.letters.set(hint)
}

// name writes a key's label.
func (k *key) name(c Config, lang string, s keyboard.Sheet) {
	switch k.press {
	case keyboard.Erase, keyboard.Shift:
		if k.press == keyboard.Shift {
			k.colour(s.Shift)
		}
	case keyboard.Switch:
		k.label.set(c.say(lang, map[bool]string{true: "keys.to_latin", false: "keys.to_pinyin"}[s.Layout == keyboard.Pinyin]))
	case keyboard.More:
		k.label.set(map[bool]string{true: "ABC", false: "123"}[s.Layout == keyboard.Marks])
	case spacebar:
		k.label.set(c.say(lang, "keys.space"))
	default:
		r := rune(k.press)
		if s.Layout == keyboard.Latin && s.Shift {
			r = unicode.ToUpper(r)
		}
		k.label.set(string(r))
	}
}

// colour shows that a key is held down.
func (k *key) colour(down bool) {
	fill := look.Sand
	if down {
		fill = look.Mist
	}
	if k.face.FillColor != fill {
		k.face.FillColor = fill
		k.face.Refresh()
	}
}

// line shows what is being written, with a mark at its end, and the letters that wait for a choice.
type line struct {
	*fyne.Container
	cfg    Config
	text   *block
	hint   *block
	caret  *canvas.Rectangle
	reveal *pad
	open   *canvas.Image
	shut   *canvas.Image
}

func newLine(c Config, box look.Box) *line {
	u := c.Frame.G
	l := &line{cfg: c, Container: &fyne.Container{}}
	side := max(min(box.H-2*u, 12*u), look.TargetMM*c.Frame.MM)
	inner := look.Box{X: box.X + 4*u, Y: box.Y, W: box.W - side - 9*u, H: box.H}
	frame := raised(c.Frame, box, look.Card, 3*u)
	frame.StrokeColor, frame.StrokeWidth = look.Teal, max(1, 0.5*u)
	l.text = newBlock(c.Frame, inner, style{sizes: []look.Size{{G: 7, MM: 12}, look.Heading, look.Lead, look.Body, look.Small}, heavy: true, colour: look.Ink, lines: 3, rise: 0.5, pitch: 1.2})
	l.hint = newBlock(c.Frame, inner, style{sizes: []look.Size{look.Lead, look.Body}, colour: look.Slate, rise: 0.5})
	l.caret = plate(look.Box{X: inner.X, Y: box.Y + box.H*0.25, W: max(2, 0.5*u), H: box.H * 0.5}, look.Teal, 0)
	eye := look.Box{X: box.Right() - side - (box.H-side)/2, Y: box.Y + (box.H-side)/2, W: side, H: side}
	mark := look.Box{W: side, H: side}.Inset(side*0.24, side*0.24)
	l.open, l.shut = drawing("icon-eye-teal", mark), drawing("icon-hide-teal", mark)
	l.reveal = newPad("reveal", eye, side/2, func() { c.key(keyboard.Show) }, plate(look.Box{W: side, H: side}, look.Mist, side/2), l.open, l.shut)
	l.Objects = []fyne.CanvasObject{frame, l.text.at, l.hint.at, l.caret, l.reveal}
	return l
}

// show writes what may be seen of a sheet. hint stands there while nothing is written.
func (l *line) show(s keyboard.Sheet, hint string) {
	said := s.Visible()
	if s.Field.Kind == keyboard.Digits {
		said = grouped(said)
	}
	l.text.set(said + s.Letters)
	l.hint.set(map[bool]string{true: hint}[s.Text == "" && s.Letters == ""])
	swap(l.reveal, s.Field.Secret)
	swap(l.open, !s.Shown)
	swap(l.shut, s.Shown)
	end := l.text.last()
	l.caret.Move(fyne.NewPos(l.text.box.X+end.X, l.text.box.Y+end.Y))
	l.caret.Resize(fyne.NewSize(l.caret.Size().Width, end.H))
}

// grouped sets a telephone number in groups, as people say it: 138 1234 5678.
func grouped(s string) string {
	r := []rune(s)
	if len(r) <= 3 || strings.HasPrefix(s, "00") {
		return s
	}
	parts := []string{string(r[:3])}
	for r = r[3:]; len(r) > 0; r = r[min(4, len(r)):] {
		parts = append(parts, string(r[:min(4, len(r))]))
	}
	return strings.Join(parts, " ")
}
