package scenario

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"foyer/reader/tag"
	"foyer/shop"
	"foyer/shop/campaign"
	"foyer/shop/member"
	"foyer/shop/presence"
	"foyer/shop/visit"

	"github.com/google/go-cmp/cmp"
)

// Day is one day in one shop: a door with two UHF antennas' worth of one reader, a kiosk with a pad, an exit.
type Day struct {
	t     *testing.T
	shop  *shop.Shop
	stop  func()
	visit int // numbers the visits' ids
	*diary
}

// diary is both the screens and the ledger: it writes down what they are told, in order.
type diary struct {
	mu     sync.Mutex
	lines  []string
	stored map[string][]byte // histories, as JSON
	inside []byte            // who is in the shop, as it was kept last
	power  bool
	full   error // the journal's answer
}

// play tells a story. The bubble's day begins at midnight of 1 January 2000, a Saturday, UTC.
func play(t *testing.T, story func(d *Day)) {
	synctest.Test(t, func(t *testing.T) {
		d := &Day{t: t, diary: &diary{stored: map[string][]byte{}}}
		time.Sleep(8*time.Hour + 30*time.Minute) // before opening there is nothing to see
		d.Starts()
		story(d)
		d.Stops()
	})
}

var zones = []shop.Zone{
	{Zone: presence.Zone{ID: "door", Role: presence.Entrance, Readers: []string{"door"}}},
	{Zone: presence.Zone{ID: "desk", Role: presence.Kiosk, Readers: []string{"pad"}, Tap: true}},
	{Zone: presence.Zone{ID: "out", Role: presence.Exit, Readers: []string{"out"}, Tap: true}},
}

// everybody by the number of their card.
var everybody = []member.Member{
	{ID: "anna", Family: "王", Given: "安娜", Title: member.Ms, Tier: "gold", Language: "zh-CN",
		Consents: []member.Purpose{member.Recognise, member.GreetByName, member.PublicScreen, member.Marketing}},
	{ID: "bob", Family: "Smith", Given: "Bob", Title: member.Mr, Language: "en",
		Consents: []member.Purpose{member.Recognise, member.GreetByName}},
	{ID: "quiet", Family: "李", Title: member.Mr, NoGreeting: true,
		Consents: []member.Purpose{member.Recognise, member.GreetByName, member.PublicScreen}},
}

var cards = map[string]tag.ID{"anna": {15: 1}, "anna's fob": {15: 2}, "bob": {15: 3}, "quiet": {15: 4}}

func people(change ...func(*member.Member)) []member.Member {
	var out []member.Member
	for _, m := range everybody {
		m.Tags = []tag.ID{cards[string(m.ID)]}
		if m.ID == "anna" {
			m.Tags = append(m.Tags, cards["anna's fob"])
		}
		for _, f := range change {
			f(&m)
		}
		out = append(out, m)
	}
	return out
}

// Starts opens the shop with what is stored.
func (d *Day) Starts() {
	d.t.Helper()
	var hs []visit.History
	for _, data := range d.stored {
		var h visit.History
		if err := json.Unmarshal(data, &h); err != nil {
			d.t.Fatal(err)
		}
		hs = append(hs, h)
	}
	s, err := shop.New(shop.Config{
		StoreID: "s1", StoreName: shop.Text{"en": "Lakeside"}, Zones: zones, Histories: hs, Location: time.UTC, Screens: d.diary, Ledger: d.diary,
		Presence: d.inside, KeepPresence: d.keepInside,
		NewID: func() string { d.visit++; return fmt.Sprintf("v%d", d.visit) },
	})
	if err != nil {
		d.t.Fatal(err)
	}
	d.shop, d.power = s, true
	d.Members(people()...)
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := s.Run(ctx); err != nil {
			d.t.Error(err)
		}
	})
	d.stop = func() { cancel(); wg.Wait() }
	synctest.Wait()
}

// Stops ends the program in good order.
func (d *Day) Stops() { d.stop() }

// Killed ends it as a power cut does: nothing more is stored.
func (d *Day) Killed() {
	synctest.Wait()
	d.mu.Lock()
	d.power = false
	d.mu.Unlock()
	d.stop()
}

// Members puts members in force.
func (d *Day) Members(ms ...member.Member) {
	d.t.Helper()
	b, err := member.NewBook(ms)
	if err != nil {
		d.t.Fatal(err)
	}
	d.shop.SetMembers(b)
	synctest.Wait()
}

// Campaigns puts campaigns in force as the downlink does: a broken set is refused and the old one stays.
func (d *Day) Campaigns(cs ...campaign.Campaign) error {
	set, err := campaign.Compile(cs)
	if err == nil {
		d.shop.SetCampaigns(set)
		synctest.Wait()
	}
	return err
}

// At lets time pass until a time of the day; minutes may go beyond 59 and have fractions.
func (d *Day) At(hour int, minute float64) *Day {
	d.t.Helper()
	then := time.Date(2000, 1, 1, hour, 0, 0, 0, time.UTC).Add(time.Duration(minute * float64(time.Minute)))
	if wait := time.Until(then); wait > 0 {
		time.Sleep(wait)
	}
	synctest.Wait()
	return d
}

// Reads makes a reader hear a card: a tap reader once, a UHF reader five times in half a second, well and near.
func (d *Day) Reads(card, reader string) *Day {
	if reader != "door" {
		d.read(card, reader, 0, false)
		return d
	}
	for range 5 {
		d.read(card, reader, -50, true)
		time.Sleep(100 * time.Millisecond)
	}
	return d
}

func (d *Day) read(card, reader string, rssi tag.RSSI, has bool) {
	id, ok := cards[card]
	if !ok {
		copy(id[:], card)
	}
	d.shop.Read(tag.Read{ID: id, At: time.Now(), Reader: reader, RSSI: rssi, HasRSSI: has})
	synctest.Wait()
}

// Reader makes a reader come or go.
func (d *Day) Reader(name string, online bool) {
	d.shop.ReaderOnline(name, online, "unplugged", time.Now())
	synctest.Wait()
}

// Want compares all that happened since the last Want.
func (d *Day) Want(lines ...string) {
	d.t.Helper()
	synctest.Wait()
	d.mu.Lock()
	defer d.mu.Unlock()
	if diff := cmp.Diff(strings.Join(lines, "\n"), strings.Join(d.lines, "\n")); diff != "" {
		d.t.Errorf("at %s: want (-), got (+):\n%s", time.Now().UTC().Format("15:04:05"), diff)
	}
	d.lines = nil
}

// Last is the latest thing that happened.
func (d *Day) Last() string {
	synctest.Wait()
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.lines[len(d.lines)-1]
}

// Forgets lets what happened pass without a Want.
func (d *Day) Forgets() {
	synctest.Wait()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lines = nil
}

// Answers is what the journal says to whatever it is given from now on.
func (d *Day) Answers(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.full = err
}

func (y *diary) write(format string, args ...any) {
	y.lines = append(y.lines, fmt.Sprintf(format, args...))
}

// Show is the screens.
func (y *diary) Show(e shop.Event) {
	y.mu.Lock()
	defer y.mu.Unlock()
	switch e := e.(type) {
	case shop.Greeted:
		y.write("%s: %s", e.Face, e.Headline["en"])
	case shop.Left:
		y.write("screens: %s leaves", e.Visit)
	case shop.CardChanged:
		by := ""
		if e.Card.By != "" {
			by = " by " + e.Card.By
		}
		y.write("card %s: %s, %s%s", e.Card.Visit, e.Card.Name["en"], e.Card.State, by)
	case shop.ShowcaseChanged:
		var ids []string
		for _, o := range e.Offers {
			ids = append(ids, o.Campaign)
		}
		y.write("showcase: %s", strings.Join(ids, " "))
	case shop.StrangersCounted:
		y.write("screens: %d strangers", e.Count)
	}
}

// errCut is what a journal without power answers.
var errCut = errors.New("no power")

// Record is the ledger. It answers later, from another goroutine, as a journal does.
func (y *diary) Record(f shop.Fact, done func(error)) {
	y.mu.Lock()
	defer y.mu.Unlock()
	err := y.full
	switch {
	case !y.power:
		err = errCut
	case err == nil:
		y.keep(f)
	}
	if done != nil {
		go done(err)
	}
}

func (y *diary) keepInside(snapshot []byte) {
	y.mu.Lock()
	defer y.mu.Unlock()
	if y.power {
		y.inside = snapshot
	}
}

func (y *diary) keep(f shop.Fact) {
	if f.State != nil {
		data, err := json.Marshal(f.State)
		if err != nil {
			panic(err)
		}
		y.stored[string(f.State.Member)] = data
	}
	switch b := f.Body.(type) {
	case shop.VisitStarted:
		y.write("record: %s %s started, no. %d", b.Visit, b.Member, b.Nth)
	case shop.VisitEnded:
		y.write("record: %s %s ended after %v", b.Visit, b.Member, b.Stayed.Round(time.Second))
	case shop.GreetingDecided:
		y.write("record: %s decided in %s, named %v, offer %q", b.Visit, b.Zone, b.Named, b.Campaign)
	case shop.CardClaimed:
		y.write("record: %s claimed by %s after %v", b.Visit, b.By, b.Waited.Round(time.Second))
	case shop.CardReleased:
		y.write("record: %s released by %s", b.Visit, b.By)
	case shop.CardServed:
		y.write("record: %s served by %s", b.Visit, b.By)
	case shop.StrangersPassed:
		y.write("record: %d strangers at the %s", b.Count, b.Zone)
	case shop.KioskUsed:
		y.write("record: kiosk used for %v, %d taps", b.Used, b.Taps)
	case shop.ReaderChanged:
		y.write("record: reader %s online %v", b.Reader, b.Online)
	}
}
