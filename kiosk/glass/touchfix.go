package glass

import (
	"time"

	"fyne.io/fyne/v2"
	"github.com/go-gl/glfw/v3.4/glfw"
)

// touchFix makes Fyne 2.8 take a press where the finger is.
//
// A touch panel sends motion and press together. Fyne notes a motion when GLFW reports it but applies it only later in
// the same turn of its loop, while it acts on a press at once: at the place where the finger was before. So presses are
// held back until the motion before them has been applied, and motions until the presses before them have been
// delivered. An animation's tick is the one hook that runs once in every turn, after the motion.
type touchFix struct {
	window  *glfw.Window
	button  glfw.MouseButtonCallback
	move    glfw.CursorPosCallback
	waiting []func() // motions and presses, in order
	moves   []bool   // which of them are motions
	pump    *fyne.Animation
}

// install wraps the window's callbacks. It must be called while Fyne paints the window: only then GLFW can say which
// window it is.
func (t *touchFix) install() {
	if t.window != nil {
		return
	}
	if t.window = glfw.GetCurrentContext(); t.window == nil {
		return
	}
	t.button = t.window.SetMouseButtonCallback(t.pressed)
	t.move = t.window.SetCursorPosCallback(t.moved)
}

func (t *touchFix) moved(w *glfw.Window, x, y float64) {
	if len(t.waiting) == 0 {
		t.move(w, x, y)
		return
	}
	t.hold(true, func() { t.move(w, x, y) })
}

func (t *touchFix) pressed(w *glfw.Window, b glfw.MouseButton, a glfw.Action, m glfw.ModifierKey) {
	t.hold(false, func() { t.button(w, b, a, m) })
}

func (t *touchFix) hold(motion bool, deliver func()) {
	t.waiting, t.moves = append(t.waiting, deliver), append(t.moves, motion)
	if t.pump == nil {
		t.pump = &fyne.Animation{Duration: time.Hour, RepeatCount: fyne.AnimationRepeatForever, Tick: t.turn}
		t.pump.Start()
	}
}

// turn delivers the presses that wait, up to and including the next motion; what follows that one waits another turn.
func (t *touchFix) turn(float32) {
	for len(t.waiting) > 0 {
		deliver, motion := t.waiting[0], t.moves[0]
		t.waiting, t.moves = t.waiting[1:], t.moves[1:]
		deliver()
		if motion {
			return
		}
	}
	t.pump.Stop()
	t.pump = nil
}
