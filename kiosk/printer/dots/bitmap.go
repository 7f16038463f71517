// Package dots is black and white: what the head of a receipt printer can burn.
//
// In: pictures, characters, modules of a barcode. Out: Bitmaps, whose rows are bytes as the raster commands want them: the
// leftmost dot is the highest bit, a set bit is black. Lengths are in dots.
// It never knows a printer or a command.
// Called by kiosk/printer (what cannot be said in the printer's own font) and kiosk/printer/virtual (what it would look like).
package dots

import (
	"fmt"
	"image"
	"image/color"
	"math/bits"
)

// The largest bitmap that anything here makes: a strip of paper 25 metres long at 203 dots an inch.
const (
	MaxWidth  = 1 << 11
	MaxHeight = 200_000
)

// Bitmap is a rectangle of dots, white at first.
type Bitmap struct {
	W, H int
	row  int // bytes a row
	bits []byte
}

// New makes a white bitmap. A size outside of 0 to MaxWidth by MaxHeight is cut to it.
func New(w, h int) *Bitmap {
	w, h = min(max(w, 0), MaxWidth), min(max(h, 0), MaxHeight)
	row := (w + 7) / 8
	return &Bitmap{W: w, H: h, row: row, bits: make([]byte, row*h)}
}

// Unpack makes a bitmap of rows that somebody else packed: data holds h rows of (w+7)/8 bytes.
func Unpack(w, h int, data []byte) (*Bitmap, error) {
	b := New(w, h)
	if w != b.W || h != b.H || len(data) != len(b.bits) {
		return nil, fmt.Errorf("%d by %d dots of %d bytes: want %d bytes, and at most %d by %d dots", w, h, len(data), (w+7)/8*h, MaxWidth, MaxHeight)
	}
	copy(b.bits, data)
	if spare := b.row*8 - b.W; spare > 0 {
		for y := range b.H {
			b.bits[(y+1)*b.row-1] &= 0xFF << spare // dots beyond the edge
		}
	}
	return b, nil
}

// Bytes returns the rows, packed. They must not be changed.
func (b *Bitmap) Bytes() []byte { return b.bits }

// Rows returns the packed rows from y to before end.
func (b *Bitmap) Rows(y, end int) []byte { return b.bits[y*b.row : end*b.row] }

// Black reports whether a dot is black. Outside of the bitmap all is white.
func (b *Bitmap) Black(x, y int) bool {
	return x >= 0 && y >= 0 && x < b.W && y < b.H && b.bits[y*b.row+x/8]&(0x80>>(x%8)) != 0
}

// Set makes a dot black. Outside of the bitmap it does nothing.
func (b *Bitmap) Set(x, y int) {
	if x >= 0 && y >= 0 && x < b.W && y < b.H {
		b.bits[y*b.row+x/8] |= 0x80 >> (x % 8)
	}
}

// Fill makes a rectangle black.
func (b *Bitmap) Fill(x, y, w, h int) {
	for j := max(0, y); j < min(b.H, y+h); j++ {
		for i := max(0, x); i < min(b.W, x+w); i++ {
			b.Set(i, j)
		}
	}
}

// Draw adds the black dots of another bitmap, its corner at x, y.
func (b *Bitmap) Draw(src *Bitmap, x, y int) {
	for j := range src.H {
		row := src.bits[j*src.row : (j+1)*src.row]
		for k, v := range row {
			for v != 0 {
				i := bits.LeadingZeros8(v)
				b.Set(x+k*8+i, y+j)
				v &^= 0x80 >> i
			}
		}
	}
}

// Invert turns black into white and white into black in a rectangle.
func (b *Bitmap) Invert(x, y, w, h int) {
	for j := max(0, y); j < min(b.H, y+h); j++ {
		for i := max(0, x); i < min(b.W, x+w); i++ {
			b.bits[j*b.row+i/8] ^= 0x80 >> (i % 8)
		}
	}
}

// Scale makes each dot w by h dots.
func (b *Bitmap) Scale(w, h int) *Bitmap {
	if w == 1 && h == 1 {
		return b
	}
	out := New(b.W*w, b.H*h)
	for y := range b.H {
		for x := range b.W {
			if b.Black(x, y) {
				out.Fill(x*w, y*h, w, h)
			}
		}
	}
	return out
}

// Grow makes the bitmap at least h dots high.
func (b *Bitmap) Grow(h int) {
	if h = min(h, MaxHeight); h <= b.H {
		return
	}
	if need := b.row * h; need > cap(b.bits) {
		grown := make([]byte, need, min(b.row*MaxHeight, need*2))
		copy(grown, b.bits)
		b.bits = grown
	}
	b.bits = b.bits[:b.row*h]
	b.H = h
}

// Crop returns a copy of the rows from y to before end.
func (b *Bitmap) Crop(y, end int) *Bitmap {
	y = min(max(y, 0), b.H)
	out := New(b.W, max(0, min(end, b.H)-y))
	copy(out.bits, b.bits[y*b.row:])
	return out
}

// White reports whether no dot is black.
func (b *Bitmap) White() bool {
	for _, v := range b.bits {
		if v != 0 {
			return false
		}
	}
	return true
}

// Image is the bitmap as a picture, with a white margin around it.
func (b *Bitmap) Image(margin int) *image.Paletted {
	out := image.NewPaletted(image.Rect(0, 0, b.W+2*margin, b.H+2*margin), color.Palette{color.White, color.Black})
	for y := range b.H {
		line := out.Pix[(y+margin)*out.Stride+margin:]
		for x := range b.W {
			if b.Black(x, y) {
				line[x] = 1
			}
		}
	}
	return out
}
