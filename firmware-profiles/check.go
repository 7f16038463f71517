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

// CRC-16/MCRF4XX: polynomial 8408 reflected, preset FFFF, not inverted; "123456789" gives 6F91. Table k is the effect of a
// byte that k more bytes follow: four bytes at a time cost a third of one at a time.
var mcrfTables = func() (t [4][256]uint16) {
	for i := range 256 {
		c := uint16(i)
		for range 8 {
			c = c>>1 ^ c&1*0x8408
		}
		t[0][i] = c
	}
	for k := 1; k < len(t); k++ {
		for i := range 256 {
			c := t[k-1][i]
			t[k][i] = c>>8 ^ t[0][byte(c)]
		}
	}
	return t
}()

func mcrf4xx(b []byte) uint16 {
	t := &mcrfTables
	c := uint16(0xFFFF)
	for len(b) >= 4 {
		c = t[3][byte(c)^b[0]] ^ t[2][byte(c>>8)^b[1]] ^ t[1][b[2]] ^ t[0][b[3]]
		b = b[4:]
	}
	for _, v := range b {
		c = c>>8 ^ t[0][byte(c)^v]
	}
	return c
}

// The CRC of the Mercury modules takes the data in at the low end, four bits at a time, and folds back what falls out at
// the high end (polynomial 1021, preset FFFF); "123456789" gives A69D. Table k folds back a byte that is k bytes above the
// register.
var mercuryTables = func() (t [4][256]uint16) {
	for i := range 256 {
		c := uint16(i) << 8
		for range 8 {
			carry := c >> 15
			c = c<<1 ^ carry*0x1021
		}
		t[0][i] = c
	}
	for k := 1; k < len(t); k++ {
		for i := range 256 {
			c := t[k-1][i]
			t[k][i] = c<<8 ^ t[0][c>>8]
		}
	}
	return t
}()

func mercury(b []byte) uint16 {
	t := &mercuryTables
	c := uint16(0xFFFF)
	for len(b) >= 4 {
		c = t[3][c>>8] ^ t[2][byte(c)] ^ t[1][b[0]] ^ t[0][b[1]] ^ uint16(b[2])<<8 ^ uint16(b[3])
		b = b[4:]
	}
	for _, v := range b {
		c = (c<<8 | uint16(v)) ^ t[0][c>>8]
	}
	return c
}
