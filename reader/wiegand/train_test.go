package wiegand_test

import (
	"math/bits"
	"time"

	"foyer/reader/wiegand"
)

// format is the shape of a card, as a profile gives it.
type format struct {
	bits   int
	parity []parity
}

type parity struct {
	bit  int
	odd  bool
	over uint64
}

// h10301 is the usual 26 bits: even parity over 1-12, odd over 13-24.
var h10301 = format{26, []parity{{0, false, span(1, 12)}, {25, true, span(13, 24)}}}

// h10306 is the usual 34 bits: even parity over 1-16, odd over 17-32.
var h10306 = format{34, []parity{{0, false, span(1, 16)}, {33, true, span(17, 32)}}}

// accepts reports whether a frame would be taken for a card.
func (f format) accepts(frame wiegand.Frame) bool {
	good := frame.Fault == wiegand.Good && frame.N == f.bits
	for _, p := range f.parity {
		good = good && (bits.OnesCount64(frame.Bits&(p.over|1<<p.bit))%2 == 1) == p.odd
	}
	return good
}

func span(first, last int) (mask uint64) {
	for i := first; i <= last; i++ {
		mask |= 1 << i
	}
	return mask
}

// card returns the bits of number in format f, as '0' and '1', with the parity of h10301 or h10306.
func card(f format, number uint64) string {
	digits := make([]byte, f.bits)
	for i := range digits {
		digits[i] = '0'
		if shift := f.bits - 2 - i; i > 0 && shift >= 0 && number>>shift&1 == 1 {
			digits[i] = '1'
		}
	}
	for _, p := range f.parity {
		ones := 0
		for i := range digits {
			if p.over>>i&1 == 1 && digits[i] == '1' {
				ones++
			}
		}
		if (ones%2 == 1) != p.odd {
			digits[p.bit] = '1'
		}
	}
	return string(digits)
}

// train is the edges of bits, one every interval from start on. It counts from seq; 0 = not at all.
func train(bits string, start, interval time.Duration, seq uint32) []wiegand.Edge {
	var edges []wiegand.Edge
	for i, b := range bits {
		e := wiegand.Edge{Line: int(b - '0'), At: start + time.Duration(i)*interval}
		if seq != 0 {
			e.Seq = seq + uint32(i)
		}
		edges = append(edges, e)
	}
	return edges
}

// decode feeds edges after a pause and returns every frame, the last by Flush.
func decode(stamped bool, edges []wiegand.Edge) []wiegand.Frame { return decodeFrom(0, stamped, edges) }

// decodeFrom decodes what comes after the edge that was counted seq.
func decodeFrom(seq uint32, stamped bool, edges []wiegand.Edge) (frames []wiegand.Frame) {
	d, err := wiegand.New(wiegand.Timing{}, stamped)
	if err != nil {
		panic(err)
	}
	d.Flush()
	d.Counted(seq)
	for _, e := range edges {
		if frame, ok := d.Edge(e); ok {
			frames = append(frames, frame)
		}
	}
	if frame, ok := d.Flush(); ok {
		frames = append(frames, frame)
	}
	return frames
}

// text is the bits of a frame in wire order.
func text(f wiegand.Frame) string {
	b := make([]byte, f.N)
	for i := range b {
		b[i] = '0' + byte(f.Bits>>i&1)
	}
	return string(b)
}
