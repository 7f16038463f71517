package reader

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"foyer/firmware-profiles"
	"foyer/reader/link"
	"foyer/reader/link/linktest"
	"foyer/reader/sim"
	"foyer/reader/tag"
)

const epc = "E20010710000529B0940B402"

// module starts a simulated R200 on the wire, until the test ends.
func module(t *testing.T, rw io.ReadWriter) *sim.R200 {
	t.Helper()
	r := sim.NewR200(rw)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-ended })
	return r
}

func count(w *linktest.Wire, command string) (n int) {
	for _, p := range w.Sent() {
		if bytes.Equal(p, unhex(command)) {
			n++
		}
	}
	return n
}

const (
	stopCommand  = "AA 00 28 00 00 28 DD"
	multiCommand = "AA 00 27 00 03 22 FF FF 4A DD"
)

func TestAModuleIsStartedHeardAndStopped(t *testing.T) {
	var w *linktest.Wire
	bubble(t, "r200", func(r *Reader) { w = linktest.NewWire(); on(w)(r) }, func(t *testing.T, s *shop) {
		r := module(t, w)
		after(time.Second)
		if s.whys() != "online" {
			t.Fatalf("story: %s", s.whys())
		}
		shown := time.Now()
		if err := r.Near(unhex(epc), -56); err != nil {
			t.Fatal(err)
		}
		read := <-s.reads
		if read.ID != id(tag.EPC, epc) || !read.Also.IsZero() || read.Reader != "door" || !read.HasRSSI {
			t.Errorf("got %+v", read)
		}
		if read.RSSI < -58 || read.RSSI > -54 {
			t.Errorf("%d dBm", read.RSSI)
		}
		// One round of 25 ms, and 24 bytes at 115200 baud.
		if late := read.At.Sub(shown); late < 2*time.Millisecond || late > 28*time.Millisecond || time.Since(read.At) > time.Millisecond {
			t.Errorf("heard %v after it came near", late)
		}
		sent := len(w.Sent())
		if err := s.stop(); err != nil {
			t.Error(err)
		}
		if s.whys() != "online stopped" || len(w.Sent()) != sent+1 || count(w, multiCommand) != 1 || !bytes.Equal(w.Sent()[sent], unhex(stopCommand)) {
			t.Errorf("story: %s; sent % X", s.whys(), w.Sent())
		}
	})
}

func TestAnEmptyFieldIsHealthyAndSilent(t *testing.T) {
	var w *linktest.Wire
	bubble(t, "r200", func(r *Reader) { w = linktest.NewWire(); on(w)(r) }, func(t *testing.T, s *shop) {
		module(t, w)
		after(11 * time.Minute) // 40 times a second "no tag": 26,000 frames
		if s.whys() != "online" || s.logged() != 1 {
			t.Errorf("story: %s; log:\n%s", s.whys(), s.log())
		}
		if got := count(w, multiCommand); got != 3 {
			t.Errorf("inventory started %d times in 11 minutes, want 3: at once, and every 5 minutes", got)
		}
		if c := s.Health().Counts; c.Frames < 26_000 || c.Reads != 0 || c.Noise != 0 || c.Bad.Sum() != 0 || c.Opened != 1 {
			t.Errorf("%+v", c)
		}
	})
}

func TestASleepingModuleIsWokenAfterSilence(t *testing.T) {
	var w *linktest.Wire
	bubble(t, "r200", func(r *Reader) { w = linktest.NewWire(); on(w)(r) }, func(t *testing.T, s *shop) {
		r := module(t, w)
		after(time.Minute)
		r.Sleep()
		if err := r.Near(unhex(epc), -56); err != nil {
			t.Fatal(err)
		}
		asleep := time.Now()
		read := <-s.reads
		if took := read.At.Sub(asleep); took < 3*time.Second || took > 4*time.Second {
			t.Errorf("heard again after %v, want the 3 s of the profile and a little", took)
		}
		if s.whys() != "online" {
			t.Errorf("story: %s", s.whys())
		}
	})
}

func TestAModuleThatDoesNotAnswer(t *testing.T) {
	var w *linktest.Wire
	bubble(t, "r200", func(r *Reader) { w = linktest.NewWire(); on(w)(r) }, func(t *testing.T, s *shop) {
		after(time.Minute)
		if s.whys() != "no_answer" || !strings.Contains(s.Health().Detail, "baud") || s.logged() != 1 {
			t.Fatalf("story: %s; %q; log:\n%s", s.whys(), s.Health().Detail, s.log())
		}
		if len(w.Sent()) > 2*40 {
			t.Errorf("knocked %d times in a minute", len(w.Sent()))
		}
		module(t, w) // it gets its power
		after(4 * time.Second)
		if s.whys() != "no_answer online" {
			t.Errorf("story: %s", s.whys())
		}
	})
}

func TestAPolledModule(t *testing.T) {
	var w *linktest.Wire
	const poll = "AA 00 22 00 00 22 DD"
	dial := func(r *Reader) {
		w = linktest.NewWire()
		on(w)(r)
		p := *r.config.Profile
		p.Session = profiles.Session{Wake: unhex("00"), Poll: &profiles.Poll{Every: 250 * time.Millisecond, Command: profiles.Command{
			Name: "single poll", Send: unhex(poll), Within: 100 * time.Millisecond, Optional: true,
			Reply: []profiles.Match{{At: 1, Is: unhex("22")}},
		}}}
		r.config.Profile = &p
	}
	bubble(t, "r200", dial, func(t *testing.T, s *shop) {
		r := module(t, w)
		after(9900 * time.Millisecond)
		if err := r.Near(unhex(epc), -56); err != nil {
			t.Fatal(err)
		}
		after(time.Second)
		if got := count(w, poll); got < 43 || got > 45 || !bytes.Equal(w.Sent()[0], unhex("00")) {
			t.Errorf("polled %d times in 10.9 s, want 44; first sent % X", got, w.Sent()[0])
		}
		if len(s.reads) != 4 || s.whys() != "online" {
			t.Errorf("%d reads in a second, story: %s", len(s.reads), s.whys())
		}
	})
}

func TestAComplaintIsLoggedOnce(t *testing.T) {
	var w *linktest.Wire
	bubble(t, "r200", func(r *Reader) { w = linktest.NewWire(); on(w)(r) }, func(t *testing.T, s *shop) {
		module(t, w)
		after(time.Second)
		for range 500 {
			w.Write(unhex("AA 01 FF 00 01 20 21 DD"))
			w.Write(unhex("AA 01 FF 00 01 17 18 DD"))
		}
		after(time.Second)
		if c := s.Health().Counts; c.Errors != 1000 || s.logged() != 3 || !strings.Contains(s.log(), "code=20") {
			t.Errorf("%+v; log:\n%s", c, s.log())
		}
	})
}

const (
	fob      = "02 36 46 30 30 37 42 33 39 37 32 35 46 03"
	otherFob = "02 35 39 30 30 42 34 37 42 34 46 44 39 03"
)

// fobs returns the reads that are waiting, as numbers.
func (s *shop) fobs() (names []string) {
	known := map[tag.ID]string{id(tag.EM4100, "6F007B3972"): "fob", id(tag.EM4100, "5900B47B4F"): "other"}
	for {
		select {
		case read := <-s.reads:
			names = append(names, known[read.ID])
		default:
			return names
		}
	}
}

func TestWhatComesOfALine(t *testing.T) {
	const pause = "-" // half a second of silence
	for _, test := range []struct {
		name    string
		pieces  []string
		reads   string
		refused uint64
	}{
		{"a frame", []string{fob}, "fob", 0},
		{"byte by byte", strings.Fields(fob), "fob", 0},
		{"two in one piece", []string{fob + otherFob}, "fob other", 0},
		{"split in the middle of the second", []string{fob + otherFob[:20], otherFob[20:]}, "fob other", 0},
		{"garbage around it", []string{"00 FF 8C 03 02 02", fob, "F8 00 03"}, "fob", 0},
		{"cut short by the next", []string{fob[:21], otherFob}, "other", 1},
		{"cut short by silence", []string{fob[:21], pause, otherFob[3:], pause, otherFob}, "other", 1},
		{"one frame inside another", []string{fob[:21], otherFob, fob[21:], pause, fob}, "other fob", 1},
		{"wrong check", []string{"02 31 30 30 30 32 36 46 34 34 34 32 36 03", otherFob}, "other", 1},
	} {
		var w *linktest.Wire
		bubble(t, "rdm6300", func(r *Reader) { w = linktest.NewWire(); on(w)(r) }, func(t *testing.T, s *shop) {
			for _, piece := range test.pieces {
				if piece == pause {
					after(500 * time.Millisecond)
				} else {
					w.Write(unhex(piece))
				}
			}
			after(time.Second)
			if got := strings.Join(s.fobs(), " "); got != test.reads {
				t.Errorf("%s: read %q, want %q", test.name, got, test.reads)
			}
			if c := s.Health().Counts; c.Bad.Sum() != test.refused {
				t.Errorf("%s: %+v, want %d refused", test.name, c, test.refused)
			}
		})
	}
}

func TestAFobCarriesItsShorterForm(t *testing.T) {
	var w *linktest.Wire
	bubble(t, "rdm6300", func(r *Reader) { w = linktest.NewWire(); on(w)(r) }, func(t *testing.T, s *shop) {
		w.Write(unhex(fob))
		if read := <-s.reads; read.Also != id(tag.EM4100x32, "007B3972") || read.HasRSSI || !read.At.Equal(time.Now()) {
			t.Errorf("%+v", read)
		}
	})
}

func TestNoiseIsToldAndForgotten(t *testing.T) {
	var w *linktest.Wire
	bubble(t, "rdm6300", func(r *Reader) { w = linktest.NewWire(); on(w)(r) }, func(t *testing.T, s *shop) {
		noise := bytes.Repeat([]byte{0xF8, 0x00, 0x02, 0x7E}, 32)
		for range 100 {
			w.Write(noise)
			after(10 * time.Millisecond)
		}
		if s.whys() != "online noise" || s.logged() != 2 || !strings.Contains(s.Health().Detail, "baud") {
			t.Fatalf("story: %s; %q; log:\n%s", s.whys(), s.Health().Detail, s.log())
		}
		w.Write(unhex(fob))
		after(time.Second)
		if s.whys() != "online noise online" || len(s.fobs()) != 1 {
			t.Errorf("after a good frame: %s", s.whys())
		}
		w.Write(bytes.Repeat(noise, 3))
		after(29 * time.Second)
		if s.whys() != "online noise online noise" {
			t.Errorf("after more noise: %s", s.whys())
		}
		after(2 * time.Second)
		if s.whys() != "online noise online noise online" {
			t.Errorf("after half a minute of silence: %s", s.whys())
		}
	})
}

func TestASilentReaderIsHealthy(t *testing.T) {
	bubble(t, "rdm6300", on(newWireLater()), func(t *testing.T, s *shop) {
		after(24 * time.Hour)
		if s.whys() != "online" || s.logged() != 1 {
			t.Errorf("story: %s; log:\n%s", s.whys(), s.log())
		}
	})
}

// newWireLater is a wire on which nothing is ever said; it needs no channel of the bubble's.
func newWireLater() *linktest.Wire { return &linktest.Wire{} }

func TestAFullChannelDropsTheOldest(t *testing.T) {
	var w *linktest.Wire
	bubble(t, "rdm6300", func(r *Reader) { w = linktest.NewWire(); on(w)(r) }, func(t *testing.T, s *shop) {
		for range cap(s.reads) { // somebody else's reads
			s.reads <- tag.Read{}
		}
		begun := time.Now()
		for range 100 {
			w.Write(unhex(fob))
			after(100 * time.Millisecond)
		}
		for range cap(s.reads) {
			if read := <-s.reads; !read.ID.IsZero() {
				t.Fatal("a read of ours came too early")
			}
		}
		after(time.Second)
		if len(s.reads) != 64 || s.Health().Counts.Dropped != 36 {
			t.Fatalf("%d waited, %d dropped", len(s.reads), s.Health().Counts.Dropped)
		}
		for i := range 64 {
			if read := <-s.reads; !read.At.Equal(begun.Add(time.Duration(36+i) * 100 * time.Millisecond)) {
				t.Fatalf("read %d is of %v after the start", i, read.At.Sub(begun))
			}
		}
	})
}

// TestWhyThereIsNoLine walks through all that can be wrong with a port, and back.
func TestWhyThereIsNoLine(t *testing.T) {
	var w *linktest.Wire
	door := &socket[link.Link]{}
	fail := func(err error) { door.put(nil, &link.OpenError{Port: "/dev/door", Kind: err, Hint: "do this"}) }
	dial := func(r *Reader) {
		w = linktest.NewWire()
		door.put(w, nil)
		r.serial = door.dialer()
	}
	bubble(t, "rdm6300", dial, func(t *testing.T, s *shop) {
		after(time.Minute)
		fail(link.ErrNoDevice)
		w.Unplug()
		after(time.Minute)
		if s.whys() != "online unplugged" {
			t.Errorf("story: %s", s.whys())
		}
		for _, next := range []struct {
			err error
			why string
		}{
			{link.ErrDenied, WhyDenied}, {link.ErrHeld, WhyHeld}, {link.ErrNotSerial, WhyNotSerial}, {link.ErrNoDevice, WhyNoDevice},
			{link.ErrManyFit, WhyManyFit}, {link.ErrBadLine, WhyBadLine}, {link.ErrNoAnswer, WhyNoAnswer}, {link.ErrStuck, WhyStuck},
			{errors.New("strange"), WhyTrouble},
		} {
			fail(next.err)
			after(time.Minute)
			if h := s.Health(); h.Why != next.why || h.Online || !strings.Contains(h.Detail, "do this") {
				t.Errorf("%v: %+v", next.err, h)
			}
		}
		door.put(linktest.NewWire(), nil)
		after(time.Minute)
		if h := s.Health(); !h.Online || h.Why != "" || h.Detail != "" {
			t.Errorf("%+v", h)
		}
		if len(strings.Fields(s.whys())) != s.logged() {
			t.Errorf("%d changes, %d lines in the log", len(strings.Fields(s.whys())), s.logged())
		}
	})
}

func TestAPortThatCanNeverOpenEndsRun(t *testing.T) {
	bubble(t, "rdm6300", func(r *Reader) { r.serial = link.Dial("COM3", link.Settings{}) }, func(t *testing.T, s *shop) {
		synctest.Wait()
		if err := s.stop(); !errors.Is(err, link.ErrBadPort) || s.whys() != WhyBadPort {
			t.Errorf("%v; story: %s", err, s.whys())
		}
	})
}

func TestNothingLoggedNamesATag(t *testing.T) {
	var w *linktest.Wire
	bubble(t, "rdm6300", func(r *Reader) { w = linktest.NewWire(); on(w)(r) }, func(t *testing.T, s *shop) {
		w.Write(unhex(fob))
		w.Write(unhex("02 31 30 30 30 32 36 46 34 34 34 32 36 03"))
		w.Write(bytes.Repeat([]byte("6F007B3972"), 100))
		after(time.Second)
		for _, secret := range []string{"7B3972", "7b3972", "8075634", "14706", "100026F444"} {
			if strings.Contains(s.log(), secret) {
				t.Errorf("the log holds %s:\n%s", secret, s.log())
			}
		}
	})
}

func TestConfigurationsThatCannotWork(t *testing.T) {
	rdm, _ := profiles.Find("rdm6300")
	w26, _ := profiles.Find("wiegand26")
	good := Config{Name: "door", Profile: rdm, Port: "/dev/x", Secret: secret, Log: quiet()}
	for name, spoil := range map[string]func(*Config){
		"no name":               func(c *Config) { c.Name = "" },
		"no profile":            func(c *Config) { c.Profile = nil },
		"no log":                func(c *Config) { c.Log = nil },
		"a short secret":        func(c *Config) { c.Secret = secret[1:] },
		"pins for a serial one": func(c *Config) { c.Port = "gpio:A,B" },
		"a path for a wiegand":  func(c *Config) { c.Profile = w26 },
	} {
		c := good
		spoil(&c)
		if _, err := New(c); err == nil || strings.Contains(err.Error(), string(secret)) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := New(good); err != nil {
		t.Error(err)
	}
}
