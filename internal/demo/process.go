package demo

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// grace is how long a program may take to end when asked. Two rounds of it fit in the five seconds of a Ctrl-C.
const grace = 2 * time.Second

// Process is one program that is kept running: when it dies it is started again after a second, as systemd would.
type Process struct {
	Name string
	Path string
	Args []string
	Env  []string // added to ours
	Dir  string
	Log  *slog.Logger

	mu    sync.Mutex
	cmd   *exec.Cmd
	held  bool // stopped on purpose: not started again until Release
	woken chan struct{}
}

// Run keeps the program running until ctx ends, then ends it and waits for its end.
func (p *Process) Run(ctx context.Context) error {
	for {
		if err := p.waitReleased(ctx); err != nil {
			return nil
		}
		started := time.Now()
		err := p.once(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if errors.Is(err, exec.ErrNotFound) || errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("run %s: %w", p.Name, err)
		}
		p.Log.Warn("a program ended", "program", p.Name, "after", time.Since(started).Round(time.Millisecond), "err", err)
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}

func (p *Process) once(ctx context.Context) error {
	cmd := exec.Command(p.Path, p.Args...)
	cmd.Dir, cmd.Env = p.Dir, append(os.Environ(), p.Env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	out, err := cmd.StderrPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	p.set(cmd)
	defer p.set(nil)
	copied := make(chan struct{})
	go func() { defer close(copied); p.keepLog(out) }()
	ended := make(chan error, 1)
	go func() { <-copied; ended <- cmd.Wait() }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM)
	select {
	case err := <-ended:
		return err
	case <-time.After(grace):
		syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		return <-ended
	}
}

func (p *Process) set(cmd *exec.Cmd) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cmd = cmd
}

// keepLog writes what the program says to a file beside its data, so that a terminal stays readable.
func (p *Process) keepLog(r io.Reader) {
	path := filepath.Join(p.Dir, p.Name+".log")
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		p.Log.Warn("a program's log is not kept", "program", p.Name, "err", err)
		io.Copy(io.Discard, r)
		return
	}
	defer f.Close()
	lines := bufio.NewReader(r)
	io.Copy(f, lines)
}

// Kill ends the program as a power cut would. Run starts it again.
func (p *Process) Kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd != nil {
		syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	}
}

// Hold ends the program and keeps it down until Release.
func (p *Process) Hold() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.held {
		return
	}
	p.held, p.woken = true, make(chan struct{})
	if p.cmd != nil {
		syscall.Kill(-p.cmd.Process.Pid, syscall.SIGTERM)
	}
}

// Release lets a held program start again.
func (p *Process) Release() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.held {
		p.held = false
		close(p.woken)
	}
}

// Held reports whether the program is down on purpose.
func (p *Process) Held() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.held
}

// PID is the running program's id, or 0.
func (p *Process) PID() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil {
		return 0
	}
	return p.cmd.Process.Pid
}

func (p *Process) waitReleased(ctx context.Context) error {
	p.mu.Lock()
	held, woken := p.held, p.woken
	p.mu.Unlock()
	if held {
		select {
		case <-woken:
		case <-ctx.Done():
		}
	}
	return ctx.Err()
}
