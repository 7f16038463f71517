package reader

import (
	"context"
	"testing"
	"time"

	"foyer/reader/link/linktest"
	"foyer/reader/sim"
	"foyer/reader/tag"
)

// device plays a simulator until the test ends.
func device(t *testing.T, d interface{ Run(context.Context) error }) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

func TestAPN532IsPolledAndAborted(t *testing.T) {
	var w *linktest.Wire
	bubble(t, "pn532", func(r *Reader) { w = linktest.NewWire(); on(w)(r) }, func(t *testing.T, s *shop) {
		p := sim.NewPN532(w)
		device(t, p)
		after(time.Second)
		if s.whys() != "online" || s.Health().Counts.Reads != 0 {
			t.Fatalf("story: %s; %+v", s.whys(), s.Health())
		}
		if err := p.Near(sim.Card{UID: unhex("04416D412B0289")}); err != nil {
			t.Fatal(err)
		}
		if read := <-s.reads; read.ID != id(tag.UID, "04416D412B0289") || read.HasRSSI {
			t.Errorf("got %+v", read)
		}
		p.Away()
		if err := p.Near(sim.Card{UID: unhex("08112233"), SAK: 0x08}); err != nil {
			t.Fatal(err)
		}
		after(100 * time.Millisecond)
		before := s.Health().Counts
		after(10 * time.Second)
		if c := s.Health().Counts; c.Reads != before.Reads || c.Frames < before.Frames+100 || c.Bad.Sum() != 0 {
			t.Errorf("a random number was read: %+v, before %+v", c, before)
		}
		if err := s.stop(); err != nil {
			t.Error(err)
		}
		if sent := w.Sent(); string(sent[len(sent)-1]) != string(unhex("00 00 FF 00 FF 00")) {
			t.Errorf("the last command is % X, want the abort", sent[len(sent)-1])
		}
	})
}

// All tags of a round are told, those of its later frames too, and no command falls into the 15 ms after a byte.
func TestAnUHFReaderTellsEveryTagOfARound(t *testing.T) {
	for profile, make := range map[string]func(*linktest.Wire) *sim.UHFReader{
		"uhfreader18":  func(w *linktest.Wire) *sim.UHFReader { return sim.NewUHFReader18(w) },
		"uhfreader288": func(w *linktest.Wire) *sim.UHFReader { return sim.NewUHFReader288(w) },
	} {
		t.Run(profile, func(t *testing.T) {
			var w *linktest.Wire
			bubble(t, profile, func(r *Reader) { w = linktest.NewWire(); on(w)(r) }, func(t *testing.T, s *shop) {
				r := make(w)
				for i := range 30 {
					if err := r.Near([]byte{0xE2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, byte(i)}, 70); err != nil {
						t.Fatal(err)
					}
				}
				device(t, r)
				seen := map[tag.ID]bool{}
				for len(seen) < 30 {
					read := <-s.reads
					seen[read.ID] = true
					if read.HasRSSI || (read.Antenna == 1) != (profile == "uhfreader288") {
						t.Fatalf("got %+v", read)
					}
				}
				after(5 * time.Second)
				if c := s.Health().Counts; s.whys() != "online" || c.Bad.Sum() != 0 || c.Noise != 0 {
					t.Errorf("story: %s; %+v", s.whys(), c)
				}
			})
		})
	}
}

// A board with four antennas is asked for them in turn when the profile lists them, and for its first alone otherwise.
func TestAntennasTakeTurns(t *testing.T) {
	for antennas := 1; antennas <= 4; antennas++ {
		var w *linktest.Wire
		dial := func(r *Reader) {
			w = linktest.NewWire()
			on(w)(r)
			p := *r.config.Profile
			poll := *p.Session.Poll
			poll.Turns = nil
			for i := range byte(antennas) {
				turn := p.Session.Poll.Turns[0]
				turn.Send = []byte{0xA0, 4, 1, 0x74, i, 0xE7 - i}
				poll.Turns = append(poll.Turns, turn)
			}
			p.Session.Poll = &poll
			r.config.Profile = &p
		}
		bubble(t, "r2000", dial, func(t *testing.T, s *shop) {
			r := sim.NewR2000(w)
			for i := 1; i <= 4; i++ {
				if err := r.NearAntenna(i, []byte{0xE2, 0, 0, byte(i)}, -50); err != nil {
					t.Fatal(err)
				}
			}
			device(t, r)
			after(10 * time.Second)
			heard := map[uint8]int{}
			for range len(s.reads) {
				heard[(<-s.reads).Antenna]++
			}
			if len(heard) != antennas || heard[uint8(antennas)] < 90/antennas || s.whys() != "online" {
				t.Errorf("%d antennas: heard at %v; story: %s", antennas, heard, s.whys())
			}
			if n := count(w, "A0 04 01 74 00 E7"); antennas == 1 && n != 1 {
				t.Errorf("the one antenna was chosen %d times", n)
			}
		})
	}
}

func TestAModuleThatRestartedIsStartedAnew(t *testing.T) {
	var w *linktest.Wire
	bubble(t, "thingmagic", func(r *Reader) { w = linktest.NewWire(); on(w)(r) }, func(t *testing.T, s *shop) {
		m := sim.NewThingMagic(w)
		device(t, m)
		after(time.Minute) // with a keep-alive a second nothing is sent again
		if n := count(w, "FF 00 03 1D 0C"); s.whys() != "online" || n != 1 {
			t.Fatalf("story: %s; started %d times", s.whys(), n)
		}
		m.Restart()
		if err := m.Near(unhex(epc), -56); err != nil {
			t.Fatal(err)
		}
		restarted := time.Now()
		read := <-s.reads
		if read.ID != id(tag.EPC, epc) || read.RSSI != -56 || read.Antenna != 1 || read.At.Sub(restarted) > time.Second {
			t.Errorf("got %+v, %v after it restarted", read, read.At.Sub(restarted))
		}
		if n := count(w, "FF 00 03 1D 0C"); n != 2 {
			t.Errorf("started %d times", n)
		}
	})
}

func TestAScannerIsAcknowledged(t *testing.T) {
	var w *linktest.Wire
	bubble(t, "ssi-scanner", func(r *Reader) { w = linktest.NewWire(); on(w)(r) }, func(t *testing.T, s *shop) {
		scanner, err := sim.NewSSIScanner(w, "8018952114112345678906", time.Second)
		if err != nil {
			t.Fatal(err)
		}
		device(t, scanner)
		for range 3 {
			if read := <-s.reads; read.ID != id(tag.GSRN, "952114112345678906") {
				t.Errorf("got %+v", read)
			}
		}
		after(0)
		if n := count(w, "04 D0 04 00 FF 28"); n != 3 {
			t.Errorf("%d acknowledgements for 3 codes", n)
		}
	})
}
