package link_test

import (
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/creack/pty"

	"foyer/reader/link"
	"foyer/reader/link/linktest"
)

// openPTY makes a pseudo-terminal: the master stands for the device, path is the port. The slave's own descriptor is
// closed, as nobody but the link may hold the port.
func openPTY(t *testing.T) (master *os.File, path string) {
	t.Helper()
	master, slave, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	path = slave.Name()
	slave.Close()
	t.Cleanup(func() { master.Close() })
	return master, path
}

func openLink(t *testing.T, port string, s link.Settings) link.Link {
	t.Helper()
	l, err := link.Open(t.Context(), port, s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func hear(t *testing.T, from io.Reader) func(int) []byte {
	return func(n int) []byte {
		p := make([]byte, n)
		if _, err := io.ReadFull(from, p); err != nil {
			t.Error(err)
		}
		return p
	}
}

func say(t *testing.T, to io.Writer, says [][]byte) {
	t.Helper()
	for _, p := range says {
		if _, err := to.Write(p); err != nil {
			t.Fatal(err)
		}
	}
}

func TestSerial(t *testing.T) {
	linktest.Run(t, func(t *testing.T, says ...[]byte) (link.Link, linktest.Far) {
		master, path := openPTY(t)
		l := openLink(t, path, link.Settings{Baud: 115200})
		say(t, master, says)
		return l, linktest.Far{Unplug: func() { master.Close() }, Hear: hear(t, master), Gone: link.ErrUnplugged}
	})
}

func TestTCP(t *testing.T) {
	linktest.Run(t, func(t *testing.T, says ...[]byte) (link.Link, linktest.Far) {
		server, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { server.Close() })
		l := openLink(t, "tcp://"+server.Addr().String(), link.Settings{})
		conn, err := server.Accept()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		say(t, conn, says)
		return l, linktest.Far{Unplug: func() { conn.Close() }, Hear: hear(t, conn), Gone: link.ErrUnplugged}
	})
}

func TestReplay(t *testing.T) {
	linktest.Run(t, func(t *testing.T, says ...[]byte) (link.Link, linktest.Far) {
		text := []byte("# a recording\n")
		for i, p := range says {
			text = fmt.Appendf(text, "%d.%03d < % x  # piece %d\n0.%03d > AA\n", 0, 3*i, p, i, 3*i)
		}
		path := filepath.Join(t.TempDir(), "door.capture")
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		return openLink(t, "replay:"+path, link.Settings{}), linktest.Far{Gone: link.ErrEnded}
	})
}
