package reader

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"foyer/firmware-profiles"
	"foyer/reader/sim"
	"foyer/reader/tag"
)

// These tests use real pseudo-terminals. They wait for what must come, at most patience, and never for time to pass.
const patience = 20 * time.Second

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// desk is a reader on a real line.
type desk struct {
	t      testing.TB
	reads  chan tag.Read
	health chan Health
}

// listen runs a reader until the test ends.
func listen(t testing.TB, profile, port string) *desk {
	t.Helper()
	p, ok := profiles.Find(profile)
	if !ok {
		t.Fatalf("no profile %s", profile)
	}
	r, err := New(Config{Name: "door", Profile: p, Port: port, Secret: secret, Log: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	d := &desk{t: t, reads: make(chan tag.Read, 256), health: make(chan Health, 1024)}
	background(t, func(ctx context.Context) error { return r.Run(ctx, d.reads, func(h Health) { d.health <- h }) })
	return d
}

// background runs something until the test ends.
func background(t testing.TB, run func(context.Context) error) {
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// until waits for a state; "" = online.
func (d *desk) until(why string) Health {
	d.t.Helper()
	for end := time.After(patience); ; {
		select {
		case h := <-d.health:
			if h.Why == why {
				return h
			}
		case <-end:
			d.t.Fatalf("never %q", why)
		}
	}
}

// hears waits for a read of the tag.
func (d *desk) hears(want tag.ID) tag.Read {
	d.t.Helper()
	for end := time.After(patience); ; {
		select {
		case read := <-d.reads:
			if read.ID == want {
				return read
			}
		case <-end:
			d.t.Fatalf("never heard %v", want)
		}
	}
}

func port(t testing.TB) *sim.PTY {
	t.Helper()
	p, err := sim.NewPTY(filepath.Join(t.TempDir(), "usb-reader-if00"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

func TestSimulatedReadersAreHeard(t *testing.T) {
	fobNumber := [5]byte(unhex("6F007B3972"))
	for name, crlf := range map[string]bool{"RDM6300": false, "ID-20LA": true} {
		t.Run(name, func(t *testing.T) {
			p := port(t)
			r := sim.NewRDM6300(p)
			r.CRLF = crlf
			background(t, r.Run)
			d := listen(t, "rdm6300", p.Path())
			d.until("")
			r.Near(fobNumber)
			first := d.hears(id(tag.EM4100, "6F007B3972"))
			if second := d.hears(first.ID); !second.At.After(first.At) {
				t.Errorf("%v, then %v", first.At, second.At)
			}
		})
	}
	for profile, make := range map[string]func(*sim.PTY) *sim.R200{
		"r200": func(p *sim.PTY) *sim.R200 { return sim.NewR200(p) },
		"m100": func(p *sim.PTY) *sim.R200 { return sim.NewM100(p) },
	} {
		t.Run(profile, func(t *testing.T) {
			p := port(t)
			r := make(p)
			background(t, r.Run)
			d := listen(t, profile, p.Path())
			d.until("")
			for _, number := range []string{epc, "30000001", "BB0222AADD7E"} {
				if err := r.Near(unhex(number), -61); err != nil {
					t.Fatal(err)
				}
				if read := d.hears(id(tag.EPC, number)); read.RSSI < -63 || read.RSSI > -59 {
					t.Errorf("%s at %d dBm", number, read.RSSI)
				}
			}
		})
	}
}

func TestPiecesOnARealLine(t *testing.T) {
	p := port(t)
	d := listen(t, "rdm6300", p.Path())
	d.until("")
	for _, piece := range []string{"00 FF 02 36", fob[:15], fob, fob[:30], otherFob[:12], otherFob[12:]} {
		if _, err := p.Write(unhex(piece)); err != nil {
			t.Fatal(err)
		}
	}
	d.hears(id(tag.EM4100, "6F007B3972"))
	d.hears(id(tag.EM4100, "5900B47B4F"))
}

func TestAPortThatAnotherReaderHolds(t *testing.T) {
	p := port(t)
	first := listen(t, "rdm6300", p.Path())
	first.until("")
	second := listen(t, "rdm6300", p.Path())
	if h := second.until(WhyHeld); h.Online || h.Detail == "" {
		t.Errorf("%+v", h)
	}
	p.Write(unhex(fob))
	first.hears(id(tag.EM4100, "6F007B3972"))
}

func TestAPortThatIsNotThereYet(t *testing.T) {
	p := port(t)
	p.Unplug()
	d := listen(t, "rdm6300", p.Path())
	d.until(WhyNoDevice)
	if err := p.Plug(); err != nil {
		t.Fatal(err)
	}
	d.until("")
}

// pulled is a module that is pulled out in the middle of its work and put back.
type pulled struct {
	*desk
	port *sim.PTY
}

func newPulled(t testing.TB) *pulled {
	t.Helper()
	p := port(t)
	r := sim.NewR200(p)
	background(t, r.Run)
	if err := r.Near(unhex(epc), -56); err != nil {
		t.Fatal(err)
	}
	d := &pulled{listen(t, "r200", p.Path()), p}
	d.until("")
	d.hears(id(tag.EPC, epc))
	return d
}

// cycle pulls it out and puts it back, and returns how long it took from then until its tag was heard again.
func (d *pulled) cycle() time.Duration {
	d.t.Helper()
	if err := d.port.Unplug(); err != nil {
		d.t.Fatal(err)
	}
	d.until(WhyUnplugged)
	if err := d.port.Plug(); err != nil {
		d.t.Fatal(err)
	}
	plugged := time.Now()
	d.until("")
	for len(d.reads) > 0 {
		<-d.reads
	}
	d.hears(id(tag.EPC, epc))
	return time.Since(plugged)
}

// TestUnplugAndReplug does so a hundred times. The tag must be heard again each time, and nothing may be left behind. How
// long it took is BenchmarkReplug's.
func TestUnplugAndReplug(t *testing.T) {
	times := 100
	if testing.Short() {
		times = 20
	}
	d := newPulled(t)
	d.cycle() // the first opens what stays open
	goroutines, files := runtime.NumGoroutine(), openFiles(t)
	for range times {
		d.cycle()
	}
	if now := runtime.NumGoroutine(); now > goroutines+1 { // one look at the port may be under way
		t.Errorf("%d goroutines, %d before", now, goroutines)
	}
	if now := openFiles(t); now > files {
		t.Errorf("%d descriptors, %d before", now, files)
	}
}

// BenchmarkReplug is the time from plugging a module in until its tag is heard.
func BenchmarkReplug(b *testing.B) {
	d := newPulled(b)
	var slowest, sum time.Duration
	n := 0
	for b.Loop() {
		took := d.cycle()
		slowest, sum, n = max(slowest, took), sum+took, n+1
	}
	b.ReportMetric(float64(slowest.Milliseconds()), "ms-slowest")
	b.ReportMetric(float64(sum.Milliseconds())/float64(n), "ms-mean")
	b.ReportMetric(float64(n), "times")
}

func openFiles(t testing.TB) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skipf("SKIP: cannot count descriptors: %v", err)
	}
	return len(entries)
}

func TestAReplayEndsRun(t *testing.T) {
	path := filepath.Join(t.TempDir(), "till.capture")
	if err := os.WriteFile(path, []byte("0.0 < "+fob+"\n0.065 < "+otherFob+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p, _ := profiles.Find("rdm6300")
	r, err := New(Config{Name: "door", Profile: p, Port: "replay:" + path, Secret: secret, Log: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	reads := make(chan tag.Read, 4)
	if err := r.Run(t.Context(), reads, nil); err != nil {
		t.Fatal(err)
	}
	first, second := <-reads, <-reads
	if apart := second.At.Sub(first.At); apart < 60*time.Millisecond {
		t.Errorf("%v apart", apart)
	}
}

// BenchmarkFrameToRead is the way of one fob: its last byte written to the pseudo-terminal, until the read is on the channel.
func BenchmarkFrameToRead(b *testing.B) {
	p, err := sim.NewPTY(filepath.Join(b.TempDir(), "reader"))
	if err != nil {
		b.Fatal(err)
	}
	defer p.Close()
	profile, _ := profiles.Find("rdm6300")
	r, err := New(Config{Name: "door", Profile: profile, Port: p.Path(), Secret: secret, Log: quiet()})
	if err != nil {
		b.Fatal(err)
	}
	reads, online := make(chan tag.Read, 1), make(chan Health, 8)
	ctx, cancel := context.WithCancel(b.Context())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx, reads, func(h Health) { online <- h }) }()
	<-online
	frame := unhex(fob)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.Write(frame); err != nil {
			b.Fatal(err)
		}
		<-reads
	}
	cancel()
	<-ended
}
