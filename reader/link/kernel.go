package link

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/warthog618/go-gpiocdev/uapi"
	"golang.org/x/sys/unix"
)

// kernel reads the events of one line request itself. The libraries on top of the same interface lose what a card's order
// hangs on: periph v3.8.5 drops the kernel's time and count, go-gpiocdev v0.9.1 forgets the buffer size that it was given,
// and neither says when the chip has gone. So only the numbers and structures of uapi are used.
type kernel struct {
	offset [2]uint32 // of data 0 and data 1 on their chip
	events int       // the request's descriptor
	wake   int       // an eventfd: readable once Close was called
	closed atomic.Bool
	use    sync.Mutex // held by Next: Close must not take the descriptors away under it
	buffer [64 * eventBytes]byte
	first  int // what of the buffer is left
	last   int
}

const (
	// kernelBuffer is how many edges the kernel keeps for us while we are stopped: 21 cards of 48 bits. Without it, it keeps
	// 16 a line, and a reader that was stopped during one long card loses its beginning.
	kernelBuffer = 1024
	// eventBytes is struct gpio_v2_line_event: time 8, kind 4, line 4, count 4, count of the line 4, reserved 24.
	eventBytes = 48
)

// newKernel takes a request's descriptor over.
func newKernel(events int, first, second uint32) (*kernel, error) {
	wake, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("eventfd: %w", err)
	}
	if err := unix.SetNonblock(events, true); err != nil {
		unix.Close(wake)
		return nil, fmt.Errorf("gpio request: %w", err)
	}
	return &kernel{offset: [2]uint32{first, second}, events: events, wake: wake}, nil
}

// Next implements Edges. It says that no edge came only after a poll that found none waiting: a process that was stopped
// in between finds what the kernel kept for it first.
func (k *kernel) Next(wait time.Duration) (Edge, bool, error) {
	k.use.Lock()
	defer k.use.Unlock()
	for end := time.Now().Add(wait); ; {
		if k.closed.Load() {
			return Edge{}, false, fmt.Errorf("wait for an edge: %w", ErrClosed)
		}
		if e, ok := k.take(); ok {
			return e, true, nil
		}
		quiet, err := k.fill(min(time.Until(end), edgeSlice))
		if err != nil {
			return Edge{}, false, fmt.Errorf("wait for an edge: %w (%w)", ErrUnplugged, err)
		}
		if quiet && !time.Now().Before(end) {
			return Edge{}, false, nil
		}
	}
}

// take returns the next falling edge of the buffer.
func (k *kernel) take() (Edge, bool) {
	for k.first < k.last {
		raw := k.buffer[k.first : k.first+eventBytes]
		k.first += eventBytes
		if kind := binary.NativeEndian.Uint32(raw[8:]); kind != uint32(uapi.LineEventFallingEdge) {
			continue
		}
		e := Edge{At: time.Duration(binary.NativeEndian.Uint64(raw)), Seq: binary.NativeEndian.Uint32(raw[16:])}
		switch binary.NativeEndian.Uint32(raw[12:]) {
		case k.offset[0]:
			return e, true
		case k.offset[1]:
			e.Line = 1
			return e, true
		}
	}
	return Edge{}, false
}

// fill waits for events and reads what there is. quiet means that the wait ended and none was there.
//
// The wait is cut into slices although Close ends it: before Linux 6.4 a chip that vanishes does not wake a poll that is
// under way already, the next one tells at once (POLLERR and POLLHUP).
func (k *kernel) fill(wait time.Duration) (quiet bool, err error) {
	watch := [...]unix.PollFd{{Fd: int32(k.events), Events: unix.POLLIN}, {Fd: int32(k.wake), Events: unix.POLLIN}}
	ms := int((max(wait, 0) + time.Millisecond - 1) / time.Millisecond)
	n, err := unix.Poll(watch[:], ms)
	switch {
	case errors.Is(err, unix.EINTR):
		return false, nil
	case err != nil:
		return false, err
	case n == 0:
		return true, nil
	case watch[1].Revents != 0:
		return false, nil // Next looks at closed
	case watch[0].Revents&unix.POLLIN == 0:
		return false, fmt.Errorf("the gpio chip is gone, poll says %#x", watch[0].Revents)
	}
	n, err = unix.Read(k.events, k.buffer[:])
	switch {
	case errors.Is(err, unix.EINTR), errors.Is(err, unix.EAGAIN):
		return false, nil
	case err != nil:
		return false, err
	case n < eventBytes:
		return false, errors.New("the gpio chip is gone, no more events")
	}
	k.first, k.last = 0, n-n%eventBytes
	return false, nil
}

// Stamped implements Edges.
func (k *kernel) Stamped() bool { return true }

// Close implements Edges. It wakes Next and waits for it.
func (k *kernel) Close() error {
	if k.closed.Swap(true) {
		return nil
	}
	if _, err := unix.Write(k.wake, []byte{1, 0, 0, 0, 0, 0, 0, 0}); err != nil {
		return fmt.Errorf("close gpio lines: %w", err)
	}
	k.use.Lock()
	defer k.use.Unlock()
	if err := errors.Join(unix.Close(k.events), unix.Close(k.wake)); err != nil {
		return fmt.Errorf("close gpio lines: %w", err)
	}
	return nil
}
