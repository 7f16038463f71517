package api

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// Heartbeat is how often the server sends a comment on a stream that has nothing to say.
const Heartbeat = 5 * time.Second

// Silence is how long a stream may be mute before it counts as dead: three heartbeats.
const Silence = 3 * Heartbeat

// maxMessage bounds one line and one message of a stream; a card is some kilobytes.
const maxMessage = 1 << 20

var (
	// ErrResync means that the stream cannot fill the gap: take a new Snapshot.
	ErrResync = errors.New("events were missed: take a new snapshot")
	// ErrSilent means that not even a heartbeat came for the time Silence.
	ErrSilent = fmt.Errorf("no heartbeat for %v", Silence)
)

// Stream is one open stream of events.
type Stream struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	alive  *time.Timer
	body   io.Closer
	parse  *parser
}

// openStream counts the silence from before the request, so that a server which accepts and never answers is found too.
func openStream(ctx context.Context, open func(context.Context) (*http.Response, error)) (*Stream, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	s := &Stream{ctx: ctx, cancel: cancel}
	s.alive = time.AfterFunc(Silence, func() { cancel(ErrSilent) })
	resp, err := open(ctx)
	if err != nil {
		err = s.explain(err)
		s.stop()
		return nil, err
	}
	s.body = resp.Body
	s.parse = newParser(resp.Body, func() { s.alive.Reset(Silence) })
	return s, nil
}

// Next waits for the next event. It returns ErrResync, ErrSilent or what broke the stream.
func (s *Stream) Next() (Event, error) {
	m, err := s.parse.next()
	if err != nil {
		return Event{}, s.explain(err)
	}
	if m.event == "resync" {
		return Event{}, ErrResync
	}
	var e Event
	if err := json.Unmarshal(m.data, &e); err != nil {
		return Event{}, fmt.Errorf("event %q: %w", m.event, err)
	}
	return e, nil
}

// Close ends the stream.
func (s *Stream) Close() error {
	s.stop()
	return s.body.Close()
}

func (s *Stream) stop() {
	s.alive.Stop()
	s.cancel(context.Canceled)
}

// explain prefers the reason for which we ourselves ended the stream.
func (s *Stream) explain(err error) error {
	if cause := context.Cause(s.ctx); errors.Is(cause, ErrSilent) {
		return ErrSilent
	}
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF // the server never ends a stream that is well
	}
	return err
}

// message is one Server-Sent Event: https://html.spec.whatwg.org/multipage/server-sent-events.html section 9.2.6.
type message struct {
	event string
	data  []byte
}

// parser splits a byte stream into messages. Lines end in LF or CR LF: our server writes no lone CR. The field id is
// not kept: the event's own number inside the data is what counts.
type parser struct {
	lines *bufio.Scanner
	heard func()
}

func newParser(r io.Reader, heard func()) *parser {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxMessage)
	return &parser{lines: lines, heard: heard}
}

// next returns the next message that holds data. A message cut off by the end of the stream is dropped, as the
// standard asks: it will come again.
func (p *parser) next() (message, error) {
	var m message
	var some bool
	for p.lines.Scan() {
		p.heard()
		line := p.lines.Bytes()
		if len(line) == 0 {
			if some {
				return m, nil
			}
			m = message{}
			continue
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimPrefix(value, []byte(" "))
		switch string(name) {
		case "event":
			m.event = string(value)
		case "data":
			if len(m.data)+len(value) >= maxMessage {
				return message{}, bufio.ErrTooLong
			}
			if some {
				m.data = append(m.data, '\n')
			}
			m.data = append(m.data, value...)
			some = true
		}
	}
	if err := p.lines.Err(); err != nil {
		return message{}, err
	}
	return message{}, io.EOF
}
