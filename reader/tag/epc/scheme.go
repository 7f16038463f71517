package epc

import (
	"fmt"
	"strconv"
)

// Scheme is one way in which TDS writes an EPC.
type Scheme uint8

// The schemes. A number says how many bits there are; a plus that TDS 2 brought it, two that a host name is in it.
const (
	None Scheme = iota
	SGTIN96
	SGTIN198
	SSCC96
	SGLN96
	SGLN195
	GRAI96
	GRAI170
	GIAI96
	GIAI202
	GSRN96
	GSRNP96
	GDTI96
	GDTI174
	CPI96
	CPIVar
	SGCN96
	GID96
	GSRNPlus
	GSRNPPlus
	GSRNHost
	GSRNPHost
)

// shape is how an EPC is laid out after its header.
type shape uint8

const (
	parted   shape = iota // filter, partition, prefix, reference, serial
	general               // manager, class, serial
	variable              // filter, partition, prefix, characters of six bits ended by zeros, serial of 40 bits
	plain                 // more-data bit, filter, the key in digits
)

// layout is all that TDS says of a scheme. A reference counts bits and digits together with the company prefix.
type layout struct {
	name      string // in tag URIs
	id        string // in pure identity URIs; empty where the bits do not say how long the prefix is
	header    byte
	size      int // in bits, without the zeros that fill the last word
	shape     shape
	reference field
	serial    field
	host      bool
	ai        *identifier
}

// layouts is TDS 2.3 table 14-1 and the binary tables of sections 14.5 and 14.6.
var layouts = [...]layout{
	SGTIN96:   {name: "sgtin-96", id: "sgtin", header: 0x30, size: 96, reference: field{digits, 44, 13}, serial: field{integer, 38, maxDigits}, ai: &gtin},
	SGTIN198:  {name: "sgtin-198", id: "sgtin", header: 0x36, size: 198, reference: field{digits, 44, 13}, serial: field{text, 140, 20}, ai: &gtin},
	SSCC96:    {name: "sscc-96", id: "sscc", header: 0x31, size: 96, reference: field{digits, 58, 17}, ai: &sscc},
	SGLN96:    {name: "sgln-96", id: "sgln", header: 0x32, size: 96, reference: field{digits, 41, 12}, serial: field{integer, 41, maxDigits}, ai: &gln},
	SGLN195:   {name: "sgln-195", id: "sgln", header: 0x39, size: 195, reference: field{digits, 41, 12}, serial: field{text, 140, 20}, ai: &gln},
	GRAI96:    {name: "grai-96", id: "grai", header: 0x33, size: 96, reference: field{digits, 44, 12}, serial: field{integer, 38, maxDigits}, ai: &grai},
	GRAI170:   {name: "grai-170", id: "grai", header: 0x37, size: 170, reference: field{digits, 44, 12}, serial: field{text, 112, 16}, ai: &grai},
	GIAI96:    {name: "giai-96", id: "giai", header: 0x34, size: 96, reference: field{integer, 82, 25}, ai: &giai},
	GIAI202:   {name: "giai-202", id: "giai", header: 0x38, size: 202, reference: field{text, 188, 30}, ai: &giai},
	GSRN96:    {name: "gsrn-96", id: "gsrn", header: 0x2D, size: 96, reference: field{digits, 58, 17}, ai: &gsrn},
	GSRNP96:   {name: "gsrnp-96", id: "gsrnp", header: 0x2E, size: 96, reference: field{digits, 58, 17}, ai: &gsrnp},
	GDTI96:    {name: "gdti-96", id: "gdti", header: 0x2C, size: 96, reference: field{digits, 41, 12}, serial: field{integer, 41, maxDigits}, ai: &gdti},
	GDTI174:   {name: "gdti-174", id: "gdti", header: 0x3E, size: 174, reference: field{digits, 41, 12}, serial: field{text, 119, 17}, ai: &gdti},
	CPI96:     {name: "cpi-96", id: "cpi", header: 0x3C, size: 96, reference: field{integer, 51, 15}, serial: field{integer, 31, maxDigits}, ai: &cpi},
	CPIVar:    {name: "cpi-var", id: "cpi", header: 0x3D, shape: variable, reference: field{kind: six, digits: 30}, serial: field{kind: integer, bits: 40, digits: 12}, ai: &cpi},
	SGCN96:    {name: "sgcn-96", id: "sgcn", header: 0x3F, size: 96, reference: field{digits, 41, 12}, serial: field{numeric, 41, 12}, ai: &sgcn},
	GID96:     {name: "gid-96", id: "gid", header: 0x35, size: 96, shape: general},
	GSRNPlus:  {name: "gsrn+", header: 0xF4, size: plainBits, shape: plain, ai: &gsrn},
	GSRNPPlus: {name: "gsrnp+", header: 0xF5, size: plainBits, shape: plain, ai: &gsrnp},
	GSRNHost:  {name: "gsrn++", header: 0xE7, size: plainBits, shape: plain, host: true, ai: &gsrn},
	GSRNPHost: {name: "gsrnp++", header: 0xE8, size: plainBits, shape: plain, host: true, ai: &gsrnp},
}

// The bits of a GID after its header.
const (
	gidManager = 28
	gidClass   = 24
	gidSerial  = 36
)

// keyDigits is the length of a GSRN with its check digit; plainBits is header, more-data bit, filter and those digits.
const (
	keyDigits = 18
	plainBits = 8 + 1 + 3 + 4*keyDigits
)

// partition is how long a company prefix is.
type partition struct{ bits, digits int }

// partitions is the column that all partition tables of TDS share.
var partitions = [...]partition{{40, 12}, {37, 11}, {34, 10}, {30, 9}, {27, 8}, {24, 7}, {20, 6}}

// maxDigits is the most that 64 bits surely hold.
const maxDigits = 19

// pow10 counts up to maxDigits.
var pow10 = func() (p [maxDigits + 1]uint64) {
	p[0] = 1
	for i := range maxDigits {
		p[i+1] = 10 * p[i]
	}
	return p
}()

// headers finds a scheme by the first byte.
var headers = func() (h [256]Scheme) {
	for s, l := range layouts {
		if s != int(None) {
			h[l.header] = Scheme(s)
		}
	}
	return h
}()

func schemeOf(header byte) Scheme { return headers[header] }

// IsPlus reports whether hex digits are an EPC of the schemes with a plus, which GS1 prints without the zeros that fill
// the last word.
func IsPlus(digits string) bool {
	header, err := strconv.ParseUint(digits[:min(2, len(digits))], 16, 8)
	return err == nil && 4*len(digits) >= plainBits && layouts[schemeOf(byte(header))].shape == plain
}

// String is the name in tag URIs: sgtin-96. The schemes without a tag URI are called as TDS does: gsrn+.
func (s Scheme) String() string {
	if s != None && int(s) < len(layouts) {
		return layouts[s].name
	}
	return fmt.Sprintf("scheme(%d)", uint8(s))
}

// Schemes lists all of them.
func Schemes() []Scheme {
	var all []Scheme
	for s := range layouts {
		if s != int(None) {
			all = append(all, Scheme(s))
		}
	}
	return all
}

// bytes is what a tag holds: whole 16-bit words.
func (l *layout) bytes() int { return words(l.size) }

// words is how many bytes the whole 16-bit words of some bits have.
func words(bits int) int { return (bits + 15) / 16 * 2 }
