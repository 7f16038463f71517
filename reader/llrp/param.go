package llrp

import "encoding/binary"

// The parameters that we read or write (LLRP 1.1, section 17.2). TV types lie below 128.
const (
	pAntennaID     = 1
	pFirstSeenUTC  = 2
	pLastSeenUTC   = 4
	pPeakRSSI      = 6
	pSeenCount     = 8
	pEPC96         = 13
	pROSpec        = 177
	pROBoundary    = 178
	pROStart       = 179
	pROStop        = 182
	pAISpec        = 183
	pAIStop        = 184
	pInventory     = 186
	pKeepAliveSpec = 220
	pAntennaConfig = 222
	pEventsReports = 226
	pROReportSpec  = 237
	pTagSelector   = 238
	pTagReport     = 240
	pEPCData       = 241
	pEventSpec     = 244
	pEventState    = 245
	pEventData     = 246
	pROSpecEvent   = 249
	pBufferWarning = 250
	pBufferLost    = 251
	pException     = 252
	pAntennaEvent  = 255
	pConnection    = 256
	pClosed        = 257
	pStatus        = 287
	pC1G2Inventory = 330
	pC1G2Singulate = 336
)

// tvSize is the length of a TV parameter's value, by type; 0 = there is none of that type (LLRP 1.1, section 17.2.1).
var tvSize = [128]uint8{
	1: 2, 2: 8, 3: 8, 4: 8, 5: 8, 6: 1, 7: 2, 8: 2, 9: 4, 10: 2, 11: 2, 12: 2, 13: 12, 14: 2, 15: 2, 16: 4, 17: 2, 18: 4, 19: 2, 20: 2,
}

// parameter takes the first parameter off b, which is not empty. After an error the rest is of no use.
func parameter(b []byte) (kind uint16, value, rest []byte, err error) {
	if b[0]&0x80 != 0 {
		kind = uint16(b[0] & 0x7F)
		size := int(tvSize[kind])
		switch {
		case size == 0:
			return 0, nil, nil, ErrParameter
		case len(b) < 1+size:
			return 0, nil, nil, ErrCut
		}
		return kind, b[1 : 1+size], b[1+size:], nil
	}
	if len(b) < 4 {
		return 0, nil, nil, ErrCut
	}
	kind = binary.BigEndian.Uint16(b) & 0x3FF
	size := int(binary.BigEndian.Uint16(b[2:]))
	switch {
	case kind < 128: // those are TV; taken as TLV their values could be too short
		return 0, nil, nil, ErrParameter
	case size < 4 || size > len(b):
		return 0, nil, nil, ErrCut
	}
	return kind, b[4:size], b[size:], nil
}

// find returns the value of the first parameter of a kind.
func find(b []byte, want uint16) ([]byte, bool) {
	for len(b) > 0 {
		kind, value, rest, err := parameter(b)
		if err != nil {
			return nil, false
		}
		if kind == want {
			return value, true
		}
		b = rest
	}
	return nil, false
}
