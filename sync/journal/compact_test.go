package journal

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func fileSize(t testing.TB, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

// backlog fills a lane and lets headquarters take all but the last ten.
func backlog(t testing.TB, j *Journal, n int) {
	t.Helper()
	if err := j.MoveCursor(t.Context(), "main", "hq", 0); err != nil {
		t.Fatal(err)
	}
	var failed error
	var all sync.WaitGroup
	for range n {
		all.Add(1)
		err := j.Submit(t.Context(), Entry{Lane: "main", Payload: make([]byte, 240), Done: func(_ uint64, err error) {
			if err != nil {
				failed = err
			}
			all.Done()
		}})
		if err != nil {
			t.Fatal(err)
		}
	}
	all.Wait()
	if failed != nil {
		t.Fatal(failed)
	}
	if err := j.MoveCursor(t.Context(), "main", "hq", uint64(n-10)); err != nil {
		t.Fatal(err)
	}
}

func TestAfterABacklogTheFileBecomesSmallByItself(t *testing.T) {
	path := newPath(t)
	j, _ := run(t, path, Options{})
	backlog(t, j, 150_000)
	if got := fileSize(t, path); got < compactAbove {
		t.Fatalf("the backlog took %d bytes only", got)
	}
	for i := 0; fileSize(t, path) > compactAbove; i++ {
		if i > 20_000 {
			t.Fatalf("still %d bytes, of which %d are used", fileSize(t, path), j.Health().Used)
		}
		appendText(t, j, "main", "on and on")
	}
	records := readAll(t, j, "main")
	if records[0].Seq != 149_991 || len(records) != int(j.Last("main"))-149_990 {
		t.Errorf("%d records from %d", len(records), records[0].Seq)
	}
}

// Everything that changes while the file is written anew is the same in the new one.
func TestWritersGoOnWhileTheFileIsWrittenAnew(t *testing.T) {
	path := newPath(t)
	j, stop := run(t, path, Options{MaxBytes: 32 << 20, Marker: mark})
	backlog(t, j, 20_000)
	ctx, cancel := context.WithCancel(t.Context())
	var writers sync.WaitGroup
	want := [4]map[string]string{}
	for w := range want {
		want[w] = map[string]string{}
		writers.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				key, text := fmt.Sprint(i%50), fmt.Sprintf("%d %d", w, i)
				e := Entry{Lane: fmt.Sprint("lane", w), Class: Class(i % classes), Payload: []byte(text), Puts: []Put{{fmt.Sprint("state", w), key, []byte(text)}}}
				if i%7 == 0 {
					e.Puts[0].Value = nil
				}
				seq, err := j.Append(t.Context(), e)
				if err != nil {
					t.Errorf("writer %d: %v", w, err)
					return
				}
				if want[w][key] = text; i%7 == 0 {
					delete(want[w], key)
				}
				if i%20 == 0 {
					err = errors.Join(err, j.MoveCursor(t.Context(), e.Lane, "hq", seq-min(seq, 100)),
						j.PutSnapshot(t.Context(), fmt.Sprint("kind", w), uint64(i), []byte(text)))
				}
				if err != nil {
					t.Errorf("writer %d: %v", w, err)
				}
			}
		})
	}
	for range 10 {
		if err := j.Compact(t.Context()); err != nil {
			t.Error(err)
		}
	}
	cancel()
	writers.Wait()
	check := func() {
		t.Helper()
		for w := range want {
			lane := fmt.Sprint("lane", w)
			records := readAll(t, j, lane)
			if first := records[0].Seq; len(records) != int(j.Last(lane)-first+1) || first > j.Cursor(lane, "hq")+1 {
				t.Errorf("lane %d: %d records from %d to %d, the cursor is at %d", w, len(records), first, j.Last(lane), j.Cursor(lane, "hq"))
			}
			for _, r := range records {
				if string(r.Payload) != fmt.Sprintf("%d %d", w, r.Seq-1) {
					t.Fatalf("lane %d, record %d: %s", w, r.Seq, r.Payload)
				}
			}
			state, err := j.State(fmt.Sprint("state", w))
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]string{}
			for k, v := range state {
				got[k] = string(v)
			}
			if !maps.Equal(got, want[w]) {
				t.Errorf("state %d: %s", w, cmp.Diff(want[w], got))
			}
		}
	}
	check()
	stop()
	if _, err := Inspect(path); err != nil {
		t.Error(err)
	}
	j, _ = run(t, path, Options{MaxBytes: 32 << 20, Marker: mark})
	check()
}

// The journal that waits for the lock of a file finds it compacted when it gets it.
func TestALockOnAFileThatWasReplacedIsNone(t *testing.T) {
	path := newPath(t)
	j, _ := run(t, path, Options{})
	appendText(t, j, "main", "x")
	opened := make(chan error)
	go func() {
		_, err := Open(path, Options{})
		opened <- err
	}()
	for range 20 {
		if err := j.Compact(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if err := <-opened; !errors.Is(err, ErrLocked) {
		t.Errorf("a second one: %v, want %v", err, ErrLocked)
	}
}
