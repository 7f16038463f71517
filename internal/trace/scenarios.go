package trace

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"foyer/reader/tag"
	"foyer/shop/presence"
)

// Scenario is a scene with a name. What people do in it differs with the seed, and with it where they walk, how they
// carry their tags and what the air does.
type Scenario struct {
	Name  string
	About string
	scene func(b *builder)
}

// Scene is the scene of one seed.
func (s Scenario) Scene(seed uint64) Scene {
	b := &builder{Rand: rand.New(rand.NewPCG(seed, 0x666f796572)), Scene: Scene{Radio: indoors}}
	s.scene(b)
	return b.Scene
}

// Scenarios are all that the repository knows, in a shop whose front is the x axis: the corridor is below it, and a
// doorway of 2 m is around its middle.
var Scenarios = []Scenario{
	{"one-member", "a member comes in, looks around near the door and leaves", func(b *builder) {
		b.across()
		b.member(5, 40)
	}},
	{"family", "five come in together, in each other's shadow", func(b *builder) {
		b.across()
		for range 5 {
			b.member(5+b.Float64()*2, 60)
		}
	}},
	{"rush", "thirty members in ten minutes, and sixty passers-by", func(b *builder) {
		b.across()
		for range 30 {
			b.member(5+b.Float64()*600, 20+b.Float64()*100)
		}
		for range 60 {
			b.passer(b.Float64() * 600)
		}
	}},
	{"corridor", "two hundred and fifty people pass by, and nobody comes in", func(b *builder) {
		b.across()
		for range 250 {
			b.passer(b.Float64() * 1800)
		}
	}},
	{"corridor-in-view", "the antenna looks out of the door at them", func(b *builder) {
		b.outward()
		for range 250 {
			b.passer(b.Float64() * 1800)
		}
	}},
	{"window-shoppers", "they stop at the window for up to a minute, two metres from the door", func(b *builder) {
		b.across()
		for range 30 {
			b.gazer(b.Float64() * 1200)
		}
		for range 10 {
			b.member(5+b.Float64()*1200, 60)
		}
	}},
	{"looks-out", "members come in towards an antenna that looks out, past others in the corridor", func(b *builder) {
		b.outward()
		for range 20 {
			b.member(5+b.Float64()*900, 60)
		}
		for range 60 {
			b.passer(b.Float64() * 900)
		}
	}},
	{"poor-spot", "a member stands for a day where the tag is hardly heard", func(b *builder) {
		b.across()
		p := b.person(2, []Point{{5, 0.3, -6}, {11, 0.3, 0.8}, {31, 0.3, 0.8}, {34, 3, 2.2}, {34 + day, 3, 2.2}, {40 + day, 0.3, -1}, {46 + day, 0.3, -8}})
		p.Body = Body{Loss: 10, Clear: 5, Dark: 5}
		b.People = append(b.People, p)
	}},
	{"back-pocket", "the tag is on the far side of the body most of the time", func(b *builder) {
		b.across()
		for i := range 10 {
			p := b.visitor(5+float64(i)*120, 60)
			p.Body = Body{Loss: 12, Clear: 2, Dark: 6}
			b.People = append(b.People, p)
		}
	}},
	{"overlap", "two antennas hear the whole shop, and people stand nearer to one of them", func(b *builder) {
		b.two()
		for i := range 5 {
			b.stand(5+float64(i)*10, b.between(-0.5, 0.5), b.between(0.6, 1.2), 600)
		}
	}},
	{"walk-through", "people walk from the door to the till, stay there and go out again", func(b *builder) {
		b.two()
		for i := range 10 {
			at, x := 5+float64(i)*240, b.between(-0.3, 0.3)
			b.add(b.person(1.2, []Point{{at, x, -6}, {at + 6, x, 0.8}, {at + 30, x, 0.8}, {at + 36, x, 7}, {at + 100, x, 7}, {at + 106, x, 0.8}, {at + 120, x, 0.8}, {at + 127, x, -7}}))
		}
	}},
	{"told-once", "tags answer once in session 2, and stay quiet while they have power", func(b *builder) {
		b.across()
		b.UHF[0].Once = true
		b.Radio.Near, b.Radio.Margin = b.Radio.Near-12, b.Radio.Margin-12 // 18 dBm: the one report comes from the field's edge, so the field must end at the door
		b.Areas = []Area{{"door", -20, -1, 20, 20}}                       // as far as that field goes
		b.Zones[0] = presence.Zone{ID: "door", Role: presence.Entrance, Readers: []string{"uhf"}, Report: presence.Once, Enter: anything, Leave: anything}
		for i := range 10 {
			b.member(5+float64(i)*60, 120)
		}
	}},
	{"goods", "forty tags on goods near the door share the reader's time", func(b *builder) {
		b.across()
		b.Goods = 40
		for i := range 20 {
			b.member(5+float64(i)*20, 120)
		}
	}},
	{"reader-resets", "the reader is gone for a minute and a half, twice, while members are inside and while they come", func(b *builder) {
		b.across()
		b.UHF[0].Out = [][2]float64{{60, 150}, {300, 390}}
		for i := range 10 {
			b.member(5+float64(i)*4, 600)
		}
		b.stand(380, 0.3, 0.8, 120) // has come while it was dead, and waits near the door
	}},
	{"out-and-back", "members leave for five minutes and come back", func(b *builder) {
		b.across()
		for i := range 5 {
			p := b.visitor(5+float64(i)*10, 60)
			p.Path = append(p.Path, b.visitor(p.to()+300, 60).Path...)
			b.add(p)
		}
	}},
	{"taps", "cards are held to a pad that repeats them every 65 ms", func(b *builder) {
		// EM4100 at 64 cycles a bit is 33 ms a number, and RDM6300 tells it every 65 ms.
		b.pad(presence.Zone{}, Pad{First: [2]float64{0.033, 0.065}, Cadence: 0.065})
	}},
	{"polled-taps", "a pad that is polled four times a second misses a tenth of the polls", func(b *builder) {
		b.pad(presence.Zone{Report: presence.Polled}, Pad{First: [2]float64{0, 0.25}, Cadence: 0.25, Miss: 0.1})
	}},
}

// Find returns a scenario by its name.
func Find(name string) (Scenario, bool) {
	for _, s := range Scenarios {
		if s.Name == name {
			return s, true
		}
	}
	return Scenario{}, false
}

// The settings of the made-up shops, as a technician would choose them once for such a place, the same for all seeds: the
// defaults, but a longer window for a crowded field, whatever is heard at all keeps a tag, and a grace for bodies. They
// were chosen on seeds 1 to 24; 501 to 524 and 70,001 to 70,024 were looked at meanwhile and are no proof. Seeds 80,001 to
// 80,024 were played for the first time when the settings stood (BenchmarkHoldOut): F1 0.9989, 0 of 14,232 passers-by, half
// of the arrivals in 455 ms.
const (
	doorEnter = -64 // a doorway hears well: a little above the default keeps the corridor out
	outEnter  = -61 // where the corridor is in front of the antenna
	anything  = -95
	day       = 86400.0 // seconds
)

func door(enter tag.RSSI) presence.Zone {
	return presence.Zone{ID: "door", Role: presence.Entrance, Readers: []string{"uhf"}, Window: 2 * time.Second,
		Average: 1, Enter: enter, Leave: anything, Grace: 90 * time.Second}
}

// builder puts a scene together.
type builder struct {
	*rand.Rand
	Scene
}

func (b *builder) between(from, to float64) float64 { return from + b.Float64()*(to-from) }

// across has an antenna beside the doorway that looks along it: the corridor is seen from the side.
func (b *builder) across() {
	b.UHF = []UHF{{Name: "uhf", Antennas: []Antenna{{X: -1, Y: 0.5}}, Rate: 150}}
	b.Zones = []presence.Zone{door(doorEnter)}
	b.Areas = []Area{{"door", -20, -0.5, 20, 20}}
}

// outward has an antenna in the shop that looks at the door and through it.
func (b *builder) outward() {
	b.UHF = []UHF{{Name: "uhf", Antennas: []Antenna{{X: 1, Y: 3.2, Look: -math.Pi / 2}}, Rate: 150}}
	b.Zones = []presence.Zone{door(outEnter)}
	b.Areas = []Area{{"door", -20, 0.5, 20, 20}} // further out it must not hear anybody well enough
}

// two has one reader with an antenna across the door and one over the till.
func (b *builder) two() {
	b.UHF = []UHF{{Name: "uhf", Antennas: []Antenna{{X: -1, Y: 0.5}, {X: -1, Y: 7}}, Rate: 150}}
	entry, till := door(doorEnter), door(doorEnter)
	till.ID, till.Role = "till", presence.Counter
	entry.Group, till.Group = "hall", "hall"
	entry.Antennas, till.Antennas = map[string][]uint8{"uhf": {1}}, map[string][]uint8{"uhf": {2}}
	b.Zones = []presence.Zone{entry, till}
	b.Areas = []Area{{"door", -20, -0.5, 20, 4}, {"till", -20, 4, 20, 20}}
}

func (b *builder) add(p Person) { b.People = append(b.People, p) }

// person is somebody with a tag carried somehow, in their own shadow a third of the time.
func (b *builder) person(turn float64, path []Point) Person {
	return Person{Tag: fmt.Sprintf("p%d", len(b.People)+1), Path: path, Turn: b.Float64() * turn, Body: Body{Loss: 8, Clear: 4, Dark: 2}}
}

// visitor comes in through the doorway at about a metre a second, walks between a few places within 4 m, and goes out.
func (b *builder) visitor(at, stay float64) Person {
	x := b.between(-0.6, 0.8)
	speed := b.between(0.7, 1.4)
	path := []Point{{at, x, -6}}
	walk := func(x, y float64) {
		last := path[len(path)-1]
		path = append(path, Point{last.At + math.Hypot(x-last.X, y-last.Y)/speed, x, y})
	}
	walk(x, 0.8)
	for end := at + stay; path[len(path)-1].At < end; {
		walk(b.between(0, 3), b.between(0.7, 2.5))
		last := path[len(path)-1]
		path = append(path, Point{last.At + b.between(3, 20), last.X, last.Y})
	}
	walk(x, 0.8)
	walk(x, -7)
	return b.person(2, path)
}

func (b *builder) member(at, stay float64) { b.add(b.visitor(at, stay)) }

// stand comes in, stands somewhere and goes.
func (b *builder) stand(at, x, y, stay float64) {
	b.add(b.person(1, []Point{{at, x, -6}, {at + 6, x, y}, {at + 6 + stay, x, y}, {at + 13 + stay, x, -7}}))
}

// passer walks along the corridor, 1.5 to 4.5 m from the front.
func (b *builder) passer(at float64) {
	y, speed := b.between(-4.5, -1.5), b.between(0.8, 1.6)
	x := 10.0
	if b.IntN(2) == 0 {
		x = -10
	}
	b.add(b.person(2, []Point{{at, x, y}, {at + 20/speed, -x, y + b.between(-0.3, 0.3)}}))
}

// gazer walks along and stops for a while.
func (b *builder) gazer(at float64) {
	p, x, y := b.between(10, 60), b.between(-3, 3), b.between(-2.5, -2)
	b.add(b.person(2, []Point{{at, -10, -3}, {at + 10, x, y}, {at + 10 + p, x, y}, {at + 20 + p, 10, -3}}))
}

// pad is a tap reader with twenty cards, each held to it for one to five seconds.
func (b *builder) pad(z presence.Zone, p Pad) {
	z.ID, z.Role, z.Readers, z.Tap = "kiosk", presence.Kiosk, []string{"pad"}, true
	p.Name, p.Zone = "pad", "kiosk"
	b.Zones, b.Pads = []presence.Zone{z}, []Pad{p}
	for i := range 20 {
		b.add(Person{Tag: fmt.Sprintf("p%d", i+1), Taps: []Tap{{"pad", 5 + float64(i)*10 + b.Float64(), b.between(1, 5)}}})
	}
}
