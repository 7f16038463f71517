package screens

import (
	"context"
	"image"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/software"
	"fyne.io/fyne/v2/test"

	"foyer/internal/words"
	"foyer/kiosk/demo"
	"foyer/kiosk/demo/cart"
	"foyer/kiosk/demo/clip"
	"foyer/kiosk/look"
	"foyer/kiosk/scene"
)

// Easel paints a pack in memory, as the kiosk would show it. Clips and cartridges show what they show after a while.
type Easel struct {
	kiosk *Kiosk
	frame look.Frame
	lang  string
}

// NewEasel makes one for a small panel that stands or lies.
func NewEasel(tall bool, lang string) *Easel {
	frame := look.NewFrame(800, 450, 708)
	if tall {
		frame = look.NewFrame(450, 800, 398)
	}
	test.NewApp().Settings().SetTheme(look.Theme{Ground: look.Paper}) // an app without a window: painting wants one
	return &Easel{NewKiosk(Config{Frame: frame, Words: words.Load(), Languages: []string{"zh-CN", "en"}, Still: true}), frame, lang}
}

// Paint paints one state.
func (e *Easel) Paint(s demo.State) image.Image {
	e.kiosk.Show(scene.Kiosk{Scene: scene.Demo, Language: e.lang, Play: scene.Play{State: s}}, time.Now())
	e.kiosk.Roll(s.Pack)
	c := software.NewCanvas()
	c.SetPadded(false)
	c.SetContent(e.kiosk.Root())
	c.Resize(fyne.NewSize(e.frame.W, e.frame.H))
	return c.Capture()
}

// Roll puts on the stage what its clips and cartridges show after two and after six seconds, without running them further.
func (k *Kiosk) Roll(p *demo.Pack) {
	for _, item := range k.Live() {
		if img := still(item, p.File(item.File)); img != nil {
			k.Frame(item.File, img)
		}
	}
}

func still(item demo.Item, data []byte) *image.RGBA {
	if item.Shape == demo.Clip {
		c, err := clip.Open(data)
		if err != nil {
			return nil
		}
		img, _, _ := c.At(2 * time.Second)
		return img
	}
	m, err := cart.New(context.Background(), data)
	if err != nil {
		return nil
	}
	defer m.Close()
	img := image.NewRGBA(image.Rect(0, 0, cart.Side, cart.Side))
	for i := range 6 * cart.Rate {
		if m.Update(context.Background(), cart.Pad{Touch: i%60 == 30, At: image.Pt(80, 80)}) != nil {
			break
		}
	}
	m.Draw(img)
	return img
}
