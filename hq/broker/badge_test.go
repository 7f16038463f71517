package broker

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"

	"foyer/hq/ca"
	"foyer/sync/badge"
	"foyer/sync/line"
	"foyer/sync/line/linetest"
)

// office is an authority, and who of its badges was shut out.
type office struct {
	t *testing.T
	a *ca.Authority

	mu     sync.Mutex
	barred map[string]bool
}

func newOffice(t *testing.T) *office {
	t.Helper()
	a, err := ca.Open(t.TempDir(), "harbour", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return &office{t: t, a: a, barred: map[string]bool{}}
}

// pair is a store's badge.
func (o *office) pair(store string) tls.Certificate {
	o.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		o.t.Fatal(err)
	}
	csr, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	if err != nil {
		o.t.Fatal(err)
	}
	leaf, err := o.a.Badge(csr, place(store), time.Now())
	if err != nil {
		o.t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{leaf.Raw}, PrivateKey: key, Leaf: leaf}
}

// trusting is TLS that trusts this office's brokers and shows what it is given.
func (o *office) trusting(shown ...tls.Certificate) *tls.Config {
	roots := x509.NewCertPool()
	roots.AddCert(o.a.Certificate())
	return &tls.Config{RootCAs: roots, ServerName: badge.ServerName("harbour"), Certificates: shown}
}

func (o *office) admit(c *x509.Certificate) (string, error) {
	p, ended, err := o.a.Verify(c, time.Now())
	if err == nil && (ended || o.isBarred(p.Store)) {
		err = errors.New("not welcome")
	}
	return p.Store, err
}

func (o *office) isBarred(store string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.barred[store]
}

func (o *office) bar(store string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.barred[store] = true
}

// embedded is a broker of ours with a door for badges.
func (o *office) embedded() *rig {
	o.t.Helper()
	pair, err := o.a.Server(time.Now(), time.Hour)
	if err != nil {
		o.t.Fatal(err)
	}
	b, err := Listen(EmbeddedConfig{Chain: "harbour", Auth: func(store, token string) bool { return token == "token-of-"+store }, Badge: &BadgeConfig{
		Addr: "127.0.0.1:0", TLS: &tls.Config{Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequestClientCert}, Admit: o.admit, Barred: o.isBarred}})
	if err != nil {
		o.t.Fatal(err)
	}
	return (&rig{t: o.t, broker: b, address: b.BadgeAddr(), got: make(chan message, 1000)}).run()
}

// mosquitto is one with the configuration that foyer-hq writes, and headquarters at it with its own certificate.
func (o *office) mosquitto() (*rig, linetest.Secure, string) {
	o.t.Helper()
	dir := o.t.TempDir()
	m := linetest.MosquittoWith(o.t, func(port int) string {
		files, err := MosquittoFiles(o.a, "harbour", dir, port, o.list(), time.Now())
		if err != nil {
			o.t.Fatal(err)
		}
		for _, f := range files {
			if err := os.WriteFile(filepath.Join(dir, f.Name), []byte(f.Text), f.Mode); err != nil {
				o.t.Fatal(err)
			}
		}
		return filepath.Join(dir, "mosquitto.conf")
	})
	own, err := o.a.Client(time.Now(), 1)
	if err != nil {
		o.t.Fatal(err)
	}
	l := line.New(line.Config{URL: m.URL(), ClientID: "hq", TLS: o.trusting(own), RetryMin: 10 * time.Millisecond, RetryMax: 50 * time.Millisecond})
	r := &rig{t: o.t, address: m.Address(), got: make(chan message, 1000), up: make(chan struct{}, 10), broker: NewExternal("harbour", l, nil)}
	l.OnUp(func() { r.up <- struct{}{} })
	return r.run(), m, dir
}

// list is the authority's list of revoked badges.
func (o *office) list(revoked ...*big.Int) string {
	o.t.Helper()
	var all []ca.Revoked
	for _, serial := range revoked {
		all = append(all, ca.Revoked{Serial: serial, At: time.Now()})
	}
	text, err := o.a.List(all, time.Now().UnixMilli(), time.Now())
	if err != nil {
		o.t.Fatal(err)
	}
	return text
}

// eachWithBadges runs a test on both brokers behind TLS.
func eachWithBadges(t *testing.T, test func(t *testing.T, o *office, r *rig)) {
	t.Run("embedded", func(t *testing.T) { o := newOffice(t); test(t, o, o.embedded()) })
	t.Run("mosquitto", func(t *testing.T) {
		o := newOffice(t)
		r, _, _ := o.mosquitto()
		test(t, o, r)
	})
}

// show connects with a certificate. ok tells whether the broker let it in.
func (r *rig) show(config *tls.Config, name, id, will string) (c *client, ok bool) {
	r.t.Helper()
	conn, err := tls.Dial("tcp", r.address, config)
	if err != nil {
		return nil, false
	}
	c = &client{t: r.t, conn: conn, in: make(chan packets.ControlPacket, 10_000)}
	r.t.Cleanup(func() { conn.Close() })
	p := packets.NewControlPacket(packets.Connect).(*packets.ConnectPacket)
	p.ProtocolName, p.ProtocolVersion, p.CleanSession, p.Keepalive, p.ClientIdentifier = "MQTT", 4, true, 30, id
	p.Username, p.UsernameFlag = name, name != ""
	p.WillFlag, p.WillRetain, p.WillQos, p.WillTopic, p.WillMessage = true, true, 1, will, state(false)
	if p.Write(conn) != nil {
		return nil, false
	}
	go c.pump()
	ack, isAck := c.next().(*packets.ConnackPacket)
	return c, isAck && ack.ReturnCode == 0
}

func (r *rig) mustShow(o *office, store string) *client {
	r.t.Helper()
	c, ok := r.show(o.trusting(o.pair(store)), "", "foyerd-harbour-"+store, place(store).State())
	if !ok {
		r.t.Fatalf("store %s is not let in by its badge", store)
	}
	return c
}

// A badge opens its own branch, both ways, and nothing else.
func TestBadgeLocksAStoreToItsBranch(t *testing.T) {
	eachWithBadges(t, func(t *testing.T, o *office, r *rig) {
		a, b := r.mustShow(o, "a"), r.mustShow(o, "b")
		if code := a.subscribe(place("a").Ack()); code >= 0x80 {
			t.Error("the subscription to its acknowledgements is refused")
		}
		e := r.mustShow(o, "e")
		if code := e.subscribe(place("e").Down("+")); code >= 0x80 {
			t.Error("the subscription to its snapshots is refused")
		}
		if err := r.broker.Publish(place("a").Ack(), false, []byte("for a")); err != nil {
			t.Fatal(err)
		}
		a.receive(place("a").Ack(), "for a")
		if err := r.broker.Publish(place("e").Down("members"), true, []byte("members of e")); err != nil {
			t.Fatal(err)
		}
		e.receive(place("e").Down("members"), "members of e")
		a.publish(place("a").Up("main"), "from a")
		r.want(place("a").Up("main"), "from a")

		// b subscribes to what is a's. Mosquitto grants any subscription and then delivers nothing; ours refuses.
		for _, filter := range []string{"#", place("a").Ack(), place("a").Down("+"), "edge/v1/harbour/+/down/+"} {
			c := r.mustShow(o, "c")
			c.subscribe(filter)
			if err := r.broker.Publish(place("a").Ack(), false, []byte("not for c")); err != nil {
				t.Fatal(err)
			}
			a.receive(place("a").Ack(), "not for c")
			c.subscribe(place("c").Ack())
			if err := r.broker.Publish(place("c").Ack(), false, []byte("for c")); err != nil {
				t.Fatal(err)
			}
			c.receive(place("c").Ack(), "for c") // fails at anything of a's that came before
		}

		// b publishes as a: nothing of it arrives before what b says as b.
		b.publish(place("b").Up("main"), "first")
		r.want(place("b").Up("main"), "first")
		for _, topic := range []string{place("a").Up("main"), place("a").State(), place("a").Ack(), place("a").Down("members")} {
			d := r.mustShow(o, "d")
			d.publish(topic, "forged")
			d.conn.Close()
		}
		late := r.mustShow(o, "late")
		late.subscribe(place("late").Ack())
		b.publish(place("b").Up("main"), "second")
		r.want(place("b").Up("main"), "second")
		if err := r.broker.Publish(place("a").Ack(), false, []byte("again for a")); err != nil {
			t.Fatal(err)
		}
		a.receive(place("a").Ack(), "again for a") // fails at a forged one
	})
}

func TestWhoHasNoBadge(t *testing.T) {
	eachWithBadges(t, func(t *testing.T, o *office, r *rig) {
		other := newOffice(t)
		ended := o.pair("a") // signed below for yesterday
		csr, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, ended.PrivateKey)
		if err != nil {
			t.Fatal(err)
		}
		leaf, err := o.a.Badge(csr, place("a"), time.Now().Add(-ca.BadgeLife-24*time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		ended.Certificate = [][]byte{leaf.Raw}
		stranger := o.trusting(other.pair("a"))
		for name, config := range map[string]*tls.Config{"none": o.trusting(), "of another authority": stranger, "that has ended": o.trusting(ended)} {
			if _, ok := r.show(config, "a", "foyerd-harbour-a", place("a").State()); ok {
				t.Errorf("a certificate, %s, is let in", name)
			}
		}
	})
}

// Two stores that give the same client name do not throw each other out.
func TestBadgesDoNotMixSessions(t *testing.T) {
	eachWithBadges(t, func(t *testing.T, o *office, r *rig) {
		a, ok := r.show(o.trusting(o.pair("a")), "", "same", place("a").State())
		if !ok {
			t.Fatal("a is not let in")
		}
		if _, ok := r.show(o.trusting(o.pair("b")), "", "same", place("b").State()); !ok {
			t.Fatal("b is not let in")
		}
		a.publish(place("a").Up("main"), "still here")
		r.want(place("a").Up("main"), "still here")
	})
}

func TestEmbeddedAsksForTheNameOfTheBadge(t *testing.T) {
	o := newOffice(t)
	r := o.embedded()
	if _, ok := r.show(o.trusting(o.pair("a")), "b", "x", place("b").State()); ok {
		t.Error("a comes in as b")
	}
	if _, ok := r.show(o.trusting(o.pair("a")), "a", "x", place("b").State()); ok {
		t.Error("a's will may go to b's state")
	}
	if c, ok := r.show(o.trusting(o.pair("a")), "a", "x", place("a").State()); !ok || c == nil {
		t.Error("a is not let in by its own name")
	}
}

// Who is shut out while connected is thrown out, with all connections, and does not come again; others stay.
func TestEmbeddedDropsAStore(t *testing.T) {
	o := newOffice(t)
	r := o.embedded()
	pair := o.pair("a")
	var all []*client
	for _, id := range []string{"box", "second box"} {
		c, ok := r.show(o.trusting(pair), "", id, place("a").State())
		if !ok {
			t.Fatal("a is not let in")
		}
		all = append(all, c)
	}
	other := r.mustShow(o, "b")
	o.bar("a")
	r.broker.(*Embedded).Drop("a")
	for _, c := range all {
		if p := c.next(); p != nil {
			t.Errorf("%v came: want the end of the connection", p)
		}
	}
	if _, ok := r.show(o.trusting(pair), "", "box", place("a").State()); ok {
		t.Error("it comes in again")
	}
	other.publish(place("b").Up("main"), "still here")
	r.want(place("b").Up("main"), "still here")
}

// The moment between a store's CONNECT and its session: it is revoked there, and no Drop sees it.
func TestEmbeddedDropsWhoIsJustComing(t *testing.T) {
	o := newOffice(t)
	pair, err := o.a.Server(time.Now(), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	b, err := Listen(EmbeddedConfig{Chain: "harbour", Auth: func(string, string) bool { return false }, Badge: &BadgeConfig{
		Addr: "127.0.0.1:0", TLS: &tls.Config{Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequestClientCert}, Barred: o.isBarred,
		Admit: func(c *x509.Certificate) (string, error) {
			store, err := o.admit(c)
			o.bar(store) // right after it was found good
			return store, err
		}}})
	if err != nil {
		t.Fatal(err)
	}
	r := (&rig{t: t, broker: b, address: b.BadgeAddr(), got: make(chan message, 10)}).run()
	c, _ := r.show(o.trusting(o.pair("a")), "", "box", place("a").State())
	for c != nil && c.next() != nil {
	}
}

// A store that comes again while its old connection is still there hears what it subscribes to, however the end of the
// old one falls.
func TestEmbeddedHandsOver(t *testing.T) {
	r := newEmbedded(t).run()
	for i := range 200 {
		c := r.connect("a") // the same client identifier each time; the one before is not closed by us
		c.subscribe(place("a").Ack())
		if err := r.broker.Publish(place("a").Ack(), false, fmt.Append(nil, i)); err != nil {
			t.Fatal(err)
		}
		c.receive(place("a").Ack(), fmt.Sprint(i))
	}
}

// A token opens nothing at the door for badges.
func TestTokensStayAtTheirDoor(t *testing.T) {
	o := newOffice(t)
	r := o.embedded()
	conn, err := tls.Dial("tcp", r.address, o.trusting())
	if err != nil {
		t.Fatal(err)
	}
	c := &client{t: t, conn: conn, in: make(chan packets.ControlPacket, 10)}
	defer conn.Close()
	p := packets.NewControlPacket(packets.Connect).(*packets.ConnectPacket)
	p.ProtocolName, p.ProtocolVersion, p.CleanSession, p.Keepalive, p.ClientIdentifier = "MQTT", 4, true, 30, "a"
	p.Username, p.UsernameFlag, p.Password, p.PasswordFlag = "a", true, []byte("token-of-a"), true
	c.send(p)
	go c.pump()
	if ack, ok := c.next().(*packets.ConnackPacket); !ok || ack.ReturnCode == 0 {
		t.Errorf("it is answered %v", ack)
	}
}

// Mosquitto reads the list of revoked badges when it is told to: the list that foyer-hq keeps shuts a store out, without a
// restart for the others.
func TestMosquittoReadsTheList(t *testing.T) {
	o := newOffice(t)
	r, m, dir := o.mosquitto()
	good, bad := o.pair("a"), o.pair("b")
	for _, p := range []tls.Certificate{good, bad} {
		if _, ok := r.show(o.trusting(p), "", "x", place("x").State()); !ok {
			t.Fatal("a good badge is not let in")
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "crl.pem"), []byte(o.list(bad.Leaf.SerialNumber)), 0o644); err != nil {
		t.Fatal(err)
	}
	m.Reload()
	for began := time.Now(); ; { // it tells nobody when it has read the list
		if _, ok := r.show(o.trusting(bad), "", "x", place("x").State()); !ok {
			break
		}
		if time.Since(began) > patience {
			t.Fatal("the revoked badge is let in")
		}
	}
	if _, ok := r.show(o.trusting(good), "", "x", place("x").State()); !ok {
		t.Error("the other badge is not let in any more")
	}
}
