package look

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"image"
	"io/fs"
	"path"
	"strings"
	"sync"

	"github.com/fyne-io/oksvg"
	"github.com/srwiley/rasterx"
)

//go:embed art/*.svg
var drawings embed.FS

// Raster draws a picture of art/ to fit w x h pixels. A picture is drawn once a size and kept: the same image comes
// back for the same question. It may be called from any goroutine.
func Raster(name string, w, h int) *image.RGBA {
	return kept(fmt.Sprintf("%s %dx%d", name, w, h), w, h, nil, func() []byte {
		data, err := drawings.ReadFile(path.Join("art", name+".svg"))
		if err != nil {
			panic("look: no drawing " + name) // the names are constants of ours, a test draws them all
		}
		return data
	})
}

// Drawings lists the pictures.
func Drawings() []string {
	files, _ := fs.Glob(drawings, "art/*.svg")
	for i, f := range files {
		files[i] = strings.TrimSuffix(path.Base(f), ".svg")
	}
	return files
}

// HasMotif reports whether an offer's art is one that we can draw.
func HasMotif(art string) bool {
	_, err := fs.Stat(drawings, "art/motif-"+art+".svg")
	return err == nil
}

// Motif names the drawing of an offer's art; an unknown one is a star.
func Motif(art string) string {
	if !HasMotif(art) {
		return "motif-star"
	}
	return "motif-" + art
}

type shelf struct {
	mu     sync.Mutex
	images map[string]*image.RGBA
}

var pictures = shelf{images: map[string]*image.RGBA{}}

// kept draws a picture once; under, if there is one, paints the ground below it.
func kept(key string, w, h int, under func(*image.RGBA), svg func() []byte) *image.RGBA {
	pictures.mu.Lock()
	defer pictures.mu.Unlock()
	if img, ok := pictures.images[key]; ok {
		return img
	}
	img := image.NewRGBA(image.Rect(0, 0, max(1, w), max(1, h)))
	if under != nil {
		under(img)
	}
	paint(img, svg())
	pictures.images[key] = img
	return img
}

// paint rasterises an SVG of our own into the middle of img.
func paint(img *image.RGBA, svg []byte) {
	if err := Paint(img, svg); err != nil {
		panic(fmt.Sprintf("look: %v", err)) // our own drawing, a test draws them all
	}
}

// Paint rasterises anybody's SVG into the middle of img, with its own proportions. What the library does not know, and
// what it stumbles over, is an error.
func Paint(img *image.RGBA, svg []byte) (err error) {
	defer func() {
		if broken := recover(); broken != nil {
			err = fmt.Errorf("read drawing: %v", broken)
		}
	}()
	w, h := img.Rect.Dx(), img.Rect.Dy()
	icon, err := oksvg.ReadIconStream(bytes.NewReader(svg), oksvg.StrictErrorMode)
	if err != nil {
		return fmt.Errorf("read drawing: %w", err)
	}
	if !(icon.ViewBox.W > 0 && icon.ViewBox.H > 0) {
		return errors.New("read drawing: it has no viewBox")
	}
	scale := min(float64(w)/icon.ViewBox.W, float64(h)/icon.ViewBox.H)
	aw, ah := icon.ViewBox.W*scale, icon.ViewBox.H*scale
	icon.SetTarget((float64(w)-aw)/2, (float64(h)-ah)/2, aw, ah)
	for i := range icon.SVGPaths {
		icon.SVGPaths[i].LineWidth *= scale // the target scales shapes but not their strokes
	}
	icon.Draw(rasterx.NewDasher(w, h, &scanner{target: img}), 1)
	return nil
}
