package dots

import (
	"fmt"
	"image"
	"image/color"
)

// MaxPixels bounds a picture that is to be printed: what a whole strip could hold, and no more memory than that.
const MaxPixels = 16 << 20

// Picture makes a picture black and white at most wide dots wide, never larger than it is: averaged down to size, then dithered so that grey
// stays grey to the eye (Floyd and Steinberg, An adaptive algorithm for spatial grey scale, 1976). What is transparent is white.
func Picture(img image.Image, wide int) (*Bitmap, error) {
	size := img.Bounds()
	if size.Dx() < 1 || size.Dy() < 1 || size.Dx() > MaxPixels || size.Dy() > MaxPixels || size.Dx()*size.Dy() > MaxPixels {
		return nil, fmt.Errorf("a picture of %d by %d pixels: want at most %d pixels in all; make it smaller", size.Dx(), size.Dy(), MaxPixels)
	}
	w := min(wide, size.Dx(), MaxWidth)
	if w < 1 {
		return nil, fmt.Errorf("a picture %d dots wide: want one or more", wide)
	}
	h := max(1, size.Dy()*w/size.Dx())
	if h > MaxHeight {
		return nil, fmt.Errorf("a picture %d dots high: want at most %d", h, MaxHeight)
	}
	return dither(shrink(img, w, h), w, h), nil
}

// shrink averages each dot's pixels: 0 is black, 255 white.
func shrink(img image.Image, w, h int) []int {
	from := img.Bounds()
	grey := make([]int, w*h)
	for y := range h {
		y0, y1 := from.Min.Y+y*from.Dy()/h, from.Min.Y+(y+1)*from.Dy()/h
		for x := range w {
			x0, x1 := from.Min.X+x*from.Dx()/w, from.Min.X+(x+1)*from.Dx()/w
			grey[y*w+x] = mean(img, x0, y0, max(x1, x0+1), max(y1, y0+1))
		}
	}
	return grey
}

func mean(img image.Image, x0, y0, x1, y1 int) int {
	sum := 0
	for y := y0; y < y1; y++ {
		for x := x0; x < x1; x++ {
			sum += onWhite(img.At(x, y))
		}
	}
	return sum / ((x1 - x0) * (y1 - y0))
}

// onWhite is the brightness of a colour laid on white paper. The weights are those of ITU-R BT.601, section 2.5.1.
func onWhite(c color.Color) int {
	r, g, b, a := c.RGBA()
	return int((299*r+587*g+114*b)/1000+0xFFFF-a) >> 8
}

func dither(grey []int, w, h int) *Bitmap {
	out := New(w, h)
	for y := range h {
		for x := range w {
			was := grey[y*w+x]
			rest := was
			if was < 128 {
				out.Set(x, y)
			} else {
				rest = was - 255
			}
			spread(grey, w, h, x+1, y, rest*7/16)
			spread(grey, w, h, x-1, y+1, rest*3/16)
			spread(grey, w, h, x, y+1, rest*5/16)
			spread(grey, w, h, x+1, y+1, rest/16)
		}
	}
	return out
}

func spread(grey []int, w, h, x, y, part int) {
	if x >= 0 && x < w && y < h {
		grey[y*w+x] += part
	}
}
