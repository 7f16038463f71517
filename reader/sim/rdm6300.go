package sim

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"
)

// RDM6300 is a 125 kHz reader that repeats the number of the card in its field and takes no commands.
type RDM6300 struct {
	CRLF bool // end frames with 0D 0A 03, as the ID-xxLA family does; set before Run

	wire  *Wire
	moved chan struct{}

	mu   sync.Mutex
	near bool
	card [5]byte
}

// The line and cadence of an RDM6300: 9600 8N1, a frame about every 65 ms while the card is near.
const (
	rdmBaud  = 9600
	rdmEvery = 65 * time.Millisecond
)

// NewRDM6300 returns a reader that talks on w.
func NewRDM6300(w io.Writer) *RDM6300 {
	return &RDM6300{wire: NewWire(w, rdmBaud), moved: make(chan struct{}, 1)}
}

// Near puts a card into the field, in place of any other: the version byte, then the 32-bit number.
func (r *RDM6300) Near(card [5]byte) { r.set(true, card) }

// Away takes the card out of the field.
func (r *RDM6300) Away() { r.set(false, [5]byte{}) }

func (r *RDM6300) set(near bool, card [5]byte) {
	r.mu.Lock()
	r.near, r.card = near, card
	r.mu.Unlock()
	select {
	case r.moved <- struct{}{}:
	default:
	}
}

// Run talks until ctx ends; then it returns nil. It fails only if w does.
func (r *RDM6300) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		r.mu.Lock()
		near, card := r.near, r.card
		r.mu.Unlock()
		if !near {
			select {
			case <-ctx.Done():
			case <-r.moved:
			}
			continue
		}
		next := time.Now().Add(rdmEvery)
		if err := r.wire.Send(ctx, r.frame(card)); err != nil && ctx.Err() == nil {
			return fmt.Errorf("RDM6300: %w", err)
		}
		if sleepUntil(ctx, next) != nil {
			break
		}
	}
	return nil
}

func (r *RDM6300) frame(card [5]byte) []byte {
	var check byte
	for _, b := range card {
		check ^= b
	}
	end := "\x03"
	if r.CRLF {
		end = "\r\n\x03"
	}
	return fmt.Appendf(nil, "\x02%X%02X%s", card[:], check, end)
}
