package screens

import (
	"image"
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/widget"

	"foyer/kiosk/look"
)

// pad is a place to touch. It answers the finger at once, and acts when the finger lifts on it.
type pad struct {
	widget.BaseWidget
	label   string // says what it is, for tests
	content *fyne.Container
	press   *canvas.Rectangle // nil: it does not show the finger
	tap     func()
	dense   bool // one of many side by side: see board
}

// newPad makes one over the box; what is put in it is placed from its top left corner.
func newPad(label string, box look.Box, radius float32, tap func(), objects ...fyne.CanvasObject) *pad {
	p := &pad{label: label, content: &fyne.Container{Objects: objects}, tap: tap}
	if radius > 0 {
		p.press = plate(look.Box{W: box.W, H: box.H}, look.Press, radius)
		p.press.Hide()
		p.content.Objects = append(p.content.Objects, p.press)
	}
	p.ExtendBaseWidget(p)
	p.Move(box.Pos())
	p.Resize(box.Size())
	return p
}

// CreateRenderer gives Fyne the content as it lies.
func (p *pad) CreateRenderer() fyne.WidgetRenderer { return flat{p.content} }

// Tapped acts.
func (p *pad) Tapped(*fyne.PointEvent) { p.tap() }

// MouseDown shows the finger.
func (p *pad) MouseDown(*desktop.MouseEvent) {
	if p.press != nil {
		p.press.Show()
	}
}

// MouseUp and MouseOut show that it went: a finger may also slide off.
func (p *pad) MouseUp(*desktop.MouseEvent) { p.lift() }

// MouseOut is MouseUp elsewhere.
func (p *pad) MouseOut() { p.lift() }

// MouseIn does nothing: glass has no hovering.
func (p *pad) MouseIn(*desktop.MouseEvent) {}

// MouseMoved does nothing.
func (p *pad) MouseMoved(*desktop.MouseEvent) {}

func (p *pad) lift() {
	if p.press != nil {
		p.press.Hide()
	}
}

// flat renders a container that lays itself out.
type flat struct{ content *fyne.Container }

func (f flat) Layout(fyne.Size)             {}
func (f flat) MinSize() fyne.Size           { return fyne.Size{} }
func (f flat) Refresh()                     { canvas.Refresh(f.content) }
func (f flat) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{f.content} }
func (f flat) Destroy()                     {}

// plate is a coloured shape with round corners. It never covers the screen.
func plate(box look.Box, fill color.Color, radius float32) *canvas.Rectangle {
	r := canvas.NewRectangle(fill)
	r.CornerRadius = min(radius, box.W/2, box.H/2)
	r.Move(box.Pos())
	r.Resize(box.Size())
	return r
}

// raised is a plate with a soft shadow.
func raised(f look.Frame, box look.Box, fill color.Color, radius float32) *canvas.Rectangle {
	r := plate(box, fill, radius)
	r.Shadow = canvas.Shadow{Color: look.Shade, BlurRadius: f.G * 2.6, Offset: fyne.NewPos(0, f.G*0.7)}
	return r
}

// door is a plate with the round top of an arch.
func door(box look.Box, fill color.Color, radius float32) *canvas.Rectangle {
	r := plate(box, fill, 0)
	r.TopLeftCornerRadius, r.TopRightCornerRadius = radius, radius
	return r
}

// picture holds an image in a box.
func picture(img image.Image, box look.Box) *canvas.Image {
	c := canvas.NewImageFromImage(img)
	c.FillMode = canvas.ImageFillStretch
	c.ScaleMode = canvas.ImageScaleFastest
	c.Move(box.Pos())
	c.Resize(box.Size())
	return c
}

// drawing is one of look's pictures, drawn for its box.
func drawing(name string, box look.Box) *canvas.Image {
	return picture(look.Raster(name, int(box.W+0.5), int(box.H+0.5)), whole(box))
}

// hall is the house's own picture, drawn for its box.
func hall(h look.Hall, box look.Box) *canvas.Image {
	box = whole(box)
	return picture(h.Raster(int(box.W), int(box.H)), box)
}

// whole puts a box on whole pixels, so that a picture is not blurred by half of one.
func whole(b look.Box) look.Box {
	r := func(v float32) float32 { return float32(int(v + 0.5)) }
	return look.Box{X: r(b.X), Y: r(b.Y), W: r(b.W), H: r(b.H)}
}
