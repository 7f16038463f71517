package link

import (
	"context"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// secured is a server that echoes, and its certificate as a file and a pin.
func secured(t *testing.T) (host, ca, pin string) {
	t.Helper()
	server := httptest.NewTLSServer(nil) // for its certificate, which names 127.0.0.1
	t.Cleanup(server.Close)
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: server.TLS.Certificates})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func(c net.Conn) { defer c.Close(); io.Copy(c, c) }(conn)
		}
	}()
	ca = filepath.Join(t.TempDir(), "ca.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(ca, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return l.Addr().String(), ca, pinOf(server.Certificate())
}

func TestTLS(t *testing.T) {
	host, ca, pin := secured(t)
	for _, port := range []string{"tls://" + host + "?ca=" + ca, "tls://" + host + "?pin=" + pin} {
		l, err := Open(t.Context(), port, Settings{})
		if err != nil {
			t.Errorf("%s: %v", port, err)
			continue
		}
		buffer := make([]byte, 16)
		if n, err := l.Receive(buffer, 2*time.Millisecond); n != 0 || err != nil {
			t.Errorf("%d, %v", n, err)
		}
		if err := l.Send([]byte("ping")); err != nil { // a wait that ended must not have broken the line
			t.Error(err)
		}
		if n, err := l.Receive(buffer, 5*time.Second); string(buffer[:n]) != "ping" || err != nil {
			t.Errorf("%q, %v", buffer[:n], err)
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		if _, err := l.Receive(buffer, time.Second); !errors.Is(err, ErrClosed) {
			t.Error(err)
		}
	}
}

func TestTLSIsNotTalkedOutOf(t *testing.T) {
	host, ca, pin := secured(t)
	other := "00" + pin[2:]
	for _, c := range []struct {
		port string
		kind error
		hint string
	}{
		{"tls://" + host, ErrNoAnswer, "?pin=" + pin},
		{"tls://" + host + "?pin=" + other, ErrNoAnswer, "it is " + pin},
		{"tls://" + host + "?pin=12", ErrBadPort, "64 hex digits"},
		{"tls://" + host + "?ca=" + ca + "x", ErrBadPort, "read authority"},
		{"tls://" + host + "?insecure=1", ErrBadPort, "insecure"},
		{"tls://" + strings.Split(host, ":")[0], ErrBadPort, "tls://host:port"},
	} {
		l, err := Open(context.Background(), c.port, Settings{})
		if l != nil || !errors.Is(err, c.kind) || !strings.Contains(err.Error(), c.hint) {
			t.Errorf("%s: %v", c.port, err)
		}
	}
}
