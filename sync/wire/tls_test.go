package wire

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"math/big"
	"net"
	"sync/atomic"
	"testing"
)

// counted counts what is written to a connection.
type counted struct {
	net.Conn
	bytes *atomic.Int64
}

func (c counted) Write(p []byte) (int, error) {
	c.bytes.Add(int64(len(p)))
	return c.Conn.Write(p)
}

// throughTLS is what real TLS writes in both directions for batches of such payloads and their answers, without its handshake.
// What Go's TLS does differs from the formula of onTheLine: its first records are short.
func throughTLS(t testing.TB, payloads []int) int {
	t.Helper()
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: big.NewInt(1)}, &x509.Certificate{SerialNumber: big.NewInt(1)}, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	var bytes atomic.Int64
	near, far := net.Pipe()
	store := tls.Client(counted{near, &bytes}, &tls.Config{InsecureSkipVerify: true}) // nobody is there to be deceived
	hq := tls.Server(counted{far, &bytes}, &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}})
	defer near.Close()
	ended := make(chan error, 1)
	go func() { ended <- answer(hq, payloads, ackPacket(t)) }()
	if err := store.Handshake(); err != nil {
		t.Fatal(err)
	}
	var one [1]byte
	if _, err := io.ReadFull(store, one[:]); err != nil { // after the session ticket, which is the handshake's
		t.Fatal(err)
	}
	before := bytes.Load()
	place := Place{"wanlian", "fuxing-road"}
	reply := make([]byte, 4+ackPacket(t))
	for _, n := range payloads {
		for _, out := range []int{publishPacket(place.Up(MainLane), n), 4} { // the batch; later the PUBACK of its answer
			if _, err := store.Write(make([]byte, out)); err != nil {
				t.Fatal(err)
			}
			if out != 4 {
				if _, err := io.ReadFull(store, reply); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	return int(bytes.Load() - before)
}

// answer is headquarters' side: a PUBACK and an acknowledgement for each batch.
func answer(hq *tls.Conn, payloads []int, ack int) error {
	if _, err := hq.Write([]byte{0}); err != nil {
		return err
	}
	place := Place{"wanlian", "fuxing-road"}
	for _, n := range payloads {
		if _, err := io.CopyN(io.Discard, hq, int64(publishPacket(place.Up(MainLane), n))); err != nil {
			return err
		}
		for _, out := range []int{4, ack} {
			if _, err := hq.Write(make([]byte, out)); err != nil {
				return err
			}
		}
		if _, err := io.CopyN(io.Discard, hq, 4); err != nil {
			return err
		}
	}
	return nil
}
