package link_test

import (
	"encoding/binary"
	"errors"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"foyer/reader/link"
	"foyer/reader/link/linktest"
)

// request stands for the kernel's end of a line request: a pipe gives the same bytes, and POLLHUP when its end is gone.
type request struct {
	w   *os.File
	seq uint32
	at  uint64
}

// newRequest watches lines 17 and 27.
func newRequest(t *testing.T) (*request, link.Edges) {
	t.Helper()
	fds := make([]int, 2)
	if err := unix.Pipe2(fds, unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	r := &request{w: os.NewFile(uintptr(fds[1]), "request"), at: 1_000_000}
	source, err := link.NewKernel(fds[0], 17, 27)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { source.Close(); r.w.Close() })
	return r, source
}

// event is struct gpio_v2_line_event.
func (r *request) event(kind, line uint32) []byte {
	r.seq++
	r.at += 200_000
	b := binary.NativeEndian.AppendUint64(nil, r.at)
	for _, v := range []uint32{kind, line, r.seq, r.seq, 0, 0, 0, 0, 0, 0} {
		b = binary.NativeEndian.AppendUint32(b, v)
	}
	return b
}

const falling = 2 // GPIO_V2_LINE_EVENT_FALLING_EDGE

func (r *request) send(events ...[]byte) {
	for _, e := range events {
		if _, err := r.w.Write(e); err != nil {
			panic(err)
		}
	}
}

func TestKernel(t *testing.T) {
	linktest.RunEdges(t, func(t *testing.T) (link.Edges, linktest.Puller) {
		r, source := newRequest(t)
		return source, linktest.Puller{
			Pull:   func(line int) { r.send(r.event(falling, [2]uint32{17, 27}[line])) },
			Vanish: func() { r.w.Close() },
		}
	})
}

// What waited while we did not look is given before a wait is over, however short: quiet means that nothing is left.
func TestKernelDrainsBeforeItIsQuiet(t *testing.T) {
	r, source := newRequest(t)
	if !source.Stamped() {
		t.Error("the kernel's times are not taken for what they are")
	}
	for range 200 {
		r.send(r.event(falling, 17))
	}
	for i := range uint32(200) {
		e, ok, err := source.Next(time.Nanosecond)
		if !ok || err != nil || e.Seq != i+1 || e.At != time.Millisecond+time.Duration(i+1)*200*time.Microsecond {
			t.Fatalf("edge %d: %+v %v %v", i, e, ok, err)
		}
	}
	if _, ok, err := source.Next(time.Nanosecond); ok || err != nil {
		t.Error(ok, err)
	}
}

func TestKernelTellsOnlyOfItsLines(t *testing.T) {
	r, source := newRequest(t)
	r.send(r.event(1, 17), r.event(falling, 5), r.event(falling, 27))
	if e, ok, err := source.Next(time.Second); !ok || err != nil || e.Line != 1 || e.Seq != 3 {
		t.Errorf("%+v %v %v", e, ok, err)
	}
}

func TestKernelThatSendsHalfAnEvent(t *testing.T) {
	r, source := newRequest(t)
	r.send(r.event(falling, 17)[:20])
	if e, ok, err := source.Next(time.Second); ok || !errors.Is(err, link.ErrUnplugged) {
		t.Errorf("%+v %v %v", e, ok, err)
	}
}

func TestKernelReadsWithoutAllocating(t *testing.T) {
	r, source := newRequest(t)
	e := r.event(falling, 27)
	allocs := testing.AllocsPerRun(50, func() {
		r.send(e)
		if _, ok, err := source.Next(time.Second); !ok || err != nil {
			t.Fatal(ok, err)
		}
	})
	if allocs > 0 {
		t.Errorf("%v allocations an edge", allocs)
	}
}

func TestNamesOfLines(t *testing.T) {
	find := func(name string) (uint32, bool) {
		return link.FindLine("gpiochip0", "pinctrl-bcm2711", []string{"ID_SDA", "", "GPIO2", "GPIO3"}, name)
	}
	for name, want := range map[string]uint32{"GPIO3": 3, "gpiochip0/1": 1, "pinctrl-bcm2711/2": 2, "ID_SDA": 0} {
		if got, ok := find(name); !ok || got != want {
			t.Errorf("%s: got %d %v, want %d", name, got, ok, want)
		}
	}
	for _, name := range []string{"", "GPIO4", "gpiochip0/4", "gpiochip0/", "gpiochip0/-1", "gpiochip1/0", "gpiochip0/99999999999"} {
		if got, ok := find(name); ok {
			t.Errorf("%q: got %d", name, got)
		}
	}
}

func TestPortsOfTwoLines(t *testing.T) {
	for port, want := range map[string]bool{
		"gpio:A,B": true, "gpio-periph:A,B": true, "/dev/gpiochip0": false, "tcp://gpio:1": false,
	} {
		if link.IsLines(port) != want {
			t.Errorf("%s: got %v", port, !want)
		}
	}
	if _, err := link.OpenLines("gpio-periph:NO_SUCH_A,NO_SUCH_B"); !errors.Is(err, link.ErrNoDevice) {
		t.Error(err)
	}
}

// A machine without chips, and one whose chip is no chip.
func TestChipsThatAreNone(t *testing.T) {
	root := t.TempDir()
	if _, err := link.OpenKernel(root, "gpio:A,B", [2]string{"A", "B"}); !errors.Is(err, link.ErrNoDevice) {
		t.Error(err)
	}
	before := link.TraceChips(root)
	if err := os.WriteFile(root+"/gpiochip0", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := link.OpenKernel(root, "gpio:A,B", [2]string{"A", "B"}); !errors.Is(err, link.ErrNoDevice) {
		t.Error(err)
	}
	if after := link.TraceChips(root); before != "" || after == "" {
		t.Errorf("trace %q, then %q", before, after)
	}
}
