package sim

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"foyer/hq"
	"foyer/hq/broker"
	"foyer/shop/campaign"
	"foyer/sync/wire"
)

const generous = 60 * time.Second // waited out only by a test that fails

// Played stores tell and answer what real ones would, whatever one among them does that never reads.
func TestPlayedStoresAreTakenForRealOnes(t *testing.T) {
	h, err := hq.Open(hq.Config{Dir: t.TempDir(), Chain: "harbour", TagSecret: bytes.Repeat([]byte{7}, 32), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	b, err := broker.Listen(broker.EmbeddedConfig{Chain: "harbour", Auth: func(string, string) bool { return true }})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var all sync.WaitGroup
	all.Go(func() {
		if err := h.Run(ctx, b); err != nil {
			t.Error(err)
		}
	})
	<-h.Ready()
	id, key := h.PublicKey()
	tally := NewTally()
	for i := range 4 {
		place := wire.Place{Chain: "harbour", Store: fmt.Sprint("s", i)}
		if _, err := h.AddStore(ctx, place.Store, place.Store, place.Store); err != nil {
			t.Fatal(err)
		}
		c := Config{Place: place, Broker: b.URL(), Keys: map[string]ed25519.PublicKey{id: key}, Rate: 50, Full: i == 1, Tally: tally}
		if i == 3 {
			all.Go(func() { Stall(ctx, c) })
			continue
		}
		all.Go(func() { New(c).Run(ctx) })
	}
	wait := func(what string, there func() bool) {
		t.Helper()
		if !eventually(there) {
			t.Fatalf("waited in vain until %s: %+v", what, tally.Counts())
		}
	}
	wait("all are there", func() bool { return tally.Counts().Up == 3 })
	words := campaign.Content{Title: "Tea", Text: "Tea", Talk: "Tea"}
	c := campaign.Campaign{ID: "tea", Name: "Tea", Audience: "false", Starts: time.Now(), Ends: time.Now().Add(time.Hour), Art: campaign.Arts[0],
		Content: map[string]campaign.Content{"en": words, "zh-CN": words}}
	before, _ := tally.Newest(wire.Campaigns)
	if err := h.SaveCampaign(ctx, c); err != nil {
		t.Fatal(err)
	}
	if err := h.PushCampaign(ctx, "tea"); err != nil {
		t.Fatal(err)
	}
	wait("all have applied the campaign", func() bool {
		v, took := tally.Newest(wire.Campaigns)
		return v > before && took.Seen() == 3 && took.Quantile(50) > 0
	})
	wait("much is durable", func() bool { return tally.Counts().Durable > 1000 })
	told := tally.Counts().Durable
	if n, err := h.DB().RecordCount(ctx, ""); err != nil || n < told {
		t.Errorf("headquarters has %d records, %v, and has acknowledged %d", n, err, told)
	}
	stop()
	all.Wait()
	if err := h.Close(); err != nil {
		t.Error(err)
	}
}

func eventually(there func() bool) bool {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(generous); !there(); <-tick.C {
		if time.Now().After(end) {
			return false
		}
	}
	return true
}

func TestOutbox(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o, now := &outbox{first: 1}, time.Unix(0, 0)
		made, taken := 0, uint64(0)
		t.Repeat(map[string]func(*rapid.T){
			"add": func(*rapid.T) { made++; o.add(fmt.Append(nil, made), now) },
			"send": func(t *rapid.T) {
				records, first := o.next()
				for i, r := range records {
					if string(r) != fmt.Sprint(first+uint64(i)) {
						t.Fatalf("record %d is %s", first+uint64(i), r)
					}
				}
				o.went(len(records), now)
				if o.sent > maxFlight {
					t.Fatalf("%d are on their way", o.sent)
				}
			},
			"hear": func(t *rapid.T) {
				upto := rapid.Uint64Range(0, uint64(made)+2).Draw(t, "upto")
				n := uint64(0)
				o.heard(upto, func(time.Time) { n++ })
				if taken += n; n > 0 && taken != upto {
					t.Fatalf("%d were acknowledged, %d were taken off", upto, taken)
				}
			},
			"rewind": func(*rapid.T) { o.rewind() },
			"": func(t *rapid.T) {
				if o.last() != uint64(made) || o.sent > len(o.waiting) {
					t.Fatalf("%d were made, the last is %d; %d of %d on their way", made, o.last(), o.sent, len(o.waiting))
				}
			},
		})
	})
}

func TestASampleKeepsItsBounds(t *testing.T) {
	var s Sample
	if s.Quantile(99) != 0 {
		t.Error("a quantile of nothing")
	}
	for i := range 3 * maxSamples {
		s.add(time.Duration(i))
	}
	if m := s.Quantile(50); len(s.all) != maxSamples || s.Seen() != 3*maxSamples || m < maxSamples || m > 2*maxSamples {
		t.Errorf("%d of %d kept, the middle is %d", len(s.all), s.Seen(), m)
	}
}
