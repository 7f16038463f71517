package demo

import (
	"context"
	"fmt"
	"io"
	"net"
	"sync"
)

// Wire is the line between the store and headquarters: a TCP relay on loopback that can be cut.
// Cut, it drops what is connected and refuses what comes.
type Wire struct {
	ln     net.Listener
	target func() string // asked at each connection: headquarters may come back at another port

	mu    sync.Mutex
	cut   bool
	conns map[net.Conn]struct{}
}

// NewWire listens on a free port of loopback.
func NewWire(target func() string) (*Wire, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("open the wire: %w", err)
	}
	return &Wire{ln: ln, target: target, conns: map[net.Conn]struct{}{}}, nil
}

// Addr is where the store's end is.
func (w *Wire) Addr() string { return w.ln.Addr().String() }

// Cut cuts or mends the wire.
func (w *Wire) Cut(cut bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cut = cut
	if cut {
		for c := range w.conns {
			c.Close()
		}
	}
}

// IsCut reports whether the wire is cut.
func (w *Wire) IsCut() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.cut
}

// Run relays until ctx ends.
func (w *Wire) Run(ctx context.Context) error {
	var all sync.WaitGroup
	defer all.Wait()
	stop := context.AfterFunc(ctx, func() {
		w.ln.Close()
		w.Cut(true)
	})
	defer stop()
	for {
		c, err := w.ln.Accept()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("accept on the wire: %w", err)
		}
		all.Go(func() { w.relay(c) })
	}
}

func (w *Wire) relay(c net.Conn) {
	defer c.Close()
	if w.IsCut() {
		return
	}
	far, err := net.Dial("tcp", w.target())
	if err != nil {
		return
	}
	defer far.Close()
	if !w.keep(c, far) {
		return
	}
	defer w.forget(c, far)
	var both sync.WaitGroup
	both.Go(func() { io.Copy(far, c); far.Close() })
	both.Go(func() { io.Copy(c, far); c.Close() })
	both.Wait()
}

func (w *Wire) keep(conns ...net.Conn) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range conns {
		w.conns[c] = struct{}{}
	}
	return !w.cut
}

func (w *Wire) forget(conns ...net.Conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range conns {
		delete(w.conns, c)
	}
}
