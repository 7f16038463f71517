package profiles

import (
	"errors"
	"fmt"
)

// Codec names Go code in reader/frame for what the vocabulary cannot say: frames that hold several tags, each of its own
// length, or framing like no other. It is a closed list; a profile picks from it and brings none of its own.
type Codec string

// The codecs.
const (
	PN532       Codec = "pn532"        // framing 00 FF with ACK and extended frames; the targets of InListPassiveTarget
	UHFReader18 Codec = "uhfreader18"  // count, then for each tag: length and EPC
	UHFReader86 Codec = "uhfreader288" // antenna, count, then for each tag: length, EPC and raw RSSI
	R2000       Codec = "r2000"        // channel and antenna in one byte, PC, EPC, RSSI by a table
	ThingMagic  Codec = "thingmagic"   // one tag; which facts come with it says a word of flags
)

// Words lists the vocabulary.
func (Codec) Words() []string {
	return []string{string(PN532), string(UHFReader18), string(UHFReader86), string(R2000), string(ThingMagic)}
}

// scheme is the identity that the codec's records give.
func (c Codec) scheme() Scheme {
	if c == PN532 {
		return UID
	}
	return EPC
}

// pn532Longest is an extended frame with the most data that the chip has room for (PN532 user manual, 6.2.1.2).
const pn532Longest = 11 + 265

// verifyPN532 says what is wrong with a frame for a PN532: 00 00 FF, length and its complement, data, check, 00. The
// acknowledgement, which ends whatever the chip is doing, has neither data nor check.
func verifyPN532(frame []byte) error {
	if string(frame) == "\x00\x00\xFF\x00\xFF\x00" {
		return nil
	}
	n := len(frame)
	switch {
	case n < 8 || string(frame[:3]) != "\x00\x00\xFF" || frame[n-1] != 0:
		return errors.New("want 00 00 FF, length, its complement, data, check, 00")
	case frame[3]+frame[4] != 0 || int(frame[3]) != n-7:
		return fmt.Errorf("the length is %02X %02X, want %02X %02X", frame[3], frame[4], n-7, byte(7-n))
	}
	if want := byte(-sum(frame[5 : n-2])); frame[n-2] != want {
		return fmt.Errorf("the check is %02X, want %02X", frame[n-2], want)
	}
	return nil
}
