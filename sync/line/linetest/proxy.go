package linetest

import (
	"crypto/tls"
	"net"
	"sync"
	"testing"
)

// Proxy stands between a client and a broker.
type Proxy struct {
	place
	to string

	mu      sync.Mutex // guards what follows
	refuse  bool
	conns   map[net.Conn]*bool // true: silent, bytes are taken from both sides and go nowhere
	cutAt   int                // bytes towards the broker after which the connection is cut; 0: never
	carried int
	total   int // bytes in both directions
	tap     func(from net.Conn, up bool, bytes []byte)
}

// NewProxy starts a proxy to an address.
func NewProxy(t testing.TB, to string) *Proxy { return newProxy(t, to, nil) }

// NewTLSProxy starts a proxy to which clients speak TLS.
func NewTLSProxy(t *testing.T, to string, config *tls.Config) *Proxy { return newProxy(t, to, config) }

func newProxy(t testing.TB, to string, config *tls.Config) *Proxy {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	if config != nil {
		l = tls.NewListener(l, config)
	}
	p := &Proxy{place: place{address}, to: to, conns: map[net.Conn]*bool{}}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { p.carry(c) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		p.Cut()
		wg.Wait()
	})
	return p
}

// Cut ends all connections at once, without a goodbye.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut()
}

func (p *Proxy) cut() {
	for c := range p.conns {
		if tcp, ok := c.(*net.TCPConn); ok {
			tcp.SetLinger(0)
		}
		c.Close()
	}
	clear(p.conns)
}

// Down ends all connections, and new ones as soon as they come.
func (p *Proxy) Down() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refuse = true
	p.cut()
}

// Up lets connections through again.
func (p *Proxy) Up() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refuse = false
}

// Silence makes the connections that there are swallow everything, as a dead radio link does: nobody is told.
func (p *Proxy) Silence() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, silent := range p.conns {
		*silent = true
	}
}

// Tap shows all that passes, as it passes; up is towards the broker. It holds up all connections while it looks.
func (p *Proxy) Tap(look func(from net.Conn, up bool, bytes []byte)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tap = look
}

// CutAfter cuts once so many more bytes have gone towards the broker.
func (p *Proxy) CutAfter(bytes int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.carried, p.cutAt = 0, bytes
}

// Carried counts the bytes that have gone through in both directions.
func (p *Proxy) Carried() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.total
}

func (p *Proxy) carry(client net.Conn) {
	defer client.Close()
	broker, err := net.Dial("tcp", p.to)
	if err != nil {
		return
	}
	defer broker.Close()
	if !p.add(client, broker) {
		return
	}
	var wg sync.WaitGroup
	wg.Go(func() { p.copy(broker, client, true) })
	wg.Go(func() { p.copy(client, broker, false) })
	wg.Wait()
}

func (p *Proxy) add(conns ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.refuse {
		return false
	}
	for _, c := range conns {
		p.conns[c] = new(bool)
	}
	return true
}

func (p *Proxy) forget(c net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, c)
}

func (p *Proxy) copy(to, from net.Conn, up bool) {
	defer to.Close()
	defer from.Close()
	defer p.forget(from)
	buf := make([]byte, 4096)
	for {
		n, err := from.Read(buf)
		if n > 0 && !p.swallows(from, buf[:n], up) {
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

func (p *Proxy) swallows(from net.Conn, bytes []byte, up bool) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := len(bytes)
	if p.tap != nil {
		p.tap(from, up, bytes)
	}
	if up && p.cutAt > 0 {
		if p.carried += n; p.carried >= p.cutAt {
			p.cutAt = 0
			p.cut()
			return true
		}
	}
	p.total += n
	silent := p.conns[from]
	return silent != nil && *silent
}
