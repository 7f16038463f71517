package line

import (
	"fmt"
	"reflect"
	"testing"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/eclipse/paho.mqtt.golang/packets"

	"foyer/sync/line/linetest"
)

// What the library offers and loses records with is off: its files (not synced, and a full disk ends the process), its queue while offline
// (65,535 messages, then errors; reordered afterwards), its reconnecting, its sessions. Handlers are called in order.
func TestWhatTheLibraryIsNotTrustedWith(t *testing.T) {
	o := New(quick("tcp://x", "store")).options()
	if _, ok := o.Store.(*mqtt.MemoryStore); !ok {
		t.Errorf("messages are kept in a %v", reflect.TypeOf(o.Store))
	}
	if !o.CleanSession || o.AutoReconnect || o.ConnectRetry || !o.Order || o.ResumeSubs || o.ProtocolVersion != 4 {
		t.Errorf("%+v", o)
	}
}

// Each connection is a new client with a clean session; of the one before nothing is sent again, though its messages were never
// acknowledged.
func TestNothingOfAConnectionOutlivesIt(t *testing.T) {
	hellos, got := make(chan *packets.ConnectPacket, 10), make(chan string, 1000)
	fake := linetest.NewFake(t, func(n int, c *linetest.Conn) {
		p, ok := c.Next()
		if !ok {
			return
		}
		hellos <- p.(*packets.ConnectPacket)
		packets.NewControlPacket(packets.Connack).Write(c)
		for i := 0; ; i++ {
			p, ok := c.Next()
			if !ok || i == 4 && n < 3 { // dies with five messages taken and none acknowledged
				return
			}
			if m, ok := p.(*packets.PublishPacket); ok {
				got <- fmt.Sprintf("%d %s dup=%v", n, m.Payload, m.Dup)
				if n == 3 {
					c.Acknowledge(m)
				}
			}
		}
	})
	l := New(quick(fake.URL(), "store"))
	up, _ := run(t, l)
	for n := range 4 {
		await(t, up, "the line")
		if hello := await(t, hellos, "a CONNECT"); !hello.CleanSession || hello.ClientIdentifier != "store" {
			t.Errorf("connection %d begins with %v", n, hello)
		}
		for i := range 5 {
			if err := l.Publish("up", false, fmt.Appendf(nil, "%d/%d", n, i)); err != nil {
				break // it died with the message just before
			}
		}
		for i := range 4 {
			if want, m := fmt.Sprintf("%d %d/%d dup=false", n, n, i), await(t, got, "a message"); m != want {
				t.Errorf("got %q, want %q", m, want)
			}
		}
	}
}

// A broker that keeps sessions may send before it was asked. Nobody is there to take that; what comes after the subscription is.
func TestMessagesBeforeTheSubscriptionHarmNobody(t *testing.T) {
	fake := linetest.NewFake(t, func(_ int, c *linetest.Conn) {
		c.Greet()
		for i := range 2 * inboxLength {
			early := packets.NewControlPacket(packets.Publish).(*packets.PublishPacket)
			early.TopicName, early.Qos, early.MessageID, early.Payload = "down", 1, uint16(i+1), []byte("early")
			early.Write(c)
		}
		for {
			p, ok := c.Next()
			if !ok {
				return
			}
			if s, ok := p.(*packets.SubscribePacket); ok {
				c.Granted(s, 1)
				c.Send("down", []byte("asked for"))
				break
			}
		}
		c.Polite(func(*packets.PublishPacket) {})
	})
	l := New(quick(fake.URL(), "store"))
	got := collect(l, "down")
	up, _ := run(t, l)
	await(t, up, "the line")
	for m := await(t, got, "a message"); m != "down asked for"; m = await(t, got, "a message") {
		if m != "down early" {
			t.Errorf("got %q", m)
		}
	}
	publish(t, l, "up", "still alive")
}
