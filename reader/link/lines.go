package link

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
	"periph.io/x/conn/v3/driver/driverreg"
	"periph.io/x/conn/v3/gpio"
	"periph.io/x/host/v3/gpioioctl"
)

// How a port of two lines begins. The second one goes through periph whatever the machine has.
const (
	linesPrefix  = "gpio:"
	periphPrefix = "gpio-periph:"
)

// IsLines reports whether a port names two GPIO lines.
func IsLines(port string) bool {
	return strings.HasPrefix(port, linesPrefix) || strings.HasPrefix(port, periphPrefix)
}

// OpenLines opens two kernel GPIO lines, named as "gpio:GPIO17,GPIO27" or "gpio:gpiochip0/17,gpiochip0/27" (data 0, data 1),
// as one request, so that their edges come through one descriptor: the kernel's own where it has chips, else periph's.
// Every failure is an *OpenError.
func OpenLines(port string) (Edges, error) {
	names, err := lineNames(port)
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(port, linesPrefix) && len(chipPaths(devRoot)) > 0 {
		return openKernel(devRoot, port, names)
	}
	return openPeriph(port, names)
}

func openPeriph(port string, names [2]string) (Edges, error) {
	if err := findChips(); err != nil {
		return nil, &OpenError{Port: port, Kind: ErrNoDevice, Hint: err.Error(), Err: err}
	}
	for _, chip := range gpioioctl.Chips {
		first, second := chip.ByName(names[0]), chip.ByName(names[1])
		if first == nil || second == nil {
			continue
		}
		set, err := chip.LineSet(gpioioctl.LineInput, gpio.FallingEdge, gpio.PullUp, names[0], names[1])
		if err != nil {
			return nil, refusedLines(port, err)
		}
		return newLines(set, first.Number(), second.Number()), nil
	}
	return nil, &OpenError{Port: port, Kind: ErrNoDevice, Hint: "no chip has both lines; gpioinfo lists their names"}
}

// DialLines returns a Dialer for two GPIO lines.
func DialLines(port string) *Dialer[Edges] {
	return &Dialer[Edges]{
		Open:  func(context.Context) (Edges, error) { return OpenLines(port) },
		Trace: func() string { return traceChips(devRoot) },
	}
}

func lineNames(port string) ([2]string, error) {
	rest, ok := strings.CutPrefix(port, linesPrefix)
	if !ok {
		rest, ok = strings.CutPrefix(port, periphPrefix)
	}
	first, second, two := strings.Cut(rest, ",")
	first, second = strings.TrimSpace(first), strings.TrimSpace(second)
	if !ok || !two || first == "" || second == "" || first == second || strings.Contains(second, ",") {
		return [2]string{}, &OpenError{Port: port, Kind: ErrBadPort, Hint: `want "gpio:LINE0,LINE1", the names of data 0 and data 1`}
	}
	return [2]string{first, second}, nil
}

// refusedLines sorts errors by text where periph hides the number.
func refusedLines(port string, err error) error {
	open := &OpenError{Port: port, Kind: ErrNoDevice, Hint: err.Error(), Err: err}
	switch {
	case errors.Is(err, unix.EBUSY), strings.Contains(err.Error(), unix.EBUSY.Error()):
		open.Kind, open.Hint = ErrHeld, "gpioinfo tells by whom"
	case errors.Is(err, fs.ErrPermission), strings.Contains(err.Error(), unix.EACCES.Error()):
		open.Kind, open.Hint = ErrDenied, "add the user to the group that owns /dev/gpiochip0, usually gpio"
	}
	return open
}

// findChips lets periph list the chips, once. Only its character-device driver is linked in. When a chip has two names (a
// Raspberry Pi links gpiochip4 to gpiochip0), v3.8.5 closes descriptor 0 on the way, and the next file that anybody opens
// becomes standard input; so it is put back.
var findChips = sync.OnceValue(func() error {
	saved, err := unix.FcntlInt(0, unix.F_DUPFD_CLOEXEC, 3)
	if err == nil {
		defer unix.Close(saved)
	}
	_, initErr := driverreg.Init()
	if err == nil && !sameFile(0, saved) {
		if err := unix.Dup3(saved, 0, 0); err != nil {
			return fmt.Errorf("put standard input back: %w", err)
		}
	}
	if initErr != nil {
		return fmt.Errorf("list gpio chips: %w", initErr)
	}
	if len(gpioioctl.Chips) == 0 {
		return errors.New("this machine has no gpio chip that we may open")
	}
	return nil
})

func sameFile(a, b int) bool {
	var x, y unix.Stat_t
	return unix.Fstat(a, &x) == nil && unix.Fstat(b, &y) == nil && x.Dev == y.Dev && x.Ino == y.Ino
}

// lineSet is what lines needs of a gpioioctl.LineSet.
type lineSet interface {
	WaitForEdge(timeout time.Duration) (number int, edge gpio.Edge, err error)
	Close() error
}

// lines makes edges of one line set. The kernel queues 16 edges a line and drops the oldest beyond that; periph passes
// neither its time stamps nor its counter on. So edges come in the kernel's order, with the times of our reading.
type lines struct {
	set    lineSet
	number [2]int
	closed atomic.Bool
	use    sync.Mutex // held by Next while it waits: Close must not take the descriptor away under it
}

func newLines(set lineSet, first, second int) *lines {
	return &lines{set: set, number: [2]int{first, second}}
}

// Next implements Edges.
func (l *lines) Next(wait time.Duration) (Edge, bool, error) {
	l.use.Lock()
	defer l.use.Unlock()
	for end := time.Now().Add(wait); ; {
		if l.closed.Load() {
			return Edge{}, false, fmt.Errorf("wait for an edge: %w", ErrClosed)
		}
		left := time.Until(end)
		if left <= 0 {
			return Edge{}, false, nil
		}
		number, edge, err := l.set.WaitForEdge(min(left, edgeSlice))
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
		case err != nil:
			return Edge{}, false, fmt.Errorf("wait for an edge: %w (%w)", ErrUnplugged, err)
		case edge == gpio.FallingEdge && number == l.number[0]:
			return Edge{Line: 0, At: sinceEpoch()}, true, nil
		case edge == gpio.FallingEdge && number == l.number[1]:
			return Edge{Line: 1, At: sinceEpoch()}, true, nil
		}
	}
}

// Stamped implements Edges.
func (l *lines) Stamped() bool { return false }

// Close implements Edges. It waits for Next, at most one slice.
func (l *lines) Close() error {
	l.closed.Store(true)
	l.use.Lock()
	defer l.use.Unlock()
	if err := l.set.Close(); err != nil {
		return fmt.Errorf("close gpio lines: %w", err)
	}
	return nil
}
