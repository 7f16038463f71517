package dots

import (
	"fmt"
	"image"
	"sync"
	"unicode"

	"golang.org/x/image/font"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"golang.org/x/text/width"

	"foyer/kiosk/look/fonts"
)

// Cells is how many half-width columns a character takes, by East Asian width (Unicode Standard Annex 11): a letter one, a Chinese character two,
// a mark that sits on the character before it none.
func Cells(r rune) int {
	switch {
	case r < ' ' || r == 0x7F || unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		return 0
	case r < 0x7F:
		return 1
	case r >= 0x1F000 && r < 0x20000: // pictographs: wide on paper, whatever their class
		return 2
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	case width.EastAsianAmbiguous:
		if !unicode.IsLetter(r) {
			return 2 // as Chinese fonts have dashes and quotation marks; a letter with an accent stays among its like
		}
	}
	return 1
}

// Columns is how many half-width columns a text takes.
func Columns(s string) int {
	n := 0
	for _, r := range s {
		n += Cells(r)
	}
	return n
}

// Glyph is a character in a cell of so many dots for each half-width column, and as high. A character that our font lacks
// is a box with its number in it, so that a rare name is at least not mistaken for another. What it returns must not be changed.
func Glyph(r rune, half, high int, bold bool) *Bitmap {
	return glyphs.get(glyphKey{r, half, high, bold})
}

// has reports whether our font holds the character.
func has(r rune) bool {
	var buf sfnt.Buffer
	i, err := parsed(false).GlyphIndex(&buf, r)
	return err == nil && i != 0
}

var parsedFonts [2]func() *sfnt.Font

func init() {
	for i, data := range [][]byte{fonts.Regular(), fonts.Bold()} {
		parsedFonts[i] = sync.OnceValue(func() *sfnt.Font {
			f, err := opentype.Parse(data)
			if err != nil {
				panic(err) // the file is embedded, a test reads it
			}
			return f
		})
	}
}

func parsed(bold bool) *sfnt.Font {
	if bold {
		return parsedFonts[1]()
	}
	return parsedFonts[0]()
}

type glyphKey struct {
	r          rune
	half, high int
	bold       bool
}

// glyphs remembers what was drawn: a coupon says the same characters again and again.
var glyphs = glyphCache{known: map[glyphKey]*Bitmap{}, faces: map[faceKey]font.Face{}}

// maxGlyphs of 24 by 24 dots are some 300 KB.
const maxGlyphs = 4096

type faceKey struct {
	high int
	bold bool
}

type glyphCache struct {
	mu    sync.Mutex // a font.Face is for one goroutine
	known map[glyphKey]*Bitmap
	faces map[faceKey]font.Face
}

func (c *glyphCache) get(k glyphKey) *Bitmap {
	c.mu.Lock()
	defer c.mu.Unlock()
	if b, ok := c.known[k]; ok {
		return b
	}
	b := c.draw(k)
	if len(c.known) >= maxGlyphs {
		clear(c.known)
	}
	c.known[k] = b
	return b
}

func (c *glyphCache) draw(k glyphKey) *Bitmap {
	out := New(max(1, Cells(k.r))*k.half, k.high)
	if unicode.IsSpace(k.r) || k.r < ' ' {
		return out
	}
	if !has(k.r) {
		unknown(out, k.r)
		return out
	}
	face := c.face(faceKey{k.high, k.bold})
	// 0.88 above the baseline and 0.12 below is the square of a Chinese character in this font (its BASE table, ideo).
	size := float64(k.high) * typeSize
	base := int(float64(k.high)*(1-typeSize)/2 + 0.88*size + 0.5)
	advance, _ := face.GlyphAdvance(k.r)
	wide := max(out.W, advance.Ceil()) // a W is wider than the half of a square: it is pressed together
	at := fixed.Point26_6{X: (fixed.I(wide) - advance) / 2, Y: fixed.I(base)}
	box, mask, from, _, ok := face.Glyph(at, k.r)
	if ok {
		stamp(out, wide, box, mask, from)
	}
	return out
}

// typeSize leaves a little room between the lines.
const typeSize = 0.94

// stamp makes black what the glyph, drawn in a cell so wide, covers by nearly half.
func stamp(out *Bitmap, wide int, box image.Rectangle, mask image.Image, from image.Point) {
	for y := range out.H {
		for x := range out.W {
			sum, n := 0, 0
			for i := x * wide / out.W; i < max((x+1)*wide/out.W, x*wide/out.W+1); i++ {
				n++
				if (image.Point{i, y}).In(box) {
					_, _, _, a := mask.At(from.X+i-box.Min.X, from.Y+y-box.Min.Y).RGBA()
					sum += int(a)
				}
			}
			if sum >= 0x7000*n {
				out.Set(x, y)
			}
		}
	}
}

func (c *glyphCache) face(k faceKey) font.Face {
	if f, ok := c.faces[k]; ok {
		return f
	}
	f, err := opentype.NewFace(parsed(k.bold), &opentype.FaceOptions{Size: float64(k.high) * typeSize, DPI: 72})
	if err != nil {
		panic(err) // it has no way to fail for a font that was parsed
	}
	c.faces[k] = f
	return f
}

// digits of 3 by 5 dots, a row an octal digit: enough for a number in a box.
var digits = [16]string{"75557", "26227", "71747", "71717", "55711", "74717", "74757", "71111", "75757", "75717", "75755", "65656", "74447", "65556", "74647", "74644"}

// unknown draws a box with the character's number.
func unknown(out *Bitmap, r rune) {
	out.Fill(1, 1, out.W-2, 1)
	out.Fill(1, out.H-2, out.W-2, 1)
	out.Fill(1, 1, 1, out.H-2)
	out.Fill(out.W-2, 1, 1, out.H-2)
	text := fmt.Sprintf("%04X", r)
	each := max(1, (out.W-4)/4)
	if lines := (len(text) + each - 1) / each; lines*6 > out.H-4 {
		return // too small for its number
	}
	for i, d := range text {
		n := int(d - '0')
		if d >= 'A' {
			n = int(d-'A') + 10
		}
		for j, row := range digits[n] {
			for k := range 3 {
				if int(row-'0')&(4>>k) != 0 {
					out.Set(3+i%each*4+k, 4+i/each*7+j)
				}
			}
		}
	}
}
