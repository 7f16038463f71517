package epc

import (
	"encoding/binary"
	"fmt"
)

// GSRN returns the 18 ASCII digits of the Global Service Relation Number of a recipient, which is a club's member, and
// whether one is in the EPC. A provider's, which is staff, is none. It does not allocate.
func GSRN(raw []byte) (number [keyDigits]byte, ok bool) {
	if len(raw) == 0 {
		return number, false
	}
	switch schemeOf(raw[0]) {
	case GSRN96:
		return gsrn96(raw)
	case GSRNPlus, GSRNHost:
		digits, err := plainDigits(raw)
		return digits, err == nil
	}
	return number, false
}

// gsrn96 is Decode for the one scheme that is read all day, written out so that it costs little.
func gsrn96(raw []byte) (number [keyDigits]byte, ok bool) {
	if len(raw) != 12 || raw[9]|raw[10]|raw[11] != 0 {
		return number, false
	}
	v := binary.BigEndian.Uint64(raw[1:]) // filter 3, partition 3, prefix and reference 58
	i := int(v >> 58 & 7)
	if i >= len(partitions) {
		return number, false
	}
	p := partitions[i]
	left, width := keyDigits-1-p.digits, 58-p.bits
	prefix, reference := v>>width&(1<<p.bits-1), v&(1<<width-1)
	if prefix >= pow10[p.digits] || reference >= pow10[left] {
		return number, false
	}
	rest := prefix*pow10[left] + reference // 17 digits fit into 57 bits
	sum, weight := byte(0), byte(3)
	for i := keyDigits - 2; i >= 0; i-- {
		d := byte(rest % 10)
		rest /= 10
		number[i] = '0' + d
		sum = (sum + weight*d) % 10
		weight ^= 3 ^ 1
	}
	number[keyDigits-1] = '0' + (10-sum)%10
	return number, true
}

// plainDigits reads the digits of a GSRN+ and its kin, and verifies the last.
func plainDigits(b bits) (number [keyDigits]byte, err error) {
	if 8*len(b) < plainBits {
		return number, errSize
	}
	for i := range number {
		d := byte(b.uint(12+4*i, 4))
		if d > 9 {
			return number, errBCD
		}
		number[i] = '0' + d
	}
	if checkDigit(number[:keyDigits-1]) != number[keyDigits-1] {
		return number, errCheck
	}
	return number, nil
}

// VerifyKey checks a key of so many digits, of which the last is the check digit. The error does not repeat the key.
func VerifyKey(key string, size int) error {
	if len(key) != size || !isDigits(key) {
		return fmt.Errorf("want %d digits, not %d characters", size, len(key))
	}
	if want := CheckDigit(key[:size-1]); key[size-1] != want {
		return fmt.Errorf("the check digit is %c, want %c: one of the digits is wrong", key[size-1], want)
	}
	return nil
}

// CheckDigit is the GS1 check digit of decimal digits, as ASCII: weights 3 and 1 in turn from the right, up to the next
// multiple of ten (GS1 General Specifications 7.9).
func CheckDigit(digits string) byte { return checkDigit([]byte(digits)) }

func checkDigit(digits []byte) byte {
	sum := 0
	for i := range digits {
		weight := 3 - 2*(i%2)
		sum += weight * int(digits[len(digits)-1-i]-'0')
	}
	return byte('0' + (10-sum%10)%10)
}
