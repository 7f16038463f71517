package daemon

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/hex"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"foyer/reader/tag"
	"foyer/shop"
	"foyer/shop/campaign"
	"foyer/shop/member"
	"foyer/shop/presence"
	"foyer/sync/wire"
)

var update = flag.Bool("update", false, "write the day's records to sync/wire/testdata")

const dayFile = "../../sync/wire/testdata/day.jsonl.gz"

// paper is a ledger that keeps the records that would have been journalled.
type paper struct {
	mu      sync.Mutex
	records [][]byte
}

func (p *paper) Record(f shop.Fact, done func(error)) {
	e, err := entryOf(f)
	p.mu.Lock()
	if e.Payload != nil {
		p.records = append(p.records, e.Payload)
	}
	p.mu.Unlock()
	if done != nil {
		go done(err)
	}
}

type nobodyLooks struct{}

func (nobodyLooks) Show(shop.Event) {}

// storeDay plays twelve hours of one shop: members come by the door and the counter, staff take their cards, some use the kiosk,
// strangers pass, a reader fails now and then. It returns the records in the order in which they were made.
func storeDay(t *testing.T, visitors int) [][]byte {
	seed := rand.NewChaCha8([32]byte{4})
	r := rand.New(seed)
	p := &paper{}
	synctest.Test(t, func(t *testing.T) {
		text := func() string {
			const base32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567" // as crypto/rand.Text
			b := make([]byte, 26)
			for i := range b {
				b[i] = base32[r.IntN(32)]
			}
			return string(b)
		}
		// Readers report through the operating system: nothing happens on a whole millisecond.
		pass := func(d time.Duration) { time.Sleep(d + time.Duration(r.Int64N(int64(time.Millisecond)))) }
		var visits []string
		s, err := shop.New(shop.Config{StoreID: "fuxing-road", NewID: func() string { v := text(); visits = append(visits, v); return v },
			Location: time.UTC, Screens: nobodyLooks{}, Ledger: p, Zones: []shop.Zone{
				{Zone: presence.Zone{ID: "door", Role: presence.Entrance, Readers: []string{"door"}}},
				{Zone: presence.Zone{ID: "counter", Role: presence.Counter, Readers: []string{"counter"}, Tap: true}},
				{Zone: presence.Zone{ID: "kiosk", Role: presence.Kiosk, Readers: []string{"pad"}, Tap: true}}}})
		if err != nil {
			t.Fatal(err)
		}
		people := make([]member.Member, 2000)
		for i := range people {
			var id [8]byte
			seed.Read(id[:])
			people[i] = member.Member{ID: member.ID("m-" + hex.EncodeToString(id[:])), Family: "王", Title: member.Ms, Tags: []tag.ID{{0: byte(i >> 8), 1: byte(i), 15: 7}},
				Tier: []string{"", "silver", "gold"}[i%3], Language: []string{"zh-CN", "en"}[i%2],
				Consents: []member.Purpose{member.Recognise, member.GreetByName, member.PublicScreen, member.Marketing}[:1+i%4]}
		}
		book, err := member.NewBook(people)
		if err != nil {
			t.Fatal(err)
		}
		offer := func(id, who string) campaign.Campaign {
			return campaign.Campaign{ID: id, Name: id, Audience: who, Starts: time.Now(), Ends: time.Now().AddDate(0, 1, 0), PerDay: 3, Art: "cup",
				Content: map[string]campaign.Content{"en": {Title: "Tea", Text: "Tea"}, "zh-CN": {Title: "茶", Text: "茶"}}}
		}
		offers, err := campaign.Compile([]campaign.Campaign{offer("c20260601-k2p4q", "true"), offer("c20260614-7mzxa", `member.tier == "gold"`), offer("c20260610-bw3he", `member.tier == "silver"`)})
		if err != nil {
			t.Fatal(err)
		}
		s.SetMembers(book)
		s.SetCampaigns(offers)
		ctx, cancel := context.WithCancel(context.Background())
		var running, staff sync.WaitGroup
		running.Go(func() { s.Run(ctx) })
		pass(9 * time.Hour)
		read := func(id tag.ID, reader string, times int) {
			for range times {
				s.Read(tag.Read{ID: id, At: time.Now(), Reader: reader, RSSI: -50, HasRSSI: reader == "door"})
				pass(100 * time.Millisecond)
			}
		}
		for n := range visitors {
			pass(time.Duration(r.ExpFloat64() * float64(12*time.Hour) / float64(visitors)))
			who := people[r.IntN(len(people))].Tags[0]
			before := len(visits)
			switch r.IntN(3) {
			case 0:
				read(who, "counter", 1)
			default:
				read(who, "door", 5)
			}
			synctest.Wait()
			if len(visits) > before && r.IntN(10) < 6 {
				by, visit, first, then := []string{"LX", "Zhou", "WM"}[r.IntN(3)], visits[before], time.Duration(r.IntN(90))*time.Second, time.Duration(r.IntN(600))*time.Second
				staff.Go(func() {
					time.Sleep(first)
					s.Claim(ctx, visit, by)
					time.Sleep(then)
					s.Serve(ctx, visit, by)
				})
			}
			if r.IntN(5) == 0 {
				s.KioskUsed(ctx, shop.Session{Visit: "", Language: "zh-CN", Started: time.Now().Add(-time.Duration(20+r.IntN(200)) * time.Second), Ended: time.Now(), Taps: r.IntN(40), End: "idle"})
			}
			for range r.IntN(4) {
				var stranger tag.ID
				seed.Read(stranger[:])
				read(stranger, "door", 5)
			}
			if n%150 == 149 {
				s.ReaderOnline("counter", false, "unplugged", time.Now())
				pass(40 * time.Second)
				s.ReaderOnline("counter", true, "", time.Now())
			}
		}
		pass(2 * time.Hour)
		staff.Wait()
		cancel()
		running.Wait()
	})
	return p.records
}

// A day as the shop's rules make it today still fits the dictionary: at most 45 bytes an event when it catches up.
func TestADayIsShortOnTheWire(t *testing.T) {
	day := storeDay(t, 700)
	kinds := map[wire.Kind]int{}
	for _, payload := range day {
		r, err := wire.DecodeRecord(payload)
		if err != nil {
			t.Fatal(err)
		}
		kinds[r.Kind]++
	}
	t.Logf("%d records: %v", len(day), kinds)
	if *update {
		writeDay(t, day)
	}
	bytes := 0
	for first := 0; first < len(day); first += 250 {
		b := wire.Batch{Epoch: "K4ZTQ2M7WYB3XJ5RLPN6DHVCGA", Lane: wire.MainLane, First: uint64(first + 1), SentAt: time.Now()}
		for _, payload := range day[first:min(first+250, len(day))] {
			b.Records = append(b.Records, payload)
		}
		data, err := wire.EncodeBatch(b)
		if err != nil {
			t.Fatal(err)
		}
		bytes += len(data) + 300 // what MQTT, TLS and the answers add: see package wire
	}
	if each := float64(bytes) / float64(len(day)); each > 45 || len(kinds) < 7 {
		t.Errorf("%.1f bytes an event, want at most 45", each)
	}
}

func writeDay(t *testing.T, day [][]byte) {
	f, err := os.Create(dayFile)
	if err != nil {
		t.Fatal(err)
	}
	z, _ := gzip.NewWriterLevel(f, gzip.BestCompression)
	w := bufio.NewWriter(z)
	for _, payload := range day {
		fmt.Fprintf(w, "%s\n", payload)
	}
	for _, err := range []error{w.Flush(), z.Close(), f.Close()} {
		if err != nil {
			t.Fatal(err)
		}
	}
}
