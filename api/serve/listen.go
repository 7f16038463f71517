package serve

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"time"
)

// ListenUnix opens the socket with the given file mode. A socket left by a killed foyerd is replaced; one that
// somebody answers on is not.
func ListenUnix(path string, mode fs.FileMode) (net.Listener, error) {
	if info, err := os.Lstat(path); err == nil {
		if info.Mode().Type() != fs.ModeSocket {
			return nil, fmt.Errorf("listen on socket %s: a file that is no socket is there; move it away", path)
		}
		if c, err := net.DialTimeout("unix", path, time.Second); err == nil {
			_ = c.Close()
			return nil, fmt.Errorf("listen on socket %s: another foyerd answers there; stop it first", path)
		}
		if err := os.Remove(path); err != nil {
			return nil, fmt.Errorf("remove stale socket: %w", err)
		}
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("listen on socket: %w", err)
	}
	if err := os.Chmod(path, mode); err != nil {
		return nil, errors.Join(fmt.Errorf("guard socket: %w", err), l.Close())
	}
	return l, nil
}

// Run serves until ctx ends: the guarded door on tcp, the trusted one on local. One of them may be nil. It closes both.
func (s *Server) Run(ctx context.Context, tcp, local net.Listener) error {
	if tcp == nil && local == nil {
		return errors.New("serve: neither a TCP address nor a socket was given")
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var all sync.WaitGroup
	faults := make(chan error, 2)
	for _, d := range []struct {
		l net.Listener
		h http.Handler
	}{{tcp, s.guarded}, {local, s.trusted}} {
		if d.l == nil {
			continue
		}
		all.Go(func() {
			if err := s.runDoor(ctx, d.l, d.h); err != nil {
				faults <- err
			}
			stop()
		})
	}
	all.Wait()
	close(faults)
	return <-faults
}

// runDoor serves one listener. Open streams end with ctx.
func (s *Server) runDoor(ctx context.Context, l net.Listener, h http.Handler) error {
	srv := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      30 * time.Second, // streams set their own for every write
		IdleTimeout:       60 * time.Second,
		MaxHeaderBytes:    16 << 10,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	closed := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(closed)
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		if err := srv.Shutdown(end); err != nil {
			_ = srv.Close()
		}
	})
	err := srv.Serve(newCapped(l, s.maxConns))
	if !stop() {
		<-closed
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("serve on %s: %w", l.Addr(), err)
}

// capped lets a bounded number of connections be open at once; more wait outside.
type capped struct {
	net.Listener
	free chan struct{}
	done chan struct{}
	once sync.Once
}

func newCapped(l net.Listener, n int) *capped {
	return &capped{Listener: l, free: make(chan struct{}, n), done: make(chan struct{})}
}

func (c *capped) Accept() (net.Conn, error) {
	select {
	case c.free <- struct{}{}:
	case <-c.done:
		return nil, net.ErrClosed
	}
	conn, err := c.Listener.Accept()
	if err != nil {
		<-c.free
		return nil, err
	}
	return &cappedConn{Conn: conn, leave: sync.OnceFunc(func() { <-c.free })}, nil
}

func (c *capped) Close() error {
	c.once.Do(func() { close(c.done) })
	return c.Listener.Close()
}

type cappedConn struct {
	net.Conn
	leave func()
}

func (c *cappedConn) Close() error {
	defer c.leave()
	return c.Conn.Close()
}
