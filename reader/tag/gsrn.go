package tag

import (
	"fmt"
	"strings"

	"foyer/reader/tag/epc"
)

// A member's GSRN is one number however the tag was written: as GSRN-96, GSRN+ or GSRN++. Package epc knows the bits.
// Providers (headers 2E, F5, E8) are staff and stay plain EPCs.

const gsrnDigits = 18

// GSRN returns the 18 digits of a GSRN, check digit included. It reveals the number: see Reveal.
func (n Number) GSRN() (string, bool) {
	if n.scheme != GSRN || n.n != gsrnDigits/2 {
		return "", false
	}
	return fmt.Sprintf("%X", n.b[:n.n]), true
}

// Element is the GS1 element string of a GSRN: (8018)952114112345678906. It is empty for other schemes.
func (n Number) Element() string { return n.gs1("(8018)") }

// DigitalLink is the path of a GS1 Digital Link: /8018/952114112345678906. It is empty for other schemes.
func (n Number) DigitalLink() string { return n.gs1("/8018/") }

func (n Number) gs1(prefix string) string {
	digits, ok := n.GSRN()
	if !ok {
		return ""
	}
	return prefix + digits
}

// FromEPC returns the identity of an EPC of whole 16-bit words: the GSRN if one is in it, so that one member is one number
// however the tag was written; otherwise the EPC itself. It does not allocate unless it fails.
func FromEPC(raw []byte) (n Number, err error) {
	err = n.SetEPC(raw)
	return n, err
}

// SetEPC makes n the identity of an EPC: FromEPC in place. It fails as that does, and then n is no tag.
func (n *Number) SetEPC(raw []byte) error {
	if len(raw) < 2 || len(raw) > MaxBytes || len(raw)%2 != 0 {
		*n = Number{}
		return fmt.Errorf("EPC of %d bytes: want 2 to %d and whole 16-bit words", len(raw), MaxBytes)
	}
	if digits, ok := epc.GSRN(raw); ok {
		*n = gsrnNumber(digits)
		return nil
	}
	return n.Set(EPC, raw)
}

// parseGSRN reads 18 digits and verifies the last.
func parseGSRN(text string) (Number, error) {
	if len(text) != gsrnDigits || strings.Trim(text, "0123456789") != "" {
		return Number{}, fmt.Errorf("a GSRN has %d digits, this has %d characters", gsrnDigits, len(text))
	}
	if err := epc.VerifyKey(text, gsrnDigits); err != nil {
		return Number{}, fmt.Errorf("GSRN: %w", err)
	}
	return gsrnNumber([gsrnDigits]byte([]byte(text))), nil
}

// parseURN reads a tag URI, or the pure identity of a member. That of anything else does not say what is on the tag.
func parseURN(text string) (Number, error) {
	e, err := epc.Parse(text, 0)
	if err != nil {
		return Number{}, err
	}
	raw, err := e.Encode()
	if err != nil {
		return Number{}, err
	}
	n, err := FromEPC(raw)
	if err == nil && n.scheme != GSRN && strings.HasPrefix(text, identityURN) {
		return Number{}, fmt.Errorf("a pure identity of %s says neither filter nor size of the tag: want its tag URI, which begins with urn:epc:tag", e.Scheme)
	}
	return n, err
}

// gsrnNumber packs 18 ASCII digits.
func gsrnNumber(digits [gsrnDigits]byte) Number {
	n := Number{scheme: GSRN, n: gsrnDigits / 2}
	for i := range gsrnDigits / 2 {
		n.b[i] = digits[2*i]<<4 | digits[2*i+1]&0x0F
	}
	return n
}
