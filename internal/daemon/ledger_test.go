package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"foyer/shop"
	"foyer/shop/visit"
	"foyer/sync/journal"
	"foyer/sync/wire"
)

// newTestSafe is a safe with keys of its own.
func newTestSafe(t testing.TB, j *journal.Journal) *safe {
	t.Helper()
	c := &Config{Data: t.TempDir()}
	v, err := c.openVault(slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { v.Close() })
	s, err := newSafe(v, j, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// begin opens a journal with a ledger before it. end stops the writers and may be called once.
func begin(t *testing.T, options journal.Options) (j *journal.Journal, l *ledger, end func()) {
	t.Helper()
	j, err := journal.Open(filepath.Join(t.TempDir(), "journal.db"), options)
	if err != nil {
		t.Fatal(err)
	}
	l = newLedger(newTestSafe(t, j), slog.New(slog.DiscardHandler))
	ctx, stop := context.WithCancel(t.Context())
	journalCtx, stopJournal := context.WithCancel(context.Background())
	var ledgerDone, journalDone sync.WaitGroup
	journalDone.Go(func() { j.Run(journalCtx) })
	ledgerDone.Go(func() { l.Run(ctx) })
	end = sync.OnceFunc(func() {
		stop()
		ledgerDone.Wait()
		stopJournal()
		journalDone.Wait()
	})
	t.Cleanup(func() { end(); j.Close() })
	return j, l, end
}

func TestFactsBecomeRecordsInOrder(t *testing.T) {
	j, l, _ := begin(t, journal.Options{})
	at := time.Date(2026, 6, 14, 10, 24, 0, 0, time.UTC)
	history := visit.History{Member: "m-1", Count: 3}
	l.Record(shop.Fact{At: at, Body: shop.VisitStarted{Visit: "v1", Member: "m-1", Zone: "door", Nth: 3}, State: &history}, nil)
	l.Record(shop.Fact{At: at, State: &history}, nil) // state alone is no record
	done := make(chan error, 1)
	l.Record(shop.Fact{At: at, Body: shop.CardClaimed{Visit: "v1", By: "Zhou", Waited: 14 * time.Second}}, func(err error) { done <- err })
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	records, err := j.Read(wire.MainLane, 1, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range records {
		record, err := wire.DecodeRecord(l.safe.open(r.Payload))
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprintf("%d %s %s", r.Seq, record.Kind, record.Body))
	}
	want := []string{
		`1 visit.started {"visit":"v1","member":"m-1","zone":"door","nth":3}`,
		`2 reception.claimed {"visit":"v1","by":"Zhou","waited_seconds":14}`,
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
	past, err := l.safe.histories()
	if err != nil || len(past) != 1 || past[0].Count != 3 {
		t.Errorf("histories: %+v, %v", past, err)
	}
}

// A journal that is full refuses; what happens then is held in memory, in order, and written when there is room again.
func TestNothingIsLostWhileTheDiskRefuses(t *testing.T) {
	j, l, _ := begin(t, journal.Options{MaxBytes: 1 << 20})
	if err := j.MoveCursor(t.Context(), wire.MainLane, "hq", 0); err != nil { // holds everything back from being pruned
		t.Fatal(err)
	}
	for _, size := range []int{1 << 10, 16} { // to the last byte: a fact is small
		for {
			_, err := j.Append(t.Context(), journal.Entry{Lane: wire.MainLane, Payload: make([]byte, size)})
			if errors.Is(err, journal.ErrFull) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	full := j.Last(wire.MainLane)
	for i := range 50 {
		l.Record(shop.Fact{At: time.Now(), Body: shop.CardClaimed{Visit: "v1", By: "Zhou", Waited: time.Duration(i+1) * time.Second}}, nil)
	}
	refused := make(chan error, 1)
	l.Record(shop.Fact{At: time.Now(), Body: shop.CardServed{Visit: "v1", By: "Zhou"}}, func(err error) { refused <- err })
	if err := <-refused; !errors.Is(err, journal.ErrFull) {
		t.Fatalf("who waits for the disk was told %v, want %v", err, journal.ErrFull)
	}
	if l.Owed() == 0 {
		t.Fatal("the journal is full and nothing is held")
	}
	if err := j.MoveCursor(t.Context(), wire.MainLane, "hq", full); err != nil { // headquarters has taken it all: there is room
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
	defer stop()
	for j.Last(wire.MainLane) < full+50 {
		if err := j.Wait(ctx, wire.MainLane, j.Last(wire.MainLane)); err != nil {
			t.Fatalf("%d of 50 facts were written: %v", j.Last(wire.MainLane)-full, err)
		}
	}
	records, err := j.Read(wire.MainLane, full+1, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range records[:50] {
		record, err := wire.DecodeRecord(l.safe.open(r.Payload))
		if err != nil {
			t.Fatal(err)
		}
		var body wire.Reception
		if json.Unmarshal(record.Body, &body); body.WaitedSeconds != i+1 {
			t.Fatalf("fact %d came as number %d", body.WaitedSeconds, i+1)
		}
	}
}

// foyerd ends although the disk refuses and the ledger is at its limit: nobody waits for room for ever.
func TestEndsWithAFullLedger(t *testing.T) {
	_, l, _ := begin(t, journal.Options{})
	l.mu.Lock()
	l.owed = make([]owed, maxOwed)
	l.mu.Unlock()
	done := make(chan struct{})
	go func() {
		l.Record(shop.Fact{At: time.Now(), Body: shop.StrangersPassed{Count: 1}}, nil)
		close(done)
	}()
	l.unblock()
	<-done
}
