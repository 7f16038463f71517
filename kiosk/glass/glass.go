// Package glass is the window: it shows what kiosk/screens draws, and feeds kiosk/scene with what happens.
//
// In: updates of foyerd (through Foyerd), fingers on the glass, the passing of time. Out: frames on one X screen, and a
// report of each finished session. Sizes are pixels, the panel's width is millimetres.
// It is the only place that opens a window and that crosses to Fyne's goroutine. It holds no rules and no layout.
// Called by cmd/foyer-kiosk, from the main goroutine: OpenGL wants it so.
//
// Goroutines: Fyne's own (all drawing); the presenter, which owns the scene's state, takes inputs from a channel of 256
// and hands Fyne only the latest state; the follower of foyerd, which waits when that channel is full; the pulse, which
// sees that Fyne still paints; the reporter, which keeps the newest 256 finished sessions until foyerd has them; the errand,
// which asks foyerd what the person wants, one thing at a time; a session has one question open at most.
package glass

import (
	"context"
	"fmt"
	"image"
	"image/color"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/app"
	"fyne.io/fyne/v2/driver/desktop"

	"foyer/api"
	"foyer/internal/words"
	"foyer/kiosk/demo"
	"foyer/kiosk/look"
	"foyer/kiosk/scene"
)

// Foyerd is what the glass asks of the daemon.
type Foyerd interface {
	// Follow calls on with every change of a face until ctx ends.
	Follow(ctx context.Context, face api.Face, on func(api.Update)) error
	// ReportSession tells of one finished use of the kiosk.
	ReportSession(ctx context.Context, s api.Session) error
	// SendPicture answers an order for a picture of the screen.
	SendPicture(ctx context.Context, face api.Face, order string, png []byte) error
	// ReportTried tells of one demo that somebody tried.
	ReportTried(ctx context.Context, t api.Tried) error
	// SignUp makes somebody a member.
	SignUp(ctx context.Context, s api.SignUp) (api.Joined, error)
	// CallStaff asks for somebody at the kiosk.
	CallStaff(ctx context.Context, h api.Help) error
}

// Config is what a window needs.
type Config struct {
	Face    api.Face // Kiosk or Wall
	Foyerd  Foyerd
	Words   *words.Catalogue
	Rules   scene.Rules
	Packs   []*demo.Pack // demos that may be tried
	Size    image.Point  // of a plain window; zero: full screen
	Output  *image.Point // where on the X screen; nil: the primary output
	WidthMM float32      // of the panel; 0: a 32 inch one
	Ready   func()       // called once, when the first frame is on the glass
	Log     *slog.Logger
	Exit    func(code int) // ends the process where Fyne cannot: frozen (70), or stuck in its own farewell (0); nil: os.Exit
}

// farewell is how long Fyne may take to end once all of ours has ended. A lifecycle event that meets the end of its loop
// at the wrong moment is never answered (2.8.0: it waits in a queue that nobody reads any more), and Fyne waits for it
// for ever.
const farewell = 700 * time.Millisecond

// Title is the window's name, by which tools find it.
func Title(f api.Face) string {
	if f == api.Wall {
		return "Foyer welcome"
	}
	return "Foyer kiosk"
}

// Run shows the window until ctx ends or the window is closed. It must be called from the main goroutine.
func Run(ctx context.Context, c Config) error {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Exit == nil {
		c.Exit = os.Exit
	}
	if err := settle(); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	a := app.NewWithID("foyer.glass")
	a.Settings().SetTheme(look.Theme{Ground: ground(c.Face)})
	w := a.NewWindow(Title(c.Face))
	w.SetPadded(false)
	w.SetMaster()
	var group sync.WaitGroup
	var restart atomic.Bool
	p := newPresenter(c, &group)
	p.again = func() { restart.Store(true); cancel() }
	s := newStage(c, p)
	s.reels.ctx = ctx
	w.SetContent(s)
	w.Canvas().SetOnTypedRune(p.typed)
	w.Canvas().SetOnTypedKey(p.typedKey)
	frame(w, c)
	a.Lifecycle().SetOnStarted(func() { start(ctx, &group, c, p, s) })
	over := make(chan struct{})
	stopped := context.AfterFunc(ctx, func() {
		group.Wait() // nobody may call fyne.Do once the loop has ended
		fyne.Do(func() { quit(a) })
		select {
		case <-over:
		case <-time.After(farewell):
			c.Exit(endsWith(restart.Load()))
		}
	})
	w.ShowAndRun()
	close(over)
	stopped()
	cancel()
	group.Wait()
	if restart.Load() {
		return ErrRestart
	}
	return nil
}

// RestartCode is what a process ends with that is to be started again for no fault.
const RestartCode = 85

func endsWith(restart bool) int {
	if restart {
		return RestartCode
	}
	return 0
}

// quit asks Fyne to end. Fyne listens for SIGTERM too and may have ended by itself a moment ago; then this runs after the
// graphics library was let go, which panics, and there is nothing left to do.
func quit(a fyne.App) {
	defer func() { _ = recover() }()
	a.Quit()
}

// settle fixes what Fyne takes from its environment. One pixel is one pixel, X11 it is, and nothing is kept on disk:
// Fyne would write preferences, which a power cut leaves torn, and watch the folder of its settings, which wakes its loop
// after it has ended. Below /dev/null there is no folder to do either in.
func settle() error {
	if os.Getenv("DISPLAY") == "" {
		return fmt.Errorf("open window: DISPLAY is not set; start an X server and say which, for example DISPLAY=:0")
	}
	set := map[string]string{"FYNE_SCALE": "1", "FYNE_PLATFORM": "x11", "XDG_CONFIG_HOME": nowhere}
	if _, err := os.UserCacheDir(); err != nil {
		set["XDG_CACHE_HOME"] = nowhere // without either, the search for a rare character's font gives up at once
		set["MESA_SHADER_CACHE_DISABLE"] = "true"
	}
	for k, v := range set {
		if err := os.Setenv(k, v); err != nil {
			return fmt.Errorf("open window: %w", err)
		}
	}
	return nil
}

const nowhere = "/dev/null/foyer"

// frame puts the window in its place.
func frame(w fyne.Window, c Config) {
	if c.Output != nil {
		if d, ok := w.(desktop.Window); ok {
			d.RequestPosition(c.Output.X, c.Output.Y)
		}
	}
	if c.Size == (image.Point{}) {
		w.SetFullScreen(true)
		return
	}
	w.Resize(fyne.NewSize(float32(c.Size.X), float32(c.Size.Y)))
	w.SetFixedSize(true)
}

func start(ctx context.Context, group *sync.WaitGroup, c Config, p *presenter, s *stage) {
	group.Go(func() { p.run(ctx) })
	group.Go(func() { p.reports.run(ctx) })
	group.Go(func() { p.errands.run(ctx, func(a scene.Answered) { p.answer(ctx, a) }) })
	group.Go(func() { pulse(ctx, s.beat, c) })
	group.Go(func() {
		if err := c.Foyerd.Follow(ctx, c.Face, func(u api.Update) { p.update(ctx, u) }); err != nil && ctx.Err() == nil {
			c.Log.Error("follow foyerd", "err", err)
		}
	})
}

// pulse sees to it that Fyne's goroutine answers and that frames reach the glass. A picture that has stood still for
// three beats although it was asked to be painted again is a frozen screen: nobody can mend that from inside.
func pulse(ctx context.Context, beat func() uint64, c Config) {
	const every, most = 10 * time.Second, 3
	tick := time.NewTicker(every)
	defer tick.Stop()
	missed, last := 0, beat()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now := beat()
		if missed++; now != last {
			missed = 0
		}
		last = now
		if missed == 0 {
			continue
		}
		c.Log.Warn("the screen has not been painted", "beats", missed)
		if missed >= most {
			c.Exit(70)
			return
		}
	}
}

func ground(f api.Face) color.Color {
	if f == api.Wall {
		return look.Night
	}
	return look.Paper
}
