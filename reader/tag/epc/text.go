package epc

import (
	"errors"
	"fmt"
	"strings"
)

// GS1 General Specifications, figure 7.11-1: the 82 characters that a serial may have.
const charset82 = "!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"

// escapedInURI are the characters that a URI of TDS writes as %XX (TDS 2.3 annexes A and G).
const escapedInURI = "\"#%&/<>?"

const charBits = 7

// readText reads up to most characters. After the last stand zeros.
func readText(b bits, at, n, most int) (string, error) {
	var s strings.Builder
	end := at + n
	for ; at+charBits <= end; at += charBits {
		c := byte(b.uint(at, charBits))
		if c == 0 {
			break
		}
		if strings.IndexByte(charset82, c) < 0 {
			return "", errText
		}
		s.WriteByte(c)
	}
	for ; at < end; at += charBits {
		if b.uint(at, min(charBits, end-at)) != 0 {
			return "", errPadding
		}
	}
	if s.Len() == 0 || s.Len() > most {
		return "", errSerial
	}
	return s.String(), nil
}

func writeText(b bits, at, n, most int, s string) error {
	if most = min(most, n/charBits); s == "" || len(s) > most {
		return fmt.Errorf("%d characters: want 1 to %d", len(s), most)
	}
	for i := range len(s) {
		if strings.IndexByte(charset82, s[i]) < 0 {
			return errText
		}
		b.put(at+charBits*i, charBits, uint64(s[i]))
	}
	return nil
}

// escape writes the characters of special as %XX.
func escape(s, special string) string {
	if !strings.ContainsAny(s, special) {
		return s
	}
	var out strings.Builder
	for i := range len(s) {
		if strings.IndexByte(special, s[i]) < 0 {
			out.WriteByte(s[i])
		} else {
			fmt.Fprintf(&out, "%%%02X", s[i])
		}
	}
	return out.String()
}

var errEscape = errors.New("a % without two hex digits behind it")

// unescape turns %XX into the character, for any.
func unescape(s string) (string, error) {
	if !strings.Contains(s, "%") {
		return s, nil
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] != '%' {
			out = append(out, s[i])
			continue
		}
		if i+2 >= len(s) {
			return "", errEscape
		}
		high, low := strings.IndexByte(hexDigits, s[i+1]|0x20), strings.IndexByte(hexDigits, s[i+2]|0x20)
		if high < 0 || low < 0 {
			return "", errEscape
		}
		out = append(out, byte(high<<4|low))
		i += 2
	}
	return string(out), nil
}

const hexDigits = "0123456789abcdef"
