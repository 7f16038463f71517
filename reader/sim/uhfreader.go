package sim

import (
	"context"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"
)

// UHFReader is a UHF reader of the UHFReader18 or UHFReader288 kind: it answers commands, or in active mode talks by itself
// (CF-RU5102 manual V1.2).
type UHFReader struct {
	rw   io.ReadWriter
	wire *Wire
	many bool // 288: antenna and RSSI in an inventory's answer
	held []byte
	last time.Time // when the host's last byte came

	mu      sync.Mutex
	tags    []sighted
	active  bool
	address byte
	power   byte
	scan    byte // the longest inventory, in 100 ms
}

// NewUHFReader18 returns a reader whose inventories tell EPCs alone.
func NewUHFReader18(rw io.ReadWriter) *UHFReader { return newUHFReader(rw, false) }

// NewUHFReader288 returns a reader whose inventories tell the antenna and each tag's RSSI.
func NewUHFReader288(rw io.ReadWriter) *UHFReader { return newUHFReader(rw, true) }

const (
	uhfBaud   = 57600
	uhfEvery  = 100 * time.Millisecond // of active mode
	uhfGap    = 15 * time.Millisecond  // a longer silence ends a command cut short (manual, chapter 3)
	uhfFrame  = 200                    // data bytes of one answer at most; the rest follows in another
	uhfMostIn = 97                     // the longest command
)

func newUHFReader(rw io.ReadWriter, many bool) *UHFReader {
	return &UHFReader{rw: rw, wire: NewWire(rw, uhfBaud), many: many, power: 30, scan: 10}
}

// Near puts a tag into the field. raw is the RSSI as an UHFReader288 tells it; it has no scale.
func (r *UHFReader) Near(epc []byte, raw byte) error {
	if len(epc) < 2 || len(epc) > 62 || len(epc)%2 != 0 {
		return fmt.Errorf("tag with %d bytes of EPC: want 2 to 62, even", len(epc))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tags = append(r.tags, sighted{string(epc), int(raw)})
	return nil
}

// Away takes every tag out of the field.
func (r *UHFReader) Away() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tags = nil
}

// Active sets the work mode: true talks by itself.
func (r *UHFReader) Active(on bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.active = on
}

// Run works until ctx ends; then it returns nil. It fails only if reading or writing does.
func (r *UHFReader) Run(ctx context.Context) error {
	hear := func(b []byte) error { return r.hear(ctx, b) }
	if err := converse(ctx, r.rw, hear, uhfEvery, func() error { return r.push(ctx) }); err != nil {
		return fmt.Errorf("UHF reader: %w", err)
	}
	return nil
}

// push is one turn of active mode.
func (r *UHFReader) push(ctx context.Context) error {
	r.mu.Lock()
	active, tags := r.active, r.tags
	r.mu.Unlock()
	for _, t := range tags {
		if !active {
			break
		}
		if err := r.say(ctx, 0xEE, 0, []byte(t.epc)); err != nil {
			return err
		}
	}
	return nil
}

// hear takes the commands out of what came. There is no start byte: after a silence a command begins.
func (r *UHFReader) hear(ctx context.Context, b []byte) error {
	if now := time.Now(); now.Sub(r.last) > uhfGap {
		r.held = nil
	}
	r.last = time.Now()
	r.held = append(r.held, b...)
	for len(r.held) > 0 {
		size := int(r.held[0]) + 1
		switch {
		case size < 5 || size > uhfMostIn: // too short or too long for any command: silence
			r.held = nil
			return nil
		case len(r.held) < size:
			return nil
		}
		f := r.held[:size]
		r.held = r.held[size:]
		if err := r.obey(ctx, f); err != nil {
			return err
		}
	}
	return nil
}

// The statuses that this reader gives (manual, status table).
const (
	uhfDone      = 0x00
	uhfFinished  = 0x01
	uhfMore      = 0x03
	uhfNoTag     = 0xFB
	uhfWrongSize = 0xFD
	uhfUnknown   = 0xFE
	uhfWrong     = 0xFF
)

func (r *UHFReader) obey(ctx context.Context, f []byte) error {
	n := len(f)
	r.mu.Lock()
	mine := f[1] == r.address || f[1] == 0xFF
	r.mu.Unlock()
	switch crc := crcMCRF4XX(f[:n-2]); {
	case !mine:
		return nil
	case byte(crc) != f[n-2] || byte(crc>>8) != f[n-1]:
		return r.say(ctx, 0x00, uhfUnknown, nil)
	}
	code, data := f[2], f[3:n-2]
	if code == 0x01 {
		return r.inventory(ctx, data)
	}
	status, answer := r.do(code, data)
	if status == uhfUnknown {
		code = 0
	}
	return r.say(ctx, code, status, answer)
}

// do is every command but the inventory.
func (r *UHFReader) do(code byte, data []byte) (status byte, answer []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	want := map[byte]int{0x21: 0, 0x24: 1, 0x25: 1, 0x2F: 1, 0x35: 6, 0x36: 0}
	if r.many {
		want[0x76] = 1
	}
	size, known := want[code]
	switch {
	case !known:
		return uhfUnknown, nil
	case len(data) != size:
		return uhfWrongSize, nil
	}
	switch code {
	case 0x21: // version 3.1, type, protocols, highest and lowest frequency, power, scan time
		kind := byte(0x09)
		if r.many {
			kind = 0x0C
		}
		return uhfDone, []byte{3, 1, kind, 3, 0x4E, 0, r.power, r.scan}
	case 0x24:
		if data[0] == 0xFF {
			return uhfWrong, nil
		}
		r.address = data[0]
	case 0x25:
		if data[0] < 3 {
			return uhfWrong, nil
		}
		r.scan = data[0]
	case 0x2F:
		if data[0] > 30 {
			return uhfWrong, nil
		}
		r.power = data[0]
	case 0x35, 0x76:
		if data[0] > 2 {
			return uhfWrong, nil
		}
		r.active = data[0] == 1
	case 0x36:
		mode := byte(0)
		if r.active {
			mode = 1
		}
		return uhfDone, []byte{mode, 2, 4, 2, 6, 0}
	}
	return uhfDone, nil
}

// inventory answers in as many frames as it takes; the last has status 01.
func (r *UHFReader) inventory(ctx context.Context, data []byte) error {
	if sizes := map[bool][]int{false: {0, 2}, true: {0, 2, 9}}[r.many]; !slices.Contains(sizes, len(data)) {
		return r.say(ctx, 0x01, uhfWrongSize, nil)
	}
	r.mu.Lock()
	tags := r.tags
	r.mu.Unlock()
	if len(tags) == 0 {
		return r.say(ctx, 0x01, uhfNoTag, nil)
	}
	var list []byte
	count := byte(0)
	for _, t := range tags {
		if len(list)+len(t.epc)+2 > uhfFrame {
			if err := r.tell(ctx, uhfMore, count, list); err != nil {
				return err
			}
			list, count = nil, 0
		}
		list = append(append(list, byte(len(t.epc))), t.epc...)
		if r.many {
			list = append(list, byte(t.rssi))
		}
		count++
	}
	return r.tell(ctx, uhfFinished, count, list)
}

// tell sends one frame of an inventory's answer.
func (r *UHFReader) tell(ctx context.Context, status, count byte, list []byte) error {
	head := []byte{count}
	if r.many {
		head = []byte{0x01, count} // the first antenna
	}
	return r.say(ctx, 0x01, status, append(head, list...))
}

func (r *UHFReader) say(ctx context.Context, code, status byte, data []byte) error {
	r.mu.Lock()
	address := r.address
	r.mu.Unlock()
	f := append([]byte{byte(len(data) + 5), address, code, status}, data...)
	crc := crcMCRF4XX(f)
	return r.wire.Send(ctx, append(f, byte(crc), byte(crc>>8)))
}

// crcMCRF4XX goes bit by bit, as the manual prints it: polynomial 8408, preset FFFF.
func crcMCRF4XX(b []byte) uint16 {
	crc := uint16(0xFFFF)
	for _, x := range b {
		crc ^= uint16(x)
		for range 8 {
			low := crc & 1
			crc >>= 1
			if low == 1 {
				crc ^= 0x8408
			}
		}
	}
	return crc
}
