package reader

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"foyer/firmware-profiles"
	"foyer/reader/link"
	"foyer/reader/link/linktest"
	"foyer/reader/sim"
	"foyer/reader/tag"
	"foyer/reader/wedge"
)

// plugged makes a dialer to a simulated LLRP reader. Each opening is a new connection.
func plugged(ctx context.Context, device *sim.LLRP) *link.Dialer[link.Link] {
	return &link.Dialer[link.Link]{
		Trace: func() string { return "" },
		Open: func(context.Context) (link.Link, error) {
			ours, theirs := net.Pipe()
			go device.Talk(ctx, theirs)
			return linktest.Cable{Conn: ours}, nil
		},
	}
}

// fixedReader runs a test with an LLRP reader in virtual time.
func fixedReader(t *testing.T, test func(t *testing.T, s *shop, device *sim.LLRP)) {
	t.Helper()
	fixedReaderThat(t, func(*sim.LLRP) {}, test)
}

// fixedReaderThat is fixedReader with a device that was told something before it is dialled.
func fixedReaderThat(t *testing.T, is func(*sim.LLRP), test func(t *testing.T, s *shop, device *sim.LLRP)) {
	t.Helper()
	var device *sim.LLRP
	ctx, cancel := context.WithCancel(context.Background())
	dial := func(r *Reader) {
		device = sim.NewLLRP()
		is(device)
		r.serial = plugged(ctx, device)
	}
	bubble(t, "llrp", dial, func(t *testing.T, s *shop) {
		test(t, s, device)
		if err := s.stop(); err != nil {
			t.Error(err)
		}
		cancel()
		device.Hangup()
		synctest.Wait()
	})
}

func TestAFixedReaderIsStartedHeardAndStopped(t *testing.T) {
	fixedReader(t, func(t *testing.T, s *shop, device *sim.LLRP) {
		after(time.Second)
		if s.whys() != "online" || !device.Active() {
			t.Fatalf("story: %s; %q", s.whys(), s.Health().Detail)
		}
		if got, want := device.Heard(), []uint16{3, 3, 21, 20, 24, 22}; !slices.Equal(got, want) {
			t.Errorf("sent %v, want %v: configure twice, delete, add, enable, start", got, want)
		}
		shown := time.Now()
		device.Near(unhex(epc), 2, -56)
		read := <-s.reads
		if read.ID != id(tag.EPC, epc) || read.Reader != "door" || read.Antenna != 2 || !read.HasRSSI || read.RSSI != -56 {
			t.Errorf("%+v", read)
		}
		if late := read.At.Sub(shown); late < 0 || late > 100*time.Millisecond {
			t.Errorf("at %v: the reader's clock, a day ahead, was believed, or it took too long", late)
		}
		if err := s.stop(); err != nil {
			t.Error(err)
		}
		if heard := device.Heard(); s.whys() != "online stopped" || !slices.Equal(heard[len(heard)-2:], []uint16{21, 14}) {
			t.Errorf("story: %s; sent %v", s.whys(), heard)
		}
	})
}

func TestAFixedReaderOfLongNumbersWithoutTimes(t *testing.T) {
	fixedReader(t, func(t *testing.T, s *shop, device *sim.LLRP) {
		device.NoTime = true
		const long = "1FB41F712AC9C37AB79D618173188324001A"
		device.Near(unhex(long), 1, -40)
		device.Near(unhex("2D76451FD4499602D2000000"), 1, -41)
		after(time.Second)
		ids := map[tag.ID]bool{}
		for range len(s.reads) {
			read := <-s.reads
			ids[read.ID] = true
		}
		if len(ids) != 2 || !ids[id(tag.EPC, long)] || !ids[id(tag.GSRN, "952114112345678906")] {
			t.Errorf("%d numbers", len(ids))
		}
	})
}

func TestAQuietNightIsHealthy(t *testing.T) {
	fixedReader(t, func(t *testing.T, s *shop, device *sim.LLRP) {
		after(10 * time.Hour)
		acks := 0
		for _, kind := range device.Heard() {
			if kind == 72 {
				acks++
			}
		}
		if s.whys() != "online" || s.logged() != 1 || acks < 3590 || acks > 3600 {
			t.Errorf("story: %s; %d keep-alives answered in ten hours", s.whys(), acks)
		}
		device.Say(unhex("043D0000000A00000000"))
		after(time.Second)
		if c := s.Health().Counts; c.Reads != 0 || c.Bad.Sum() != 0 || c.Opened != 1 {
			t.Errorf("%+v", c)
		}
	})
}

func TestAHalfDeadReaderIsLeftAndFoundAgain(t *testing.T) {
	fixedReader(t, func(t *testing.T, s *shop, device *sim.LLRP) {
		after(time.Minute)
		device.Die()
		died := time.Now()
		after(26 * time.Second)
		if h := s.Health(); h.Online || h.Why != WhyNoAnswer || h.At.Sub(died) < 20*time.Second || h.At.Sub(died) > 26*time.Second {
			t.Fatalf("%+v after %v", h, h.At.Sub(died))
		}
		after(10 * time.Minute)
		device.Revive()
		back := time.Now()
		device.Near(unhex(epc), 1, -50)
		<-s.reads
		if took := time.Since(back); took > 8*time.Second { // a greeting that was waited for, a pause of up to 2 s
			t.Errorf("heard %v after it came back", took)
		}
		if s.whys() != "online no_answer unplugged online" { // the last attempt was cut off when it came back
			t.Errorf("story: %s", s.whys())
		}
	})
}

func TestAReaderThatHangsUpIsBackInSeconds(t *testing.T) {
	fixedReader(t, func(t *testing.T, s *shop, device *sim.LLRP) {
		device.Near(unhex(epc), 1, -50)
		for range 20 {
			after(10 * time.Second)
			device.Hangup()
			for len(s.reads) > 0 {
				<-s.reads
			}
			cut := time.Now()
			for read := range s.reads {
				if read.At.After(cut) {
					break
				}
			}
			if took := time.Since(cut); took > time.Second {
				t.Errorf("back after %v", took)
			}
		}
		if c := s.Health().Counts; c.Opened != 21 {
			t.Errorf("opened %d times", c.Opened)
		}
	})
}

func TestGarbageOnTheNetwork(t *testing.T) {
	fixedReader(t, func(t *testing.T, s *shop, device *sim.LLRP) {
		after(time.Second)
		device.Say([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"))
		after(5 * time.Second)
		if s.whys() != "online noise online" {
			t.Errorf("story: %s", s.whys())
		}
		device.Say(unhex("043D80000000000000007777")) // two gigabytes
		after(5 * time.Second)
		if s.whys() != "online noise online noise online" {
			t.Errorf("story: %s", s.whys())
		}
		// A report of which one tag makes no sense: the connection stays.
		device.Say(unhex("043D0000002200000005 00F00007810001 00F000118D3000ABCDEF00000000000005"))
		after(time.Second)
		if c := s.Health().Counts; c.Bad.Sum() != 1 || c.Reads != 1 || c.Opened != 3 {
			t.Errorf("%+v", c)
		}
	})
}

func TestReadsKeptFromAnEarlierConnectionAreDropped(t *testing.T) {
	fixedReader(t, func(t *testing.T, s *shop, device *sim.LLRP) {
		after(10 * time.Second)
		device.Hold(unhex(epc), 1, -50)
		device.Hangup()
		after(time.Minute)
		if len(s.reads) != 0 || s.whys() != "online unplugged online" {
			t.Errorf("%d reads of somebody who may have left long ago; story: %s", len(s.reads), s.whys())
		}
	})
}

func TestWhatAReaderMayRefuse(t *testing.T) {
	for _, c := range []struct {
		command uint16
		story   string
	}{
		{21, "online"},  // nothing to delete
		{3, "trouble"},  // no keep-alives: half dead would not be noticed
		{20, "trouble"}, // no inventory
		{22, "trouble"},
	} {
		refusing := func(device *sim.LLRP) { device.Refuse(c.command, 101) }
		fixedReaderThat(t, refusing, func(t *testing.T, s *shop, device *sim.LLRP) {
			after(10 * time.Second)
			if s.whys() != c.story || c.story == "trouble" && !strings.Contains(s.Health().Detail, "refused by the simulator") {
				t.Errorf("command %d refused: %s; %q", c.command, s.whys(), s.Health().Detail)
			}
			device.Refuse(c.command, 0)
			after(5 * time.Second)
			if !s.Health().Online {
				t.Errorf("command %d taken again: %s", c.command, s.whys())
			}
		})
	}
}

func TestAROSpecThatEndsIsStartedAgain(t *testing.T) {
	fixedReader(t, func(t *testing.T, s *shop, device *sim.LLRP) {
		after(time.Minute)
		device.EndROSpec()
		after(2 * time.Second)
		if !device.Active() || s.whys() != "online" {
			t.Errorf("active %v; story: %s", device.Active(), s.whys())
		}
	})
}

func TestComplaintsAreLoggedOnce(t *testing.T) {
	fixedReader(t, func(t *testing.T, s *shop, device *sim.LLRP) {
		after(time.Second)
		for range 100 {
			device.Say(unhex("043F0000002100000000 00F60017 0080000C0005A9E4BEF876B4 00FF0007000003"))
			device.Say(unhex("0464000000120000000C 011F000800650000"))
			after(time.Second)
		}
		if c := s.Health().Counts; c.Errors != 200 || s.logged() != 3 || !strings.Contains(s.log(), "antenna 3") || s.whys() != "online" {
			t.Errorf("%+v; story: %s; log:\n%s", c, s.whys(), s.log())
		}
	})
}

func TestASecondClientIsTold(t *testing.T) {
	fixedReader(t, func(t *testing.T, s *shop, device *sim.LLRP) {
		after(time.Second)
		first := s.Reader
		second, err := New(Config{Name: "other", Profile: first.config.Profile, Port: "tcp://x:1", Secret: secret, Log: quiet()})
		if err != nil {
			t.Fatal(err)
		}
		second.serial = plugged(t.Context(), device)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		var whys []string
		if err := second.Run(ctx, make(chan tag.Read), func(h Health) { whys = append(whys, h.Why) }); err != nil {
			t.Error(err)
		}
		if !slices.Equal(whys, []string{WhyHeld, WhyStopped}) || s.whys() != "online" {
			t.Errorf("second: %v; first: %s", whys, s.whys())
		}
	})
}

// The whole way over a real network.
func TestLLRPOverTCP(t *testing.T) {
	device := sim.NewLLRP()
	device.Round = 5 * time.Millisecond
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 2)
	go func() { ended <- device.Serve(ctx, l) }()
	p, _ := profiles.Find("llrp")
	sent := 0
	r, err := New(Config{Name: "door", Profile: p, Port: "tcp://" + l.Addr().String(), Secret: secret, Log: quiet(),
		Tap: func(c link.Chunk) {
			if c.Sent {
				sent++
			}
		}})
	if err != nil {
		t.Fatal(err)
	}
	reads := make(chan tag.Read, 10)
	go func() { ended <- r.Run(ctx, reads, nil) }()
	device.Near(unhex(epc), 1, -50)
	<-reads
	for range 3 {
		before := device.Clients()
		device.Hangup()
		for device.Clients() == before {
			<-reads
		}
		<-reads
	}
	cancel()
	if err := errors.Join(<-ended, <-ended); err != nil {
		t.Error(err)
	}
	if sent < 4*6 || r.Health().Counts.Opened < 4 {
		t.Errorf("%d messages sent; %+v", sent, r.Health().Counts)
	}
}

func rawKeys(text string, start time.Duration) (raw []byte) {
	for _, e := range wedge.Keys(text, start, 5*time.Millisecond) {
		raw = wedge.AppendRaw(raw, e)
	}
	return raw
}

func TestAWedge(t *testing.T) {
	var w *linktest.Wire
	bubble(t, "wedge", func(r *Reader) { w = linktest.NewWire(); on(w)(r) }, func(t *testing.T, s *shop) {
		after(time.Minute)
		w.Write(rawKeys("0008075634\n", time.Minute))
		shown := time.Now()
		if read := <-s.reads; read.ID != id(tag.EM4100x32, "007B3972") || !read.At.Equal(shown) || read.HasRSSI {
			t.Errorf("%+v", read)
		}
		w.Write(rawKeys("000807563\n", time.Hour))
		w.Write(rawKeys("hello\n0008075634\n", 2*time.Hour))
		after(time.Second)
		if c := s.Health().Counts; len(s.reads) != 1 || c.Frames != 2 || c.Bad.Sum() != 2 {
			t.Errorf("%d reads, %+v", len(s.reads), c)
		}
		if strings.Contains(s.log(), "8075634") || len(w.Sent()) > 0 {
			t.Errorf("log: %s; sent %X", s.log(), w.Sent())
		}
	})
}

func TestPortsOfNetworkAndDesk(t *testing.T) {
	llrp, _ := profiles.Find("llrp")
	desk, _ := profiles.Find("wedge")
	for _, c := range []struct {
		profile *profiles.Profile
		port    string
		good    bool
	}{
		{llrp, "tcp://10.0.0.7:5084", true}, {llrp, "tls://10.0.0.7:5085", true}, {llrp, "/dev/ttyUSB0", false}, {llrp, "gpio:A,B", false},
		{desk, "/dev/input/by-id/x-event-kbd", true}, {desk, "tcp://10.0.0.7:1", false}, {desk, "usb:1A86:7523", false},
	} {
		_, err := New(Config{Name: "door", Profile: c.profile, Port: c.port, Secret: secret, Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
		if (err == nil) != c.good {
			t.Errorf("%s at %s: %v", c.profile.ID, c.port, err)
		}
	}
	r, err := New(Config{Name: "door", Profile: desk, Port: filepath.Join(t.TempDir(), "none"), Secret: secret, Log: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.serial.Open(t.Context()); !errors.Is(err, link.ErrNoDevice) {
		t.Error(err)
	}
}

// The same over TLS, believed by its pin.
func TestLLRPOverTLS(t *testing.T) {
	server := httptest.NewTLSServer(nil) // for its certificate
	defer server.Close()
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: server.TLS.Certificates})
	if err != nil {
		t.Fatal(err)
	}
	device := sim.NewLLRP()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 2)
	go func() { ended <- device.Serve(ctx, l) }()
	p, _ := profiles.Find("llrp")
	port := fmt.Sprintf("tls://%s?pin=%x", l.Addr(), sha256.Sum256(server.Certificate().Raw))
	r, err := New(Config{Name: "door", Profile: p, Port: port, Secret: secret, Log: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	reads := make(chan tag.Read, 10)
	go func() { ended <- r.Run(ctx, reads, nil) }()
	device.Near(unhex(epc), 1, -50)
	if read := <-reads; read.ID != id(tag.EPC, epc) {
		t.Errorf("%+v", read)
	}
	cancel()
	if err := errors.Join(<-ended, <-ended); err != nil {
		t.Error(err)
	}
}
