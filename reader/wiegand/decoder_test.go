package wiegand_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"foyer/reader/wiegand"
)

const (
	us = time.Microsecond
	ms = time.Millisecond
)

// Cards that others have read: Z9 Protobuf Community TestBinaryFormatter.cs, proxmark3 tools/pm3_tests.sh.
func TestSourcedCards(t *testing.T) {
	for _, bits := range []string{
		"10000000100000000000001011",                       // 26 bits, 1/5
		"10000000100000010001011001",                       // 1/556
		"00100010010100010010011111",                       // 68/41551
		"11110000000000101001110011",                       // 224/1337
		"10111011000000110010000110",                       // 118/1603
		"11000001110110000000000110010000111",              // 35 bits, 118/1603
		"000000001010010001010101000000010100100010101011", // 48 bits, 42069/42069
	} {
		for _, interval := range []time.Duration{200 * us, ms, 2 * ms, 20 * ms} {
			frames := decode(true, train(bits, ms, interval, 1))
			if len(frames) != 1 || frames[0].Fault != wiegand.Good || text(frames[0]) != bits {
				t.Fatalf("%s every %v: got %+v", bits, interval, frames)
			}
		}
	}
}

// insert puts an edge in where its time belongs, and counts it where the others are counted.
func insert(edges []wiegand.Edge, e wiegand.Edge) []wiegand.Edge {
	at, _ := slices.BinarySearchFunc(edges, e, func(a, b wiegand.Edge) int { return int(a.At - b.At) })
	edges = slices.Insert(slices.Clone(edges), at, e)
	for i := range edges {
		if edges[0].Seq != 0 {
			edges[i].Seq = edges[0].Seq + uint32(i)
		}
	}
	return edges
}

func TestFaults(t *testing.T) {
	const bits = "10111011000000110010000110"
	clean := train(bits, 0, ms, 0)
	counted := train(bits, 0, ms, 1)
	swapped := slices.Clone(clean) // bits 5 and 6 differ; the first is queued 300 us after the second
	swapped[5], swapped[6] = swapped[6], swapped[5]
	swapped[5].At, swapped[6].At = 6*ms, 6*ms+300*us
	merged := slices.Delete(slices.Clone(clean), 8, 9)
	late := slices.Clone(clean) // the process stalled: the rest of the frame is read in one burst
	for i := 10; i < len(late); i++ {
		late[i].At = 30*ms + time.Duration(i)*5*us
	}
	for _, test := range []struct {
		name    string
		stamped bool
		edges   []wiegand.Edge
		want    wiegand.Fault
	}{
		{"clean", false, clean, wiegand.Good},
		{"clean and counted", true, counted, wiegand.Good},
		{"lost bit, counted", true, slices.Delete(slices.Clone(counted), 8, 9), wiegand.Hole},
		{"lost bit, by its gap", false, merged, wiegand.Uneven},
		{"both lines at once", true, insert(counted, wiegand.Edge{Line: 0, At: 10*us + 4*ms}), wiegand.BothLow},
		{"ringing, times of our own", false, insert(clean, wiegand.Edge{Line: 1, At: 60*us + 4*ms}), wiegand.Ringing},
		{"ringing, stamped", true, insert(clean, wiegand.Edge{Line: 1, At: 60*us + 4*ms}), wiegand.Good},
		{"two edges read in the wrong order", false, swapped, wiegand.Uneven},
		{"a stall, then a burst", false, late, wiegand.Uneven},
		{"a burst of the whole frame", false, train(bits, 0, 5*us, 0), wiegand.BothLow},
		{"a pause inside", true, append(train(bits[:13], 0, ms, 1), train(bits[13:], 12*ms+25*ms, ms, 14)...), wiegand.Uneven},
		{"noise without end", true, train(string(slices.Repeat([]byte("01"), 500)), 0, ms, 1), wiegand.Overlong},
		{"times against the count", true, []wiegand.Edge{{At: 5 * ms, Seq: 1}, {At: ms, Seq: 2}}, wiegand.Uneven},
	} {
		t.Run(test.name, func(t *testing.T) {
			frames := decode(test.stamped, test.edges)
			if len(frames) != 1 || frames[0].Fault != test.want {
				t.Fatalf("got %+v, want one frame with %v", frames, test.want)
			}
			if test.want == wiegand.Good && text(frames[0]) != bits {
				t.Errorf("got %s, want %s", text(frames[0]), bits)
			}
		})
	}
}

func TestOrderComesFromTheCount(t *testing.T) {
	const bits = "10111011000000110010000110"
	edges := train(bits, 0, 200*us, 1<<32-10) // the count passes its end, and 0 means "none"
	for i := range edges {
		if edges[i].Seq < 1<<31 {
			edges[i].Seq++
		}
	}
	for i := 0; i+1 < len(edges); i += 2 {
		edges[i], edges[i+1] = edges[i+1], edges[i]
	}
	frames := decodeFrom(edges[1].Seq-1, true, edges)
	if len(frames) != 1 || frames[0].Fault != wiegand.Good || text(frames[0]) != bits {
		t.Errorf("got %+v %s", frames, text(frames[0]))
	}
}

// It may have been the last bit of the one, or the first of the other.
func TestAnEdgeLostBetweenFramesSpoilsBoth(t *testing.T) {
	bits := card(h10301, 0x7B3972)
	edges := append(train(bits, 0, ms, 1), train(bits, 200*ms, ms, 28)...) // 27 never came
	edges = append(edges, train(bits, 400*ms, ms, 54)...)                  // and all is well again
	var faults []wiegand.Fault
	for _, f := range decode(true, edges) {
		faults = append(faults, f.Fault)
	}
	if !slices.Equal(faults, []wiegand.Fault{wiegand.Hole, wiegand.Hole, wiegand.Good}) {
		t.Errorf("got %v", faults)
	}
}

// TestNeverAWrongCard spoils frames in every way at once, without a count: what is accepted is what was shown.
// Jitter here is that of a busy box reading at 1 ms bits; an edge may be late by several bits, or lost.
func TestNeverAWrongCard(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	good, wrong := 0, 0
	const frames = 50_000
	for range frames {
		bits := card(h10301, rng.Uint64N(1<<24))
		edges := train(bits, 0, ms, 0)
		for i := range edges {
			edges[i].At += time.Duration(rng.ExpFloat64() * float64(20*us))
		}
		if rng.IntN(2) == 0 { // a late interrupt
			edges[rng.IntN(26)].At += time.Duration(rng.Int64N(int64(3 * ms)))
		}
		if rng.IntN(4) == 0 { // a late reader: all that came meanwhile is read together
			from := rng.IntN(26)
			until := edges[from].At + time.Duration(rng.Int64N(int64(8*ms)))
			for i := from; i < 26; i++ {
				edges[i].At = max(edges[i].At, until+time.Duration(i)*4*us)
			}
		}
		if rng.IntN(4) == 0 {
			edges = slices.Delete(edges, 3, 3+rng.IntN(3))
		}
		for _, f := range decode(false, edges) {
			switch {
			case h10301.accepts(f) && text(f) == bits:
				good++
			case h10301.accepts(f):
				wrong++
			}
		}
	}
	if wrong != 0 || good < frames/5 {
		t.Errorf("of %d frames %d right, %d WRONG", frames, good, wrong)
	}
	t.Logf("of %d spoilt frames: %d right, %d wrong, the rest refused", frames, good, wrong)
}

func TestAnyCardAtAnyLegalTiming(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		format := rapid.SampledFrom([]format{h10301, h10306}).Draw(t, "format")
		number := rapid.Uint64Range(0, 1<<(format.bits-2)-1).Draw(t, "number")
		interval := time.Duration(rapid.Int64Range(200, 20_000).Draw(t, "interval")) * us
		bits := card(format, number)
		frames := decode(rapid.Bool().Draw(t, "stamped"), train(bits, 0, interval, rapid.Uint32Range(0, 1).Draw(t, "seq")))
		if len(frames) != 1 || !format.accepts(frames[0]) || text(frames[0]) != bits {
			t.Fatalf("%s: got %+v", bits, frames)
		}
	})
}

func TestAnyOneBitLostOrChangedIsRefused(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		format := rapid.SampledFrom([]format{h10301, h10306}).Draw(t, "format")
		edges := train(card(format, rapid.Uint64().Draw(t, "number")&(1<<(format.bits-2)-1)), 0, ms, 1)
		i := rapid.IntRange(0, format.bits-1).Draw(t, "which")
		if rapid.Bool().Draw(t, "lost") {
			edges = slices.Delete(edges, i, i+1)
		} else {
			edges[i].Line ^= 1
		}
		if frames := decode(true, edges); len(frames) != 1 || format.accepts(frames[0]) {
			t.Fatalf("accepted: %+v", frames)
		}
	})
}

func TestTimesThatCannotBe(t *testing.T) {
	for name, timing := range map[string]wiegand.Timing{
		"gap below maximum":     {Gap: 10 * ms},
		"minimum above maximum": {MinInterval: 30 * ms},
		"minimum below nothing": {MinInterval: -1},
	} {
		if _, err := wiegand.New(timing, true); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestDecodingDoesNotAllocate(t *testing.T) {
	edges := train(card(h10301, 0x7B3972), 0, ms, 0)
	d, err := wiegand.New(wiegand.Timing{}, false)
	if err != nil {
		t.Fatal(err)
	}
	d.Flush() // a pause
	allocs := testing.AllocsPerRun(100, func() {
		for _, e := range edges {
			d.Edge(e)
		}
		if f, ok := d.Flush(); !ok || f.Fault != wiegand.Good {
			t.Fatal(f)
		}
	})
	if allocs != 0 {
		t.Errorf("%v allocations a frame", allocs)
	}
}

// FuzzDecoder gives edges of any order, time and count: no panic, never more bits than fit, and a clean frame after a
// pause and a reset of the count is read.
func FuzzDecoder(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 4, 5, 6, 7, 8}, true)
	f.Fuzz(func(t *testing.T, raw []byte, stamped bool) {
		d, err := wiegand.New(wiegand.Timing{}, stamped)
		if err != nil {
			t.Fatal(err)
		}
		at := time.Duration(0)
		for len(raw) >= 4 {
			at += time.Duration(int16(uint16(raw[0])<<8|uint16(raw[1]))) * 3 * us
			e := wiegand.Edge{Line: int(raw[2] & 1), At: at, Seq: uint32(raw[3])}
			raw = raw[4:]
			if frame, ok := d.Edge(e); ok && frame.Fault == wiegand.Good && (frame.N < 1 || frame.N > wiegand.MaxBits) {
				t.Fatalf("accepted %+v", frame)
			}
		}
		d.Flush()
		d.Reset()
		d.Flush()
		bits := card(h10301, 0x123456)
		for _, e := range train(bits, at+time.Second, ms, 0) {
			d.Edge(e)
		}
		if frame, ok := d.Flush(); !ok || frame.Fault != wiegand.Good || text(frame) != bits {
			t.Fatalf("after the noise: %+v", frame)
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	edges := train(card(h10301, 0x7B3972), 0, ms, 1)
	d, err := wiegand.New(wiegand.Timing{}, true)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		d.Reset()
		d.Flush()
		for _, e := range edges {
			d.Edge(e)
		}
		d.Flush()
	}
}
