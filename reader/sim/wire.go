// Package sim is readers without the hardware: they talk on a pseudo-terminal, or any io.ReadWriter, as the real ones do on
// a serial port, with their frames, their cadence and their baud rate.
//
// In: tags that come near and go away, and the commands that the host sends. Out: bytes, each taking its ten bit times.
// RSSI is in dBm.
// It never knows people, and shares no code with reader/frame: a decoder tested against its own encoder proves nothing.
// Called by cmd/foyer (sim, demo) and by tests.
package sim

import (
	"context"
	"io"
	"time"
)

// Wire gives bytes the pace of a UART at 8N1: ten bit times each, true in the mean. A few milliseconds are written at once,
// when the last of them is through.
type Wire struct {
	w    io.Writer
	baud int
	free time.Time // when the line is free again
}

// NewWire paces writes to w. baud is positive.
func NewWire(w io.Writer, baud int) *Wire { return &Wire{w: w, baud: baud} }

// batch is how much time one write may stand for. A timer is late by up to a millisecond on a busy box.
const batch = 4 * time.Millisecond

// Send writes p and returns when its last byte is through, or ctx has ended.
func (w *Wire) Send(ctx context.Context, p []byte) error {
	if now := time.Now(); w.free.Before(now) {
		w.free = now
	}
	for len(p) > 0 {
		n := min(len(p), max(1, int(batch/w.Duration(1))))
		w.free = w.free.Add(w.Duration(n))
		if err := sleepUntil(ctx, w.free); err != nil {
			return err
		}
		if _, err := w.w.Write(p[:n]); err != nil {
			return err
		}
		p = p[n:]
	}
	return nil
}

// Duration is how long n bytes are on the wire.
func (w *Wire) Duration(n int) time.Duration {
	return time.Duration(n) * 10 * time.Second / time.Duration(w.baud)
}

func sleepUntil(ctx context.Context, t time.Time) error {
	timer := time.NewTimer(time.Until(t))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
