package screen

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// Xvfb is a display without glass: a real X server that draws into memory.
type Xvfb struct {
	Display string // ":3"
	cmd     *exec.Cmd
	done    chan error
}

// StartXvfb starts a server with one screen of the given size on a free display number. Debian's package is xvfb.
// It ends with Close, and with this process whatever happens.
func StartXvfb(ctx context.Context, width, height int) (*Xvfb, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("start xvfb: %w", err)
	}
	defer r.Close()
	cmd := exec.Command("Xvfb", "-displayfd", "3", "-screen", "0", fmt.Sprintf("%dx%dx24", width, height),
		"-nolisten", "tcp", "-noreset", "-nocursor")
	cmd.ExtraFiles = []*os.File{w}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	err = cmd.Start()
	w.Close()
	if err != nil {
		return nil, fmt.Errorf("start xvfb: %w (the Debian package xvfb has it)", err)
	}
	x := &Xvfb{cmd: cmd, done: make(chan error, 1)}
	go func() { x.done <- cmd.Wait() }()
	stop := context.AfterFunc(ctx, func() { r.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	r.SetReadDeadline(time.Now().Add(20 * time.Second))
	line, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		x.Close()
		return nil, fmt.Errorf("start xvfb: it named no display: %w", err)
	}
	x.Display = ":" + strings.TrimSpace(line)
	return x, nil
}

// Close ends the server and waits for its end.
func (x *Xvfb) Close() {
	x.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-x.done:
	case <-time.After(3 * time.Second):
		x.cmd.Process.Kill()
		<-x.done
	}
}
