package journal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	bolt "go.etcd.io/bbolt"
)

func TestEndOfRunCommitsWhatWaitsAndRefusesTheRest(t *testing.T) {
	path := newPath(t)
	j, err := Open(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	const n = 500
	answers := make(chan error, n)
	for i := range n {
		err := j.Submit(t.Context(), Entry{Lane: "main", Payload: fmt.Append(nil, i), Done: func(_ uint64, err error) { answers <- err }})
		if err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := j.Run(ctx); err != nil {
		t.Fatal(err)
	}
	for range n {
		if err := <-answers; err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Submit(t.Context(), Entry{Lane: "main", Payload: []byte("late")}); !errors.Is(err, ErrStopped) {
		t.Errorf("after the end: %v", err)
	}
	if got := len(readAll(t, j, "main")); got != n {
		t.Errorf("%d records, want %d", got, n)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestSubmittersRacingTheEndAreKeptOrTold(t *testing.T) {
	path := newPath(t)
	j, stop := run(t, path, Options{})
	var mu sync.Mutex
	kept := map[uint64]string{}
	var wg sync.WaitGroup
	started := make(chan struct{}, 16)
	for w := range 16 {
		wg.Go(func() {
			for i := 0; ; i++ {
				text := fmt.Sprintf("%d/%d", w, i)
				seq, err := j.Append(context.Background(), Entry{Lane: "main", Payload: []byte(text)})
				if err != nil {
					if !errors.Is(err, ErrStopped) {
						t.Errorf("append: %v", err)
					}
					return
				}
				if i == 0 {
					started <- struct{}{}
				}
				mu.Lock()
				kept[seq] = text
				mu.Unlock()
			}
		})
	}
	for range 16 {
		<-started
	}
	stop()
	wg.Wait()
	j, _ = run(t, path, Options{})
	records := readAll(t, j, "main")
	if len(records) != len(kept) {
		t.Errorf("%d records on the disk, %d were acknowledged", len(records), len(kept))
	}
	for _, r := range records {
		if kept[r.Seq] != string(r.Payload) {
			t.Errorf("record %d: %q, acknowledged %q", r.Seq, r.Payload, kept[r.Seq])
		}
	}
}

func TestFullRefusesAppendsAndRecoversByItself(t *testing.T) {
	path := newPath(t)
	j, _ := run(t, path, Options{MaxBytes: 1 << 20})
	payload := make([]byte, 1000)
	if err := j.MoveCursor(t.Context(), "main", "hq", 0); err != nil {
		t.Fatal(err)
	}
	for round := range 3 {
		var full error
		for full == nil {
			_, full = j.Append(t.Context(), Entry{Lane: "main", Payload: payload})
		}
		if !errors.Is(full, ErrFull) || !errors.Is(j.Health().Err, ErrFull) {
			t.Fatalf("round %d: got %v, health %v", round, full, j.Health().Err)
		}
		if h := j.Health(); h.Used < h.Max*9/10 {
			t.Errorf("round %d: full at %d of %d bytes", round, h.Used, h.Max)
		}
		last := j.Last("main")
		if records := readAll(t, j, "main"); records[len(records)-1].Seq != last {
			t.Errorf("round %d: the last record is %d, want %d", round, records[len(records)-1].Seq, last)
		}
		if err := j.PutSnapshot(t.Context(), "campaigns", uint64(round+1), make([]byte, 8000)); err != nil {
			t.Errorf("round %d: a snapshot has room kept for it: %v", round, err)
		}
		if err := j.MoveCursor(t.Context(), "main", "hq", last); err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		awaitPruned(t, j, last)
		if got := appendText(t, j, "main", "room again"); got != last+1 {
			t.Errorf("round %d: goes on with %d, want %d", round, got, last+1)
		}
		if err := j.Health().Err; err != nil {
			t.Errorf("round %d: health %v", round, err)
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Size() > 1<<20 {
		t.Errorf("the file has %d bytes, %v", info.Size(), err)
	}
}

func TestAFailingSyncIsToldAndTheFileReadAnew(t *testing.T) {
	j, err := Open(newPath(t), Options{})
	if err != nil {
		t.Fatal(err)
	}
	const good, nothingWritten, allWritten = 0, 1, 2
	var disk atomic.Int32
	j.commitTx = func(tx *bolt.Tx) error {
		switch disk.Load() {
		case nothingWritten:
			return errors.Join(syscall.EIO, tx.Rollback())
		case allWritten: // the pages came to the disk, the answer was an error
			return errors.Join(syscall.EIO, tx.Commit())
		}
		return tx.Commit()
	}
	old := j.db
	start(t, j)
	appendText(t, j, "main", "before")
	for _, fault := range []int32{nothingWritten, nothingWritten, allWritten} {
		disk.Store(fault)
		_, err := j.Append(t.Context(), Entry{Lane: "main", Payload: fmt.Append(nil, "fault ", fault)})
		if !errors.Is(err, syscall.EIO) || !errors.Is(j.Health().Err, syscall.EIO) {
			t.Fatalf("fault %d: got %v, health %v", fault, err, j.Health().Err)
		}
	}
	disk.Store(good)
	if got := appendText(t, j, "main", "after"); got != 3 {
		t.Errorf("goes on with %d, want 3", got)
	}
	want := []Record{{1, []byte("before")}, {2, []byte("fault 2")}, {3, []byte("after")}}
	if diff := cmp.Diff(want, readAll(t, j, "main")); diff != "" {
		t.Error(diff)
	}
	if err := j.Health().Err; err != nil {
		t.Errorf("health %v", err)
	}
	j.file.RLock()
	defer j.file.RUnlock()
	if j.db == old {
		t.Error("the file was not opened anew")
	}
}

func TestAPanicInsideTheDatabaseEndsTheRunWithAnError(t *testing.T) {
	j, err := Open(newPath(t), Options{})
	if err != nil {
		t.Fatal(err)
	}
	j.commitTx = func(*bolt.Tx) error { panic("page 7 already freed") }
	ended := make(chan error, 1)
	go func() { ended <- j.Run(t.Context()) }()
	if _, err := j.Append(t.Context(), Entry{Lane: "main", Payload: []byte("x")}); !errors.Is(err, ErrCorrupt) {
		t.Errorf("append: %v", err)
	}
	if err := <-ended; !errors.Is(err, ErrCorrupt) {
		t.Errorf("run: %v", err)
	}
	if err := j.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
}

// Between a commit and the moment in which Last tells of it nobody reads what is new: the uplink would send it, and take
// headquarters' answer for one of records that were never written.
func TestNothingIsReadBeforeLastTellsIt(t *testing.T) {
	j, _ := run(t, newPath(t), Options{})
	appendText(t, j, "main", "first")
	commit := j.commitTx
	early := make(chan int, 1)
	j.commitTx = func(tx *bolt.Tx) error {
		err := commit(tx)
		records, _ := j.Read("main", 1, 0, 0)
		early <- len(records)
		return err
	}
	appendText(t, j, "main", "second")
	if got := <-early; got != 1 {
		t.Errorf("%d records were read, Last told of 1", got)
	}
	if got := len(readAll(t, j, "main")); got != 2 {
		t.Errorf("%d records, want 2", got)
	}
}
