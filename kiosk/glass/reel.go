package glass

import (
	"context"
	"image"
	"sync"
	"sync/atomic"
	"time"

	"fyne.io/fyne/v2"

	"foyer/kiosk/demo"
	"foyer/kiosk/demo/cart"
	"foyer/kiosk/demo/clip"
	"foyer/kiosk/scene"
	"foyer/kiosk/screens"
)

// reels runs what moves by itself on the stage of a demo: a goroutine a clip or cartridge, none of them Fyne's. Each hands
// over at most one picture at a time; what comes too fast is dropped. All but the goroutines belong to Fyne's goroutine.
type reels struct {
	p     *presenter
	ctx   context.Context // set when the window runs; nil: nothing may run
	frame func(file string, img *image.RGBA)
	pack  *demo.Pack
	live  map[string]*reel
}

// reel is one of them.
type reel struct {
	playing atomic.Bool
	pending atomic.Bool
	stop    context.CancelFunc
	mu      sync.Mutex
	pad     cart.Pad
}

// show starts what has come on the stage and ends what has left it.
func (r *reels) show(p *demo.Pack, items []demo.Item) {
	if r.ctx == nil || r.ctx.Err() != nil {
		return
	}
	if p != r.pack {
		r.keep(nil)
		r.pack = p
	}
	wanted := map[string]bool{}
	for _, i := range items {
		wanted[i.File] = true
		if r.live[i.File] == nil {
			r.start(i)
		}
		r.live[i.File].playing.Store(i.Playing)
	}
	r.keep(wanted)
}

func (r *reels) keep(wanted map[string]bool) {
	for file, one := range r.live {
		if !wanted[file] {
			one.stop()
			delete(r.live, file)
		}
	}
}

func (r *reels) start(i demo.Item) {
	ctx, stop := context.WithCancel(r.ctx)
	one := &reel{stop: stop}
	if r.live == nil {
		r.live = map[string]*reel{}
	}
	r.live[i.File] = one
	one.playing.Store(i.Playing)
	data := r.pack.File(i.File)
	run := r.clip
	if i.Shape == demo.Cart {
		run = r.cart
	}
	r.p.group.Go(func() {
		defer stop()
		if err := run(ctx, one, i.File, data); err != nil && ctx.Err() == nil {
			r.p.cfg.Log.Warn("something on the stage of a demo was ended; the session goes on", "file", i.File, "err", err)
		}
	})
}

// hand brings a picture to the stage, unless the one before has not arrived.
func (r *reels) hand(ctx context.Context, one *reel, file string, img *image.RGBA) bool {
	if ctx.Err() != nil || one.pending.Swap(true) {
		return false
	}
	fyne.Do(func() {
		one.pending.Store(false)
		if r.live[file] == one {
			r.frame(file, img)
		}
	})
	return true
}

// clip plays a clip round and round. Its clock stands while it does not play.
func (r *reels) clip(ctx context.Context, one *reel, file string, data []byte) error {
	c, err := clip.Open(data)
	if err != nil {
		return err
	}
	tick := time.NewTicker(time.Duration(float64(time.Second) / c.Rate()))
	defer tick.Stop()
	var clock time.Duration
	for last := time.Now(); ; {
		if one.playing.Load() || clock == 0 {
			img, _, err := c.At(clock)
			if err != nil {
				return err
			}
			if img != nil {
				r.hand(ctx, one, file, img)
			}
			if c.Over() && img == nil {
				if err := c.Again(); err != nil {
					return err
				}
				clock = 0
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case now := <-tick.C:
			if one.playing.Load() {
				clock += min(now.Sub(last), 250*time.Millisecond)
			}
			last = now
		}
	}
}

// cart plays a cartridge, and tells the scene how its game goes. One that is ended because it took too long, or breaks, is
// a game that is over.
func (r *reels) cart(ctx context.Context, one *reel, file string, data []byte) error {
	m, err := cart.New(ctx, data)
	if err != nil {
		r.p.offer(scene.Scored{File: file, Over: true})
		return err
	}
	defer m.Close()
	tick := time.NewTicker(time.Second / cart.Rate)
	defer tick.Stop()
	var ring [3]*image.RGBA
	for i := range ring {
		ring[i] = image.NewRGBA(image.Rect(0, 0, cart.Side, cart.Side))
	}
	var told cart.Said
	for next := 0; ; {
		one.mu.Lock()
		pad := one.pad
		one.mu.Unlock()
		if err := m.Update(ctx, pad); err != nil {
			r.p.offer(scene.Scored{File: file, Score: told.Score, Over: true})
			return err
		}
		m.Draw(ring[next])
		if r.hand(ctx, one, file, ring[next]) {
			next = (next + 1) % len(ring)
		}
		if said := m.Said(); said != told {
			told = said
			r.p.offer(scene.Scored{File: file, Score: said.Score, Over: said.Over})
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// stick tells the cartridges of a finger.
func (r *reels) stick(s screens.Stick) {
	for _, one := range r.live {
		one.mu.Lock()
		p := &one.pad
		switch s.Button {
		case "":
			p.Touch, p.At = s.Down, image.Pt(s.X, s.Y)
		case "left":
			p.Left = s.Down
		case "right":
			p.Right = s.Down
		case "up":
			p.Up = s.Down
		case "down":
			p.Down = s.Down
		case "x":
			p.X = s.Down
		case "z":
			p.Z = s.Down
		}
		one.mu.Unlock()
	}
}
