package link

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// lock keeps everybody else off the line. Three guards, because each leaves a hole: TIOCEXCL (see keepOut) does not stop
// root; flock stops only those who ask; so a process that holds the device without asking is looked for in /proc.
func lock(port string, f *os.File, path string) error {
	flock := func(fd int) error { return unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB) }
	err := control(f, flock)
	who := holder(path)
	if err == nil && who == "" {
		return nil
	}
	return &OpenError{Port: port, Kind: ErrHeld, Hint: heldHint(who), Err: err}
}

func heldHint(who string) string {
	if who == "" {
		return "by another reader of this configuration, or by a program that this user may not see"
	}
	return who + "; stop it, or take the port from it"
}

// holder names another process that has the device at path open, or "". It sees what the user may see in /proc.
func holder(path string) string {
	want, err := os.Stat(path)
	if err != nil {
		return ""
	}
	fds, err := filepath.Glob("/proc/[0-9]*/fd/[0-9]*") // links whose folder we may not read do not show
	if err != nil {
		return ""
	}
	self := strconv.Itoa(os.Getpid())
	for _, fd := range fds {
		pid, _, _ := strings.Cut(strings.TrimPrefix(fd, "/proc/"), "/")
		if pid == self {
			continue
		}
		// Only devices are worth a Stat: one on a dead network mount would hang.
		if target, err := os.Readlink(fd); err != nil || !strings.HasPrefix(target, "/dev/") {
			continue
		}
		if got, err := os.Stat(fd); err == nil && sameDevice(want, got) {
			return fmt.Sprintf("%s, process %s", processName(pid), pid)
		}
	}
	return ""
}

// pseudo tells a pseudo-terminal: majors 136 to 143, kernel devices.txt.
func pseudo(st *syscall.Stat_t) bool {
	major := unix.Major(uint64(st.Rdev))
	return major >= 136 && major <= 143
}

// sameDevice compares device numbers, so that a container's own /dev changes nothing. Those of pseudo-terminals mean
// something only within one devpts.
func sameDevice(a, b os.FileInfo) bool {
	x, okX := a.Sys().(*syscall.Stat_t)
	y, okY := b.Sys().(*syscall.Stat_t)
	if !okX || !okY || a.Mode()&os.ModeCharDevice == 0 || b.Mode()&os.ModeCharDevice == 0 {
		return false
	}
	if pseudo(x) && x.Dev != y.Dev {
		return false
	}
	return x.Rdev == y.Rdev
}

func processName(pid string) string {
	name, err := os.ReadFile("/proc/" + pid + "/comm")
	if err != nil {
		return "a program"
	}
	return strings.TrimSpace(string(name))
}
