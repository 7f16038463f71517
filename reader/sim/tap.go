package sim

import (
	"context"
	"fmt"
	"io"
	"time"
)

// Tap is a reader that tells each card or code once: a 7941E, or a scanner. It shows the same one again every so often, as
// one visitor after the other would.
type Tap struct {
	rw    io.ReadWriter
	wire  *Wire
	every time.Duration
	frame []byte
}

const tapBaud = 9600

// New7941E returns a reader that tells a fob of five bytes.
func New7941E(rw io.ReadWriter, fob [5]byte, every time.Duration) *Tap {
	f := append([]byte{0x0A, 0x02}, fob[:]...)
	var check byte
	for _, b := range f {
		check ^= b
	}
	return newTap(rw, every, append(append([]byte{0x02}, f...), check, 0x03))
}

// NewSSIScanner returns a scanner that tells a QR code in a frame of the Simple Serial Interface. It goes on whether or not
// it is acknowledged.
func NewSSIScanner(rw io.ReadWriter, text string, every time.Duration) (*Tap, error) {
	if len(text) == 0 || len(text) > 240 {
		return nil, fmt.Errorf("code of %d characters: want 1 to 240", len(text))
	}
	f := append([]byte{byte(len(text) + 5), 0xF3, 0, 0, 0xF1}, text...)
	sum := 0
	for _, b := range f {
		sum += int(b)
	}
	return newTap(rw, every, append(f, byte(-sum>>8), byte(-sum))), nil
}

// NewTextScanner returns a scanner that tells a code as a line of text with CR LF.
func NewTextScanner(rw io.ReadWriter, text string, every time.Duration) *Tap {
	return newTap(rw, every, []byte(text+"\r\n"))
}

func newTap(rw io.ReadWriter, every time.Duration, frame []byte) *Tap {
	return &Tap{rw: rw, wire: NewWire(rw, tapBaud), every: every, frame: frame}
}

// Run works until ctx ends; then it returns nil. It fails only if reading or writing does.
func (t *Tap) Run(ctx context.Context) error {
	deaf := func([]byte) error { return nil }
	if err := converse(ctx, t.rw, deaf, t.every, func() error { return t.wire.Send(ctx, t.frame) }); err != nil {
		return fmt.Errorf("reader that tells once: %w", err)
	}
	return nil
}
