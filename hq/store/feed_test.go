package store

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"foyer/sync/wire"
)

// Records of several lanes come in while somebody reads: everything is told once, each lane in its order, and a number stays what it
// was.
func TestFeedTellsEverythingOnce(t *testing.T) {
	d := open(t)
	const lanes, batches, each = 3, 40, 7
	for i := range lanes {
		if _, err := d.AddShop(t.Context(), Shop{ID: fmt.Sprintf("store-%d", i), NameEN: "x"}, time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	var writers sync.WaitGroup
	for i := range lanes {
		writers.Go(func() {
			for n := range batches {
				b := Batch{Store: fmt.Sprintf("store-%d", i), Epoch: "E", Lane: wire.MainLane, First: uint64(n*each + 1), SentAt: time.Now(), Received: time.Now()}
				for range each {
					b.Records = append(b.Records, wire.NewRecord("x.y", time.Now(), struct{}{}))
				}
				if _, err := d.Ingest(t.Context(), b); err != nil {
					t.Error(err)
				}
			}
		})
	}
	done := make(chan struct{})
	go func() { writers.Wait(); close(done) }()
	seen, places, cursor := map[string]uint64{}, map[uint64]string{}, uint64(0)
	for total := 0; total < lanes*batches*each; {
		if err := d.NumberFeed(t.Context()); err != nil {
			t.Fatal(err)
		}
		all, upto, err := d.Feed(t.Context(), cursor, 13)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range all {
			if x.Number <= cursor || x.Seq != seen[x.Store]+1 {
				t.Fatalf("after %d number %d is %s %d; want %d", cursor, x.Number, x.Store, x.Seq, seen[x.Store]+1)
			}
			cursor, seen[x.Store] = x.Number, x.Seq
			places[x.Number] = fmt.Sprintf("%s/E/main/%d", x.Store, x.Seq)
		}
		if cursor = upto; len(all) == 0 {
			select {
			case <-done:
				if total != lanes*batches*each && upto == 0 {
					t.Fatal("nothing is told")
				}
			default:
			}
		}
		total += len(all)
	}
	<-done
	for n, want := range places {
		if got, head, err := d.FeedPlace(t.Context(), n); got != want || head != lanes*batches*each || err != nil {
			t.Fatalf("number %d is %s of %d, %v; it was %s", n, got, head, err, want)
		}
	}
	if got, _, err := d.FeedPlace(t.Context(), lanes*batches*each+1); got != "" || err != nil {
		t.Errorf("a number that nothing has is %q, %v", got, err)
	}
}

// What will never come leaves no event, and holds up nobody.
func TestFeedGoesOverGaps(t *testing.T) {
	d := open(t)
	if _, err := d.AddShop(t.Context(), Shop{ID: "north", NameEN: "x"}, time.Now()); err != nil {
		t.Fatal(err)
	}
	record := []wire.Record{wire.NewRecord("x.y", time.Now(), struct{}{})}
	for _, b := range []Batch{{First: 1, Records: record}, {First: 9, Records: record, Floor: true}} {
		b.Store, b.Epoch, b.Lane, b.SentAt, b.Received = "north", "E", wire.MainLane, time.Now(), time.Now()
		if _, err := d.Ingest(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		if err := d.NumberFeed(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	all, upto, err := d.Feed(t.Context(), 0, 100)
	if err != nil || len(all) != 2 || all[1].Seq != 9 || upto != all[1].Number {
		t.Fatalf("told are %+v up to %d, %v", all, upto, err)
	}
	if all, again, err := d.Feed(t.Context(), upto, 100); len(all) != 0 || again != upto || err != nil {
		t.Errorf("and then %+v up to %d, %v", all, again, err)
	}
	if err := d.MoveOutlet(t.Context(), "hook", upto, time.Now()); err != nil {
		t.Fatal(err)
	}
	if got, err := d.Outlet(t.Context(), "hook"); got != upto || err != nil {
		t.Errorf("the outlet is at %d, %v", got, err)
	}
}
