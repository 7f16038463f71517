package wedge

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"foyer/reader/link"
)

// Size is how long one event is in this machine's kernel: two words of time, type, code and value (struct input_event).
const Size = int(unsafe.Sizeof(unix.Timeval{})) + 8

// Splitter cuts raw bytes of an input device into events. The zero value is ready.
type Splitter struct {
	held [Size]byte
	n    int
}

// Feed takes the next bytes and gives each event that they complete.
func (s *Splitter) Feed(p []byte, each func(Event)) {
	for len(p) > 0 {
		n := copy(s.held[s.n:], p)
		s.n, p = s.n+n, p[n:]
		if s.n == Size {
			s.n = 0
			each(parse(&s.held))
		}
	}
}

func parse(b *[Size]byte) Event {
	const word = (Size - 8) / 2
	seconds, micros := machineWord(b[:word]), machineWord(b[word:2*word])
	rest := b[2*word:]
	return Event{
		At:    time.Duration(seconds)*time.Second + time.Duration(micros)*time.Microsecond,
		Type:  binary.NativeEndian.Uint16(rest),
		Code:  binary.NativeEndian.Uint16(rest[2:]),
		Value: int32(binary.NativeEndian.Uint32(rest[4:])),
	}
}

func machineWord(b []byte) int64 {
	if len(b) == 8 {
		return int64(binary.NativeEndian.Uint64(b))
	}
	return int64(binary.NativeEndian.Uint32(b))
}

// AppendRaw appends an event as the kernel writes it. At is not negative.
func AppendRaw(dst []byte, e Event) []byte {
	for _, v := range []int64{int64(e.At / time.Second), int64(e.At % time.Second / time.Microsecond)} {
		if Size == 24 {
			dst = binary.NativeEndian.AppendUint64(dst, uint64(v))
		} else {
			dst = binary.NativeEndian.AppendUint32(dst, uint32(v))
		}
	}
	dst = binary.NativeEndian.AppendUint16(dst, e.Type)
	dst = binary.NativeEndian.AppendUint16(dst, e.Code)
	return binary.NativeEndian.AppendUint32(dst, uint32(e.Value))
}

// The ioctls of linux/input.h that we use. They are the same on all processors that we build for.
const (
	eviocgVersion  = 0x80044501 // _IOR('E', 0x01, int)
	eviocGrab      = 0x40044590 // _IOW('E', 0x90, int)
	eviocsClockID  = 0x400445A0 // _IOW('E', 0xa0, int)
	clockMonotonic = 1
)

// Device is an input device that only we hear. Receive is for one goroutine; Close is safe beside it.
type Device struct{ file *os.File }

// Open opens an input device and takes its keys from everybody else. Every failure is a *link.OpenError.
func Open(path string) (*Device, error) {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil, refused(path, err)
	}
	f, err := os.OpenFile(real, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrPermission) {
		return nil, &link.OpenError{Port: path, Kind: link.ErrDenied, Hint: "add the user to the group input", Err: err}
	}
	if err != nil {
		return nil, refused(path, err)
	}
	if err := grab(path, f); err != nil {
		f.Close()
		return nil, err
	}
	return newDevice(f), nil
}

func newDevice(f *os.File) *Device { return &Device{file: f} }

// grab makes sure that it is an input device, has it stamp its events with the clock that nobody sets, and takes it.
func grab(path string, f *os.File) error {
	if err := control(f, func(fd int) error { _, err := unix.IoctlGetInt(fd, eviocgVersion); return err }); err != nil {
		return &link.OpenError{Port: path, Kind: link.ErrBadPort, Hint: "not an input device; look under /dev/input/by-id for ...-event-kbd", Err: err}
	}
	if err := control(f, func(fd int) error { return unix.IoctlSetPointerInt(fd, eviocsClockID, clockMonotonic) }); err != nil {
		return refused(path, err)
	}
	err := control(f, func(fd int) error { return unix.IoctlSetInt(fd, eviocGrab, 1) })
	if errors.Is(err, unix.EBUSY) {
		return &link.OpenError{Port: path, Kind: link.ErrHeld, Hint: "another program has grabbed the keyboard", Err: err}
	}
	if err != nil {
		return refused(path, err)
	}
	return nil
}

func refused(path string, err error) error {
	return &link.OpenError{Port: path, Kind: link.ErrNoDevice, Hint: "is the reader plugged in?", Err: err}
}

// control runs an ioctl. The file stays non-blocking, unlike after Fd.
func control(f *os.File, do func(fd int) error) error {
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var inner error
	if err := raw.Control(func(fd uintptr) { inner = do(int(fd)) }); err != nil {
		return err
	}
	return inner
}

// Receive implements link.Link: it waits at most wait for raw events. No bytes and no error means that none came.
func (d *Device) Receive(p []byte, wait time.Duration) (int, error) {
	if d.file.SetReadDeadline(time.Now().Add(max(wait, time.Millisecond))) != nil {
		return 0, fmt.Errorf("read: %w", link.ErrClosed)
	}
	n, err := d.file.Read(p)
	switch {
	case n > 0 || errors.Is(err, os.ErrDeadlineExceeded):
		return n, nil
	case errors.Is(err, os.ErrClosed):
		return 0, fmt.Errorf("read: %w", link.ErrClosed)
	}
	return 0, fmt.Errorf("read: %w (%w)", link.ErrUnplugged, err)
}

// Send implements link.Link. Nothing is ever sent to a keyboard.
func (d *Device) Send([]byte) error { return nil }

// Close implements link.Link. The kernel gives the keys back to everybody.
func (d *Device) Close() error {
	if err := d.file.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
		return fmt.Errorf("close: %w", err)
	}
	return nil
}
