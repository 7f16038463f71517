// Package screens draws a scene: the touch kiosk and the welcome wall, standing and lying.
//
// In: a scene.Kiosk or scene.Wall, and the time for the clock. Out: Fyne objects, laid out in pixels for one look.Frame,
// and the touches that the kiosk's pads report. Every object is made once and reused for the life of the screen, because
// Fyne keeps each new one for a minute; motion moves things and never recolours or resizes them.
// It never opens a window, never starts a goroutine, never fetches, never decides what comes next.
// Called by kiosk/glass. Everything here must run on Fyne's goroutine.
package screens

import (
	"strconv"
	"time"

	"fyne.io/fyne/v2"

	"foyer/internal/words"
	"foyer/kiosk/demo"
	"foyer/kiosk/look"
	"foyer/kiosk/scene"
)

// Config is what a screen needs.
type Config struct {
	Frame     look.Frame
	Words     *words.Catalogue
	Languages []string          // on offer, in order; two of them
	Touch     func(scene.Touch) // the kiosk's touches; nil: none are reported
	Finger    func(demo.Finger) // those on the stage of a demo
	Stick     func(Stick)       // and those that its cartridge hears of
	Rules     scene.Rules       // for the countdown
	Still     bool              // no motion at all
}

func (c Config) touch(act scene.Act, arg string) func() {
	return func() {
		if c.Touch != nil {
			c.Touch(scene.Touch{Act: act, Arg: arg})
		}
	}
}

// say returns a text of the catalogue's kiosk section.
func (c Config) say(lang, key string, pairs ...string) string {
	return c.Words.Text(lang, "kiosk."+key, pairs...)
}

// other returns the language that stands beside lang, the smaller of the two.
func (c Config) other(lang string) string {
	for _, l := range c.Languages {
		if l != lang {
			return l
		}
	}
	return lang
}

// date says the day in words.
func (c Config) date(lang string, t time.Time) string {
	return c.say(lang, "date.form",
		"weekday", c.say(lang, "date.weekday"+strconv.Itoa(int(t.Weekday()))),
		"day", strconv.Itoa(t.Day()), "month", c.say(lang, "date.month"+strconv.Itoa(int(t.Month()))))
}

// layer is a group of objects that is shown or hidden as one.
type layer struct {
	*fyne.Container
	frame look.Frame
}

// newLayer makes one that covers the frame.
func newLayer(f look.Frame) layer {
	l := layer{&fyne.Container{}, f}
	l.Container.Resize(fyne.NewSize(f.W, f.H))
	return l
}

func (l layer) put(objects ...fyne.CanvasObject) {
	l.Container.Objects = append(l.Container.Objects, objects...)
}

// show switches the layer on or off, and says whether that was a change.
func (l layer) show(on bool) bool {
	if l.Visible() == on {
		return false
	}
	if on {
		l.Show()
	} else {
		l.Hide()
	}
	return true
}

// g turns a box in design units into pixels.
func (l layer) g(x, y, w, h float32) look.Box {
	u := l.frame.G
	return look.Box{X: x * u, Y: y * u, W: w * u, H: h * u}
}
