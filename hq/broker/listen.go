package broker

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"slices"
	"time"
)

// greetTime is how long a connection may stay without having said who it is; mochi takes the deadline over at CONNECT.
const greetTime = 10 * time.Second

// patient accepts for mochi, which ends a listener at the first error, and sets no deadline before CONNECT.
type patient struct{ net.Listener }

func (p *patient) Accept() (net.Conn, error) {
	for wait := 5 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		c, err := p.Listener.Accept()
		if err == nil {
			c.SetDeadline(time.Now().Add(greetTime))
			return c, nil
		}
		if errors.Is(err, net.ErrClosed) {
			return nil, err
		}
		time.Sleep(wait) // too many open files, most likely: connections that end give some back
	}
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
