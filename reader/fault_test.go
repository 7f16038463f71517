package reader

import (
	"fmt"
	"strings"
	"testing"
	"time"

	profiles "foyer/firmware-profiles"
	"foyer/internal/words"
	"foyer/reader/frame"
	"foyer/reader/link/linktest"
	"foyer/reader/wiegand"
)

// bads tells a count as "checksum cut*2".
func bads(r Refusals) string {
	var out []string
	for f, n := range r {
		switch {
		case n == 1:
			out = append(out, Fault(f).String())
		case n > 1:
			out = append(out, fmt.Sprintf("%v*%d", Fault(f), n))
		}
	}
	return strings.Join(out, " ")
}

func TestBadFramesByKind(t *testing.T) {
	const wrongCheck = "02 31 30 30 30 32 36 46 34 34 34 32 36 03"
	for _, test := range []struct{ name, profile, wire, bad string }{
		{"a wrong check", "rdm6300", wrongCheck, "checksum"},
		{"no digit", "rdm6300", "02 5A 5A 5A 5A" + fob, "framing"},
		{"cut short", "rdm6300", fob[:21], "cut"},
		{"too long to be", "m100", "BB 02 22 FF FF 00 00", "length"},
		{"the tag's CRC is wrong", "m100", "BB 02 22 00 11 C8 34 00 E2 00 10 71 00 00 52 9B 09 40 B4 03 16 3D D4 7E", "tag"},
		{"two of them", "rdm6300", wrongCheck + wrongCheck + fob, "checksum*2"},
		{"none", "rdm6300", fob, ""},
	} {
		var w *linktest.Wire
		bubble(t, test.profile, func(r *Reader) { w = linktest.NewWire(); on(w)(r); silenced(r) }, func(t *testing.T, s *shop) {
			w.Write(unhex(test.wire))
			after(time.Second)
			if got := bads(s.Health().Counts.Bad); got != test.bad {
				t.Errorf("%s: %q, want %q", test.name, got, test.bad)
			}
		})
	}
}

// silenced makes a reader that only listens.
func silenced(r *Reader) {
	p := *r.config.Profile
	p.Session.Start, p.Session.Wake, p.Session.Poll, p.Session.Stop = nil, nil, nil, nil
	r.config.Profile = &p
}

func TestBadCardsByKind(t *testing.T) {
	for _, test := range []struct {
		edges wiegand.Fault
		bits  frame.Bad
		want  Fault
	}{
		{wiegand.Good, frame.Parity, BadParity},
		{wiegand.Good, frame.BitCount, BadBits},
		{wiegand.Good, frame.Fields, BadContent},
		{wiegand.Overlong, frame.Good, BadBits},
		{wiegand.Hole, frame.Good, BadTiming},
		{wiegand.BothLow, frame.Good, BadTiming},
		{wiegand.Ringing, frame.Good, BadTiming},
		{wiegand.Uneven, frame.Good, BadTiming},
		{wiegand.Begun, frame.Good, BadTiming},
	} {
		if got := faultOfCard(test.edges, test.bits); got != test.want {
			t.Errorf("%v, %v: %v, want %v", test.edges, test.bits, got, test.want)
		}
	}
}

// Every reason of package frame has its kind, and nothing else falls under "profile" by accident.
func TestEveryReasonHasAKind(t *testing.T) {
	got := map[Fault]int{}
	for _, b := range frame.BadKinds() {
		got[faultOf(b)]++
	}
	if got[BadContent] != 1 || len(got) != int(Faults)-2 { // timing and typing are nobody's in package frame
		t.Errorf("%v", got)
	}
}

func TestAdvice(t *testing.T) {
	many := func(f Fault, n uint64) (r Refusals) { r[f] = n; return r }
	for _, test := range []struct {
		c    Counts
		want Advice
	}{
		{Counts{}, AllWell},
		{Counts{Opened: 1, Frames: 10_000, Reads: 9_000, Bad: many(BadCheck, 100)}, AllWell},
		{Counts{Frames: 100, Bad: many(BadCheck, 4)}, AllWell},
		{Counts{Frames: 100, Bad: many(BadCheck, 5)}, LookWire},
		{Counts{Frames: 100, Bad: many(BadTag, 50)}, LookField},
		{Counts{Frames: 100, Bad: many(BadContent, 50)}, LookProfile},
		{Counts{Bad: many(BadParity, 5)}, LookPulses},
		{Counts{Bad: many(BadBits, 5)}, LookFormat},
		{Counts{Bad: many(BadTyping, 5)}, LookTyping},
		{Counts{Frames: 10_000, Noise: 300}, AllWell},
		{Counts{Frames: 100, Noise: 300}, LookWire},
		{Counts{Opened: 3, Frames: 100}, AllWell},
		{Counts{Opened: 4, Frames: 100}, LookPlug},
		{Counts{Frames: 100, Reads: 100, Dropped: 1}, AllWell},
		{Counts{Frames: 100, Reads: 100, Dropped: 2}, LookBox},
		{Counts{Frames: 20, Errors: 5}, LookReader},
	} {
		if got := test.c.Advice(); got != test.want {
			t.Errorf("%+v: %v, want %v", test.c, got, test.want)
		}
	}
}

func TestFaultsAndAdvicesHaveWords(t *testing.T) {
	c := words.Load()
	keys := []string{"reader.advice.well"}
	for f := range Faults {
		keys = append(keys, "reader.bad."+f.String(), "reader.advice."+string(adviceFor[f]))
	}
	for _, a := range []Advice{LookPlug, LookBox, LookReader} {
		keys = append(keys, "reader.advice."+string(a))
	}
	for _, lang := range c.Languages() {
		for _, key := range keys {
			if !c.Has(lang, key) {
				t.Errorf("%s: no %s", lang, key)
			}
		}
	}
}

// Counting is on the way of every frame.
func TestCountingAllocatesNothing(t *testing.T) {
	p, _ := profiles.Find("rdm6300")
	s := &session{Reader: &Reader{}, splitter: frame.New(p), decoder: frame.NewDecoder(p)}
	wire := unhex("02 31 30 30 30 32 36 46 34 34 34 32 36 03" + fob)
	each := func(frame.Frame) {}
	if n := testing.AllocsPerRun(50, func() { s.splitter.Feed(wire, each); s.tally() }); n != 0 || s.health.Counts.Bad[BadCheck] < 50 {
		t.Errorf("%v allocations, %+v", n, s.health.Counts)
	}
}
