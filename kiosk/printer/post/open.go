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

	profiles "foyer/firmware-profiles"
	"foyer/reader/link"
)

// spooler begins the port of a CUPS queue.
const spooler = "cups:"

// opener finds out how a port is opened. CUPS is a spooler, not a line: nothing comes back from there.
func opener(port string, model *profiles.Printer) (func(context.Context) (link.Link, error), error) {
	if queue, ok := strings.CutPrefix(port, spooler); ok {
		if !queueForm.MatchString(queue) {
			return nil, fmt.Errorf("printer port %.60q: want cups:QUEUE, with the name that lpstat -e shows", port)
		}
		return func(ctx context.Context) (link.Link, error) { return newSpool(ctx, queue), nil }, nil
	}
	if strings.HasPrefix(port, "/dev/usb/lp") {
		return func(context.Context) (link.Link, error) { return openLP(port) }, nil
	}
	return func(ctx context.Context) (link.Link, error) {
		return link.Open(ctx, port, link.Settings{Baud: model.Baud, SendTimeout: sendTimeout})
	}, nil
}

// sendTimeout is how long a printer may take no byte: it stands still while its roll is changed.
const sendTimeout = 2 * time.Minute

var queueForm = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,126}$`)

// lp is a printer on USB, through the kernel's usblp.
type lp struct{ f *os.File }

func openLP(path string) (link.Link, error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0) // a device that polls: Go gives it deadlines
	if errors.Is(err, fs.ErrPermission) {
		return nil, fmt.Errorf("open printer %s: %w: add foyerd's user to the group lp", path, err)
	}
	if err != nil {
		return nil, fmt.Errorf("open printer %s: %w", path, err)
	}
	return &lp{f}, nil
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

// Send implements link.Link.
func (l *lp) Send(p []byte) error {
	if err := l.f.SetWriteDeadline(time.Now().Add(sendTimeout)); err != nil {
		return err
	}
	_, err := l.f.Write(p)
	return err
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
