// Package frame turns the bytes of a serial line, or the bits of a Wiegand card, into sightings of tags by the rules of a
// profile.
//
// In: bytes as they come from the port, in pieces of any size. Out: whole frames that passed their check, what each one
// means, and counts of what was refused and why. RSSI is in dBm, offsets are bytes since the splitter was made.
// It reads no clock, opens nothing, logs nothing and keeps at most a few frames of memory; a frame is decoded without
// allocating. Splitter and Decoder belong to one goroutine each.
// Called by reader (the session), reader/sim and cmd/foyer (profile check, profile play).
//
// How sync is found again. A start byte may occur inside the data, so a frame that fails is not thrown away: the search
// goes on one byte after its start, and a good frame inside what was refused is found. A false start can therefore
// delay the frames after it but not lose them; silence on the line (Flush) ends the delay. Frames of hex digits are
// stricter: any start byte begins anew.
package frame

import "foyer/firmware-profiles"

// Frame is one whole frame that passed its check. Its slices are valid until the call that gave it returns.
type Frame struct {
	Raw     []byte // as on the wire
	Payload []byte // after the start and before the check, binary
	Offset  int64  // of the first byte of Raw in the stream
}

// Bad is why a frame was refused.
type Bad uint8

// The reasons. The first five are the splitter's, the next three the decoder's, the last two a card's.
const (
	Good Bad = iota
	Checksum
	Length
	End
	Charset
	Cut
	EPCCRC
	PCLength
	Fields
	Parity
	BitCount
	badKinds
)

var badNames = [badKinds]profiles.Bad{
	"", profiles.BadChecksum, profiles.BadLength, profiles.BadEnd, profiles.BadCharset, profiles.BadCut,
	profiles.BadEPCCRC, profiles.BadPC, profiles.BadFields, profiles.BadParity, profiles.BadBits,
}

// String is the name that profiles and captures use, like checksum_mismatch; empty for Good.
func (b Bad) String() string { return string(badNames[min(b, badKinds-1)]) }

// BadKinds lists every reason.
func BadKinds() []Bad {
	kinds := make([]Bad, 0, badKinds-1)
	for b := Good + 1; b < badKinds; b++ {
		kinds = append(kinds, b)
	}
	return kinds
}

// Fault is one refusal. Raw is valid until the call that gave it returns.
type Fault struct {
	Bad    Bad
	Raw    []byte // what was taken for the frame
	Offset int64
}

// Counters counts since the start.
type Counters struct {
	Frames  uint64           // passed their check
	Bad     [badKinds]uint64 // refused, by reason
	Noise   uint64           // bytes that belong to no frame, good or refused
	Resyncs uint64           // good frames right after noise or a refusal
}

// Refused is the sum over all reasons.
func (c Counters) Refused() uint64 {
	var sum uint64
	for _, n := range c.Bad {
		sum += n
	}
	return sum
}

// Matches reports whether payload meets every condition, as of a rule or of a command's reply. No condition, no match.
func Matches(conditions []profiles.Match, payload []byte) bool {
	for i := range conditions {
		at, is := conditions[i].At, conditions[i].Is
		there := len(payload) >= at+len(is) && string(payload[at:at+len(is)]) == string(is)
		if there == conditions[i].Not {
			return false
		}
	}
	return len(conditions) > 0
}
