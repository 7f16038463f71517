package virtual

import (
	"bytes"
	"encoding/binary"

	"golang.org/x/text/encoding/charmap"
)

const (
	dle = 0x10
	esc = 0x1B
	fs  = 0x1C
	gs  = 0x1D
)

// arguments is how many bytes follow a command of two bytes. What has a length of its own is in length.
var arguments = map[[2]byte]int{
	{esc, ' '}: 1, {esc, '!'}: 1, {esc, '$'}: 2, {esc, '%'}: 1, {esc, '-'}: 1, {esc, '2'}: 0, {esc, '3'}: 1, {esc, '<'}: 0,
	{esc, '='}: 1, {esc, '?'}: 1, {esc, '@'}: 0, {esc, 'E'}: 1, {esc, 'G'}: 1, {esc, 'J'}: 1, {esc, 'K'}: 1, {esc, 'L'}: 0, {esc, 'M'}: 1,
	{esc, 'R'}: 1, {esc, 'S'}: 0, {esc, 'T'}: 1, {esc, 'U'}: 1, {esc, 'V'}: 1, {esc, 'W'}: 8, {esc, '\\'}: 2, {esc, 'a'}: 1, {esc, 'c'}: 2, {esc, 'd'}: 1,
	{esc, 'e'}: 1, {esc, 'i'}: 0, {esc, 'm'}: 0, {esc, 'p'}: 3, {esc, 'r'}: 1, {esc, 't'}: 1, {esc, 'u'}: 1, {esc, 'v'}: 0, {esc, '{'}: 1,
	{fs, '!'}: 1, {fs, '&'}: 0, {fs, '-'}: 1, {fs, '.'}: 0, {fs, '2'}: 74, {fs, 'C'}: 1, {fs, 'S'}: 2, {fs, 'W'}: 1, {fs, 'p'}: 2,
	{gs, '!'}: 1, {gs, '$'}: 2, {gs, ':'}: 0, {gs, 'B'}: 1, {gs, 'E'}: 1, {gs, 'H'}: 1, {gs, 'I'}: 1, {gs, 'L'}: 2, {gs, 'P'}: 2, {gs, 'T'}: 1, {gs, 'W'}: 2,
	{gs, '\\'}: 2, {gs, '^'}: 3, {gs, 'a'}: 1, {gs, 'b'}: 1, {gs, 'c'}: 0, {gs, 'f'}: 1, {gs, 'g'}: 4, {gs, 'h'}: 1, {gs, 'r'}: 1, {gs, 'w'}: 1, {gs, 'j'}: 1,
	{dle, 0x04}: 1, {dle, 0x05}: 1,
}

// length is how many bytes the first command or character in b has; 0: it is not complete.
func (p *Printer) length(b []byte) int {
	switch {
	case b[0] == esc || b[0] == fs || b[0] == gs || b[0] == dle:
	case b[0] < 0x80 || !p.kanji:
		return 1
	case len(b) > 1 && b[1] >= '0' && b[1] <= '9': // GB18030's characters of four bytes
		return whole(b, 4)
	default:
		return whole(b, 2)
	}
	if len(b) < 2 {
		return 0
	}
	if n, ok := arguments[[2]byte{b[0], b[1]}]; ok {
		return whole(b, 2+n)
	}
	return whole(b, special(b))
}

// whole is n where b holds so much.
func whole(b []byte, n int) int {
	if len(b) < n {
		return 0
	}
	return n
}

// more is beyond any buffer: the length cannot be told yet.
const more = maxCommand + 1

// special is the length of a command that says it itself. A command that nobody knows is two bytes long.
func special(b []byte) int {
	at := func(i int) int { // a byte, or so many that the command is not complete
		if i < len(b) {
			return int(b[i])
		}
		return more
	}
	word := func(i int) int { return min(more, at(i)+min(more, at(i+1))<<8) }
	switch [2]byte{b[0], b[1]} {
	case [2]byte{esc, '*'}:
		return 5 + min(more, word(3)*bytesAColumn(at(2)))
	case [2]byte{esc, 'D'}:
		if i := bytes.IndexByte(b[2:min(len(b), 2+33)], 0); i >= 0 {
			return 2 + i + 1
		}
		return 2 + 33
	case [2]byte{esc, '('}, [2]byte{fs, '('}, [2]byte{gs, '('}:
		return 5 + word(3)
	case [2]byte{gs, '8'}:
		if len(b) < 7 {
			return 7
		}
		return 7 + int(min(binary.LittleEndian.Uint32(b[3:7]), more))
	case [2]byte{gs, 'k'}:
		return barLength(b, at)
	case [2]byte{gs, 'v'}:
		return 8 + min(more, word(4)*min(more, word(6)))
	case [2]byte{gs, 'V'}:
		if m := at(2); m == 65 || m == 66 || m == 97 || m == 98 || m == 103 || m == 104 {
			return 4
		}
		return 3
	case [2]byte{gs, '*'}:
		return 4 + at(2)*min(more, at(3))*8
	case [2]byte{esc, '&'}, [2]byte{fs, 'q'}: // fonts and pictures that the host lays into the printer: not here
		return 2
	case [2]byte{dle, 0x14}:
		if at(2) == 8 {
			return 10
		}
		return 5
	}
	return 2
}

func bytesAColumn(m int) int {
	if m == 32 || m == 33 {
		return 3
	}
	return 1
}

func barLength(b []byte, at func(int) int) int {
	switch m := at(2); {
	case m <= 6:
		if i := bytes.IndexByte(b[3:], 0); i >= 0 {
			return 3 + i + 1
		}
		if len(b) > 3+255 {
			return 3
		}
		return len(b) + 1
	case m < 65 || m == more:
		return 3
	}
	return 4 + at(3)
}

// do obeys one command, or takes one character.
func (p *Printer) do(c []byte) {
	switch {
	case c[0] >= 0x80 && p.kanji:
		p.hanzi(c)
		return
	case len(c) == 1:
		p.character(c[0])
		return
	}
	arg := func(i int) int { return int(c[2+i]) }
	word := func(i int) int { return arg(i) | arg(i+1)<<8 }
	switch [2]byte{c[0], c[1]} {
	case [2]byte{esc, '@'}:
		p.reset()
	case [2]byte{esc, '!'}:
		n := arg(0)
		p.form = form{wide: 1 + n>>5&1, high: 1 + n>>4&1, bold: n&8 != 0, under: n&0x80 != 0, small: n&1 != 0, invert: p.form.invert}
	case [2]byte{gs, '!'}:
		p.form.wide, p.form.high = 1+arg(0)>>4&7, 1+arg(0)&7
	case [2]byte{fs, '!'}:
		p.form.wide, p.form.high = 1+arg(0)>>2&1, 1+arg(0)>>3&1
	case [2]byte{fs, 'W'}:
		p.form.wide, p.form.high = 1+arg(0)&1, 1+arg(0)&1
	case [2]byte{esc, 'E'}, [2]byte{esc, 'G'}:
		p.form.bold = arg(0)&1 != 0
	case [2]byte{esc, '-'}, [2]byte{fs, '-'}:
		p.form.under = arg(0)%48 != 0
	case [2]byte{gs, 'B'}:
		p.form.invert = arg(0)&1 != 0
	case [2]byte{esc, 'M'}:
		p.form.small = arg(0)%48 == 1
	case [2]byte{esc, 'a'}:
		p.align = byte(arg(0) % 48 % 3)
	case [2]byte{esc, ' '}:
		p.gap = arg(0)
	case [2]byte{fs, 'S'}:
		p.wideGap = arg(0) + arg(1)
	case [2]byte{esc, '2'}:
		p.pitch = 30
	case [2]byte{esc, '3'}:
		p.pitch = arg(0)
	case [2]byte{esc, 'J'}:
		p.end(arg(0))
	case [2]byte{esc, 'd'}:
		p.end(arg(0) * p.pitch)
	case [2]byte{esc, 'D'}:
		p.tabs = nil
		for _, t := range c[2 : len(c)-1] {
			p.tabs = append(p.tabs, int(t))
		}
	case [2]byte{esc, '$'}:
		p.x = min(word(0), p.width)
	case [2]byte{esc, '\\'}:
		p.x = min(max(0, p.x+int(int16(word(0)))), p.width)
	case [2]byte{esc, 't'}:
		p.page = pageOf(arg(0))
	case [2]byte{fs, '&'}:
		p.kanji = true
	case [2]byte{fs, '.'}:
		p.kanji = false
	case [2]byte{gs, 'L'}:
		p.left = min(word(0), p.model.Dots-8)
		p.width = min(p.width, p.model.Dots-p.left)
	case [2]byte{gs, 'W'}:
		p.width = max(8, min(word(0), p.model.Dots-p.left))
	case [2]byte{gs, 'V'}, [2]byte{esc, 'i'}, [2]byte{esc, 'm'}:
		p.cut(c)
	case [2]byte{esc, 'p'}:
		p.note("drawer", "%d", arg(0))
	default:
		if !p.graphic(c) && !p.asked(c) {
			p.unknown(c)
		}
	}
}

// silent are commands that change nothing that is seen here.
var silent = map[[2]byte]bool{
	{esc, '<'}: true, {esc, '='}: true, {esc, 'R'}: true, {esc, 'S'}: true, {esc, 'U'}: true, {esc, 'V'}: true, {esc, 'c'}: true, {esc, 'r'}: true,
	{esc, '{'}: true, {esc, '%'}: true, {esc, 'T'}: true, {fs, 'C'}: true, {fs, '('}: true, {gs, 'P'}: true, {gs, 'T'}: true, {gs, 'b'}: true, {gs, 'E'}: true,
	{dle, 0x04}: true, {dle, 0x05}: true, {dle, 0x14}: true, {esc, '('}: true,
}

func (p *Printer) unknown(c []byte) {
	if !silent[[2]byte{c[0], c[1]}] {
		p.note("unknown", "% X", c[:min(len(c), 8)])
	}
}

func (p *Printer) cut(c []byte) {
	if len(c) == 4 {
		p.end(int(c[3]))
	}
	p.end(0)
	p.note("cut", "%d", p.y)
	if p.model.Cut != "tear" {
		for x := 0; x < p.model.Dots; x += 16 { // where the knife went
			p.paper.Grow(p.y + 1)
			p.paper.Fill(x, p.y, 8, 1)
		}
		p.feed(1)
	}
}

// pages are Epson's numbers of code pages, as far as Go has them.
var pages = map[int]*charmap.Charmap{
	0: charmap.CodePage437, 2: charmap.CodePage850, 3: charmap.CodePage860, 4: charmap.CodePage863, 5: charmap.CodePage865, 13: charmap.CodePage855,
	16: charmap.Windows1252, 17: charmap.CodePage866, 18: charmap.CodePage852, 19: charmap.CodePage858, 36: charmap.CodePage862, 45: charmap.Windows1250,
	46: charmap.Windows1251, 47: charmap.Windows1253, 48: charmap.Windows1254,
}

func pageOf(n int) *charmap.Charmap {
	if page, ok := pages[n]; ok {
		return page
	}
	return charmap.CodePage437
}
