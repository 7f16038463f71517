// Package hiltest boots the machines of internal/hil for tests, and gives them disks that lose what was not flushed.
//
// In: a *testing.T, a script for the guest, kernel modules. Out: the lines of its console; a disk whose power can be cut.
// It boots nothing unless FOYER_KERNEL=1 is set; it is never part of a program.
// Called by the tests of internal/hil and internal/fault.
package hiltest

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is how long a machine may take for one line of its console. It is no figure: a busy host is slow.
const patience = 3 * time.Minute

// missing is the exit status of prepare.sh when Debian's packages cannot be had here.
const missing = 3

// Wanted skips a test unless machines are to be booted.
func Wanted(t *testing.T) {
	t.Helper()
	if os.Getenv("FOYER_KERNEL") == "" {
		t.Skip("SKIP: wants FOYER_KERNEL=1, as the stage kernel of make test sets it: boots a kernel under QEMU for minutes")
	}
}

// prepared makes the kernel and the guest program ready, once, and returns the cache folder.
func prepared(t *testing.T) string {
	t.Helper()
	Wanted(t)
	work, err := prepare()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.ExitCode() == missing {
		t.Skipf("SKIP: the kernel cannot be had here: %s", work)
	}
	if err != nil {
		t.Fatalf("%v: %s", err, work)
	}
	return work
}

// prepare returns the cache folder, or what went wrong.
var prepare = sync.OnceValues(func() (string, error) {
	if out, err := exec.Command(script("prepare.sh")).CombinedOutput(); err != nil {
		return string(out), err
	}
	work := os.Getenv("FOYER_HIL")
	if work == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return "", err
		}
		work = filepath.Join(cache, "foyer-hil")
	}
	build := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", filepath.Join(work, "guest"), "foyer/internal/hil/guest")
	build.Env = append(os.Environ(), "GOOS=linux", "GOARCH=arm64", "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return string(out), err
	}
	return work, nil
})

// scripts is the folder of internal/hil.
var scripts = sync.OnceValue(func() string {
	out, err := exec.Command("go", "list", "-f", "{{.Dir}}", "foyer/internal/hil").Output()
	if err != nil {
		panic(err) // tests run where the module is
	}
	return strings.TrimSpace(string(out))
})

func script(name string) string { return filepath.Join(scripts(), name) }

// Machine is one that runs.
type Machine struct {
	t     *testing.T
	lines chan string
	seen  bytes.Buffer // of the console, for a failure

	Off func() // ends it at once; what it said before can still be read
}

// Boot starts a machine that runs a script with the kernel modules. clock is virtual or wall; run is a file's path.
func Boot(t *testing.T, clock, run, modules string, args ...string) *Machine {
	t.Helper()
	guest := filepath.Join(prepared(t), "guest")
	initrd := filepath.Join(t.TempDir(), "initrd.cpio.gz")
	if out, err := exec.Command(script("initrd.sh"), initrd, run, modules, guest).CombinedOutput(); err != nil {
		t.Fatalf("initrd: %v\n%s", err, out)
	}
	ctx, cancel := context.WithCancel(context.Background())
	qemu := exec.CommandContext(ctx, script("boot.sh"), append([]string{clock, initrd}, args...)...)
	qemu.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // the script's children are in its group
	qemu.Cancel = func() error { return syscall.Kill(-qemu.Process.Pid, syscall.SIGKILL) }
	console, err := qemu.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	qemu.Stderr = os.Stderr
	if err := qemu.Start(); err != nil {
		t.Fatal(err)
	}
	m := &Machine{t: t, lines: make(chan string, 10_000)}
	go m.read(console)
	m.Off = sync.OnceFunc(func() {
		cancel()
		qemu.Wait() // killed, or it has powered itself off
	})
	t.Cleanup(m.Off)
	return m
}

func (m *Machine) read(console io.Reader) {
	for lines := bufio.NewScanner(console); lines.Scan(); {
		m.lines <- strings.TrimRight(lines.Text(), "\r")
	}
	close(m.lines)
}

// Until returns the next line that begins so.
func (m *Machine) Until(prefix string) string {
	m.t.Helper()
	for end := time.After(patience); ; {
		select {
		case line, ok := <-m.lines:
			if !ok {
				m.t.Fatalf("the machine stopped before %q:\n%s", prefix, &m.seen)
			}
			m.seen.WriteString(line + "\n")
			if strings.HasPrefix(line, "ERROR") {
				m.t.Fatalf("%s\n%s", line, &m.seen)
			}
			if strings.HasPrefix(line, prefix) {
				return line
			}
		case <-end:
			m.t.Fatalf("never %q:\n%s", prefix, &m.seen)
		}
	}
}

// Result returns the next RESULT line, and tells it.
func (m *Machine) Result(what string) string {
	m.t.Helper()
	line := strings.TrimPrefix(m.Until("RESULT "+what), "RESULT ")
	m.t.Log(line)
	return line
}

// Next returns the next line; false when the machine has ended.
func (m *Machine) Next() (line string, ok bool) {
	m.t.Helper()
	select {
	case line, ok = <-m.lines:
		m.seen.WriteString(line + "\n")
		return line, ok
	case <-time.After(patience):
		m.t.Fatalf("it says nothing any more:\n%s", &m.seen)
		return "", false
	}
}

// Seen is what the console has shown.
func (m *Machine) Seen() string { return m.seen.String() }
