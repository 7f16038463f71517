package sim

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// client is the far end of a connection to a simulated LLRP reader, in virtual time.
type client struct {
	t    *testing.T
	conn net.Conn
}

// ask sends bytes; next returns one message in hex, without the times of its notification.
func (c client) ask(text string) {
	c.t.Helper()
	if _, err := c.conn.Write(unhex(c.t, text)); err != nil {
		c.t.Fatal(err)
	}
}

func (c client) next() string {
	c.t.Helper()
	head := make([]byte, 10)
	if _, err := io.ReadFull(c.conn, head); err != nil {
		return err.Error()
	}
	body := make([]byte, binary.BigEndian.Uint32(head[2:])-10)
	if _, err := io.ReadFull(c.conn, body); err != nil {
		return err.Error()
	}
	if head[1] == 63 {
		copy(body[8:16], make([]byte, 8))
	}
	return hex.EncodeToString(append(head, body...))
}

// Byte for byte as LLRP 1.0.1 has it; what is sent was written by hand, not by package llrp.
func TestLLRPObeysAsTheStandardSays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := NewLLRP()
		r.NoTime = true
		ctx, cancel := context.WithCancel(t.Context())
		ours, theirs := net.Pipe()
		ended := make(chan error, 1)
		go func() { ended <- r.Talk(ctx, theirs) }()
		c := client{t, ours}
		want := func(name, text string) {
			t.Helper()
			if got := c.next(); got != strings.Join(strings.Fields(text), "") {
				t.Fatalf("%s: got %s", name, got)
			}
		}
		want("greeting", "043f 00000020 00000000 00f6 0016 0080 000c 0000000000000000 0100 0006 0000")
		c.ask("0416 0000000e 00000001 00000001")
		want("start before there is anything", "0420 0000002a 00000001 011f 0020 0073 0018"+hex.EncodeToString([]byte("refused by the simulator")))
		c.ask("0403 00000014 00000002 00 00dc 0009 01 00000bb8")
		want("keep-alive of 3 s", "040d 00000012 00000002 011f 0008 0000 0000")
		c.ask("0414 00000014 00000003 00b1 000a 00000001 00 00")
		want("add", "041e 00000012 00000003 011f 0008 0000 0000")
		c.ask("0418 0000000e 00000004 00000001")
		want("enable", "0422 00000012 00000004 011f 0008 0000 0000")
		want("keep-alive", "043e 0000000a 00000000")
		c.ask("0448 0000000a 00000000 0416 0000000e 00000005 00000001")
		want("start", "0420 00000012 00000005 011f 0008 0000 0000")
		r.Near([]byte{0x30, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, 2, -60)
		want("a tag", "043d 00000023 00000000 00f0 0019 8d 30000102030405060708090a 810002 86c4 880001")
		r.Away([]byte{0x30, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10})
		r.Near(make([]byte, 18), 1, -70)
		want("a longer one", "043d 0000002e 00000000 00f0 0024 00f1 0018 0090"+strings.Repeat("00", 18)+"810001 86ba 880001")
		c.ask("0477 0000000a 00000006")
		for got := c.next(); !strings.HasPrefix(got, "0464"); got = c.next() {
			if !strings.HasPrefix(got, "043d") {
				t.Fatalf("an unknown command: %s", got)
			}
		}
		second, far := net.Pipe()
		go r.Talk(ctx, far)
		other := client{t, second}
		if got := other.next(); !strings.HasSuffix(got, "010000060002") {
			t.Errorf("a second client: %s", got)
		}
		cancel()
		ours.Close()
		<-ended
		time.Sleep(time.Second)
		if r.Active() || r.Clients() != 1 {
			t.Error("still at it")
		}
	})
}
