package signal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// lamp writes down what it does, in the time of its bubble.
type lamp struct {
	name   string
	story  *strings.Builder
	begun  time.Time
	broken atomic.Bool
	opened int
}

func (l *lamp) open() (Switch, error) {
	l.opened++
	if l.broken.Load() {
		return nil, errors.New("no such line")
	}
	return l, nil
}

func (l *lamp) Set(on bool) error {
	if l.broken.Load() {
		return errors.New("chip is gone")
	}
	fmt.Fprintf(l.story, "%v %s %v\n", time.Since(l.begun), l.name, on)
	return nil
}

func (l *lamp) Close() error {
	fmt.Fprintf(l.story, "%v %s closed\n", time.Since(l.begun), l.name)
	return nil
}

// shining runs lamps in a bubble until play returns, and returns what they did and logged.
func shining(t *testing.T, play func(l *Lamps, green, buzzer *lamp)) (story, logged string) {
	synctest.Test(t, func(t *testing.T) {
		var text strings.Builder
		var log bytes.Buffer
		green := &lamp{name: "green", story: &text, begun: time.Now()}
		buzzer := &lamp{name: "buzzer", story: &text, begun: time.Now()}
		known, err := ParsePattern("green 2s, buzzer 2x100ms")
		if err != nil {
			t.Fatal(err)
		}
		l, err := NewLamps(Config{
			Outputs:  map[string]func() (Switch, error){"green": green.open, "buzzer": buzzer.open},
			Patterns: map[Event]Pattern{Known: known},
			Log:      slog.New(slog.NewTextHandler(&log, nil)),
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- l.Run(ctx) }()
		synctest.Wait()
		play(l, green, buzzer)
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		story, logged = text.String(), log.String()
	})
	return story, logged
}

func after(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// has reports whether the story has all the lines, in order, perhaps with others between.
func has(t *testing.T, story string, lines ...string) {
	t.Helper()
	rest := story
	for _, line := range lines {
		_, after, ok := strings.Cut("\n"+rest, "\n"+line+"\n")
		if !ok {
			t.Fatalf("no %q in order in\n%s", line, story)
		}
		rest = after
	}
}

func TestGreenAndTwoBeeps(t *testing.T) {
	story, logged := shining(t, func(l *Lamps, _, _ *lamp) {
		after(time.Minute)
		l.Signal(Known)
		l.Signal(Unknown) // has no pattern
		after(time.Minute)
	})
	has(t, story, "1m0s green true", "1m2s green false", "2m0s green closed")
	has(t, story, "1m0s buzzer true", "1m0.1s buzzer false", "1m0.2s buzzer true", "1m0.3s buzzer false", "2m0s buzzer closed")
	if n := strings.Count(story, "true"); n != 3 || logged != "" {
		t.Errorf("on %d times, log %q:\n%s", n, logged, story)
	}
}

// Who taps in the middle of a pattern hears it anew, and the lamp goes on without a flicker.
func TestASecondTap(t *testing.T) {
	story, _ := shining(t, func(l *Lamps, _, _ *lamp) {
		l.Signal(Known)
		after(1500 * ms)
		l.Signal(Known)
		after(time.Minute)
	})
	has(t, story, "0s green true", "3.5s green false")
	has(t, story, "300ms buzzer false", "1.5s buzzer true", "1.8s buzzer false")
	if strings.Count(story, "green true") != 1 {
		t.Error(story)
	}
}

func TestTheEndSwitchesOff(t *testing.T) {
	story, _ := shining(t, func(l *Lamps, _, _ *lamp) {
		l.Signal(Known)
		after(50 * ms)
	})
	has(t, story, "0s green true", "50ms green false", "50ms green closed")
	has(t, story, "0s buzzer true", "50ms buzzer false", "50ms buzzer closed")
}

func TestALampThatBreaksIsTriedAgain(t *testing.T) {
	story, logged := shining(t, func(l *Lamps, green, buzzer *lamp) {
		green.broken.Store(true)
		for range 3 {
			l.Signal(Known)
			after(time.Minute)
		}
		green.broken.Store(false)
		l.Signal(Known)
		after(time.Minute)
	})
	has(t, story, "3m0s green true", "3m2s green false")
	if strings.Count(story, "buzzer true") != 8 {
		t.Errorf("the buzzer did not go on alone:\n%s", story)
	}
	if strings.Count(logged, "level=WARN") != 1 || strings.Count(logged, "level=INFO") != 1 {
		t.Errorf("log:\n%s", logged)
	}
}

// An output that rests is looked at too: its chip's going is told within seconds, and so is its return.
func TestALampThatBreaksWhileItRests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var text, told strings.Builder
		green := &lamp{name: "green", story: &text, begun: time.Now()}
		green.broken.Store(true)
		l, err := NewLamps(Config{
			Outputs: map[string]func() (Switch, error){"green": green.open},
			Tell:    func(output string, err error) { fmt.Fprintf(&told, "%v %s %v; ", time.Since(green.begun), output, err) },
			Log:     slog.New(slog.DiscardHandler),
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- l.Run(ctx) }()
		after(12 * time.Second)
		green.broken.Store(false)
		after(10 * time.Second)
		green.broken.Store(true)
		after(10 * time.Second)
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if want := "0s green no such line; 15s green <nil>; 25s green chip is gone; "; told.String() != want {
			t.Errorf("got  %s\nwant %s", told.String(), want)
		}
	})
}

func TestManySignalsDoNotWait(t *testing.T) {
	shining(t, func(l *Lamps, _, _ *lamp) {
		for range 1000 {
			l.Signal(Known)
		}
	})
}

func TestLampsThatCannotBe(t *testing.T) {
	_, err := NewLamps(Config{
		Patterns: map[Event]Pattern{"pleased": nil, Known: {{Output: "blue", Times: 1, On: time.Second, Off: time.Second}}},
		Log:      slog.New(slog.DiscardHandler),
	})
	for _, want := range []string{`no event "pleased"`, `no output "blue"`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	if _, err := NewLamps(Config{}); err == nil {
		t.Error("lamps without a log")
	}
}
