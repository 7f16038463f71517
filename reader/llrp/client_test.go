package llrp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"foyer/reader/link"
)

// pipe is a connection in virtual time.
type pipe struct{ net.Conn }

func (p pipe) Receive(b []byte, wait time.Duration) (int, error) {
	if p.SetReadDeadline(time.Now().Add(wait)) != nil {
		return 0, link.ErrClosed
	}
	n, err := p.Read(b)
	if n > 0 || errors.Is(err, os.ErrDeadlineExceeded) {
		return n, nil
	}
	return 0, link.ErrUnplugged
}

func (p pipe) Send(b []byte) error {
	if p.SetWriteDeadline(time.Now().Add(time.Second)) != nil {
		return link.ErrClosed
	}
	if _, err := p.Write(b); err != nil {
		return link.ErrStuck
	}
	return nil
}

// ears note what they hear.
type ears struct{ notes []string }

func (e *ears) Started() { e.notes = append(e.notes, "started") }
func (e *ears) Heard(_ time.Time, t *Tag) {
	e.notes = append(e.notes, fmt.Sprintf("%x", t.EPC))
}
func (e *ears) Complained(what string, code uint16) {
	e.notes = append(e.notes, fmt.Sprintf("%s (%d)", what, code))
}

const hangup = "043f 0000001e 00000000 00f6 0014 0080 000c 0005a9e4bef876b4 0101 0004"

const greeting = "043f 00000020 00000000 00f6 0016 0080 000c 0005a9e4bef876b4 0100 0006 0000"

// script plays a reader: it says the first item, and then one item for each message that comes. What is left of a script
// that ends is silence. Answers take the id of the message; "-" says nothing.
func script(t *testing.T, conn net.Conn, items []string) {
	say := func(item string, id []byte) bool {
		if item == "-" {
			return true
		}
		raw := unhex(t, item)
		if len(raw) >= headerSize && raw[1] != 0x3f && raw[1] != 0x3d && id != nil {
			copy(raw[6:headerSize], id)
		}
		_, err := conn.Write(raw)
		return err == nil
	}
	if !say(items[0], nil) {
		return
	}
	head := make([]byte, headerSize)
	for i := 1; ; i++ {
		if _, err := io.ReadFull(conn, head); err != nil {
			return
		}
		_, length, err := header(head)
		if err != nil {
			t.Errorf("%x: %v", head, err)
			return
		}
		if _, err := io.CopyN(io.Discard, conn, int64(length-headerSize)); err != nil {
			return
		}
		if i < len(items) && !say(items[i], head[6:]) {
			return
		}
	}
}

func ok(kind string) string { return kind + " 00000012 00000000 011f 0008 0000 0000" }

// started is a reader that obeys.
func started(then ...string) []string {
	return append([]string{greeting, ok("040d"), ok("040d"), ok("041f"), ok("041e"), ok("0422"), ok("0420")}, then...)
}

func TestSessions(t *testing.T) {
	for _, c := range []struct {
		name  string
		items []string
		heard string
		err   error
		says  string
	}{
		{"nobody greets", []string{"-"}, "", link.ErrNoAnswer, "5084"},
		{"somebody else is connected", []string{"043f 00000020 00000000 00f6 0016 0080 000c 0005a9e4bef876b4 0100 0006 0002"}, "", link.ErrHeld, "another program"},
		{"not LLRP at all", []string{"5353482d322e302d"}, "", link.ErrNoAnswer, ""}, // eight bytes: not yet a header
		{"not LLRP, and longer", []string{"5353482d322e302d4f70656e"}, "", ErrHeader, "not LLRP"},
		{"an answer stays out", []string{greeting, ok("040d"), ok("040d"), ok("041f"), "-"}, "", link.ErrNoAnswer, "ADD_ROSPEC_RESPONSE"},
		{"a command is refused", []string{greeting, ok("040d"), ok("040d"), ok("041f"), "041e 00000016 00000000 011f 000c 0192 0004 6e6f7065"}, "", ErrRefused, `status 402, "nope"`},
		{"an error message is an answer too", []string{greeting, "0464 00000012 00000000 011f 0008 0064 0000"}, "", ErrRefused, "status 100"},
		{"an answer without a status", []string{greeting, "040d 0000000a 00000000"}, "", ErrCut, ""},
		{"started, then silent", started(), "started", ErrSilent, "keep-alives"},
		{"started, then the reader hangs up", append(started()[:6], ok("0420")+hangup), "", ErrHungUp, "START_ROSPEC_RESPONSE"},
		{"a report before the start is old", append(started()[:5], ok("0422")+"043d 0000001b 00000000 00f00011 8d 3000abcdef00000000000005", ok("0420")),
			"started", ErrSilent, ""},
	} {
		synctest.Test(t, func(t *testing.T) {
			ours, theirs := net.Pipe()
			go script(t, theirs, c.items)
			var e ears
			client := &Client{Ears: &e}
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			defer cancel()
			err := client.Run(ctx, pipe{ours})
			ours.Close()
			theirs.Close()
			synctest.Wait()
			if !errors.Is(err, c.err) || !strings.Contains(fmt.Sprint(err), c.says) || strings.Join(e.notes, " ") != c.heard {
				t.Errorf("%s: heard %q; %v", c.name, e.notes, err)
			}
		})
	}
}

// A session that is ended says goodbye, and does not wait long for an answer.
func TestGoodbye(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		go script(t, theirs, started()) // deaf from then on
		var e ears
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- (&Client{Ears: &e}).Run(ctx, pipe{ours}) }()
		time.Sleep(5 * time.Second)
		cancel()
		begun := time.Now()
		err := <-ended
		ours.Close()
		theirs.Close()
		if took := time.Since(begun); err != nil || took > 2*time.Second {
			t.Errorf("%v after %v", err, took)
		}
		synctest.Wait()
	})
}
