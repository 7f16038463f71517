package profiles

import (
	"fmt"
	"strings"
	"time"
)

func (c *checker) wiegand() {
	w := c.p.Wiegand
	if w == nil || !c.Has("wiegand.bits") {
		return
	}
	c.bounds("wiegand.bits", w.Bits, 4, 64)
	c.number()
	if w.Reverse && c.p.Canonical.Scheme != UID {
		c.At("wiegand.reverse", "goes with the canonical scheme uid alone: the order of other numbers' bytes is fixed")
	}
	c.span("wiegand.facility", w.Facility)
	c.span("wiegand.card", w.Card)
	for i, p := range w.Parity {
		path := fmt.Sprintf("wiegand.parity[%d]", i)
		c.bounds(path+".bit", p.Bit, 0, w.Bits-1)
		if p.Kind == NoParity {
			c.At(path+".kind", "got none, want even or odd")
		}
		if p.Bit >= 0 && p.Bit < 64 && p.Over>>p.Bit&1 == 1 {
			c.At(path+".over", "covers the parity bit %d itself", p.Bit)
		}
		if w.Bits < 64 && p.Over>>max(0, w.Bits) != 0 {
			c.At(path+".over", "covers bits beyond %d, the last one", w.Bits-1)
		}
	}
	c.duration("wiegand.frame_gap", w.FrameGap, time.Millisecond, time.Second)
	c.duration("wiegand.min_interval", w.MinInterval, time.Microsecond, 10*time.Millisecond)
	if w.MaxInterval <= w.MinInterval || w.MaxInterval >= w.FrameGap {
		c.At("wiegand.max_interval", "got %s, want more than min_interval (%s) and less than frame_gap (%s)", w.MaxInterval, w.MinInterval, w.FrameGap)
	}
}

func (c *checker) span(path string, s *BitSpan) {
	if s == nil || !c.Has(path+".bits") {
		return
	}
	if bits := c.p.Wiegand.Bits; s.At < 0 || s.Bits < 1 || s.At > bits || s.Bits > bits-s.At {
		c.At(path, "%d bits from bit %d do not lie in a frame of %d bits", s.Bits, s.At, bits)
	}
}

// number is needed where there are cards. A frame that has as many bits as a key can only be one.
func (c *checker) number() {
	w := c.p.Wiegand
	keys := w.Keypad.Bits()
	switch {
	case c.Has("wiegand.number") && keys == w.Bits:
		c.At("wiegand.number", "does not go with a keypad whose keys have %d bits, as many as the card", keys)
	case c.Has("wiegand.number"):
		c.span("wiegand.number", &w.Number)
	case keys != w.Bits:
		c.At("wiegand.number", "is missing and must be given: the bits that are the identity")
	}
}

func (c *checker) examples() {
	sights := 0
	for i, e := range c.p.Examples {
		path := fmt.Sprintf("examples[%d]", i)
		if fault := c.p.networkExample(e); fault != "" {
			c.At(path, "%s", fault)
		}
		switch {
		case c.p.Kind == Serial && (len(e.Wire) == 0 || e.Bits != ""):
			c.At(path, "an example of a serial profile has wire, and no bits")
		case c.p.Kind == WiegandGPIO && (len(e.Wire) > 0 || e.Bits == ""):
			c.At(path, "an example of a wiegand profile has bits, and no wire")
		case len(e.Bits) > 64 || strings.Trim(e.Bits, "01") != "":
			c.At(path+".bits", "got %.70q, want up to 64 digits 0 and 1", e.Bits)
		}
		for j, x := range e.Expect {
			c.expect(fmt.Sprintf("%s.expect[%d]", path, j), x)
			if x.Tag != "" || x.Key != "" {
				sights++
			}
		}
	}
	if sights == 0 && c.Has("examples") {
		c.At("examples", "no example expects a tag or a key, want at least one")
	}
}

func (c *checker) expect(path string, x Expect) {
	given := 0
	for _, s := range []string{x.Tag, x.Key, x.Quiet, x.Error, x.Answer, string(x.Bad)} {
		if s != "" {
			given++
		}
	}
	if refused := c.Has(path+".bad") && x.Bad == ""; given != 1 && !refused {
		c.At(path, "want exactly one of tag, key, quiet, error, answer and bad")
	}
	if len(x.Key) > 1 || !strings.Contains("0123456789*#", x.Key) {
		c.At(path+".key", "got %.20q, want one of 0 to 9, * and #", x.Key)
	}
	if x.Tag == "" && (x.Also != "" || x.RSSI != nil) {
		c.At(path, "also and rssi need a tag")
	}
}
