package llrp

import (
	"encoding/binary"
	"time"
)

// Plan is what a reader is asked to do. The zero value of a field is its default.
type Plan struct {
	KeepAlive   time.Duration // how often the reader says that it lives; 0 = 10 s
	Antennas    []uint16      // 1-based; empty = all
	Session     uint8         // Gen2 session, 0 to 3
	Population  uint16        // tags expected at once; 0 = 32
	ReportAfter uint16        // tags a report; 0 = 1, at once
}

// The values that a Plan leaves out, and the number of our one ROSpec.
const (
	defaultKeepAlive  = 10 * time.Second
	defaultPopulation = 32
	roSpecID          = 1
)

func (p Plan) withDefaults() Plan {
	if p.KeepAlive <= 0 {
		p.KeepAlive = defaultKeepAlive
	}
	if p.Population == 0 {
		p.Population = defaultPopulation
	}
	if p.ReportAfter == 0 {
		p.ReportAfter = 1
	}
	if len(p.Antennas) == 0 {
		p.Antennas = []uint16{0} // all of them
	}
	return p
}

// builder writes messages and parameters. Those that hold others are opened and closed.
type builder struct {
	b    []byte
	open []int // where the parameters that are not closed yet begin
}

// message begins a message of LLRP 1.0.1, which readers of 1.1 take too.
func message(t Type, id uint32) *builder {
	w := &builder{}
	w.u16(1<<10 | uint16(t))
	w.u32(0) // the length, by done
	w.u32(id)
	return w
}

func (w *builder) u8(v uint8) *builder   { w.b = append(w.b, v); return w }
func (w *builder) u16(v uint16) *builder { w.b = binary.BigEndian.AppendUint16(w.b, v); return w }
func (w *builder) u32(v uint32) *builder { w.b = binary.BigEndian.AppendUint32(w.b, v); return w }

func (w *builder) begin(kind uint16) *builder {
	w.open = append(w.open, len(w.b))
	return w.u16(kind).u16(0)
}

func (w *builder) end() *builder {
	at := w.open[len(w.open)-1]
	w.open = w.open[:len(w.open)-1]
	binary.BigEndian.PutUint16(w.b[at+2:], uint16(len(w.b)-at))
	return w
}

func (w *builder) done() []byte {
	binary.BigEndian.PutUint32(w.b[2:], uint32(len(w.b)))
	return w.b
}

// keepAliveConfig asks for keep-alives, and for reports at once rather than after a question.
func (p Plan) keepAliveConfig(id uint32) []byte {
	w := message(SetReaderConfig, id).u8(0) // keep all other settings
	w.begin(pKeepAliveSpec).u8(1).u32(uint32(p.KeepAlive.Milliseconds())).end()
	w.begin(pEventsReports).u8(0).end()
	return w.done()
}

// eventConfig subscribes to the events of EventKind (their numbers: LLRP 1.1, 15.2.4.4.1).
func eventConfig(id uint32) []byte {
	w := message(SetReaderConfig, id).u8(0).begin(pEventSpec)
	for _, kind := range []uint16{2 /* ROSpec */, 3 /* buffer nearly full */, 4 /* exception */, 8 /* antenna */} {
		w.begin(pEventState).u16(kind).u8(0x80).end()
	}
	return w.end().done()
}

// addROSpec describes the inventory: for ever, on our start, one AISpec for Gen2 tags, a report every few tags.
func (p Plan) addROSpec(id uint32) []byte {
	w := message(AddROSpec, id).begin(pROSpec).u32(roSpecID).u8(0).u8(0) // priority, disabled
	w.begin(pROBoundary)
	w.begin(pROStart).u8(0).end()       // nothing but START_ROSPEC
	w.begin(pROStop).u8(0).u32(0).end() // nothing
	w.end()
	p.aiSpec(w)
	w.begin(pROReportSpec).u8(1).u16(p.ReportAfter) // after so many tags, or at the end of the AISpec
	w.begin(pTagSelector).u16(selected).end()
	return w.end().end().done()
}

// selected is antenna, peak RSSI, first and last time and seen count of TagReportContentSelector.
const selected = 1<<12 | 1<<10 | 1<<9 | 1<<8 | 1<<7

func (p Plan) aiSpec(w *builder) {
	w.begin(pAISpec).u16(uint16(len(p.Antennas)))
	for _, antenna := range p.Antennas {
		w.u16(antenna)
	}
	w.begin(pAIStop).u8(0).u32(0).end()
	w.begin(pInventory).u16(1).u8(1) // its number; protocol 1 is Gen2
	w.begin(pAntennaConfig).u16(0).begin(pC1G2Inventory).u8(0)
	w.begin(pC1G2Singulate).u8(p.Session << 6).u16(p.Population).u32(0).end()
	w.end().end()
	w.end()
	w.end()
}

// onROSpec is a command whose body is the number of a ROSpec; 0 means all of them.
func onROSpec(t Type, id, spec uint32) []byte { return message(t, id).u32(spec).done() }

func plain(t Type, id uint32) []byte { return message(t, id).done() }
