package trace

import (
	"math"
	"math/rand/v2"
)

// Radio is how waves go between an antenna and a tag. Losses are one way, in dB: a reader hears a tag by its own
// carrier sent back, so that everything on the way counts twice in what it reports.
//
// The numbers: a reader of 30 dBm on an antenna of 6 dBi (36 dBm EIRP) brings 36 - 31.7 (Friis, 1 m, 915 MHz) + 2 (the
// tag's dipole) - 3 (circular to linear) = 3 dBm to a tag at 1 m, which wakes at -18 dBm (Impinj Monza R6 and M700 data
// sheets: -18 to -22 dBm; a card on a body is worse): a margin of 21 dB. Commercial readers report -40 to -45 dBm there.
// The exponent 2.2 is that of shop floors in sight of the antenna (Rappaport, Wireless Communications, table 4.2: stores
// 2.2 at 914 MHz).
type Radio struct {
	Near     float64 // dBm reported of a tag at 1 m, in front
	Margin   float64 // dB by which a tag at 1 m has more power than it needs
	Exponent float64 // of the loss with distance
	Rice     float64 // power of the direct path over that of all echoes; indoors in sight 3 to 10
	Noise    float64 // dB, standard deviation of what the reader reports
}

var indoors = Radio{Near: -42, Margin: 21, Exponent: 2.2, Rice: 5, Noise: 1}

// How long an echo pattern lasts. A walking tag goes half a wave (16 cm) in about 0.15 s; around a standing one other
// things move, and the reader hops frequencies every 0.4 to 2 s.
const (
	fadeWalking  = 0.15
	fadeStanding = 1.5
)

// Antenna is one antenna: where it is, and where it looks, in radians from the x axis.
type Antenna struct {
	X, Y, Look float64
}

// pattern is a patch antenna's loss off its axis: 65 degrees wide at -3 dB, at most 18 dB (the form of 3GPP TR 36.814,
// table A.2.1.1-2; front-to-back ratio of common 6 dBi patches).
func (a Antenna) pattern(x, y float64) float64 {
	off := math.Remainder(math.Atan2(y-a.Y, x-a.X)-a.Look, 2*math.Pi) * 180 / math.Pi
	return min(12*(off/65)*(off/65), 18)
}

// loss is what distance and direction cost, against 1 m in front.
func (r Radio) loss(a Antenna, x, y float64) float64 {
	d := max(0.3, math.Hypot(x-a.X, y-a.Y))
	return 10*r.Exponent*math.Log10(d) + a.pattern(x, y)
}

// fade is the echoes at one antenna: a complex number that wanders about 0 and forgets itself.
type fade struct {
	re, im float64
	at     float64
	begun  bool
}

// dB is the gain of direct path and echoes together, at a time. Echoes last seconds.
func (f *fade) dB(r Radio, at, last float64, rnd *rand.Rand) float64 {
	keep := math.Exp((f.at - at) / last)
	if !f.begun {
		keep = 0
	}
	f.begun, f.at = true, at
	move := math.Sqrt((1 - keep*keep) / 2)
	f.re, f.im = keep*f.re+move*rnd.NormFloat64(), keep*f.im+move*rnd.NormFloat64()
	direct, echoes := math.Sqrt(r.Rice/(r.Rice+1)), 1/math.Sqrt(r.Rice+1)
	return 20 * math.Log10(max(1e-3, math.Hypot(direct+echoes*f.re, echoes*f.im)))
}

// shadow is a body, one's own or somebody's, that comes between tag and antenna and goes again.
type shadow struct {
	dark  bool
	until float64
	begun bool
}

func (s *shadow) is(at float64, b Body, rnd *rand.Rand) bool {
	if b.Loss == 0 {
		return false
	}
	if !s.begun {
		s.begun, s.until, s.dark = true, at, rnd.Float64() < b.Clear/(b.Clear+b.Dark)
	}
	for s.until <= at {
		s.dark = !s.dark
		mean := b.Clear
		if s.dark {
			mean = b.Dark
		}
		s.until += mean * rnd.ExpFloat64()
	}
	return s.dark
}

// Body is the shadow of bodies: about 10 dB one way at 900 MHz when the tag is a hand's breadth from the body, for
// seconds at a time.
type Body struct {
	Loss        float64 // dB, one way
	Clear, Dark float64 // mean seconds without and with it
}
