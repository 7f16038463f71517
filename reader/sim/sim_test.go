package sim

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// recorder notes what was written and when, in virtual time.
type recorder struct {
	begun time.Time
	bytes.Buffer
	at []time.Duration // of each write
}

func (r *recorder) Write(p []byte) (int, error) {
	r.at = append(r.at, time.Since(r.begun))
	return r.Buffer.Write(p)
}

func TestWireTakesTenBitTimesAByte(t *testing.T) {
	for _, baud := range []int{9600, 57600, 115200} {
		synctest.Test(t, func(t *testing.T) {
			out := &recorder{begun: time.Now()}
			wire := NewWire(out, baud)
			sent := bytes.Repeat([]byte{0x55}, baud/10)
			for p := range slices.Chunk(sent, 14) { // one second's worth, a frame at a time
				if err := wire.Send(t.Context(), p); err != nil {
					t.Fatal(err)
				}
			}
			if took := time.Since(out.begun); took.Round(100*time.Microsecond) != time.Second || !bytes.Equal(out.Bytes(), sent) {
				t.Errorf("%d baud: %d bytes took %v", baud, out.Len(), took)
			}
			for i, at := range out.at[1:] {
				if pause := at - out.at[i]; pause > batch+time.Millisecond {
					t.Fatalf("%d baud: %v without a byte", baud, pause)
				}
			}
		})
	}
}

func TestWireEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := NewWire(io.Discard, 9600).Send(ctx, make([]byte, 100)); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestRDM6300RepeatsWhileTheCardIsNear(t *testing.T) {
	for _, test := range []struct {
		crlf  bool
		frame string
	}{{false, "\x0262E3086CED08\x03"}, {true, "\x0262E3086CED08\r\n\x03"}} {
		synctest.Test(t, func(t *testing.T) {
			out := &recorder{begun: time.Now()}
			r := NewRDM6300(out)
			r.CRLF = test.crlf
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan error)
			go func() { ended <- r.Run(ctx) }()
			time.Sleep(time.Minute) // nobody is there
			r.Near([5]byte{0x62, 0xE3, 0x08, 0x6C, 0xED})
			time.Sleep(64*time.Millisecond + 9*65*time.Millisecond)
			r.Away()
			time.Sleep(time.Minute)
			cancel()
			if err := <-ended; err != nil {
				t.Error(err)
			}
			if got := out.String(); got != strings.Repeat(test.frame, 10) {
				t.Errorf("got %q", got)
			}
			if first := out.at[0] - time.Minute; first > 4*time.Millisecond {
				t.Errorf("the first bytes came %v after the card", first)
			}
		})
	}
}

// host is the other side of a module in virtual time.
type host struct {
	*recorder
	send   chan []byte
	expire chan struct{}
}

func newHost() *host {
	return &host{&recorder{begun: time.Now()}, make(chan []byte), make(chan struct{}, 1)}
}

func (h *host) Read(p []byte) (int, error) {
	select {
	case b := <-h.send:
		return copy(p, b), nil
	case <-h.expire:
		return 0, os.ErrDeadlineExceeded
	}
}

func (h *host) SetReadDeadline(t time.Time) error {
	if !t.IsZero() {
		h.expire <- struct{}{}
	}
	return nil
}

// said returns what came since the last call, in hex.
func (h *host) said() string {
	defer h.Reset()
	return strings.ToUpper(hex.EncodeToString(h.Bytes()))
}

func unhex(t *testing.T, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// run starts a module for the time of one test in a bubble.
func run(t *testing.T, module func(io.ReadWriter) *R200, test func(h *host, r *R200)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		r := module(h)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- r.Run(ctx) }()
		test(h, r)
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

func TestR200AnswersAsTheManualSays(t *testing.T) {
	for _, test := range []struct{ name, send, want string }{
		{"stop", "AA 00 28 00 00 28 DD", "AA 01 28 00 01 00 2A DD"},
		{"single poll, nobody there", "AA 00 22 00 00 22 DD", "AA 01 FF 00 01 15 16 DD"},
		{"a command it does not have", "AA 00 77 00 00 77 DD", "AA 01 FF 00 01 17 18 DD"},
		{"wrong sum", "AA 00 28 00 00 29 DD", ""},
		{"wrong end", "AA 00 28 00 00 28 7E", ""},
		{"the other dialect", "BB 00 28 00 00 28 7E", ""},
		{"noise, then stop", "00 AA AA 00 28 00 00 28 DD", "AA 01 28 00 01 00 2A DD"},
		{"a length that no command has", "AA 00 28 FF FF 28 DD AA 00 28 00 00 28 DD", "AA 01 28 00 01 00 2A DD"},
		{"two rounds, nobody there", "AA 00 27 00 03 22 00 02 4E DD", "AA 01 FF 00 01 15 16 DD AA 01 FF 00 01 15 16 DD"},
	} {
		run(t, NewR200, func(h *host, _ *R200) {
			for _, b := range unhex(t, test.send) { // byte by byte
				h.send <- []byte{b}
			}
			time.Sleep(time.Second)
			synctest.Wait()
			if got := h.said(); got != strings.ReplaceAll(test.want, " ", "") {
				t.Errorf("%s: got %s, want %s", test.name, got, test.want)
			}
		})
	}
}

// The EPC and its CRC were captured from a real tag (yrm100lib, EL-UHF-RMT01 page); only the RSSI is ours to choose.
func TestM100NoticeIsThatOfARealTag(t *testing.T) {
	run(t, NewM100, func(h *host, r *R200) {
		if err := r.Near(unhex(t, "E20010710000529B0940B402"), -56); err != nil {
			t.Fatal(err)
		}
		h.send <- unhex(t, "BB 00 22 00 00 22 7E")
		time.Sleep(time.Second)
		synctest.Wait()
		got := unhex(t, h.said())
		want := unhex(t, "BB 02 22 00 11 C8 34 00 E2 00 10 71 00 00 52 9B 09 40 B4 02 16 3D D3 7E")
		if len(got) != len(want) {
			t.Fatalf("got % X", got)
		}
		if off := int8(got[5]) - int8(want[5]); off < -2 || off > 2 || got[22] != want[22]+byte(off) {
			t.Errorf("RSSI %d, sum %02X", int8(got[5]), got[22])
		}
		got[5], got[22] = want[5], want[22]
		if !bytes.Equal(got, want) {
			t.Errorf("got % X, want % X", got, want)
		}
	})
}

func TestMultiPollEndsWithItsCount(t *testing.T) {
	run(t, NewR200, func(h *host, r *R200) {
		for _, epc := range []string{"30000001", "E20010710000529B0940B402"} {
			if err := r.Near(unhex(t, epc), -60); err != nil {
				t.Fatal(err)
			}
		}
		h.send <- unhex(t, "AA 00 27 00 03 22 00 64 B0 DD") // 100 rounds
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := strings.Count(h.said(), "AA0222"); got != 200 {
			t.Errorf("%d notices in 100 rounds of two tags", got)
		}
		r.Away(unhex(t, "30000001"))
		h.send <- unhex(t, "AA 00 27 00 03 22 FF FF 4A DD")
		time.Sleep(time.Second)
		h.send <- unhex(t, "AA 00 28 00 00 28 DD")
		time.Sleep(time.Second)
		synctest.Wait()
		got := h.said()
		if n := strings.Count(got, "AA0222"); n < 38 || n > 42 || !strings.HasSuffix(got, "AA01280001002ADD") {
			t.Errorf("%d notices in one second, then %.40s", n, got[len(got)-16:])
		}
	})
}

func TestSleepingModuleThrowsAwayTheByteThatWakesIt(t *testing.T) {
	run(t, NewR200, func(h *host, r *R200) {
		h.send <- unhex(t, "AA 00 27 00 03 22 FF FF 4A DD")
		time.Sleep(time.Second)
		r.Sleep()
		time.Sleep(time.Second)
		synctest.Wait()
		h.said()
		for i, want := range []string{"", "AA01280001002ADD"} {
			h.send <- unhex(t, "AA 00 28 00 00 28 DD")
			time.Sleep(time.Second)
			synctest.Wait()
			if got := h.said(); got != want {
				t.Errorf("stop %d: got %s, want %q", i, got, want)
			}
		}
	})
}

func TestTagsThatCannotBe(t *testing.T) {
	r := NewR200(newHost())
	for _, epc := range [][]byte{nil, {1}, {1, 2, 3}, make([]byte, 64)} {
		if r.Near(epc, -50) == nil {
			t.Errorf("accepted an EPC of %d bytes", len(epc))
		}
	}
	if r.Near([]byte{1, 2}, 5) == nil {
		t.Error("accepted 5 dBm")
	}
}

func FuzzCommands(f *testing.F) {
	f.Add([]byte{0xAA, 0, 0x28, 0, 0, 0x28, 0xDD}, 3)
	f.Add([]byte{0xAA, 0xAA, 0, 0x27, 0, 3, 0x22, 0xFF, 0xFF, 0x4A, 0xDD}, 1)
	f.Fuzz(func(t *testing.T, raw []byte, piece int) {
		p := parser{head: 0xAA, tail: 0xDD}
		for chunk := range slices.Chunk(append([]byte(nil), raw...), max(1, piece&31)) {
			p.feed(chunk)
			if len(p.held) > maxData+overhead {
				t.Fatalf("%d bytes held", len(p.held))
			}
		}
		p.feed(make([]byte, maxData+overhead)) // ends whatever was begun
		got := p.feed([]byte{0xAA, 0, 0x28, 0, 0, 0x28, 0xDD})
		if len(got) != 1 || got[0].code != 0x28 {
			t.Fatalf("after the noise: %+v", got)
		}
	})
}

func open(t *testing.T, p *PTY) *os.File {
	t.Helper()
	f, err := os.OpenFile(p.Path(), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func plug(t *testing.T) *PTY {
	t.Helper()
	p, err := NewPTY(filepath.Join(t.TempDir(), "usb-reader-if00"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

func TestPTYCarriesEveryByteBothWays(t *testing.T) {
	p := plug(t)
	port := open(t, p)
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	got := make([]byte, 256)
	if _, err := p.Write(all); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(port, got); err != nil || !bytes.Equal(got, all) {
		t.Errorf("to the host: % X, %v", got, err)
	}
	if _, err := port.Write(all); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(p, got); err != nil || !bytes.Equal(got, all) {
		t.Errorf("to the device: % X, %v", got, err)
	}
}

func TestPTYUnplugged(t *testing.T) {
	p := plug(t)
	for range 3 {
		port := open(t, p)
		if err := p.Unplug(); err != nil {
			t.Fatal(err)
		}
		if n, err := port.Read(make([]byte, 1)); n != 0 || err == nil {
			t.Errorf("read %d bytes from an unplugged port", n)
		}
		if _, err := os.Lstat(p.Path()); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the name is still there: %v", err)
		}
		if n, err := p.Write([]byte("into the air")); n != 12 || err != nil {
			t.Error(n, err)
		}
		if err := p.Plug(); err != nil {
			t.Fatal(err)
		}
	}
	port := open(t, p)
	p.Write([]byte("x"))
	if b := make([]byte, 1); must(port.Read(b)) != 1 || b[0] != 'x' {
		t.Errorf("after plugging in again: %q", b)
	}
}

func must(n int, err error) int {
	if err != nil {
		return -1
	}
	return n
}

func TestPTYNobodyListensNothingIsKept(t *testing.T) {
	p := plug(t)
	p.Write([]byte("old"))
	open(t, p).Close()
	p.Write([]byte("old"))
	port := open(t, p)
	p.Write([]byte("new"))
	b := make([]byte, 8)
	if n, err := port.Read(b); err != nil || string(b[:n]) != "new" {
		t.Errorf("%q, %v", b[:n], err)
	}
}

func TestPTYReadEnds(t *testing.T) {
	p := plug(t)
	p.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
	if _, err := p.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error(err)
	}
	p.SetReadDeadline(time.Time{})
	ended := make(chan error)
	go func() { _, err := p.Read(make([]byte, 1)); ended <- err }()
	p.Close()
	if err := <-ended; !errors.Is(err, os.ErrClosed) {
		t.Error(err)
	}
	if err := p.Plug(); !errors.Is(err, os.ErrClosed) {
		t.Error(err)
	}
	if _, err := p.Write([]byte("x")); !errors.Is(err, os.ErrClosed) {
		t.Error(err)
	}
}

func TestPTYHarmsNoFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notes")
	if err := os.WriteFile(path, []byte("dear"), 0o600); err != nil {
		t.Fatal(err)
	}
	if p, err := NewPTY(path); err == nil {
		p.Close()
		t.Error("replaced a file")
	}
}
