package look

import (
	"image"
	"image/color"
	"math"

	"github.com/srwiley/rasterx"
	"golang.org/x/image/math/fixed"
	"golang.org/x/image/vector"
)

// scanner fills paths for rasterx. Its own scanner walks the whole picture for every path; this one keeps to the path's
// bounds, which makes a full-bleed picture of a hundred paths some twenty times quicker.
type scanner struct {
	target *image.RGBA
	raster vector.Rasterizer
	path   []fixed.Point26_6
	start  []bool // which points begin a new part
	extent fixed.Rectangle26_6
	source image.Image
}

// Start begins a part of the path.
func (s *scanner) Start(a fixed.Point26_6) { s.add(a, true) }

// Line goes on to b.
func (s *scanner) Line(b fixed.Point26_6) { s.add(b, false) }

func (s *scanner) add(p fixed.Point26_6, start bool) {
	if len(s.path) == 0 {
		s.extent = fixed.Rectangle26_6{Min: p, Max: p}
	}
	s.extent.Min.X, s.extent.Min.Y = min(s.extent.Min.X, p.X), min(s.extent.Min.Y, p.Y)
	s.extent.Max.X, s.extent.Max.Y = max(s.extent.Max.X, p.X), max(s.extent.Max.Y, p.Y)
	s.path, s.start = append(s.path, p), append(s.start, start)
}

// Draw fills the path.
func (s *scanner) Draw() {
	e := s.extent
	box := image.Rect(e.Min.X.Floor(), e.Min.Y.Floor(), e.Max.X.Ceil()+1, e.Max.Y.Ceil()+1).Intersect(s.target.Bounds())
	if len(s.path) == 0 || box.Empty() || s.source == nil {
		return
	}
	s.raster.Reset(box.Dx(), box.Dy())
	for i, p := range s.path {
		x, y := float32(p.X)/64-float32(box.Min.X), float32(p.Y)/64-float32(box.Min.Y)
		if s.start[i] {
			s.raster.MoveTo(x, y)
		} else {
			s.raster.LineTo(x, y)
		}
	}
	s.raster.Draw(s.target, box, s.source, box.Min)
}

// GetPathExtent is the path's bounds; a gradient may be laid out by them.
func (s *scanner) GetPathExtent() fixed.Rectangle26_6 { return s.extent }

// SetColor takes a color.Color or a rasterx.ColorFunc.
func (s *scanner) SetColor(c any) {
	switch c := c.(type) {
	case color.Color:
		s.source = image.NewUniform(c)
	case rasterx.ColorFunc:
		s.source = shade(c)
	}
}

// Clear forgets the path.
func (s *scanner) Clear() { s.path, s.start = s.path[:0], s.start[:0] }

// SetBounds, SetWinding and SetClip mean nothing to our drawings.
func (s *scanner) SetBounds(int, int) {}

// SetWinding is always non-zero.
func (s *scanner) SetWinding(bool) {}

// SetClip is never used.
func (s *scanner) SetClip(image.Rectangle) {}

// shade is a picture of a gradient.
type shade rasterx.ColorFunc

func (shade) ColorModel() color.Model { return color.RGBAModel }
func (shade) Bounds() image.Rectangle {
	return image.Rect(math.MinInt32, math.MinInt32, math.MaxInt32, math.MaxInt32)
}
func (s shade) At(x, y int) color.Color { return s(x, y) }
