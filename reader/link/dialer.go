package link

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"syscall"
	"time"
)

// Dialer keeps one line open: whenever it breaks, it is closed at once and opened again.
type Dialer[L io.Closer] struct {
	Open  func(ctx context.Context) (L, error)
	Trace func() string // a fingerprint of the device: any change to one that is not empty means "try now"
}

// Dial returns a Dialer for a byte line.
func Dial(port string, s Settings) *Dialer[Link] {
	return &Dialer[Link]{
		Open:  func(ctx context.Context) (Link, error) { return Open(ctx, port, s) },
		Trace: func() string { return trace(port) },
	}
}

// The back-off: 100 ms, doubled up to 2 s, each shortened by up to a quarter so that ten readers on one hub do not
// knock together. The device itself is looked at every 100 ms, so one that returns is open well within 2 s.
const (
	firstWait = 100 * time.Millisecond
	maxWait   = 2 * time.Second
	lookEvery = 100 * time.Millisecond
)

// Run opens the line and gives it to use, again and again, until ctx ends. use returns soon after ctx has ended, and
// the line is closed whenever it returns. lost is told each time the line does not open or use returned an error. Both
// run on Run's goroutine.
//
// It returns nil when ctx ends or a recording is over, and the *OpenError of a port that can never open (ErrBadPort).
func (d *Dialer[L]) Run(ctx context.Context, use func(context.Context, L) error, lost func(error)) error {
	wait := firstWait
	for ctx.Err() == nil {
		before := d.Trace()
		lived, err := d.once(ctx, use)
		switch {
		case ctx.Err() != nil || errors.Is(err, ErrEnded):
			return nil
		case errors.Is(err, ErrBadPort):
			return err
		case err != nil:
			lost(err)
		}
		if lived > maxWait {
			wait = firstWait // it worked for a while: a new trouble, not the old one
		}
		if d.pause(ctx, wait-rand.N(wait/4), before) {
			wait = firstWait
		} else {
			wait = min(2*wait, maxWait)
		}
	}
	return nil
}

// once opens the line and uses it, and says how long it was open.
func (d *Dialer[L]) once(ctx context.Context, use func(context.Context, L) error) (time.Duration, error) {
	l, err := d.Open(ctx)
	if err != nil {
		return 0, err
	}
	defer l.Close()
	opened := time.Now()
	err = use(ctx, l)
	return time.Since(opened), err
}

// pause waits, and reports whether it was cut short because the device changed.
func (d *Dialer[L]) pause(ctx context.Context, wait time.Duration, before string) bool {
	for wait > 0 {
		step := min(wait, lookEvery)
		select {
		case <-ctx.Done():
			return false
		case <-time.After(step):
		}
		wait -= step
		now := d.Trace()
		if now != before && now != "" {
			return true
		}
		before = now
	}
	return false
}

// trace is empty while there is no device. It changes when another takes its place, even under the same number, and when
// its owner changes (udev makes the node first and gives it to its group a moment later).
func trace(port string) string {
	path := port
	if strings.HasPrefix(port, "usb:") {
		path, _ = findUSB(sysRoot, port)
	}
	if !strings.HasPrefix(path, "/") {
		return ""
	}
	link, err := os.Lstat(path)
	if err != nil {
		return ""
	}
	device, err := os.Stat(path)
	if err != nil {
		return ""
	}
	return fingerprint(link) + fingerprint(device)
}

// fingerprint leaves out the times of reading and writing, which a tty changes.
func fingerprint(info os.FileInfo) string {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return info.Name()
	}
	return fmt.Sprint(st.Dev, st.Ino, st.Rdev, st.Mode, st.Uid, st.Gid, st.Ctim.Sec, st.Ctim.Nsec, ";")
}
