package tag

import (
	"fmt"
	"strings"
)

// The EPC headers of GS1 TDS 2.x that carry a GSRN of a recipient, which is a club's member. Providers (2E, F5, E8) are
// staff and stay plain EPCs.
const (
	headerGSRN96   = 0x2D // filter 3, partition 3, company prefix, service reference, 24 zero bits
	headerGSRNPlus = 0xF4 // toggle 1, filter 3, 18 BCD digits
	headerGSRNHost = 0xE7 // the same and a host name
)

const gsrnDigits = 18

// partitions gives the bits and digits of the company prefix by partition value (TDS 2.x, the partition table of
// GSRN). Prefix and reference together are 58 bits and 17 digits.
var partitions = [...]struct{ bits, digits int }{{40, 12}, {37, 11}, {34, 10}, {30, 9}, {27, 8}, {24, 7}, {20, 6}}

// pow10 is enough for 12 digits of prefix and 11 of reference.
var pow10 = [...]uint64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12}

// GSRN96 is a GSRN-96 EPC taken apart. The service reference names the member; filter and the length of the prefix
// say nothing about who it is, and are no part of the identity.
type GSRN96 struct {
	Filter       uint8
	PrefixDigits int    // 6 to 12
	Prefix       uint64 // GS1 company prefix
	Reference    uint64 // service reference of 17-PrefixDigits digits
}

// ParseGSRN96 reads a 12-byte EPC with header 2D. It reports false for any other, and for one whose fields cannot be:
// partition 7, a field with too many digits, padding that is not zero. It does not allocate.
func ParseGSRN96(epc []byte) (GSRN96, bool) {
	if len(epc) != 12 || epc[0] != headerGSRN96 || epc[9]|epc[10]|epc[11] != 0 {
		return GSRN96{}, false
	}
	var bits uint64 // filter, partition, prefix, reference: 64 bits in bytes 1 to 8
	for _, b := range epc[1:9] {
		bits = bits<<8 | uint64(b)
	}
	partition := int(bits >> 58 & 7)
	if partition >= len(partitions) {
		return GSRN96{}, false
	}
	p := partitions[partition]
	referenceBits := 58 - p.bits
	g := GSRN96{
		Filter:       uint8(bits >> 61),
		PrefixDigits: p.digits,
		Prefix:       bits >> referenceBits & (1<<p.bits - 1),
		Reference:    bits & (1<<referenceBits - 1),
	}
	return g, g.Prefix < pow10[p.digits] && g.Reference < pow10[17-p.digits]
}

// URI is the pure identity: urn:epc:id:gsrn:9521141.1234567890.
func (g GSRN96) URI() string { return "urn:epc:id:gsrn:" + g.pair() }

// TagURI adds the filter: urn:epc:tag:gsrn-96:3.9521141.1234567890.
func (g GSRN96) TagURI() string { return fmt.Sprintf("urn:epc:tag:gsrn-96:%d.%s", g.Filter, g.pair()) }

// Number is the identity as Foyer stores it.
func (g GSRN96) Number() Number {
	var digits [gsrnDigits]byte
	rest := g.Prefix*pow10[17-g.PrefixDigits] + g.Reference // 17 digits fit into 57 bits
	for i := gsrnDigits - 2; i >= 0; i-- {
		digits[i] = byte(rest % 10)
		rest /= 10
	}
	digits[gsrnDigits-1] = checkDigit(digits[:gsrnDigits-1])
	return gsrnNumber(&digits)
}

func (g GSRN96) pair() string {
	return fmt.Sprintf("%0*d.%0*d", g.PrefixDigits, g.Prefix, 17-g.PrefixDigits, g.Reference)
}

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
func FromEPC(epc []byte) (Number, error) {
	if len(epc) < 2 || len(epc) > MaxBytes || len(epc)%2 != 0 {
		return Number{}, fmt.Errorf("EPC of %d bytes: want 2 to %d and whole 16-bit words", len(epc), MaxBytes)
	}
	if g, ok := ParseGSRN96(epc); ok {
		return g.Number(), nil
	}
	if n, ok := fromGSRNPlus(epc); ok {
		return n, nil
	}
	return NewNumber(EPC, epc)
}

// fromGSRNPlus reads GSRN+ and GSRN++: after header, toggle and filter stand 18 BCD digits, from the second nibble on.
func fromGSRNPlus(epc []byte) (Number, bool) {
	if len(epc) < 11 || epc[0] != headerGSRNPlus && epc[0] != headerGSRNHost {
		return Number{}, false
	}
	var digits [gsrnDigits]byte
	for i := range digits {
		at := i + 3 // in nibbles
		digits[i] = epc[at/2] >> (4 * (1 - at%2)) & 0x0F
		if digits[i] > 9 {
			return Number{}, false
		}
	}
	if checkDigit(digits[:gsrnDigits-1]) != digits[gsrnDigits-1] {
		return Number{}, false
	}
	return gsrnNumber(&digits), true
}

// parseGSRN reads 18 digits and verifies the last.
func parseGSRN(text string) (Number, error) {
	if len(text) != gsrnDigits || strings.Trim(text, "0123456789") != "" {
		return Number{}, fmt.Errorf("a GSRN has %d digits, this has %d characters", gsrnDigits, len(text))
	}
	var digits [gsrnDigits]byte
	for i := range digits {
		digits[i] = text[i] - '0'
	}
	if want := checkDigit(digits[:gsrnDigits-1]); digits[gsrnDigits-1] != want {
		return Number{}, fmt.Errorf("the check digit of the GSRN is %d, want %d: one of the digits is wrong", digits[gsrnDigits-1], want)
	}
	return gsrnNumber(&digits), nil
}

// parseGSRNURI reads "9521141.1234567890", and the same behind a filter.
func parseGSRNURI(text string) (Number, error) {
	parts := strings.Split(text, ".")
	if len(parts) == 3 && len(parts[0]) == 1 && parts[0][0] >= '0' && parts[0][0] <= '7' {
		parts = parts[1:]
	}
	if len(parts) != 2 || len(parts[0]) < 6 || len(parts[0]) > 12 || len(parts[0])+len(parts[1]) != gsrnDigits-1 ||
		strings.Trim(parts[0]+parts[1], "0123456789") != "" {
		return Number{}, fmt.Errorf("a GSRN in a URI is a company prefix of 6 to 12 digits, a dot and a reference, 17 digits together")
	}
	var digits [gsrnDigits]byte
	for i, c := range []byte(parts[0] + parts[1]) {
		digits[i] = c - '0'
	}
	digits[gsrnDigits-1] = checkDigit(digits[:gsrnDigits-1])
	return gsrnNumber(&digits), nil
}

func gsrnNumber(digits *[gsrnDigits]byte) Number {
	n := Number{scheme: GSRN, n: gsrnDigits / 2}
	for i := range gsrnDigits / 2 {
		n.b[i] = digits[2*i]<<4 | digits[2*i+1]
	}
	return n
}

// checkDigit is the GS1 check digit: weights 3 and 1 in turn from the right, up to the next multiple of ten (GS1
// General Specifications 7.9).
func checkDigit(digits []byte) byte {
	sum := 0
	for i := range digits {
		weight := 3 - 2*(i%2)
		sum += weight * int(digits[len(digits)-1-i])
	}
	return byte((10 - sum%10) % 10)
}
