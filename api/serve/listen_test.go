package serve_test

import (
	"context"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"foyer/api"
	"foyer/api/serve"
)

// listenUntil serves the guarded door on addr until stop is called.
func listenUntil(t *testing.T, s *serve.Server, addr string) (string, func()) {
	t.Helper()
	l, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx, l, nil) }()
	return l.Addr().String(), sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run ended with %v", err)
		}
	})
}

func listen(t *testing.T, s *serve.Server) string {
	t.Helper()
	addr, stop := listenUntil(t, s, "127.0.0.1:0")
	t.Cleanup(stop)
	return addr
}

// Streams outlive every time-out of the server by far, and end when it stops.
func TestAStreamLastsForDays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub := serve.NewHub(serve.HubConfig{Epoch: "e"})
		s := newServer(t, serve.Config{Hub: hub, MaxStreams: 1})
		l := &pipeListener{conns: make(chan net.Conn), done: make(chan struct{})}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- s.Run(ctx, nil, l) }()
		c := &http.Client{Transport: &http.Transport{DialContext: l.dial}}
		open := func() *http.Response {
			resp, err := c.Get("http://store/v1/reception/events?epoch=e&after=0")
			if err != nil {
				t.Fatal(err)
			}
			return resp
		}
		resp := open()
		full := open()
		if full.StatusCode != 503 {
			t.Errorf("one stream too many: %d", full.StatusCode)
		}
		_ = full.Body.Close()
		var beats, events int
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			data := make([]byte, 4096)
			for {
				n, err := resp.Body.Read(data)
				beats += strings.Count(string(data[:n]), ": alive")
				events += strings.Count(string(data[:n]), "event: card")
				if err != nil {
					return
				}
			}
		}()
		time.Sleep(48 * time.Hour)
		hub.Card(api.Card{Visit: "v1", Arrived: time.Now()})
		synctest.Wait()
		if want := int(48 * time.Hour / api.Heartbeat); beats < want-1 || beats > want || events != 1 {
			t.Errorf("in two days %d heartbeats and %d events", beats, events)
		}
		cancel()
		<-ended
		if err := <-done; err != nil {
			t.Error(err)
		}
		c.CloseIdleConnections()
	})
}

// A client that connects and sends nothing is put out, and meanwhile no more than the limit are open.
func TestConnectionsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, serve.Config{MaxConns: 2})
		l := &pipeListener{conns: make(chan net.Conn), done: make(chan struct{})}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- s.Run(ctx, nil, l) }()
		for range 2 {
			if _, err := l.dial(ctx, "", ""); err != nil {
				t.Fatal(err)
			}
		}
		began := time.Now()
		c := &http.Client{Transport: &http.Transport{DialContext: l.dial}}
		resp, err := c.Get("http://store/healthz")
		if err != nil || resp.StatusCode != 200 {
			t.Fatalf("%v %v", resp, err)
		}
		_ = resp.Body.Close()
		if waited := time.Since(began); waited < 4*time.Second || waited > 11*time.Second {
			t.Errorf("the third was let in after %v, want after the time-out of the mute ones", waited)
		}
		c.CloseIdleConnections()
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestListenUnix(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "api.sock")
	l, err := serve.ListenUnix(path, 0o660)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o660 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if _, err := serve.ListenUnix(path, 0o660); err == nil || !strings.Contains(err.Error(), "another foyerd") {
		t.Errorf("a second one: %v", err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false) // as after kill -9
	_ = l.Close()
	l, err = serve.ListenUnix(path, 0o600)
	if err != nil {
		t.Fatalf("over a dead socket: %v", err)
	}
	hub := serve.NewHub(serve.HubConfig{Store: text("店", "Shop")})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- newServer(t, serve.Config{Hub: hub}).Run(ctx, nil, l) }()
	c, err := api.NewClient("unix://"+path, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, face := range []api.Face{api.Wall, api.Kiosk, api.Reception} {
		if s, err := c.Snapshot(t.Context(), face); err != nil || s.Store.In("en") != "Shop" {
			t.Errorf("%s over the socket: %v", face, err)
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	file := filepath.Join(dir, "precious")
	if err := os.WriteFile(file, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := serve.ListenUnix(file, 0o660); err == nil {
		t.Error("it took the place of a file")
	}
}

// pipeListener is a network in memory, so that client and server live in one synctest bubble.
type pipeListener struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

func (l *pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "pipe"} }

func (l *pipeListener) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	here, there := net.Pipe()
	select {
	case l.conns <- there:
		return here, nil
	case <-l.done:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
