package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"foyer/hq"
	"foyer/hq/broker"
	"foyer/hq/store"
	"foyer/sync/journal"
	"foyer/sync/line"
	"foyer/sync/uplink"
	"foyer/sync/wire"
)

// BenchmarkToHeadquarters is how fast a week goes from a store's journal to headquarters' disk where no line is in the way, all in one
// process so that -cpuprofile tells where the time goes; and, in the same run, what its parts would take alone.
func BenchmarkToHeadquarters(b *testing.B) {
	week := records(b, aWeek)
	for _, part := range []struct {
		name string
		run  func(*testing.B, []event) time.Duration
	}{{"whole", toHeadquarters}, {"read-the-journal", readJournal}, {"pack-and-unpack", packAndUnpack}, {"store-with-SQLite", ingestAlone}} {
		b.Run(part.name, func(b *testing.B) {
			var best time.Duration
			for b.Loop() {
				if took := part.run(b, week); best == 0 || took < best {
					best = took
				}
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(float64(len(week))/best.Seconds(), "events/s")
		})
	}
}

// toHeadquarters is all of it: journal, uplink, line, broker, headquarters, SQLite.
func toHeadquarters(b *testing.B, week []event) time.Duration {
	path := filepath.Join(b.TempDir(), "journal.db")
	remember(b, path, week)
	quiet := slog.New(slog.DiscardHandler)
	h, err := hq.Open(hq.Config{Dir: b.TempDir(), Chain: chain, Log: quiet})
	must(b, err)
	_, err = h.AddStore(b.Context(), "north", "north", "north")
	must(b, err)
	at, err := broker.Listen(broker.EmbeddedConfig{Chain: chain, Auth: func(string, string) bool { return true }})
	must(b, err)
	j, err := journal.Open(path, journal.Options{})
	must(b, err)
	l := line.New(line.Config{URL: at.URL(), ClientID: "north", Username: "north"})
	u := uplink.New(uplink.Config{Place: wire.Place{Chain: chain, Store: "north"}, Journal: j, Pipe: l, Held: l.Held, Log: quiet})
	began := time.Now()
	stop := together(b, func(ctx context.Context) error { return h.Run(ctx, at) }, u.Run, l.Run)
	ended := together(b, j.Run)
	for lane, all := range lanes(week) {
		waitFor(b, "headquarters has lane "+lane, time.Millisecond, func() error {
			if n := j.Cursor(lane, uplink.CursorName); n < uint64(len(all)) {
				return fmt.Errorf("%d of %d", n, len(all))
			}
			return nil
		})
	}
	took := time.Since(began)
	stop()
	ended()
	must(b, j.Close())
	must(b, h.Close())
	return took
}

// together runs parts until stop.
func together(t testing.TB, parts ...func(context.Context) error) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	for _, run := range parts {
		all.Go(func() {
			if err := run(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	return func() { cancel(); all.Wait() }
}

func readJournal(b *testing.B, week []event) time.Duration {
	path := filepath.Join(b.TempDir(), "journal.db")
	remember(b, path, week)
	j, err := journal.Open(path, journal.Options{})
	must(b, err)
	defer j.Close()
	began := time.Now()
	for lane, all := range lanes(week) {
		for next := uint64(1); next <= uint64(len(all)); {
			got, err := j.Read(lane, next, batch, 128<<10)
			must(b, err)
			next = got[len(got)-1].Seq + 1
		}
	}
	return time.Since(began)
}

// batches is the week as uplink sends it.
func batches(week []event) (all []wire.Batch) {
	for lane, records := range lanes(week) {
		for first := 0; first < len(records); first += batch {
			all = append(all, wire.Batch{Epoch: "K4ZTQ2M7WYB3XJ5RLPN6DHVCGA", Lane: lane, First: uint64(first + 1), Schema: wire.Schema, Head: uint64(len(records)),
				SentAt: time.Now().UTC(), Records: append([]json.RawMessage(nil), records[first:min(first+batch, len(records))]...)})
		}
	}
	return all
}

func packAndUnpack(b *testing.B, week []event) time.Duration {
	all := batches(week)
	began := time.Now()
	for _, one := range all {
		data, err := wire.EncodeBatch(one)
		must(b, err)
		_, err = wire.DecodeBatch(data)
		must(b, err)
	}
	return time.Since(began)
}

func ingestAlone(b *testing.B, week []event) time.Duration {
	db, err := store.Open(filepath.Join(b.TempDir(), "hq.db"))
	must(b, err)
	defer db.Close()
	_, err = db.AddShop(b.Context(), store.Shop{ID: "north"}, time.Now())
	must(b, err)
	all := batches(week)
	began := time.Now()
	for _, one := range all {
		_, err := db.Ingest(b.Context(), store.NewBatch("north", one, time.Now()))
		must(b, err)
	}
	return time.Since(began)
}
