package reader

import (
	"bytes"
	"context"
	"encoding/hex"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"foyer/firmware-profiles"
	"foyer/reader/link"
	"foyer/reader/link/linktest"
	"foyer/reader/tag"
)

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
func on(w *linktest.Wire) func(*Reader) {
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
