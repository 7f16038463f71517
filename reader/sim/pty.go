package sim

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// PTY is a serial port that can be pulled out: a pseudo-terminal behind a symlink that stays the same, as /dev/serial/by-id
// does. Reading and writing are the device's side, safe for one goroutine each; the rest is safe for any.
type PTY struct {
	path string

	mu       sync.Mutex
	master   *os.File // nil while unplugged
	closed   bool
	deadline time.Time // of Read
}

// NewPTY makes a port and plugs it in. path is where the symlink is put; a symlink that is there already is replaced.
func NewPTY(path string) (*PTY, error) {
	p := &PTY{path: path}
	if err := p.Plug(); err != nil {
		return nil, err
	}
	return p, nil
}

// Path is the port's name for whoever opens it.
func (p *PTY) Path() string { return p.path }

// Plug puts the device in, as a new pseudo-terminal behind the same name. Plugging it in twice changes nothing.
func (p *PTY) Plug() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return fmt.Errorf("plug %s: %w", p.path, fs.ErrClosed)
	}
	if p.master != nil {
		return nil
	}
	if info, err := os.Lstat(p.path); err == nil && info.Mode()&fs.ModeSymlink == 0 {
		return fmt.Errorf("plug %s: there is something else that is no symlink", p.path)
	}
	master, slave, err := openPair()
	if err != nil {
		return fmt.Errorf("plug %s: %w", p.path, err)
	}
	if err := pointTo(p.path, slave); err != nil {
		master.Close()
		return fmt.Errorf("plug %s: %w", p.path, err)
	}
	p.master = master
	return nil
}

// Unplug pulls the device out: whoever has the port open loses it, and the name is gone.
func (p *PTY) Unplug() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.master == nil {
		return nil
	}
	master := p.master
	p.master = nil
	return errors.Join(os.Remove(p.path), master.Close())
}

// Close unplugs the device for good and ends a waiting Read.
func (p *PTY) Close() error {
	err := p.Unplug()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	return err
}

// SetReadDeadline ends a waiting Read at t, within the time of one look. The zero time means never.
func (p *PTY) SetReadDeadline(t time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.deadline = t
	return nil
}

const (
	lookEvery = 10 * time.Millisecond // for somebody to open the port: the kernel does not wake a master for that
	slice     = 50 * time.Millisecond // of a Read, between looks at the deadline
	overrun   = 100 * time.Millisecond
)

// Read waits for bytes sent to the device. Neither pulling the device out nor closing the port at the other side ends it.
func (p *PTY) Read(b []byte) (int, error) {
	for {
		master, err := p.now()
		switch {
		case err != nil:
			return 0, fmt.Errorf("read %s: %w", p.path, err)
		case master == nil || !listening(master):
			time.Sleep(lookEvery)
			continue
		}
		if master.SetReadDeadline(time.Now().Add(slice)) != nil {
			continue // pulled out just now
		}
		if n, _ := master.Read(b); n > 0 {
			return n, nil
		}
	}
}

// now returns the terminal, nil while there is none, or why a Read must end.
func (p *PTY) now() (*os.File, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.closed:
		return nil, fs.ErrClosed
	case !p.deadline.IsZero() && !time.Now().Before(p.deadline):
		return nil, os.ErrDeadlineExceeded
	}
	return p.master, nil
}

// Write says bytes at once; Wire gives them their pace. What nobody listens to, or takes within 100 ms, is lost, as on a
// wire. Only Close makes it fail.
func (p *PTY) Write(b []byte) (int, error) {
	p.mu.Lock()
	master, closed := p.master, p.closed
	p.mu.Unlock()
	if closed {
		return 0, fmt.Errorf("write %s: %w", p.path, fs.ErrClosed)
	}
	if master != nil && listening(master) && master.SetWriteDeadline(time.Now().Add(overrun)) == nil {
		master.Write(b)
	}
	return len(b), nil
}

// listening reports whether anybody has the port open.
func listening(master *os.File) bool {
	raw, err := master.SyscallConn()
	if err != nil {
		return false
	}
	hangup := true
	err = raw.Control(func(fd uintptr) {
		fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		if _, err := unix.Poll(fds, 0); err == nil {
			hangup = fds[0].Revents&(unix.POLLHUP|unix.POLLNVAL) != 0
		}
	})
	return err == nil && !hangup
}

// openPair makes a raw pseudo-terminal and returns its master, with deadlines, and the slave's name. The slave is left
// closed: nobody but the port's user may hold it.
func openPair() (*os.File, string, error) {
	first, slave, err := pty.Open()
	if err != nil {
		return nil, "", err
	}
	defer first.Close()
	defer slave.Close()
	if err := makeRaw(int(slave.Fd())); err != nil {
		return nil, "", err
	}
	// The library leaves the master blocking; a file on a non-blocking copy has deadlines and a Close that wakes.
	fd, err := unix.FcntlInt(first.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, "", err
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		unix.Close(fd)
		return nil, "", err
	}
	return os.NewFile(uintptr(fd), "ptmx"), slave.Name(), nil
}

func makeRaw(fd int) error {
	t, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return err
	}
	t.Iflag, t.Oflag, t.Lflag = 0, 0, 0
	t.Cflag = t.Cflag&^(unix.CSIZE|unix.PARENB) | unix.CS8 | unix.CREAD | unix.CLOCAL
	t.Cc[unix.VMIN], t.Cc[unix.VTIME] = 1, 0
	return unix.IoctlSetTermios(fd, unix.TCSETS, t)
}

// pointTo replaces a symlink in one step, so that nobody finds it missing.
func pointTo(path, target string) error {
	fresh := path + ".new"
	if err := os.Remove(fresh); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Symlink(target, fresh); err != nil {
		return err
	}
	return os.Rename(fresh, path)
}
