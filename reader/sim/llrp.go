package sim

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"time"
)

// LLRP is a fixed UHF reader on the network, with one client at a time. It obeys a ROSpec as the standard says: added, then
// enabled, then started, and only then does its radio work. Its clock runs a day ahead, as reader clocks do.
type LLRP struct {
	Round  time.Duration // one inventory round; 0 = 100 ms. Set before Serve
	NoTime bool          // leave the times out of reports, as some readers do. Set before Serve

	mu      sync.Mutex
	near    []nearTag
	client  *llrpClient // nil while nobody is connected
	refuse  map[uint16]uint16
	heard   []uint16 // types of the messages that came
	config  []byte   // body of the last ADD_ROSPEC
	dead    bool     // connections stand and nothing is said
	held    []byte   // a report kept for the next client
	clients int      // that were accepted so far
}

type nearTag struct {
	epc     []byte
	antenna uint16
	rssi    int8
}

// llrpClient is one connection.
type llrpClient struct {
	conn    net.Conn
	out     chan []byte
	state   int           // of the ROSpec: 0 none, 1 disabled, 2 inactive, 3 active
	every   time.Duration // of keep-alives; 0 = none
	changed chan struct{}
}

// NewLLRP returns a reader with nobody near it.
func NewLLRP() *LLRP { return &LLRP{refuse: map[uint16]uint16{}} }

// Near puts a tag into the field of an antenna, in place of where it was before.
func (r *LLRP) Near(epc []byte, antenna uint16, rssi int8) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.away(epc)
	r.near = append(r.near, nearTag{slices.Clone(epc), antenna, rssi})
}

// Away takes a tag out of every field.
func (r *LLRP) Away(epc []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.away(epc)
}

func (r *LLRP) away(epc []byte) {
	r.near = slices.DeleteFunc(r.near, func(t nearTag) bool { return slices.Equal(t.epc, epc) })
}

// Refuse makes the reader answer a type of command with a status from now on; 0 takes that back.
func (r *LLRP) Refuse(command, status uint16) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refuse[command] = status
}

// Die makes the reader fall silent while its connections stand, as when its power is cut behind a switch; Revive wakes it.
func (r *LLRP) Die() { r.setDead(true) }

// Revive wakes the reader. The old connection is gone.
func (r *LLRP) Revive() {
	r.setDead(false)
	r.Hangup()
}

func (r *LLRP) setDead(dead bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.dead = dead
}

// Hangup cuts the connection, if there is one.
func (r *LLRP) Hangup() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.client != nil {
		r.client.conn.Close()
	}
}

// Say sends bytes as they are to the client, if there is one.
func (r *LLRP) Say(raw []byte) {
	r.mu.Lock()
	c := r.client
	r.mu.Unlock()
	if c != nil {
		c.send(slices.Clone(raw))
	}
}

// Hold keeps a report of one tag, which the next client gets right after the greeting, as readers do that were told to.
func (r *LLRP) Hold(epc []byte, antenna uint16, rssi int8) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.held = r.report([]nearTag{{epc, antenna, rssi}})
}

// EndROSpec ends the ROSpec that runs and says so.
func (r *LLRP) EndROSpec() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if c := r.client; c != nil && c.state == 3 {
		c.state = 2
		c.send(llrpNotify(llrpTLV(249, []byte{1, 0, 0, 0, 1, 0, 0, 0, 0})))
	}
}

// Heard lists the types of all messages that came, in order.
func (r *LLRP) Heard() []uint16 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.heard)
}

// Clients is how many connections were accepted so far.
func (r *LLRP) Clients() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.clients
}

// Active reports whether the radio works.
func (r *LLRP) Active() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.client != nil && r.client.state == 3
}

// ROSpec returns the body of the last ADD_ROSPEC.
func (r *LLRP) ROSpec() []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.config)
}

// Serve takes connections until ctx ends; then it returns nil.
func (r *LLRP) Serve(ctx context.Context, l net.Listener) error {
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	var all sync.WaitGroup
	defer all.Wait()
	for {
		conn, err := l.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("LLRP reader: %w", err)
		}
		all.Go(func() { _ = r.Talk(ctx, conn) }) // how a client left is its own affair
	}
}

// Talk serves one connection until it or ctx ends. A second client is told that there is one already.
func (r *LLRP) Talk(ctx context.Context, conn net.Conn) error {
	defer conn.Close()
	c := &llrpClient{conn: conn, out: make(chan []byte, 1024), changed: make(chan struct{}, 1)}
	r.mu.Lock()
	if r.client != nil {
		r.mu.Unlock()
		_, err := conn.Write(llrpNotify(llrpTLV(256, []byte{0, 2})))
		return err
	}
	r.client, r.clients = c, r.clients+1
	held := r.held
	r.held = nil
	r.mu.Unlock()
	defer func() { r.mu.Lock(); r.client = nil; r.mu.Unlock() }()
	ctx, cancel := context.WithCancel(ctx)
	var both sync.WaitGroup
	both.Go(func() { defer conn.Close(); r.speak(ctx, c) })
	defer both.Wait()
	defer cancel()
	c.send(llrpNotify(llrpTLV(256, []byte{0, 0})))
	if held != nil {
		c.send(held)
	}
	return r.listen(c)
}

// send queues a message. A client that takes nothing loses what does not fit.
func (c *llrpClient) send(m []byte) {
	select {
	case c.out <- m:
	default:
	}
}

// speak writes what is queued, reports and keep-alives.
func (r *LLRP) speak(ctx context.Context, c *llrpClient) {
	round := r.Round
	if round <= 0 {
		round = 100 * time.Millisecond
	}
	rounds := time.NewTicker(round)
	defer rounds.Stop()
	alive := time.NewTicker(time.Hour)
	defer alive.Stop()
	for {
		var m []byte
		select {
		case <-ctx.Done():
			return
		case m = <-c.out:
		case <-c.changed:
			r.mu.Lock()
			every := c.every
			r.mu.Unlock()
			alive.Stop()
			if every > 0 {
				alive.Reset(every)
			}
		case <-alive.C:
			m = llrpMessage(llrpKeepAlive, 0, nil)
		case <-rounds.C:
			r.mu.Lock()
			if c.state == 3 && len(r.near) > 0 {
				m = r.report(r.near)
			}
			r.mu.Unlock()
		}
		r.mu.Lock()
		dead := r.dead
		r.mu.Unlock()
		if m == nil || dead {
			continue
		}
		if _, err := c.conn.Write(m); err != nil {
			return
		}
	}
}

// listen reads commands until the connection breaks.
func (r *LLRP) listen(c *llrpClient) error {
	head := make([]byte, 10)
	for {
		if _, err := io.ReadFull(c.conn, head); err != nil {
			return err
		}
		size := binary.BigEndian.Uint32(head[2:])
		if size < 10 || size > 1<<16 {
			return errors.New("LLRP reader: a command of a length that no command has")
		}
		body := make([]byte, size-10)
		if _, err := io.ReadFull(c.conn, body); err != nil {
			return err
		}
		kind := binary.BigEndian.Uint16(head) & 0x3FF
		r.mu.Lock()
		r.obey(c, kind, binary.BigEndian.Uint32(head[6:]), body)
		r.mu.Unlock()
	}
}

// obey carries a command out and answers it.
func (r *LLRP) obey(c *llrpClient, kind uint16, id uint32, body []byte) {
	r.heard = append(r.heard, kind)
	answer := map[uint16]uint16{llrpSetConfig: 13, llrpClose: 4, llrpAdd: 30, llrpDelete: 31, llrpStart: 32, llrpEnable: 34}[kind]
	status := r.refuse[kind]
	if status == 0 {
		status = r.carryOut(c, kind, body)
	}
	switch {
	case kind == llrpKeepAlAck:
	case answer == 0:
		c.send(llrpMessage(llrpError, id, llrpStatus(109, "unsupported message")))
	case status != 0:
		c.send(llrpMessage(answer, id, llrpStatus(status, "refused by the simulator")))
	default:
		c.send(llrpMessage(answer, id, llrpStatus(0, "")))
	}
}

// Statuses of the standard that the simulator knows: a field or parameter error, and an invalid state.
const (
	llrpBadParameter = 100
	llrpWrongState   = 115
)

func (r *LLRP) carryOut(c *llrpClient, kind uint16, body []byte) uint16 {
	from := map[uint16]int{llrpEnable: 1, llrpStart: 2}[kind]
	switch kind {
	case llrpSetConfig:
		return r.configure(c, body)
	case llrpAdd:
		if !llrpNested(body, 177) || c.state != 0 {
			return llrpBadParameter
		}
		c.state, r.config = 1, slices.Clone(body)
	case llrpDelete:
		c.state = 0
	case llrpEnable, llrpStart:
		if c.state != from || len(body) != 4 {
			return llrpWrongState
		}
		c.state++
	}
	return 0
}

// configure takes the period of the keep-alives.
func (r *LLRP) configure(c *llrpClient, body []byte) uint16 {
	if len(body) < 1 {
		return llrpBadParameter
	}
	for b := body[1:]; len(b) >= 4; {
		kind, size := binary.BigEndian.Uint16(b)&0x3FF, int(binary.BigEndian.Uint16(b[2:]))
		if size < 4 || size > len(b) {
			return llrpBadParameter
		}
		if kind == 220 && size == 9 {
			c.every = time.Duration(binary.BigEndian.Uint32(b[5:])) * time.Millisecond
			select {
			case c.changed <- struct{}{}:
			default:
			}
		}
		b = b[size:]
	}
	return 0
}
