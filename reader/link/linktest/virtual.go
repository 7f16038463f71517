package linktest

import (
	"bytes"
	"errors"
	"net"
	"os"
	"slices"
	"sync"
	"time"

	"foyer/reader/link"
)

// Wire is a serial line that works in virtual time: a link.Link on one side, and what a simulated reader talks on, an
// io.ReadWriter with a deadline, on the other.
type Wire struct {
	toHost, toDevice chan []byte
	rest             []byte        // of what the host did not take at once
	expire           chan struct{} // ends the device's waiting Read
	broken           chan struct{} // unplugged
	mu               sync.Mutex
	commands         [][]byte // that the host sent
}

// NewWire returns a line that is plugged in.
func NewWire() *Wire {
	return &Wire{
		toHost: make(chan []byte, 4096), toDevice: make(chan []byte, 64),
		expire: make(chan struct{}, 1), broken: make(chan struct{}),
	}
}

// Sent lists the commands that the host sent.
func (w *Wire) Sent() [][]byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.commands)
}

// Unplug takes the line away for good.
func (w *Wire) Unplug() { close(w.broken) }

// Receive implements link.Link.
func (w *Wire) Receive(p []byte, wait time.Duration) (int, error) {
	if len(w.rest) == 0 {
		select {
		case <-w.broken:
			return 0, link.ErrUnplugged
		case w.rest = <-w.toHost:
		case <-time.After(wait):
			return 0, nil
		}
	}
	n := copy(p, w.rest)
	w.rest = w.rest[n:]
	return n, nil
}

// Send implements link.Link.
func (w *Wire) Send(p []byte) error {
	w.mu.Lock()
	w.commands = append(w.commands, bytes.Clone(p))
	w.mu.Unlock()
	select {
	case w.toDevice <- bytes.Clone(p):
	default: // a deaf device
	}
	return nil
}

// Close implements link.Link. The line can be opened again.
func (w *Wire) Close() error { return nil }

// Read is the device's: what the host sent.
func (w *Wire) Read(p []byte) (int, error) {
	select {
	case b := <-w.toDevice:
		return copy(p, b), nil
	case <-w.expire:
		return 0, os.ErrDeadlineExceeded
	}
}

// SetReadDeadline is the device's: any time but zero ends its waiting Read.
func (w *Wire) SetReadDeadline(t time.Time) error {
	if !t.IsZero() {
		w.expire <- struct{}{}
	}
	return nil
}

// Write is the device's.
func (w *Wire) Write(p []byte) (int, error) {
	w.toHost <- bytes.Clone(p)
	return len(p), nil
}

// Lines is a pair of Wiegand lines that works in virtual time.
type Lines struct {
	edges chan link.Edge
	gone  chan struct{}
	begun time.Time
}

// NewLines returns two quiet lines.
func NewLines() *Lines {
	return &Lines{edges: make(chan link.Edge, 1024), gone: make(chan struct{}), begun: time.Now()}
}

// Vanish takes the chip away for good.
func (l *Lines) Vanish() { close(l.gone) }

// Next implements link.Edges.
func (l *Lines) Next(wait time.Duration) (link.Edge, bool, error) {
	if wait <= 0 {
		panic("a wait without a limit")
	}
	select {
	case e := <-l.edges:
		return e, true, nil
	case <-l.gone:
		return link.Edge{}, false, link.ErrUnplugged
	case <-time.After(wait):
		return link.Edge{}, false, nil
	}
}

// Stamped implements link.Edges.
func (l *Lines) Stamped() bool { return false }

// Close implements link.Edges. The lines can be opened again.
func (l *Lines) Close() error { return nil }

// Pull plays bits, a pulse every millisecond.
func (l *Lines) Pull(bits string) {
	for _, b := range bits {
		time.Sleep(time.Millisecond)
		l.edges <- link.Edge{Line: int(b - '0'), At: time.Since(l.begun)}
	}
}

// Cable is a network connection as a link.Link; over a net.Pipe it works in virtual time.
type Cable struct{ net.Conn }

// Receive implements link.Link.
func (c Cable) Receive(p []byte, wait time.Duration) (int, error) {
	if err := c.SetReadDeadline(time.Now().Add(wait)); err != nil {
		return 0, link.ErrClosed
	}
	n, err := c.Read(p)
	if n > 0 || errors.Is(err, os.ErrDeadlineExceeded) {
		return n, nil
	}
	return 0, link.ErrUnplugged
}

// Send implements link.Link.
func (c Cable) Send(p []byte) error {
	if c.SetWriteDeadline(time.Now().Add(2*time.Second)) != nil {
		return link.ErrClosed
	}
	if _, err := c.Write(p); err != nil {
		return link.ErrUnplugged
	}
	return nil
}
