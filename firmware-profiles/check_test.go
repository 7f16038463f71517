package profiles

import (
	"testing"

	"pgregory.net/rapid"
)

// The check values of the usual catalogue, and of the vendor's own code for the Mercury modules.
func TestCheckValues(t *testing.T) {
	for kind, want := range map[CheckKind]uint16{
		XOR: 0x31, Sum8: 0xDD, NegSum8: 0x23, NegSum16: 0x10000 - 0x1DD, MCRF4XX: 0x6F91, MercuryCRC: 0xA69D,
	} {
		check := kind.Of([]byte("123456789"), 0)
		if check != want {
			t.Errorf("%s: %04X, want %04X", kind, check, want)
		}
		wire := kind.append(nil, check)
		if len(wire) != kind.Size() || kind.Read(wire) != check {
			t.Errorf("%s: %04X is %s on the wire", kind, check, wire)
		}
	}
}

// Four bytes at a time are the same as one at a time.
func TestChecksBitByBit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := rapid.SliceOfN(rapid.Byte(), 0, 70).Draw(t, "b")
		if got, want := mcrf4xx(b), slowMCRF(b); got != want {
			t.Fatalf("mcrf4xx %04X, want %04X", got, want)
		}
		if got, want := mercury(b), slowMercury(b); got != want {
			t.Fatalf("mercury %04X, want %04X", got, want)
		}
	})
}

func slowMCRF(b []byte) uint16 {
	crc := uint16(0xFFFF)
	for _, x := range b {
		for bit := range 8 {
			in := uint16(x) >> bit & 1
			out := crc & 1
			if crc >>= 1; in != out {
				crc ^= 0x8408
			}
		}
	}
	return crc
}

func slowMercury(b []byte) uint16 {
	crc := 0xFFFF
	for _, x := range b {
		for _, nibble := range []byte{x >> 4, x & 15} {
			out := crc >> 12
			crc = (crc<<4&0xFFFF | int(nibble)) ^ out*0x1021
		}
	}
	return uint16(crc)
}
