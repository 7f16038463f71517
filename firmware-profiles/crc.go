package profiles

// The CRCs of readers and tags. In every table, row k is the effect of a byte that k more bytes follow: eight bytes at a
// time, then four, cost a fifth of one at a time. What needs c comes last: all the rest is ready by then.
type crcTables [8][256]uint16

// mcrfTables is of the polynomial 8408, the least significant bit first.
var mcrfTables = func() (t crcTables) {
	for i := range 256 {
		c := uint16(i)
		for range 8 {
			c = c>>1 ^ c&1*0x8408
		}
		t[0][i] = c
	}
	for k := 1; k < len(t); k++ {
		for i, c := range t[k-1] {
			t[k][i] = c>>8 ^ t[0][byte(c)]
		}
	}
	return t
}()

// tables1021 is of the polynomial 1021, the most significant bit first.
var tables1021 = func() (t crcTables) {
	for i := range 256 {
		c := uint16(i) << 8
		for range 8 {
			carry := c >> 15
			c = c<<1 ^ carry*0x1021
		}
		t[0][i] = c
	}
	for k := 1; k < len(t); k++ {
		for i, c := range t[k-1] {
			t[k][i] = c<<8 ^ t[0][c>>8]
		}
	}
	return t
}()

// mcrf4xx is CRC-16/MCRF4XX: preset FFFF, not inverted; "123456789" gives 6F91.
func mcrf4xx(b []byte) uint16 {
	t := &mcrfTables
	c := uint16(0xFFFF)
	for len(b) >= 8 {
		c = t[5][b[2]] ^ t[4][b[3]] ^ t[3][b[4]] ^ t[2][b[5]] ^ t[1][b[6]] ^ t[0][b[7]] ^ (t[7][byte(c)^b[0]] ^ t[6][byte(c>>8)^b[1]])
		b = b[8:]
	}
	if len(b) >= 4 {
		c = t[3][byte(c)^b[0]] ^ t[2][byte(c>>8)^b[1]] ^ t[1][b[2]] ^ t[0][b[3]]
		b = b[4:]
	}
	for _, v := range b {
		c = c>>8 ^ t[0][byte(c)^v]
	}
	return c
}

// CRC1021 goes on from c over b with the polynomial 1021, as the Gen2 air interface has it.
func CRC1021(c uint16, b []byte) uint16 {
	t := &tables1021
	for len(b) >= 8 {
		c = t[5][b[2]] ^ t[4][b[3]] ^ t[3][b[4]] ^ t[2][b[5]] ^ t[1][b[6]] ^ t[0][b[7]] ^ (t[7][byte(c>>8)^b[0]] ^ t[6][byte(c)^b[1]])
		b = b[8:]
	}
	if len(b) >= 4 {
		c = t[3][byte(c>>8)^b[0]] ^ t[2][byte(c)^b[1]] ^ t[1][b[2]] ^ t[0][b[3]]
		b = b[4:]
	}
	for _, v := range b {
		c = c<<8 ^ t[0][byte(c>>8)^v]
	}
	return c
}

// mercury is the CRC of the Mercury modules. It takes the data in at the low end, four bits at a time, and folds back what
// falls out at the high end (polynomial 1021, preset FFFF); "123456789" gives A69D. Here row k of the tables folds back a
// byte that is k bytes above the register.
func mercury(b []byte) uint16 {
	t := &tables1021
	c := uint16(0xFFFF)
	for len(b) >= 8 {
		c = t[5][b[0]] ^ t[4][b[1]] ^ t[3][b[2]] ^ t[2][b[3]] ^ t[1][b[4]] ^ t[0][b[5]] ^ uint16(b[6])<<8 ^ uint16(b[7]) ^ (t[7][c>>8] ^ t[6][byte(c)])
		b = b[8:]
	}
	if len(b) >= 4 {
		c = t[3][c>>8] ^ t[2][byte(c)] ^ t[1][b[0]] ^ t[0][b[1]] ^ uint16(b[2])<<8 ^ uint16(b[3])
		b = b[4:]
	}
	for _, v := range b {
		c = (c<<8 | uint16(v)) ^ t[0][c>>8]
	}
	return c
}
