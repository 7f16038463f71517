package line

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"foyer/sync/line/linetest"
)

func TestConfigurationThatCannotWorkEndsRunAtOnce(t *testing.T) {
	for _, url := range []string{"", "broker:1883", "http://broker", "tcp://", "tcp://user:secret@broker", "tcp://broker/path", "tcp://bro ker"} {
		err := New(Config{URL: url}).Run(t.Context())
		if err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", url, err)
		}
	}
	for url, want := range map[string]target{
		"tcp://broker":         {"broker:1883", false},
		"mqtt://10.0.0.1:1884": {"10.0.0.1:1884", false},
		"tls://broker":         {"broker:8883", true},
		"mqtts://[::1]:9/":     {"[::1]:9", true},
	} {
		if got, err := parseURL(url); err != nil || got != want {
			t.Errorf("%q: got %v, %v", url, got, err)
		}
	}
}

func TestTLSNeedsTheRightAuthority(t *testing.T) {
	certificate, authority := selfSigned(t)
	b := linetest.Embedded(t)
	front := linetest.NewTLSProxy(t, b.Address(), &tls.Config{Certificates: []tls.Certificate{certificate}})
	c := quick("tls://"+front.Address(), "store")
	c.TLS = &tls.Config{RootCAs: authority}
	l := New(c)
	got := collect(l, "echo")
	up, _ := run(t, l)
	await(t, up, "the line")
	publish(t, l, "echo", "hello")
	if m := await(t, got, "the echo"); m != "echo hello" {
		t.Errorf("got %q", m)
	}

	c.TLS, c.ClientID = nil, "stranger"
	to, _ := parseURL(c.URL)
	stranger := New(c)
	if _, err := stranger.connect(t.Context(), to); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("an unknown authority: %v", err)
	}
}

func selfSigned(t *testing.T) (tls.Certificate, *x509.CertPool) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

// FuzzMeter: however a stream is cut into pieces, the meter says the same, at the same byte.
func FuzzMeter(f *testing.F) {
	f.Add([]byte{0x30, 3, 1, 2, 3, 0xd0, 0}, uint8(1))
	f.Add([]byte{0x30, 0xff, 0xff, 0xff, 0x7f}, uint8(2))
	f.Add([]byte{0x30, 0x80, 0x80, 0x80, 0x80}, uint8(3))
	f.Fuzz(func(t *testing.T, stream []byte, step uint8) {
		whole := meter{max: 1000}
		first := whole.feed(stream)
		pieces := meter{max: 1000}
		var second error
		for rest := stream; len(rest) > 0 && second == nil; {
			n := min(len(rest), int(step%16)+1)
			second = pieces.feed(rest[:n])
			rest = rest[n:]
		}
		if (first == nil) != (second == nil) || first == nil && whole != pieces {
			t.Fatalf("whole %v %+v, in pieces %v %+v", first, whole, second, pieces)
		}
		if first == nil && (whole.length < 0 || whole.length > whole.max) {
			t.Fatalf("%+v", whole)
		}
	})
}

func TestBackoffFollowsTheOutage(t *testing.T) {
	b := backoff{min: 250 * time.Millisecond, max: 30 * time.Second}
	var outage time.Duration
	for range 40 {
		wait := b.next(0.5)
		if outage > time.Second && wait > outage*3/4 {
			t.Errorf("after %v the next try is %v away", outage, wait)
		}
		if wait < b.min*3/4 || wait > b.max*5/4 {
			t.Errorf("wait of %v", wait)
		}
		outage += wait
	}
	if wait := b.next(0.5); wait != b.max {
		t.Errorf("ends at %v, want %v", wait, b.max)
	}
	b.reset()
	if low, high := b.next(0), b.next(0.999); low != b.min*3/4 || high < b.min {
		t.Errorf("after a reset %v and %v", low, high)
	}
}

func TestWhatTheLineStillCarriesIsCounted(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if n := heldBy(c); n != 0 {
		t.Errorf("%d bytes before any was written", n)
	}
	c.SetWriteDeadline(time.Now().Add(time.Second)) // nobody reads: it fills what the other end has room for, and then waits here
	for err == nil {
		_, err = c.Write(make([]byte, 1<<20))
	}
	if n := heldBy(tls.Client(c, &tls.Config{})); n <= 0 {
		t.Errorf("%d bytes are on their way to an end that reads nothing", n)
	}
	c.Close()
	if n := heldBy(c); n != 0 {
		t.Errorf("%d bytes after the end", n)
	}
	pipe, _ := net.Pipe()
	if n := heldBy(pipe); n != 0 {
		t.Errorf("%d bytes of what is no socket", n)
	}
}
