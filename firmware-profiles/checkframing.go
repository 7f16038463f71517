package profiles

import (
	"bytes"
	"fmt"
	"strings"
)

const (
	maxStart   = 4
	maxPayload = 256 // of a delimited frame
	maxFrame   = 4096
	maxFields  = 16
	maxRules   = 64
)

func (c *checker) framing() {
	f := c.p.Framing
	if f == nil {
		return
	}
	if len(f.Start) > maxStart {
		c.At("framing.start", "%d bytes, want at most %d", len(f.Start), maxStart)
	}
	switch f.Kind {
	case Delimited:
		c.foreign("framing", string(f.Kind), "length", "next", "next_at", "charset", "strip")
		c.delimited(f)
	case LengthLed:
		c.foreign("framing", string(f.Kind), "text", "payload", "charset", "strip")
		c.needsCheck(f)
		c.length(f)
	case TextLine:
		c.foreign("framing", string(f.Kind), "text", "start", "length", "next", "next_at", "check")
		c.bounds("framing.payload", f.Payload, 1, maxPayload)
		c.lineEnds(f)
	case CodeFrame:
		c.foreign("framing", string(f.Kind), "text", "start", "length", "next", "next_at", "check", "payload", "charset", "strip", "ends")
		if c.p.Codec != PN532 {
			c.At("framing.kind", "got codec, and the codec %q has no framing of its own; %q has", c.p.Codec, PN532)
		}
	}
	c.ends(f.Ends)
}

func (c *checker) needsCheck(f *Framing) {
	if f.Check == "" && !c.Has("framing.check") {
		c.At("framing.check", "is missing and must be given")
	}
}

func (c *checker) delimited(f *Framing) {
	c.needsCheck(f)
	if len(f.Start) == 0 && !c.Has("framing.start") {
		c.At("framing.start", "is missing and must be given")
	}
	if f.Check.Size() > 1 {
		c.At("framing.check", "got %s, want one of a single byte: %s, %s or %s", f.Check, XOR, Sum8, NegSum8)
	}
	c.bounds("framing.payload", f.Payload, 1, maxPayload)
	if len(f.Ends) == 0 {
		c.At("framing.ends", "is missing: a delimited frame needs at least one end")
	}
	if f.Text == HexText && len(f.Start) > 0 && strings.IndexByte("0123456789ABCDEFabcdef", f.Start[0]) >= 0 {
		c.At("framing.start", "got %s, which is a hex digit and may occur in the text", f.Start)
	}
}

// lineEnds: a line ends with any one of several bytes, and CR LF is both, with nothing between.
func (c *checker) lineEnds(f *Framing) {
	if len(f.Ends) == 0 {
		c.At("framing.ends", "is missing: a line of text needs at least one end, like \"0D\"")
	}
	for i, end := range f.Ends {
		if len(end) != 1 || end[0] >= ' ' || end[0] == GS {
			c.At(fmt.Sprintf("framing.ends[%d]", i), "got %s, want one control character that is not 1D; write CR LF as \"0D\", \"0A\"", end)
		}
	}
}

// GS parts the elements of a GS1 code.
const GS = 0x1D

func (c *checker) length(f *Framing) {
	for i, next := range f.Next {
		if len(next) != 1 {
			c.At(fmt.Sprintf("framing.next[%d]", i), "%d bytes, want one", len(next))
		}
	}
	l := f.Length
	if l == nil {
		c.At("framing.length", "is missing: a length-led frame needs it")
		return
	}
	c.bounds("framing.length.at", l.At, 0, 16)
	c.bounds("framing.length.size", l.Size, 1, 2)
	c.bounds("framing.length.add", l.Add, 0, 64)
	if l.Sent != nil {
		c.bounds("framing.length.sent_add", *l.Sent, 0, 64)
	}
	c.bounds("framing.next_at", f.NextAt, 0, 16)
	c.bounds("framing.length.max", l.Max, f.Shortest(), maxFrame)
	if len(f.Ends) > 1 {
		c.At("framing.ends", "%d ends, want at most one: the length says where the frame ends", len(f.Ends))
	}
}

// ends refuses an end that begins another: which one it is could only be told by waiting.
func (c *checker) ends(ends []Bytes) {
	for i, a := range ends {
		for j, b := range ends {
			if i != j && bytes.HasPrefix(b, a) {
				c.At(fmt.Sprintf("framing.ends[%d]", i), "%s begins %s, want ends that differ from the start", a, b)
			}
		}
	}
}

func (c *checker) foreign(path, kind string, keys ...string) {
	for _, key := range keys {
		if c.Has(path + "." + key) {
			c.At(path+"."+key, "has no meaning in %s framing, remove it", kind)
		}
	}
}

// Shortest is the shortest whole frame that can be.
func (f *Framing) Shortest() int {
	end := 0
	if len(f.Ends) > 0 {
		end = len(f.Ends[0])
	}
	for _, e := range f.Ends {
		end = min(end, len(e))
	}
	switch f.Kind {
	case LengthLed:
		payload := f.Length.At + f.Length.Size
		if len(f.Next) > 0 {
			payload = max(payload, f.NextAt+1)
		}
		return len(f.Start) + payload + f.Check.Size() + end
	case TextLine:
		return 1 + end
	case CodeFrame:
		return 5 // 00 FF, two bytes, 00
	}
	return len(f.Start) + (f.Payload+1)*f.textWidth() + end
}

// Longest is the longest whole frame that is believed.
func (f *Framing) Longest() int {
	end := 0
	for _, e := range f.Ends {
		end = max(end, len(e))
	}
	switch f.Kind {
	case LengthLed:
		return f.Length.Max
	case TextLine:
		return len(f.Strip) + f.Payload + end
	case CodeFrame:
		return pn532Longest
	}
	return len(f.Start) + (f.Payload+1)*f.textWidth() + end
}

// textWidth is how many bytes on the wire one byte of payload takes.
func (f *Framing) textWidth() int {
	if f.Text == HexText {
		return 2
	}
	return 1
}

// TotalLength is the length of the whole frame that begins with head, or 0 if head is too short to tell.
func (l *Length) TotalLength(startBytes int, head []byte) int {
	at := startBytes + l.At
	switch {
	case len(head) < at+l.Size:
		return 0
	case l.Size == 1:
		return int(head[at]) + l.Add
	case l.Order == Little:
		return int(head[at+1])<<8 + int(head[at]) + l.Add
	}
	return int(head[at])<<8 + int(head[at+1]) + l.Add
}

// OfSent is the length field as frames have it that we send.
func (l Length) OfSent() Length {
	if l.Sent != nil {
		l.Add = *l.Sent
	}
	return l
}

// verify says what is wrong with a frame that a profile wants to send.
func (f *Framing) verify(frame []byte) error {
	if f.Kind == CodeFrame {
		return verifyPN532(frame)
	}
	if !bytes.HasPrefix(frame, f.Start) {
		return fmt.Errorf("does not begin with the start %s", f.Start)
	}
	if f.Kind != LengthLed {
		return nil // a reader that only talks: its commands are its own affair
	}
	if len(frame) < f.Shortest() {
		return fmt.Errorf("%d bytes, want at least %d: the whole frame with check and end", len(frame), f.Shortest())
	}
	length := f.Length.OfSent()
	if total := length.TotalLength(len(f.Start), frame); total != len(frame) {
		return fmt.Errorf("the length field means a frame of %d bytes, and there are %d", total, len(frame))
	}
	body := frame
	for _, end := range f.Ends {
		if !bytes.HasSuffix(frame, end) {
			return fmt.Errorf("does not end with %s", end)
		}
		body = frame[:len(frame)-len(end)]
	}
	body, check := body[:len(body)-f.Check.Size()], Bytes(body[len(body)-f.Check.Size():])
	if want := f.Check.append(nil, f.Check.Of(body, len(f.Start))); !bytes.Equal(check, want) {
		return fmt.Errorf("the %s check is %s, want %s", f.Check, check, want)
	}
	return nil
}
