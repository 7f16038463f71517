package glass

import (
	"context"
	"image"
	"sync"
	"sync/atomic"
	"time"

	"fyne.io/fyne/v2"

	"foyer/api"
	"foyer/kiosk/demo"
	"foyer/kiosk/keyboard"
	"foyer/kiosk/scene"
)

// presenter owns the scene's state. It crosses to Fyne's goroutine at most once at a time, with the latest state.
type presenter struct {
	cfg     Config
	in      chan scene.Input
	kiosk   scene.Kiosk
	wall    scene.Wall
	reports *reporter
	errands *errands

	latest  atomic.Pointer[picture]
	pending atomic.Bool
	draw    func(picture) // set by the stage, called on Fyne's goroutine

	portrait func(picture) image.Image // likewise
	again    func()                    // ends the window, to be started again
	group    *sync.WaitGroup           // of all that must end before the window does
}

// picture is a state to be drawn.
type picture struct {
	kiosk scene.Kiosk
	wall  scene.Wall
}

func newPresenter(c Config, group *sync.WaitGroup) *presenter {
	p := &presenter{cfg: c, group: group, in: make(chan scene.Input, 256), reports: newReporter(c), errands: newErrands(c)}
	p.reports.kept = func(t api.Tried) { p.offer(scene.Kept{Tried: t}) }
	p.step(scene.Packs{Packs: c.Packs}, time.Now())
	return p
}

// run turns inputs into pictures until ctx ends.
func (p *presenter) run(ctx context.Context) {
	tick := time.NewTicker(calm)
	defer tick.Stop()
	for {
		tick.Reset(p.pace())
		select {
		case <-ctx.Done():
			return
		case in := <-p.in:
			p.step(in, time.Now())
		case now := <-tick.C:
			p.step(scene.Tick{}, now)
		}
		p.drain()
		p.show()
	}
}

// calm is how often time passes where nothing moves by itself, lively how often where a demo is played.
const (
	calm   = 500 * time.Millisecond
	lively = 33 * time.Millisecond
)

func (p *presenter) pace() time.Duration {
	if p.kiosk.Scene == scene.Demo {
		return lively
	}
	return calm
}

// drain takes what else has come meanwhile, so that only the last of many states is drawn.
func (p *presenter) drain() {
	for range cap(p.in) {
		select {
		case in := <-p.in:
			p.step(in, time.Now())
		default:
			return
		}
	}
}

func (p *presenter) step(in scene.Input, now time.Time) {
	if p.cfg.Face == api.Wall {
		p.wall = p.cfg.Rules.NextWall(p.wall, in, now)
	} else {
		k, ended := p.cfg.Rules.Next(p.kiosk, in, now)
		if t, over := scene.Tried(p.kiosk, k, now); over {
			p.reports.add(t)
		}
		p.kiosk = k
		if ended != nil {
			p.reports.add(*ended)
		}
		p.errands.take(k.Use.Ask)
	}
	p.latest.Store(&picture{p.kiosk, p.wall})
}

func (p *presenter) show() {
	if p.pending.Swap(true) {
		return
	}
	fyne.Do(func() {
		p.pending.Store(false)
		if p.draw != nil {
			p.draw(*p.latest.Load())
		}
	})
}

// update takes what foyerd says. It waits where the presenter is behind: the stream pushes back as far as foyerd.
func (p *presenter) update(ctx context.Context, u api.Update) {
	if u.Event != nil && u.Event.Kind == api.Ordered {
		p.order(ctx, *u.Event)
		return
	}
	in, err := input(u)
	if err != nil {
		p.cfg.Log.Warn("an event cannot be read; foyerd and this screen may differ in version", "err", err)
	}
	if in == nil || err != nil {
		return
	}
	select {
	case p.in <- in:
	case <-ctx.Done():
	}
}

func input(u api.Update) (scene.Input, error) {
	switch {
	case !u.Online:
		return scene.Lost{}, nil
	case u.Snapshot != nil:
		return scene.Snapshot{Snapshot: *u.Snapshot}, nil
	case u.Event != nil:
		return scene.Decode(*u.Event)
	}
	return scene.Found{}, nil
}

// touch takes a finger. It runs on Fyne's goroutine and must not wait: with 256 inputs waiting a touch is lost.
func (p *presenter) touch(t scene.Touch) { p.offer(t) }

// finger takes one on the stage of a demo, in the same way.
func (p *presenter) finger(f demo.Finger) { p.offer(scene.Finger{Finger: f}) }

// typed takes a character of a hardware keyboard or a scanner, likewise.
func (p *presenter) typed(r rune) { p.offer(scene.Typed{Key: keyboard.Key(r)}) }

// typedKey takes the keys that are no characters.
func (p *presenter) typedKey(e *fyne.KeyEvent) {
	switch e.Name {
	case fyne.KeyReturn, fyne.KeyEnter:
		p.offer(scene.Typed{Key: scene.EnterKey})
	case fyne.KeyBackspace, fyne.KeyDelete:
		p.offer(scene.Typed{Key: keyboard.Erase})
	}
}

func (p *presenter) offer(in scene.Input) {
	select {
	case p.in <- in:
	default:
	}
}

// answer takes what foyerd said to a question.
func (p *presenter) answer(ctx context.Context, a scene.Answered) {
	select {
	case p.in <- a:
	case <-ctx.Done():
	}
}
