package screens

import (
	"bytes"
	"flag"
	"image"
	"image/draw"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/software"
	"fyne.io/fyne/v2/test"

	"foyer/internal/words"
	"foyer/kiosk/look"
	"foyer/kiosk/scene"
)

var update = flag.Bool("update", false, "write the pictures anew instead of comparing")

// forms are the two ways a panel hangs, small enough to keep in the repository, with the true width of a 32 inch panel.
var forms = []struct {
	name  string
	frame look.Frame
}{
	{"tall", look.NewFrame(450, 800, 398)},
	{"wide", look.NewFrame(800, 450, 708)},
}

func config(f look.Frame, touch func(scene.Touch)) Config {
	return Config{Frame: f, Words: words.Load(), Languages: []string{"zh-CN", "en"}, Touch: touch, Still: true}
}

// photograph paints an object without a window.
func photograph(o fyne.CanvasObject, f look.Frame) image.Image {
	c := software.NewCanvas()
	c.SetPadded(false)
	c.SetContent(o)
	c.Resize(fyne.NewSize(f.W, f.H))
	return c.Capture()
}

func TestKioskPictures(t *testing.T) {
	a := test.NewTempApp(t)
	a.Settings().SetTheme(look.Theme{Ground: look.Paper})
	for _, form := range forms {
		k := NewKiosk(config(form.frame, nil))
		for _, lang := range []string{"zh-CN", "en"} {
			for _, s := range kioskStories(lang) {
				state, now := s.kiosk()
				k.Show(state, now)
				compare(t, "kiosk-"+s.name+"-"+form.name+"-"+lang, photograph(k.Root(), form.frame))
			}
		}
	}
}

func TestWallPictures(t *testing.T) {
	a := test.NewTempApp(t)
	a.Settings().SetTheme(look.Theme{Ground: look.Night})
	for _, form := range forms {
		w := NewWall(config(form.frame, nil))
		for _, lang := range []string{"zh-CN", "en"} {
			for _, s := range wallStories(lang) {
				state, now := s.wall()
				w.Show(state, now)
				compare(t, "wall-"+s.name+"-"+form.name+"-"+lang, photograph(w.Root(), form.frame))
			}
		}
	}
}

// compare holds a picture against its golden one. A pixel may be off by rounding: processors multiply and add in their
// own ways.
func compare(t *testing.T, name string, got image.Image) {
	t.Helper()
	path := filepath.Join("testdata", name+".png")
	if *update {
		write(t, path, got)
		return
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (run with -update to make it)", err)
	}
	want, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatalf("read %s: %v", path, err)
	}
	if off := difference(got, want); off > 0 {
		failed := filepath.Join(t.ArtifactDir(), name+".png")
		write(t, failed, got)
		t.Errorf("%s: %d pixels differ; what was drawn is in %s", name, off, failed)
	}
}

func write(t *testing.T, path string, img image.Image) {
	t.Helper()
	var b bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&b, coarse(img)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// coarse rounds every channel to 32 steps, which no eye sees here, so that the pictures take half the room.
func coarse(img image.Image) *image.RGBA {
	out := image.NewRGBA(img.Bounds())
	draw.Draw(out, out.Rect, img, img.Bounds().Min, draw.Src)
	for i, v := range out.Pix {
		if i%4 != 3 {
			out.Pix[i] = uint8(min(255, (int(v)+4)/8*8))
		}
	}
	return out
}

// difference counts the pixels that are visibly not the same.
func difference(a, b image.Image) int {
	if a.Bounds() != b.Bounds() {
		return a.Bounds().Dx() * a.Bounds().Dy()
	}
	const visible = 0x1200 // of 0xFFFF a channel
	n := 0
	for y := a.Bounds().Min.Y; y < a.Bounds().Max.Y; y++ {
		for x := a.Bounds().Min.X; x < a.Bounds().Max.X; x++ {
			r1, g1, b1, _ := a.At(x, y).RGBA()
			r2, g2, b2, _ := b.At(x, y).RGBA()
			if apart(r1, r2) > visible || apart(g1, g2) > visible || apart(b1, b2) > visible {
				n++
			}
		}
	}
	return n
}

func apart(a, b uint32) uint32 { return max(a, b) - min(a, b) }
