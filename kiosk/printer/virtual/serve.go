package virtual

import (
	"context"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"time"
)

// Line is what is wrong with the way to the printer. The zero value is a good one.
type Line struct {
	CutAfter int  // bytes of a connection, then it breaks; 0: never
	Noise    bool // every answer is drowned
	Deaf     bool // it takes everything in, prints nothing and says nothing
	Rate     int  // bytes a second; 0: as fast as they come
}

// Server is a printer on a line.
type Server struct {
	Printer *Printer
	line    atomic.Pointer[Line]
}

// SetLine changes what is wrong with the way from now on.
func (s *Server) SetLine(l Line) { s.line.Store(&l) }

func (s *Server) now() Line {
	if l := s.line.Load(); l != nil {
		return *l
	}
	return Line{}
}

// Serve answers on a listener, one host at a time as printers do, until ctx ends.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	for {
		conn, err := l.Accept()
		if err != nil {
			if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
				return nil
			}
			return err
		}
		s.Attend(ctx, conn)
	}
}

var errCut = errors.New("the line was cut")

// Attend serves one connection until it ends.
func (s *Server) Attend(ctx context.Context, conn io.ReadWriteCloser) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	spoken := make(chan struct{})
	go func() {
		defer close(spoken)
		s.speak(ctx, conn)
	}()
	err := s.hear(ctx, conn)
	cancel()
	<-spoken
	return err
}

// speak writes what the printer has to say.
func (s *Server) speak(ctx context.Context, conn io.Writer) {
	for {
		select {
		case <-s.Printer.Told():
		case <-ctx.Done():
			return
		}
		answer := s.Printer.Answer()
		if s.now().Noise {
			for i := range answer {
				answer[i] = 0xFF ^ byte(i)
			}
		}
		if len(answer) > 0 && !s.now().Deaf {
			if _, err := conn.Write(answer); err != nil {
				return
			}
		}
	}
}

// hear reads what the host sends, no faster than the printer takes it.
func (s *Server) hear(ctx context.Context, conn io.Reader) error {
	buffer := make([]byte, 4096)
	total := 0
	for {
		n, err := conn.Read(buffer)
		line := s.now()
		if line.CutAfter > 0 && total+n >= line.CutAfter {
			s.offer(ctx, buffer[:max(0, line.CutAfter-total)])
			return errCut
		}
		total += n
		if !line.Deaf && !s.offer(ctx, buffer[:n]) {
			return nil
		}
		if line.Rate > 0 && !pause(ctx, time.Duration(n)*time.Second/time.Duration(line.Rate)) {
			return nil
		}
		if err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
	}
}

// offer gives bytes to the printer until it has taken all of them: while it does not print, its memory fills up.
func (s *Server) offer(ctx context.Context, b []byte) bool {
	for {
		b = b[s.Printer.Receive(b):]
		if len(b) == 0 {
			return true
		}
		if !pause(ctx, 20*time.Millisecond) {
			return false
		}
	}
}

func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}
