package printer

import (
	"strings"
	"unicode"

	"golang.org/x/text/encoding/simplifiedchinese"

	profiles "foyer/firmware-profiles"
	"foyer/kiosk/printer/dots"
)

// piece is a run's part of one line.
type piece struct {
	text string
	form form
}

// form is how a piece looks.
type form struct {
	wide, high   int
	bold, invert bool
}

func (r Run) form() form { return form{max(1, r.Wide), max(1, r.High), r.Bold, r.Invert} }

// line is one line of text.
type line struct {
	pieces []piece
	align  Align
}

func (l line) columns() int {
	n := 0
	for _, p := range l.pieces {
		n += dots.Columns(p.text) * p.form.wide
	}
	return n
}

func (l line) high() int {
	high := 1
	for _, p := range l.pieces {
		high = max(high, p.form.high)
	}
	return high
}

// clean leaves what can stand on paper: no control character can become a command, and none that turns a line about
// can hide what another says.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\u2028' || r == '\u2029':
			return '\n'
		case r == '\t' || unicode.IsSpace(r) && r != '\r':
			return ' '
		case unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Cs) || r == unicode.ReplacementChar:
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
}

// wrap breaks runs into lines of so many columns: at spaces, between Chinese characters, and, where nothing else is left,
// anywhere.
func wrap(runs []Run, align Align, columns int) []line {
	w := wrapper{columns: columns, align: align}
	for _, r := range runs {
		for i, part := range strings.Split(clean(r.Text), "\n") {
			if i > 0 {
				w.end()
			}
			w.add(part, r.form())
		}
	}
	w.end()
	return w.lines
}

type wrapper struct {
	columns int
	align   Align
	lines   []line
	now     []piece
	used    int
}

func (w *wrapper) end() {
	if n := len(w.now); n > 0 { // what ends a line is not seen
		w.now[n-1].text = strings.TrimRight(w.now[n-1].text, " ")
	}
	w.lines = append(w.lines, line{w.now, w.align})
	w.now, w.used = nil, 0
}

func (w *wrapper) add(text string, f form) {
	for text != "" {
		word := firstWord(text)
		text = text[len(word):]
		w.word(word, f)
	}
}

// word adds a word, in pieces where it is longer than a line.
func (w *wrapper) word(word string, f form) {
	if need := dots.Columns(strings.TrimRight(word, " ")) * f.wide; w.used > 0 && w.used+need > w.columns {
		w.end()
	}
	for word != "" {
		head := fitting(word, (w.columns-w.used)/f.wide)
		if head == "" && w.used == 0 {
			head = string([]rune(word)[:1]) // wider than the whole line: it stands alone and is cut by the paper's edge
		}
		if head == "" {
			if strings.TrimSpace(word) == "" {
				return
			}
			w.end()
			continue
		}
		w.put(head, f)
		word = word[len(head):]
	}
}

func (w *wrapper) put(text string, f form) {
	w.used += dots.Columns(text) * f.wide
	if n := len(w.now); n > 0 && w.now[n-1].form == f {
		w.now[n-1].text += text
		return
	}
	w.now = append(w.now, piece{text, f})
}

// fitting is the longest beginning of so many columns, with the marks that sit on its last character.
func fitting(s string, columns int) string {
	used := 0
	for i, r := range s {
		if used += dots.Cells(r); used > columns {
			return s[:i]
		}
	}
	return s
}

// firstWord is what must not be parted: letters with the spaces behind them, or one wide character with the punctuation that must not
// begin a line.
func firstWord(s string) string {
	wide, space := false, false
	for i, r := range s {
		switch {
		case dots.Cells(r) == 0:
		case strings.ContainsRune("，。、；：！？）》”’」』】%", r):
		case i > 0 && (wide || space || dots.Cells(r) == 2) && r != ' ':
			return s[:i]
		case r == ' ':
			space = true
		}
		wide = wide || dots.Cells(r) == 2
	}
	return s
}

// speakable reports whether the printer's own font has the whole line.
func (l line) speakable(has profiles.CJK) bool {
	for _, p := range l.pieces {
		for _, r := range p.text {
			if !native(has, r) {
				return false
			}
		}
	}
	return true
}

// native reports whether a printer's own font has a character, and as wide as we count it.
func native(has profiles.CJK, r rune) bool {
	if r >= ' ' && r < 0x7F {
		return true
	}
	if dots.Cells(r) != 2 {
		return false
	}
	switch has {
	case profiles.GB2312:
		_, err := simplifiedchinese.HZGB2312.NewEncoder().String(string(r))
		return err == nil
	case profiles.GBK:
		return twoBytes(r)
	case profiles.GB18030:
		return twoBytes(r) || unicode.Is(unicode.Han, r) && r <= 0xFFFF // beyond are the characters of level 3, which few have
	}
	return false
}

func twoBytes(r rune) bool {
	b, err := simplifiedchinese.GBK.NewEncoder().String(string(r))
	return err == nil && len(b) == 2
}

// drawn is the line as a picture, at most so many dots wide, and where it begins.
func (l line) drawn(cell, paper int) *dots.Bitmap {
	const half = 2 // a character is twice as high as its half width
	high := l.high() * cell * half
	out := dots.New(paper, high)
	x := place(l.align, l.columns()*cell, paper)
	for _, p := range l.pieces {
		from := x
		for _, r := range p.text {
			glyph := dots.Glyph(r, cell*p.form.wide, cell*half*p.form.high, p.form.bold)
			at := x
			if dots.Cells(r) == 0 {
				at = max(0, x-glyph.W) // a mark sits on the character before it
			} else {
				x += dots.Cells(r) * cell * p.form.wide
			}
			out.Draw(glyph, at, high-glyph.H)
		}
		if p.form.invert {
			out.Invert(from, high-p.form.high*cell*half, x-from, p.form.high*cell*half)
		}
	}
	return out
}

// place is where something so wide begins.
func place(a Align, wide, paper int) int {
	switch a {
	case Center:
		return max(0, (paper-wide)/2)
	case Right:
		return max(0, paper-wide)
	}
	return 0
}
