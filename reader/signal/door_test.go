package signal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"foyer/reader/link"
)

// leaf is a contact in a bubble: it stands as the last of moves that has come.
type leaf struct {
	moves chan bool
	gone  chan struct{}
	shut  bool
}

func (l *leaf) Next(wait time.Duration) (closed, moved bool, err error) {
	if wait <= 0 {
		panic("a wait without a limit")
	}
	select {
	case l.shut = <-l.moves:
		return l.shut, true, nil
	case <-l.gone:
		return false, false, link.ErrUnplugged
	case <-time.After(wait):
		return l.shut, false, nil
	}
}

func (l *leaf) Close() error { return nil }

// swing runs a door and returns what was told.
func swing(t *testing.T, settle time.Duration, play func(l *leaf)) string {
	var story strings.Builder
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		l := &leaf{moves: make(chan bool, 100), gone: make(chan struct{}), shut: true}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() {
			ended <- watch(ctx, DoorConfig{Name: "front", Settle: settle}, l, func(d Door) {
				fmt.Fprintf(&story, "%v open=%v; ", d.At.Sub(begun).Round(ms), d.Open)
			})
		}()
		play(l)
		cancel()
		if err := <-ended; err != nil && !errors.Is(err, link.ErrUnplugged) {
			t.Error(err)
		}
	})
	return story.String()
}

func TestDoor(t *testing.T) {
	got := swing(t, 0, func(l *leaf) {
		after(time.Second)
		for i, shut := range []bool{false, true, false, true, false} { // it bounces
			after(time.Duration(i) * 2 * ms)
			l.moves <- shut
		}
		after(time.Minute)
		l.moves <- true
		after(time.Minute)
		l.moves <- false // a knock
		after(10 * ms)
		l.moves <- true
		after(time.Minute)
	})
	if want := "0s open=false; 1.02s open=true; 1m1.02s open=false; "; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// A contact that bounces while we look elsewhere stands as before and has moved: it does not rest.
func TestAContactThatNeverRests(t *testing.T) {
	got := swing(t, 100*ms, func(l *leaf) {
		for range 100 {
			l.moves <- false
			after(60 * ms)
		}
	})
	if got != "" {
		t.Errorf("told %s", got)
	}
}

func TestADoorWhoseChipVanishes(t *testing.T) {
	got := swing(t, 0, func(l *leaf) {
		after(time.Second)
		close(l.gone)
		after(time.Second)
	})
	if got != "0s open=false; " {
		t.Errorf("told %s", got)
	}
}

// A contact whose chip vanishes is told of once, opened again, and told of again: how the door stands then.
func TestAContactThatComesBack(t *testing.T) {
	var story strings.Builder
	synctest.Test(t, func(t *testing.T) {
		first := &leaf{moves: make(chan bool), gone: make(chan struct{}), shut: true}
		second := &leaf{moves: make(chan bool), gone: make(chan struct{})}
		opened := 0
		c := DoorConfig{Name: "front", Port: "gpio:X", Log: slog.New(slog.DiscardHandler),
			Trouble: func(err error) { fmt.Fprintf(&story, "trouble %v; ", err) },
			Open: func(context.Context) (Contact, error) {
				switch opened++; opened {
				case 1:
					return first, nil
				case 2, 3:
					return nil, link.ErrNoDevice
				}
				return second, nil
			}}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- WatchDoor(ctx, c, func(d Door) { fmt.Fprintf(&story, "open=%v; ", d.Open) }) }()
		after(time.Second)
		close(first.gone)
		after(time.Minute)
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	if want := fmt.Sprintf("open=false; trouble %v; trouble <nil>; open=true; ", link.ErrUnplugged); story.String() != want {
		t.Errorf("got  %s\nwant %s", story.String(), want)
	}
}

func TestADoorThatCanNeverOpen(t *testing.T) {
	c := DoorConfig{Name: "front", Port: "gpio:A,B", Log: slog.New(slog.DiscardHandler)}
	if err := WatchDoor(t.Context(), c, nil); !errors.Is(err, link.ErrBadPort) {
		t.Error(err)
	}
}
