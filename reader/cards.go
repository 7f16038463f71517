package reader

import (
	"context"
	"fmt"
	"time"

	"foyer/reader/frame"
	"foyer/reader/link"
	"foyer/reader/tag"
	"foyer/reader/wiegand"
)

// gate is the time from one opening of two Wiegand lines to their loss.
type gate struct {
	*Reader
	source  link.Edges
	decoder *wiegand.Decoder
	card    *frame.Card
	unheard int // frames refused since the last good card
	quiet   int // waits without an edge
	last    time.Time
}

// Refused frames in a row that mean that the profile has the wrong number of bits, or the wire is bad.
const noiseCards = 10

// cards runs one session on two open lines.
func (r *Reader) cards(ctx context.Context, source link.Edges) error {
	timing := r.config.Profile.Wiegand
	decoder, err := wiegand.New(wiegand.Timing{
		Gap: timing.FrameGap, MinInterval: timing.MinInterval, MaxInterval: timing.MaxInterval,
	}, source.Stamped())
	if err != nil {
		return fmt.Errorf("profile %s: %w", r.config.Profile.ID, err)
	}
	g := &gate{Reader: r, source: source, decoder: decoder, card: frame.NewCard(r.config.Profile)}
	r.mu.Lock()
	r.health.Counts.Opened++
	r.mu.Unlock()
	r.change(true, "", "")
	for ctx.Err() == nil {
		if err := g.turn(); err != nil {
			return err
		}
	}
	return nil
}

// turn waits for one edge. A card ends after two waits of half the gap without an edge: a single one may be a stall of
// ours, with edges waiting in the kernel.
func (g *gate) turn() error {
	wait := g.longestWait()
	if g.quiet < 2 {
		wait = min(wait, g.decoder.Gap()/2)
	}
	e, came, err := g.source.Next(wait)
	switch {
	case err != nil:
		return err
	case came:
		g.quiet = 0
		before := g.last
		g.last = time.Now()
		if f, done := g.decoder.Edge(wiegand.Edge(e)); done {
			g.handle(f, before)
		}
	default:
		if g.quiet++; g.quiet == 2 {
			if f, done := g.decoder.Flush(); done {
				g.handle(f, g.last)
			}
		}
	}
	return nil
}

// handle takes the edges between two pauses; at is when the last of them came.
func (g *gate) handle(f wiegand.Frame, at time.Time) {
	var s frame.Sighting
	if f.Fault == wiegand.Good && g.card.IsKey(f.N) && g.key(f, at) {
		return
	}
	bad := frame.Good
	if f.Fault == wiegand.Good {
		bad = g.card.Decode(f.Bits, f.N, &s)
	}
	if f.Fault == wiegand.Good && bad == frame.Good {
		g.count(func(c *Counts) { c.Frames++ })
		g.unheard = 0
		g.emit(s.Number, s.Also, tag.Read{At: at, Antenna: s.Antenna})
		g.change(true, "", "")
		return
	}
	g.count(func(c *Counts) { c.Bad[faultOfCard(f.Fault, bad)]++ })
	g.unheard++
	g.config.Log.Debug("card refused", "edges", f.N, "fault", f.Fault.String())
	if g.unheard >= noiseCards {
		g.change(false, WhyNoise, fmt.Sprintf("%d cards in a row were refused, the last with %d bits (%v): is it the right profile, and is the cable short and shielded?",
			g.unheard, f.N, f.Fault))
	}
}

// key tells a key on, and reports whether it was one.
func (g *gate) key(f wiegand.Frame, at time.Time) bool {
	key, bad := g.card.Key(f.Bits)
	if bad != frame.Good {
		return false
	}
	g.count(func(c *Counts) { c.Frames++ })
	g.unheard = 0
	g.change(true, "", "")
	if g.config.Keys != nil {
		g.config.Keys(Key{Reader: g.config.Name, Key: key, At: at})
	}
	return true
}

func (r *Reader) count(add func(*Counts)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	add(&r.health.Counts)
}
