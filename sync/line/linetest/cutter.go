package linetest

import (
	"net"
	"sync"
	"testing"
)

// inFlight is about what a line of 384 kbit/s and 150 ms holds, in bytes.
const inFlight = 8 << 10

// Cutter stands before a server and cuts every connection, without a goodbye, each time so many bytes have gone towards
// the client.
type Cutter struct {
	place
	every int64

	mu    sync.Mutex // guards what follows
	down  int64      // bytes towards clients
	up    int64      // bytes towards the server
	cuts  int
	conns map[net.Conn]bool
}

// NewCutter starts a cutter to an address; every 0 cuts never.
func NewCutter(t testing.TB, to string, every int64) *Cutter {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &Cutter{place: place{l.Addr().String()}, every: every, conns: map[net.Conn]bool{}}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() { c.carry(client, to) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		c.mu.Lock()
		c.cut()
		c.mu.Unlock()
		all.Wait()
	})
	return c
}

// Carried tells how many bytes went towards clients and towards the server, and how often the line was cut.
func (c *Cutter) Carried() (down, up int64, cuts int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.down, c.up, c.cuts
}

func (c *Cutter) carry(client net.Conn, to string) {
	server, err := net.Dial("tcp", to)
	if err != nil {
		client.Close()
		return
	}
	client.(*net.TCPConn).SetWriteBuffer(inFlight) // a line holds little; what a socket held would be lost with each cut
	c.mu.Lock()
	c.conns[client], c.conns[server] = true, true
	c.mu.Unlock()
	var both sync.WaitGroup
	both.Go(func() { c.copy(server, client, &c.up, 0) })
	both.Go(func() { c.copy(client, server, &c.down, c.every) })
	both.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.conns, client)
	delete(c.conns, server)
}

func (c *Cutter) copy(to, from net.Conn, count *int64, every int64) {
	defer to.Close()
	defer from.Close()
	buf := make([]byte, 4096)
	for {
		n, err := from.Read(buf)
		if _, werr := to.Write(buf[:n]); werr != nil && err == nil {
			err = werr
		}
		c.mu.Lock()
		before := *count
		*count += int64(n)
		if every > 0 && before/every != *count/every {
			c.cuts++
			c.cut()
		}
		c.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (c *Cutter) cut() {
	for conn := range c.conns {
		if tcp, ok := conn.(*net.TCPConn); ok {
			tcp.SetLinger(0)
		}
		conn.Close()
	}
	clear(c.conns)
}
