package sim

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"sync"
	"time"
)

// R200 is a UHF reader module of the R200 or M100 kind: it answers commands, and takes inventory for a number of rounds when
// told to.
type R200 struct {
	rw    io.ReadWriter
	wire  *Wire
	head  byte
	tail  byte
	noise *rand.Rand

	mu     sync.Mutex
	tags   []sighted
	asleep bool
}

// userMemory is bit 10 of the protocol control word (EPC Gen2, 6.3.2.1.2.2): most tags in shops set it.
const userMemory = 0x0400

type sighted struct {
	epc  string
	rssi int
}

// The line of these modules, and how long a round takes: some 40 rounds a second is what modules at hand do.
const (
	r200Baud  = 115200
	r200Round = 25 * time.Millisecond
)

// NewR200 returns a module with frames AA..DD.
func NewR200(rw io.ReadWriter) *R200 { return newModule(rw, 0xAA, 0xDD) }

// NewM100 returns a module with frames BB..7E.
func NewM100(rw io.ReadWriter) *R200 { return newModule(rw, 0xBB, 0x7E) }

func newModule(rw io.ReadWriter, head, tail byte) *R200 {
	return &R200{
		rw: rw, wire: NewWire(rw, r200Baud), head: head, tail: tail,
		noise: rand.New(rand.NewPCG(uint64(head), uint64(tail))), // the same every time
	}
}

// Near puts a tag into the field, or moves one that is there. rssi is its mean in dBm; single readings differ by up to
// 2 dB. An EPC has 2 to 62 bytes in whole 16-bit words.
func (r *R200) Near(epc []byte, rssi int) error {
	if len(epc) < 2 || len(epc) > 62 || len(epc)%2 != 0 || rssi < -120 || rssi > 0 {
		return fmt.Errorf("tag with %d bytes of EPC at %d dBm: want 2 to 62 bytes, even, and -120 to 0 dBm", len(epc), rssi)
	}
	r.Away(epc)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tags = append(r.tags, sighted{string(epc), rssi})
	return nil
}

// Away takes a tag out of the field.
func (r *R200) Away(epc []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var left []sighted
	for _, t := range r.tags {
		if t.epc != string(epc) {
			left = append(left, t)
		}
	}
	r.tags = left
}

// Sleep puts the module to sleep: the inventory ends, and the next byte wakes it and is thrown away.
func (r *R200) Sleep() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asleep = true
}

// Run works until ctx ends; then it returns nil. It fails only if reading or writing does. If the io.ReadWriter has
// SetReadDeadline, Run leaves nothing behind; otherwise a waiting Read ends with the next byte.
func (r *R200) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	commands, broken := make(chan command), make(chan error, 1)
	var reading sync.WaitGroup
	reading.Go(func() { broken <- r.listen(ctx, commands) })
	if d, ok := r.rw.(interface{ SetReadDeadline(time.Time) error }); ok {
		defer func() { cancel(); d.SetReadDeadline(time.Now()); reading.Wait(); d.SetReadDeadline(time.Time{}) }()
	}
	err := r.work(ctx, commands, broken)
	if ctx.Err() != nil {
		return nil
	}
	return fmt.Errorf("UHF module: %w", err)
}

// work answers commands and takes inventory.
func (r *R200) work(ctx context.Context, commands <-chan command, broken <-chan error) error {
	rounds := 0
	next := time.NewTimer(0)
	defer next.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-broken:
			return err
		case c := <-commands:
			rounds, err = r.obey(ctx, c, rounds)
			next.Reset(0)
		case <-next.C:
			if rounds = r.restless(rounds); rounds > 0 {
				rounds--
				next.Reset(r200Round)
				err = r.round(ctx)
			}
		}
		if err != nil {
			return err
		}
	}
}

// restless returns the rounds left, none if the module fell asleep.
func (r *R200) restless(rounds int) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.asleep {
		return 0
	}
	return rounds
}

// obey answers a command and returns how many rounds of inventory follow.
func (r *R200) obey(ctx context.Context, c command, rounds int) (int, error) {
	switch {
	case c.code == 0x22 && len(c.data) == 0:
		return rounds, r.round(ctx)
	case c.code == 0x27 && len(c.data) == 3 && c.data[0] == 0x22:
		return int(c.data[1])<<8 | int(c.data[2]), nil
	case c.code == 0x03 && len(c.data) == 1:
		return rounds, r.say(ctx, 0x01, 0x03, append([]byte{c.data[0]}, "M100 26dBm V1.0"...))
	case c.code == 0x28 && len(c.data) == 0:
		return 0, r.say(ctx, 0x01, 0x28, []byte{0x00})
	}
	return rounds, r.say(ctx, 0x01, 0xFF, []byte{0x17}) // command error
}

// round is one inventory round: a notice for each tag, or error 15 for none.
func (r *R200) round(ctx context.Context) error {
	r.mu.Lock()
	tags := r.tags
	r.mu.Unlock()
	if len(tags) == 0 {
		return r.say(ctx, 0x01, 0xFF, []byte{0x15})
	}
	for _, t := range tags {
		rssi := max(-127, min(0, t.rssi+r.noise.IntN(5)-2))
		pc := uint16(len(t.epc)/2)<<11 | userMemory
		tagSays := append([]byte{byte(pc >> 8), byte(pc)}, t.epc...)
		crc := gen2CRC(tagSays)
		notice := append([]byte{byte(int8(rssi))}, tagSays...)
		if err := r.say(ctx, 0x02, 0x22, append(notice, byte(crc>>8), byte(crc))); err != nil {
			return err
		}
	}
	return nil
}

func (r *R200) say(ctx context.Context, kind, code byte, data []byte) error {
	f := append([]byte{r.head, kind, code, byte(len(data) >> 8), byte(len(data))}, data...)
	return r.wire.Send(ctx, append(f, sum8(f[1:]), r.tail))
}

// listen reads commands until reading fails or ctx ends.
func (r *R200) listen(ctx context.Context, commands chan<- command) error {
	p := parser{head: r.head, tail: r.tail}
	buffer := make([]byte, 64)
	for {
		n, err := r.rw.Read(buffer)
		for _, c := range p.feed(r.awake(buffer[:n])) {
			select {
			case commands <- c:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			return err
		}
	}
}

// awake drops the byte that wakes a sleeping module.
func (r *R200) awake(p []byte) []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.asleep || len(p) == 0 {
		return p
	}
	r.asleep = false
	return p[1:]
}

// command is one that the host sent.
type command struct {
	code byte
	data []byte
}

// parser cuts what the host sends into commands. It keeps at most one.
type parser struct {
	head, tail byte
	held       []byte
}

const (
	maxData  = 32 // the longest command that matters has 3 bytes of data
	overhead = 7  // head, type, command, length of 2 bytes, sum, tail
)

func (p *parser) feed(b []byte) (commands []command) {
	p.held = append(p.held, b...)
	for len(p.held) > 0 {
		c, size, wait := p.one(p.held)
		if wait {
			break
		}
		if size > 0 {
			commands = append(commands, c)
		}
		p.held = p.held[max(size, 1):]
	}
	p.held = append([]byte(nil), p.held...)
	return commands
}

// one looks for a command at the start of b: its size, 0 if there is none, or wait if more bytes are needed.
func (p *parser) one(b []byte) (c command, size int, wait bool) {
	if b[0] != p.head || len(b) > 1 && b[1] != 0 {
		return c, 0, false
	}
	if len(b) < overhead {
		return c, 0, true
	}
	n := int(b[3])<<8 | int(b[4])
	switch size = n + overhead; {
	case n > maxData:
		return c, 0, false
	case len(b) < size:
		return c, 0, true
	case b[size-1] != p.tail || b[size-2] != sum8(b[1:size-2]):
		return c, 0, false
	}
	return command{code: b[2], data: append([]byte(nil), b[5:5+n]...)}, size, false
}

func sum8(b []byte) (sum byte) {
	for _, x := range b {
		sum += x
	}
	return sum
}

// gen2CRC is the tag's own check, bit by bit (EPC Gen2, annex F: polynomial 1021, preset FFFF, inverted).
func gen2CRC(b []byte) uint16 {
	crc := uint16(0xFFFF)
	for _, x := range b {
		for bit := 7; bit >= 0; bit-- {
			if crc>>15 != uint16(x>>bit&1) {
				crc = crc<<1 ^ 0x1021
			} else {
				crc <<= 1
			}
		}
	}
	return ^crc
}
