package broker

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"

	"foyer/sync/line"
	"foyer/sync/line/linetest"
	"foyer/sync/wire"
)

// patience is how long a test waits for what must come.
const patience = 15 * time.Second

// contract is what hq wants of a broker.
type contract interface {
	Run(ctx context.Context, deliver func(topic string, payload []byte) error) error
	Publish(topic string, retain bool, payload []byte) error
	Online() (bool, time.Time)
}

// rig is a running broker with headquarters at one end.
type rig struct {
	t       *testing.T
	broker  contract
	address string
	got     chan message
	answer  func(message) error // what deliver returns; nil: nothing wrong
	up      chan struct{}       // one each time that an external broker's line comes up
}

func place(store string) wire.Place { return wire.Place{Chain: "harbour", Store: store} }

// run starts the broker's Run and ends it with the test.
func (r *rig) run() *rig {
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		err := r.broker.Run(ctx, func(topic string, payload []byte) error {
			m := message{topic, payload}
			r.got <- m
			if r.answer != nil {
				return r.answer(m)
			}
			return nil
		})
		if err != nil {
			r.t.Error(err)
		}
	})
	r.t.Cleanup(func() { stop(); running.Wait() })
	r.wait()
	return r
}

// wait waits until the line is up; an embedded broker has none.
func (r *rig) wait() {
	r.t.Helper()
	if r.up == nil {
		return
	}
	select {
	case <-r.up:
	case <-time.After(patience):
		r.t.Fatal("the line does not come up")
	}
}

// want waits for the next payload delivered at headquarters, states aside unless one is wanted.
func (r *rig) want(topic, payload string) {
	r.t.Helper()
	for {
		select {
		case m := <-r.got:
			if m.topic == topic && (payload == "" || string(m.payload) == payload) {
				return
			}
			if !strings.HasSuffix(m.topic, "/state") {
				r.t.Fatalf("delivered %s %.60q: want %s %.60q", m.topic, m.payload, topic, payload)
			}
		case <-time.After(patience):
			r.t.Fatalf("%s %.60q was not delivered", topic, payload)
		}
	}
}

// each runs a test on both brokers: the same contract.
func each(t *testing.T, test func(t *testing.T, r *rig)) {
	t.Run("embedded", func(t *testing.T) { test(t, newEmbedded(t).run()) })
	t.Run("mosquitto", func(t *testing.T) {
		m := linetest.Mosquitto(t)
		test(t, newExternal(t, m).run())
	})
}

func newExternal(t *testing.T, b linetest.Broker) *rig {
	l := line.New(line.Config{URL: b.URL(), ClientID: "hq", RetryMin: 10 * time.Millisecond, RetryMax: 50 * time.Millisecond})
	r := &rig{t: t, address: b.Address(), got: make(chan message, 1000), up: make(chan struct{}, 10), broker: NewExternal("harbour", l, nil)}
	l.OnUp(func() { r.up <- struct{}{} })
	return r
}

func newEmbedded(t *testing.T) *rig {
	r := &rig{t: t, got: make(chan message, 1000)}
	b, err := Listen(EmbeddedConfig{Chain: "harbour", Auth: func(store, token string) bool { return token == "token-of-"+store }})
	if err != nil {
		t.Fatal(err)
	}
	r.broker, r.address = b, b.Addr()
	return r
}

// client is a store's end, packet by packet.
type client struct {
	t    *testing.T
	conn net.Conn
	id   uint16
	in   chan packets.ControlPacket // closed when the connection ends
}

// connect comes as a store with its right token and a will, and reads what it is sent.
func (r *rig) connect(store string) *client {
	r.t.Helper()
	c := r.dial(store, "box", "token-of-"+store, place(store).State())
	if ack, ok := c.next().(*packets.ConnackPacket); !ok || ack.ReturnCode != 0 {
		r.t.Fatalf("store %s is answered %v", store, ack)
	}
	return c
}

func (r *rig) dial(store, id, token, will string) *client {
	r.t.Helper()
	conn, err := net.Dial("tcp", r.address)
	if err != nil {
		r.t.Fatal(err)
	}
	c := &client{t: r.t, conn: conn, in: make(chan packets.ControlPacket, 10_000)}
	r.t.Cleanup(func() { conn.Close() })
	p := packets.NewControlPacket(packets.Connect).(*packets.ConnectPacket)
	p.ProtocolName, p.ProtocolVersion, p.CleanSession, p.Keepalive = "MQTT", 4, true, 30
	p.ClientIdentifier, p.Username, p.UsernameFlag, p.Password, p.PasswordFlag = store+"-"+id, store, true, []byte(token), true
	p.WillFlag, p.WillRetain, p.WillQos, p.WillTopic = true, true, 1, will
	p.WillMessage = state(false)
	c.send(p)
	go c.pump()
	return c
}

func state(online bool) []byte {
	b, err := wire.EncodeState(wire.State{Online: online, At: time.Date(2026, 9, 30, 12, 0, 0, 0, time.UTC)})
	if err != nil {
		panic(err)
	}
	return b
}

func (c *client) pump() {
	defer close(c.in)
	for {
		p, err := packets.ReadPacket(c.conn)
		if err != nil {
			return
		}
		c.in <- p
	}
}

func (c *client) send(p packets.ControlPacket) {
	c.t.Helper()
	if err := p.Write(c.conn); err != nil {
		c.t.Fatal(err)
	}
}

// next waits for the next packet; nil once the connection has ended.
func (c *client) next() packets.ControlPacket {
	c.t.Helper()
	select {
	case p := <-c.in:
		return p
	case <-time.After(patience):
		c.t.Fatal("nothing comes from the broker")
		return nil
	}
}

func (c *client) publish(topic, payload string) {
	c.t.Helper()
	c.id++
	p := packets.NewControlPacket(packets.Publish).(*packets.PublishPacket)
	p.TopicName, p.Payload, p.Qos, p.MessageID = topic, []byte(payload), 1, c.id
	c.send(p)
}

// subscribe returns the code that the broker grants.
func (c *client) subscribe(filter string) byte {
	c.t.Helper()
	c.id++
	p := packets.NewControlPacket(packets.Subscribe).(*packets.SubscribePacket)
	p.Topics, p.Qoss, p.MessageID = []string{filter}, []byte{1}, c.id
	c.send(p)
	for {
		switch p := c.next().(type) {
		case *packets.SubackPacket:
			return p.ReturnCodes[0]
		case nil:
			c.t.Fatalf("the connection ended at the subscription to %s", filter)
		}
	}
}

// receive waits for a message of a topic.
func (c *client) receive(topic, payload string) {
	c.t.Helper()
	for {
		switch p := c.next().(type) {
		case *packets.PublishPacket:
			if p.Qos == 1 {
				ack := packets.NewControlPacket(packets.Puback).(*packets.PubackPacket)
				ack.MessageID = p.MessageID
				c.send(ack)
			}
			if p.TopicName == topic && string(p.Payload) == payload {
				return
			}
			if p.TopicName != topic {
				c.t.Fatalf("received %s %.60q: want %s %.60q", p.TopicName, p.Payload, topic, payload)
			}
		case nil:
			c.t.Fatalf("the connection ended before %s came", topic)
		}
	}
}

func TestDeliversInOrder(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		a, b := r.connect("a"), r.connect("b")
		for i := range 20 {
			a.publish(place("a").Up("main"), fmt.Sprint("a", i))
			r.want(place("a").Up("main"), fmt.Sprint("a", i))
		}
		for i := range 20 {
			b.publish(place("b").Up("main"), fmt.Sprint("b", i))
		}
		for i := range 20 {
			r.want(place("b").Up("main"), fmt.Sprint("b", i))
		}
	})
}

func TestAcknowledgementsReachTheirStore(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		a, b := r.connect("a"), r.connect("b")
		for _, c := range []struct {
			*client
			name string
		}{{a, "a"}, {b, "b"}} {
			if code := c.subscribe(place(c.name).Ack()); code > 1 {
				t.Fatalf("the subscription is answered %#x", code)
			}
		}
		for _, name := range []string{"a", "b"} {
			if err := r.broker.Publish(place(name).Ack(), false, []byte("for "+name)); err != nil {
				t.Fatal(err)
			}
		}
		a.receive(place("a").Ack(), "for a")
		b.receive(place("b").Ack(), "for b")
	})
}

// A store asks and is answered; who comes later hears nothing of it.
func TestQuestionsAreAnswered(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		answer := place("a").Down(wire.ChunkTopic)
		a := r.connect("a")
		a.subscribe(answer)
		a.publish(place("a").Ask(wire.ChunkTopic), "which?")
		r.want(place("a").Ask(wire.ChunkTopic), "which?")
		if err := r.broker.Publish(answer, false, []byte("this")); err != nil {
			t.Fatal(err)
		}
		a.receive(answer, "this")
		late := r.dial("a", "second box", "token-of-a", place("a").State())
		late.next()
		late.subscribe(answer)
		if err := r.broker.Publish(answer, false, []byte("another")); err != nil {
			t.Fatal(err)
		}
		late.receiveOnly(answer, "another")
	})
}

// receiveOnly is receive where no other payload may come before.
func (c *client) receiveOnly(topic, payload string) {
	c.t.Helper()
	for {
		switch p := c.next().(type) {
		case *packets.PublishPacket:
			if p.TopicName != topic || string(p.Payload) != payload {
				c.t.Fatalf("received %s %.60q: want %s %.60q", p.TopicName, p.Payload, topic, payload)
			}
			return
		case nil:
			c.t.Fatalf("the connection ended before %s came", topic)
		}
	}
}

func TestRetainedReachesNowAndLater(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		topic := place("a").Down("members")
		early := r.connect("a")
		early.subscribe(place("a").Down("+"))
		for _, version := range []string{"one", "two"} {
			if err := r.broker.Publish(topic, true, []byte(version)); err != nil {
				t.Fatal(err)
			}
		}
		early.receive(topic, "two")
		late := r.dial("a", "second box", "token-of-a", place("a").State())
		late.next()
		late.subscribe(place("a").Down("+"))
		late.receive(topic, "two")
	})
}

func TestAStoreThatVanishesIsOffline(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		a := r.connect("a")
		a.publish(place("a").State(), string(state(true)))
		r.want(place("a").State(), string(state(true)))
		a.conn.Close()
		for {
			select {
			case m := <-r.got:
				s, err := wire.DecodeState(m.payload)
				if err != nil || m.topic != place("a").State() {
					t.Fatalf("delivered %s: %v", m.topic, err)
				}
				if !s.Online {
					return
				}
			case <-time.After(patience):
				t.Fatal("nobody says that the store has gone")
			}
		}
	})
}

// A store that subscribes and then reads nothing does not hold up what another store sends and is sent.
func TestASlowStoreStallsNobody(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		conn, err := net.Dial("tcp", r.address)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		slow := &client{t: t, conn: conn}
		p := packets.NewControlPacket(packets.Connect).(*packets.ConnectPacket)
		p.ProtocolName, p.ProtocolVersion, p.CleanSession, p.Keepalive = "MQTT", 4, true, 30
		p.ClientIdentifier, p.Username, p.UsernameFlag, p.Password, p.PasswordFlag = "slow", "slow", true, []byte("token-of-slow"), true
		slow.send(p)
		s := packets.NewControlPacket(packets.Subscribe).(*packets.SubscribePacket)
		s.Topics, s.Qoss, s.MessageID = []string{place("slow").Ack(), place("slow").Down("+")}, []byte{1, 1}, 1
		slow.send(s)
		quick := r.connect("quick")
		quick.subscribe(place("quick").Ack())
		lump := make([]byte, 256<<10)
		for i := range 100 {
			r.broker.Publish(place("slow").Ack(), false, lump) // 25 MB that nobody reads
			quick.publish(place("quick").Up("main"), fmt.Sprint(i))
			r.want(place("quick").Up("main"), fmt.Sprint(i))
			if err := r.broker.Publish(place("quick").Ack(), false, fmt.Append(nil, i)); err != nil {
				t.Fatal(err)
			}
			quick.receive(place("quick").Ack(), fmt.Sprint(i))
		}
	})
}

// What was given to be retained while there was no line is there when there is one.
func TestRetainedBeforeTheLine(t *testing.T) {
	topic := place("a").Down("campaigns")
	t.Run("embedded", func(t *testing.T) {
		r := newEmbedded(t)
		if err := r.broker.Publish(topic, true, []byte("one")); err != nil {
			t.Fatal(err)
		}
		if err := r.broker.Publish(place("a").Ack(), false, []byte("lost")); err == nil {
			t.Error("an acknowledgement without a line is no error")
		}
		r.run()
		a := r.connect("a")
		a.subscribe(place("a").Down("+"))
		a.receive(topic, "one")
	})
	t.Run("mosquitto", func(t *testing.T) {
		m := linetest.Mosquitto(t)
		m.Stop()
		r := newExternal(t, m)
		if err := r.broker.Publish(topic, true, []byte("one")); err != nil {
			t.Fatal(err)
		}
		m.Start()
		r.run()
		a := r.connect("a")
		a.subscribe(place("a").Down("+"))
		a.receive(topic, "one")
		m.Stop() // and it forgets everything
		m.Start()
		r.wait()
		b := r.connect("a")
		b.subscribe(place("a").Down("+"))
		b.receive(topic, "one")
	})
}
