package tag

import "slices"

// UIDFromWiegand is the UID of a 13.56 MHz card with 4 bytes whose reader sends it as the 32 bits of a Wiegand frame.
// Some readers send the first byte first, others last; nothing in the frame tells which, so the reader's profile must say
// it. It reports false for any other number. With the wrong order a card is nobody's, and never another member's but by
// the chance of one in four thousand million.
func UIDFromWiegand(n Number, reverse bool) (Number, bool) {
	if n.scheme != Wiegand32 || n.n != 4 {
		return Number{}, false
	}
	uid := Number{scheme: UID, n: n.n, b: n.b}
	if reverse {
		slices.Reverse(uid.b[:uid.n])
	}
	return uid, true
}
