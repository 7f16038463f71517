package link

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/warthog618/go-gpiocdev/uapi"
	"golang.org/x/sys/unix"
)

// lineName reads a port of one line: "gpio:GPIO22" or "gpio:gpiochip0/22".
func lineName(port string) (string, error) {
	name, ok := strings.CutPrefix(port, linesPrefix)
	name = strings.TrimSpace(name)
	if !ok || name == "" || strings.Contains(name, ",") {
		return "", &OpenError{Port: port, Kind: ErrBadPort, Hint: `want "gpio:LINE", the name of one line`}
	}
	return name, nil
}

// IsLine reports whether a port names one GPIO line.
func IsLine(port string) bool {
	_, err := lineName(port)
	return err == nil
}

// openLine asks for one line and returns its descriptor and number.
func openLine(root, port string, flags uapi.LineFlagV2, lowIsOn bool) (int, uint32, error) {
	name, err := lineName(port)
	if err != nil {
		return 0, 0, err
	}
	c, n, err := findLines(root, port, name)
	if err != nil {
		return 0, 0, err
	}
	if lowIsOn {
		flags |= uapi.LineFlagV2ActiveLow
	}
	fd, err := c.request(port, flags, 0, n[0])
	return fd, n[0], err
}

// Out is one output line: a lamp, a buzzer. Set and Close are safe for any goroutine.
type Out struct {
	mu sync.Mutex
	fd int // -1 once closed
}

// OpenOut opens a line as an output that is off. lowIsOn is for a lamp between the supply and the line, and for most relay
// boards. Every failure is an *OpenError.
func OpenOut(port string, lowIsOn bool) (*Out, error) {
	fd, _, err := openLine(devRoot, port, uapi.LineFlagV2Output, lowIsOn)
	if err != nil {
		return nil, err
	}
	return &Out{fd: fd}, nil
}

// Set switches the line. It fails with ErrUnplugged when the chip has gone.
func (o *Out) Set(on bool) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.fd < 0 {
		return fmt.Errorf("switch a gpio line: %w", ErrClosed)
	}
	values := uapi.LineValues{Mask: 1}
	if on {
		values.Bits = 1
	}
	if err := uapi.SetLineValuesV2(uintptr(o.fd), values); err != nil {
		return fmt.Errorf("switch a gpio line: %w (%w)", ErrUnplugged, err)
	}
	return nil
}

// Close switches the line off and gives it back. What it does then is the chip's choice: most keep it as it was.
func (o *Out) Close() error {
	_ = o.Set(false) // the chip may have gone
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.fd < 0 {
		return nil
	}
	fd := o.fd
	o.fd = -1
	if err := unix.Close(fd); err != nil {
		return fmt.Errorf("close a gpio line: %w", err)
	}
	return nil
}

// Contact is one input line that a switch pulls to ground: a door. Next is for one goroutine; Close is safe beside it.
type Contact struct {
	*kernel
}

// OpenContact opens a line with a pull-up. Every failure is an *OpenError.
func OpenContact(port string) (*Contact, error) {
	flags := uapi.LineFlagV2Input | uapi.LineFlagV2EdgeFalling | uapi.LineFlagV2EdgeRising | uapi.LineFlagV2BiasPullUp
	fd, n, err := openLine(devRoot, port, flags, true)
	if err != nil {
		return nil, err
	}
	k, err := newKernel(fd, n, n)
	if err != nil {
		unix.Close(fd)
		return nil, &OpenError{Port: port, Kind: ErrNoDevice, Hint: err.Error(), Err: err}
	}
	return &Contact{k}, nil
}

// DialContact returns a Dialer for a contact.
func DialContact(port string) *Dialer[*Contact] {
	return &Dialer[*Contact]{
		Open:  func(context.Context) (*Contact, error) { return OpenContact(port) },
		Trace: func() string { return traceChips(devRoot) },
	}
}

// Next waits at most wait for the switch to move, and says how it stands now and whether it has moved since the last call:
// a switch that bounces may stand as before. It may return sooner.
func (c *Contact) Next(wait time.Duration) (closed, moved bool, err error) {
	c.use.Lock()
	defer c.use.Unlock()
	if c.closed.Load() {
		return false, false, fmt.Errorf("wait for a contact: %w", ErrClosed)
	}
	if _, err := c.fill(min(wait, edgeSlice)); err != nil {
		return false, false, fmt.Errorf("wait for a contact: %w (%w)", ErrUnplugged, err)
	}
	moved = c.last > c.first
	c.first = c.last
	if c.closed.Load() {
		return false, false, fmt.Errorf("wait for a contact: %w", ErrClosed)
	}
	values := uapi.LineValues{Mask: 1}
	if err := uapi.GetLineValuesV2(uintptr(c.events), &values); err != nil {
		return false, false, fmt.Errorf("read a contact: %w (%w)", ErrUnplugged, err)
	}
	return values.Get(0) == 1, moved, nil
}
