package link_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"foyer/reader/link"
)

// door is a device in virtual time.
type door struct {
	from   time.Time // when it is plugged in; zero = never
	serial string
	open   int // now
	tries  []time.Time
}

func (d *door) there() bool { return !d.from.IsZero() && !time.Now().Before(d.from) }

func (d *door) Close() error { d.open--; return nil }

func (d *door) trace() string {
	if !d.there() {
		return ""
	}
	return d.serial
}

func (d *door) dial(context.Context) (*door, error) {
	d.tries = append(d.tries, time.Now())
	if !d.there() {
		return nil, &link.OpenError{Port: "door", Kind: link.ErrNoDevice}
	}
	d.open++
	return d, nil
}

func TestBackOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &door{}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		lost := 0
		dialer := link.Dialer[*door]{Open: d.dial, Trace: d.trace}
		if err := dialer.Run(ctx, nil, func(error) { lost++ }); err != nil {
			t.Fatal(err)
		}
		want := 100 * time.Millisecond
		for i := 1; i < len(d.tries); i++ {
			wait := d.tries[i].Sub(d.tries[i-1])
			if wait > want || wait < want*3/4 {
				t.Errorf("wait %d: %v, want %v to %v", i, wait, want*3/4, want)
			}
			want = min(2*want, 2*time.Second)
		}
		if lost != len(d.tries) || lost < 30 || lost > 45 {
			t.Errorf("%d tries in a minute, %d told", len(d.tries), lost)
		}
	})
}

func TestReturnOfTheDeviceCutsTheBackOffShort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		back := time.Now().Add(time.Minute + 30*time.Millisecond)
		d := &door{from: back, serial: "A1"}
		ctx, cancel := context.WithCancel(t.Context())
		dialer := link.Dialer[*door]{Open: d.dial, Trace: d.trace}
		err := dialer.Run(ctx, func(context.Context, *door) error { cancel(); return nil }, func(error) {})
		if err != nil || time.Since(back) > 150*time.Millisecond {
			t.Errorf("open %v after the return, %v", time.Since(back), err)
		}
		if d.open != 0 {
			t.Errorf("%d links left open", d.open)
		}
	})
}

func TestAFlappingDeviceIsNotHammered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &door{from: time.Now(), serial: "A1"}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		dialer := link.Dialer[*door]{Open: d.dial, Trace: d.trace}
		err := dialer.Run(ctx, func(context.Context, *door) error { return link.ErrUnplugged }, func(error) {})
		if err != nil || len(d.tries) > 45 || d.open != 0 {
			t.Errorf("%d tries in a minute, %d left open, %v", len(d.tries), d.open, err)
		}
	})
}

func TestWhatEndsADialer(t *testing.T) {
	d := &door{from: time.Now()}
	dialer := link.Dialer[*door]{Open: d.dial, Trace: d.trace}
	ended := func(context.Context, *door) error { return link.ErrEnded }
	if err := dialer.Run(t.Context(), ended, func(error) { t.Error("the end of a recording is no loss") }); err != nil {
		t.Error(err)
	}
	never := link.Dial("not a port", link.Settings{})
	if err := never.Run(t.Context(), nil, func(err error) { t.Error(err) }); !errors.Is(err, link.ErrBadPort) {
		t.Errorf("got %v, want %v", err, link.ErrBadPort)
	}
}

func TestTraceFollowsTheSymlink(t *testing.T) {
	name := filepath.Join(t.TempDir(), "door")
	seen := map[string]string{}
	for _, device := range []string{"", "/dev/null", "/dev/zero"} {
		os.Remove(name)
		if device != "" {
			if err := os.Symlink(device, name); err != nil {
				t.Fatal(err)
			}
		}
		trace := link.Trace(name)
		if (trace == "") != (device == "") {
			t.Errorf("%q: trace %q", device, trace)
		}
		if other, ok := seen[trace]; ok {
			t.Errorf("%q and %q look the same", device, other)
		}
		seen[trace] = device
	}
}
