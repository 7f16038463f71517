package tag

import (
	"bytes"

	"foyer/reader/tag/epc"
)

// FromText returns the identity of a scanned code: the GSRN if one is in it, so that a member's card and a member's QR code
// are one number; otherwise the text itself. It does not allocate unless it fails.
//
// A GSRN stands in a GS1 Digital Link (.../8018/ and 18 digits), in an element string ((8018) and 18 digits), or in the
// bare form that a scanner sends, where 8018 begins the code or follows a symbology identifier (]C1, ]d2, ]Q3) or a GS.
func FromText(text []byte) (Number, error) {
	if n, ok := gsrnInText(text); ok {
		return n, nil
	}
	return NewNumber(Text, text)
}

var (
	linkMark    = []byte("/8018/")
	elementMark = []byte("(8018)")
	bareMark    = []byte("8018")
)

func gsrnInText(text []byte) (Number, bool) {
	for _, mark := range [][]byte{linkMark, elementMark} {
		if at := bytes.Index(text, mark); at >= 0 {
			return gsrnDigitsAt(text[at+len(mark):])
		}
	}
	if len(text) > 3 && text[0] == ']' {
		text = text[3:]
	}
	if i := bytes.IndexByte(text, 0x1D); i >= 0 && !bytes.HasPrefix(text, bareMark) {
		text = text[i+1:]
	}
	if len(text) >= len(bareMark)+gsrnDigits && bytes.HasPrefix(text, bareMark) {
		return gsrnDigitsAt(text[len(bareMark):])
	}
	return Number{}, false
}

// gsrnDigitsAt reads 18 digits that no further digit follows, with the right check digit.
func gsrnDigitsAt(text []byte) (Number, bool) {
	var digits [gsrnDigits]byte
	if len(text) < gsrnDigits || len(text) > gsrnDigits && text[gsrnDigits]-'0' <= 9 {
		return Number{}, false
	}
	for i := range digits {
		if digits[i] = text[i]; digits[i]-'0' > 9 {
			return Number{}, false
		}
	}
	if epc.CheckDigit(string(digits[:gsrnDigits-1])) != digits[gsrnDigits-1] {
		return Number{}, false
	}
	return gsrnNumber(digits), true
}
