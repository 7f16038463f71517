package llrp

import (
	"context"
	"errors"
	"fmt"
	"time"

	"foyer/reader/link"
)

// Ears take what a session hears, on the session's goroutine. They must not block.
type Ears interface {
	Started()                            // the reader hears tags from now on
	Heard(at time.Time, t *Tag)          // at is when the report was whole here; t is valid until Heard returns
	Complained(what string, code uint16) // the reader reports trouble of its own; it goes on
}

// Why a session ended, beside what package link says of the line.
var (
	ErrSilent  = errors.New("the reader is silent: two keep-alives were missed")
	ErrRefused = errors.New("the reader refuses a command")
	ErrHungUp  = errors.New("the reader closed the connection")
)

// Counts counts in one session.
type Counts struct {
	Messages uint64 // whole
	Refused  uint64 // tags that could not be read out of their report
	Stale    uint64 // tags reported before we had started the reader: kept from an earlier connection
}

// Client is one session on one open connection. Run it once.
type Client struct {
	Plan  Plan
	Ears  Ears
	Idle  func() time.Duration // how long one wait may be; nil = 200 ms
	Count func(Counts)         // told after every piece of bytes; nil is fine

	line      link.Link
	splitter  Splitter
	counts    Counts
	now       time.Time // when the bytes in hand came
	heard     time.Time // the last whole message
	started   bool
	id        uint32 // of our last command
	ended     bool   // the reader ended our ROSpec
	restarted time.Time
	answer    *answer
	greeted   bool
	trouble   error // that a message brought
	tag       Tag
	buffer    [16 << 10]byte
}

// answer is what a command waits for.
type answer struct {
	kind   Type
	id     uint32
	came   bool
	status Status
}

// Times of a session. A reader that stores its configuration takes a second or two to answer.
const (
	idleWait    = 200 * time.Millisecond
	greetWithin = 5 * time.Second
	within      = 5 * time.Second
	stopWithin  = 500 * time.Millisecond

	restartEvery = time.Second // a reader that ends its ROSpec at once is not driven round and round
)

// Run starts the reader and hears it until ctx ends; then it stops the reader and returns nil. Any other end is an error.
func (c *Client) Run(ctx context.Context, l link.Link) error {
	c.line, c.Plan = l, c.Plan.withDefaults()
	c.heard = time.Now()
	if err := c.start(ctx); err != nil || ctx.Err() != nil {
		if ctx.Err() != nil {
			c.stop()
			return nil
		}
		return err
	}
	for ctx.Err() == nil {
		if err := c.turn(ctx); err != nil {
			return err
		}
	}
	c.stop()
	return nil
}

// start waits for the reader's greeting and tells it what to do. What it did for others before is taken from it: LLRP has
// one client at a time, and a forgotten ROSpec would keep the radio from ours.
func (c *Client) start(ctx context.Context) error {
	if err := c.wait(ctx, greetWithin, func() bool { return c.greeted }); err != nil {
		return err
	}
	if !c.greeted && ctx.Err() == nil {
		return fmt.Errorf("%w: no greeting within %v: is it the LLRP port, 5084 or 5085 for TLS?", link.ErrNoAnswer, greetWithin)
	}
	for _, step := range []struct {
		answer   Type
		send     func(id uint32) []byte
		optional bool // a reader may know less and still do
	}{
		{SetReaderConfigResponse, c.Plan.keepAliveConfig, false},
		{SetReaderConfigResponse, eventConfig, true},
		{DeleteROSpecResponse, func(id uint32) []byte { return onROSpec(DeleteROSpec, id, 0) }, true},
		{AddROSpecResponse, c.Plan.addROSpec, false},
		{EnableROSpecResponse, func(id uint32) []byte { return onROSpec(EnableROSpec, id, roSpecID) }, false},
		{StartROSpecResponse, startROSpec, false},
	} {
		err := c.command(ctx, step.answer, step.send, within)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil && !(step.optional && errors.Is(err, ErrRefused)):
			return err
		}
	}
	c.started = true
	c.Ears.Started()
	return nil
}

func startROSpec(id uint32) []byte { return onROSpec(StartROSpec, id, roSpecID) }

// command sends one and waits for its answer. What comes meanwhile is handled as ever.
func (c *Client) command(ctx context.Context, kind Type, send func(id uint32) []byte, limit time.Duration) error {
	c.id++
	want := &answer{kind: kind, id: c.id}
	c.answer = want
	defer func() { c.answer = nil }()
	if err := c.line.Send(send(c.id)); err != nil {
		return fmt.Errorf("send for %v: %w", kind, err)
	}
	if err := c.wait(ctx, limit, func() bool { return want.came }); err != nil {
		return fmt.Errorf("wait for %v: %w", kind, err)
	}
	switch {
	case !want.came && ctx.Err() == nil:
		return fmt.Errorf("%w: no %v within %v", link.ErrNoAnswer, kind, limit)
	case want.status.Code != 0:
		return fmt.Errorf("%w: %v: %w", ErrRefused, kind, want.status)
	}
	return nil
}

// wait receives until done, limit or the end of ctx.
func (c *Client) wait(ctx context.Context, limit time.Duration, done func() bool) error {
	for end := time.Now().Add(limit); !done() && ctx.Err() == nil; {
		left := time.Until(end)
		if left <= 0 {
			return nil
		}
		if err := c.receive(min(left, c.idle())); err != nil {
			return err
		}
	}
	return nil
}

func (c *Client) idle() time.Duration {
	if c.Idle == nil {
		return idleWait
	}
	return c.Idle()
}

// turn waits for bytes once, and does what they ask for. A reader whose keep-alives stay out twice, with half a period of
// grace for the network, is half dead: the connection stands and nobody is there.
func (c *Client) turn(ctx context.Context) error {
	if c.ended && time.Since(c.restarted) >= restartEvery {
		c.ended, c.restarted = false, time.Now()
		if err := c.command(ctx, StartROSpecResponse, startROSpec, within); err != nil {
			return err
		}
	}
	if err := c.receive(c.idle()); err != nil {
		return err
	}
	if time.Since(c.heard) > c.Plan.KeepAlive*5/2 {
		return fmt.Errorf("%w (%w)", ErrSilent, link.ErrUnplugged)
	}
	return nil
}

// receive waits for bytes once and handles every message that they complete.
func (c *Client) receive(limit time.Duration) error {
	n, err := c.line.Receive(c.buffer[:], limit)
	if n == 0 {
		return err
	}
	c.now = time.Now() // the one time that is taken: the last byte has come
	lost := c.splitter.Feed(c.buffer[:n], c.handle)
	if c.Count != nil {
		c.Count(c.counts)
	}
	if lost != nil {
		return fmt.Errorf("what came is not LLRP: %w", lost)
	}
	return c.trouble
}

func (c *Client) handle(m Message) {
	c.counts.Messages++
	c.heard = c.now
	switch m.Type {
	case ROAccessReport:
		c.report(m.Body)
	case KeepAlive:
		c.note(c.line.Send(plain(KeepAliveAck, m.ID)))
	case ReaderEvent:
		// A notification that is cut short says nothing; the connection is whole all the same.
		_ = EachEvent(m.Body, c.event)
	case ErrorMessage:
		c.errorMessage(m)
	default:
		if a := c.answer; a != nil && m.Type == a.kind && m.ID == a.id {
			status, err := ParseStatus(m.Body)
			c.note(err)
			a.came, a.status = true, status
		}
	}
}

// note keeps the first trouble, for receive to return.
func (c *Client) note(err error) {
	if c.trouble == nil {
		c.trouble = err
	}
}

// report gives out the tags. Before the start they are what the reader kept while we were away: of people long gone, and
// nobody knows since when, because its clock is not believed.
func (c *Client) report(body []byte) {
	for report := Report(body); report.More(); {
		found, err := report.Next(&c.tag)
		switch {
		case err != nil:
			c.counts.Refused++
		case !found:
		case !c.started:
			c.counts.Stale++
		default:
			c.Ears.Heard(c.now, &c.tag)
		}
	}
}

func (c *Client) event(e Event) {
	switch e.Kind {
	case Connected:
		if c.greeted = e.Code == 0; !c.greeted {
			c.note(fmt.Errorf("%w: %s", link.ErrHeld, e.Refusal()))
		}
	case Closing:
		c.note(fmt.Errorf("%w (%w)", ErrHungUp, link.ErrUnplugged))
	case ROSpecEvent:
		c.ended = c.started && e.Code != 0
	case AntennaEvent:
		if e.Code == 0 {
			c.Ears.Complained(fmt.Sprintf("antenna %d is not connected", e.Antenna), e.Antenna)
		}
	case Exception:
		c.Ears.Complained("exception: "+e.Text, 0)
	case BufferLost:
		c.Ears.Complained("reports were lost in the reader", 0)
	case OtherEvent, BufferWarning:
	}
}

// errorMessage is the answer to a message that the reader could not read, ours or nobody's.
func (c *Client) errorMessage(m Message) {
	status, err := ParseStatus(m.Body)
	if err != nil {
		c.Ears.Complained("an error message that cannot be read", 0)
		return
	}
	if a := c.answer; a != nil && m.ID == a.id && status.Code != 0 {
		a.came, a.status = true, status
		return
	}
	c.Ears.Complained(status.Text, status.Code)
}

// stop silences the radio and says goodbye. ctx has ended, but a reader left at work would be at it all night, so it gets
// a little time of its own; a line that is gone needs none.
func (c *Client) stop() {
	c.started = false
	deleteAll := func(id uint32) []byte { return onROSpec(DeleteROSpec, id, 0) }
	if err := c.command(context.Background(), DeleteROSpecResponse, deleteAll, stopWithin); err != nil && !errors.Is(err, ErrRefused) {
		return
	}
	// Some readers hang up at once instead of answering.
	_ = c.command(context.Background(), CloseConnectionResponse, func(id uint32) []byte { return plain(CloseConnection, id) }, stopWithin)
}
