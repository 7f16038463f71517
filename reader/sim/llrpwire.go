package sim

import (
	"encoding/binary"
	"time"
)

// Message types and parameters as the standard numbers them, written anew: a decoder is not tested against its own tables.
const (
	llrpSetConfig, llrpClose                            = 3, 14
	llrpAdd, llrpDelete, llrpStart, llrpEnable          = 20, 21, 22, 24
	llrpReport, llrpKeepAlive, llrpEvent, llrpKeepAlAck = 61, 62, 63, 72
	llrpError                                           = 100
)

// llrpNested reports whether body is one TLV of the kind, and what it holds adds up at the next level.
func llrpNested(body []byte, kind uint16) bool {
	if len(body) < 10 || binary.BigEndian.Uint16(body) != kind || int(binary.BigEndian.Uint16(body[2:])) != len(body) {
		return false
	}
	b := body[10:] // after id, priority and state
	for len(b) >= 4 {
		size := int(binary.BigEndian.Uint16(b[2:]))
		if size < 4 || size > len(b) {
			return false
		}
		b = b[size:]
	}
	return len(b) == 0
}

// report is one RO_ACCESS_REPORT of all tags near.
func (r *LLRP) report(near []nearTag) []byte {
	var all []byte
	for _, t := range near {
		var b []byte
		if len(t.epc) == 12 {
			b = append([]byte{0x8D}, t.epc...)
		} else {
			b = llrpTLV(241, append([]byte{byte(len(t.epc) >> 5), byte(len(t.epc) << 3)}, t.epc...))
		}
		b = append(b, 0x81, byte(t.antenna>>8), byte(t.antenna), 0x86, byte(t.rssi))
		if !r.NoTime {
			ahead := uint64(time.Now().Add(24 * time.Hour).UnixMicro())
			b = binary.BigEndian.AppendUint64(append(b, 0x82), ahead)
			b = binary.BigEndian.AppendUint64(append(b, 0x84), ahead)
		}
		all = append(all, llrpTLV(240, append(b, 0x88, 0, 1))...)
	}
	return llrpMessage(llrpReport, 0, all)
}

func llrpMessage(kind uint16, id uint32, body []byte) []byte {
	m := []byte{4 | byte(kind>>8), byte(kind), 0, 0, 0, 0}
	binary.BigEndian.PutUint32(m[2:], uint32(10+len(body)))
	return append(binary.BigEndian.AppendUint32(m, id), body...)
}

func llrpTLV(kind uint16, value []byte) []byte {
	size := uint16(4 + len(value))
	return append([]byte{byte(kind >> 8), byte(kind), byte(size >> 8), byte(size)}, value...)
}

func llrpStatus(code uint16, text string) []byte {
	b := binary.BigEndian.AppendUint16(nil, code)
	b = binary.BigEndian.AppendUint16(b, uint16(len(text)))
	return llrpTLV(287, append(b, text...))
}

// llrpNotify is a READER_EVENT_NOTIFICATION of one event.
func llrpNotify(event []byte) []byte {
	now := llrpTLV(128, binary.BigEndian.AppendUint64(nil, uint64(time.Now().UnixMicro())))
	return llrpMessage(llrpEvent, 0, llrpTLV(246, append(now, event...)))
}
