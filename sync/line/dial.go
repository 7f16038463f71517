package line

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
)

// target is a broker's address.
type target struct {
	address string // host:port
	secure  bool
}

// CheckURL reports what is wrong with a broker's URL.
func CheckURL(text string) error {
	_, err := parseURL(text)
	return err
}

func parseURL(text string) (target, error) {
	const want = "want tcp://host:1883 or tls://host:8883"
	u, err := url.Parse(text)
	if err != nil {
		return target{}, fmt.Errorf("broker address: %s", want) // err would repeat a password in it
	}
	if u.User != nil {
		return target{}, errors.New("broker address: give user name and password by their own settings, not in the address")
	}
	t := target{}
	port := "1883"
	switch u.Scheme {
	case "tcp", "mqtt":
	case "tls", "mqtts", "ssl":
		t.secure, port = true, "8883"
	default:
		return target{}, fmt.Errorf("broker address %q: %s", text, want)
	}
	if u.Hostname() == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" {
		return target{}, fmt.Errorf("broker address %q: %s", text, want)
	}
	if u.Port() != "" {
		port = u.Port()
	}
	t.address = net.JoinHostPort(u.Hostname(), port)
	return t, nil
}

func (t target) dial(ctx context.Context, config *tls.Config) (net.Conn, error) {
	plain := &net.Dialer{Timeout: patience}
	if !t.secure {
		return plain.DialContext(ctx, "tcp", t.address)
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return (&tls.Dialer{NetDialer: plain, Config: config}).DialContext(ctx, "tcp", t.address)
}

// guard is a connection that notices its own end and refuses packets that are too long: paho would allocate up to 256 MiB for one.
type guard struct {
	net.Conn
	meter   meter
	traffic *atomic.Int64 // nil counts nothing
	secure  bool
	dead    chan struct{}
	once    sync.Once
	err     error // set before dead is closed
}

func newGuard(c net.Conn, maxPacket int) *guard {
	return &guard{Conn: c, meter: meter{max: maxPacket}, dead: make(chan struct{})}
}

// Read passes only bytes on that the meter has let through.
func (g *guard) Read(p []byte) (int, error) {
	n, err := g.Conn.Read(p)
	g.count(n)
	if tooLong := g.meter.feed(p[:n]); tooLong != nil {
		n, err = 0, tooLong
	}
	if err != nil {
		g.ended(err)
	}
	return n, err
}

func (g *guard) Write(p []byte) (int, error) {
	n, err := g.Conn.Write(p)
	g.count(n)
	return n, err
}

func (g *guard) count(n int) {
	if g.traffic != nil && n > 0 {
		g.traffic.Add(int64(billed(n, g.secure)))
	}
}

func (g *guard) Close() error {
	g.ended(net.ErrClosed)
	return g.Conn.Close()
}

func (g *guard) ended(err error) {
	g.once.Do(func() {
		g.err = err
		close(g.dead)
	})
}

// meter follows the lengths of MQTT packets through a stream that comes in any pieces. MQTT 3.1.1 section 2.2: one byte of
// type, then the remaining length in one to four bytes of seven bits, lowest first.
type meter struct {
	max    int
	phase  int // 0: the type is next; 1 to 4: that byte of the length; 5: inside
	length int
}

func (m *meter) feed(p []byte) error {
	for len(p) > 0 {
		switch m.phase {
		case 0:
			m.phase, m.length, p = 1, 0, p[1:]
		case 5:
			n := min(m.length, len(p))
			m.length, p = m.length-n, p[n:]
			if m.length == 0 {
				m.phase = 0
			}
		default:
			if err := m.lengthByte(p[0]); err != nil {
				return err
			}
			p = p[1:]
		}
	}
	return nil
}

func (m *meter) lengthByte(b byte) error {
	m.length |= int(b&0x7f) << (7 * (m.phase - 1))
	switch {
	case m.length > m.max:
		return fmt.Errorf("the broker sends a packet of %d bytes or more: at most %d are accepted", m.length, m.max)
	case b&0x80 == 0 && m.length == 0:
		m.phase = 0
	case b&0x80 == 0:
		m.phase = 5
	case m.phase == 4:
		return errors.New("the broker sends something that is not MQTT")
	default:
		m.phase++
	}
	return nil
}
