package trace

import (
	"hash/fnv"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"foyer/reader/tag"
	"foyer/shop/presence"
)

// Scene is a shop with its readers and what people do in it. Lengths are metres, times seconds.
type Scene struct {
	Radio  Radio
	Zones  []presence.Zone
	Areas  []Area // where who is in it is really in a zone
	UHF    []UHF
	Pads   []Pad
	People []Person
	Goods  int // tags on goods within reach of every antenna, which share the air and are not part of the trace
}

// Area is a rectangle that belongs to a zone.
type Area struct {
	Zone           string
	X0, Y0, X1, Y1 float64
}

// UHF is a reader with antennas that take turns.
type UHF struct {
	Name     string
	Antennas []Antenna
	Rate     float64      // reads a second of all tags together: 50 of a small module, 150 and more of a fixed reader
	Once     bool         // Gen2 session 2 or 3: a tag answers once, and again after it had no power for Persist
	Out      [][2]float64 // it is dead from, to
}

// Pad is a reader that cards are held to.
type Pad struct {
	Name    string
	Zone    string
	First   [2]float64 // the first frame comes so long after the card, from, to
	Cadence float64    // and the next ones at this distance
	Miss    float64    // share of frames that do not come
}

// Person carries one tag along a path.
type Person struct {
	Tag  string
	Path []Point
	Turn float64 // dB one way that the way the tag is carried costs all the time
	Body Body
	Taps []Tap
}

// Point is where somebody is at a time; in between they walk straight on.
type Point struct{ At, X, Y float64 }

// Tap is a card held to a pad.
type Tap struct {
	Pad     string
	At, For float64
}

const (
	slot        = 0.2  // seconds that an antenna has the reader to itself
	mostOfOne   = 25.0 // reads a second of one tag alone in the field
	reach       = 12.0 // metres beyond which a tag does not share the air
	persist     = 4.0  // seconds; Gen2 demands over 2 of sessions 2 and 3
	noticeAfter = 2.0  // seconds until a reader that fell silent is found to be offline
)

// Make plays a scene. The same seed gives the same trace.
func (s Scene) Make(seed uint64) Trace {
	var t Trace
	crowd := s.crowd()
	for _, p := range s.People {
		h := fnv.New64a()
		h.Write([]byte(p.Tag))
		rnd := rand.New(rand.NewPCG(seed, h.Sum64()))
		t = append(t, s.marks(p)...)
		for _, u := range s.UHF {
			t = append(t, s.heard(p, u, crowd, rnd)...)
		}
		for _, tap := range p.Taps {
			t = append(t, s.tapped(p, tap, rnd)...)
		}
	}
	for _, u := range s.UHF {
		for _, out := range u.Out {
			t = append(t, Entry{At: seconds(out[0] + noticeAfter), Kind: Offline, Reader: u.Name}, Entry{At: seconds(out[1]), Kind: Online, Reader: u.Name})
		}
	}
	slices.SortStableFunc(t, func(a, b Entry) int { return int(a.At - b.At) })
	return t
}

func seconds(s float64) time.Duration {
	return time.Duration(math.Round(s*1e3)) * time.Millisecond
}

// where is the place on a path, and whether the person stands.
func (p Person) where(at float64) (x, y float64, stands bool) {
	i := 1
	for i < len(p.Path)-1 && p.Path[i].At < at {
		i++
	}
	a, b := p.Path[i-1], p.Path[i]
	share := min(max((at-a.At)/max(b.At-a.At, 1e-9), 0), 1)
	return a.X + share*(b.X-a.X), a.Y + share*(b.Y-a.Y), a.X == b.X && a.Y == b.Y
}

func (p Person) from() float64 { return p.Path[0].At }
func (p Person) to() float64   { return p.Path[len(p.Path)-1].At }

// marks are the times when the person goes into an area and out of it.
func (s Scene) marks(p Person) (t Trace) {
	if len(p.Path) < 2 {
		return nil
	}
	for _, a := range s.Areas {
		inside := false
		for at := p.from(); at <= p.to(); at += 0.05 {
			x, y, _ := p.where(at)
			if in := x >= a.X0 && x < a.X1 && y >= a.Y0 && y < a.Y1; in != inside {
				inside = in
				kind := Left
				if in {
					kind = Arrived
				}
				t = append(t, Entry{At: seconds(at), Kind: kind, Zone: a.Zone, Tag: p.Tag})
			}
		}
	}
	return t
}

// heard is what a reader hears of a person. The tags within reach share its time.
func (s Scene) heard(p Person, u UHF, crowd []int, rnd *rand.Rand) (t Trace) {
	if len(p.Path) < 2 {
		return nil
	}
	var dark shadow
	fades := make([]fade, len(u.Antennas))
	powered, at := math.Inf(-1), p.from()
	for {
		rate := min(mostOfOne, u.Rate/float64(max(1, crowd[int(at)])+s.Goods))
		at += rnd.ExpFloat64() / rate
		if at > p.to() {
			return t
		}
		ai := int(at/slot) % len(u.Antennas)
		x, y, stands := p.where(at)
		last := fadeWalking
		if stands {
			last = fadeStanding
		}
		way := s.Radio.loss(u.Antennas[ai], x, y) + p.Turn - fades[ai].dB(s.Radio, at, last, rnd)
		if dark.is(at, p.Body, rnd) {
			way += p.Body.Loss
		}
		if way > s.Radio.Margin || u.out(at) {
			continue
		}
		told := u.Once && at-powered < persist
		powered = at
		if !told {
			rssi := math.Round(s.Radio.Near - 2*way + s.Radio.Noise*rnd.NormFloat64())
			t = append(t, Entry{At: seconds(at), Kind: Read, Reader: u.Name, Antenna: uint8(ai + 1), Tag: p.Tag, RSSI: tag.RSSI(rssi), HasRSSI: true})
		}
	}
}

// crowd counts who is within reach in each second.
func (s Scene) crowd() []int {
	last := 0.0
	for _, p := range s.People {
		if len(p.Path) > 1 {
			last = max(last, p.to())
		}
	}
	counts := make([]int, int(last)+2)
	for _, p := range s.People {
		if len(p.Path) < 2 {
			continue
		}
		for second := int(p.from()); second <= int(p.to()); second++ {
			if x, y, _ := p.where(float64(second)); math.Hypot(x, y) < reach {
				counts[second]++
			}
		}
	}
	return counts
}

func (u UHF) out(at float64) bool {
	return slices.ContainsFunc(u.Out, func(o [2]float64) bool { return at >= o[0] && at < o[1] })
}

func (s Scene) tapped(p Person, tap Tap, rnd *rand.Rand) (t Trace) {
	i := slices.IndexFunc(s.Pads, func(pad Pad) bool { return pad.Name == tap.Pad })
	pad := s.Pads[i]
	t = append(t, Entry{At: seconds(tap.At), Kind: Arrived, Zone: pad.Zone, Tag: p.Tag}, Entry{At: seconds(tap.At + tap.For), Kind: Left, Zone: pad.Zone, Tag: p.Tag})
	for at := tap.At + pad.First[0] + rnd.Float64()*(pad.First[1]-pad.First[0]); at < tap.At+tap.For; at += pad.Cadence {
		if rnd.Float64() >= pad.Miss {
			t = append(t, Entry{At: seconds(at), Kind: Read, Reader: pad.Name, Tag: p.Tag})
		}
	}
	return t
}
