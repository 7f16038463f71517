package link

import (
	"fmt"
	"sync"
	"time"

	"periph.io/x/conn/v3/gpio"
)

// pins makes edges of two separate pins. Each has its own goroutine, so which of two close edges comes first is decided by
// the scheduler: on a loaded box two goroutines made cards that nobody had shown and that passed parity. The times let the
// decoder refuse most of them, and that is why OpenLines is preferred wherever the kernel can watch both lines at once.
type pins struct {
	edges chan Edge
	gone  chan struct{} // closed when a pin has failed
	stop  chan struct{}
	once  sync.Once // closes stop
	fail  sync.Once // closes gone
	done  sync.WaitGroup
}

// Pins watches two pins for falling edges, idle high. It is for boards whose pins are no kernel lines, and for tests.
func Pins(d0, d1 gpio.PinIn) (Edges, error) {
	p := &pins{edges: make(chan Edge, 256), gone: make(chan struct{}), stop: make(chan struct{})}
	for _, pin := range []gpio.PinIn{d0, d1} {
		if err := pin.In(gpio.PullUp, gpio.FallingEdge); err != nil {
			return nil, &OpenError{Port: pin.Name(), Kind: ErrNoDevice, Hint: err.Error(), Err: err}
		}
	}
	p.done.Go(func() { p.watch(0, d0) })
	p.done.Go(func() { p.watch(1, d1) })
	return p, nil
}

// A pin whose chip has vanished answers "no edge" at once, for ever: periph host v3.8.5 calls that a time-out. So many
// answers in less than half the time asked are no time-outs.
const maxHasty = 5

func (p *pins) watch(line int, pin gpio.PinIn) {
	hasty := 0
	for hasty < maxHasty {
		select {
		case <-p.stop:
			return
		default:
		}
		asked := sinceEpoch()
		came := pin.WaitForEdge(edgeSlice) // positive: 0 and -1 mean different things to different drivers
		now := sinceEpoch()
		switch {
		case came:
			hasty = 0
			select {
			case p.edges <- Edge{Line: line, At: now}:
			case <-p.stop:
				return
			}
		case now-asked < edgeSlice/2:
			hasty++
		default:
			hasty = 0
		}
	}
	p.fail.Do(func() { close(p.gone) })
}

// Next implements Edges.
func (p *pins) Next(wait time.Duration) (Edge, bool, error) {
	select {
	case <-p.stop:
		return Edge{}, false, fmt.Errorf("wait for an edge: %w", ErrClosed)
	default:
	}
	select {
	case e := <-p.edges:
		return e, true, nil
	case <-p.stop:
		return Edge{}, false, fmt.Errorf("wait for an edge: %w", ErrClosed)
	case <-p.gone:
		return Edge{}, false, fmt.Errorf("wait for an edge: %w", ErrUnplugged)
	case <-time.After(wait):
		return Edge{}, false, nil
	}
}

// Stamped implements Edges.
func (p *pins) Stamped() bool { return false }

// Close implements Edges. It waits for the watchers, at most one slice.
func (p *pins) Close() error {
	p.once.Do(func() { close(p.stop) })
	p.done.Wait()
	return nil
}
