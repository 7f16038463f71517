package screens

import (
	"image/color"
	"time"

	"fyne.io/fyne/v2"
)

// veil is a breath of white over a tint.
var veil = color.NRGBA{R: 255, G: 255, B: 255, A: 0x73}

// dip moves a thing down and up again, by whole pixels: a frame that would look the same is not painted.
func dip(o fyne.CanvasObject, home fyne.Position, depth float32) *fyne.Animation {
	return &fyne.Animation{Duration: 700 * time.Millisecond, AutoReverse: true, Curve: fyne.AnimationEaseInOut,
		Tick: func(done float32) { o.Move(fyne.NewPos(home.X, home.Y+float32(int(depth*done)))) }}
}

// riser lets things come up to their place, one after the other.
type riser struct{ running *fyne.Animation }

// start moves a thing that lies at its parent's origin up from below; what moved before stands still at its place.
func (r *riser) start(o fyne.CanvasObject, from float32, still bool) {
	r.stop()
	if still {
		return
	}
	o.Move(fyne.NewPos(0, from))
	r.running = &fyne.Animation{Duration: 420 * time.Millisecond, Curve: fyne.AnimationEaseOut,
		Tick: func(done float32) { o.Move(fyne.NewPos(0, from*(1-done))) }}
	r.running.Start()
}

// stop ends the motion: a thing that nobody sees must not cost frames. The last tick puts it in its place.
func (r *riser) stop() {
	if r.running != nil {
		r.running.Stop()
		r.running.Tick(1)
		r.running = nil
	}
}
