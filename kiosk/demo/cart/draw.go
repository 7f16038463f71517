package cart

import (
	"unicode/utf16"
)

// calls are the machine's functions by name. Coordinates may lie anywhere: what is outside the picture is not drawn, and no
// loop is longer than the picture is wide or high.
var calls = map[string]call{
	"rect":  {4, false, func(m *Machine, s []uint64) { m.rect(i32(s[0]), i32(s[1]), i32(s[2]), i32(s[3])) }},
	"hline": {3, false, func(m *Machine, s []uint64) { m.hline(m.colour(0), i32(s[0]), i32(s[1]), i32(s[2])) }},
	"vline": {3, false, func(m *Machine, s []uint64) { m.vline(m.colour(0), i32(s[0]), i32(s[1]), i32(s[2])) }},
	"line":  {4, false, func(m *Machine, s []uint64) { m.line(i32(s[0]), i32(s[1]), i32(s[2]), i32(s[3])) }},
	"oval":  {4, false, func(m *Machine, s []uint64) { m.oval(i32(s[0]), i32(s[1]), i32(s[2]), i32(s[3])) }},
	"blit": {6, false, func(m *Machine, s []uint64) {
		m.blit(uint32(s[0]), i32(s[1]), i32(s[2]), i32(s[3]), i32(s[4]), 0, 0, i32(s[3]), uint32(s[5]))
	}},
	"blitSub": {9, false, func(m *Machine, s []uint64) {
		m.blit(uint32(s[0]), i32(s[1]), i32(s[2]), i32(s[3]), i32(s[4]), i32(s[5]), i32(s[6]), i32(s[7]), uint32(s[8]))
	}},
	"text":       {3, false, func(m *Machine, s []uint64) { m.text(m.until0(uint32(s[0])), i32(s[1]), i32(s[2])) }},
	"textUtf8":   {4, false, func(m *Machine, s []uint64) { m.text(m.bytes(uint32(s[0]), uint32(s[1])), i32(s[2]), i32(s[3])) }},
	"textUtf16":  {4, false, func(m *Machine, s []uint64) { m.text(wide(m.bytes(uint32(s[0]), uint32(s[1]))), i32(s[2]), i32(s[3])) }},
	"tone":       {4, false, func(*Machine, []uint64) {}}, // a shop is loud enough: cartridges are mute
	"diskr":      {2, true, func(m *Machine, s []uint64) { s[0] = uint64(m.diskRead(uint32(s[0]), uint32(s[1]))) }},
	"diskw":      {2, true, func(m *Machine, s []uint64) { s[0] = uint64(m.diskWrite(uint32(s[0]), uint32(s[1]))) }},
	"trace":      {1, false, func(m *Machine, s []uint64) { m.heard(string(m.until0(uint32(s[0])))) }},
	"traceUtf8":  {2, false, func(m *Machine, s []uint64) { m.heard(string(m.bytes(uint32(s[0]), uint32(s[1])))) }},
	"traceUtf16": {2, false, func(m *Machine, s []uint64) { m.heard(string(wide(m.bytes(uint32(s[0]), uint32(s[1]))))) }},
	"tracef":     {2, false, func(m *Machine, s []uint64) { m.heard(string(m.until0(uint32(s[0])))) }},
}

func i32(v uint64) int { return int(int32(uint32(v))) }

// maxText is the longest text that is read at once.
const maxText = 1024

// bytes reads memory; what lies outside is nothing.
func (m *Machine) bytes(at, n uint32) []byte {
	b, _ := m.memory.Read(at, min(n, maxText))
	return b
}

func (m *Machine) until0(at uint32) []byte {
	size := m.memory.Size()
	if at >= size {
		return nil
	}
	b := m.bytes(at, min(maxText, size-at))
	for i, c := range b {
		if c == 0 {
			return b[:i]
		}
	}
	return b
}

func wide(b []byte) []byte {
	units := make([]uint16, len(b)/2)
	for i := range units {
		units[i] = uint16(b[2*i]) | uint16(b[2*i+1])<<8
	}
	return []byte(string(utf16.Decode(units)))
}

const diskSize = 1024

// A cartridge's disk lasts as long as the cartridge runs: nothing of a player stays behind.
func (m *Machine) diskRead(at, n uint32) uint32 {
	n = min(n, uint32(len(m.disk)))
	if !m.memory.Write(at, m.disk[:n]) {
		return 0
	}
	return n
}

func (m *Machine) diskWrite(at, n uint32) uint32 {
	b, ok := m.memory.Read(at, min(n, diskSize))
	if !ok {
		return 0
	}
	m.disk = append(m.disk[:0], b...)
	return uint32(len(b))
}

// colour is a drawing colour: 0 is none, 1 to 4 the palette's.
func (m *Machine) colour(n int) int {
	c, _ := m.memory.ReadUint16Le(drawColor)
	return int(c >> (4 * n) & 0xF)
}

// set paints a pixel; colour counts from 1.
func (m *Machine) set(colour, x, y int) {
	if colour < 1 || colour > 4 || x < 0 || y < 0 || x >= Side || y >= Side {
		return
	}
	at := y*Side + x
	fb, _ := m.memory.Read(picture, pictureN)
	shift := at & 3 * 2
	fb[at>>2] = fb[at>>2]&^(3<<shift) | byte(colour-1)<<shift
}

func (m *Machine) hline(colour, x, y, n int) {
	for i := max(0, x); i < min(Side, x+n); i++ {
		m.set(colour, i, y)
	}
}

func (m *Machine) vline(colour, x, y, n int) {
	for i := max(0, y); i < min(Side, y+n); i++ {
		m.set(colour, x, i)
	}
}

func (m *Machine) rect(x, y, w, h int) {
	fill, edge := m.colour(0), m.colour(1)
	for i := max(0, y); i < min(Side, y+h); i++ {
		m.hline(fill, x, i, w)
	}
	if edge == 0 {
		return
	}
	m.hline(edge, x, y, w)
	m.hline(edge, x, y+h-1, w)
	m.vline(edge, x, y, h)
	m.vline(edge, x+w-1, y, h)
}

// line is Bresenham's. Its ends are held near the picture: a line to the end of the world must not take for ever.
func (m *Machine) line(x1, y1, x2, y2 int) {
	const far = 4096
	hold := func(v int) int { return max(-far, min(far, v)) }
	x1, y1, x2, y2 = hold(x1), hold(y1), hold(x2), hold(y2)
	colour := m.colour(0)
	dx, dy, sx, sy := x2-x1, y2-y1, 1, 1
	if dx < 0 {
		dx, sx = -dx, -1
	}
	if dy < 0 {
		dy, sy = -dy, -1
	}
	for off := dx - dy; ; {
		m.set(colour, x1, y1)
		if x1 == x2 && y1 == y2 {
			return
		}
		twice := 2 * off
		if twice > -dy {
			off -= dy
			x1 += sx
		}
		if twice < dx {
			off += dx
			y1 += sy
		}
	}
}

// oval fills the ellipse that touches the box from inside, row by row.
func (m *Machine) oval(x, y, w, h int) {
	if w <= 0 || h <= 0 || w > 4*Side || h > 4*Side {
		return
	}
	fill, edge := m.colour(0), m.colour(1)
	for i := range h {
		left, right := span(w, h, i)
		m.hline(fill, x+left, y+i, right-left)
		if edge == 0 {
			continue
		}
		above, _ := span(w, h, i-1)
		below, _ := span(w, h, i+1)
		n := max(1, max(above, below)-left) // as far as a neighbour does not reach
		m.hline(edge, x+left, y+i, n)
		m.hline(edge, x+right-n, y+i, n)
	}
}

// span is the part of a row that lies in the ellipse.
func span(w, h, row int) (left, right int) {
	dy := (float64(row) + 0.5 - float64(h)/2) / (float64(h) / 2)
	for left = 0; left < (w+1)/2; left++ {
		dx := (float64(left) + 0.5 - float64(w)/2) / (float64(w) / 2)
		if dx*dx+dy*dy <= 1 {
			break
		}
	}
	return left, w - left
}

// The flags of blit.
const (
	twoBits = 1 << iota
	flipX
	flipY
	rotate
)

func (m *Machine) blit(sprite uint32, x, y, w, h, sx, sy, stride int, flag uint32) {
	if w <= 0 || h <= 0 || w > 4*Side || h > 4*Side || stride <= 0 || sx < 0 || sy < 0 {
		return
	}
	bits := 1
	if flag&twoBits != 0 {
		bits = 2
	}
	for row := range h {
		for col := range w {
			at := ((sy+row)*stride + sx + col) * bits
			b, ok := m.memory.ReadByte(sprite + uint32(at>>3))
			if !ok {
				return
			}
			index := int(b>>(8-bits-at&7)) & (1<<bits - 1)
			tx, ty := turned(col, row, w, h, flag)
			m.set(m.colour(index), x+tx, y+ty)
		}
	}
}

// turned is where a pixel of a sprite goes: rotation is by a quarter, against the clock, after flipping.
func turned(col, row, w, h int, flag uint32) (x, y int) {
	if flag&flipX != 0 {
		col = w - 1 - col
	}
	if flag&flipY != 0 {
		row = h - 1 - row
	}
	if flag&rotate != 0 {
		return row, w - 1 - col
	}
	return col, row
}

func (m *Machine) text(s []byte, x, y int) {
	ink, ground := m.colour(0), m.colour(1)
	left := x
	for _, c := range s {
		if c == '\n' {
			x, y = left, y+8
			continue
		}
		g := glyph(c)
		for row := range 8 {
			for col := range 8 {
				colour := ground
				if g[row]>>(7-col)&1 != 0 {
					colour = ink
				}
				m.set(colour, x+col, y+row)
			}
		}
		x += 8
	}
}
