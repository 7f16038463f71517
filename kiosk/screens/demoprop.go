package screens

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"math"
	"path"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"

	"foyer/kiosk/demo"
	"foyer/kiosk/look"
)

// prop is one thing on the stage. It holds an object of each kind that it ever was.
type prop struct {
	group   *fyne.Container
	item    demo.Item
	plate   *canvas.Rectangle
	line    *canvas.Line
	arc     *canvas.Arc
	picture *canvas.Image
	text    []*canvas.Text
}

// clear empties the prop: what was on the stage must not outlive the session.
func (p *prop) clear() {
	p.hide()
	p.item = demo.Item{}
	for _, t := range p.text {
		t.Text = ""
	}
	if p.picture != nil {
		p.picture.Image = nothing
	}
}

var nothing = image.NewUniform(color.Transparent)

func (p *prop) hide() {
	for _, o := range p.group.Objects {
		if o.Visible() {
			o.Hide()
		}
	}
}

func (p *prop) draw(v *player, item demo.Item) {
	if p.item == item {
		return
	}
	if p.item.Shape != item.Shape {
		p.hide()
	}
	was := p.item
	p.item = item
	box := v.box(item.X, item.Y, item.W, item.H)
	switch item.Shape {
	case demo.Plate:
		p.drawPlate(box, item, v.unit)
	case demo.Stroke:
		p.drawLine(box, item, v.unit)
	case demo.Ring:
		p.drawArc(box, item, v.unit)
	case demo.Picture:
		p.need(box, item, v.unit)
		p.show(v.pictures.get(v.state.Pack, item.File, box))
	case demo.Clip, demo.Cart:
		p.need(box, item, v.unit)
		if img := v.frames[item.File]; img != nil {
			p.show(img)
		} else if was.File != item.File {
			p.show(nothing)
		}
	case demo.Words:
		p.drawText(box, item, v.unit)
	}
}

func faint(c color.NRGBA, opacity float32) color.NRGBA {
	c.A = uint8(float32(c.A)*opacity + 0.5)
	return c
}

// place moves and sizes an object where that changes anything, and shows it.
func (p *prop) place(o fyne.CanvasObject, box look.Box) {
	if o.Position() != box.Pos() {
		o.Move(box.Pos())
	}
	if o.Size() != box.Size() {
		o.Resize(box.Size())
	}
	if !o.Visible() {
		o.Show()
	}
}

func (p *prop) drawPlate(box look.Box, item demo.Item, unit float32) {
	if p.plate == nil {
		p.plate = canvas.NewRectangle(color.Transparent)
		p.group.Objects = append(p.group.Objects, p.plate)
	}
	r := p.plate
	radius := min(item.Radius*unit, box.W/2, box.H/2)
	fill, edge := faint(item.Fill, item.Opacity), faint(item.Edge, item.Opacity)
	weight := float32(0)
	if edge.A > 0 {
		weight = item.Weight * unit
	}
	shadow := canvas.Shadow{}
	if item.Shadow {
		shadow = canvas.Shadow{Color: faint(look.Shade, item.Opacity), BlurRadius: 26 * unit, Offset: fyne.NewPos(0, 7*unit)}
	}
	if r.FillColor != color.Color(fill) || r.StrokeColor != color.Color(edge) || r.StrokeWidth != weight || r.CornerRadius != radius || r.Shadow != shadow {
		r.FillColor, r.StrokeColor, r.StrokeWidth, r.CornerRadius, r.Shadow = fill, edge, weight, radius, shadow
		r.Refresh()
	}
	p.place(r, box)
}

func (p *prop) drawLine(box look.Box, item demo.Item, unit float32) {
	if p.line == nil {
		p.line = canvas.NewLine(color.Transparent)
		p.group.Objects = append(p.group.Objects, p.line)
	}
	l := p.line
	l.StrokeColor, l.StrokeWidth = faint(item.Edge, item.Opacity), max(1, item.Weight*unit)
	l.Position1, l.Position2 = box.Pos(), fyne.NewPos(box.Right(), box.Bottom())
	l.Show()
	l.Refresh()
}

func (p *prop) drawArc(box look.Box, item demo.Item, unit float32) {
	if p.arc == nil {
		p.arc = canvas.NewArc(0, 360, 0, color.Transparent)
		p.group.Objects = append(p.group.Objects, p.arc)
	}
	a := p.arc
	fill := faint(item.Fill, item.Opacity)
	cut := max(0, 1-2*item.Weight*unit/max(1, min(box.W, box.H)))
	if a.StartAngle != item.From || a.EndAngle != item.To || a.CutoutRatio != cut || a.FillColor != color.Color(fill) {
		a.StartAngle, a.EndAngle, a.CutoutRatio, a.FillColor = item.From, item.To, cut, fill
		a.Refresh()
	}
	p.place(a, box)
	if item.To <= item.From {
		a.Hide()
	}
}

// need makes the prop's picture and puts it in its place.
func (p *prop) need(box look.Box, item demo.Item, unit float32) {
	if p.picture == nil {
		p.picture = picture(nothing, box)
		p.picture.ScaleMode = canvas.ImageScaleSmooth
		p.group.Objects = append(p.group.Objects, p.picture)
	}
	radius, thin := item.Radius*unit, math.Round(float64(1-item.Opacity)*16)/16
	mode := canvas.ImageScaleSmooth
	switch item.Shape {
	case demo.Clip:
		mode = canvas.ImageScaleFastest
	case demo.Cart:
		mode = canvas.ImageScalePixels
	}
	if p.picture.CornerRadius != radius || p.picture.Translucency != thin || p.picture.ScaleMode != mode {
		p.picture.CornerRadius, p.picture.Translucency, p.picture.ScaleMode = radius, thin, mode
		canvas.Refresh(p.picture)
	}
	p.place(p.picture, whole(box))
}

func (p *prop) show(img image.Image) {
	if p.picture != nil && p.picture.Image != img {
		p.picture.Image = img
		canvas.Refresh(p.picture) // its own Refresh would look for a file
	}
}

// shrink are the sizes that a text of the stage may take, of the one it asks for.
var shrink = []float32{1, 0.92, 0.84, 0.76, 0.68, 0.6}

func (p *prop) drawText(box look.Box, item demo.Item, unit float32) {
	const pitch = 1.34
	var sizes [6]float32
	for i, s := range shrink {
		sizes[i] = item.Size * unit * s
	}
	size, set := look.Set(item.Text, item.Heavy, box.W*0.995, box.H+sizes[0]*0.3, item.Lines, pitch, sizes[:])
	height := size * (1 + float32(len(set)-1)*pitch)
	top := (box.H - height) / 2
	if item.Top {
		top = 0
	}
	for len(p.text) < len(set) {
		t := canvas.NewText("", color.Transparent)
		t.Hide()
		p.text = append(p.text, t)
		p.group.Objects = append(p.group.Objects, t)
	}
	for i, t := range p.text {
		if i >= len(set) || set[i] == "" {
			if t.Visible() {
				t.Hide()
			}
			continue
		}
		p.line1(t, set[i], size, item)
		x := float32(0)
		if t.Alignment == fyne.TextAlignCenter {
			x = look.Hang(set[i]) * size
		}
		baseline := top + size*(0.5+look.Middle+float32(i)*pitch)
		p.place(t, look.Box{X: box.X + x, Y: box.Y + baseline - size*look.Ascent, W: box.W, H: size * look.LineFull})
	}
}

// line1 sets one line of a text.
func (p *prop) line1(t *canvas.Text, s string, size float32, item demo.Item) {
	align := fyne.TextAlignCenter
	switch item.Align {
	case "left":
		align = fyne.TextAlignLeading
	case "right":
		align = fyne.TextAlignTrailing
	}
	fill := faint(item.Fill, item.Opacity)
	source := look.Source(s, item.Heavy)
	if t.Text == s && t.TextSize == size && t.Color == color.Color(fill) && t.FontSource == source && t.Alignment == align {
		return
	}
	t.Text, t.TextSize, t.Color, t.FontSource, t.Alignment = s, size, fill, source, align
	t.TextStyle.Bold = item.Heavy
	t.Refresh()
}

// gallery keeps the pictures of the pack that is being played, each drawn about as large as it is shown.
type gallery struct{ drawn map[string]*image.RGBA }

func (g *gallery) get(p *demo.Pack, file string, box look.Box) image.Image {
	w, h := max(1, int(math.Round(float64(box.W)))), max(1, int(math.Round(float64(box.H))))
	have := g.drawn[file]
	if have != nil && have.Rect.Dx() == w && have.Rect.Dy() == h {
		return have
	}
	if have != nil && float64(have.Rect.Dx()) >= 0.8*float64(w) && have.Rect.Dx() <= 3*w && sameForm(have.Rect, w, h) {
		return have // it is on the move: the graphics scale it
	}
	if g.drawn == nil {
		g.drawn = map[string]*image.RGBA{}
	}
	img, err := Draw(file, p.File(file), w, h)
	if err != nil {
		img = image.NewRGBA(image.Rect(0, 0, 1, 1)) // the pack was checked: it cannot come to this
	}
	g.drawn[file] = img
	return img
}

func sameForm(r image.Rectangle, w, h int) bool {
	d := float64(r.Dx())/float64(r.Dy()) - float64(w)/float64(h)
	return math.Abs(d) < 0.08
}

// maxPixels bounds a picture of a pack.
const maxPixels = 4096 * 4096

// Draw draws a pack's picture to fit w x h pixels.
func Draw(file string, data []byte, w, h int) (*image.RGBA, error) {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	if path.Ext(file) == ".svg" {
		return img, look.Paint(img, data)
	}
	c, err := png.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("read picture: %w", err)
	}
	if c.Width*c.Height > maxPixels || c.Width > 8192 || c.Height > 8192 {
		return nil, fmt.Errorf("a picture of %d x %d, want at most 4096 x 4096", c.Width, c.Height)
	}
	from, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("read picture: %w", err)
	}
	shrunk(img, from)
	return img, nil
}

// shrunk fits a picture into img with its own proportions; each pixel is the mean of those that it covers.
func shrunk(img *image.RGBA, from image.Image) {
	b := from.Bounds()
	src := image.NewRGBA(image.Rect(0, 0, b.Dx(), b.Dy()))
	draw.Draw(src, src.Rect, from, b.Min, draw.Src)
	k := min(float64(img.Rect.Dx())/float64(b.Dx()), float64(img.Rect.Dy())/float64(b.Dy()))
	w, h := int(float64(b.Dx())*k), int(float64(b.Dy())*k)
	ox, oy := (img.Rect.Dx()-w)/2, (img.Rect.Dy()-h)/2
	for y := range h {
		y0, y1 := int(float64(y)/k), max(int(float64(y)/k)+1, int(float64(y+1)/k))
		for x := range w {
			x0, x1 := int(float64(x)/k), max(int(float64(x)/k)+1, int(float64(x+1)/k))
			img.SetRGBA(ox+x, oy+y, mean(src, x0, y0, min(x1, b.Dx()), min(y1, b.Dy())))
		}
	}
}

func mean(src *image.RGBA, x0, y0, x1, y1 int) color.RGBA {
	var r, g, b, a, n int
	for y := y0; y < y1; y++ {
		for x := x0; x < x1; x++ {
			c := src.RGBAAt(x, y)
			r, g, b, a, n = r+int(c.R), g+int(c.G), b+int(c.B), a+int(c.A), n+1
		}
	}
	n = max(1, n)
	return color.RGBA{R: uint8(r / n), G: uint8(g / n), B: uint8(b / n), A: uint8(a / n)}
}
