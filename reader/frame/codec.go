package frame

import (
	"encoding/binary"
	"encoding/hex"
	"math/bits"

	"foyer/firmware-profiles"
	"foyer/reader/tag"
)

// Record is one tag of a frame that may hold several. Its slices are the frame's.
type Record struct {
	UID     []byte // of an ISO/IEC 14443 card
	EPC     []byte
	PC      []byte // nil where the reader does not tell it
	CRC     []byte // of PC and EPC, as the tag sent it; likewise
	RSSI    tag.RSSI
	HasRSSI bool
	Antenna uint8
	Random  bool // the UID is made anew at each touch: no identity

	tell func(name string, value any) // what a tool shows; nil while a session reads
}

func (r *Record) hex(name string, b []byte) {
	if r.tell != nil {
		r.tell(name, hex.EncodeToString(b))
	}
}

func (r *Record) value(name string, v int) {
	if r.tell != nil {
		r.tell(name, v)
	}
}

// codec reads what the vocabulary cannot say: the records of a frame.
type codec struct {
	count  func(b []byte, antenna *uint8) (n, size int, ok bool) // how many, the bytes before the first, the antenna that all share
	record func(b []byte, r *Record) (size int, ok bool)         // the first of b, and its bytes
}

// codecs is all there are. A profile picks one by name.
var codecs = map[profiles.Codec]codec{
	profiles.PN532:       {pn532Count, pn532Target},
	profiles.UHFReader18: {uhf18Count, uhf18Tag},
	profiles.UHFReader86: {uhf288Count, uhf288Tag},
	profiles.R2000:       {oneRecord, r2000Tag},
	profiles.ThingMagic:  {oneRecord, thingMagicTag},
}

func oneRecord([]byte, *uint8) (int, int, bool) { return 1, 0, true }

// uhf18Count: UHFReader18 and RRU9803M put the count before the tags (CF-RU5102 manual, inventory).
func uhf18Count(b []byte, _ *uint8) (int, int, bool) {
	if len(b) == 0 {
		return 0, 0, false
	}
	return int(b[0]), 1, true
}

func uhf18Tag(b []byte, r *Record) (int, bool) {
	if len(b) == 0 || len(b) < 1+int(b[0]) {
		return 0, false
	}
	r.EPC = b[1 : 1+int(b[0])]
	r.hex("epc", r.EPC)
	return 1 + int(b[0]), true
}

// uhf288Count: UHFReader86 and 288 have the antenna, one bit for each, before the count.
func uhf288Count(b []byte, antenna *uint8) (int, int, bool) {
	if len(b) < 2 {
		return 0, 0, false
	}
	*antenna = uint8(bits.TrailingZeros8(b[0]))%8 + 1
	return int(b[1]), 2, true
}

func uhf288Tag(b []byte, r *Record) (int, bool) {
	if len(b) == 0 || len(b) < 2+int(b[0]) {
		return 0, false
	}
	n := 1 + int(b[0])
	r.EPC = b[1:n]
	r.hex("epc", r.EPC)
	r.value("rssi_raw", int(b[n])) // no manual gives a scale: it is no dBm
	return n + 1, true
}

// r2000Tag: channel and antenna in one byte, PC, EPC, RSSI (IND903 protocol V2.2, real-time inventory).
func r2000Tag(b []byte, r *Record) (int, bool) {
	if len(b) < 6 {
		return 0, false
	}
	last := len(b) - 1
	r.PC, r.EPC = b[1:3], b[3:last]
	r.Antenna = b[0]&3 + 1
	r.RSSI, r.HasRSSI = r2000RSSI(b[last]), true
	r.value("antenna", int(r.Antenna))
	r.value("channel", int(b[0]>>2))
	r.value("rssi_raw", int(b[last]))
	return len(b), true
}

// r2000RSSI is the table of the protocol, which has a step in it; its line for 41 is a misprint.
func r2000RSSI(raw byte) tag.RSSI {
	if raw >= 0x5A {
		return tag.RSSI(raw) - 129
	}
	return tag.RSSI(raw) - 130
}

// What a ThingMagic module may tell of a tag, in this order, each if its bit is set, the lowest first (Mercury API, metadata
// flags). The data that were read with the tag begin with their length in bits.
var thingMagicFacts = [...]struct {
	size int
	name string
}{{1, "read_count"}, {1, ""}, {1, "antenna"}, {3, "frequency_khz"}, {4, "timestamp_ms"}, {2, "phase"}, {1, "protocol"}, {2, ""}, {1, "gpio"}}

const (
	tmRSSI    = 0x0002
	tmAntenna = 0x0004
	tmData    = 0x0080
	tmAll     = 0x01FF
	tmHead    = 6 // option, search flags, metadata flags, type
	tmOption  = 0x10
)

// tmSizes is how many bytes the facts of a set of flags take, the data themselves not counted. Where a fact begins is the
// size of the flags below its own.
var tmSizes = func() (t [tmAll + 1]int) {
	for flags := range t {
		for i, f := range thingMagicFacts {
			t[flags] += flags >> i & 1 * f.size
		}
	}
	return t
}()

func thingMagicTag(b []byte, r *Record) (int, bool) {
	if len(b) < tmHead || b[0] != tmOption {
		return 0, false
	}
	flags := int(binary.BigEndian.Uint16(b[3:]))
	if flags > tmAll {
		return 0, false // facts that we do not know: where the EPC stands cannot be told
	}
	facts, size, data := b[tmHead:], tmSizes[flags], 0
	if flags&tmData != 0 {
		at := tmSizes[flags&(tmData-1)]
		if len(facts) < at+2 {
			return 0, false
		}
		data = (int(binary.BigEndian.Uint16(facts[at:])) + 7) / 8
		size += data
	}
	if len(facts) < size+2 {
		return 0, false
	}
	if flags&tmRSSI != 0 {
		r.RSSI, r.HasRSSI = tag.RSSI(int8(facts[tmSizes[flags&(tmRSSI-1)]])), true
	}
	if flags&tmAntenna != 0 {
		r.Antenna = facts[tmSizes[flags&(tmAntenna-1)]] >> 4 // the one that sends; the low half receives
	}
	if r.tell != nil {
		r.tellFacts(flags, data, facts)
	}
	epc, n := facts[size+2:], int(binary.BigEndian.Uint16(facts[size:]))
	if n%8 != 0 || len(epc) < n/8 {
		return 0, false
	}
	return tmHead + size + 2 + n/8, r.thingMagicEPC(epc[:n/8])
}

// tellFacts tells a tool all facts, data bytes of data among them.
func (r *Record) tellFacts(flags, data int, facts []byte) {
	for i, f := range thingMagicFacts {
		b := facts[:f.size]
		switch {
		case flags>>i&1 == 0:
			continue
		case 1<<i == tmAntenna:
			r.value(f.name, int(r.Antenna))
		case 1<<i == tmData:
			b = facts[:f.size+data]
			if data > 0 {
				r.hex("data", b[f.size:])
			}
		case f.name != "":
			v := 0
			for _, x := range b {
				v = v<<8 | int(x)
			}
			r.tell(f.name, v)
		}
		facts = facts[len(b):]
	}
}

// thingMagicEPC takes PC, the extended words that it announces, EPC and CRC apart.
func (r *Record) thingMagicEPC(b []byte) bool {
	from := 2
	if len(b) < 4 {
		return false
	}
	if b[0]&0x02 != 0 { // XPC: a word, and another if its first bit is set
		if len(b) < 6 {
			return false
		}
		from += 2
		if b[2]&0x80 != 0 {
			from += 2
		}
		if len(b) < from+2 {
			return false
		}
		r.hex("xpc", b[2:from])
	}
	end := len(b) - 2
	r.PC, r.EPC = b[:2], b[from:end]
	if from == 2 { // with an XPC the tag's CRC covers that too; the module has checked it
		r.CRC = b[end:]
	}
	if r.tell != nil {
		r.hex("epc_crc", b[end:])
	}
	return true
}

// prove checks what the tag itself sent.
func (r *Record) prove() Bad {
	if r.PC == nil {
		return Good
	}
	words := int(r.PC[0] >> 3)
	if r.CRC != nil {
		if profiles.CRC1021(profiles.CRC1021(gen2Preset, r.PC), r.EPC) != ^binary.BigEndian.Uint16(r.CRC) {
			return EPCCRC
		}
	} else if r.PC[0]&0x02 != 0 && 2*words > len(r.EPC) { // the length counts the extended words
		words = len(r.EPC) / 2
	}
	if 2*words != len(r.EPC) {
		return PCLength
	}
	return Good
}
