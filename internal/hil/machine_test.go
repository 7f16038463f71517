package hil

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

// prepared makes the kernel and the guest program ready, once, and returns the cache folder.
func prepared(t *testing.T) string {
	t.Helper()
	if os.Getenv("FOYER_KERNEL") == "" {
		t.Skip("SKIP: wants FOYER_KERNEL=1, as the stage kernel of make test sets it: boots a kernel under QEMU for minutes")
	}
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
	if out, err := exec.Command("./prepare.sh").CombinedOutput(); err != nil {
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
	build := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", filepath.Join(work, "guest"), "./guest")
	build.Env = append(os.Environ(), "GOOS=linux", "GOARCH=arm64", "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return string(out), err
	}
	return work, nil
})

// machine is one that runs.
type machine struct {
	t     *testing.T
	lines chan string
	seen  bytes.Buffer // of the console, for a failure
}

// boot starts a machine that runs script with the kernel modules. clock is virtual or wall.
func boot(t *testing.T, clock, script, modules string, args ...string) *machine {
	t.Helper()
	guest := filepath.Join(prepared(t), "guest")
	initrd := filepath.Join(t.TempDir(), "initrd.cpio.gz")
	if out, err := exec.Command("./initrd.sh", initrd, script, modules, guest).CombinedOutput(); err != nil {
		t.Fatalf("initrd: %v\n%s", err, out)
	}
	ctx, cancel := context.WithCancel(context.Background())
	qemu := exec.CommandContext(ctx, "./boot.sh", append([]string{clock, initrd}, args...)...)
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
	m := &machine{t: t, lines: make(chan string, 10_000)}
	go m.read(console)
	t.Cleanup(func() {
		cancel()
		qemu.Wait() // killed, or it has powered itself off
	})
	return m
}

func (m *machine) read(console io.Reader) {
	for lines := bufio.NewScanner(console); lines.Scan(); {
		m.lines <- strings.TrimRight(lines.Text(), "\r")
	}
	close(m.lines)
}

// until returns the next line that begins so.
func (m *machine) until(prefix string) string {
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

// result returns the next RESULT line, and tells it.
func (m *machine) result(what string) string {
	m.t.Helper()
	line := strings.TrimPrefix(m.until("RESULT "+what), "RESULT ")
	m.t.Log(line)
	return line
}

// wants reports an error unless a result has every one of the words.
func wants(t *testing.T, result string, words ...string) {
	t.Helper()
	for _, word := range words {
		if !strings.Contains(result+" ", " "+word+" ") {
			t.Errorf("%s\nwant %s", result, word)
		}
	}
}
