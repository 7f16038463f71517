package sim

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"

	"foyer/sync/wire"
)

// Stall plays a store that sends and never reads: its box hangs, or its line takes nothing down any more. It ends with ctx, or when the
// broker has had enough of it, and says for how long it was borne.
func Stall(ctx context.Context, c Config) (borne time.Duration, err error) {
	u, err := url.Parse(c.Broker)
	if err != nil || u.Host == "" {
		return 0, fmt.Errorf("stall: broker %.80q: want tls://host:port", c.Broker)
	}
	raw, err := (&net.Dialer{Timeout: 10 * time.Second}).DialContext(ctx, "tcp", u.Host)
	if err != nil {
		return 0, fmt.Errorf("stall: %w", err)
	}
	defer raw.Close()
	raw.(*net.TCPConn).SetReadBuffer(4096) // so that what it does not read soon has no room
	conn := raw
	if u.Scheme == "tls" {
		conn = tls.Client(raw, c.TLS)
	}
	defer context.AfterFunc(ctx, func() { raw.Close() })()
	if err := enter(conn, c.Place); err != nil {
		return 0, fmt.Errorf("stall: %w", err)
	}
	began := time.Now()
	err = chatter(ctx, conn, c.Place)
	return time.Since(began), err
}

// chatter sends a hundred events a second until nobody takes them any more. That the broker has had enough is no error.
func chatter(ctx context.Context, conn net.Conn, place wire.Place) (err error) {
	pace := time.NewTicker(10 * time.Millisecond)
	defer pace.Stop()
	for n := uint64(1); ctx.Err() == nil; n++ {
		p := packets.NewControlPacket(packets.Publish).(*packets.PublishPacket)
		p.TopicName, p.Qos, p.MessageID = place.Up(wire.MainLane), 1, uint16(n%65535+1)
		if p.Payload, err = wire.EncodeBatch(wire.Batch{Epoch: "stalled", Lane: wire.MainLane, First: n, SentAt: time.Now().UTC(), Records: []json.RawMessage{someEvent(time.Now())}}); err != nil {
			return err
		}
		conn.SetWriteDeadline(time.Now().Add(time.Minute))
		if p.Write(conn) != nil {
			return nil
		}
		select {
		case <-pace.C:
		case <-ctx.Done():
		}
	}
	return nil
}

// enter says who it is and asks for everything.
func enter(conn net.Conn, place wire.Place) error {
	hello := packets.NewControlPacket(packets.Connect).(*packets.ConnectPacket)
	hello.ProtocolName, hello.ProtocolVersion, hello.CleanSession, hello.Keepalive, hello.ClientIdentifier = "MQTT", 4, true, 300, "stalled-"+place.Store
	hello.UsernameFlag, hello.Username = true, place.Store
	if err := hello.Write(conn); err != nil {
		return err
	}
	answer, err := packets.ReadPacket(conn)
	if err != nil {
		return err
	}
	if a, ok := answer.(*packets.ConnackPacket); !ok || a.ReturnCode != packets.Accepted {
		return errors.New("the broker does not let it in")
	}
	ask := packets.NewControlPacket(packets.Subscribe).(*packets.SubscribePacket)
	ask.MessageID, ask.Topics, ask.Qoss = 1, []string{place.Ack(), place.Down(wire.Campaigns)}, []byte{1, 1}
	return ask.Write(conn)
}
