package epc

import (
	"errors"
	"fmt"
	"strings"
)

// A CPI-var has a part reference of capitals, digits and # - /: the lower six bits of each, and six zeros behind the last
// (TDS 2.3 annex G). After it stands a serial of 40 bits.
const (
	sixBits    = 6
	charsetSix = "#-/0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
)

var errPart = errors.New("the part reference is none")

func (s Scheme) decodeVariable(raw []byte) (EPC, error) {
	l, b := &layouts[s], bits(raw)
	p, prefix, err := l.prefix(b)
	if err != nil {
		return EPC{}, err
	}
	e := EPC{Scheme: s, Filter: uint8(b.uint(8, 3)), Prefix: padded(prefix, p.digits)}
	at := prefixAt + p.bits
	if e.Reference, err = readSix(b, at, l.reference.digits-p.digits); err != nil {
		return EPC{}, fmt.Errorf("reference: %w", err)
	}
	at += sixBits * (len(e.Reference) + 1)
	if e.Serial, err = l.serial.read(b, at, l.serial.bits, l.serial.digits); err != nil {
		return EPC{}, fmt.Errorf("serial: %w", err)
	}
	if want := words(at + l.serial.bits); len(raw) != want {
		return EPC{}, fmt.Errorf("%w: %d bytes, want %d", errSize, len(raw), want)
	}
	if !b.zero(at + l.serial.bits) {
		return EPC{}, errPadding
	}
	return e, nil
}

func readSix(b bits, at, most int) (string, error) {
	var s strings.Builder
	for ; s.Len() <= most; at += sixBits {
		c := byte(b.uint(at, sixBits))
		if c == 0 {
			break
		}
		if c < 0x20 {
			c |= 0x40 // a letter
		}
		if strings.IndexByte(charsetSix, c) < 0 {
			return "", errPart
		}
		s.WriteByte(c)
	}
	if s.Len() == 0 || s.Len() > most {
		return "", errPart
	}
	return s.String(), nil
}

func (e EPC) encodeVariable() ([]byte, error) {
	l := &layouts[e.Scheme]
	most := l.reference.digits - len(e.Prefix)
	if e.Reference == "" || len(e.Reference) > most || strings.Trim(e.Reference, charsetSix) != "" {
		return nil, fmt.Errorf("reference: want 1 to %d capitals, digits, # - or /", most)
	}
	b := make(bits, words(prefixAt+partitions[0].bits+sixBits*(len(e.Reference)+1)+l.serial.bits))
	p, err := e.begin(b)
	if err != nil {
		return nil, err
	}
	at := prefixAt + p.bits
	for i := range len(e.Reference) {
		b.put(at+sixBits*i, sixBits, uint64(e.Reference[i])&(1<<sixBits-1))
	}
	at += sixBits * (len(e.Reference) + 1)
	if err := l.serial.write(b, at, l.serial.bits, l.serial.digits, e.Serial); err != nil {
		return nil, fmt.Errorf("serial: %w", err)
	}
	return b[:words(at+l.serial.bits)], nil
}
