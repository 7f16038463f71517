// Package link is the wire to a reader: a byte line that opens, waits with a limit, and says plainly why it broke; the pair
// of input lines that a Wiegand reader pulls; and the single lines beside a reader, a lamp or a door contact.
//
// In: a port as the configuration writes it ("/dev/ttyUSB0", "/dev/serial/by-id/...", "usb:1A86:7523", "tcp://10.0.0.7:4001",
// "replay:door.capture"; for Edges two lines, "gpio:GPIO17,GPIO27" or "gpio:gpiochip0/17,gpiochip0/27", and "gpio-periph:..."
// to go through periph) and the settings of the line (baud, bits). Out: bytes, or edges with their times (monotonic
// time.Duration), and typed errors. Waits are time.Duration.
// It never looks into the bytes, knows no protocol, and never logs.
// Called by reader (sessions), cmd/foyer (record, doctor) and the simulators' tests.
//
// What a serial line does that a file does not, and where it is contained:
//   - go.bug.st/serial v1.8.0 sets the line up (speed, parity, raw mode). Its Read looks the same for an unplugged cable and
//     for our own Close, its Write has no time-out and after Close writes to whatever file has that number by then, and its
//     Read panics on a descriptor over 1,023. So bytes do not pass through it: they go through an os.File on the same line,
//     opened non-blocking, whose deadlines and Close the Go runtime guards. See serial.go.
//   - TIOCEXCL does not stop root. See holder.go for what does.
//   - A port kept open after the cable was pulled comes back under another number, so a broken Link must be closed at once:
//     Dialer does.
package link

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// Link is one open byte line. Receive is for one goroutine; Send and Close are safe beside it.
type Link interface {
	// Receive waits at most wait for bytes. No bytes and no error means that nothing came yet.
	Receive(p []byte, wait time.Duration) (int, error)
	// Send writes all of p, or fails with ErrStuck when the line does not take it in time. A stuck line is closed.
	Send(p []byte) error
	// Close ends a waiting Receive. Closing twice is fine.
	Close() error
}

// Why a line broke.
var (
	ErrClosed    = errors.New("closed here")                           // our own Close
	ErrUnplugged = errors.New("unplugged")                             // the device, or the far end, is gone
	ErrStuck     = errors.New("takes no bytes")                        // a Send ran out of time
	ErrEnded     = errors.New("recording is over")                     // a replay has been played to its end
	ErrNoDevice  = errors.New("no such device")                        // nothing at that path
	ErrDenied    = errors.New("no permission")                         // the user may not open it
	ErrHeld      = errors.New("held by another program")               // somebody else reads from it
	ErrNotSerial = errors.New("not a serial port")                     // an ordinary file, a folder, some other device
	ErrNoAnswer  = errors.New("does not answer")                       // TCP: refused or no route
	ErrManyFit   = errors.New("more than one device fits")             // usb: without a serial number
	ErrBadPort   = errors.New("port that Foyer cannot read")           // a mistake in the configuration; it never opens
	ErrBadLine   = errors.New("line settings the port does not offer") // an odd speed, mostly
)

// OpenError says what could not be opened, why, and what to do.
type OpenError struct {
	Port string // as configured
	Kind error  // one of the errors above
	Hint string // what a person can do; may be empty
	Err  error  // the cause below; may be nil
}

func (e *OpenError) Error() string {
	text := fmt.Sprintf("open %s: %v", e.Port, e.Kind)
	if e.Hint != "" {
		text += " (" + e.Hint + ")"
	}
	return text
}

// Unwrap gives the kind and the cause.
func (e *OpenError) Unwrap() []error { return []error{e.Kind, e.Err} }

// Settings are those of the line. The zero value is 9600 8N1.
type Settings struct {
	Baud        int           // bits a second; 0 = 9600
	DataBits    int           // 5 to 8; 0 = 8
	Parity      Parity        // NoParity by default
	StopBits    int           // 1 or 2; 0 = 1
	SendTimeout time.Duration // how long one Send may take; 0 = 2 s
}

// Parity is the parity of a byte on a serial line.
type Parity uint8

// The parities.
const (
	NoParity Parity = iota
	OddParity
	EvenParity
)

const (
	defaultSendTimeout = 2 * time.Second
	dialTimeout        = 5 * time.Second
)

// check fills the defaults in. The library takes some of what no line has, such as a negative speed.
func (s *Settings) check(port string) error {
	s.Baud, s.DataBits, s.StopBits = cmp.Or(s.Baud, 9600), cmp.Or(s.DataBits, 8), cmp.Or(s.StopBits, 1)
	s.SendTimeout = cmp.Or(s.SendTimeout, defaultSendTimeout)
	switch {
	case s.Baud < 300 || s.Baud > 4_000_000:
		return &OpenError{Port: port, Kind: ErrBadPort, Hint: fmt.Sprintf("%d baud: want 300 to 4000000", s.Baud)}
	case s.DataBits < 5 || s.DataBits > 8:
		return &OpenError{Port: port, Kind: ErrBadPort, Hint: fmt.Sprintf("%d data bits: want 5 to 8", s.DataBits)}
	case s.StopBits != 1 && s.StopBits != 2:
		return &OpenError{Port: port, Kind: ErrBadPort, Hint: fmt.Sprintf("%d stop bits: want 1 or 2", s.StopBits)}
	case s.Parity > EvenParity || s.SendTimeout < 0:
		return &OpenError{Port: port, Kind: ErrBadPort, Hint: "parity or send time-out out of range"}
	}
	return nil
}

// Open opens a port once. Every failure is an *OpenError.
func Open(ctx context.Context, port string, s Settings) (Link, error) {
	if err := s.check(port); err != nil {
		return nil, err
	}
	scheme, rest, _ := strings.Cut(port, ":")
	switch scheme {
	case "tcp":
		return openTCP(ctx, port, s)
	case "tls":
		return openTLS(ctx, port, s)
	case "replay":
		return openReplay(port, rest)
	case "usb":
		path, err := findUSB(sysRoot, port)
		if err != nil {
			return nil, err
		}
		return openSerial(port, path, s)
	}
	if !strings.HasPrefix(port, "/") {
		return nil, &OpenError{Port: port, Kind: ErrBadPort, Hint: portHelp}
	}
	return openSerial(port, port, s)
}

const portHelp = `want a path like /dev/serial/by-id/..., "usb:VID:PID", "usb:VID:PID:SERIAL", "tcp://host:port", "tls://host:port" or "replay:FILE"`

// stream is what an os.File and a net.Conn have in common.
type stream interface {
	io.ReadWriteCloser
	SetReadDeadline(time.Time) error
	SetWriteDeadline(time.Time) error
}

// line makes a Link of a stream.
type line struct {
	stream
	sendTimeout time.Duration
	drain       func() // lets out or throws away what the device has not taken yet; nil where nothing waits
}

// Receive implements Link.
func (l *line) Receive(p []byte, wait time.Duration) (int, error) {
	if l.SetReadDeadline(time.Now().Add(max(wait, time.Millisecond))) != nil {
		return 0, fmt.Errorf("read: %w", ErrClosed) // the one reason left after Open
	}
	n, err := l.Read(p)
	if n > 0 || errors.Is(err, os.ErrDeadlineExceeded) {
		return n, nil
	}
	return 0, broken("read", err)
}

// Send implements Link.
func (l *line) Send(p []byte) error {
	if l.SetWriteDeadline(time.Now().Add(l.sendTimeout)) != nil {
		return fmt.Errorf("write: %w", ErrClosed)
	}
	n, err := l.Write(p)
	if err == nil {
		return nil
	}
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		return broken("write", err)
	}
	go l.Close() // nobody waits for a device that is stuck
	return fmt.Errorf("%w: %d of %d bytes went out within %v", ErrStuck, n, len(p), l.sendTimeout)
}

// Close implements Link.
func (l *line) Close() error {
	if l.drain != nil {
		l.drain()
	}
	if err := l.stream.Close(); err != nil && !closedHere(err) {
		return fmt.Errorf("close: %w", err)
	}
	return nil
}

// broken says whether we closed the line or the line left us.
func broken(doing string, err error) error {
	if closedHere(err) {
		return fmt.Errorf("%s: %w", doing, ErrClosed)
	}
	return fmt.Errorf("%s: %w (%w)", doing, ErrUnplugged, err)
}
