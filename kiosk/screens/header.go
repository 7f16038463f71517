package screens

import (
	"image/color"
	"time"

	"fyne.io/fyne/v2"

	"foyer/api"
	"foyer/kiosk/look"
)

// header is the shop's name with the mark on the left, the time and the date on the right.
type header struct {
	cfg               Config
	name, clock, date *block
}

// newHeader puts a header in a layer. The name keeps to the left nameW pixels of the screen; the ground under each end
// is dark or light.
func newHeader(c Config, l layer, box look.Box, nameW float32, darkLeft, darkRight bool) *header {
	u := l.frame.G
	mark, name, clock, date := "mark", color.Color(look.Ink), color.Color(look.Ink), color.Color(look.Slate)
	if darkLeft {
		mark, name = "mark-night", look.Card
	}
	if darkRight {
		clock, date = look.Card, look.Fog
	}
	h := &header{cfg: c}
	right := look.Box{X: box.Right() - 34*u, Y: box.Y, W: 34 * u, H: 5.2 * u}
	h.name = newBlock(l.frame, look.Box{X: box.X + 9.6*u, Y: box.Y, W: min(nameW-15.6*u, box.W-46*u), H: 8 * u},
		style{sizes: []look.Size{look.Lead, look.Body, look.Small}, heavy: true, colour: name, lines: 2, rise: 0.5, pitch: 1.2})
	h.clock = newBlock(l.frame, right,
		style{sizes: []look.Size{look.Heading}, heavy: true, colour: clock, align: fyne.TextAlignTrailing})
	h.date = newBlock(l.frame, look.Box{X: right.X, Y: right.Bottom() + 0.5*u, W: right.W, H: 3.2 * u},
		style{sizes: []look.Size{look.Small}, colour: date, align: fyne.TextAlignTrailing})
	l.put(drawing(mark, look.Box{X: box.X, Y: box.Y, W: 8 * u, H: 8 * u}), h.name.at, h.clock.at, h.date.at)
	return h
}

func (h *header) show(lang string, shop api.Text, now time.Time) {
	name := shop.In(lang)
	if name == "" { // before the first word of foyerd
		name = h.cfg.Words.Text(lang, "common.product")
	}
	h.name.set(name)
	h.clock.set(now.Format("15:04"))
	h.date.set(h.cfg.date(lang, now))
}
