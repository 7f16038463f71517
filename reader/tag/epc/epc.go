// Package epc reads and writes the Electronic Product Codes of GS1, by the Tag Data Standard 2 (TDS): an EPC in binary,
// its tag URI and pure identity URI, the element string of GS1 and the Digital Link.
//
// In: the EPC memory of a tag, or one of the texts. Out: an EPC taken apart into digits, leading zeros kept.
// It never guesses: bits that no standard allows are refused, and a header that it does not know is ErrRaw.
// Called by reader/tag (a member's number), reader/tag's callers through it, and cmd/foyer (to show a tag).
//
// On the wire: 8 bits of header say the scheme; then mostly 3 bits of filter (what kind of thing; no part of the
// identity), 3 bits of partition (how long the company prefix is), company prefix, reference, serial, and zeros up to a
// whole 16-bit word. The schemes of TDS 2 with a plus (F4, F5) hold a bit that says whether more data follows, the
// filter, and the digits of the key as they are printed, four bits each; with two pluses (E7, E8) a host name follows.
//
// The standard and its copies carry misprints; these are known here, and each has a test:
//   - TDS 1.x prints a GSRN-96 with the bits of filter 0 beside a text with filter 3: the bits hold.
//   - TDS 2.3 table 506 prints the serial 1234567896789 beside the bits of 123456789: the bits hold.
//   - TDS 2.3 prints example.com beside the bits of id.example.com: the bits hold.
//   - TDS 2.3 prints SSCC++ with the header F9 and ITIP++ with F3, those of SSCC+ and ITIP+: neither is read here.
//   - TDS 1.x prints an SGCN-96 without its filter, 3: the bits hold.
//   - One library's documents print the GSRN of 95211411234567890 with the check digit 5; it is 6, and 5 is refused.
package epc

import (
	"errors"
	"fmt"
)

// EPC is an EPC taken apart. EPCs compare with ==.
type EPC struct {
	Scheme    Scheme
	Filter    uint8  // 0 to 7; GID has none
	Prefix    string // GS1 company prefix of 6 to 12 digits, or GID's manager; empty where the tag does not say how long it is
	Reference string // item, serial reference, location, asset type, service, document, coupon or part; or all 18 digits of a key
	Serial    string // empty where the scheme has none
	Host      string // of GSRN++ and GSRNP++
	More      bool   // GSRN+ and its kin: other data follows the EPC, and is not looked at
}

// ErrRaw is an EPC memory that holds nothing of GS1, or a scheme that is not read here: only its bytes are known.
var ErrRaw = errors.New("no EPC that is known here, only raw bytes")

// What may be wrong with bits. They are values, so that refusing costs nothing.
var (
	errSize      = errors.New("wrong length")
	errPartition = errors.New("there is no partition 7")
	errPrefix    = errors.New("the company prefix has more digits than its partition allows")
	errReference = errors.New("the reference has more digits than its partition allows")
	errPadding   = errors.New("bits that must be zero are not")
	errBCD       = errors.New("a digit is above 9")
	errCheck     = errors.New("the check digit is wrong")
	errSerial    = errors.New("the serial is none")
	errText      = errors.New("a character is none that GS1 allows in a serial")
	errHost      = errors.New("the host name is written in a way that is not read here")
)

// Decode takes an EPC memory apart. The error is ErrRaw for a header that is not known, like E2 of an unprogrammed tag.
func Decode(raw []byte) (EPC, error) {
	if len(raw) == 0 {
		return EPC{}, errors.New("EPC of 0 bytes")
	}
	s := schemeOf(raw[0])
	if s == None {
		return EPC{}, fmt.Errorf("EPC header %02X: %w", raw[0], ErrRaw)
	}
	e, err := s.decode(raw)
	if err != nil {
		return EPC{}, fmt.Errorf("%s: %w", s, err)
	}
	return e, nil
}

func (s Scheme) decode(raw []byte) (EPC, error) {
	l := &layouts[s]
	switch l.shape {
	case general:
		return s.decodeGeneral(raw)
	case plain:
		return s.decodePlain(raw)
	case variable:
		return s.decodeVariable(raw)
	default:
		return s.decodeParted(raw)
	}
}

// decodeParted reads filter, partition, prefix, reference and serial.
func (s Scheme) decodeParted(raw []byte) (EPC, error) {
	l := &layouts[s]
	if len(raw) != l.bytes() {
		return EPC{}, fmt.Errorf("%w: %d bytes, want %d", errSize, len(raw), l.bytes())
	}
	b := bits(raw)
	p, prefix, err := l.prefix(b)
	if err != nil {
		return EPC{}, err
	}
	e := EPC{Scheme: s, Filter: uint8(b.uint(8, 3)), Prefix: padded(prefix, p.digits)}
	at := prefixAt + p.bits
	if e.Reference, err = l.reference.read(b, at, l.reference.bits-p.bits, l.reference.digits-p.digits); err != nil {
		return EPC{}, fmt.Errorf("reference: %w", err)
	}
	at = prefixAt + l.reference.bits
	if e.Serial, err = l.serial.read(b, at, l.serial.bits, l.serial.digits); err != nil {
		return EPC{}, fmt.Errorf("serial: %w", err)
	}
	if !b.zero(at + l.serial.bits) {
		return EPC{}, errPadding
	}
	return e, nil
}

// prefixAt is where the company prefix begins: after header, filter and partition.
const prefixAt = 14

// prefix reads partition and company prefix.
func (l *layout) prefix(b bits) (partition, uint64, error) {
	i := b.uint(11, 3)
	if i >= uint64(len(partitions)) {
		return partition{}, 0, errPartition
	}
	p := partitions[i]
	v := b.uint(prefixAt, p.bits)
	if v >= pow10[p.digits] {
		return partition{}, 0, errPrefix
	}
	return p, v, nil
}

// decodeGeneral reads a GID: three numbers and nothing else.
func (s Scheme) decodeGeneral(raw []byte) (EPC, error) {
	l := &layouts[s]
	if len(raw) != l.bytes() {
		return EPC{}, fmt.Errorf("%w: %d bytes, want %d", errSize, len(raw), l.bytes())
	}
	b := bits(raw)
	return EPC{
		Scheme:    s,
		Prefix:    fmt.Sprint(b.uint(8, gidManager)),
		Reference: fmt.Sprint(b.uint(8+gidManager, gidClass)),
		Serial:    fmt.Sprint(b.uint(8+gidManager+gidClass, gidSerial)),
	}, nil
}

// decodePlain reads a GSRN+ and its kin.
func (s Scheme) decodePlain(raw []byte) (EPC, error) {
	b := bits(raw)
	digits, err := plainDigits(b)
	if err != nil {
		return EPC{}, err
	}
	e := EPC{Scheme: s, Filter: uint8(b.uint(9, 3)), Reference: string(digits[:]), More: b.uint(8, 1) == 1}
	at := plainBits
	if layouts[s].host {
		if e.Host, at, err = readHost(b, at); err != nil {
			return EPC{}, err
		}
	}
	if !e.More && !b.zero(at) {
		return EPC{}, errPadding
	}
	return e, nil
}

// Encode writes an EPC as a tag holds it: whole 16-bit words. It refuses what Decode would not give back.
func (e EPC) Encode() ([]byte, error) {
	if e.Scheme == None || int(e.Scheme) >= len(layouts) {
		return nil, fmt.Errorf("EPC of %s: there is no such scheme", e.Scheme)
	}
	raw, err := e.encode()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", e.Scheme, err)
	}
	return raw, nil
}

func (e EPC) encode() ([]byte, error) {
	l := &layouts[e.Scheme]
	if e.Filter > 7 || l.shape == general && e.Filter != 0 {
		return nil, fmt.Errorf("filter %d: want 0 to 7, and none for a gid", e.Filter)
	}
	if e.More {
		return nil, errors.New("data that follows the EPC is not kept here, so it cannot be written again")
	}
	if e.Host != "" && !l.host {
		return nil, errors.New("a host name: this scheme has none")
	}
	switch l.shape {
	case general:
		return e.encodeGeneral()
	case plain:
		return e.encodePlain()
	case variable:
		return e.encodeVariable()
	default:
		return e.encodeParted()
	}
}

func (e EPC) encodeParted() ([]byte, error) {
	l := &layouts[e.Scheme]
	b := make(bits, l.bytes())
	p, err := e.begin(b)
	if err != nil {
		return nil, err
	}
	if err := l.reference.write(b, prefixAt+p.bits, l.reference.bits-p.bits, l.reference.digits-p.digits, e.Reference); err != nil {
		return nil, fmt.Errorf("reference: %w", err)
	}
	if err := l.serial.write(b, prefixAt+l.reference.bits, l.serial.bits, l.serial.digits, e.Serial); err != nil {
		return nil, fmt.Errorf("serial: %w", err)
	}
	return b, nil
}

// begin writes header, filter, partition and prefix.
func (e EPC) begin(b bits) (partition, error) {
	i := partitions[0].digits - len(e.Prefix)
	if i < 0 || i >= len(partitions) || !isDigits(e.Prefix) {
		return partition{}, errors.New("a company prefix has 6 to 12 digits")
	}
	b.put(0, 8, uint64(layouts[e.Scheme].header))
	b.put(8, 3, uint64(e.Filter))
	b.put(11, 3, uint64(i))
	b.put(prefixAt, partitions[i].bits, number(e.Prefix))
	return partitions[i], nil
}

func (e EPC) encodeGeneral() ([]byte, error) {
	l := &layouts[e.Scheme]
	b := make(bits, l.bytes())
	b.put(0, 8, uint64(l.header))
	at := 8
	for _, f := range []struct {
		name, text string
		bits       int
	}{{"manager", e.Prefix, gidManager}, {"class", e.Reference, gidClass}, {"serial", e.Serial, gidSerial}} {
		if err := (field{kind: integer}).write(b, at, f.bits, maxDigits, f.text); err != nil {
			return nil, fmt.Errorf("%s: %w", f.name, err)
		}
		at += f.bits
	}
	return b, nil
}

func (e EPC) encodePlain() ([]byte, error) {
	l := &layouts[e.Scheme]
	if e.Prefix != "" || e.Serial != "" {
		return nil, errors.New("this scheme has a key of 18 digits and nothing beside")
	}
	if err := VerifyKey(e.Reference, keyDigits); err != nil {
		return nil, err
	}
	b := make(bits, words(plainBits), words(plainBits+7+7*maxHost))
	b.put(0, 8, uint64(l.header))
	b.put(9, 3, uint64(e.Filter))
	for i := range keyDigits {
		b.put(12+4*i, 4, uint64(e.Reference[i]-'0'))
	}
	if l.host {
		return writeHost(b, plainBits, e.Host)
	}
	return b, nil
}
