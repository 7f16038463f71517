// Package wiegand turns the edges of two lines into the bits of a card, or into the reason why not.
//
// In: edges {line, time, sequence} in any order within a frame. Out: a Frame of up to 64 bits, or a typed Fault. Times are
// time.Duration on any one monotonic clock.
// It never opens a pin, reads no clock, and does not know what the bits mean: how many there must be, their parity and
// which of them are the number is reader/frame's Card, by the profile.
// Called by reader.
//
// The wire (SIA AC-01): two lines, idle high. A pulse low of 20 to 100 us on data 0 is a zero, on data 1 a one, every 200 us
// to 20 ms, never both at once; a pause ends the card. There is no length and no checksum beyond a parity bit or two, so
// two lost bits, or two bits in the wrong order, may pass as another person's card. Hence the rule of this package: when
// anything about the timing is odd the whole frame is refused, and the person taps again.
package wiegand

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Edge is one falling edge. It has the shape of link.Edge.
type Edge struct {
	Line int           // 0 or 1: data 0 or data 1
	At   time.Duration // monotonic
	Seq  uint32        // counts the edges of both lines from 1 at opening; 0 where the source cannot count
}

// MaxBits is the longest frame that is kept. The longest format in use has 56 bits.
const MaxBits = 64

// Timing is what the times of a frame must be like. Zero fields take their defaults.
type Timing struct {
	Gap         time.Duration // silence that ends a frame; default 30 ms
	MinInterval time.Duration // edges closer than this are not two bits; default 120 us
	MaxInterval time.Duration // the longest time between two bits; default 20 ms
}

// Fault says why a frame was refused.
type Fault uint8

// The faults.
const (
	Good     Fault = iota
	Hole           // the source counted an edge that we never got
	Overlong       // more edges than any format has bits
	BothLow        // both lines pulled within the minimum interval
	Ringing        // one line pulled twice within the minimum interval
	Uneven         // the time between two bits is absurd, or not like the others
	Begun          // it had begun before anybody listened: its first bits may be missing
)

var faultNames = [...]string{
	"good", "edge lost", "too many bits", "both lines low", "ringing", "uneven timing", "begun before we listened",
}

func (f Fault) String() string {
	if int(f) < len(faultNames) {
		return faultNames[f]
	}
	return fmt.Sprintf("fault(%d)", uint8(f))
}

// Frame is what came between two pauses.
type Frame struct {
	Bits  uint64 // bit i of the wire is 1<<i
	N     int    // how many bits, or edges if Fault is set
	Fault Fault
}

// Decoder gathers the edges of one frame. It does not allocate once made.
type Decoder struct {
	timing  Timing
	stamped bool
	edges   [MaxBits]Edge // of the frame in hand
	n       int           // edges of the frame in hand, also those beyond the array
	latest  time.Duration // the latest At of the frame in hand
	high    uint32        // highest count of the frame in hand
	seq     uint32        // highest count of the frame before; 0 = none yet
	settled bool          // a pause came before the frame in hand
}

// unevenness is how much longer the longest interval of a frame may be than the shortest, where only times tell the
// order of the edges. Two neighbours that change places give a ratio of 2 at least: 2T before the pair, or at most T/2
// inside it. Readers are clocked, and keep well within this.
const unevenness = 1.75

// New returns a decoder for lines just opened. Somebody may be in the middle of a card: the first frame counts only if a
// Flush came before it, because a pause did. stamped says that the times were taken by the kernel when the edge came: only then may a second
// pulse too close to the first be taken for ringing and left out, because otherwise it may be a bit that was read late.
func New(t Timing, stamped bool) (*Decoder, error) {
	t.Gap = cmp.Or(t.Gap, 30*time.Millisecond)
	t.MinInterval = cmp.Or(t.MinInterval, 120*time.Microsecond)
	t.MaxInterval = cmp.Or(t.MaxInterval, 20*time.Millisecond)
	if t.MinInterval < 0 || t.MinInterval >= t.MaxInterval || t.MaxInterval >= t.Gap {
		return nil, fmt.Errorf("wiegand times %v, %v, %v: want minimum interval < maximum interval < frame gap",
			t.MinInterval, t.MaxInterval, t.Gap)
	}
	return &Decoder{timing: t, stamped: stamped}, nil
}

// Gap is the silence after which Flush gives a frame.
func (d *Decoder) Gap() time.Duration { return d.timing.Gap }

// Edge takes one edge. If it begins a new frame, the frame before it is returned.
func (d *Decoder) Edge(e Edge) (Frame, bool) {
	var f Frame
	done := false
	if d.n > 0 && e.At-d.latest >= d.timing.Gap {
		lost := e.Seq != 0 && d.high != 0 && e.Seq != next(d.high) // it may have been this frame's last bit
		f, done = d.take(lost), true
		d.settled = true
	}
	if d.n < len(d.edges) {
		d.edges[d.n] = e
	}
	d.n++
	if d.n == 1 || e.At > d.latest {
		d.latest = e.At
	}
	if d.n == 1 || int32(e.Seq-d.high) > 0 {
		d.high = e.Seq
	}
	return f, done
}

// Flush returns the frame in hand, if any. The caller has waited for the gap and no edge came.
func (d *Decoder) Flush() (Frame, bool) {
	var f Frame
	done := d.n > 0
	if done {
		f = d.take(false)
	}
	d.settled = true
	return f, done
}

// Reset forgets the frame in hand and the count, after the lines were opened anew.
func (d *Decoder) Reset() { d.n, d.seq, d.high, d.settled = 0, 0, 0, false }

func (d *Decoder) take(lost bool) Frame {
	n := d.n
	d.n = 0
	edges := d.edges[:min(n, len(d.edges))]
	inOrder(edges)
	whole := d.follows(edges) && !lost
	d.seq = d.high // also of what was not kept
	switch {
	case n > len(d.edges):
		return Frame{N: n, Fault: Overlong}
	case !whole:
		return Frame{N: n, Fault: Hole}
	case !d.settled:
		return Frame{N: n, Fault: Begun}
	}
	edges, fault := d.clean(edges)
	if fault != Good {
		return Frame{N: n, Fault: fault}
	}
	f := Frame{N: len(edges)}
	for i, e := range edges {
		f.Bits |= uint64(e.Line&1) << i
	}
	return f
}

// inOrder sorts by the source's count, or by time where it has none. The count may wrap.
func inOrder(edges []Edge) {
	slices.SortStableFunc(edges, func(a, b Edge) int {
		if a.Seq != 0 && b.Seq != 0 {
			return int(int32(a.Seq - b.Seq))
		}
		return cmp.Compare(a.At, b.At)
	})
}

// follows reports whether no edge is missing in the frame, nor between it and the one before, or the opening of the lines:
// the missing one may have been this frame's first bit.
func (d *Decoder) follows(edges []Edge) bool {
	last := d.seq
	for _, e := range edges {
		if e.Seq != 0 && e.Seq != next(last) {
			return false
		}
		last = e.Seq
	}
	return true
}

// next counts on, past 0, which means "cannot count".
func next(seq uint32) uint32 { return max(seq+1, 1) }

// clean checks the time from bit to bit, and leaves ringing out where the times can be trusted.
func (d *Decoder) clean(edges []Edge) ([]Edge, Fault) {
	kept := edges[:1]
	shortest, longest := time.Duration(1<<62), time.Duration(0)
	for _, e := range edges[1:] {
		last := kept[len(kept)-1]
		apart := e.At - last.At
		switch {
		case apart < 0:
			return nil, Uneven // count and times contradict each other
		case apart < d.timing.MinInterval && e.Line != last.Line:
			return nil, BothLow
		case apart < d.timing.MinInterval && d.stamped:
			continue
		case apart < d.timing.MinInterval:
			return nil, Ringing
		case apart > d.timing.MaxInterval:
			return nil, Uneven
		}
		shortest, longest = min(shortest, apart), max(longest, apart)
		kept = append(kept, e)
	}
	counted := kept[0].Seq != 0
	if !counted && len(kept) > 2 && float64(longest) > unevenness*float64(shortest) {
		return nil, Uneven
	}
	return kept, Good
}
