package screens

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/widget"

	"foyer/kiosk/demo"
	"foyer/kiosk/look"
)

// surface is the stage under a finger. What the finger means is asked of the view.
type surface struct {
	widget.BaseWidget
	v       *player
	content *fyne.Container
	press   *canvas.Rectangle
	down    fyne.Position // where the finger came down
	last    fyne.Position
	held    demo.Target
	moved   bool
	pressed bool
}

func newSurface(v *player, box look.Box) *surface {
	s := &surface{v: v, press: plate(look.Box{W: 1, H: 1}, look.Press, 0)}
	s.press.Hide()
	s.content = &fyne.Container{Objects: []fyne.CanvasObject{s.press}}
	s.content.Resize(box.Size())
	s.ExtendBaseWidget(s)
	s.Move(box.Pos())
	s.Resize(box.Size())
	return s
}

// CreateRenderer gives Fyne the stage as it lies.
func (s *surface) CreateRenderer() fyne.WidgetRenderer { return flat{s.content} }

// MouseDown shows the finger at once.
func (s *surface) MouseDown(e *desktop.MouseEvent) {
	s.down, s.last, s.moved = e.Position, e.Position, false
	t, ok := s.v.view.Hit(s.v.point(e.Position))
	s.held, s.pressed = t, ok
	if !ok {
		return
	}
	s.stick(e.Position, true)
	if t.Tap || t.Hold != "" {
		box := s.v.box(t.X, t.Y, t.W, t.H)
		s.press.CornerRadius = min(t.Radius*s.v.unit, box.W/2, box.H/2)
		s.press.Move(box.Pos())
		s.press.Resize(box.Size())
		s.press.Show()
		s.press.Refresh()
	}
}

// MouseUp lifts it.
func (s *surface) MouseUp(e *desktop.MouseEvent) { s.lift(e.Position) }

// MouseIn does nothing: glass has no hovering.
func (s *surface) MouseIn(*desktop.MouseEvent) {}

// MouseMoved tells a cartridge where the finger is.
func (s *surface) MouseMoved(e *desktop.MouseEvent) {
	if s.pressed && s.held.Cart {
		s.stick(e.Position, true)
	}
}

// MouseOut is MouseUp elsewhere.
func (s *surface) MouseOut() { s.lift(s.last) }

func (s *surface) lift(at fyne.Position) {
	if s.pressed {
		s.stick(at, false)
	}
	s.pressed = false
	s.press.Hide()
}

// stick tells a cartridge of the finger, where the finger means one.
func (s *surface) stick(at fyne.Position, down bool) {
	send, t := s.v.cfg.Stick, s.held
	if send == nil || t.Hold == "" && !t.Cart {
		return
	}
	x, y := s.v.point(at)
	send(Stick{Button: t.Hold, Down: down, X: pixel((x - t.X) / t.W), Y: pixel((y - t.Y) / t.H)})
}

func pixel(part float32) int { return int(min(max(part, 0), 0.999) * 160) }

// Tapped acts.
func (s *surface) Tapped(e *fyne.PointEvent) {
	if t, ok := s.v.view.Hit(s.v.point(e.Position)); ok {
		s.send(t, demo.Tap, e.Position)
	}
}

// Dragged moves a slider, or begins a swipe.
func (s *surface) Dragged(e *fyne.DragEvent) {
	s.last = e.Position
	if d := e.Position.Subtract(s.down); abs(d.X)+abs(d.Y) > 3*s.v.cfg.Frame.MM {
		s.moved = true
	}
	if s.held.Slides && s.moved {
		s.send(s.held, demo.Drag, e.Position)
	}
	if s.held.Cart {
		s.stick(e.Position, true)
	}
}

// DragEnd ends it. A finger that trembles has tapped.
func (s *surface) DragEnd() {
	d := s.last.Subtract(s.down)
	far := 12 * s.v.cfg.Frame.MM
	switch {
	case !s.moved:
		if t, ok := s.v.view.Hit(s.v.point(s.down)); ok {
			s.send(t, demo.Tap, s.down)
		}
	case s.held.Swipes && d.X < -far:
		s.send(s.held, demo.SwipeLeft, s.last)
	case s.held.Swipes && d.X > far:
		s.send(s.held, demo.SwipeRight, s.last)
	}
	s.lift(s.last)
}

func abs(v float32) float32 { return max(v, -v) }

func (s *surface) send(t demo.Target, g demo.Gesture, at fyne.Position) {
	if s.v.cfg.Finger == nil || !t.Tap && !t.Swipes && !t.Slides {
		return
	}
	x, _ := s.v.point(at)
	s.v.cfg.Finger(s.v.view.Finger(t, g, x))
}
