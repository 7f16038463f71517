package virtual

import "slices"

// realTime watches for commands that are answered at once, whatever is being done: DLE EOT n. A printer finds them in the
// data of a picture too.
func (p *Printer) realTime(c byte) {
	p.real = append(p.real, c)
	if len(p.real) > 3 {
		p.real = p.real[1:]
	}
	if len(p.real) == 3 && p.real[0] == dle && p.real[1] == 0x04 && c >= 1 && c <= 4 {
		p.answer.WriteByte(p.now(c))
	}
}

// now answers DLE EOT n. Bits 1 and 4 are always set, bits 0 and 7 never: so an answer is told from noise.
func (p *Printer) now(n byte) byte {
	s := byte(0x12)
	set := func(is bool, bits byte) {
		if is {
			s |= bits
		}
	}
	switch n {
	case 1:
		set(p.faults&stops != 0, 0x08)
	case 2:
		set(p.faults&Cover != 0, 0x04)
		set(p.faults&NoPaper != 0, 0x20)
		set(p.faults&(Cutter|Hot|Broken) != 0, 0x40)
	case 3:
		set(p.faults&Cutter != 0, 0x08)
		set(p.faults&Broken != 0, 0x20)
		set(p.faults&Hot != 0, 0x40)
	case 4:
		set(p.faults&(NearEnd|NoPaper) != 0, 0x0C)
		set(p.faults&NoPaper != 0, 0x60)
	}
	return s
}

// automatic is the four bytes of GS a.
func (p *Printer) automatic() []byte {
	s := []byte{0x10, 0, 0, 0x0F}
	set := func(is bool, i int, bits byte) {
		if is {
			s[i] |= bits
		}
	}
	set(p.faults&stops != 0, 0, 0x08)
	set(p.faults&Cover != 0, 0, 0x20)
	set(p.faults&Cutter != 0, 1, 0x08)
	set(p.faults&Broken != 0, 1, 0x20)
	set(p.faults&Hot != 0, 1, 0x40)
	set(p.faults&(NearEnd|NoPaper) != 0, 2, 0x03)
	set(p.faults&NoPaper != 0, 2, 0x0C)
	return s
}

// asked answers questions that wait for their turn, and reports whether c was one.
func (p *Printer) asked(c []byte) bool {
	switch [2]byte{c[0], c[1]} {
	case [2]byte{gs, 'r'}:
		var s byte
		if n := c[2] % 48; n == 1 {
			s = p.automatic()[2] & 0x0F
		}
		p.answer.WriteByte(s)
	case [2]byte{gs, 'a'}:
		if p.asb = c[2]; p.asb != 0 {
			p.answer.Write(p.automatic())
		}
	case [2]byte{gs, 'I'}:
		p.identify(c[2])
	case [2]byte{gs, '('}:
		if c[2] != 'H' || len(c) < 11 || c[5] != 48 {
			return c[2] == 'A' || c[2] == 'E' || c[2] == 'D' || c[2] == 'K'
		}
		p.answer.Write(slices.Concat([]byte{0x37, 0x22}, c[7:11], []byte{0})) // GS ( H, function 48: what came before is printed
	default:
		return false
	}
	return true
}

func (p *Printer) identify(n byte) {
	text := ""
	switch n {
	case 1, 49:
		p.answer.WriteByte(0x20)
		return
	case 2, 50:
		p.answer.WriteByte(0x02) // it has a cutter
		return
	case 3, 51:
		p.answer.WriteByte(0x01)
		return
	case 65:
		text = "1.00"
	case 66:
		text = "FOYER"
	case 67:
		text = p.model.ID
	case 68:
		text = "0"
	case 69:
		if text = "CHINA GB18030"; p.model.CJK == "none" {
			text = ""
		}
	}
	p.answer.WriteString("_" + text + "\x00")
}
