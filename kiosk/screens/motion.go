package screens

import (
	"image/color"
	"time"

	"fyne.io/fyne/v2"
)

// veil is a breath of white over a tint.
var veil = color.NRGBA{R: 255, G: 255, B: 255, A: 0x73}

// dip moves a thing down and up again.
func dip(o fyne.CanvasObject, home fyne.Position, depth float32) *fyne.Animation {
	return &fyne.Animation{Duration: 900 * time.Millisecond, AutoReverse: true, Curve: fyne.AnimationEaseInOut,
		Tick: func(done float32) { o.Move(fyne.NewPos(home.X, home.Y+depth*done)) }}
}

// rise lets a thing come up to its place.
func rise(o fyne.CanvasObject, home fyne.Position, from float32, still bool) {
	if still {
		o.Move(home)
		return
	}
	(&fyne.Animation{Duration: 420 * time.Millisecond, Curve: fyne.AnimationEaseOut,
		Tick: func(done float32) { o.Move(fyne.NewPos(home.X, home.Y+from*(1-done))) }}).Start()
}
