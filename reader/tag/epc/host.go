package epc

import (
	"errors"
	"strings"
)

// A host name is one bit that says how it is written, six bits of length, and so many groups of seven bits: ISO 646, with
// some values that stand for frequent beginnings and ends (TDS 2.3 table 14-11). The other way of writing, and the tables
// of country endings, which no public vector shows, are not read here.
const (
	maxHost  = 63
	hostHead = 7
	spelled  = 1 // the first bit: groups of seven bits
)

// shortcuts are the groups of seven bits that stand for more than their character.
var shortcuts = []struct {
	code byte
	text string
}{
	{0x1E, "qr."}, {0x1F, "www."}, {0x20, "id."}, {0x5B, ".com"}, {0x5C, ".org"}, {0x5D, ".net"}, {0x5E, ".int"}, {0x60, ".edu"},
	{0x7B, ".gov"}, {0x7C, ".mil"}, {0x7D, ".biz"}, {0x7E, ".eco"}, {0x7F, ".med"},
}

func readHost(b bits, at int) (string, int, error) {
	n := int(b.uint(at+1, hostHead-1))
	end := at + hostHead + charBits*n
	if b.uint(at, 1) != spelled || n == 0 || end > 8*len(b) {
		return "", 0, errHost
	}
	var host strings.Builder
	for at += hostHead; at < end; at += charBits {
		part, ok := hostPart(byte(b.uint(at, charBits)))
		if !ok {
			return "", 0, errHost
		}
		host.WriteString(part)
	}
	return host.String(), end, nil
}

func hostPart(code byte) (string, bool) {
	for _, s := range shortcuts {
		if s.code == code {
			return s.text, true
		}
	}
	return string(rune(code)), hostChar(code)
}

func hostChar(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '.' || c == ':'
}

// writeHost appends a host name to b, which ends at bit at.
func writeHost(b bits, at int, host string) ([]byte, error) {
	codes, err := hostCodes(host)
	if err != nil {
		return nil, err
	}
	b = b[:words(at+hostHead+charBits*len(codes))]
	b.put(at, 1, spelled)
	b.put(at+1, hostHead-1, uint64(len(codes)))
	for i, c := range codes {
		b.put(at+hostHead+charBits*i, charBits, uint64(c))
	}
	return b, nil
}

func hostCodes(host string) ([]byte, error) {
	var codes []byte
next:
	for host != "" {
		for _, s := range shortcuts {
			if rest, ok := strings.CutPrefix(host, s.text); ok {
				codes, host = append(codes, s.code), rest
				continue next
			}
		}
		if !hostChar(host[0]) {
			return nil, errors.New("a host name has letters, digits, dots and dashes, and perhaps a port")
		}
		codes, host = append(codes, host[0]), host[1:]
	}
	if len(codes) == 0 || len(codes) > maxHost {
		return nil, errors.New("want a host name of 1 to 63 characters")
	}
	return codes, nil
}
