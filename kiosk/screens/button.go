package screens

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"

	"foyer/kiosk/look"
)

// manner is a kind of button.
type manner struct {
	fill, text, stroke color.Color
	icon               string // the colour's name among the icons
}

// The manners: the one main thing to do, the other things, and both again on a dark ground.
var (
	mainly  = manner{look.Teal, look.Card, nil, "white"}
	also    = manner{look.Card, look.Ink, look.Sand, "teal"}
	warmly  = manner{look.Honey, look.Ink, nil, "ink"}
	quietly = manner{color.NRGBA{R: 255, G: 255, B: 255, A: 0x1C}, look.Card, color.NRGBA{R: 255, G: 255, B: 255, A: 0x66}, "white"}
)

// button is a pad with a label and perhaps an icon before or behind it.
type button struct {
	*pad
	label   *block
	icon    *canvas.Image
	behind  bool
	stacked bool // the icon stands above the label
	box     look.Box
	edge    float32
}

// newButton makes one; icon is the name of a drawing without its colour, and behind puts it after the label.
func newButton(f look.Frame, name string, box look.Box, m manner, icon string, behind bool, tap func()) *button {
	size := min(box.H*0.6, f.G*7.4)
	inner := look.Box{W: box.W, H: box.H}
	face := plate(inner, m.fill, box.H/2)
	if m.stroke != nil {
		face.StrokeColor, face.StrokeWidth = m.stroke, max(1, f.G*0.28)
	}
	b := &button{behind: behind, box: box, edge: box.H * 0.27}
	b.label = newBlock(f, inner, style{
		sizes: []look.Size{{G: max(look.Lead.G, min(6, box.H/f.G*0.26)), MM: look.Lead.MM}, look.Lead, look.Body, look.Small}, heavy: true, colour: m.text, align: fyne.TextAlignCenter, lines: 2, rise: 0.5, pitch: 1.22,
	})
	objects := []fyne.CanvasObject{face, b.label.at}
	if icon != "" {
		b.icon = drawing("icon-"+icon+"-"+m.icon, look.Box{W: size, H: size})
		objects = append(objects, b.icon)
	}
	b.pad = newPad(name, box, box.H/2, tap, objects...)
	return b
}

// set labels the button and centres label and icon together.
func (b *button) set(s string) {
	if b.icon == nil {
		b.label.place(look.Box{X: b.edge, W: b.box.W - 2*b.edge, H: b.box.H})
		b.label.set(s)
		return
	}
	icon := b.icon.Size().Width
	if b.stacked {
		icon = min(icon, b.box.H*0.4)
		b.icon.Resize(fyne.NewSquareSize(icon))
		b.icon.Move(fyne.NewPos(float32(int((b.box.W-icon)/2)), float32(int(b.box.H*0.5-icon))))
		b.label.place(look.Box{X: b.edge * 0.6, Y: b.box.H * 0.46, W: b.box.W - 1.2*b.edge, H: b.box.H * 0.42})
		b.label.set(s)
		return
	}
	gap := icon * 0.16
	room := b.box.W - 2*b.edge - icon - gap
	b.label.place(look.Box{X: b.edge, W: room, H: b.box.H})
	b.label.set(s)
	text := min(b.label.width(), room)
	left := (b.box.W - text - icon - gap) / 2
	labelX, iconX := left+icon+gap, left
	if b.behind {
		labelX, iconX = left, left+text+gap
	}
	b.label.place(look.Box{X: labelX - (room-text)/2, W: room, H: b.box.H})
	b.icon.Move(fyne.NewPos(float32(int(iconX)), float32(int((b.box.H-icon)/2))))
}
