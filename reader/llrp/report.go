package llrp

import (
	"encoding/binary"

	"foyer/reader/tag"
)

// Has says which of the fields of a Tag the reader told.
type Has uint8

// The fields that may be missing.
const (
	HasAntenna Has = 1 << iota
	HasRSSI
	HasFirstSeen
	HasLastSeen
	HasSeenCount
)

// Tag is one TagReportData.
type Tag struct {
	EPC       []byte // lies in the report
	EPCBits   int
	Has       Has
	Antenna   uint16 // 1-based
	RSSI      int8   // dBm, the strongest of the reads that the report stands for
	SeenCount uint16
	FirstSeen uint64 // µs since 1970 by the reader's clock
	LastSeen  uint64
}

// Number is the identity in the EPC. Gen2 knows whole 16-bit words only, up to 496 bits.
func (t *Tag) Number() (tag.Number, error) {
	if t.EPCBits%16 != 0 {
		return tag.Number{}, ErrWords
	}
	return tag.FromEPC(t.EPC)
}

// Report is what is left of the body of an RO_ACCESS_REPORT.
type Report []byte

// More reports whether anything is left.
func (r Report) More() bool { return len(r) > 0 }

// Next reads the next tag and moves past it. found is false where the report holds something other than a tag. After an
// error that tag is lost, and with it the rest of the report unless More says otherwise.
func (r *Report) Next(t *Tag) (found bool, err error) {
	kind, value, rest, err := parameter(*r)
	*r = rest
	if err != nil || kind != pTagReport {
		return false, err
	}
	if err := t.parse(value); err != nil {
		return false, err
	}
	return true, nil
}

func (t *Tag) parse(b []byte) error {
	*t = Tag{}
	for len(b) > 0 {
		kind, v, rest, err := parameter(b)
		if err != nil {
			return err
		}
		b = rest
		switch kind {
		case pEPC96:
			t.EPC, t.EPCBits = v, 96
		case pEPCData:
			if err := t.epcData(v); err != nil {
				return err
			}
		case pAntennaID:
			t.Antenna, t.Has = binary.BigEndian.Uint16(v), t.Has|HasAntenna
		case pPeakRSSI:
			t.RSSI, t.Has = int8(v[0]), t.Has|HasRSSI
		case pSeenCount:
			t.SeenCount, t.Has = binary.BigEndian.Uint16(v), t.Has|HasSeenCount
		case pFirstSeenUTC:
			t.FirstSeen, t.Has = binary.BigEndian.Uint64(v), t.Has|HasFirstSeen
		case pLastSeenUTC:
			t.LastSeen, t.Has = binary.BigEndian.Uint64(v), t.Has|HasLastSeen
		}
	}
	if t.EPCBits == 0 {
		return ErrNoEPC
	}
	return nil
}

// epcData reads a count of bits and the bytes that hold them.
func (t *Tag) epcData(v []byte) error {
	if len(v) < 2 {
		return ErrBits
	}
	bits := int(binary.BigEndian.Uint16(v))
	size := (bits + 7) / 8
	if len(v)-2 < size {
		return ErrBits
	}
	t.EPC, t.EPCBits = v[2:2+size], bits
	return nil
}
