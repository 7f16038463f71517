package profiles

import "time"

// Wiegand is the shape of a card's bits and the timing of the lines. Bit 0 is the first on the wire.
type Wiegand struct {
	Format      string        `yaml:"format,required"` // the industry's name: H10301
	Bits        int           `yaml:"bits,required"`   // 4 to 64
	Number      BitSpan       `yaml:"number,required"` // the bits that are the identity
	Facility    *BitSpan      `yaml:"facility"`
	Card        *BitSpan      `yaml:"card"`
	Parity      []BitParity   `yaml:"parity"`
	FrameGap    time.Duration `yaml:"frame_gap"`    // silence that ends a frame; default 30ms
	MinInterval time.Duration `yaml:"min_interval"` // edges closer than this are ringing; default 120us
	MaxInterval time.Duration `yaml:"max_interval"` // longest time from bit to bit in one frame; default 20ms
}

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
