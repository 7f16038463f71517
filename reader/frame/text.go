package frame

import (
	"bytes"
	"unicode/utf8"

	"foyer/firmware-profiles"
)

// textLine: a line of text up to any one of several ends. Nothing proves it, so a line with one byte that cannot be is
// thrown away whole: half a number must not become a member.
type textLine struct {
	ends    [256]bool
	allowed [256]bool
	utf8    bool
	strip   []byte
	max     int
	lost    bool // what comes up to the next end belongs to a line that was refused
}

func newTextLine(f *profiles.Framing) *textLine {
	t := &textLine{utf8: f.Charset == profiles.UTF8, strip: f.Strip, max: f.Payload}
	for i := range t.allowed {
		digit := i >= '0' && i <= '9'
		t.allowed[i] = i == profiles.GS || digit || f.Charset != profiles.Digits && i >= ' ' && i < 0x7F || t.utf8 && i >= 0x80
	}
	for _, b := range f.Strip {
		t.allowed[b] = true
	}
	for _, end := range f.Ends {
		t.ends[end[0]] = true
	}
	return t
}

func (t *textLine) try(b []byte, last bool) attempt {
	if t.lost {
		return t.pass(b)
	}
	if t.ends[b[0]] { // the second half of CR LF, or an empty line
		return attempt{size: 1, idle: true}
	}
	for i, c := range b {
		switch {
		case t.ends[c]:
			return t.line(b[:i], i+1)
		case i >= t.max+len(t.strip):
			t.lost = true
			return attempt{size: i, bad: Length, drop: true}
		case !t.allowed[c]:
			t.lost = true
			return attempt{size: i + 1, bad: Charset, drop: true}
		}
	}
	if last {
		return attempt{size: len(b), bad: Cut, drop: true}
	}
	return attempt{}
}

// pass lets the rest of a refused line go by.
func (t *textLine) pass(b []byte) attempt {
	for i, c := range b {
		if t.ends[c] {
			t.lost = false
			return attempt{size: i + 1, noStart: true}
		}
	}
	return attempt{size: len(b), noStart: true}
}

// silence ends a line that was refused: what comes next is another.
func (t *textLine) silence() { t.lost = false }

func (t *textLine) line(text []byte, size int) attempt {
	text = bytes.TrimPrefix(text, t.strip)
	switch {
	case len(text) == 0:
		return attempt{size: size, idle: true}
	case len(text) > t.max:
		return attempt{size: size, bad: Length, drop: true}
	case t.utf8 && !utf8.Valid(text):
		return attempt{size: size, bad: Charset, drop: true}
	}
	return attempt{size: size, payload: text}
}
