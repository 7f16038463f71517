package epc

import (
	"fmt"
	"strconv"
	"strings"
)

// kind is how a field is written.
type kind uint8

const (
	absent  kind = iota
	digits       // exactly so many digits, leading zeros kept
	integer      // a number without leading zeros
	numeric      // digits behind a 1, which keeps the leading zeros
	six          // capitals, digits, # - / in six bits a character, ended by zeros
	text         // ISO 646 in seven bits a character, ended by zeros
)

// field is a reference or a serial. digits counts characters where the kind is text, and is the most otherwise.
type field struct {
	kind   kind
	bits   int
	digits int
}

// read reads the field from n bits; digits is what is left for it.
func (f field) read(b bits, at, n, digitsLeft int) (string, error) {
	switch f.kind {
	case absent:
		return "", nil
	case text:
		return readText(b, at, n, digitsLeft)
	}
	v := b.uint(at, n)
	switch {
	case f.kind == numeric:
		s := strconv.FormatUint(v, 10)
		if s[0] != '1' || len(s) < 2 || len(s) > 1+digitsLeft {
			return "", errSerial
		}
		return s[1:], nil
	case v >= pow10[digitsLeft]:
		return "", errReference
	case f.kind == digits:
		return padded(v, digitsLeft), nil
	}
	return strconv.FormatUint(v, 10), nil
}

// write writes what read reads, and refuses what read would not give back.
func (f field) write(b bits, at, n, digitsLeft int, s string) error {
	switch f.kind {
	case absent:
		if s != "" {
			return fmt.Errorf("want none")
		}
		return nil
	case text:
		return writeText(b, at, n, digitsLeft, s)
	}
	v, err := f.value(n, digitsLeft, s)
	if err != nil {
		return err
	}
	b.put(at, n, v)
	return nil
}

func (f field) value(n, digitsLeft int, s string) (uint64, error) {
	switch {
	case !isDigits(s):
		return 0, fmt.Errorf("want decimal digits")
	case f.kind == digits && len(s) != digitsLeft:
		return 0, fmt.Errorf("%d digits: want %d", len(s), digitsLeft)
	case f.kind == digits:
		return number(s), nil
	case s == "" || len(s) > digitsLeft:
		return 0, fmt.Errorf("%d digits: want 1 to %d", len(s), digitsLeft)
	case f.kind == numeric:
		return number("1" + s), nil
	case len(s) > 1 && s[0] == '0':
		return 0, fmt.Errorf("a number with leading zeros does not fit this scheme")
	}
	v := number(s)
	if v>>n != 0 {
		return 0, fmt.Errorf("want at most %d", uint64(1)<<n-1)
	}
	return v, nil
}

func isDigits(s string) bool { return strings.Trim(s, "0123456789") == "" }

// number reads digits, at most maxDigits of them.
func number(s string) (v uint64) {
	for i := range len(s) {
		v = 10*v + uint64(s[i]-'0')
	}
	return v
}

// padded writes v with so many digits; with none, nothing.
func padded(v uint64, digits int) string {
	if digits == 0 {
		return ""
	}
	return fmt.Sprintf("%0*d", digits, v)
}

// bits is an EPC memory, counted in bits from the first.
type bits []byte

// uint reads n bits, at most 64. Bits behind the end are zeros.
func (b bits) uint(at, n int) (v uint64) {
	for end := at + n; at < end; {
		take := min(8-at%8, end-at)
		var octet byte
		if at/8 < len(b) {
			octet = b[at/8]
		}
		v = v<<take | uint64(octet>>(8-at%8-take))&(1<<take-1)
		at += take
	}
	return v
}

// put writes n bits over zeros.
func (b bits) put(at, n int, v uint64) {
	for i := range n {
		if v>>(n-1-i)&1 == 1 {
			b[(at+i)/8] |= 0x80 >> ((at + i) % 8)
		}
	}
}

// zero reports whether all bits from at on are.
func (b bits) zero(at int) bool {
	for ; at < 8*len(b); at += 8 - at%8 {
		if b.uint(at, 8-at%8) != 0 {
			return false
		}
	}
	return true
}
