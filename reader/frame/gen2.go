package frame

// gen2Tables is the CRC-16 of the Gen2 air interface, polynomial 1021, most significant bit first: table k is the effect
// of a byte that k more bytes follow. Four bytes at a time cost a third of one at a time.
var gen2Tables = func() (t [4][256]uint16) {
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

const gen2Preset = 0xFFFF

// gen2CRC is the CRC-16 that a Gen2 tag sends after PC and EPC: initial value FFFF, inverted (reader protocols 1.3).
func gen2CRC(b []byte) uint16 { return ^gen2After(gen2Preset, b) }

// gen2After goes on from c over b.
func gen2After(c uint16, b []byte) uint16 {
	t := &gen2Tables
	for len(b) >= 4 {
		c = t[3][byte(c>>8)^b[0]] ^ t[2][byte(c)^b[1]] ^ t[1][b[2]] ^ t[0][b[3]]
		b = b[4:]
	}
	for _, x := range b {
		c = c<<8 ^ t[0][byte(c>>8)^x]
	}
	return c
}
