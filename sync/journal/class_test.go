package journal

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func mark(lane string, seq uint64, why Why) []byte {
	return fmt.Appendf(nil, "%s %d %v", lane, seq, why)
}

// fill submits so many records, of the classes in turn, and returns the numbers of those that were written and the error of one
// that was refused.
func fill(t *testing.T, j *Journal, n int, cs ...Class) (written []uint64, err error) {
	t.Helper()
	answers := make(chan outcome, n)
	for i := range n {
		e := Entry{Lane: "main", Class: cs[i%len(cs)], Payload: make([]byte, 240), Done: func(seq uint64, err error) { answers <- outcome{seq, err} }}
		if err := j.Submit(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	for range n {
		if o := <-answers; o.err != nil {
			err = o.err
		} else {
			written = append(written, o.seq)
		}
	}
	return written, err
}

func TestStatisticsGoFirstThenOldVisitsAndNeverWhatMustBeKept(t *testing.T) {
	path := newPath(t)
	j, stop := run(t, path, Options{MaxBytes: 1 << 20, Marker: mark})
	if err := j.MoveCursor(t.Context(), "main", "hq", 0); err != nil {
		t.Fatal(err)
	}
	mixed := []Class{Statistic, Visit, Keep, Statistic} // interleaved, as they happen
	if _, err := fill(t, j, 4000, mixed...); err != nil {
		t.Fatal(err)
	}
	if h := j.Health(); h.Thinned[Statistic] == 0 || h.Thinned[Visit] != 0 || h.Thinned[Keep] != 0 || h.Err != nil {
		t.Fatalf("after 1.2 MB of records in 1 MiB: %+v", h)
	}
	const visits = 8000 // more than there is room for
	if _, err := fill(t, j, visits, Visit); err != nil {
		t.Fatalf("visits are refused though older ones could go: %v", err)
	}
	if h := j.Health(); h.Thinned[Visit] == 0 || h.Thinned[Keep] != 0 || !h.Thinning {
		t.Fatalf("%+v", h)
	}
	kept, full := fill(t, j, 5000, Keep)
	if !errors.Is(full, ErrFull) || len(kept) < 1500 {
		t.Fatalf("%d more were kept, then %v", len(kept), full)
	}
	if h := j.Health(); !errors.Is(h.Err, ErrFull) || h.Thinned[Keep] != 0 {
		t.Errorf("%+v", h)
	}
	if _, err := fill(t, j, 1, Statistic); !errors.Is(err, ErrFull) {
		t.Errorf("a statistic finds room where there is only what must be kept: %v", err)
	}
	all := 4000 + visits + len(kept)
	class := func(seq uint64) Class {
		switch {
		case seq <= 4000:
			return mixed[(seq-1)%4]
		case seq <= 4000+visits:
			return Visit
		}
		return Keep
	}
	check := func(j *Journal) {
		t.Helper()
		records, gone := readAll(t, j, "main"), Thinned{}
		if len(records) != all || j.Last("main") != uint64(all) {
			t.Fatalf("%d numbers were given out up to %d, %d can be read", all, j.Last("main"), len(records))
		}
		for i, r := range records {
			if r.Seq != uint64(i+1) {
				t.Fatalf("number %d comes after %d", r.Seq, i)
			}
			if string(r.Payload) == string(mark("main", r.Seq, GivenUp)) {
				gone[class(r.Seq)]++
			}
		}
		if got := j.Health().Thinned; gone != got || gone[Keep] > 0 {
			t.Errorf("markers by class %v, counted %v", gone, got)
		}
	}
	check(j)
	stop()
	if _, err := Inspect(path); err != nil {
		t.Error(err)
	}
	j, _ = run(t, path, Options{MaxBytes: 1 << 20, Marker: mark})
	check(j)
	if err := j.MoveCursor(t.Context(), "main", "hq", j.Last("main")); err != nil {
		t.Fatal(err)
	}
	awaitPruned(t, j, uint64(all))
	if _, err := fill(t, j, 50, Statistic); err != nil {
		t.Errorf("headquarters has it all, and still: %v", err)
	}
	if h := j.Health(); h.Thinning || h.Err != nil {
		t.Errorf("headquarters has it all: %+v", h)
	}
}

func TestADamagedRecordIsToldAndDoesNotBlockItsLane(t *testing.T) {
	path := newPath(t)
	j, stop := run(t, path, Options{})
	for i := range 10 {
		appendText(t, j, "main", fmt.Sprint("visit number ", i))
	}
	stop()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	turned := strings.ReplaceAll(string(data), "visit number 4", "visit numbeR 4")
	if err := os.WriteFile(path, []byte(turned), 0o600); err != nil {
		t.Fatal(err)
	}
	j, _ = run(t, path, Options{Marker: mark})
	for range 2 {
		records := readAll(t, j, "main")
		if len(records) != 10 || string(records[4].Payload) != "main 5 damaged" || string(records[5].Payload) != "visit number 5" {
			t.Fatalf("got %d records: %s", len(records), fmt.Sprint(records))
		}
	}
	if got := j.Health().Damaged; got != 1 {
		t.Errorf("%d records are counted as damaged, want 1", got)
	}
}

// A journal of format 1, written by the code of that time, opens for ever.
func TestAJournalOfFormat1GoesOn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.db")
	unpack(t, "testdata/format1.journal.gz", path)
	if r, err := Inspect(path); err != nil || r.Format != "1" || len(r.Lanes) != 2 || r.Lanes[1].Records != 260 {
		t.Fatalf("looking at it: %+v, %v", r, err)
	}
	for round := range 2 {
		j, stop := run(t, path, Options{MaxBytes: 1 << 20, Marker: mark})
		if j.Epoch() != "FEC5U5U5NLBV7MDCDEGPHRBUSK" {
			t.Errorf("its epoch became %s", j.Epoch())
		}
		records := readAll(t, j, "main")
		if len(records) != 260+round || records[0].Seq != 41 || string(records[0].Payload) != `{"k":"visit.started","n":41}` {
			t.Fatalf("round %d: %d records, the first is %s", round, len(records), records[0].Payload)
		}
		if v, data, ok := j.Snapshot("members"); v != 3 || string(data) != "members 3" || !ok {
			t.Errorf("snapshot %d %q", v, data)
		}
		state, err := j.State("history")
		if err != nil || len(state) != 30 || string(state["m-290"]) != "state 290" {
			t.Errorf("state: %d, %v", len(state), err)
		}
		if got := appendText(t, j, "main", "next"); got != 301+uint64(round) {
			t.Errorf("goes on with %d", got)
		}
		if diff := cmp.Diff(uint64(40), j.Cursor("main", "hq")); diff != "" {
			t.Error(diff)
		}
		stop()
		if r, err := Inspect(path); err != nil || r.Format != "2" {
			t.Errorf("round %d: %+v, %v", round, r, err)
		}
	}
}

func unpack(t *testing.T, from, to string) {
	t.Helper()
	f, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(z)
	if err == nil {
		err = os.WriteFile(to, data, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}
