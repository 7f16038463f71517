package sim

import (
	"context"
	"errors"
	"io"
	"os"
	"sync"
	"time"
)

// converse reads what the host sends and gives it to hear, and calls tick every so often; both run on the caller's
// goroutine, so a simulator needs no lock between them. It ends when ctx does, with nil, or when reading or writing fails.
// If rw has SetReadDeadline, nothing is left behind; otherwise a waiting Read ends with the next byte.
func converse(ctx context.Context, rw io.ReadWriter, hear func([]byte) error, every time.Duration, tick func() error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	heard, broken := make(chan []byte), make(chan error, 1)
	var reading sync.WaitGroup
	reading.Go(func() { broken <- listen(ctx, rw, heard) })
	if d, ok := rw.(interface{ SetReadDeadline(time.Time) error }); ok {
		defer func() { cancel(); d.SetReadDeadline(time.Now()); reading.Wait(); d.SetReadDeadline(time.Time{}) }()
	}
	next := time.NewTicker(every)
	defer next.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return nil
		case err = <-broken:
		case b := <-heard:
			err = hear(b)
		case <-next.C:
			err = tick()
		}
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// listen passes on what comes until reading fails or ctx ends.
func listen(ctx context.Context, r io.Reader, heard chan<- []byte) error {
	buffer := make([]byte, 256)
	for ctx.Err() == nil {
		n, err := r.Read(buffer)
		if n > 0 {
			select {
			case heard <- append([]byte(nil), buffer[:n]...):
			case <-ctx.Done():
			}
		}
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			return err
		}
	}
	return ctx.Err()
}

// idle is a tick that does nothing.
func idle() error { return nil }
