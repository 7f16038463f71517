package reader

// Advice is what the counts suggest to look at. In words it is "reader.advice." and its value.
type Advice string

// The advices. They are stable: translations use them.
const (
	AllWell     Advice = "well"
	LookWire    Advice = "wire"    // bytes change on the way
	LookField   Advice = "field"   // tags are heard at the edge of the field
	LookProfile Advice = "profile" // frames are whole and not understood
	LookPulses  Advice = "pulses"  // a card's pulses arrive damaged
	LookFormat  Advice = "format"  // cards of another length than the profile's
	LookTyping  Advice = "typing"  // somebody types on it
	LookPlug    Advice = "plug"    // it goes and comes back
	LookBox     Advice = "box"     // reads are lost because nobody takes them
	LookReader  Advice = "reader"  // the reader itself complains
)

var adviceFor = [Faults]Advice{
	BadCheck: LookWire, BadLength: LookWire, BadShape: LookWire, CutShort: LookWire, BadTag: LookField,
	BadContent: LookProfile, BadParity: LookPulses, BadBits: LookFormat, BadTiming: LookPulses, BadTyping: LookTyping,
}

// What is worth a word: less than this happens on every good line.
const (
	fewBad    = 5   // bad frames or complaints
	badOf     = 50  // one bad frame in so many
	fewNoise  = 256 // bytes: as noiseBytes
	fewReopen = 3
	lostOf    = 100 // one lost read in so many
)

// Advice judges the counts: what costs members first comes first.
func (c Counts) Advice() Advice {
	bad := c.Bad.Sum()
	switch {
	case c.Dropped*lostOf > c.Reads:
		return LookBox
	case bad >= fewBad && bad*badOf > c.Frames:
		return adviceFor[c.Bad.most()]
	case c.Noise >= fewNoise && c.Noise > c.Frames: // a frame has some twenty bytes: one byte in twenty
		return LookWire
	case c.Reopened() >= fewReopen:
		return LookPlug
	case c.Errors >= fewBad && c.Errors*badOf > c.Frames:
		return LookReader
	}
	return AllWell
}

// most is the commonest fault, the first of equals.
func (r Refusals) most() Fault {
	top := Fault(0)
	for f, n := range r {
		if n > r[top] {
			top = Fault(f)
		}
	}
	return top
}
