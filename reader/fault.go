package reader

import (
	"fmt"

	"foyer/reader/frame"
	"foyer/reader/wiegand"
)

// Fault is a kind of bad frame, one for each thing that a technician would look at.
type Fault uint8

// The faults.
const (
	BadCheck   Fault = iota // the check is wrong: bytes were changed on the way
	BadLength               // no frame is so long or so short
	BadShape                // it ends wrong, or holds what no frame holds
	CutShort                // it broke off
	BadTag                  // the frame is good, and what the tag itself sent contradicts itself
	BadContent              // the check holds, and the profile cannot make sense of it
	BadParity               // a card's parity bits
	BadBits                 // a card with another number of bits
	BadTiming               // a card's pulses were lost, too close or uneven
	BadTyping               // keys too slow for a scanner: somebody types
	Faults                  // how many there are
)

var faultNames = [Faults]string{"checksum", "length", "framing", "cut", "tag", "profile", "parity", "bits", "timing", "typing"}

// String is the stable name: metrics use it, and in words it is "reader.bad."+String().
func (f Fault) String() string {
	if f < Faults {
		return faultNames[f]
	}
	return fmt.Sprintf("fault(%d)", uint8(f))
}

// Refusals counts bad frames by their fault.
type Refusals [Faults]uint64

// Sum is how many there were.
func (r Refusals) Sum() (sum uint64) {
	for _, n := range r {
		sum += n
	}
	return sum
}

// add takes what package frame counted, by frame.Bad.
func (r *Refusals) add(counted []uint64) {
	for bad, n := range counted {
		if n > 0 {
			r[faultOf(frame.Bad(bad))] += n
		}
	}
}

func faultOf(b frame.Bad) Fault {
	switch b {
	case frame.Checksum:
		return BadCheck
	case frame.Length:
		return BadLength
	case frame.End, frame.Charset:
		return BadShape
	case frame.Cut:
		return CutShort
	case frame.EPCCRC, frame.PCLength:
		return BadTag
	case frame.Parity:
		return BadParity
	case frame.BitCount:
		return BadBits
	}
	return BadContent
}

// faultTyped is the fault of what a keyboard wedge typed. What package frame calls cut there was typed too slowly.
func faultTyped(b frame.Bad) Fault {
	if b == frame.Cut {
		return BadTyping
	}
	return faultOf(b)
}

// faultOfCard is the fault of a card of which the edges say f, and its bits, if the edges are good, b.
func faultOfCard(f wiegand.Fault, b frame.Bad) Fault {
	switch f {
	case wiegand.Good:
		return faultOf(b)
	case wiegand.Overlong:
		return BadBits
	}
	return BadTiming
}
