package linetest

import (
	"net"
	"sync"
	"testing"

	"github.com/eclipse/paho.mqtt.golang/packets"
)

// Fake is a broker that does what a test tells it, connection by connection.
type Fake struct {
	place
}

// NewFake starts one: serve is called for each connection, counted from 0, with its own goroutine. The connection is closed when it returns.
func NewFake(t *testing.T, serve func(n int, c *Conn)) *Fake {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	open := map[net.Conn]bool{}
	wg.Go(func() {
		for n := 0; ; n++ {
			c, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open[c] = true
			mu.Unlock()
			wg.Go(func() {
				defer c.Close()
				serve(n, &Conn{Conn: c})
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		mu.Lock()
		for c := range open {
			c.Close()
		}
		mu.Unlock()
		wg.Wait()
	})
	return &Fake{place{l.Addr().String()}}
}

// Conn is one connection of a Fake.
type Conn struct{ net.Conn }

// Next reads the next packet; false when the connection has ended.
func (c *Conn) Next() (packets.ControlPacket, bool) {
	p, err := packets.ReadPacket(c)
	return p, err == nil
}

// Greet answers CONNECT; false when the connection has ended.
func (c *Conn) Greet() bool {
	if _, ok := c.Next(); !ok {
		return false
	}
	return packets.NewControlPacket(packets.Connack).Write(c) == nil
}

// Granted answers a subscription with one return code for each of its topics.
func (c *Conn) Granted(s *packets.SubscribePacket, codes ...byte) {
	ack := packets.NewControlPacket(packets.Suback).(*packets.SubackPacket)
	ack.MessageID, ack.ReturnCodes = s.MessageID, codes
	ack.Write(c)
}

// Acknowledge answers a message.
func (c *Conn) Acknowledge(p *packets.PublishPacket) {
	ack := packets.NewControlPacket(packets.Puback).(*packets.PubackPacket)
	ack.MessageID = p.MessageID
	ack.Write(c)
}

// Send publishes at QoS 0.
func (c *Conn) Send(topic string, payload []byte) {
	p := packets.NewControlPacket(packets.Publish).(*packets.PublishPacket)
	p.TopicName, p.Payload = topic, payload
	p.Write(c)
}

// Polite answers everything as a broker should until the connection ends, and shows the test each message.
func (c *Conn) Polite(message func(*packets.PublishPacket)) {
	for {
		p, ok := c.Next()
		if !ok {
			return
		}
		switch p := p.(type) {
		case *packets.SubscribePacket:
			c.Granted(p, make([]byte, len(p.Topics))...)
		case *packets.PublishPacket:
			c.Acknowledge(p)
			message(p)
		case *packets.PingreqPacket:
			packets.NewControlPacket(packets.Pingresp).Write(c)
		}
	}
}
