package profiles

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

// maxBytes bounds one hex string of a profile: longer than any frame we know.
const maxBytes = 4096

// Bytes is written in hex: "BB 00 22". Spaces are free.
type Bytes []byte

// UnmarshalText reads hex digits, spaces ignored.
func (b *Bytes) UnmarshalText(text []byte) error {
	digits := strings.ReplaceAll(string(text), " ", "")
	raw, err := hex.DecodeString(digits)
	switch {
	case err != nil:
		return fmt.Errorf("want bytes in hex like \"BB 00 22\", got %.40q", text)
	case len(raw) == 0:
		return fmt.Errorf("want at least one byte in hex, got none")
	case len(raw) > maxBytes:
		return fmt.Errorf("%d bytes: want at most %d", len(raw), maxBytes)
	}
	*b = raw
	return nil
}

// String is the hex form with a space between bytes.
func (b Bytes) String() string { return fmt.Sprintf("% X", []byte(b)) }

// Size is the size of a field: a count of bytes, or a word.
type Size struct {
	N      int  // bytes; 0 = the kind's own size
	Rest   bool // all that the fields after it leave
	Length bool // what the field `length` said
}

// UnmarshalText reads "12", "rest" or "length".
func (s *Size) UnmarshalText(text []byte) error {
	switch string(text) {
	case "rest":
		*s = Size{Rest: true}
		return nil
	case "length":
		*s = Size{Length: true}
		return nil
	}
	n, err := strconv.Atoi(string(text))
	if err != nil || n < 1 || n > maxBytes {
		return fmt.Errorf("want a count of bytes from 1 to %d, rest or length, got %.20q", maxBytes, text)
	}
	*s = Size{N: n}
	return nil
}

// BitRange is a set of bit positions, 0 the first on the wire. Bit i of the frame is 1<<i.
type BitRange uint64

// UnmarshalText reads "1-12" or "1-2,4-5,7".
func (r *BitRange) UnmarshalText(text []byte) error {
	var set BitRange
	for part := range strings.SplitSeq(string(text), ",") {
		first, last, ranged := strings.Cut(strings.TrimSpace(part), "-")
		if !ranged {
			last = first
		}
		a, errA := strconv.Atoi(first)
		z, errZ := strconv.Atoi(last)
		if errA != nil || errZ != nil || a < 0 || z < a || z > 63 {
			return fmt.Errorf("want bit positions like \"1-12\" or \"1-2,4-5\" between 0 and 63, got %.40q", text)
		}
		for i := a; i <= z; i++ {
			set |= 1 << i
		}
	}
	*r = set
	return nil
}
