// Package linktest holds what every kind of link, and every source of edges, must do.
//
// In: a way to open one, with a far end that the test moves. Out: failed tests. Waits are real, but no test depends on how
// long one took.
// It never opens a device itself.
// Called by the tests of reader/link.
package linktest

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"foyer/reader/link"
)

// Far is the other end of an open link.
type Far struct {
	Unplug func()             // takes the device away; nil where the recording's end does that
	Hear   func(n int) []byte // the next n bytes that were sent; nil for one that is deaf
	Gone   error              // what Receive says after Unplug
}

// Open opens a link on which the far end says each of the given pieces, in order, and then nothing more.
type Open func(t *testing.T, says ...[]byte) (link.Link, Far)

// patience is how long a test waits for what must come.
const patience = 10 * time.Second

// Run tests one kind of link.
func Run(t *testing.T, open Open) {
	t.Run("bytes come as they were said", func(t *testing.T) { bytesCome(t, open) })
	t.Run("a short buffer loses nothing", func(t *testing.T) { shortBuffer(t, open) })
	t.Run("what is sent arrives", func(t *testing.T) { sentArrives(t, open) })
	t.Run("an unplugged device is no close of ours", func(t *testing.T) { unplug(t, open) })
	t.Run("our close ends a wait and is told apart", func(t *testing.T) { closeEndsWait(t, open) })
	t.Run("closing twice, and sending after it, is safe", func(t *testing.T) { afterClose(t, open) })
}

// collect receives until n bytes are there.
func collect(t *testing.T, l link.Link, n, buffer int) []byte {
	t.Helper()
	var got []byte
	for end := time.Now().Add(patience); len(got) < n; {
		p := make([]byte, buffer)
		k, err := l.Receive(p, 50*time.Millisecond)
		if err != nil {
			t.Fatalf("receive after %d of %d bytes: %v", len(got), n, err)
		}
		if got = append(got, p[:k]...); time.Now().After(end) {
			t.Fatalf("only %d of %d bytes came: % X", len(got), n, got)
		}
	}
	return got
}

// everyByte holds all 256 values: a line that is not raw would eat or change some.
func everyByte() []byte {
	p := make([]byte, 256)
	for i := range p {
		p[i] = byte(i)
	}
	return p
}

func bytesCome(t *testing.T, open Open) {
	all := everyByte()
	l, _ := open(t, all[:1], all[1:100], all[100:])
	if got := collect(t, l, len(all), 64); !bytes.Equal(got, all) {
		t.Errorf("got % X", got)
	}
}

func shortBuffer(t *testing.T, open Open) {
	l, _ := open(t, []byte("one two three"))
	if got := collect(t, l, 13, 1); string(got) != "one two three" {
		t.Errorf("got %q", got)
	}
}

func sentArrives(t *testing.T, open Open) {
	l, far := open(t)
	if err := l.Send(everyByte()); err != nil {
		t.Fatal(err)
	}
	if far.Hear == nil {
		return
	}
	if got := far.Hear(256); !bytes.Equal(got, everyByte()) {
		t.Errorf("the far end heard % X", got)
	}
}

func unplug(t *testing.T, open Open) {
	l, far := open(t, []byte("x"))
	collect(t, l, 1, 8)
	if far.Unplug != nil {
		if n, err := l.Receive(make([]byte, 8), 5*time.Millisecond); n != 0 || err != nil {
			t.Fatalf("nothing was said: got %d bytes, %v", n, err)
		}
		far.Unplug()
	}
	err := receiveError(t, l)
	if !errors.Is(err, far.Gone) || errors.Is(err, link.ErrClosed) {
		t.Errorf("got %v, want %v", err, far.Gone)
	}
}

func closeEndsWait(t *testing.T, open Open) {
	l, _ := open(t, []byte("x"), []byte("y"))
	collect(t, l, 1, 1)
	closed := make(chan error, 1)
	go func() { closed <- l.Close() }()
	if err := receiveError(t, l); !errors.Is(err, link.ErrClosed) || errors.Is(err, link.ErrUnplugged) {
		t.Errorf("got %v, want %v", err, link.ErrClosed)
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
}

func afterClose(t *testing.T, open Open) {
	l, _ := open(t)
	for range 2 {
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Send([]byte("x")); !errors.Is(err, link.ErrClosed) {
		t.Errorf("send: got %v, want %v", err, link.ErrClosed)
	}
	if _, err := l.Receive(make([]byte, 1), time.Millisecond); !errors.Is(err, link.ErrClosed) {
		t.Errorf("receive: got %v, want %v", err, link.ErrClosed)
	}
}

// receiveError receives until that fails.
func receiveError(t *testing.T, l link.Link) error {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); {
		if _, err := l.Receive(make([]byte, 8), time.Second); err != nil {
			return err
		}
	}
	t.Fatal("the line did not break")
	return nil
}
