package look

import "fyne.io/fyne/v2"

// Frame is the screen that a design is laid out on. Sizes are in pixels.
type Frame struct {
	W, H float32
	G    float32 // one design unit: a hundredth of the short side
	MM   float32 // pixels in a millimetre
}

// DefaultWidthMM is the width of a 32 inch panel hung in portrait.
const DefaultWidthMM = 398

// NewFrame measures a screen. A width of zero millimetres takes a 32 inch panel.
func NewFrame(w, h, widthMM float32) Frame {
	if widthMM <= 0 {
		widthMM = DefaultWidthMM
		if w > h {
			widthMM = DefaultWidthMM * 16 / 9
		}
	}
	return Frame{W: w, H: h, G: min(w, h) / 100, MM: w / widthMM}
}

// Portrait reports whether the screen stands.
func (f Frame) Portrait() bool { return f.H >= f.W }

// Size is a step of the type scale.
type Size struct {
	G  float32 // in design units
	MM float32 // and never below this
}

// The type scale.
var (
	Giant   = Size{15, 20}
	Hero    = Size{11, 16}
	Title   = Size{7.4, 13}
	Heading = Size{5, 10}
	Lead    = Size{4, 9}
	Body    = Size{3.3, 7.5}
	Small   = Size{2.7, 6.5}
)

// Px is the size in pixels on this screen.
func (f Frame) Px(s Size) float32 { return max(s.G*f.G, s.MM*f.MM) }

// The rule for touch: a target is at least so large, and so far from the next one. Keys of a keyboard may be smaller: ten
// stand side by side, and a wrong one costs one more touch.
const (
	TargetMM = 20
	GapMM    = 6
	KeyMM    = 12
	KeyGapMM = 2
)

// Target is a length of g units, but never below a finger's.
func (f Frame) Target(g float32) float32 { return max(g*f.G, TargetMM*f.MM) }

// Gap is a distance of g units, but never below the one between two fingers.
func (f Frame) Gap(g float32) float32 { return max(g*f.G, GapMM*f.MM) }

// Box is a place on the screen.
type Box struct{ X, Y, W, H float32 }

// Pos and Size are the box in Fyne's words.
func (b Box) Pos() fyne.Position { return fyne.NewPos(b.X, b.Y) }

// Size is the box's extent.
func (b Box) Size() fyne.Size { return fyne.NewSize(b.W, b.H) }

// Right and Bottom are the far edges.
func (b Box) Right() float32 { return b.X + b.W }

// Bottom is the lower edge.
func (b Box) Bottom() float32 { return b.Y + b.H }

// holds reports whether a point is in the box.
func (b Box) holds(x, y float32) bool { return x >= b.X && x < b.Right() && y >= b.Y && y < b.Bottom() }

// Inset shrinks the box on both axes.
func (b Box) Inset(dx, dy float32) Box {
	return Box{b.X + dx, b.Y + dy, max(0, b.W-2*dx), max(0, b.H-2*dy)}
}

// Rows cuts the box into n rows with gaps between.
func (b Box) Rows(n int, gap float32) []Box {
	rows := make([]Box, n)
	h := (b.H - gap*float32(n-1)) / float32(n)
	for i := range rows {
		rows[i] = Box{b.X, b.Y + float32(i)*(h+gap), b.W, h}
	}
	return rows
}

// Columns cuts the box into n columns with gaps between.
func (b Box) Columns(n int, gap float32) []Box {
	columns := make([]Box, n)
	w := (b.W - gap*float32(n-1)) / float32(n)
	for i := range columns {
		columns[i] = Box{b.X + float32(i)*(w+gap), b.Y, w, b.H}
	}
	return columns
}
