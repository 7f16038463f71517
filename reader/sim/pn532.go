package sim

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"sync"
	"time"
)

// PN532 is the NFC chip on its serial line (NXP, PN532 user manual UM0701-02): it acknowledges each command, answers it,
// and lists the cards in its field. Only type A at 106 kbit/s is played; for the other kinds nobody is there.
type PN532 struct {
	rw   io.ReadWriter
	wire *Wire
	held []byte // what the host sent and is no whole frame yet

	mu    sync.Mutex
	cards []Card
}

// Card is one of ISO/IEC 14443 type A.
type Card struct {
	UID  []byte  // 4, 7 or 10 bytes
	ATQA [2]byte // SENS_RES as the chip tells it
	SAK  byte    // SEL_RES
}

const (
	pn532Baud = 115200
	pn532Held = 300 // more than the longest frame
)

// NewPN532 returns a chip that talks on rw.
func NewPN532(rw io.ReadWriter) *PN532 { return &PN532{rw: rw, wire: NewWire(rw, pn532Baud)} }

// Near puts a card into the field.
func (p *PN532) Near(c Card) error {
	if n := len(c.UID); n != 4 && n != 7 && n != 10 {
		return fmt.Errorf("card with %d bytes of UID: want 4, 7 or 10", n)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cards = append(p.cards, c)
	return nil
}

// Away takes every card out of the field.
func (p *PN532) Away() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cards = nil
}

// Run works until ctx ends; then it returns nil. It fails only if reading or writing does.
func (p *PN532) Run(ctx context.Context) error {
	hear := func(b []byte) error { return p.hear(ctx, b) }
	if err := converse(ctx, p.rw, hear, time.Hour, idle); err != nil {
		return fmt.Errorf("PN532: %w", err)
	}
	return nil
}

// hear takes the frames out of what came. 55 and 00 before a frame wake the chip and mean nothing else.
func (p *PN532) hear(ctx context.Context, b []byte) error {
	p.held = append(p.held, b...)
	for {
		at := bytes.Index(p.held, []byte{0x00, 0xFF})
		if at < 0 {
			p.held = p.held[max(0, len(p.held)-1):]
			return nil
		}
		p.held = p.held[at:]
		if len(p.held) < 4 {
			return nil
		}
		size := int(p.held[2])
		if p.held[2]+p.held[3] != 0 || size == 0 { // an ACK, which ends what we do, or noise
			p.held = p.held[2:]
			continue
		}
		if len(p.held) < 4+size+1 {
			if len(p.held) > pn532Held {
				p.held = nil
			}
			return nil
		}
		data, check := p.held[4:4+size], p.held[4+size]
		rest := p.held[4+size+1:]
		if sum8(data)+check == 0 && data[0] == 0xD4 && size > 1 {
			if err := p.obey(ctx, data[1], data[2:]); err != nil {
				return err
			}
		}
		p.held = append([]byte(nil), rest...)
	}
}

// The commands that have an answer of their own (user manual, chapter 7). All others are taken and done.
const (
	cmdDiagnose    = 0x00
	cmdFirmware    = 0x02
	cmdStatus      = 0x04
	cmdReadReg     = 0x06
	cmdReadGPIO    = 0x0C
	cmdPowerDown   = 0x16
	cmdExchange    = 0x40
	cmdThru        = 0x42
	cmdDeselect    = 0x44
	cmdListPassive = 0x4A
	cmdRelease     = 0x52
	cmdSelect      = 0x54
	cmdPSL         = 0x4E
	cmdJumpForDEP  = 0x56
	rfTimeout      = 0x01 // error: the card does not answer
)

func (p *PN532) obey(ctx context.Context, code byte, data []byte) error {
	if err := p.wire.Send(ctx, []byte{0, 0, 0xFF, 0, 0xFF, 0}); err != nil {
		return err
	}
	return p.say(ctx, append([]byte{0xD5, code + 1}, p.answer(code, data)...))
}

func (p *PN532) answer(code byte, data []byte) []byte {
	switch code {
	case cmdDiagnose:
		return data // the line test: what came goes back
	case cmdFirmware:
		return []byte{0x32, 0x01, 0x06, 0x07} // PN532, version 1.6, all three kinds of card
	case cmdStatus:
		return []byte{0, 0, 0, 0}
	case cmdReadReg:
		return make([]byte, len(data)/2)
	case cmdReadGPIO:
		return make([]byte, 3)
	case cmdPowerDown, cmdDeselect, cmdRelease, cmdSelect, cmdPSL:
		return []byte{0}
	case cmdExchange, cmdThru, cmdJumpForDEP:
		return []byte{rfTimeout}
	case cmdListPassive:
		return p.list(data)
	}
	return nil
}

// list answers InListPassiveTarget (user manual 7.3.5): the number of cards, and of each its data.
func (p *PN532) list(data []byte) []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(data) < 2 || data[0] == 0 || data[1] != 0 { // 00: 106 kbit/s type A
		return []byte{0}
	}
	n := min(len(p.cards), int(data[0]), 2)
	out := []byte{byte(n)}
	for i, c := range p.cards[:n] {
		out = append(out, byte(i+1), c.ATQA[0], c.ATQA[1], c.SAK, byte(len(c.UID)))
		out = append(out, c.UID...)
	}
	return out
}

func (p *PN532) say(ctx context.Context, data []byte) error {
	f := append([]byte{0, 0, 0xFF, byte(len(data)), -byte(len(data))}, data...)
	return p.wire.Send(ctx, append(f, -sum8(data), 0))
}
