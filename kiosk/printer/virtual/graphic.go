package virtual

import (
	"strings"

	"github.com/boombuler/barcode"
	"github.com/boombuler/barcode/codabar"
	"github.com/boombuler/barcode/code128"
	"github.com/boombuler/barcode/code39"
	"github.com/boombuler/barcode/code93"
	"github.com/boombuler/barcode/ean"
	"github.com/boombuler/barcode/qr"
	"github.com/boombuler/barcode/twooffive"

	"foyer/kiosk/printer/code"
	"foyer/kiosk/printer/dots"
)

// bars is how the next barcode looks.
type bars struct {
	high   int // dots
	module int // dots
	label  int // 0 none, 1 above, 2 below, 3 both
}

type qrState struct {
	module int
	level  byte // 48 L, 49 M, 50 Q, 51 H
	data   string
}

// graphic obeys a command that draws, and reports whether it was one.
func (p *Printer) graphic(c []byte) bool {
	switch [2]byte{c[0], c[1]} {
	case [2]byte{esc, '*'}:
		p.columns(c)
	case [2]byte{gs, 'v'}:
		p.raster(int(c[4])|int(c[5])<<8, int(c[6])|int(c[7])<<8, 1+int(c[3])&1, 1+int(c[3])>>1&1, c[8:])
	case [2]byte{gs, 'h'}:
		p.bar.high = max(1, int(c[2]))
	case [2]byte{gs, 'w'}:
		p.bar.module = min(max(1, int(c[2])), 6)
	case [2]byte{gs, 'H'}:
		p.bar.label = int(c[2]) % 48
	case [2]byte{gs, 'f'}:
	case [2]byte{gs, 'k'}:
		p.barcode(c)
	case [2]byte{gs, '8'}:
		return c[2] == 'L' && p.graphics(c[7:])
	case [2]byte{gs, '('}:
		switch c[2] {
		case 'L':
			return p.graphics(c[5:])
		case 'k':
			return p.symbol(c[5:])
		}
		return false
	default:
		return false
	}
	return true
}

// columns is ESC *: a strip of 8 or 24 dots on the line.
func (p *Printer) columns(c []byte) {
	each, across := bytesAColumn(int(c[2])), 1
	if c[2] == 0 || c[2] == 32 {
		across = 2
	}
	down := 3 / each
	data := c[5:]
	b := dots.New(len(data)/each, each*8)
	for x := range b.W {
		for y := range b.H {
			if data[x*each+y/8]&(0x80>>(y%8)) != 0 {
				b.Set(x, y)
			}
		}
	}
	b = b.Scale(across, down)
	p.line = append(p.line, cell{p.x, b, ""})
	p.x = min(p.x+b.W, p.width)
}

// raster is GS v 0.
func (p *Printer) raster(wide, high, across, down int, data []byte) {
	b, err := dots.Unpack(wide*8, high, data)
	if err != nil {
		p.note("unknown", "a picture: %v", err)
		return
	}
	p.picture(b.Scale(across, down))
}

func (p *Printer) picture(b *dots.Bitmap) {
	p.end(0)
	p.note("picture", "%d by %d", b.W, b.H)
	p.burn(b, p.aligned(min(b.W, p.width)), b.H)
	p.printed()
}

// graphics is GS ( L and GS 8 L: functions 112 (store) and 2 or 50 (print).
func (p *Printer) graphics(c []byte) bool {
	if len(c) < 2 {
		return false
	}
	switch c[1] {
	case 2, 50:
		if p.stored != nil {
			p.picture(p.stored)
			p.stored = nil
		}
	case 112:
		if len(c) < 10 {
			return false
		}
		wide, high := int(c[6])|int(c[7])<<8, int(c[8])|int(c[9])<<8
		b, err := dots.Unpack(wide, high, c[10:])
		if err != nil {
			p.note("unknown", "a picture: %v", err)
			return true
		}
		p.stored = b.Scale(max(1, int(c[3])), max(1, int(c[4])))
	default:
		return false
	}
	return true
}

// symbol is GS ( k for QR codes (cn 49).
func (p *Printer) symbol(c []byte) bool {
	if len(c) < 3 || c[0] != 49 {
		return false
	}
	switch c[1] {
	case 65:
	case 67:
		p.qr.module = min(max(1, int(c[2])), 16)
	case 69:
		p.qr.level = c[2]
	case 80:
		p.qr.data = string(c[3:])
	case 81:
		b, err := qr.Encode(p.qr.data, qr.ErrorCorrectionLevel((p.qr.level-48)%4), qr.Auto)
		p.draw("qr", p.qr.data, b, err, p.qr.module, p.qr.module)
	default:
		return false
	}
	return true
}

// draw prints a barcode of the library.
func (p *Printer) draw(kind, data string, b barcode.Barcode, err error, wide, high int) {
	if err != nil {
		p.note("unknown", "%s of %q: %v", kind, data, err)
		return
	}
	size := b.Bounds()
	m := dots.New(size.Dx(), size.Dy())
	for y := range size.Dy() {
		for x := range size.Dx() {
			if r, _, _, _ := b.At(size.Min.X+x, size.Min.Y+y).RGBA(); r < 0x8000 {
				m.Set(x, y)
			}
		}
	}
	p.modules(kind, data, m, wide, high)
}

func (p *Printer) modules(kind, data string, m *dots.Bitmap, wide, high int) {
	if m.W*wide > p.width {
		p.note("unknown", "%s of %q is wider than the paper", kind, data)
		return
	}
	p.end(0)
	p.note("barcode", "%s %s", kind, data)
	label := kind != "qr" && p.bar.label > 0
	if label && p.bar.label&1 != 0 {
		p.labelled(data)
	}
	b := m.Scale(wide, high)
	p.burn(b, p.aligned(b.W), b.H)
	if label && p.bar.label&2 != 0 {
		p.labelled(data)
	}
	p.printed()
}

func (p *Printer) labelled(data string) {
	for _, r := range data {
		if r >= ' ' {
			p.set(r)
		}
	}
	p.end(p.pitch)
}

// linear are the barcodes of GS k by their number in the second form, where the length is told.
var linear = map[byte]struct {
	name   string
	encode func(string) (barcode.Barcode, error)
}{
	67: {"ean13", func(s string) (barcode.Barcode, error) { return ean.Encode(s) }},
	68: {"ean8", func(s string) (barcode.Barcode, error) { return ean.Encode(s) }},
	65: {"upc-a", func(s string) (barcode.Barcode, error) { return ean.Encode("0" + s) }},
	69: {"code39", func(s string) (barcode.Barcode, error) {
		return code39.Encode(strings.Trim(s, "*"), false, false)
	}},
	70: {"itf", func(s string) (barcode.Barcode, error) { return twooffive.Encode(s, true) }},
	71: {"codabar", func(s string) (barcode.Barcode, error) { return codabar.Encode(s) }},
	72: {"code93", func(s string) (barcode.Barcode, error) { return code93.Encode(s, true, false) }},
	73: {"code128", func(s string) (barcode.Barcode, error) { return code128.Encode(s) }},
}

func (p *Printer) barcode(c []byte) {
	if len(c) < 5 {
		return
	}
	m, data := c[2], string(c[4:])
	if m <= 6 {
		m, data = m+65, string(c[3:len(c)-1])
	}
	if m == 73 {
		data = subsets(data)
	}
	if m == 78 {
		s, err := code.Make(code.DataBarExpanded, elements(data), p.width/p.bar.module)
		if err != nil {
			p.note("unknown", "%v", err)
			return
		}
		high := p.bar.high
		if !s.Linear {
			high = p.bar.module
		}
		p.modules("databar", data, s.Modules, p.bar.module, high)
		return
	}
	kind, ok := linear[m]
	if !ok {
		p.note("unknown", "barcode %d", m)
		return
	}
	b, err := kind.encode(data)
	p.draw(kind.name, data, b, err, p.bar.module, p.bar.high)
}

// elements is what a host sends for a DataBar, as people write it: "{(" and "{)" stand for brackets, "{1" for FNC1.
func elements(data string) string {
	return strings.NewReplacer("{(", "(", "{)", ")", "{1", "").Replace(data)
}

// subsets takes the choices of code sets out of a Code 128, which the library makes itself: "{B", "{C" and pairs of digits as one byte.
func subsets(data string) string {
	var out strings.Builder
	set := byte('B')
	for i := 0; i < len(data); i++ {
		switch {
		case data[i] == '{' && i+1 < len(data) && strings.IndexByte("ABC", data[i+1]) >= 0:
			i++
			set = data[i]
		case data[i] == '{' && i+1 < len(data) && data[i+1] == '{':
			i++
			out.WriteByte('{')
		case data[i] == '{' && i+1 < len(data) && data[i+1] == '1':
			i++
			out.WriteRune(code128.FNC1)
		case set == 'C' && data[i] < 100:
			out.WriteByte('0' + data[i]/10)
			out.WriteByte('0' + data[i]%10)
		default:
			out.WriteByte(data[i])
		}
	}
	return out.String()
}
