package printer

import (
	"bytes"
	"strings"

	"golang.org/x/text/encoding/simplifiedchinese"

	profiles "foyer/firmware-profiles"
	"foyer/kiosk/printer/dots"
)

const (
	esc = 0x1B
	fs  = 0x1C
	gs  = 0x1D
)

// bandRows is how many rows of a picture are sent in one command: printers with little memory take no more at once.
const bandRows = 128

// Encode is a document in the language of a printer: Epson's ESC/POS, Application Programming Guide; the commands are named as there.
// The error holds every reason why it cannot be printed so.
func Encode(d *Doc, p *profiles.Printer) ([]byte, error) {
	strips, err := lay(d, p)
	if err != nil {
		return nil, err
	}
	e := encoder{p: p}
	e.begin()
	for _, s := range strips {
		e.strip(s)
	}
	return e.out.Bytes(), nil
}

type encoder struct {
	p   *profiles.Printer
	out bytes.Buffer
	set form // what the printer is set to
	at  Align
}

func (e *encoder) put(b ...byte) { e.out.Write(b) }

// begin puts the printer into a known state, whatever the one before left: ESC @, the pitch of lines, Chinese on or off.
func (e *encoder) begin() {
	e.put(esc, '@', esc, '3', byte(2*e.p.Cell()+gap))
	if e.p.CJK == profiles.NoCJK {
		e.put(fs, '.')
	} else {
		e.put(fs, '&')
	}
	e.set, e.at = form{wide: 1, high: 1}, Left
}

func (e *encoder) strip(s strip) {
	switch {
	case s.say != nil:
		e.say(*s.say)
	case s.draw != nil:
		e.picture(s.draw)
	case s.qr != nil:
		e.qr(*s.qr)
	case s.feed > 0:
		for left := s.feed; left > 0; left -= 255 {
			e.put(esc, 'J', byte(min(left, 255)))
		}
	case s.cut:
		e.cut()
	case s.drawer && e.p.Drawer:
		e.put(esc, 'p', 0, 25, 250) // pin 2, 50 ms on, 500 ms off
	}
}

// cut feeds up to the cutter, or the tear bar.
func (e *encoder) cut() {
	switch e.p.Cut {
	case profiles.Full:
		e.put(esc, 'd', byte(e.p.Feed), gs, 'V', 0)
	case profiles.Partial:
		e.put(esc, 'd', byte(e.p.Feed), gs, 'V', 1)
	default:
		e.put(esc, 'd', byte(e.p.Feed))
	}
}

func (e *encoder) align(a Align) {
	if a == "" {
		a = Left
	}
	if a != e.at {
		e.put(esc, 'a', byte(strings.Index("lcr", string(a[0]))))
		e.at = a
	}
}

func (e *encoder) say(l line) {
	e.align(l.align)
	for _, p := range l.pieces {
		e.form(p.form)
		e.out.Write(e.encoded(p.text))
	}
	e.put('\n')
}

// form sets size, weight and ground where they are others than before.
func (e *encoder) form(f form) {
	if f.wide != e.set.wide || f.high != e.set.high {
		e.put(gs, '!', byte((f.wide-1)<<4|f.high-1))
	}
	if f.bold != e.set.bold {
		e.put(esc, 'E', bit(f.bold))
	}
	if f.invert != e.set.invert {
		e.put(gs, 'B', bit(f.invert))
	}
	e.set = f
}

func bit(on bool) byte {
	if on {
		return 1
	}
	return 0
}

// encoded is text in the printer's own alphabet. What it lacks is a question mark: that happens only on a printer that takes no pictures.
func (e *encoder) encoded(s string) []byte {
	var out []byte
	enc := simplifiedchinese.GB18030.NewEncoder()
	for _, r := range s {
		if !native(e.p.CJK, r) {
			out = append(out, "??"[:max(1, min(2, dots.Cells(r)))]...)
			continue
		}
		b, err := enc.String(string(r))
		if err != nil || strings.ContainsAny(b, "\x00\x1b\x1c\x1d\x10") {
			b = "?"
		}
		out = append(out, b...)
	}
	return out
}

// picture sends a bitmap in bands, without the white at its right.
func (e *encoder) picture(b *dots.Bitmap) {
	e.align(Left)
	if b.White() {
		e.strip(strip{feed: b.H})
		return
	}
	if e.p.Raster == profiles.Columns {
		e.columns(b)
		return
	}
	for y := 0; y < b.H; y += bandRows {
		end := min(y+bandRows, b.H)
		wide, data := tight(b, y, end)
		switch e.p.Raster {
		case profiles.Graphics:
			e.graphics(wide, end-y, data)
		default: // GS v 0, m = 0
			e.put(gs, 'v', '0', 0, byte(wide), byte(wide>>8), byte(end-y), byte((end-y)>>8))
			e.out.Write(data)
		}
	}
}

// tight is rows without the white bytes at their right; at least one byte wide.
func tight(b *dots.Bitmap, y, end int) (wide int, data []byte) {
	row := (b.W + 7) / 8
	all := b.Rows(y, end)
	wide = 1
	for i, v := range all {
		if v != 0 {
			wide = max(wide, i%row+1)
		}
	}
	data = make([]byte, 0, wide*(end-y))
	for i := 0; i < len(all); i += row {
		data = append(data, all[i:i+wide]...)
	}
	return wide, data
}

// graphics is GS 8 L, function 112 (store one colour, raster form), then GS ( L, function 50 (print it).
func (e *encoder) graphics(wide, high int, data []byte) {
	n := len(data) + 10
	e.put(gs, '8', 'L', byte(n), byte(n>>8), byte(n>>16), byte(n>>24), 48, 112, 48, 1, 1, 49, byte(wide*8), byte(wide*8>>8), byte(high), byte(high>>8))
	e.out.Write(data)
	e.put(gs, '(', 'L', 2, 0, 48, 50)
}

// columns is ESC * 33: strips of 24 dots, sent column by column, the line pitch being those 24 dots.
func (e *encoder) columns(b *dots.Bitmap) {
	e.put(esc, '3', 24)
	for y := 0; y < b.H; y += 24 {
		wide, _ := tight(b, y, min(y+24, b.H))
		wide = min(wide*8, b.W)
		e.put(esc, '*', 33, byte(wide), byte(wide>>8))
		for x := range wide {
			var column [3]byte
			for k := range 24 {
				if b.Black(x, y+k) {
					column[k/8] |= 0x80 >> (k % 8)
				}
			}
			e.out.Write(column[:])
		}
		e.put('\n')
	}
	e.put(esc, '3', byte(2*e.p.Cell()+gap))
}

// qr has the printer draw the code: GS ( k, cn 49. Model 2, size of a module, error correction M, the data, print.
func (e *encoder) qr(q nativeQR) {
	e.align(q.align)
	n := len(q.data) + 3
	e.put(gs, '(', 'k', 4, 0, 49, 65, 50, 0)
	e.put(gs, '(', 'k', 3, 0, 49, 67, byte(min(q.module, 16)))
	e.put(gs, '(', 'k', 3, 0, 49, 69, 49)
	e.put(gs, '(', 'k', byte(n), byte(n>>8), 49, 80, 48)
	e.out.WriteString(q.data)
	e.put(gs, '(', 'k', 3, 0, 49, 81, 48)
}
