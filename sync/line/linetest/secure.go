package linetest

import (
	"net"
	"os"
	"strconv"
	"syscall"
	"testing"
)

// Secure is a Mosquitto with a configuration of the test's.
type Secure struct {
	*mosquitto
}

// MosquittoWith starts Mosquitto with a configuration that write makes for a port on 127.0.0.1, or skips the test.
func MosquittoWith(t *testing.T, write func(port int) (file string)) Secure {
	t.Helper()
	b := &mosquitto{place: freePlace(t), t: t, program: mosquittoProgram(t)}
	_, text, _ := net.SplitHostPort(b.address)
	port, _ := strconv.Atoi(text)
	b.config = write(port)
	f, err := os.OpenFile(b.config, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString("log_dest stderr\nuser root\n"); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	b.Start()
	t.Cleanup(b.Stop)
	return Secure{b}
}

// URL is where TLS is spoken.
func (s Secure) URL() string { return "tls://" + s.address }

// Reload has it read its configuration again, as systemctl reload does.
func (s Secure) Reload() {
	s.t.Helper()
	if err := s.process.Process.Signal(syscall.SIGHUP); err != nil {
		s.t.Fatal(err)
	}
}
