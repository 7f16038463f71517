package frame

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestTextLines(t *testing.T) {
	for name, c := range map[string]struct {
		in   []string
		want []string
		bad  Counters
	}{
		"too long, the rest of it is no code": {[]string{strings.Repeat("x", 300) + "\r", "A\r"}, []string{"A\r"}, Counters{Frames: 1, Resyncs: 1, Bad: bad(Length), Noise: 45}},
		"a control character":                 {[]string{"AB\x01CD\rEF\r"}, []string{"EF\r"}, Counters{Frames: 1, Resyncs: 1, Bad: bad(Charset), Noise: 3}},
		"the same in pieces":                  {[]string{"AB\x01", "CD", "\rE", "F\r"}, []string{"EF\r"}, Counters{Frames: 1, Resyncs: 1, Bad: bad(Charset), Noise: 3}},
		"GS is kept":                          {[]string{"01\x1d8018\r\n"}, []string{"01\x1d8018\r"}, Counters{Frames: 1}},
		"nothing but ends":                    {[]string{"\r\n\t\x03"}, nil, Counters{}},
	} {
		t.Run(name, func(t *testing.T) {
			s := New(find(t, "text-scanner"))
			var pieces [][]byte
			for _, p := range c.in {
				pieces = append(pieces, []byte(p))
			}
			if diff := cmp.Diff(c.want, collect(s, pieces...)); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(c.bad, s.Counters()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A refused line ends with silence too, whether or not bytes of it still wait.
func TestSilenceEndsARefusedLine(t *testing.T) {
	s := New(find(t, "text-scanner"))
	var got []string
	each := func(f Frame) { got = append(got, string(f.Payload)) }
	for _, piece := range []string{"AB\x01", "CD"} {
		s.Feed([]byte(piece), each)
	}
	s.Flush(each)
	s.Feed([]byte("EF\r"), each)
	if diff := cmp.Diff([]string{"EF"}, got); diff != "" {
		t.Error(diff)
	}
}

// A line has no check. What can be promised: with silence between codes, one bad byte costs one code at most, and never
// makes two of one.
func TestOneBadByteInText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := New(find(t, "text-scanner"))
		var lines, got []string
		each := func(f Frame) { got = append(got, string(f.Payload)) }
		count := rapid.IntRange(1, 6).Draw(t, "lines")
		hit := rapid.IntRange(0, count-1).Draw(t, "hit")
		for i := range count {
			line := rapid.StringMatching(`[A-Z0-9]{1,20}`).Draw(t, "line")
			lines = append(lines, line)
			wire := []byte(line + "\r\n")
			if i == hit {
				wire = spoil(t, wire)
			}
			for _, p := range cutUp(t, wire) {
				s.Feed(p, each)
			}
			s.Flush(each)
		}
		if lost := missing(lines, got); lost > 1 {
			t.Fatalf("%d lines lost of %q: %q", lost, lines, got)
		}
	})
}

func TestTextDoesNotAllocate(t *testing.T) {
	p := find(t, "text-scanner")
	splitter, decoder := New(p), NewDecoder(p)
	wire := []byte("MEMBER-7\r\n8018952114112345678906\r\n")
	var s Sighting
	each := func(f Frame) { decoder.Decode(f, &s) }
	if n := testing.AllocsPerRun(50, func() { splitter.Feed(wire, each) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
