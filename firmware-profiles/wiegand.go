package profiles

import "time"

// Wiegand is the shape of a card's bits and the timing of the lines. Bit 0 is the first on the wire.
type Wiegand struct {
	Format      string        `yaml:"format,required"` // the industry's name: H10301
	Bits        int           `yaml:"bits,required"`   // 4 to 64
	Number      BitSpan       `yaml:"number"`          // the bits that are the identity; needed unless there are only keys
	Reverse     bool          `yaml:"reverse"`         // canonical uid: the reader sends the card's last byte first
	Facility    *BitSpan      `yaml:"facility"`
	Card        *BitSpan      `yaml:"card"`
	Parity      []BitParity   `yaml:"parity"`
	Keypad      Keypad        `yaml:"keypad"`       // how the same two lines send a key; empty = no keys
	FrameGap    time.Duration `yaml:"frame_gap"`    // silence that ends a frame; default 30ms
	MinInterval time.Duration `yaml:"min_interval"` // edges closer than this are ringing; default 120us
	MaxInterval time.Duration `yaml:"max_interval"` // longest time from bit to bit in one frame; default 20ms
}

// Keypad is how a key is sent: 0 to 9 as they are, * as ten, # as eleven.
type Keypad string

// The ways to send a key.
const (
	PlainKeys      Keypad = "plain"      // a frame of 4 bits
	ComplementKeys Keypad = "complement" // a frame of 8 bits: the 4 bits turned round, then as they are
)

// Words lists the vocabulary.
func (Keypad) Words() []string { return []string{string(PlainKeys), string(ComplementKeys)} }

// Bits is how many bits a key has; 0 = there are no keys.
func (k Keypad) Bits() int { return map[Keypad]int{PlainKeys: 4, ComplementKeys: 8}[k] }

// BitSpan is a run of bits, the most significant first.
type BitSpan struct {
	At   int `yaml:"at"`
	Bits int `yaml:"bits,required"`
}

// BitParity is one parity bit and what it covers.
type BitParity struct {
	Bit  int      `yaml:"bit"`
	Kind Parity   `yaml:"kind,required"`
	Over BitRange `yaml:"over,required"` // the bits covered, the parity bit not among them: "1-12" or "1-2,4-5"
}
