package broker

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"
)

func TestWhoMayComeIn(t *testing.T) {
	r := newEmbedded(t).run()
	for name, tc := range map[string]struct{ store, token, will string }{
		"a wrong token":          {"a", "token-of-b", place("a").State()},
		"no token":               {"a", "", place("a").State()},
		"no store's name":        {"A/#", "token-of-A/#", place("a").State()},
		"a will for another":     {"a", "token-of-a", place("b").State()},
		"a will for its records": {"a", "token-of-a", place("a").Up("main")},
	} {
		t.Run(name, func(t *testing.T) {
			ack, ok := r.dial(tc.store, "box", tc.token, tc.will).next().(*packets.ConnackPacket)
			if ok && ack.ReturnCode == 0 {
				t.Error("is let in")
			}
		})
	}
}

func TestAStoreKeepsToItsBranch(t *testing.T) {
	r := newEmbedded(t).run()
	for _, filter := range []string{"#", "edge/#", "edge/v1/harbour/+/ack", place("b").Ack(), place("b").Down("+"), place("a").Up("main"), "$SYS/#", "edge/v1/other/a/ack"} {
		if code := r.connect("a").subscribe(filter); code < 0x80 {
			t.Errorf("the subscription to %s is granted", filter)
		}
	}
	for _, filter := range []string{place("a").Ack(), place("a").Down("+"), place("a").Down("#")} {
		if code := r.connect("a").subscribe(filter); code >= 0x80 {
			t.Errorf("the subscription to %s is refused", filter)
		}
	}
	for _, topic := range []string{place("b").Up("main"), place("b").State(), place("a").Ack(), place("b").Down("members"), place("b").Ask("members"), "elsewhere"} {
		c := r.connect("a")
		c.publish(topic, "x")
		for p := c.next(); p != nil; p = c.next() { // the connection ends; there is no PUBACK before
			if _, acked := p.(*packets.PubackPacket); acked {
				t.Errorf("a message to %s is acknowledged", topic)
			}
		}
	}
	for len(r.got) > 0 {
		if m := <-r.got; m.topic != place("a").State() {
			t.Errorf("%s was delivered", m.topic)
		}
	}
}

// The PUBACK comes after deliver has returned, and not at all if it failed.
func TestPubackAfterDeliver(t *testing.T) {
	r := newEmbedded(t)
	durable := make(chan struct{})
	r.answer = func(m message) error {
		switch string(m.payload) {
		case "slow":
			<-durable
		case "bad":
			return errors.New("disk full")
		}
		return nil
	}
	r.run()
	c := r.connect("a")
	c.publish(place("a").Up("main"), "slow")
	r.want(place("a").Up("main"), "slow")
	select {
	case p := <-c.in:
		t.Fatalf("%v came before the payload was durable", p)
	default:
	}
	close(durable)
	if p, ok := c.next().(*packets.PubackPacket); !ok || p.MessageID != 1 {
		t.Fatalf("%v came, want the PUBACK of message 1", p)
	}
	c.publish(place("a").Up("main"), "bad")
	c.publish(place("a").Up("main"), "good")
	if p, ok := c.next().(*packets.PubackPacket); !ok || p.MessageID != 3 {
		t.Errorf("%v came, want the PUBACK of message 3: message 2 was not stored", p)
	}
}

// Two stores that call themselves the same do not throw each other out; a store that comes again is not reported gone.
func TestSessionsOfStoresDoNotMix(t *testing.T) {
	r := newEmbedded(t).run()
	a := r.dial("a", "x", "token-of-a", place("a").State())
	a.next()
	b := r.dial("b", "x", "token-of-b", place("b").State())
	b.next()
	again := r.dial("a", "x", "token-of-a", place("a").State())
	again.next()
	for a.next() != nil { // the first is thrown out by the second of the same store
	}
	b.publish(place("b").Up("main"), "b")
	r.want(place("b").Up("main"), "b")
	again.publish(place("a").Up("main"), "a")
	m := <-r.got
	if m.topic != place("a").Up("main") {
		t.Errorf("%s was delivered before: the store is there", m.topic)
	}
}

func TestLogTellsNoPayload(t *testing.T) {
	var log bytes.Buffer
	d := slog.New(discreet{slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})})
	d.With("client", "a").WithGroup("g").Warn("error processing packet", "pk", packets.NewControlPacket(packets.Publish), "packet", "SECRET", "error", errors.New("x"))
	if strings.Contains(log.String(), "SECRET") || strings.Contains(log.String(), "PUBLISH") || !strings.Contains(log.String(), "error=x") {
		t.Errorf("the log says %s", log.String())
	}
}

func TestMatches(t *testing.T) {
	for _, tc := range []struct {
		filter, topic string
		want          bool
	}{
		{"a/b", "a/b", true}, {"a/+", "a/b", true}, {"+/b", "a/b", true}, {"#", "a/b/c", true}, {"a/#", "a/b/c", true}, {"a/#", "a", true},
		{"a/b", "a/c", false}, {"a/b", "a/b/c", false}, {"a/b/c", "a/b", false}, {"a/+", "a/b/c", false}, {"a/+/c", "a/b/d", false}, {"a", "b", false},
	} {
		if got := matches(tc.filter, tc.topic); got != tc.want {
			t.Errorf("%s matches %s: %t, want %t", tc.filter, tc.topic, got, tc.want)
		}
	}
}

func TestTLS(t *testing.T) {
	cert := certificateFor(t, "127.0.0.1")
	r := &rig{t: t, got: make(chan message, 10)}
	b, err := Listen(EmbeddedConfig{Chain: "harbour", TLS: &tls.Config{Certificates: []tls.Certificate{cert}}, Auth: func(string, string) bool { return true }})
	if err != nil {
		t.Fatal(err)
	}
	r.broker, r.address = b, b.Addr()
	r.run()
	pool := x509.NewCertPool()
	pool.AddCert(cert.Leaf)
	conn, err := tls.Dial("tcp", b.Addr(), &tls.Config{RootCAs: pool})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	c := &client{t: t, conn: conn, in: make(chan packets.ControlPacket, 10)}
	p := packets.NewControlPacket(packets.Connect).(*packets.ConnectPacket)
	p.ProtocolName, p.ProtocolVersion, p.CleanSession, p.Keepalive, p.ClientIdentifier, p.Username, p.UsernameFlag = "MQTT", 4, true, 30, "a", "a", true
	c.send(p)
	go c.pump()
	c.next()
	c.publish(place("a").Up("main"), "over TLS")
	r.want(place("a").Up("main"), "over TLS")
}

func certificateFor(t *testing.T, ip string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	form := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
		IPAddresses: []net.IP{net.ParseIP(ip)}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, form, form, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}
