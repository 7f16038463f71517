package link

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"sync"
	"time"
)

// replay plays what a reader once said, at the recorded times. What is sent to it goes nowhere.
type replay struct {
	chunks []Chunk // still to come
	begun  time.Time
	close  sync.Once
	closed chan struct{}
}

const maxCaptureFile = 64 << 20

func openReplay(port, path string) (Link, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, &OpenError{Port: port, Kind: ErrNoDevice, Hint: "there is no such recording", Err: err}
	case err != nil:
		return nil, &OpenError{Port: port, Kind: ErrDenied, Hint: err.Error(), Err: err}
	case info.Size() > maxCaptureFile:
		return nil, &OpenError{Port: port, Kind: ErrBadPort, Hint: fmt.Sprintf("the recording is over %d MiB", maxCaptureFile>>20)}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, &OpenError{Port: port, Kind: ErrDenied, Hint: err.Error(), Err: err}
	}
	l := &replay{begun: time.Now(), closed: make(chan struct{})}
	for c, err := range ReadCapture(strings.NewReader(string(text))) {
		if err != nil {
			return nil, &OpenError{Port: port, Kind: ErrBadPort, Hint: err.Error(), Err: err}
		}
		if !c.Sent {
			l.chunks = append(l.chunks, c)
		}
	}
	return l, nil
}

// Receive implements Link. After the last chunk it fails with ErrEnded.
func (l *replay) Receive(p []byte, wait time.Duration) (int, error) {
	if l.isClosed() {
		return 0, fmt.Errorf("read: %w", ErrClosed)
	}
	if len(l.chunks) == 0 {
		return 0, ErrEnded
	}
	due := time.Until(l.begun.Add(l.chunks[0].At))
	if due > 0 {
		select {
		case <-l.closed:
			return 0, fmt.Errorf("read: %w", ErrClosed)
		case <-time.After(min(due, max(wait, time.Millisecond))):
		}
	}
	if due > wait {
		return 0, nil
	}
	next := &l.chunks[0]
	n := copy(p, next.Data)
	if next.Data = next.Data[n:]; len(next.Data) == 0 {
		l.chunks = l.chunks[1:]
	}
	return n, nil
}

// Send implements Link.
func (l *replay) Send([]byte) error {
	if l.isClosed() {
		return fmt.Errorf("write: %w", ErrClosed)
	}
	return nil
}

// Close implements Link.
func (l *replay) Close() error {
	l.close.Do(func() { close(l.closed) })
	return nil
}

func (l *replay) isClosed() bool {
	select {
	case <-l.closed:
		return true
	default:
		return false
	}
}
