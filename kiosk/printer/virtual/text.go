package virtual

import (
	"strings"

	"golang.org/x/text/encoding/simplifiedchinese"

	"foyer/kiosk/printer/dots"
)

// The cells of the two fonts and of a Chinese character.
const (
	fontA = 12
	fontB = 9
	tall  = 24
)

// character takes one byte of text, or one of the control characters.
func (p *Printer) character(c byte) {
	switch {
	case c == '\n':
		p.end(p.pitch)
	case c == '\t':
		p.tab()
	case c == '\r', c == 0x0C, c == 0x18, c < ' ', c == 0x7F:
	case c < 0x80:
		p.set(rune(c))
	default:
		p.set(p.page.DecodeByte(c))
	}
}

// hanzi takes a character of two or four bytes.
func (p *Printer) hanzi(c []byte) {
	s, err := simplifiedchinese.GB18030.NewDecoder().Bytes(c)
	if err != nil || string(s) == "\uFFFD" {
		p.note("unknown", "no character: % X", c)
		return
	}
	for _, r := range string(s) {
		p.set(r)
	}
}

// set puts a character onto the line.
func (p *Printer) set(r rune) {
	half, gap := fontA, p.gap
	high := tall
	if p.form.small && r < 0x80 {
		half, high = fontB, 17
	}
	cells := max(1, dots.Cells(r))
	if r >= 0x80 && p.kanji {
		cells, gap = 2, p.wideGap
	}
	b := dots.Glyph(r, half*cells/max(1, dots.Cells(r)), high, p.form.bold)
	b = widened(b, half*cells).Scale(p.form.wide, p.form.high)
	if p.form.invert || p.form.under {
		b = marked(b, p.form)
	}
	if p.x > 0 && p.x+b.W > p.width {
		p.end(p.pitch)
	}
	p.line = append(p.line, cell{p.x, b, string(r)})
	p.x += b.W + gap*p.form.wide
}

// widened puts a glyph into a cell so wide.
func widened(b *dots.Bitmap, wide int) *dots.Bitmap {
	if b.W == wide {
		return b
	}
	out := dots.New(wide, b.H)
	out.Draw(b, (wide-b.W)/2, 0)
	return out
}

func marked(b *dots.Bitmap, f form) *dots.Bitmap {
	out := dots.New(b.W, b.H)
	out.Draw(b, 0, 0)
	if f.under {
		out.Fill(0, b.H-2, b.W, 2)
	}
	if f.invert {
		out.Invert(0, 0, b.W, b.H)
	}
	return out
}

// tab moves to the next stop: every eight characters where none are set.
func (p *Printer) tab() {
	for _, t := range p.tabs {
		if at := t * fontA; at > p.x {
			p.x = min(at, p.width)
			return
		}
	}
	if len(p.tabs) == 0 {
		p.x = min((p.x/(8*fontA)+1)*8*fontA, p.width)
	}
}

// end prints the line and moves the paper on by so much, at least by the line's height.
func (p *Printer) end(advance int) {
	if len(p.line) == 0 {
		p.feed(advance)
		p.x = 0
		return
	}
	high, right := 0, 0
	for _, c := range p.line {
		high, right = max(high, c.bits.H), max(right, c.x+c.bits.W)
	}
	row := dots.New(p.width, high)
	at := p.aligned(right)
	for _, c := range p.line {
		row.Draw(c.bits, at+c.x, high-c.bits.H)
	}
	if text := lineText(p.line); text != "" {
		p.text = append(p.text, text)
		p.note("text", "%s", text)
	}
	p.line, p.x = nil, 0
	p.burn(row, 0, max(advance, high))
	p.printed()
}

// aligned is where something so wide begins.
func (p *Printer) aligned(wide int) int {
	return max(0, (p.width-wide)*int(p.align)/2)
}

// lineText is a line's characters, with spaces where the line has room.
func lineText(line []cell) string {
	var b strings.Builder
	end := 0
	for _, c := range line {
		if c.text == "" {
			continue
		}
		if missing := (c.x - end) / fontA; missing > 0 && b.Len() > 0 {
			b.WriteString(strings.Repeat(" ", missing))
		}
		b.WriteString(c.text)
		end = c.x + c.bits.W
	}
	return strings.TrimRight(b.String(), " ")
}
