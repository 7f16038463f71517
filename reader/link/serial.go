package link

import (
	"errors"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"go.bug.st/serial"
	"golang.org/x/sys/unix"
)

// openSerial opens path; port is what the configuration calls it.
func openSerial(port, path string, s Settings) (Link, error) {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil, refused(port, path, err)
	}
	f, err := os.OpenFile(real, os.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, refused(port, real, err)
	}
	if err := claim(port, f, real, s); err != nil {
		f.Close()
		return nil, err
	}
	return &line{stream: f, sendTimeout: s.SendTimeout, drain: func() { drain(f) }}, nil
}

// drainTime is enough for the longest command at 9600 baud.
const drainTime = 200 * time.Millisecond

// drain lets the last command out. What the device has not taken by then is thrown away, because close(2) would wait for
// it up to 30 s (closing_wait, setserial(8)), and with it whoever closes.
func drain(f *os.File) {
	for end := time.Now().Add(drainTime); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		left := 0
		err := control(f, func(fd int) (err error) { left, err = unix.IoctlGetInt(fd, unix.TIOCOUTQ); return err })
		if err != nil || left == 0 {
			return
		}
	}
	control(f, func(fd int) error { return unix.IoctlSetInt(fd, unix.TCFLSH, unix.TCOFLUSH) })
}

// claim makes the line ours alone and sets it up.
func claim(port string, f *os.File, path string, s Settings) error {
	tty := func(fd int) error { _, err := unix.IoctlGetTermios(fd, unix.TCGETS); return err }
	if err := control(f, tty); err != nil {
		return &OpenError{Port: port, Kind: ErrNotSerial, Hint: "look under /dev/serial/by-id for the reader", Err: err}
	}
	if err := f.SetReadDeadline(time.Time{}); err != nil { // without deadlines a wait would have no end
		return &OpenError{Port: port, Kind: ErrNotSerial, Err: err}
	}
	if err := lock(port, f, path); err != nil {
		return err
	}
	if err := setUp(port, path, s); err != nil {
		return err
	}
	if err := keepOut(f); err != nil {
		return refused(port, path, err)
	}
	// What came before we listened is no news: a tag that it names may have left long ago.
	if err := control(f, func(fd int) error { return unix.IoctlSetInt(fd, unix.TCFLSH, unix.TCIFLUSH) }); err != nil {
		return refused(port, path, err)
	}
	return nil
}

// keepOut stops programs that do not ask, unless they are root's. Not on a pseudo-terminal: that keeps the mark after its
// holder was killed, and would keep us out as well.
func keepOut(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if st, ok := info.Sys().(*syscall.Stat_t); ok && pseudo(st) {
		return nil
	}
	return control(f, func(fd int) error { return unix.IoctlSetInt(fd, unix.TIOCEXCL, 0) })
}

// setUp sets speed, parity and raw mode. The settings belong to the line, not to the descriptor, and stay after the
// library's own descriptor is closed, because ours is open. Initial modem bits are not asked for: a pty has none.
func setUp(port, path string, s Settings) error {
	mode := &serial.Mode{BaudRate: s.Baud, DataBits: s.DataBits, StopBits: serial.OneStopBit}
	if s.StopBits == 2 {
		mode.StopBits = serial.TwoStopBits
	}
	mode.Parity = [...]serial.Parity{NoParity: serial.NoParity, OddParity: serial.OddParity, EvenParity: serial.EvenParity}[s.Parity]
	p, err := serial.Open(path, mode)
	if err != nil {
		return refused(port, path, err)
	}
	if err := p.Close(); err != nil {
		return refused(port, path, err)
	}
	return nil
}

// refused sorts the reasons why a path does not open.
func refused(port, path string, err error) error {
	open := &OpenError{Port: port, Err: err}
	library, ok := errors.AsType[*serial.PortError](err)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, unix.ENXIO), errors.Is(err, unix.ENODEV), errors.Is(err, unix.EIO):
		open.Kind, open.Hint = ErrNoDevice, "is the reader plugged in?"
	case errors.Is(err, fs.ErrPermission), ok && library.Code() == serial.PermissionDenied:
		open.Kind, open.Hint = ErrDenied, permissionHint(path)
	case errors.Is(err, unix.EBUSY), ok && library.Code() == serial.PortBusy:
		open.Kind, open.Hint = ErrHeld, heldHint(holder(path))
	case ok && library.Code() == serial.InvalidSerialPort: // it is one, claim has looked; so it is the settings
		open.Kind, open.Hint = ErrBadLine, library.Error()
	default:
		open.Kind, open.Hint = ErrNoDevice, err.Error()
	}
	return open
}

// permissionHint names the group that owns the device: dialout on Debian, uucp elsewhere.
func permissionHint(path string) string {
	group, name := "dialout", "USER"
	if info, err := os.Stat(path); err == nil {
		if st, ok := info.Sys().(*syscall.Stat_t); ok && st.Gid != 0 {
			if g, err := user.LookupGroupId(strconv.FormatUint(uint64(st.Gid), 10)); err == nil {
				group = g.Name
			}
		}
	}
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	return "add the user " + name + " to the group " + group + ": usermod -aG " + group + " " + name + ", then start again"
}

// control runs fn on the descriptor without taking it away from the runtime's poller, as Fd would.
func control(f *os.File, fn func(fd int) error) error {
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var inner error
	if err := raw.Control(func(fd uintptr) { inner = fn(int(fd)) }); err != nil {
		return err
	}
	return inner
}
