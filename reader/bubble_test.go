package reader

import (
	"bytes"
	"context"
	"encoding/hex"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"foyer/firmware-profiles"
	"foyer/reader/link"
	"foyer/reader/tag"
)

// wire is a serial line in virtual time: a link.Link on one side, an io.ReadWriter for a simulated reader on the other.
type wire struct {
	toHost, toDevice chan []byte
	rest             []byte        // of what the host did not take at once
	expire           chan struct{} // ends the device's waiting Read
	broken           chan struct{} // unplugged
	mu               sync.Mutex
	commands         [][]byte // that the host sent
}

// sent lists the commands that the host sent.
func (w *wire) sent() [][]byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.commands)
}

func newWire() *wire {
	return &wire{
		toHost: make(chan []byte, 4096), toDevice: make(chan []byte, 64),
		expire: make(chan struct{}, 1), broken: make(chan struct{}),
	}
}

func (w *wire) Receive(p []byte, wait time.Duration) (int, error) {
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

func (w *wire) Send(p []byte) error {
	w.mu.Lock()
	w.commands = append(w.commands, bytes.Clone(p))
	w.mu.Unlock()
	select {
	case w.toDevice <- bytes.Clone(p):
	default: // a deaf device
	}
	return nil
}

func (w *wire) Close() error { return nil }

func (w *wire) Read(p []byte) (int, error) {
	select {
	case b := <-w.toDevice:
		return copy(p, b), nil
	case <-w.expire:
		return 0, os.ErrDeadlineExceeded
	}
}

func (w *wire) SetReadDeadline(t time.Time) error {
	if !t.IsZero() {
		w.expire <- struct{}{}
	}
	return nil
}

func (w *wire) Write(p []byte) (int, error) {
	w.toHost <- bytes.Clone(p)
	return len(p), nil
}

func unhex(text string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	if err != nil {
		panic(err)
	}
	return b
}

var secret = bytes.Repeat([]byte{7}, 32)

// id is what a read of a number carries.
func id(scheme tag.Scheme, number string) tag.ID {
	n, err := tag.NewNumber(scheme, unhex(number))
	if err != nil {
		panic(err)
	}
	key, err := tag.NewKey(secret)
	if err != nil {
		panic(err)
	}
	return key.ID(n)
}

// shop is a reader under test.
type shop struct {
	*Reader
	reads chan tag.Read
	stop  func() error

	mu    sync.Mutex
	told  []Health // every change
	lines bytes.Buffer
}

func (s *shop) hear(h Health) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.told = append(s.told, h)
}

// Write takes the log.
func (s *shop) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lines.Write(p)
}

// log is what was logged so far.
func (s *shop) log() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lines.String()
}

// bubble runs a test in virtual time, with a reader of the profile whose line is opened by open.
func bubble(t *testing.T, profile string, dial func(*Reader), test func(t *testing.T, s *shop)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p, ok := profiles.Find(profile)
		if !ok {
			t.Fatalf("no profile %s", profile)
		}
		port := "/dev/null"
		if p.Kind == profiles.WiegandGPIO {
			port = "gpio:A,B"
		}
		if p.Kind == profiles.LLRPNetwork {
			port = "tcp://reader:5084"
		}
		s := &shop{reads: make(chan tag.Read, 1000)}
		log := slog.New(slog.NewTextHandler(s, &slog.HandlerOptions{Level: slog.LevelInfo}))
		r, err := New(Config{Name: "door", Profile: p, Port: port, Secret: secret, Log: log})
		if err != nil {
			t.Fatal(err)
		}
		dial(r)
		s.Reader = r
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- r.Run(ctx, s.reads, s.hear) }()
		s.stop = sync.OnceValue(func() error { cancel(); return <-ended })
		defer s.stop()
		test(t, s)
	})
}

// on makes a dialer that gives the same line every time.
func on(w *wire) func(*Reader) {
	s := &socket[link.Link]{}
	s.put(w, nil)
	return func(r *Reader) { r.serial = s.dialer() }
}

// socket is where a line is plugged in: what the next opening gives.
type socket[L io.Closer] struct {
	mu   sync.Mutex
	line L
	err  error
}

func (s *socket[L]) put(line L, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.line, s.err = line, err
}

func (s *socket[L]) dialer() *link.Dialer[L] {
	open := func(context.Context) (L, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.line, s.err
	}
	return &link.Dialer[L]{Open: open, Trace: func() string { return "" }}
}

// after lets virtual time pass.
func after(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// whys is the story that the health told.
func (s *shop) whys() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var story []string
	for _, h := range s.told {
		why := h.Why
		if h.Online {
			why = "online"
		}
		story = append(story, why)
	}
	return strings.Join(story, " ")
}

// logged counts the lines of the log.
func (s *shop) logged() int { return strings.Count(s.log(), "\n") }
