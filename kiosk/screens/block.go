package screens

import (
	"image/color"
	"strings"
	"unicode"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"

	"foyer/kiosk/look"
)

// lines is the most that a block holds.
const lines = 5

// block is a text in a box: as large as fits, in as few lines as fit, never clipped.
type block struct {
	at    *fyne.Container
	frame look.Frame
	box   look.Box
	style style
	said  string
	foot  float32 // where the set text ends, from the top of the box
	text  [lines]*canvas.Text
}

// style says how a block sets its text.
type style struct {
	sizes  []look.Size // the largest that fits is taken
	heavy  bool
	colour color.Color
	align  fyne.TextAlign
	lines  int     // 1 if zero
	rise   float32 // where spare height goes: 0 below the text, 0.5 around it, 1 above it
	pitch  float32 // between baselines, in text sizes; 1.32
}

// newBlock makes an empty block.
func newBlock(f look.Frame, box look.Box, s style) *block {
	s.lines = min(max(1, s.lines), lines)
	if s.pitch == 0 {
		s.pitch = 1.32
	}
	b := &block{at: &fyne.Container{}, frame: f, style: s}
	for i := range b.text {
		b.text[i] = canvas.NewText("", s.colour)
		b.text[i].Alignment = s.align
		b.text[i].Hide()
		b.at.Objects = append(b.at.Objects, b.text[i])
	}
	b.place(box)
	return b
}

// place moves the block to another box.
func (b *block) place(box look.Box) {
	if b.box == box {
		return
	}
	b.box = box
	b.at.Move(box.Pos())
	b.at.Resize(box.Size())
	b.lay()
}

// set says something else.
func (b *block) set(s string) {
	if s = plain(s); s != b.said {
		b.said = s
		b.lay()
	}
}

// lay fits the text into the box.
func (b *block) lay() {
	size, set := look.Set(b.said, b.style.heavy, b.box.W*0.995, b.box.H, b.style.lines, b.style.pitch, b.pixels())
	height := size * (1 + float32(len(set)-1)*b.style.pitch)
	top := (b.box.H - height) * b.style.rise
	b.foot = top + height
	if b.said == "" {
		b.foot = top
	}
	for i, t := range b.text {
		if i >= len(set) || set[i] == "" {
			t.Text = ""
			t.Hide()
			continue
		}
		b.write(t, set[i], size)
		baseline := top + size*(0.5+look.Middle+float32(i)*b.style.pitch)
		t.Resize(fyne.NewSize(b.box.W, size*look.LineFull))
		x := float32(0)
		if b.style.align == fyne.TextAlignCenter {
			x = look.Hang(set[i]) * size
		}
		t.Move(fyne.NewPos(x, baseline-size*look.Ascent))
		t.Show()
	}
}

func (b *block) write(t *canvas.Text, s string, size float32) {
	source := look.Source(s, b.style.heavy)
	if t.Text == s && t.TextSize == size && t.Color == b.style.colour && t.FontSource == source {
		return
	}
	t.Text, t.TextSize, t.Color, t.FontSource = s, size, b.style.colour, source
	t.TextStyle.Bold = b.style.heavy
	t.Refresh()
}

// below is the y of the box's parent where the next thing may begin, gap under the text.
func (b *block) below(gap float32) float32 { return b.box.Y + b.foot + gap }

// width is how wide the widest line is.
func (b *block) width() float32 {
	var w float32
	for _, t := range b.text {
		w = max(w, look.Advance(t.Text, b.style.heavy)*t.TextSize)
	}
	return w
}

func (b *block) pixels() []float32 {
	px := make([]float32, len(b.style.sizes))
	for i, s := range b.style.sizes {
		px[i] = b.frame.Px(s)
	}
	return px
}

// plain makes one line without control characters of whatever came in.
func plain(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r), r == unicode.ReplacementChar:
			return -1
		}
		return r
	}, s)
	return strings.TrimSpace(s)
}

// last is where the text ends: from the top left corner of the box, as high as a character.
func (b *block) last() look.Box {
	size := b.frame.Px(b.style.sizes[0])
	at := look.Box{Y: (b.box.H - size) * b.style.rise, H: size}
	for _, t := range b.text {
		if t.Text != "" && t.Visible() {
			at = look.Box{X: look.Advance(t.Text, b.style.heavy)*t.TextSize + t.TextSize*0.1, Y: t.Position().Y + t.TextSize*(look.Ascent-0.86), H: t.TextSize}
		}
	}
	return at
}
