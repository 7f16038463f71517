package frame

import (
	"encoding/binary"
	"math/bits"

	"foyer/firmware-profiles"
	"foyer/reader/tag"
)

// Card gives the bits of a Wiegand frame their meaning.
type Card struct {
	wiegand profiles.Wiegand
	scheme  tag.Scheme
	also    tag.Scheme
}

// NewCard compiles a wiegand profile. It panics for a profile without that section, which profiles.Parse refuses.
func NewCard(p *profiles.Profile) *Card {
	return &Card{wiegand: *p.Wiegand, scheme: schemeOf(p.Canonical.Scheme), also: schemeOf(p.Canonical.Also)}
}

// Decode checks count and parity of the n bits of a card, bit i of the wire being 1<<i, and sets s if they are good.
func (c *Card) Decode(card uint64, n int, s *Sighting) Bad {
	if n != c.wiegand.Bits {
		return BitCount
	}
	for _, p := range c.wiegand.Parity {
		ones := bits.OnesCount64(card & (uint64(p.Over) | 1<<p.Bit))
		if odd := ones%2 == 1; odd != (p.Kind == profiles.Odd) {
			return Parity
		}
	}
	return c.identify(card, s)
}

func (c *Card) identify(card uint64, s *Sighting) Bad {
	var b [9]byte
	binary.BigEndian.PutUint64(b[1:], span(card, &c.wiegand.Number))
	first := len(b) - (c.wiegand.Number.Bits+7)/8
	scheme := c.scheme
	s.RSSI, s.HasRSSI, s.Antenna = 0, false, 0
	switch {
	case scheme == tag.Wiegand: // equal numbers in frames of different length are different cards
		first--
		b[first] = byte(c.wiegand.Bits)
	case scheme == tag.UID:
		return c.uid(b[first:], s)
	case c.wiegand.Number.Bits == 32 && scheme == tag.EM4100x24:
		scheme = tag.EM4100x32 // cut below
	}
	if s.Number.Set(scheme, b[first:]) != nil {
		return Fields
	}
	s.settle(c.scheme, c.also)
	return Good
}

// uid makes s a card of 13.56 MHz, its bytes in the order in which a serial reader tells them. A random one is nobody.
func (c *Card) uid(sent []byte, s *Sighting) Bad {
	n, err := tag.NewNumber(tag.Wiegand32, sent)
	if err != nil {
		return Fields
	}
	uid, ok := tag.UIDFromWiegand(n, c.wiegand.Reverse)
	var b [4]byte
	if !ok || isRandom(uid.Bytes(b[:0])) {
		return Fields
	}
	s.Number = uid
	s.settle(c.scheme, c.also)
	return Good
}

// IsKey reports whether a frame of n bits is a key by its length, not a card.
func (c *Card) IsKey(n int) bool { return n > 0 && n == c.wiegand.Keypad.Bits() }

// Key decodes the bits of a key: '0' to '9', '*' or '#'.
func (c *Card) Key(key uint64) (byte, Bad) {
	code := span(key, &profiles.BitSpan{At: c.wiegand.Keypad.Bits() - 4, Bits: 4})
	if c.wiegand.Keypad == profiles.ComplementKeys && span(key, &profiles.BitSpan{Bits: 4}) != ^code&15 {
		return 0, Parity
	}
	const keys = "0123456789*#"
	if code >= uint64(len(keys)) {
		return 0, Fields
	}
	return keys[code], Good
}

// Facility returns the facility code of a card's bits, and whether the profile has one.
func (c *Card) Facility(card uint64) (uint64, bool) {
	return span(card, c.wiegand.Facility), c.wiegand.Facility != nil
}

// Number returns the card number within its facility, and whether the profile has one.
func (c *Card) Number(card uint64) (uint64, bool) {
	return span(card, c.wiegand.Card), c.wiegand.Card != nil
}

// span reads a run of bits, the first on the wire the most significant.
func span(card uint64, s *profiles.BitSpan) uint64 {
	if s == nil {
		return 0
	}
	return bits.Reverse64(card>>s.At) >> (64 - s.Bits)
}

// CardBits reads a frame written as digits 0 and 1, the first on the wire first. It reports false for anything else and
// for more than 64 of them.
func CardBits(digits string) (card uint64, n int, ok bool) {
	if len(digits) > 64 {
		return 0, 0, false
	}
	for i := range len(digits) {
		switch digits[i] {
		case '1':
			card |= 1 << i
		case '0':
		default:
			return 0, 0, false
		}
	}
	return card, len(digits), true
}
