// Package tag is the identity of one RFID tag or card.
//
// In: the bytes that a reader reported, and the chain's key. Out: a keyed ID (16 bytes) and a Read, the one thing that
// leaves the reader's edge. RSSI is in dBm, times are local receive times.
// It never opens anything, never logs a number, and knows nothing but the standard library and the codes of GS1 (epc).
// Called by reader (to make reads), shop (to look members up) and hq (to turn an import's numbers into IDs at once).
package tag

import (
	"encoding/hex"
	"fmt"
	"log/slog"
	"time"
)

// Scheme says what the bytes of a Number mean. Two numbers of different schemes are never the same tag.
type Scheme uint8

// The schemes. Their names are stable: they are part of what is hashed.
const (
	None      Scheme = iota
	EM4100           // 5 bytes: version or customer, then the 32-bit number
	EM4100x32        // 4 bytes: the ten-digit number printed on most fobs
	EM4100x24        // 3 bytes: facility 8, card 16, as a Wiegand-26 reader sends it
	UID              // 4, 7 or 10 bytes, ISO/IEC 14443 order as the reader reports it
	EPC              // 2 to 62 bytes that are no GSRN
	GSRN             // 18 BCD digits in 9 bytes: GS1 AI 8018, one number one member
	Wiegand32        // 4 bytes: the payload of a Wiegand-34 frame that is not an EM4100 number
	Wiegand          // any other Wiegand card: 1 byte for the bits of its frame, then its number, 1 to 8 bytes
	Text             // 1 to 62 bytes: what stands in a scanned code that is no GSRN
)

var schemeNames = [...]string{"none", "em4100", "em4100-32", "em4100-24", "uid", "epc", "gsrn", "wiegand-32", "wiegand", "text"}

func (s Scheme) String() string {
	if int(s) < len(schemeNames) {
		return schemeNames[s]
	}
	return fmt.Sprintf("scheme(%d)", uint8(s))
}

// MaxBytes is the longest number kept: an EPC of 496 bits (Gen2 air interface, PC word length field of 5 bits).
const MaxBytes = 62

// Number is a raw tag number. It stays inside the reader's room: its text form is redacted, so that printing one by
// mistake leaks nothing. The zero Number is no tag. Numbers compare with ==.
type Number struct {
	scheme Scheme
	n      uint8
	b      [MaxBytes]byte
}

// NewNumber returns the number of a scheme. It fails if b is empty or longer than MaxBytes.
func NewNumber(s Scheme, b []byte) (n Number, err error) {
	err = n.Set(s, b)
	return n, err
}

// Set makes n the number of a scheme: NewNumber in place, because a copy of a Number costs as much as splitting a frame. It
// fails as NewNumber does, and then n is no tag.
func (n *Number) Set(s Scheme, b []byte) error {
	*n = Number{}
	if len(b) == 0 || len(b) > MaxBytes {
		return fmt.Errorf("tag number of %d bytes: want 1 to %d", len(b), MaxBytes)
	}
	n.scheme, n.n = s, uint8(len(b))
	copy(n.b[:], b)
	return nil
}

// Scheme returns what the bytes mean.
func (n Number) Scheme() Scheme { return n.scheme }

// Bytes appends the raw bytes to dst.
func (n Number) Bytes(dst []byte) []byte { return append(dst, n.b[:n.n]...) }

// IsZero reports whether there is no number.
func (n Number) IsZero() bool { return n.n == 0 }

// Reveal returns the raw number in hex, upper case. Only tools that a technician runs on a file may call it.
func (n Number) Reveal() string { return fmt.Sprintf("%X", n.b[:n.n]) }

// String is redacted: the scheme and the length only.
func (n Number) String() string { return fmt.Sprintf("%s/%dB", n.scheme, n.n) }

// LogValue is redacted like String.
func (n Number) LogValue() slog.Value { return slog.StringValue(n.String()) }

// ID is the keyed hash of a number: HMAC-SHA-256 under the chain's key, cut to 128 bits.
type ID [16]byte

// IsZero reports whether there is no tag.
func (id ID) IsZero() bool { return id == ID{} }

// MarshalText is the full hash in hex, for the members' snapshot.
func (id ID) MarshalText() ([]byte, error) {
	return hex.AppendEncode(nil, id[:]), nil
}

// UnmarshalText reads 32 hex digits.
func (id *ID) UnmarshalText(text []byte) error {
	if len(text) != 2*len(id) {
		return fmt.Errorf("tag id of %d characters: want %d hex digits", len(text), 2*len(id))
	}
	_, err := hex.Decode(id[:], text)
	if err != nil {
		return fmt.Errorf("tag id: %w", err)
	}
	return nil
}

// String is short: enough to follow one tag through a log, too little to look it up.
func (id ID) String() string { return hex.EncodeToString(id[:4]) }

// LogValue is the short form.
func (id ID) LogValue() slog.Value { return slog.StringValue(id.String()) }

// RSSI is a received signal strength in dBm, typically -90 to -30.
type RSSI int16

// Read is one sighting of one tag: all that leaves the reader's edge.
type Read struct {
	ID      ID        // of the longest form that the reader gives
	Also    ID        // of a shorter form that the profile allows to match, or zero
	At      time.Time // when the last byte of the frame arrived; carries the monotonic clock
	Reader  string    // the reader's name in the configuration
	Antenna uint8     // 1-based; 0 where the reader has one
	RSSI    RSSI      // only if HasRSSI
	HasRSSI bool
}
