package sim

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"
)

// R2000 is an Indy R2000 board (IND903 protocol V2.2): it answers commands, and a real-time inventory with a frame for each
// tag and one at the end.
type R2000 struct {
	rw   io.ReadWriter
	wire *Wire
	held []byte
	now  byte // the antenna at work, 0 the first

	mu      sync.Mutex
	tags    []sighted
	antenna map[string]byte // where a tag is; absent: at the first
}

const r2000Baud = 115200

// NewR2000 returns a board that talks on rw.
func NewR2000(rw io.ReadWriter) *R2000 { return &R2000{rw: rw, wire: NewWire(rw, r2000Baud)} }

// Near puts a tag into the field, at rssi dBm.
func (r *R2000) Near(epc []byte, rssi int) error {
	if len(epc) < 2 || len(epc) > 62 || len(epc)%2 != 0 || rssi < -130 || rssi > -2 {
		return fmt.Errorf("tag with %d bytes of EPC at %d dBm: want 2 to 62 bytes, even, and -130 to -2 dBm", len(epc), rssi)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tags = append(r.tags, sighted{string(epc), rssi})
	return nil
}

// NearAntenna is Near for one of four antennas, 1 the first.
func (r *R2000) NearAntenna(antenna int, epc []byte, rssi int) error {
	if antenna < 1 || antenna > 4 {
		return fmt.Errorf("antenna %d: want 1 to 4", antenna)
	}
	r.mu.Lock()
	if r.antenna == nil {
		r.antenna = map[string]byte{}
	}
	r.antenna[string(epc)] = byte(antenna - 1)
	r.mu.Unlock()
	return r.Near(epc, rssi)
}

// Away takes every tag out of the field.
func (r *R2000) Away() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tags, r.antenna = nil, nil
}

// Run works until ctx ends; then it returns nil. It fails only if reading or writing does.
func (r *R2000) Run(ctx context.Context) error {
	hear := func(b []byte) error { return r.hear(ctx, b) }
	if err := converse(ctx, r.rw, hear, time.Hour, idle); err != nil {
		return fmt.Errorf("R2000: %w", err)
	}
	return nil
}

func (r *R2000) hear(ctx context.Context, b []byte) error {
	r.held = append(r.held, b...)
	for len(r.held) > 1 {
		size := int(r.held[1]) + 2
		switch {
		case r.held[0] != 0xA0 || size < 5:
			r.held = r.held[1:]
			continue
		case len(r.held) < size:
			return nil
		}
		f := r.held[:size]
		if sum8(f) != 0 {
			r.held = r.held[1:]
			continue
		}
		r.held = r.held[size:]
		if err := r.obey(ctx, f[3], f[4:size-1]); err != nil {
			return err
		}
	}
	return nil
}

func (r *R2000) obey(ctx context.Context, code byte, data []byte) error {
	switch code {
	case 0x72: // firmware
		return r.say(ctx, code, []byte{8, 1})
	case 0x89:
		return r.inventory(ctx, code)
	case 0x74:
		if len(data) != 1 || data[0] > 3 {
			return r.say(ctx, code, []byte{0x41}) // a parameter that cannot be
		}
		r.now = data[0]
		return r.say(ctx, code, []byte{0x10}) // done
	case 0x76, 0x78, 0x71:
		return r.say(ctx, code, []byte{0x10}) // done
	}
	return r.say(ctx, code, []byte{0x11}) // failed
}

func (r *R2000) inventory(ctx context.Context, code byte) error {
	r.mu.Lock()
	var tags []sighted
	for _, t := range r.tags {
		if r.antenna[t.epc] == r.now {
			tags = append(tags, t)
		}
	}
	r.mu.Unlock()
	for _, t := range tags {
		raw := t.rssi + 129
		if raw < 0x5A { // the step in the protocol's table
			raw = min(t.rssi+130, 0x59)
		}
		data := append([]byte{0x30 | r.now, byte(len(t.epc) / 2 << 3), 0}, t.epc...) // channel 12, and the antenna
		if err := r.say(ctx, code, append(data, byte(raw))); err != nil {
			return err
		}
	}
	return r.say(ctx, code, []byte{r.now, 0, 40, 0, 0, 0, byte(len(tags))})
}

func (r *R2000) say(ctx context.Context, code byte, data []byte) error {
	f := append([]byte{0xA0, byte(len(data) + 3), 1, code}, data...)
	return r.wire.Send(ctx, append(f, -sum8(f)))
}
