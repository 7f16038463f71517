package broker

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"net"
	"slices"
	"sync"
	"time"
)

// greetTime is how long a connection may stay without having said who it is; mochi takes the deadline over at CONNECT.
const greetTime = 10 * time.Second

// patient accepts for mochi, which ends a listener at the first error, sets no deadline before CONNECT, and may count a
// newcomer while it is closing already (its wait group then panics or closes too early): settle waits for newcomers.
type patient struct {
	net.Listener

	mu       sync.Mutex
	entering int // accepted, and not yet counted by mochi
	live     map[*newcomer]struct{}
	ended    chan struct{} // closed when there will be no more
}

func newPatient(ln net.Listener) *patient {
	return &patient{Listener: ln, ended: make(chan struct{}), live: map[*newcomer]struct{}{}}
}

func (p *patient) Accept() (net.Conn, error) {
	for wait := 5 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		c, err := p.Listener.Accept()
		if err == nil {
			c.SetDeadline(time.Now().Add(greetTime))
			return p.letIn(c), nil
		}
		if errors.Is(err, net.ErrClosed) {
			close(p.ended) // mochi does not ask again
			return nil, err
		}
		time.Sleep(wait) // too many open files, most likely: connections that end give some back
	}
}

func (p *patient) letIn(c net.Conn) *newcomer {
	n := &newcomer{Conn: c}
	n.entered = sync.OnceFunc(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.entering--
	})
	n.left = sync.OnceFunc(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.live, n)
	})
	p.mu.Lock()
	defer p.mu.Unlock()
	p.entering++
	p.live[n] = struct{}{}
	return n
}

// hangUp ends the connections that are still open: mochi closes only those who have said who they are.
func (p *patient) hangUp() {
	p.mu.Lock()
	live := slices.Collect(maps.Keys(p.live))
	p.mu.Unlock()
	for _, n := range live {
		n.Close()
	}
}

// settle stops accepting and waits until mochi has counted everybody who was let in: a moment, and never more than a second.
func (p *patient) settle() {
	p.Listener.Close()
	limit := time.After(time.Second)
	select {
	case <-p.ended:
	case <-limit:
		return
	}
	for p.waiting() > 0 {
		select {
		case <-time.After(time.Millisecond):
		case <-limit:
			return
		}
	}
}

func (p *patient) waiting() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.entering
}

// newcomer tells when it is first read from, for mochi has counted it before that, and when it is closed.
type newcomer struct {
	net.Conn
	entered, left func()
}

func (n *newcomer) Read(b []byte) (int, error) {
	n.entered()
	return n.Conn.Read(b)
}

func (n *newcomer) Close() error {
	n.entered()
	n.left()
	return n.Conn.Close()
}

// discreet is mochi's log without what is not for a log: it likes to print whole packets, with payloads and passwords.
// What it calls Info is Debug for us.
type discreet struct{ slog.Handler }

var secretAttrs = []string{"pk", "packet", "will", "payload"}

func (d discreet) Enabled(ctx context.Context, l slog.Level) bool {
	return d.Handler.Enabled(ctx, lowered(l))
}

func (d discreet) Handle(ctx context.Context, r slog.Record) error {
	out := slog.NewRecord(r.Time, lowered(r.Level), "broker: "+r.Message, r.PC)
	r.Attrs(func(a slog.Attr) bool {
		if !slices.Contains(secretAttrs, a.Key) {
			out.AddAttrs(a)
		}
		return true
	})
	return d.Handler.Handle(ctx, out)
}

func (d discreet) WithAttrs(as []slog.Attr) slog.Handler { return discreet{d.Handler.WithAttrs(as)} }
func (d discreet) WithGroup(n string) slog.Handler       { return discreet{d.Handler.WithGroup(n)} }

func lowered(l slog.Level) slog.Level {
	if l < slog.LevelError {
		return slog.LevelDebug
	}
	return l
}
