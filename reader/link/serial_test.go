package link_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"foyer/reader/link"
)

// TestMain lets a test start this binary again as another program that holds a port.
func TestMain(m *testing.M) {
	if path := os.Getenv("FOYER_TEST_HOLD"); path != "" {
		hold(path, os.Getenv("FOYER_TEST_HOW"))
		return
	}
	os.Exit(m.Run())
}

func hold(path, how string) {
	var err error
	if how == "plain" {
		_, err = os.OpenFile(path, os.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	} else {
		_, err = link.Open(context.Background(), path, link.Settings{})
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("held")
	os.Stdin.Read(make([]byte, 1)) // until the test closes the pipe
}

// holder starts a program that tries to hold path, and returns the first line that it prints.
func holder(t *testing.T, path, how string) (pid int, says string) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "FOYER_TEST_HOLD="+path, "FOYER_TEST_HOW="+how)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close(); cmd.Wait() })
	p := make([]byte, 1024)
	n, err := out.Read(p)
	if err != nil {
		t.Fatal(err)
	}
	return cmd.Process.Pid, strings.TrimSpace(string(p[:n]))
}

// TestOneProgramAtATime runs as root in most places, where TIOCEXCL alone keeps nobody out.
func TestOneProgramAtATime(t *testing.T) {
	for _, how := range []string{"link", "plain"} {
		t.Run("another program holds it: "+how, func(t *testing.T) {
			_, path := openPTY(t)
			pid, says := holder(t, path, how)
			if says != "held" {
				t.Fatal(says)
			}
			_, err := link.Open(t.Context(), path, link.Settings{})
			if !errors.Is(err, link.ErrHeld) || !strings.Contains(fmt.Sprint(err), fmt.Sprint("process ", pid)) {
				t.Errorf("got %v, want held by process %d", err, pid)
			}
		})
	}
	t.Run("we hold it", func(t *testing.T) {
		_, path := openPTY(t)
		openLink(t, path, link.Settings{})
		if _, says := holder(t, path, "link"); !strings.Contains(says, fmt.Sprint("process ", os.Getpid())) {
			t.Errorf("the other program says %q", says)
		}
		if _, err := link.Open(t.Context(), path, link.Settings{}); !errors.Is(err, link.ErrHeld) {
			t.Errorf("second open here: got %v, want %v", err, link.ErrHeld)
		}
	})
	t.Run("it is free again after Close", func(t *testing.T) {
		_, path := openPTY(t)
		for range 3 {
			openLink(t, path, link.Settings{}).Close()
		}
	})
}

// A pseudo-terminal keeps the exclusive mark after its holder was killed; a daemon that is not root would never get in again.
func TestAKilledHolderKeepsNobodyOut(t *testing.T) {
	_, path := openPTY(t)
	pid, says := holder(t, path, "link")
	if says != "held" {
		t.Fatal(says)
	}
	if err := unix.Kill(pid, unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(10 * time.Second); ; {
		l, err := link.Open(t.Context(), path, link.Settings{})
		if err == nil {
			defer l.Close()
			break
		}
		if !errors.Is(err, link.ErrHeld) || time.Now().After(end) {
			t.Fatal(err)
		}
	}
	f, err := os.OpenFile(path, os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if mark, err := unix.IoctlGetInt(int(f.Fd()), unix.TIOCGEXCL); err != nil || mark != 0 {
		t.Errorf("the exclusive mark is %d, %v", mark, err)
	}
}

func TestSendToADeviceThatTakesNothing(t *testing.T) {
	_, path := openPTY(t) // nobody reads the master
	l := openLink(t, path, link.Settings{SendTimeout: 50 * time.Millisecond})
	if err := l.Send(make([]byte, 1<<20)); !errors.Is(err, link.ErrStuck) {
		t.Fatalf("got %v, want %v", err, link.ErrStuck)
	}
	for end := time.Now().Add(10 * time.Second); ; {
		if _, err := l.Receive(make([]byte, 1), 10*time.Millisecond); errors.Is(err, link.ErrClosed) {
			break
		} else if err != nil || time.Now().After(end) {
			t.Fatalf("a stuck line stays open: %v", err)
		}
	}
	openLink(t, path, link.Settings{}) // and is let go
}

func TestSendAfterCloseHarmsNoOtherFile(t *testing.T) {
	_, path := openPTY(t)
	l := openLink(t, path, link.Settings{})
	l.Close()
	var files []*os.File
	for i := range 8 { // one of them gets the number that the port had
		f, err := os.Create(filepath.Join(t.TempDir(), fmt.Sprint(i)))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		files = append(files, f)
	}
	if err := l.Send([]byte("COUPON")); !errors.Is(err, link.ErrClosed) {
		t.Errorf("got %v, want %v", err, link.ErrClosed)
	}
	for _, f := range files {
		if info, err := f.Stat(); err != nil || info.Size() != 0 {
			t.Errorf("%s: %d bytes, %v", f.Name(), info.Size(), err)
		}
	}
}

func TestDescriptorOver1023(t *testing.T) {
	for i := 0; ; i++ {
		f, err := os.Open(os.DevNull)
		if err != nil {
			t.Skipf("SKIP: cannot open %d files here: %v", i, err)
		}
		defer f.Close()
		if f.Fd() > 1023 {
			break
		}
	}
	master, path := openPTY(t)
	l := openLink(t, path, link.Settings{})
	if err := l.Send([]byte("ping")); err != nil {
		t.Fatal(err)
	}
	if got := hear(t, master)(4); string(got) != "ping" {
		t.Errorf("heard %q", got)
	}
	say(t, master, [][]byte{[]byte("pong")})
	p := make([]byte, 8)
	n, err := l.Receive(p, 10*time.Second)
	if err != nil || !bytes.HasPrefix([]byte("pong"), p[:n]) || n == 0 {
		t.Errorf("received %q, %v", p[:n], err)
	}
}

func TestStaleBytesAreNotHeard(t *testing.T) {
	master, path := openPTY(t)
	first := openLink(t, path, link.Settings{})
	say(t, master, [][]byte{[]byte("old")})
	first.Close()
	l := openLink(t, path, link.Settings{})
	say(t, master, [][]byte{[]byte("new")})
	p := make([]byte, 8)
	if n, err := l.Receive(p, 10*time.Second); err != nil || p[0] != 'n' {
		t.Errorf("received %q, %v", p[:n], err)
	}
}

func TestWhyAPortDoesNotOpen(t *testing.T) {
	_, slave := openPTY(t)
	folder := t.TempDir()
	file := filepath.Join(folder, "notes.txt")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	dangling := filepath.Join(folder, "gone")
	if err := os.Symlink("/dev/ttyUSB99", dangling); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		port string
		s    link.Settings
		kind error
		says string
	}{
		{"/dev/ttyUSB99", link.Settings{}, link.ErrNoDevice, "plugged in"},
		{dangling, link.Settings{}, link.ErrNoDevice, "plugged in"},
		{file, link.Settings{}, link.ErrNotSerial, "by-id"},
		{"/dev/null", link.Settings{}, link.ErrNotSerial, "by-id"},
		{slave, link.Settings{Baud: -5}, link.ErrBadPort, "-5 baud"},
		{slave, link.Settings{DataBits: 9}, link.ErrBadPort, "9 data bits"},
		{slave, link.Settings{StopBits: 3}, link.ErrBadPort, "3 stop bits"},
		{"ttyUSB0", link.Settings{}, link.ErrBadPort, "want a path"},
		{"COM3", link.Settings{}, link.ErrBadPort, "want a path"},
		{"", link.Settings{}, link.ErrBadPort, "want a path"},
		{"usb:1A86", link.Settings{}, link.ErrBadPort, "usb:VID:PID"},
		{"usb:FFFE:FFFE:none", link.Settings{}, link.ErrNoDevice, "plugged in"},
		{"tcp://10.0.0.1", link.Settings{}, link.ErrBadPort, "tcp://host:port"},
		{"tcp://127.0.0.1:1", link.Settings{}, link.ErrNoAnswer, "switched on"},
		{"replay:/no/such", link.Settings{}, link.ErrNoDevice, "recording"},
		{"replay:" + folder, link.Settings{}, link.ErrDenied, "directory"},
	} {
		l, err := link.Open(t.Context(), test.port, test.s)
		if err == nil {
			l.Close()
		}
		if !errors.Is(err, test.kind) || !strings.Contains(fmt.Sprint(err), test.says) || !strings.Contains(fmt.Sprint(err), test.port) {
			t.Errorf("%q: got %v; want %q and %q in it", test.port, err, test.kind, test.says)
		}
	}
}

func TestPermissionNamesTheGroup(t *testing.T) {
	_, path := openPTY(t)
	err := link.Refused("door", path, &fs.PathError{Op: "open", Path: path, Err: unix.EACCES})
	if !errors.Is(err, link.ErrDenied) || !strings.Contains(err.Error(), "usermod -aG ") {
		t.Errorf("got %v", err)
	}
	err = link.Refused("door", path, &fs.PathError{Op: "open", Path: path, Err: unix.EBUSY})
	if !errors.Is(err, link.ErrHeld) {
		t.Errorf("got %v, want %v", err, link.ErrHeld)
	}
}
