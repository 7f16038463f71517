package demo

import (
	"context"
	"log/slog"
	"os"
	"time"

	"foyer/reader/sim"
)

// played is a reader that the demo plays, on a serial port that can be pulled out.
type played struct {
	pty *sim.PTY
	log *slog.Logger
	rdm *sim.RDM6300 // at the kiosk
	uhf *sim.R200    // at the door
}

func newTap(path string, log *slog.Logger) (*played, error) {
	pty, err := sim.NewPTY(path)
	if err != nil {
		return nil, err
	}
	return &played{pty: pty, log: log, rdm: sim.NewRDM6300(pty)}, nil
}

func newDoor(path string, log *slog.Logger) (*played, error) {
	pty, err := sim.NewPTY(path)
	if err != nil {
		return nil, err
	}
	return &played{pty: pty, log: log, uhf: sim.NewR200(pty)}, nil
}

func (p *played) run(ctx context.Context) error {
	if p.rdm != nil {
		return p.rdm.Run(ctx)
	}
	return p.uhf.Run(ctx)
}

// out reports whether the reader is pulled out: then its name is gone.
func (p *played) out() bool {
	_, err := os.Lstat(p.pty.Path())
	return err != nil
}

// tapFor is how long a person holds a card to a reader.
const tapFor = 700 * time.Millisecond

// hold puts a card to the reader and takes it away again. Taps that overlap end with the last card's going.
func (p *played) hold(ctx context.Context, card []byte) {
	p.rdm.Near([5]byte(card))
	sleep(ctx, tapFor)
	p.rdm.Away()
}

// A walk through the door: the strength in dBm, step by step, as somebody comes near, passes under and goes on.
var walkIn = []int{-68, -62, -57, -52, -50, -53, -57, -60, -62}

// passBy is somebody in the street: heard, and never near.
var passBy = []int{-78, -74, -72, -74, -78}

const stepTime = 350 * time.Millisecond

// walk leads a tag past the door reader.
func (p *played) walk(ctx context.Context, epc []byte, strengths []int) {
	for _, dbm := range strengths {
		if err := p.uhf.Near(epc, dbm); err != nil {
			p.log.Error("a tag cannot walk", "err", err)
			return
		}
		sleep(ctx, stepTime)
	}
	p.uhf.Away(epc)
}

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
