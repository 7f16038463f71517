package look

import (
	"fmt"
	"image"
	"image/color"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
)

// Confetti draws paper snippets and streamers over w x h pixels, thinning out downwards. The same
// size always gives the same picture. Nothing falls on the clear places: they are for words.
func Confetti(w, h int, clear ...Box) *image.RGBA {
	return kept(fmt.Sprintf("confetti %dx%d %v", w, h, clear), w, h, nil, func() []byte {
		return []byte(confetti(float64(w), float64(h), clear))
	})
}

func confetti(w, h float64, clear []Box) string {
	dice := rand.New(rand.NewPCG(6, 14))
	colours := []color.NRGBA{Coral, Honey, Cream, rgb(0x46BFA6), rgb(0xFB8B76), Lilac}
	unit := min(w, h) / 100
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f">`, w, h)
	for range 340 {
		x, y := dice.Float64()*w, math.Pow(dice.Float64(), 1.4)*h*0.86
		if slices.ContainsFunc(clear, func(c Box) bool { return c.Inset(-5*float32(unit), -4*float32(unit)).holds(float32(x), float32(y)) }) {
			continue
		}
		c := hex(colours[dice.IntN(len(colours))])
		s := unit * (0.7 + dice.Float64()*1.1)
		switch dice.IntN(4) {
		case 0:
			fmt.Fprintf(&b, `<circle cx="%.1f" cy="%.1f" r="%.1f" fill="%s"/>`, x, y, s*0.62, c)
		case 1:
			fmt.Fprintf(&b, `<path d="M%.1f %.1f q%.1f %.1f %.1f 0 t%.1f 0 t%.1f 0" fill="none" stroke="%s" stroke-width="%.1f" stroke-linecap="round"/>`,
				x-s*2.1, y, s*0.7, -s*1.5, s*1.4, s*1.4, s*1.4, c, s*0.5)
		default:
			fmt.Fprintf(&b, `<g transform="rotate(%d %.1f %.1f)"><rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" rx="%.1f" ry="%.1f" fill="%s"/></g>`,
				dice.IntN(180), x, y, x-s, y-s*0.45, s*2, s*0.9, s*0.2, s*0.2, c)
		}
	}
	b.WriteString(`</svg>`)
	return b.String()
}
