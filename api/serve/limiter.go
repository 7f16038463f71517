package serve

import (
	"net"
	"net/http"
	"sync"
	"time"
)

const (
	maxFails  = 10              // wrong tokens from one address before it must wait
	failEvery = 6 * time.Second // after that, one more try each
	maxKnown  = 1024            // addresses remembered; more at once is an attack, and then all new ones wait
	forgetIn  = maxFails * failEvery
)

// limiter counts wrong tokens by address: a bucket that drains with time. It is bounded.
type limiter struct {
	mu    sync.Mutex
	until map[string]time.Time // when the address's bucket is empty again
}

func newLimiter() *limiter { return &limiter{until: map[string]time.Time{}} }

// wait says how long this address has to wait before it may try.
func (l *limiter) wait(from string, now time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	empty, known := l.until[from]
	if !known && len(l.until) >= maxKnown {
		l.forget(now)
		if len(l.until) >= maxKnown {
			return failEvery
		}
	}
	full := empty.Add(failEvery - forgetIn) // from here on one more failure fits
	if !full.After(now) {
		return 0
	}
	return full.Sub(now)
}

func (l *limiter) fail(from string, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	empty := l.until[from]
	if empty.Before(now) {
		empty = now
	}
	l.until[from] = empty.Add(failEvery)
}

func (l *limiter) forget(now time.Time) {
	for from, empty := range l.until {
		if !empty.After(now) {
			delete(l.until, from)
		}
	}
}

// address is the peer without its port. The socket has none and is not limited by it.
func address(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
