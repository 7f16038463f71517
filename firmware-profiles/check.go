package profiles

// CheckKind is the check that follows the payload.
type CheckKind string

// The checks. All cover the payload; sum8-negative covers the start bytes too.
const (
	XOR         CheckKind = "xor"              // 1 byte
	Sum8        CheckKind = "sum8"             // 1 byte
	NegSum8     CheckKind = "sum8-negative"    // 1 byte: the two's complement of the sum, start bytes included
	NegSum16    CheckKind = "sum16-negative"   // 2 bytes, most significant first: 10000 less the sum
	MCRF4XX     CheckKind = "crc16-mcrf4xx"    // 2 bytes, least significant first
	MercuryCRC  CheckKind = "crc16-thingmagic" // 2 bytes, most significant first; no CCITT, see thingmagic.yaml
	checkOfCode CheckKind = ""                 // a codec or a text sees to it
)

// Words lists the vocabulary.
func (CheckKind) Words() []string {
	return []string{string(XOR), string(Sum8), string(NegSum8), string(NegSum16), string(MCRF4XX), string(MercuryCRC)}
}

// Size is how many bytes the check has on the wire.
func (k CheckKind) Size() int {
	switch k {
	case NegSum16, MCRF4XX, MercuryCRC:
		return 2
	case checkOfCode:
		return 0
	}
	return 1
}

// Of computes the check of a frame that begins with so many start bytes and has neither check nor end yet.
func (k CheckKind) Of(frame []byte, start int) uint16 {
	payload := frame[start:]
	switch k {
	case XOR:
		return uint16(xor(payload))
	case Sum8:
		return uint16(byte(sum(payload)))
	case NegSum8:
		return uint16(byte(-sum(frame)))
	case NegSum16:
		return -sum(payload)
	case MCRF4XX:
		return mcrf4xx(payload)
	case MercuryCRC:
		return mercury(payload)
	}
	return 0
}

// Read reads a check of this kind from the wire.
func (k CheckKind) Read(b []byte) uint16 {
	switch {
	case k.Size() == 1:
		return uint16(b[0])
	case k == MCRF4XX:
		return uint16(b[1])<<8 | uint16(b[0])
	}
	return uint16(b[0])<<8 | uint16(b[1])
}

// append appends a check as it stands on the wire.
func (k CheckKind) append(to []byte, check uint16) Bytes {
	switch {
	case k.Size() == 1:
		return append(to, byte(check))
	case k == MCRF4XX:
		return append(to, byte(check), byte(check>>8))
	}
	return append(to, byte(check>>8), byte(check))
}

func xor(b []byte) (x byte) {
	for _, v := range b {
		x ^= v
	}
	return x
}

func sum(b []byte) (s uint16) {
	for _, v := range b {
		s += uint16(v)
	}
	return s
}
