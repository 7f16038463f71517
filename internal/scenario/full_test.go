package scenario

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"foyer/firmware-profiles"
	"foyer/internal/trace"
	"foyer/reader"
	"foyer/reader/tag"
	"foyer/shop"
	"foyer/shop/member"
	"foyer/shop/presence"
)

// full is a day with a reader of every kind at once: what happens is bytes and edges on their lines, and what the shop
// records is held against who really came.
type full struct {
	tb      testing.TB
	begun   time.Time
	devices map[string]*device // by the profile's id, which is the reader's and the zone's name too
	plans   []act
	truth   trace.Trace
	members []member.Member
	names   map[tag.ID]string
	reads   chan tag.Read
	health  map[string]reader.Health // at the end
	ledger

	tracker *presence.Tracker // beside the shop's: visits hide what it flaps
	decided []trace.Decision
	nobody  map[string]int    // arrivals of tags that nobody has, by zone
	typed   map[string]string // keys pressed, by reader
	mu      sync.Mutex
	heard   map[string]string // keys heard
}

// act is something that people do at a time.
type act struct {
	at time.Duration
	do func(context.Context)
}

// ledger keeps the facts.
type ledger struct {
	mu      sync.Mutex
	started []shop.VisitStarted
	ended   map[string]time.Duration // when visits were over, by id
	decided map[string]int           // greetings decided, by visit
	greeted int                      // said on screens
}

// Record implements shop.Ledger.
func (l *ledger) Record(f shop.Fact, done func(error)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch b := f.Body.(type) {
	case shop.VisitStarted:
		l.started = append(l.started, b)
	case shop.VisitEnded:
		l.ended[b.Visit] = b.Stayed
	case shop.GreetingDecided:
		l.decided[b.Visit]++
	}
	if done != nil {
		go done(nil)
	}
}

// Show implements shop.Screens.
func (l *ledger) Show(e shop.Event) {
	if _, ok := e.(shop.Greeted); ok {
		l.mu.Lock()
		l.greeted++
		l.mu.Unlock()
	}
}

// What a day is made of. A member is away for long enough that the visit before is over.
const (
	fullGap     = 3 * time.Minute // the shop's: out of sight for longer ends a visit
	fullMembers = 16              // a reader
	near, far   = -50, -78        // dBm
)

// playFull plays a day of so long and returns it when everybody has left.
func playFull(t *testing.T, seed uint64, long time.Duration) *full {
	f := &full{tb: t, devices: map[string]*device{}, names: map[tag.ID]string{},
		health: map[string]reader.Health{}, nobody: map[string]int{}, typed: map[string]string{}, heard: map[string]string{},
		ledger: ledger{ended: map[string]time.Duration{}, decided: map[string]int{}}}
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(9 * time.Hour)
		f.begun, f.reads = time.Now(), make(chan tag.Read, 256)
		f.plan(rand.New(rand.NewPCG(seed, 9)), long)
		f.open(t.Context())
	})
	return f
}

var fullSecret = bytes.Repeat([]byte{7}, 32)

// plan decides who comes when to which reader.
func (f *full) plan(random *rand.Rand, long time.Duration) {
	key := must(tag.NewKey(fullSecret))
	for i, p := range profiles.Builtin() {
		d := deviceOf(p, uint32(i+1))
		if d == nil {
			f.tb.Fatalf("the day has no reader of the profile %s", p.ID)
		}
		f.devices[p.ID] = d
		if d.number != nil {
			f.enrol(key, d)
			if d.many {
				f.shoppers(random, d, long)
			} else {
				f.tappers(random, d, long)
			}
		}
		f.disturb(random, d, long)
	}
	slices.SortStableFunc(f.plans, func(a, b act) int { return int(a.at - b.at) })
	slices.SortStableFunc(f.truth, func(a, b trace.Entry) int { return int(a.At - b.At) })
}

func memberOf(d *device, card uint32) string { return fmt.Sprintf("%s.%d", d.profile.ID, card) }

// enrol gives the chain twice as many members as come: the rest only pass, and must never be greeted.
func (f *full) enrol(key *tag.Key, d *device) {
	for card := range uint32(2 * fullMembers) {
		id := key.ID(d.number(card))
		f.names[id] = memberOf(d, card)
		f.members = append(f.members, member.Member{ID: member.ID(memberOf(d, card)), Family: "王", Title: member.Ms, Language: "zh-CN", Tags: []tag.ID{id},
			Consents: []member.Purpose{member.Recognise, member.GreetByName, member.PublicScreen}})
	}
}

func (f *full) at(at time.Duration, do func(context.Context)) { f.plans = append(f.plans, act{at, do}) }

// stay is a member who really comes and really goes.
func (f *full) stay(d *device, card uint32, at, until time.Duration) {
	f.at(at-d.lead, func(ctx context.Context) { d.near(ctx, card, near) })
	if d.away != nil {
		f.at(until, func(context.Context) { d.away(card) })
	}
	f.truth = append(f.truth, trace.Entry{At: at, Kind: trace.Arrived, Zone: d.profile.ID, Tag: memberOf(d, card)},
		trace.Entry{At: until, Kind: trace.Left, Zone: d.profile.ID, Tag: memberOf(d, card)})
}

// tappers hold one card after the other to a reader, and now and then one whose bits the wire turns.
func (f *full) tappers(random *rand.Rand, d *device, long time.Duration) {
	for at, n := seconds(5, 20, random), uint32(0); at < long; at, n = at+seconds(15, 25, random), n+1 {
		until := at
		if d.away != nil {
			until += seconds(1, 4, random)
		}
		f.stay(d, n%fullMembers, at, until)
		if d.spoil != nil && n%4 == 0 {
			f.at(at+8*time.Second, func(context.Context) { go d.spoil(fullMembers + n%fullMembers) })
		}
	}
}

// shoppers come and stay for a while, several at once; others pass by outside.
func (f *full) shoppers(random *rand.Rand, d *device, long time.Duration) {
	for card := range uint32(fullMembers) {
		for at := seconds(5, 300, random); at < long; {
			until := at + seconds(10, 90, random)
			f.stay(d, card, at, until)
			at = until + fullGap + seconds(60, 240, random)
		}
	}
	for at, n := seconds(5, 20, random), uint32(0); d.dBm && at < long; at, n = at+seconds(5, 15, random), n+1 {
		card := fullMembers + n%fullMembers
		f.at(at, func(ctx context.Context) { d.near(ctx, card, far) })
		f.at(at+4*time.Second, func(context.Context) { d.away(card) })
		f.truth = append(f.truth, trace.Entry{At: at, Kind: trace.Read, Reader: d.profile.ID, Tag: memberOf(d, card)})
	}
}

func seconds(from, to float64, random *rand.Rand) time.Duration {
	return time.Duration((from + random.Float64()*(to-from)) * float64(time.Second)).Round(time.Millisecond)
}

// disturb says noise on the line between two cards, presses keys, and lets readers do what readers do.
func (f *full) disturb(random *rand.Rand, d *device, long time.Duration) {
	for at := time.Minute; at < long; at += time.Minute {
		if d.noise != nil && f.free(d, at) {
			b := make([]byte, 1+random.IntN(12))
			for i := range b {
				b[i] = byte(random.Uint32())
			}
			f.at(at, func(context.Context) { d.noise(b) })
		}
		if d.keys != nil {
			pin := fmt.Sprintf("%04d#", random.IntN(10_000))
			f.typed[d.profile.ID] += pin
			f.at(at, func(context.Context) { go d.keys(pin) })
		}
		if d.trouble != nil && at%(20*time.Minute) == 10*time.Minute {
			f.at(at+30*time.Second, func(context.Context) { d.trouble() })
		}
	}
}

// free reports whether nobody taps around a time: a card that is shown once and meets noise is lost for anybody.
func (f *full) free(d *device, at time.Duration) bool {
	return d.many || !slices.ContainsFunc(f.truth, func(e trace.Entry) bool {
		return e.Zone == d.profile.ID && e.At > at-time.Second && e.At < at+time.Second
	})
}

// open runs the shop, its readers and the day.
func (f *full) open(ctx context.Context) {
	zones := f.zones()
	s := must(shop.New(shop.Config{StoreID: "s1", StoreName: shop.Text{"en": "Lakeside"}, Zones: zones, Times: shop.Times{Gap: fullGap},
		Location: time.UTC, Screens: &f.ledger, Ledger: &f.ledger}))
	s.SetMembers(must(member.NewBook(f.members)))
	var plain []presence.Zone
	for _, z := range zones {
		plain = append(plain, z.Zone)
	}
	f.tracker = must(presence.New(presence.Config{Zones: plain}))
	inner, cancel := context.WithCancel(ctx)
	var all sync.WaitGroup
	all.Go(func() { check(s.Run(inner)) })
	all.Go(func() { f.tee(inner, s) })
	for _, id := range slices.Sorted(maps.Keys(f.devices)) {
		f.plugIn(inner, &all, f.devices[id], s)
	}
	for _, a := range f.plans {
		time.Sleep(a.at - time.Since(f.begun))
		a.do(inner)
	}
	time.Sleep(fullGap + presence.DefaultGrace + time.Minute) // everybody has left
	synctest.Wait()
	cancel()
	all.Wait()
}

func (f *full) zones() (zones []shop.Zone) {
	for _, id := range slices.Sorted(maps.Keys(f.devices)) {
		d := f.devices[id]
		z := presence.Zone{ID: id, Role: presence.Counter, Readers: []string{id}, Report: presence.Report(d.profile.Report), Tap: !d.many}
		if d.many {
			z.Role = presence.Entrance
		}
		zones = append(zones, shop.Zone{Zone: z})
	}
	return zones
}

func (f *full) plugIn(ctx context.Context, all *sync.WaitGroup, d *device, s *shop.Shop) {
	id := d.profile.ID
	c := reader.Config{Name: id, Profile: d.profile, Port: d.port, Secret: fullSecret, Log: slog.New(slog.DiscardHandler),
		Keys: func(k reader.Key) {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.heard[id] += string(k.Key)
		}}
	d.plug(&c)
	r := must(reader.New(c))
	if d.run != nil {
		all.Go(func() { check(d.run(ctx)) })
		synctest.Wait()
	}
	all.Go(func() {
		check(r.Run(ctx, f.reads, func(h reader.Health) { s.ReaderOnline(id, h.Online, h.Why, h.At) }))
		f.mu.Lock()
		defer f.mu.Unlock()
		f.health[id] = r.Health()
	})
}

// tee gives every read to the shop, and to a tracker of its own.
func (f *full) tee(ctx context.Context, s *shop.Shop) {
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			f.tracker.Tick(time.Now(), f.decide)
		case r := <-f.reads:
			s.Read(r)
			f.tracker.Read(r, f.decide)
		}
	}
}

// decide notes when the tracker was told what made it decide: a Wiegand card's time is its last bit's, 30 ms before.
func (f *full) decide(e presence.Event) {
	now := time.Since(f.begun)
	switch e := e.(type) {
	case presence.Arrived:
		if f.names[e.ID] == "" {
			f.nobody[e.Zone]++
			return
		}
		f.decided = append(f.decided, trace.Decision{At: now, Kind: trace.Arrived, Zone: e.Zone, Tag: f.names[e.ID]})
	case presence.Left:
		f.decided = append(f.decided, trace.Decision{At: now, Kind: trace.Left, Zone: e.Zone, Tag: f.names[e.ID]})
	}
}
