package tag

import (
	"encoding/binary"
	"fmt"
)

// One 125 kHz fob is known by three numbers: 40 bits as a serial reader tells them, the lower 32 of them as printed in
// ten digits, and the lower 24 as a Wiegand-26 reader sends them. The longest form seen is stored; a shorter one matches
// only by an explicit rule, because 24 bits clash: about one chance in two of at least one clash among 4,800 fobs.

// emBytes is how many bytes each form of an EM4100 number keeps, counted from the end.
var emBytes = [...]uint8{EM4100: 5, EM4100x32: 4, EM4100x24: 3}

func isEM(s Scheme) bool { return s == EM4100 || s == EM4100x32 || s == EM4100x24 }

// Shorter returns the form of n in the shorter scheme to, and whether there is one: an EM4100 number has 32-bit and
// 24-bit forms, an EM4100x32 a 24-bit one, others have none. It does not allocate.
func Shorter(n Number, to Scheme) (short Number, ok bool) {
	ok = short.SetShorter(&n, to)
	return short, ok
}

// SetShorter makes n the form of a number in the shorter scheme to: Shorter in place. Where there is none it reports false
// and leaves n as it was. n may be the number itself.
func (n *Number) SetShorter(of *Number, to Scheme) bool {
	if !isEM(of.scheme) || !isEM(to) || of.n != emBytes[of.scheme] || emBytes[to] >= of.n {
		return false
	}
	var b [8]byte
	size := emBytes[to]
	copy(b[:], of.b[of.n-size:of.n])
	*n = Number{scheme: to, n: size}
	copy(n.b[:], b[:])
	return true
}

// Forms returns every number that a reader may tell for the card that n was read from or printed on, n first. Where a
// member's card is stored, the hashes of all of them are.
func Forms(n Number) []Number {
	if n.IsZero() {
		return nil
	}
	forms := []Number{n}
	for _, to := range []Scheme{EM4100x32, EM4100x24} {
		if short, ok := Shorter(n, to); ok {
			forms = append(forms, short)
		}
	}
	return forms
}

// Printed is what stands on the plastic of a fob: the lower 32 bits in ten digits ("0008075634") and the lower 24 as
// facility and card ("123,14706"). A form that n is too short for is empty. It reveals the number: see Reveal.
func (n Number) Printed() (ten, split string) {
	if !isEM(n.scheme) || n.n != emBytes[n.scheme] {
		return "", ""
	}
	b := n.b[:n.n]
	if n.n >= 4 {
		ten = fmt.Sprintf("%010d", binary.BigEndian.Uint32(b[n.n-4:]))
	}
	return ten, fmt.Sprintf("%03d,%05d", b[n.n-3], binary.BigEndian.Uint16(b[n.n-2:]))
}

// Checksum is the XOR of the bytes of n: what an RDM6300 sends after a 40-bit EM4100 number.
func (n Number) Checksum() byte {
	var sum byte
	for _, b := range n.b[:n.n] {
		sum ^= b
	}
	return sum
}
