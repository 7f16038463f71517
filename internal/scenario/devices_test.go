package scenario

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/bits"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"foyer/firmware-profiles"
	"foyer/reader"
	"foyer/reader/link"
	"foyer/reader/link/linktest"
	"foyer/reader/sim"
	"foyer/reader/tag"
	"foyer/reader/wedge"
)

// device is a simulated reader of one profile, on a line in virtual time.
type device struct {
	profile *profiles.Profile
	port    string
	plug    func(*reader.Config)        // gives the session its line
	run     func(context.Context) error // plays it; nil for one that is only shown things
	number  func(card uint32) tag.Number
	near    func(ctx context.Context, card uint32, rssi int)
	away    func(card uint32) // nil: what was shown is told once and is gone
	lead    time.Duration     // from near to the first bit on the wire, where the simulator takes its time
	dBm     bool              // it tells strengths: who is far away is told apart
	many    bool              // it hears several tags at once, from afar
	noise   func([]byte)      // says bytes that belong to no frame; nil where that cannot be
	trouble func()            // something that real readers of the kind do at times; nil for none
	keys    func(string)      // types on the keypad
	spoil   func(card uint32) // shows a card with a bit turned on the wire
}

// deviceOf makes the device of a profile, or nil for a profile that this day does not know: that fails the test.
func deviceOf(p *profiles.Profile, index uint32) *device {
	d := &device{profile: p, port: "/dev/null"}
	switch p.Kind {
	case profiles.WiegandGPIO:
		onPins(d, index)
		return d
	case profiles.LLRPNetwork:
		onNetwork(d, index)
		return d
	}
	w := linktest.NewWire()
	d.plug = func(c *reader.Config) { c.Line = func(context.Context) (link.Link, error) { return w, nil } }
	d.noise = func(b []byte) { w.Write(b) }
	if p.Kind == profiles.Wedge {
		atDesk(d, w, index)
		return d
	}
	if make := serial[p.ID]; make != nil {
		make(d, w, index)
		return d
	}
	return nil
}

// cardOf gives each card of each reader a number of its own, whichever of its bits a reader tells.
func cardOf(index, card uint32) uint32 { return index<<16 | card*257 }

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func fobOf(index, card uint32) [5]byte {
	return [5]byte(binary.BigEndian.AppendUint32([]byte{0x6F}, cardOf(index, card)))
}

func epcOf(index, card uint32) []byte {
	return binary.BigEndian.AppendUint32([]byte{0xE2, 0x80, 0x68, 0x94, 0, 0, 0x40, 0x0A}, cardOf(index, card))
}

func codeOf(index, card uint32) string { return fmt.Sprintf("MEMBER-%d", cardOf(index, card)) }

var serial = map[string]func(d *device, w *linktest.Wire, index uint32){
	"rdm6300": func(d *device, w *linktest.Wire, index uint32) {
		r := sim.NewRDM6300(w)
		d.fob(index)
		d.run = r.Run
		d.near = func(_ context.Context, card uint32, _ int) { r.Near(fobOf(index, card)) }
		d.away = func(uint32) { r.Away() }
	},
	"7941e": func(d *device, w *linktest.Wire, index uint32) {
		d.fob(index)
		d.once(func(card uint32) *sim.Tap { return sim.New7941E(w, fobOf(index, card), tapLead) })
	},
	"ssi-scanner": func(d *device, w *linktest.Wire, index uint32) {
		d.code(index)
		d.once(func(card uint32) *sim.Tap { return must(sim.NewSSIScanner(w, codeOf(index, card), tapLead)) })
	},
	"text-scanner": func(d *device, w *linktest.Wire, index uint32) {
		d.code(index)
		d.once(func(card uint32) *sim.Tap { return sim.NewTextScanner(w, codeOf(index, card), tapLead) })
	},
	"pn532": func(d *device, w *linktest.Wire, index uint32) {
		p := sim.NewPN532(w)
		uid := func(card uint32) []byte {
			return binary.BigEndian.AppendUint32([]byte{0x04, 0x41, 0x6D}, cardOf(index, card))
		}
		d.number = func(card uint32) tag.Number { return must(tag.NewNumber(tag.UID, uid(card))) }
		d.run = p.Run
		d.near = func(_ context.Context, card uint32, _ int) { check(p.Near(sim.Card{UID: uid(card)})) }
		d.away = func(uint32) { p.Away() }
	},
	"r200": func(d *device, w *linktest.Wire, index uint32) {
		r := sim.NewR200(w)
		d.module(r, index)
		d.trouble = r.Sleep
	},
	"m100": func(d *device, w *linktest.Wire, index uint32) { d.module(sim.NewM100(w), index) },
	"r2000": func(d *device, w *linktest.Wire, index uint32) {
		r := sim.NewR2000(w)
		d.run = r.Run
		d.field(index, r.Away, r.Near)
	},
	"thingmagic": func(d *device, w *linktest.Wire, index uint32) {
		m := sim.NewThingMagic(w)
		d.run = m.Run
		d.field(index, m.Away, m.Near)
		d.trouble = m.Restart
	},
	"uhfreader18":  func(d *device, w *linktest.Wire, index uint32) { d.inventory(sim.NewUHFReader18(w), index) },
	"uhfreader288": func(d *device, w *linktest.Wire, index uint32) { d.inventory(sim.NewUHFReader288(w), index) },
}

func (d *device) fob(index uint32) {
	d.number = func(card uint32) tag.Number {
		fob := fobOf(index, card)
		return must(tag.NewNumber(tag.EM4100, fob[:]))
	}
}

func (d *device) code(index uint32) {
	d.number = func(card uint32) tag.Number { return must(tag.NewNumber(tag.Text, []byte(codeOf(index, card)))) }
}

func (d *device) epc(index uint32) {
	d.number = func(card uint32) tag.Number { return must(tag.NewNumber(tag.EPC, epcOf(index, card))) }
	d.many = true
}

// tapLead is when a simulated tap reader tells its card for the first time. It is taken away before the second.
const tapLead = 100 * time.Millisecond

func (d *device) once(make func(card uint32) *sim.Tap) {
	d.lead = tapLead
	d.near = func(ctx context.Context, card uint32, _ int) {
		go func() {
			ctx, cancel := context.WithTimeout(ctx, tapLead*3/2)
			defer cancel()
			check(make(card).Run(ctx))
		}()
	}
}

func (d *device) module(r *sim.R200, index uint32) {
	d.epc(index)
	d.dBm, d.run = true, r.Run
	d.near = func(_ context.Context, card uint32, rssi int) { check(r.Near(epcOf(index, card), rssi)) }
	d.away = func(card uint32) { r.Away(epcOf(index, card)) }
}

// field is of readers whose simulator takes all tags away at once.
func (d *device) field(index uint32, clear func(), add func(epc []byte, rssi int) error) {
	d.epc(index)
	d.dBm = true
	type placed struct {
		card uint32
		rssi int
	}
	var mu sync.Mutex
	var all []placed
	show := func() {
		clear()
		for _, p := range all {
			check(add(epcOf(index, p.card), p.rssi))
		}
	}
	d.near = func(_ context.Context, card uint32, rssi int) {
		mu.Lock()
		defer mu.Unlock()
		all = append(all, placed{card, rssi})
		show()
	}
	d.away = func(card uint32) {
		mu.Lock()
		defer mu.Unlock()
		all = slices.DeleteFunc(all, func(p placed) bool { return p.card == card })
		show()
	}
}

func (d *device) inventory(r *sim.UHFReader, index uint32) {
	d.field(index, r.Away, func(epc []byte, _ int) error { return r.Near(epc, 70) })
	d.run, d.dBm = r.Run, false
}

func onNetwork(d *device, index uint32) {
	r := sim.NewLLRP()
	d.epc(index)
	d.dBm, d.port = true, "tcp://reader:5084"
	var ctx context.Context
	var talks sync.WaitGroup
	d.run = func(c context.Context) error {
		ctx = c
		<-c.Done()
		r.Hangup()
		talks.Wait()
		return nil
	}
	d.plug = func(c *reader.Config) {
		c.Line = func(context.Context) (link.Link, error) {
			ours, theirs := net.Pipe()
			talks.Go(func() { _ = r.Talk(ctx, theirs) }) // how it ends is the trouble's affair
			return linktest.Cable{Conn: ours}, nil
		}
	}
	d.near = func(_ context.Context, card uint32, rssi int) { r.Near(epcOf(index, card), 1, int8(rssi)) }
	d.away = func(card uint32) { r.Away(epcOf(index, card)) }
	d.trouble = r.Hangup
}

func atDesk(d *device, w *linktest.Wire, index uint32) {
	d.port, d.noise = "/dev/input/by-id/desk-event-kbd", nil
	d.number = func(card uint32) tag.Number {
		return must(tag.NewNumber(tag.EM4100x32, binary.BigEndian.AppendUint32(nil, cardOf(index, card))))
	}
	begun := time.Now()
	d.near = func(_ context.Context, card uint32, _ int) {
		go func() {
			at := time.Since(begun)
			for _, e := range wedge.Keys(fmt.Sprintf("%010d\n", cardOf(index, card)), at, 5*time.Millisecond) {
				time.Sleep(e.At - time.Since(begun))
				w.Write(wedge.AppendRaw(nil, e))
			}
		}()
	}
}

func onPins(d *device, index uint32) {
	l := linktest.NewLines()
	d.port = "gpio:A,B"
	d.plug = func(c *reader.Config) { c.Edges = func(context.Context) (link.Edges, error) { return l, nil } }
	plan := d.profile.Wiegand
	if plan.Keypad != "" {
		d.keys = func(keys string) {
			for _, k := range []byte(keys) {
				l.Pull(keyBits(plan.Keypad, k))
				time.Sleep(300 * time.Millisecond)
			}
		}
	}
	if plan.Number.Bits == 0 {
		return
	}
	d.number = func(card uint32) tag.Number { return wiegandNumber(d.profile, cardOf(index, card)) }
	d.near = func(_ context.Context, card uint32, _ int) {
		go l.Pull(digits(wiegandCard(plan, cardOf(index, card)), plan.Bits))
	}
	if len(plan.Parity) > 0 {
		d.spoil = func(card uint32) {
			turned := wiegandCard(plan, cardOf(index, card)) ^ 1<<(plan.Number.At+plan.Number.Bits-1)
			l.Pull(digits(turned, plan.Bits))
		}
	}
}

func keyBits(kind profiles.Keypad, key byte) string {
	v := strings.IndexByte("0123456789*#", key)
	if kind == profiles.ComplementKeys {
		return fmt.Sprintf("%04b%04b", v^15, v)
	}
	return fmt.Sprintf("%04b", v)
}

// wiegandCard is the bits of a card, the first on the wire the lowest. Parity bits stand in a profile in the order in which
// they can be worked out.
func wiegandCard(w *profiles.Wiegand, v uint32) (card uint64) {
	for i := range 32 {
		if at := w.Number.At + w.Number.Bits - 1 - i; i < w.Number.Bits && v>>i&1 == 1 {
			card |= 1 << at
		}
	}
	for _, p := range w.Parity {
		ones := bits.OnesCount64(card & uint64(p.Over))
		if (ones%2 == 1) != (p.Kind == profiles.Odd) {
			card |= 1 << p.Bit
		}
	}
	return card
}

func digits(card uint64, n int) string {
	var out strings.Builder
	for i := range n {
		out.WriteByte('0' + byte(card>>i&1))
	}
	return out.String()
}

// wiegandNumber is the number of a card as the profile stores it.
func wiegandNumber(p *profiles.Profile, v uint32) tag.Number {
	size := (p.Wiegand.Number.Bits + 7) / 8
	b := binary.BigEndian.AppendUint64(nil, uint64(v))[8-size:]
	switch p.Canonical.Scheme {
	case profiles.EM4100x24:
		return must(tag.NewNumber(tag.EM4100x24, b))
	case profiles.EM4100x32:
		return must(tag.NewNumber(tag.EM4100x32, b))
	case profiles.UID:
		return must(tag.NewNumber(tag.UID, b))
	}
	return must(tag.NewNumber(tag.Wiegand, append([]byte{byte(p.Wiegand.Bits)}, b...)))
}
