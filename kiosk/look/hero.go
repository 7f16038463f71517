package look

import (
	"fmt"
	"image"
	"image/color"
	"strings"
)

// Mood is the colouring of a Hall.
type Mood uint8

// The moods.
const (
	Evening Mood = iota // deep teal: the kiosk's invitation and greeting
	Feast               // coral and honey: a birthday
	Wide                // without a ground of its own: stands on Night, on the wall
)

// Hall describes the house's own picture: arches, one behind the other, and a light at the end of them. It is drawn for
// the very proportions of its place, so that nothing is stretched or cut by chance.
type Hall struct {
	Mood   Mood
	Centre float64 // of the arches, as a share of the width; 0.5
	Base   float64 // of the floor's edge, as a share of the height; 0.86
	Span   float64 // of the outer arch, as a share of the width; 0.8
	Plants bool
	Stars  bool
}

// Raster draws the hall in w x h pixels, once a size.
func (h Hall) Raster(w, hgt int) *image.RGBA {
	return kept(fmt.Sprintf("hall %v %dx%d", h, w, hgt), w, hgt, h.ground, func() []byte {
		return []byte(h.svg(float64(w), float64(hgt)))
	})
}

// shades are the arches' colours from the outside in; the last one is the light.
func (m Mood) shades() []color.NRGBA {
	if m == Feast {
		return []color.NRGBA{rgb(0x7A3357), rgb(0x9C4058), rgb(0xC45356), rgb(0xF07E66), rgb(0xF4B740), rgb(0xFBDD93), Cream}
	}
	return []color.NRGBA{rgb(0x0D4C4F), rgb(0x0F5E5D), rgb(0x12736C), rgb(0x2C9083), rgb(0xF4B740), rgb(0xFBD98A), Cream}
}

func (m Mood) ground() (top, foot, floor color.NRGBA) {
	if m == Feast {
		return rgb(0x4A2145), rgb(0x66304F), rgb(0x3B1A38)
	}
	return Night, Deep, rgb(0x08262C)
}

// ground fills the picture with evening sky and floor, row by row: a gradient by the pixel would take ten times as long.
func (h Hall) ground(img *image.RGBA) {
	if h.Mood == Wide {
		return
	}
	top, foot, floor := h.Mood.ground()
	height := img.Rect.Dy()
	for y := range height {
		c := mix(top, foot, float64(y)/float64(height))
		if float64(y) >= float64(height)*h.Base {
			c = floor
		}
		row := img.Pix[y*img.Stride : y*img.Stride+4*img.Rect.Dx()]
		for x := 0; x < len(row); x += 4 {
			row[x], row[x+1], row[x+2], row[x+3] = c.R, c.G, c.B, 0xFF
		}
	}
}

func mix(a, b color.NRGBA, part float64) color.NRGBA {
	m := func(p, q uint8) uint8 { return uint8(float64(p) + (float64(q)-float64(p))*part + 0.5) }
	return color.NRGBA{R: m(a.R, b.R), G: m(a.G, b.G), B: m(a.B, b.B), A: 0xFF}
}

func (h Hall) svg(w, hgt float64) string {
	var b strings.Builder
	cx, base, r := w*h.Centre, hgt*h.Base, w*h.Span/2
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f"><defs>`, w, hgt)
	gradient(&b, "spill", 0, base, 0, hgt, Butter, Butter, 210, 20)
	b.WriteString(`</defs>`)
	h.arches(&b, cx, base, r)
	fmt.Fprintf(&b, `<path d="M%.1f %.1f H%.1f L%.1f %.1f H%.1f Z" fill="url(#spill)"/>`,
		cx-r*0.22, base, cx+r*0.22, cx+r*0.62, hgt, cx-r*0.62)
	if h.Plants {
		plant(&b, cx-r*0.86, base+r*0.05, r*0.42, false)
		plant(&b, cx+r*0.86, base+r*0.07, r*0.34, true)
	}
	if h.Stars {
		stars(&b, cx, base, r)
	}
	b.WriteString(`</svg>`)
	return b.String()
}

// arches draws the paper-cut hall: each arch is darkened at its crown by the one in front of it.
func (h Hall) arches(b *strings.Builder, cx, base, r float64) {
	shades := h.Mood.shades()
	for i, c := range shades {
		part := 1 - float64(i)/float64(len(shades))*0.86
		rr := r * part
		crown := base - rr - r*0.62*(0.55+0.45*part)
		spring := crown + rr
		fmt.Fprintf(b, `<path d="%s" fill="%s"/>`, arch(cx, base, rr, spring), hex(c))
		if i > 0 && i < len(shades)-1 {
			cut := rr * 0.07
			fmt.Fprintf(b, `<path d="M%.1f %.1f A%.1f %.1f 0 0 1 %.1f %.1f A%.1f %.1f 0 0 0 %.1f %.1f Z" fill="#08262C" fill-opacity="0.16"/>`,
				cx-rr, spring, rr, rr, cx+rr, spring, rr, rr-cut, cx-rr, spring)
		}
	}
}

func arch(cx, base, r, spring float64) string {
	return fmt.Sprintf("M%.1f %.1f V%.1f A%.1f %.1f 0 0 1 %.1f %.1f V%.1f Z", cx-r, base, spring, r, r, cx+r, spring, base)
}

// plant stands at x on the floor y and is size tall.
func plant(b *strings.Builder, x, y, size float64, mirrored bool) {
	flip := 1.0
	if mirrored {
		flip = -1
	}
	leaf := func(dx, height, lean float64, fill string) {
		tip, side := x+flip*(dx+lean)*size, size*0.16
		foot := y - size*0.30
		fmt.Fprintf(b, `<path d="M%.1f %.1f C%.1f %.1f %.1f %.1f %.1f %.1f C%.1f %.1f %.1f %.1f %.1f %.1f Z" fill="%s"/>`,
			x, foot, x+flip*(dx*size)-side, foot-height*size*0.35, tip-side*1.2, foot-height*size*0.75, tip, foot-height*size,
			tip+side*1.1, foot-height*size*0.62, x+flip*(dx*size)+side, foot-height*size*0.3, x, foot, fill)
	}
	leaf(-0.10, 0.62, -0.26, "#159588")
	leaf(0.12, 0.58, 0.30, "#0B7A6F")
	leaf(-0.04, 0.86, -0.10, "#2CA892")
	leaf(0.06, 0.80, 0.14, "#159588")
	leaf(0, 0.70, 0.01, "#46BFA6")
	p := size * 0.17
	fmt.Fprintf(b, `<path d="M%.1f %.1f H%.1f L%.1f %.1f H%.1f Z" fill="#E85D46"/>`, x-p, y-size*0.34, x+p, x+p*0.74, y, x-p*0.74)
	fmt.Fprintf(b, `<path d="M%.1f %.1f H%.1f L%.1f %.1f H%.1f Z" fill="#F9735B"/>`, x-p, y-size*0.34, x, x, y, x-p*0.74)
	fmt.Fprintf(b, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" rx="%.1f" ry="%.1f" fill="#FB8B76"/>`,
		x-p*1.16, y-size*0.38, p*2.32, size*0.09, size*0.03, size*0.03)
}

// stars are sparks of light beside the arch, where no words stand.
func stars(b *strings.Builder, cx, base, r float64) {
	for _, p := range [][3]float64{{-1.22, 1.30, 0.055}, {-1.06, 0.94, 0.03}, {-1.36, 0.72, 0.04}, {1.16, 1.42, 0.04}, {1.33, 1.05, 0.06}, {1.12, 0.74, 0.028}} {
		x, y, s := cx+r*p[0], base-r*p[1], r*p[2]
		t := s * 0.24
		fmt.Fprintf(b, `<circle cx="%.1f" cy="%.1f" r="%.1f" fill="#F4B740" fill-opacity="0.12"/>`, x, y, s*1.7)
		fmt.Fprintf(b, `<path d="M%.1f %.1f l%.1f %.1f %.1f %.1f %.1f %.1f %.1f %.1f %.1f %.1f %.1f %.1f %.1f %.1f Z" fill="#F8CB6C"/>`,
			x, y-s, t, s-t, s-t, t, t-s, t, -t, s-t, -t, t-s, t-s, -t, s-t, -t)
	}
}

func gradient(b *strings.Builder, id string, x1, y1, x2, y2 float64, from, to color.NRGBA, a, z int) {
	fmt.Fprintf(b, `<linearGradient id="%s" gradientUnits="userSpaceOnUse" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f">`+
		`<stop offset="0" stop-color="%s" stop-opacity="%.2f"/><stop offset="1" stop-color="%s" stop-opacity="%.2f"/></linearGradient>`,
		id, x1, y1, x2, y2, hex(from), float64(a)/255, hex(to), float64(z)/255)
}

func hex(c color.NRGBA) string { return fmt.Sprintf("#%02X%02X%02X", c.R, c.G, c.B) }
