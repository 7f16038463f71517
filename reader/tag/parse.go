package tag

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"foyer/reader/tag/epc"
)

// maxText bounds what ParseNumber looks at: an EPC of 62 bytes with a separator between bytes and a long link fit.
const maxText = 512

// ParseNumber reads a tag number as people type, scan or import it. Spaces around it, the case of letters and full-width
// punctuation do not matter; bytes may be parted by ":", "-" or spaces. No error repeats the number.
//
// With a prefix there is no doubt:
//
//	em4100:6F007B3972  em4100:6F007B39725F    40 bits in hex; with its checksum, which must be right
//	em4100-32:007B3972  em4100-32:0008075634  32 bits in hex, or the ten printed digits
//	em4100-24:7B3972  w26:123,14706           24 bits in hex, or facility and card
//	wiegand-32:007B3972  w34:007B3972         w34 is em4100-32: what a Wiegand-34 reader of fobs sends
//	wiegand:2307600643                        any other Wiegand card: bits of its frame (23 hex is 35), its number
//	uid:04A035B2BC2B80  epc:E200...  gsrn:952114112345678906
//
// Without one, the first rule that fits decides:
//
//	urn:epc:id:gsrn:...                            GSRN
//	urn:epc:tag:gsrn-96:...  urn:epc:tag:sgtin-96:...  GSRN, or the EPC of another scheme
//	(8018)...  .../8018/...                        GSRN, as element string or GS1 Digital Link
//	123,14706                                      EM4100x24: facility up to 255, card up to 65535
//	10 decimal digits                              EM4100x32, as printed; up to 4294967295
//	18 decimal digits                              GSRN
//	10 hex digits with a letter or parted          EM4100
//	12 hex digits                                  EM4100 with its checksum
//	8, 14 or 20 hex digits                         UID of 4, 7 or 10 bytes
//	24, 28, 32 and more hex digits                 EPC, which becomes a GSRN if one is in it; a GSRN+ may lack the zeros
//	                                               at its end, as GS1 prints it
func ParseNumber(text string) (Number, error) {
	if len(text) > maxText {
		return Number{}, fmt.Errorf("tag number of %d characters: want at most %d", len(text), maxText)
	}
	n, err := parse(narrow.Replace(strings.TrimSpace(text)))
	if err != nil {
		return Number{}, fmt.Errorf("tag number: %w", err)
	}
	return n, nil
}

// narrow turns what a Chinese input method types into plain punctuation.
var narrow = strings.NewReplacer("，", ",", "：", ":", "（", "(", "）", ")", "　", " ")

// identityURN begins the URIs that name a thing, and not what stands on its tag.
const identityURN = "urn:epc:id:"

func parse(text string) (Number, error) {
	if strings.HasPrefix(text, identityURN) || strings.HasPrefix(text, "urn:epc:tag:") {
		return parseURN(text) // the case of a serial matters
	}
	text = strings.ToLower(text)
	if rest, ok := strings.CutPrefix(text, "(8018)"); ok {
		return parseGSRN(strings.TrimSpace(rest))
	}
	if _, rest, ok := strings.Cut(text, "/8018/"); ok {
		end := strings.IndexAny(rest+"/", "/?#")
		return parseGSRN(rest[:end])
	}
	if i := slices.IndexFunc(prefixes, func(p prefixed) bool { return strings.HasPrefix(text, p.prefix) }); i >= 0 {
		return prefixes[i].parse(strings.TrimSpace(text[len(prefixes[i].prefix):]))
	}
	return guess(text)
}

type prefixed struct {
	prefix string
	parse  func(string) (Number, error)
}

var prefixes = []prefixed{
	{"em4100:", parseEM4100},
	{"em4100-32:", parseEM4100x32},
	{"w34:", parseEM4100x32},
	{"em4100-24:", parseEM4100x24},
	{"w26:", parseEM4100x24},
	{"wiegand-32:", func(s string) (Number, error) { return parseHex(Wiegand32, s, 4) }},
	{"wiegand:", func(s string) (Number, error) { return parseHex(Wiegand, s, 2, 3, 4, 5, 6, 7, 8, 9) }},
	{"uid:", func(s string) (Number, error) { return parseHex(UID, s, 4, 7, 10) }},
	{"epc:", parseEPC},
	{"gsrn:", parseGSRN},
}

// guess applies the rules for text without a prefix.
func guess(text string) (Number, error) {
	if strings.Contains(text, ",") {
		return parseSplit(text)
	}
	digits, parted, err := hexDigits(text)
	if err != nil {
		return Number{}, err
	}
	decimal := !parted && strings.Trim(digits, "0123456789") == ""
	switch len(digits) {
	case 10:
		if decimal {
			return parseTen(digits)
		}
		return parseEM4100(digits)
	case 12:
		return parseEM4100(digits)
	case 8, 14, 20:
		return parseHex(UID, digits, 4, 7, 10)
	case gsrnDigits:
		if decimal {
			return parseGSRN(digits)
		}
	}
	if len(digits) >= 24 && len(digits)%4 == 0 || epc.IsPlus(digits) {
		return parseEPC(digits)
	}
	return Number{}, fmt.Errorf("%d digits fit no kind of tag; want 8, 14 or 20 hex digits of a UID, 10 of a fob, 24 or more of an EPC, "+
		"18 decimal digits of a GSRN, or uid: or epc: before them", len(digits))
}

func parseEM4100(text string) (Number, error) {
	digits, _, err := hexDigits(text)
	if err != nil {
		return Number{}, err
	}
	if len(digits) != 12 {
		return parseHex(EM4100, digits, 5)
	}
	raw, err := hex.DecodeString(digits)
	if err != nil {
		return Number{}, err
	}
	n, err := NewNumber(EM4100, raw[:5])
	if err == nil && n.Checksum() != raw[5] {
		err = fmt.Errorf("the checksum of the fob's number is %02X, want %02X: one of the digits is wrong", raw[5], n.Checksum())
	}
	return n, err
}

func parseEM4100x32(text string) (Number, error) {
	if len(text) == 10 {
		return parseTen(text)
	}
	return parseHex(EM4100x32, text, 4)
}

func parseEM4100x24(text string) (Number, error) {
	if strings.Contains(text, ",") {
		return parseSplit(text)
	}
	return parseHex(EM4100x24, text, 3)
}

// parseTen reads the ten digits printed on a fob.
func parseTen(text string) (Number, error) {
	v, err := strconv.ParseUint(text, 10, 32)
	if err != nil {
		return Number{}, errors.New("ten digits printed on a fob are a number up to 4294967295; if these are hex, write em4100: before them")
	}
	return NewNumber(EM4100x32, binary.BigEndian.AppendUint32(nil, uint32(v)))
}

// parseSplit reads "123,14706".
func parseSplit(text string) (Number, error) {
	first, second, _ := strings.Cut(text, ",")
	facility, errF := strconv.ParseUint(strings.TrimSpace(first), 10, 8)
	card, errC := strconv.ParseUint(strings.TrimSpace(second), 10, 16)
	if errF != nil || errC != nil {
		return Number{}, errors.New("want facility and card like 123,14706: up to 255, and up to 65535")
	}
	return NewNumber(EM4100x24, binary.BigEndian.AppendUint16([]byte{byte(facility)}, uint16(card)))
}

func parseEPC(text string) (Number, error) {
	digits, _, err := hexDigits(text)
	if err != nil {
		return Number{}, err
	}
	if epc.IsPlus(digits) {
		digits += strings.Repeat("0", (4-len(digits)%4)%4)
	}
	raw, err := hex.DecodeString(digits)
	if err != nil {
		return Number{}, fmt.Errorf("an EPC of %d hex digits: want an even count", len(digits))
	}
	return FromEPC(raw)
}

// parseHex reads exactly one of the given counts of bytes.
func parseHex(s Scheme, text string, counts ...int) (Number, error) {
	digits, _, err := hexDigits(text)
	if err != nil {
		return Number{}, err
	}
	raw, err := hex.DecodeString(digits)
	if err != nil || !slices.Contains(counts, len(raw)) {
		want := make([]string, len(counts))
		for i, c := range counts {
			want[i] = strconv.Itoa(2 * c)
		}
		return Number{}, fmt.Errorf("%s has %s hex digits, this has %d", s, strings.Join(want, " or "), len(digits))
	}
	return NewNumber(s, raw)
}

// hexDigits takes out what parts bytes, and refuses anything that is no hex digit.
func hexDigits(text string) (digits string, parted bool, err error) {
	digits = parts.Replace(text)
	if digits == "" {
		return "", false, errors.New("is empty")
	}
	if i := strings.IndexFunc(digits, func(r rune) bool { return !strings.ContainsRune("0123456789abcdefABCDEF", r) }); i >= 0 {
		return "", false, fmt.Errorf("character %d is neither a digit nor one of a to f", 1+i)
	}
	return digits, digits != text, nil
}

var parts = strings.NewReplacer(":", "", "-", "", " ", "")
