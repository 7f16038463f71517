package post

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	profiles "foyer/firmware-profiles"
	"foyer/reader/link"
)

// spooler begins the port of a CUPS queue.
const spooler = "cups:"

// opener finds out how a port is opened. CUPS is a spooler, not a line: nothing comes back from there.
func opener(port string, model *profiles.Printer, stalled func(Trouble)) (func(context.Context) (link.Link, error), error) {
	if queue, ok := strings.CutPrefix(port, spooler); ok {
		if !queueForm.MatchString(queue) {
			return nil, fmt.Errorf("printer port %.60q: want cups:QUEUE, with the name that lpstat -e shows", port)
		}
		return func(ctx context.Context) (link.Link, error) { return newSpool(ctx, queue), nil }, nil
	}
	if strings.HasPrefix(port, "/dev/usb/lp") {
		return func(context.Context) (link.Link, error) { return openLP(port, stalled) }, nil
	}
	return func(ctx context.Context) (link.Link, error) {
		return link.Open(ctx, port, link.Settings{Baud: model.Baud, SendTimeout: sendTimeout})
	}, nil
}

// sendTimeout is how long a printer may take no byte: it stands still while its roll is changed.
const sendTimeout = 2 * time.Minute

var queueForm = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,126}$`)

// lp is a printer on USB, through the kernel's usblp. It says by itself whether it has paper (USB Printing Devices 1.1, section
// 4.2.2, GET_PORT_STATUS), also where it answers no question of ESC/POS.
type lp struct {
	f       *os.File
	stalled func(Trouble)
}

func openLP(path string, stalled func(Trouble)) (link.Link, error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0) // a device that polls: Go gives it deadlines
	if errors.Is(err, fs.ErrPermission) {
		return nil, fmt.Errorf("open printer %s: %w: add foyerd's user to the group lp", path, err)
	}
	if err != nil {
		return nil, fmt.Errorf("open printer %s: %w", path, err)
	}
	return &lp{f, stalled}, nil
}

// Receive implements link.Link.
func (l *lp) Receive(p []byte, wait time.Duration) (int, error) {
	if err := l.f.SetReadDeadline(time.Now().Add(wait)); err != nil {
		return 0, err
	}
	n, err := l.f.Read(p)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = nil
	}
	return n, err
}

// Send implements link.Link. While the printer takes nothing it is asked why.
func (l *lp) Send(p []byte) error {
	end := time.Now().Add(sendTimeout)
	was := Fine
	for len(p) > 0 {
		if err := l.f.SetWriteDeadline(time.Now().Add(time.Second)); err != nil {
			return err
		}
		n, err := l.f.Write(p)
		p = p[n:]
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			return err
		}
		if now := l.trouble(); now != was && (now.Stops() || was.Stops()) {
			l.stalled(now)
			was = now
		}
		if err != nil && time.Now().After(end) {
			return fmt.Errorf("the printer took nothing for %v: %w", sendTimeout, err)
		}
	}
	return nil
}

// The bits of the port's status; the second is set while all is well.
const (
	lpGetStatus = 0x060B // LPGETSTATUS of the kernel's lp and usblp
	lpNoPaper   = 0x20
	lpNoError   = 0x08
)

// trouble is what the port says, Fine where it says nothing.
func (l *lp) trouble() Trouble {
	raw, err := l.f.SyscallConn()
	if err != nil {
		return Gone
	}
	t := Fine
	err = raw.Control(func(fd uintptr) {
		switch status, err := unix.IoctlGetInt(int(fd), lpGetStatus); {
		case errors.Is(err, unix.ENODEV):
			t = Gone
		case err != nil:
		case status&lpNoPaper != 0:
			t = NoPaper
		case status&lpNoError == 0:
			t = Broken
		}
	})
	if err != nil {
		return Gone
	}
	return t
}

// Close implements link.Link.
func (l *lp) Close() error { return l.f.Close() }

// spool collects a job and hands it to lp when it is closed.
type spool struct {
	ctx   context.Context
	queue string
	job   strings.Builder
	once  sync.Once
	err   error
}

func newSpool(ctx context.Context, queue string) *spool { return &spool{ctx: ctx, queue: queue} }

// Receive implements link.Link: a spooler says nothing.
func (s *spool) Receive([]byte, time.Duration) (int, error) { return 0, nil }

// Send implements link.Link.
func (s *spool) Send(p []byte) error {
	s.job.Write(p)
	return nil
}

// Close implements link.Link: it prints.
func (s *spool) Close() error {
	s.once.Do(func() {
		if s.job.Len() == 0 {
			return
		}
		cmd := exec.CommandContext(s.ctx, "lp", "-d", s.queue, "-o", "raw", "-s")
		cmd.Stdin = strings.NewReader(s.job.String())
		if out, err := cmd.CombinedOutput(); err != nil {
			s.err = fmt.Errorf("lp -d %s: %w: %s", s.queue, err, strings.TrimSpace(string(out)))
		}
	})
	return s.err
}
