package glass

import (
	"image"
	"image/color"
	"sync/atomic"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/widget"

	"foyer/api"
	"foyer/kiosk/look"
	"foyer/kiosk/scene"
	"foyer/kiosk/screens"
)

// stage is the whole of the window: one screen, made for the size that the window turns out to have, without a cursor.
type stage struct {
	widget.BaseWidget
	cfg    Config
	p      *presenter
	root   *fyne.Container
	probe  *canvas.Raster // one pixel, painted with every frame
	screen func(picture, time.Time)
	size   fyne.Size
	frames atomic.Uint64
	reels  *reels
	fix    touchFix
	ready  bool
}

func newStage(c Config, p *presenter) *stage {
	s := &stage{cfg: c, p: p, root: &fyne.Container{}, reels: &reels{p: p}}
	s.probe = canvas.NewRaster(s.painted)
	s.probe.Resize(fyne.NewSize(1, 1))
	p.draw, p.portrait = s.draw, s.portrait
	s.ExtendBaseWidget(s)
	return s
}

// Cursor hides the pointer: a finger needs none.
func (s *stage) Cursor() desktop.Cursor { return desktop.HiddenCursor }

// CreateRenderer gives Fyne the stage's content.
func (s *stage) CreateRenderer() fyne.WidgetRenderer { return &stageRenderer{s} }

// painted runs inside every painting of a new frame: it counts, and the first time it mends the touch.
func (s *stage) painted(int, int) image.Image {
	s.fix.install()
	if s.frames.Add(1) == 1 {
		go fyne.Do(s.first) // runs once this frame is on the glass
	}
	return image.NewUniform(color.Transparent)
}

func (s *stage) first() {
	if !s.ready && s.cfg.Ready != nil {
		s.ready = true
		s.cfg.Ready()
	}
}

// beat asks for a new frame and tells how many there have been.
func (s *stage) beat() uint64 {
	fyne.Do(s.probe.Refresh)
	return s.frames.Load()
}

func (s *stage) draw(p picture) {
	if s.screen != nil {
		s.screen(p, time.Now())
	}
}

// fit makes the screen for a size.
func (s *stage) fit(size fyne.Size) {
	if size == s.size || size.Width < 2 || size.Height < 2 {
		return
	}
	s.size = size
	root, show := s.make(size, s.p.touch, false)
	s.screen = show
	s.root.Objects = []fyne.CanvasObject{root, s.probe}
	s.draw(*s.p.latest.Load())
}

// make makes a screen for a size, and how a state is shown on it.
func (s *stage) make(size fyne.Size, touch func(scene.Touch), still bool) (fyne.CanvasObject, func(picture, time.Time)) {
	c := screens.Config{
		Frame: look.NewFrame(size.Width, size.Height, s.cfg.WidthMM), Words: s.cfg.Words,
		Languages: s.cfg.Rules.Languages, Touch: touch, Rules: s.cfg.Rules, Still: still,
	}
	if !still {
		c.Finger, c.Stick = s.p.finger, s.reels.stick
	}
	if s.cfg.Face == api.Wall {
		wall := screens.NewWall(c)
		return wall.Root(), func(p picture, now time.Time) { wall.Show(p.wall, now) }
	}
	kiosk := screens.NewKiosk(c)
	if still {
		return kiosk.Root(), func(p picture, now time.Time) { kiosk.Show(p.kiosk, now); kiosk.Roll(p.kiosk.Play.Pack) }
	}
	s.reels.frame = kiosk.Frame
	return kiosk.Root(), func(p picture, now time.Time) {
		kiosk.Show(p.kiosk, now)
		s.reels.show(p.kiosk.Play.Pack, kiosk.Live())
	}
}

type stageRenderer struct{ s *stage }

func (r *stageRenderer) Layout(size fyne.Size)        { r.s.root.Resize(size); r.s.fit(size) }
func (r *stageRenderer) MinSize() fyne.Size           { return fyne.NewSize(1, 1) } // X11 refuses a window of nothing
func (r *stageRenderer) Refresh()                     { canvas.Refresh(r.s.root) }
func (r *stageRenderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.s.root} }
func (r *stageRenderer) Destroy()                     {}
