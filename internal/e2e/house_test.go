package e2e

import (
	"context"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"foyer/internal/demo"
)

// greetingTime is how long screens speak in these tests: long enough for an eye that takes a second to read.
const greetingTime = 6 * time.Second

// open starts a house and waits until all of it is up. It ends with the test, and the test fails if it does not end well.
func open(t testing.TB, cfg demo.Config) *demo.House {
	t.Helper()
	bin, err := filepath.Abs("../../bin")
	if err != nil {
		t.Fatal(err)
	}
	for _, program := range []string{"foyerd", "foyer-hq", "foyer-kiosk"} {
		if _, err := os.Stat(filepath.Join(bin, program)); err != nil {
			t.Fatalf("%v: run make build first", err)
		}
	}
	cfg.Bin, cfg.Dir = bin, t.TempDir()
	cfg.Log = slog.New(slog.NewTextHandler(t.Output(), nil))
	ctx, stop := context.WithCancel(context.Background())
	house, err := demo.Start(ctx, cfg)
	if err != nil {
		stop()
		t.Fatal(err)
	}
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- house.Run(func() { close(ready) }) }()
	t.Cleanup(func() {
		stop()
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("the house ended with: %v", err)
			}
		case <-time.After(10 * time.Second):
			t.Error("the house did not end in ten seconds")
		}
		if t.Failed() {
			showLogs(t, cfg.Dir)
		}
	})
	select {
	case <-ready:
	case err := <-ended:
		ended <- err
		t.Fatalf("the house did not come up: %v", err)
	}
	return house
}

func showLogs(t testing.TB, dir string) {
	logs, _ := filepath.Glob(filepath.Join(dir, "*.log"))
	for _, path := range logs {
		data, _ := os.ReadFile(path)
		t.Logf("%s:\n%s", filepath.Base(path), data[max(0, len(data)-4000):])
	}
}

// tapBytes puts a captured frame on the wire of the card reader, three times as a card held there is repeated.
func tapBytes(t testing.TB, house *demo.House, frame string) {
	t.Helper()
	b, err := hex.DecodeString(frame)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if _, err := house.TapWire().Write(b); err != nil {
			t.Fatal(err)
		}
	}
}

// waitUntil asks until the answer is nil; it fails the test with the last answer.
func waitUntil(t testing.TB, what string, ask func() error) {
	t.Helper()
	deadline := time.NewTimer(40 * time.Second)
	defer deadline.Stop()
	pause := time.NewTicker(50 * time.Millisecond)
	defer pause.Stop()
	for {
		err := ask()
		if err == nil {
			return
		}
		select {
		case <-deadline.C:
			t.Fatalf("%s: %v", what, err)
		case <-pause.C:
		}
	}
}

// mosquitto starts the field's own broker on a free port, with a password each for headquarters and the store, and rules
// that keep the store to its branch.
func mosquitto(t *testing.T) *demo.Broker {
	t.Helper()
	path, err := exec.LookPath("/usr/sbin/mosquitto")
	if err != nil {
		t.Skip("SKIP: no mosquitto on this machine (Debian package mosquitto)")
	}
	dir, port := t.TempDir(), freePort(t)
	broker := &demo.Broker{URL: fmt.Sprintf("tcp://127.0.0.1:%d", port), HQUser: "headquarters", HQPassword: "hq-secret", StorePassword: "store-secret"}
	passwords := filepath.Join(dir, "passwords")
	for user, password := range map[string]string{broker.HQUser: broker.HQPassword, demo.StoreName: broker.StorePassword} {
		args := []string{"-b", passwords, user, password}
		if _, err := os.Stat(passwords); err != nil {
			args = append([]string{"-c"}, args...)
		}
		if out, err := exec.Command("mosquitto_passwd", args...).CombinedOutput(); err != nil {
			t.Fatalf("mosquitto_passwd: %v: %s", err, out)
		}
	}
	rules := "user " + broker.HQUser + "\ntopic readwrite edge/#\npattern write edge/v1/demo/%u/up/#\npattern write edge/v1/demo/%u/ask/#\npattern write edge/v1/demo/%u/state\n" +
		"pattern read edge/v1/demo/%u/ack\npattern read edge/v1/demo/%u/down/#\n"
	config := fmt.Sprintf("listener %d 127.0.0.1\nallow_anonymous false\npassword_file %s\nacl_file %s\nuser root\n", port, passwords, filepath.Join(dir, "rules"))
	for name, text := range map[string]string{"rules": rules, "mosquitto.conf": config} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(path, "-c", filepath.Join(dir, "mosquitto.conf"))
	cmd.Stderr = t.Output()
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	waitUntil(t, "mosquitto", func() error {
		c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			c.Close()
		}
		return err
	})
	return broker
}

func freePort(t testing.TB) int {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().(*net.TCPAddr).Port
}
