package sim

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"
)

// ThingMagic is a Mercury module (M5e manual, Mercury API): it answers commands, and when told to read continuously it
// streams a frame for each tag of a round and a keep-alive every second.
type ThingMagic struct {
	rw      io.ReadWriter
	wire    *Wire
	held    []byte
	reading bool
	rounds  int

	mu      sync.Mutex
	tags    []sighted
	restart bool
}

const (
	tmBaud  = 115200
	tmRound = 50 * time.Millisecond
	tmAlive = 20 // rounds from one keep-alive to the next: a second
)

// NewThingMagic returns a module that talks on rw.
func NewThingMagic(rw io.ReadWriter) *ThingMagic {
	return &ThingMagic{rw: rw, wire: NewWire(rw, tmBaud)}
}

// Near puts a tag into the field, at rssi dBm.
func (m *ThingMagic) Near(epc []byte, rssi int) error {
	if len(epc) < 2 || len(epc) > 62 || len(epc)%2 != 0 || rssi < -127 || rssi > 0 {
		return fmt.Errorf("tag with %d bytes of EPC at %d dBm: want 2 to 62 bytes, even, and -127 to 0 dBm", len(epc), rssi)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.tags = append(m.tags, sighted{string(epc), rssi})
	return nil
}

// Away takes every tag out of the field.
func (m *ThingMagic) Away() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.tags = nil
}

// Restart lets the module lose its settings and say so, as after a dip of its supply.
func (m *ThingMagic) Restart() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.restart = true
}

// Run works until ctx ends; then it returns nil. It fails only if reading or writing does.
func (m *ThingMagic) Run(ctx context.Context) error {
	hear := func(b []byte) error { return m.hear(ctx, b) }
	if err := converse(ctx, m.rw, hear, tmRound, func() error { return m.round(ctx) }); err != nil {
		return fmt.Errorf("ThingMagic: %w", err)
	}
	return nil
}

func (m *ThingMagic) hear(ctx context.Context, b []byte) error {
	m.held = append(m.held, b...)
	for len(m.held) > 1 {
		size := int(m.held[1]) + 5
		switch {
		case m.held[0] != 0xFF || size > 255:
			m.held = m.held[1:]
			continue
		case len(m.held) < size:
			return nil
		}
		f := m.held[:size]
		if crc := crcMercury(f[1 : size-2]); byte(crc>>8) != f[size-2] || byte(crc) != f[size-1] {
			m.held = m.held[1:]
			continue
		}
		m.held = m.held[size:]
		if err := m.obey(ctx, f[2], f[3:size-2]); err != nil {
			return err
		}
	}
	return nil
}

func (m *ThingMagic) obey(ctx context.Context, op byte, data []byte) error {
	switch {
	case op == 0x03: // version: boot loader, hardware, firmware date, version, protocols
		return m.say(ctx, op, 0, make([]byte, 20))
	case op == 0x04: // its program runs already
		return m.say(ctx, op, 0x0101, nil)
	case op == 0x2F && len(data) >= 3:
		m.reading = data[2] == 1
		return m.say(ctx, op, 0, nil)
	case op >= 0x91 && op <= 0x9D:
		return m.say(ctx, op, 0, nil)
	}
	return m.say(ctx, op, 0x0101, nil) // no such command
}

// round is one round of continuous reading.
func (m *ThingMagic) round(ctx context.Context) error {
	m.mu.Lock()
	tags, restart := m.tags, m.restart
	m.restart = false
	m.mu.Unlock()
	if restart {
		m.reading = false
		return m.say(ctx, 0x04, 0, nil)
	}
	if !m.reading {
		return nil
	}
	for _, t := range tags {
		tag := append([]byte{byte(len(t.epc) / 2 << 3), 0}, t.epc...)
		crc := gen2CRC(tag)
		bits := 8 * (len(tag) + 2)
		// RSSI and antenna 1 of 1 are all the facts that come with it.
		data := append([]byte{0x10, 0, 0x1B, 0, 0x06, 1, byte(int8(t.rssi)), 0x11, byte(bits >> 8), byte(bits)}, tag...)
		if err := m.say(ctx, 0x22, 0, append(data, byte(crc>>8), byte(crc))); err != nil {
			return err
		}
	}
	if m.rounds++; m.rounds%tmAlive == 0 {
		return m.say(ctx, 0x22, 0x0400, nil)
	}
	return nil
}

func (m *ThingMagic) say(ctx context.Context, op byte, status uint16, data []byte) error {
	f := append([]byte{0xFF, byte(len(data)), op, byte(status >> 8), byte(status)}, data...)
	crc := crcMercury(f[1:])
	return m.wire.Send(ctx, append(f, byte(crc>>8), byte(crc)))
}

// crcMercury goes nibble by nibble, as the vendor's sources do: what falls out at the top is folded back, the nibble comes
// in at the bottom.
func crcMercury(b []byte) uint16 {
	crc := uint16(0xFFFF)
	for _, x := range b {
		for _, nibble := range [2]byte{x >> 4, x & 15} {
			out := crc >> 12
			crc = (crc<<4 | uint16(nibble)) ^ out*0x1021
		}
	}
	return crc
}
