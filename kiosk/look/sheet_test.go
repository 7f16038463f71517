package look

import (
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"os"
	"testing"
)

func TestSheet(t *testing.T) {
	names := Drawings()
	cols := 7
	rows := (len(names) + cols - 1) / cols
	out := image.NewRGBA(image.Rect(0, 0, cols*220, rows*220))
	for i, n := range names {
		x, y := i%cols*220, i/cols*220
		bg := color.Color(Mist)
		if len(n) > 5 && n[:5] == "motif" {
			bg = TintOf(n[6:]).Ground
		}
		draw.Draw(out, image.Rect(x, y, x+218, y+218), image.NewUniform(bg), image.Point{}, draw.Src)
		img := Raster(n, 200, 200)
		draw.Draw(out, image.Rect(x+9, y+9, x+209, y+209), img, image.Point{}, draw.Over)
	}
	f, _ := os.Create("/tmp/w/sheet.png")
	png.Encode(f, out)
	f.Close()
}

func TestHallSheet(t *testing.T) {
	out := image.NewRGBA(image.Rect(0, 0, 1700, 620))
	draw.Draw(out, out.Rect, image.NewUniform(Night), image.Point{}, draw.Src)
	for i, h := range []Hall{
		{Mood: Evening, Centre: 0.5, Base: 0.88, Span: 0.78, Plants: true, Stars: true},
		{Mood: Feast, Centre: 0.5, Base: 0.88, Span: 0.78, Plants: true},
		{Mood: Wide, Centre: 0.5, Base: 0.9, Span: 0.8, Plants: true},
	} {
		img := h.Raster(540, 580)
		draw.Draw(out, image.Rect(10+i*560, 10, 10+i*560+540, 590), img, image.Point{}, draw.Over)
	}
	f, _ := os.Create("/tmp/w/hall.png")
	png.Encode(f, out)
	f.Close()
}
