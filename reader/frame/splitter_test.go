package frame

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"foyer/firmware-profiles"
)

// wire is one of the serial protocols, encoded here by hand: a decoder that is tested only by its own encoder proves
// nothing.
type wire struct {
	id   string
	make func(t *rapid.T) []byte
}

var wires = []wire{
	{"rdm6300", makeFob}, {"m100", makeUHF(0xBB, 0x7E)}, {"r200", makeUHF(0xAA, 0xDD)}, {"pn532", makePN532},
	{"uhfreader18", makeUHFReader(false)}, {"uhfreader288", makeUHFReader(true)}, {"r2000", makeR2000},
	{"thingmagic", makeThingMagic}, {"ssi-scanner", makeSSI}, {"7941e", make7941E},
}

// Every serial profile has its property: text's is TestOneBadByteInText, for nothing proves a line.
func TestEveryProtocolIsSpoilt(t *testing.T) {
	for _, p := range profiles.Builtin() {
		here := slices.ContainsFunc(wires, func(w wire) bool { return w.id == p.ID })
		if p.Kind == profiles.Serial && p.Framing.Kind != profiles.TextLine && !here {
			t.Errorf("%s: nobody tries what one bad byte costs", p.ID)
		}
	}
}

func makeFob(t *rapid.T) []byte {
	raw := rapid.SliceOfN(rapid.Byte(), 5, 5).Draw(t, "fob")
	end := rapid.SampledFrom([]string{"\x03", "\r\n\x03"}).Draw(t, "end")
	return []byte(fmt.Sprintf("\x02%X%02X", raw, raw[0]^raw[1]^raw[2]^raw[3]^raw[4]) + end)
}

func makeUHF(start, end byte) func(t *rapid.T) []byte {
	return func(t *rapid.T) []byte {
		body := []byte{0x01, 0xFF, 0x00, 0x01, 0x15}
		if rapid.Bool().Draw(t, "tag") {
			words := rapid.IntRange(1, 16).Draw(t, "words")
			epc := rapid.SliceOfN(rapid.Byte(), 2*words, 2*words).Draw(t, "epc")
			body = append([]byte{0x02, 0x22, 0x00, byte(5 + len(epc)), 0xC8, byte(words << 3), 0x00}, epc...)
			crc := slowCRC(body[5:])
			body = append(body, byte(crc>>8), byte(crc))
		}
		sum := 0
		for _, b := range body {
			sum += int(b)
		}
		return append(append([]byte{start}, body...), byte(sum%256), end)
	}
}

// slowCRC divides bit by bit, as the Gen2 standard draws it.
func slowCRC(b []byte) uint16 {
	register := 0xFFFF
	for _, x := range b {
		for bit := 7; bit >= 0; bit-- {
			in := int(x>>bit) & 1
			out := register >> 15
			register = register << 1 & 0xFFFF
			if in != out {
				register ^= 0x1021
			}
		}
	}
	return uint16(register ^ 0xFFFF)
}

func TestGen2CRC(t *testing.T) {
	// A captured tag, and the check value of this CRC (CRC-16/GENIBUS) in the usual catalogue.
	if got := gen2CRC(unhex("3400e20010710000529b0940b402")); got != 0x163D {
		t.Errorf("captured tag: %04X", got)
	}
	if got := gen2CRC([]byte("123456789")); got != 0xD64E {
		t.Errorf("check value: %04X", got)
	}
	rapid.Check(t, func(t *rapid.T) {
		b := rapid.SliceOfN(rapid.Byte(), 0, 70).Draw(t, "b")
		if got, want := gen2CRC(b), slowCRC(b); got != want {
			t.Fatalf("got %04X, want %04X", got, want)
		}
	})
}

// collect splits pieces and returns the raw frames.
func collect(s *Splitter, pieces ...[]byte) []string {
	var got []string
	each := func(f Frame) { got = append(got, string(f.Raw)) }
	for _, p := range pieces {
		s.Feed(p, each)
	}
	s.Flush(each)
	return got
}

// cutUp cuts data into pieces of any size.
func cutUp(t *rapid.T, data []byte) [][]byte {
	var pieces [][]byte
	for len(data) > 0 {
		n := rapid.IntRange(1, min(len(data), 40)).Draw(t, "piece")
		pieces = append(pieces, data[:n])
		data = data[n:]
	}
	return pieces
}

func TestOneBadByteCostsOneFrameAtMost(t *testing.T) {
	for _, w := range wires {
		t.Run(w.id, rapid.MakeCheck(func(t *rapid.T) {
			var stream []byte
			var frames []string
			for range rapid.IntRange(1, 8).Draw(t, "frames") {
				f := w.make(t)
				frames = append(frames, string(f))
				stream = append(stream, f...)
			}
			stream = spoil(t, stream)
			s := New(find(t, w.id))
			got := collect(s, cutUp(t, stream)...)
			if lost := missing(frames, got); lost > 1 && missing(got, frames) == 0 { // a frame by chance may cover two
				t.Fatalf("%d frames of %d lost in %x", lost, len(frames), stream)
			}
		}))
	}
}

// spoil changes, drops or adds one byte.
func spoil(t *rapid.T, stream []byte) []byte {
	at := rapid.IntRange(0, len(stream)-1).Draw(t, "at")
	b := rapid.Byte().Draw(t, "byte")
	switch rapid.IntRange(0, 2).Draw(t, "how") {
	case 0:
		stream[at] = b
		return stream
	case 1:
		return slices.Delete(stream, at, at+1)
	}
	return slices.Insert(stream, at, b)
}

// missing counts what of want is not in got, in order: all but the longest common subsequence.
func missing(want, got []string) int {
	row := make([]int, len(got)+1)
	for _, w := range want {
		diagonal := 0
		for j, g := range got {
			best := max(row[j], row[j+1])
			if w == g {
				best = diagonal + 1
			}
			diagonal, row[j+1] = row[j+1], best
		}
	}
	return len(want) - row[len(got)]
}

func TestPiecesDoNotMatter(t *testing.T) {
	for _, w := range wires {
		t.Run(w.id, rapid.MakeCheck(func(t *rapid.T) {
			stream := rapid.SliceOfN(rapid.Byte(), 0, 20).Draw(t, "noise")
			for range rapid.IntRange(0, 5).Draw(t, "frames") {
				stream = append(stream, w.make(t)...)
			}
			whole := New(find(t, w.id))
			pieces := New(find(t, w.id))
			if diff := cmp.Diff(collect(whole, stream), collect(pieces, cutUp(t, stream)...)); diff != "" {
				t.Fatal(diff)
			}
			if whole.Counters() != pieces.Counters() {
				t.Fatalf("whole %+v, in pieces %+v", whole.Counters(), pieces.Counters())
			}
		}))
	}
}

func unhex(s string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		panic(err)
	}
	return b
}

const (
	fob     = "02 36 46 30 30 37 42 33 39 37 32 35 46 03"
	uhf     = "BB 02 22 00 11 C8 34 00 E2 00 10 71 00 00 52 9B 09 40 B4 02 16 3D D3 7E"
	noTag   = "BB 01 FF 00 01 15 16 7E"
	longTag = "BB 02 22 01 25" // a header that means 300 bytes, the most that is believed
)

func TestCounters(t *testing.T) {
	for name, c := range map[string]struct {
		id, wire string
		want     Counters
	}{
		"two good":                    {"m100", uhf + noTag, Counters{Frames: 2}},
		"noise before":                {"m100", "00 7E" + uhf, Counters{Frames: 1, Noise: 2, Resyncs: 1}},
		"noise at the end":            {"m100", uhf + "BB", Counters{Frames: 1, Noise: 1}},
		"a start that is none":        {"m100", "BB 33" + uhf, Counters{Frames: 1, Noise: 2, Resyncs: 1}},
		"sum":                         {"m100", "BB 01 FF 00 01 15 17 7E" + noTag, Counters{Frames: 1, Bad: bad(Checksum), Resyncs: 1}},
		"end":                         {"m100", "BB 01 FF 00 01 15 16 7F" + noTag, Counters{Frames: 1, Bad: bad(End), Resyncs: 1}},
		"length":                      {"m100", "BB 01 FF 7F 01 15 16 7E" + noTag, Counters{Frames: 1, Bad: bad(Length), Noise: 3, Resyncs: 1}},
		"cut by silence":              {"m100", uhf[:30], Counters{Bad: bad(Cut)}},
		"header cut by silence":       {"m100", "BB 01 FF", Counters{Noise: 3}},
		"good frame in a refused one": {"m100", longTag + uhf + noTag, Counters{Frames: 2, Bad: bad(Cut), Resyncs: 1}},
		"fob":                         {"rdm6300", fob, Counters{Frames: 1}},
		"fob cut by silence":          {"rdm6300", fob[:20], Counters{Bad: bad(Cut)}},
		"starts":                      {"rdm6300", "02 02 02" + fob, Counters{Frames: 1, Noise: 3, Resyncs: 1}},
		"lone start":                  {"rdm6300", fob + "02", Counters{Frames: 1, Noise: 1}},
		"not hex":                     {"rdm6300", "02 36 47" + fob, Counters{Frames: 1, Bad: bad(Charset), Resyncs: 1}},
		"end cut by silence":          {"rdm6300", "02 36 46 30 30 37 42 33 39 37 32 35 46 0D", Counters{Bad: bad(Cut)}},
		"half an end":                 {"rdm6300", "02 36 46 30 30 37 42 33 39 37 32 35 46 0D 03", Counters{Bad: bad(End), Noise: 2}},
	} {
		t.Run(name, func(t *testing.T) {
			s := New(find(t, c.id))
			collect(s, unhex(c.wire))
			if diff := cmp.Diff(c.want, s.Counters()); diff != "" {
				t.Error(diff)
			}
			if s.Counters().Refused() != c.want.Refused() {
				t.Errorf("%d refused", s.Counters().Refused())
			}
		})
	}
}

func bad(b Bad) (counts [badKinds]uint64) {
	counts[b] = 1
	return counts
}

func TestOffsets(t *testing.T) {
	s := New(find(t, "m100"))
	var got []string
	s.OnFault = func(f Fault) { got = append(got, fmt.Sprintf("%s at %d: %X", f.Bad, f.Offset, f.Raw)) }
	each := func(f Frame) { got = append(got, fmt.Sprintf("frame at %d: %X", f.Offset, f.Payload)) }
	s.Feed(unhex("00 00"+noTag+"00 BB 01 FF"), each)
	s.Feed(unhex("00 01 15 17 7E"+noTag), each)
	want := []string{"frame at 2: 01FF000115", "checksum_mismatch at 11: BB01FF000115177E", "frame at 19: 01FF000115"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// FuzzSplitter: whatever came before, memory stays bounded, and a good frame that follows is found, at once if the line
// was silent between, and otherwise unless a frame that passed its own check covers it.
func FuzzSplitter(f *testing.F) {
	good := map[string][]byte{
		"rdm6300": unhex(fob), "m100": unhex(uhf), "r200": unhex("AA 01 FF 00 01 15 16 DD"),
		"pn532": unhex("00 00 FF 03 FD D5 4B 00 E0 00"), "uhfreader288": unhex("07 00 01 01 01 00 1E 4B"), "r2000": unhex("A0 04 01 74 10 D7"),
		"thingmagic":  unhex("FF 1C 22 00 00 10 00 1B 01 FF 01 01 D9 22 0D C6 5E 00 00 00 14 00 B1 05 00 00 00 00 20 02 18 17 AB 13 36"),
		"ssi-scanner": unhex("04 D0 00 00 FF 2C"), "text-scanner": []byte("MEMBER-7\r"),
	}
	ids := slices.Sorted(maps.Keys(good))
	f.Add(0, []byte("\x02\x02"+"36"), 3)
	f.Add(1, unhex(longTag), 1)
	f.Add(2, unhex("AA 02 22 00 11 C8"), 2)
	for i := range ids {
		f.Add(i, []byte("\x00\xFF\xA0\x05\xFF\xFF\xFF\x02"), 1)
	}
	f.Fuzz(func(t *testing.T, which int, garbage []byte, piece int) {
		id := ids[uint(which)%uint(len(ids))]
		good := good[id]
		p := find(t, id)
		for _, silence := range []bool{true, false} {
			s := New(p)
			size := len(s.buf)
			var frames []string
			covered := false
			each := func(f Frame) {
				frames = append(frames, string(f.Raw))
				covered = covered || f.Offset+int64(len(f.Raw)) > int64(len(garbage))
			}
			for chunk := range slices.Chunk(garbage, 1+int(uint(piece)%uint(1+len(garbage)))) {
				s.Feed(chunk, each)
			}
			if silence {
				s.Flush(each)
			}
			s.Feed(good, each)
			s.Flush(each)
			if len(s.buf) != size || s.n != 0 {
				t.Fatalf("buffer of %d bytes with %d left, want %d and 0", len(s.buf), s.n, size)
			}
			if !silence && id == "text-scanner" {
				continue // what came before belongs to the line
			}
			if found := len(frames) > 0 && frames[len(frames)-1] == string(good); !found && (silence || !covered) {
				t.Fatalf("%s: the good frame after %x is lost", id, garbage)
			}
			checkSums(t, s, len(garbage)+len(good))
		}
	})
}

// checkSums holds the counters to the bytes that came.
func checkSums(t *testing.T, s *Splitter, total int) {
	t.Helper()
	c := s.Counters()
	if c.Noise+c.Frames+c.Refused() > uint64(total) || c.Resyncs > c.Frames {
		t.Fatalf("%+v for %d bytes", c, total)
	}
}

func TestFeedDoesNotAllocate(t *testing.T) {
	for _, w := range wires {
		p := find(t, w.id)
		wire := bytes.Repeat(p.Examples[0].Wire[0], 10)
		splitter, decoder := New(p), NewDecoder(p)
		var s Sighting
		each := func(f Frame) { decoder.Decode(f, &s) }
		if n := testing.AllocsPerRun(50, func() { splitter.Feed(wire, each) }); n != 0 {
			t.Errorf("%s: %v allocations", w.id, n)
		}
	}
}
