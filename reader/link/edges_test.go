package link_test

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/gpio/gpiotest"

	"foyer/reader/link"
	"foyer/reader/link/linktest"
)

// pin is periph's own test pin, which a test pulls, and which can vanish as periph's lines do when their chip is gone.
type pin struct {
	gpiotest.Pin
	gone  chan struct{}
	hasty int // answers after it was gone; of the one goroutine that watches the pin
}

func newPin() *pin {
	p := &pin{gone: make(chan struct{})}
	p.N, p.Num, p.EdgesChan = "pin", 1, make(chan gpio.Level, 64)
	return p
}

// In refuses what a Wiegand line does not want: it idles high and pulses low.
func (p *pin) In(pull gpio.Pull, e gpio.Edge) error {
	if pull != gpio.PullUp || e != gpio.FallingEdge {
		return errors.New("want pull-up and falling edges")
	}
	return p.Pin.In(pull, e)
}

func (p *pin) WaitForEdge(timeout time.Duration) bool {
	if timeout <= 0 {
		panic("0 and -1 mean different things to different drivers")
	}
	for end := time.Now().Add(timeout); time.Now().Before(end); {
		select {
		case <-p.gone:
			p.hasty++
			return false
		default:
		}
		if p.Pin.WaitForEdge(10 * time.Millisecond) {
			return true
		}
	}
	return false
}

func TestPins(t *testing.T) {
	linktest.RunEdges(t, func(t *testing.T) (link.Edges, linktest.Puller) {
		both := [2]*pin{newPin(), newPin()}
		source, err := link.Pins(both[0], both[1])
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { source.Close() })
		return source, linktest.Puller{
			Pull:   func(line int) { both[line].EdgesChan <- gpio.Low },
			Vanish: func() { close(both[0].gone); close(both[1].gone) },
		}
	})
}

func TestAVanishedPinCostsNoCPU(t *testing.T) {
	first := newPin()
	source, err := link.Pins(first, newPin())
	if err != nil {
		t.Fatal(err)
	}
	close(first.gone)
	for {
		if _, _, err := source.Next(time.Second); err != nil {
			break
		}
	}
	source.Close() // the watchers have ended
	if first.hasty > 6 {
		t.Errorf("asked a dead pin %d times", first.hasty)
	}
}

// set is periph's line set over two lines numbered 17 and 27.
type set struct {
	edges  chan event
	gone   chan struct{}
	closed bool
}

type event struct {
	number int
	edge   gpio.Edge
}

func (s *set) WaitForEdge(timeout time.Duration) (int, gpio.Edge, error) {
	if timeout <= 0 || s.closed {
		panic("a wait without a limit, or on a closed descriptor")
	}
	select {
	case e := <-s.edges:
		return e.number, e.edge, nil
	case <-s.gone:
		return 0, gpio.NoEdge, unix.ENODEV
	case <-time.After(timeout):
		return 0, gpio.NoEdge, &fs.PathError{Op: "read", Path: "gpio-lineset", Err: os.ErrDeadlineExceeded}
	}
}

func (s *set) Close() error { s.closed = true; return nil }

func TestLines(t *testing.T) {
	linktest.RunEdges(t, func(t *testing.T) (link.Edges, linktest.Puller) {
		s := &set{edges: make(chan event, 64), gone: make(chan struct{})}
		source := link.NewLines(s, 17, 27)
		t.Cleanup(func() { source.Close() })
		return source, linktest.Puller{
			Pull: func(line int) {
				number := [2]int{17, 27}[line]
				s.edges <- event{number, gpio.RisingEdge} // of no interest, must not be taken for a bit
				s.edges <- event{5, gpio.FallingEdge}     // not ours
				s.edges <- event{number, gpio.FallingEdge}
			},
			Vanish: func() { close(s.gone) },
		}
	})
}

func TestOpenLinesSaysWhatIsWrong(t *testing.T) {
	before, err := os.Stdin.Stat()
	if err != nil {
		t.Fatal(err)
	}
	for port, kind := range map[string]error{
		"gpio:GPIO17":               link.ErrBadPort,
		"gpio:GPIO17,GPIO17":        link.ErrBadPort,
		"gpio:,GPIO17":              link.ErrBadPort,
		"gpio:A,B,C":                link.ErrBadPort,
		"/dev/gpiochip0":            link.ErrBadPort,
		"gpio:NO_SUCH_A,NO_SUCH_B ": link.ErrNoDevice,
	} {
		if _, err := link.OpenLines(port); !errors.Is(err, kind) || !strings.Contains(err.Error(), port) {
			t.Errorf("%s: got %v, want %v", port, err, kind)
		}
	}
	if after, err := os.Stdin.Stat(); err != nil || !os.SameFile(before, after) {
		t.Errorf("standard input is another file now: %v", err)
	}
}
