package journal

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// run opens the journal at path and runs it until the test ends or stop is called.
func run(t testing.TB, path string, o Options) (j *Journal, stop func()) {
	t.Helper()
	j, err := Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	return j, start(t, j)
}

func start(t testing.TB, j *Journal) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- j.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("run: %v", err)
		}
		if err := j.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	t.Cleanup(stop)
	return stop
}

func newPath(t testing.TB) string { return filepath.Join(t.TempDir(), "store.journal") }

func appendText(t testing.TB, j *Journal, lane, text string) uint64 {
	t.Helper()
	seq, err := j.Append(t.Context(), Entry{Lane: lane, Payload: []byte(text)})
	if err != nil {
		t.Fatal(err)
	}
	return seq
}

func readAll(t testing.TB, j *Journal, lane string) []Record {
	t.Helper()
	var all []Record
	for from := uint64(1); ; {
		records, err := j.Read(lane, from, 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		if len(records) == 0 {
			return all
		}
		all = append(all, records...)
		from = records[len(records)-1].Seq + 1
	}
}

func TestLanesCountByThemselvesAndSurviveReopening(t *testing.T) {
	path := newPath(t)
	j, stop := run(t, path, Options{})
	for i, want := range []uint64{1, 2, 3} {
		if got := appendText(t, j, "main", fmt.Sprint("visit ", i)); got != want {
			t.Errorf("main: got sequence %d, want %d", got, want)
		}
	}
	if got := appendText(t, j, "cases", "fire"); got != 1 {
		t.Errorf("cases: got sequence %d, want 1", got)
	}
	epoch := j.Epoch()
	stop()

	j, _ = run(t, path, Options{})
	want := []Record{{1, []byte("visit 0")}, {2, []byte("visit 1")}, {3, []byte("visit 2")}}
	if diff := cmp.Diff(want, readAll(t, j, "main")); diff != "" {
		t.Error(diff)
	}
	if j.Epoch() != epoch || epoch == "" {
		t.Errorf("epoch %q became %q", epoch, j.Epoch())
	}
	if got := appendText(t, j, "main", "next"); got != 4 {
		t.Errorf("after reopening: got sequence %d, want 4", got)
	}
}

func TestStateIsWrittenWithItsRecordOrNotAtAll(t *testing.T) {
	path := newPath(t)
	j, stop := run(t, path, Options{})
	_, err := j.Append(t.Context(), Entry{Lane: "main", Payload: []byte("visit"), Puts: []Put{
		{"history", "m-1", []byte("1 visit")}, {"history", "m-2", []byte("gone soon")},
	}})
	if err != nil {
		t.Fatal(err)
	}
	seq, err := j.Append(t.Context(), Entry{Puts: []Put{{"history", "m-2", nil}, {"history", "m-3", []byte{}}}})
	if err != nil || seq != 0 {
		t.Errorf("only state: got sequence %d and %v, want 0 and none", seq, err)
	}
	stop()

	j, _ = run(t, path, Options{})
	got, err := j.State("history")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string][]byte{"m-1": []byte("1 visit"), "m-3": {}}, got); diff != "" {
		t.Error(diff)
	}
	if none, err := j.State("nothing"); err != nil || len(none) != 0 {
		t.Errorf("a bucket nobody wrote: %v, %v", none, err)
	}
}

func TestManyWritersEachGetTheirOwnSequence(t *testing.T) {
	j, _ := run(t, newPath(t), Options{})
	const writers, each = 32, 50
	seqs := make([][]uint64, writers)
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				seq, err := j.Append(t.Context(), Entry{Lane: "main", Payload: fmt.Appendf(nil, "%d/%d", w, i)})
				if err != nil {
					t.Error(err)
				}
				seqs[w] = append(seqs[w], seq)
			}
		})
	}
	wg.Wait()
	records := readAll(t, j, "main")
	if len(records) != writers*each {
		t.Fatalf("got %d records, want %d", len(records), writers*each)
	}
	for w, mine := range seqs {
		for i, seq := range mine {
			if want := fmt.Sprintf("%d/%d", w, i); string(records[seq-1].Payload) != want {
				t.Errorf("record %d is %q, want %q", seq, records[seq-1].Payload, want)
			}
			if i > 0 && seq <= mine[i-1] {
				t.Errorf("writer %d: sequence %d after %d", w, seq, mine[i-1])
			}
		}
	}
}

func TestCursorsNeverGoBackAndPruneBelowTheLowest(t *testing.T) {
	path := newPath(t)
	j, stop := run(t, path, Options{})
	for i := range 2000 { // more than one step of pruning
		if err := j.Submit(t.Context(), Entry{Lane: "main", Payload: fmt.Append(nil, i)}); err != nil {
			t.Fatal(err)
		}
	}
	move := func(name string, to uint64) {
		t.Helper()
		if err := j.MoveCursor(t.Context(), "main", name, to); err != nil {
			t.Fatal(err)
		}
	}
	move("hq", 0)
	move("export", 700)
	if got := readAll(t, j, "main")[0].Seq; got != 1 {
		t.Errorf("hq is at 0 and the first record is %d", got)
	}
	move("hq", 1900)
	move("hq", 5)
	if got := j.Cursor("main", "hq"); got != 1900 {
		t.Errorf("cursor went to %d, want 1900", got)
	}
	if err := j.MoveCursor(t.Context(), "main", "hq", 2001); !errors.Is(err, ErrRefused) {
		t.Errorf("beyond the end: %v", err)
	}
	stop() // pruning goes on in steps; reopening finds what it left

	j, stop = run(t, path, Options{})
	if got := j.Cursor("main", "export"); got != 700 {
		t.Errorf("after reopening export is at %d", got)
	}
	awaitPruned(t, j, 700)
	if err := j.MoveCursor(t.Context(), "main", "export", 2000); err != nil {
		t.Fatal(err)
	}
	if err := j.MoveCursor(t.Context(), "main", "hq", 2000); err != nil {
		t.Fatal(err)
	}
	awaitPruned(t, j, 2000)
	stop()

	j, _ = run(t, path, Options{})
	if got := readAll(t, j, "main"); len(got) != 0 {
		t.Errorf("%d records left", len(got))
	}
	if got := appendText(t, j, "main", "on"); got != 2001 {
		t.Errorf("an empty lane goes on with %d, want 2001", got)
	}
}

// awaitPruned gives the committer requests until it has pruned up to seq, and fails if it prunes further.
func awaitPruned(t *testing.T, j *Journal, seq uint64) {
	t.Helper()
	for range 20 {
		if err := j.MoveCursor(t.Context(), "main", "hq", 0); err != nil {
			t.Fatal(err)
		}
	}
	records, err := j.Read("main", 1, 1, 0)
	if err != nil {
		t.Fatal(err)
	}
	if len(records) == 0 && j.Last("main") == seq {
		return
	}
	if len(records) != 1 || records[0].Seq != seq+1 {
		t.Errorf("first records are %v, want one with sequence %d", records, seq+1)
	}
}

func TestReadKeepsItsBounds(t *testing.T) {
	j, _ := run(t, newPath(t), Options{})
	for range 300 {
		if err := j.Submit(t.Context(), Entry{Lane: "main", Payload: []byte("0123456789")}); err != nil {
			t.Fatal(err)
		}
	}
	appendText(t, j, "main", "0123456789")
	for _, tc := range []struct {
		name                string
		from                uint64
		records, bytes, got int
	}{
		{"all there is room for", 1, 0, 0, MaxRead},
		{"a number", 5, 7, 0, 7},
		{"bytes", 1, 100, 45, 4},
		{"one though it is too long", 1, 100, 3, 1},
		{"the end", 301, 100, 0, 1},
		{"beyond", 302, 100, 0, 0},
		{"too many asked for", 1, 10_000, 0, MaxRead},
	} {
		records, err := j.Read("main", tc.from, tc.records, tc.bytes)
		if err != nil || len(records) != tc.got || tc.got > 0 && records[0].Seq != tc.from {
			t.Errorf("%s: got %d records from %v, %v; want %d", tc.name, len(records), records[:min(1, len(records))], err, tc.got)
		}
	}
	if records, err := j.Read("nobody", 1, 0, 0); err != nil || records != nil {
		t.Errorf("a lane that is none: %v, %v", records, err)
	}
}

func TestWaitWakesOnTheRecordItWaitsFor(t *testing.T) {
	j, stop := run(t, newPath(t), Options{})
	woken := make(chan error, 1)
	go func() { woken <- j.Wait(t.Context(), "main", 1) }()
	appendText(t, j, "main", "one")
	appendText(t, j, "other", "x")
	select {
	case err := <-woken:
		t.Fatalf("woken by the wrong record: %v", err)
	default:
	}
	appendText(t, j, "main", "two")
	if err := <-woken; err != nil {
		t.Fatal(err)
	}
	if j.Last("main") < 2 {
		t.Errorf("woken at %d", j.Last("main"))
	}
	go func() { woken <- j.Wait(t.Context(), "main", 99) }()
	stop()
	if err := <-woken; !errors.Is(err, ErrStopped) {
		t.Errorf("at the end: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := j.Wait(ctx, "main", 99); err == nil {
		t.Error("a cancelled wait ends without an error")
	}
}

func TestSnapshotsKeepTheNewestAndTheOneBefore(t *testing.T) {
	path := newPath(t)
	j, stop := run(t, path, Options{})
	put := func(version uint64, data string) error {
		return j.PutSnapshot(t.Context(), "members", version, []byte(data))
	}
	if _, _, ok := j.Snapshot("members"); ok {
		t.Error("a snapshot before the first")
	}
	if err := put(3, "three"); err != nil {
		t.Fatal(err)
	}
	if _, _, ok := j.SnapshotBefore("members"); ok {
		t.Error("one before the first")
	}
	for _, v := range []uint64{5, 8} {
		if err := put(v, fmt.Sprint("number ", v)); err != nil {
			t.Fatal(err)
		}
	}
	if err := put(5, "older"); !errors.Is(err, ErrRefused) {
		t.Errorf("an older one: %v", err)
	}
	if err := put(8, "eight"); err != nil {
		t.Fatal(err)
	}
	if err := j.PutSnapshot(t.Context(), "members2", 1, []byte("other")); err != nil {
		t.Fatal(err)
	}
	stop()

	j, _ = run(t, path, Options{})
	if v, data, ok := j.Snapshot("members"); v != 8 || string(data) != "eight" || !ok {
		t.Errorf("newest: %d %q %v", v, data, ok)
	}
	if v, data, ok := j.SnapshotBefore("members"); v != 5 || string(data) != "number 5" || !ok {
		t.Errorf("before: %d %q %v", v, data, ok)
	}
}

func TestRefusesWhatCannotBeKept(t *testing.T) {
	j, _ := run(t, newPath(t), Options{})
	for name, e := range map[string]Entry{
		"no lane":         {Payload: []byte("x")},
		"lane with space": {Lane: "a b", Payload: []byte("x")},
		"lane with zero":  {Lane: "a\x00b", Payload: []byte("x")},
		"too long":        {Lane: "main", Payload: make([]byte, MaxPayload+1)},
		"no bucket":       {Puts: []Put{{"", "k", nil}}},
		"no key":          {Puts: []Put{{"b", "", nil}}},
		"long value":      {Puts: []Put{{"b", "k", make([]byte, MaxValue+1)}}},
	} {
		if _, err := j.Append(t.Context(), e); !errors.Is(err, ErrRefused) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := j.PutSnapshot(t.Context(), "members", 1, make([]byte, MaxSnapshot+1)); !errors.Is(err, ErrRefused) {
		t.Errorf("a snapshot too long: %v", err)
	}
	if err := j.MoveCursor(t.Context(), "main", "", 1); !errors.Is(err, ErrRefused) {
		t.Errorf("a cursor without a name: %v", err)
	}
	if got := j.Last("main"); got != 0 {
		t.Errorf("%d records were kept", got)
	}
}

func TestAForkGivesANewEpochAndKeepsTheRest(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.journal")
	j, stop := run(t, path, Options{})
	first := j.Epoch()
	for i := range 5 {
		appendText(t, j, "main", fmt.Sprint("visit ", i))
	}
	appendText(t, j, "count", "three strangers")
	if err := j.MoveCursor(t.Context(), "main", "hq", 3); err != nil {
		t.Fatal(err)
	}
	if o := j.Origin(); o.From != "" {
		t.Errorf("a new file comes from %+v", o)
	}
	if err := j.Fork(t.Context(), "hq"); err != nil {
		t.Fatal(err)
	}
	check := func(j *Journal) {
		t.Helper()
		want := Origin{From: first, Bases: map[string]uint64{"main": 3, "count": 0}}
		if diff := cmp.Diff(want, j.Origin()); diff != "" || j.Epoch() == first || len(j.Epoch()) < 16 {
			t.Errorf("epoch %s: %s", j.Epoch(), diff)
		}
		if j.Last("main") != 5 || j.Cursor("main", "hq") != 3 {
			t.Errorf("main is at %d, its cursor at %d", j.Last("main"), j.Cursor("main", "hq"))
		}
	}
	check(j)
	second := j.Epoch()
	stop()
	again, _ := run(t, path, Options{})
	if check(again); again.Epoch() != second {
		t.Errorf("epoch %s became %s", second, again.Epoch())
	}
}

// A cursor that comes later does not make what was pruned before it look lost.
func TestACursorThatComesLaterBeginsWhereTheOthersAre(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.journal")
	j, stop := run(t, path, Options{Marker: mark})
	for i := range 5 {
		appendText(t, j, "main", fmt.Sprint("visit ", i))
	}
	for _, cursor := range []string{"hq", "hq-kept"} {
		if err := j.MoveCursor(t.Context(), "main", cursor, map[string]uint64{"hq": 3}[cursor]); err != nil {
			t.Fatal(err)
		}
	}
	records, err := j.Read("main", 1, 0, 0)
	if err != nil || len(records) != 2 || records[0].Seq != 4 || string(records[0].Payload) != "visit 3" {
		t.Errorf("%+v, %v: want what was not pruned", records, err)
	}
	stop()
	if _, err := Inspect(path); err != nil {
		t.Error(err)
	}
}

// What one reader has had is kept for another one that trails it, class by class.
func TestAFileWithAllClassesIsKeptAndPrunedByTheTrailingCursor(t *testing.T) {
	j, stop := run(t, filepath.Join(t.TempDir(), "store.journal"), Options{Marker: mark})
	defer stop()
	for _, cursor := range []string{"hq", "hq-kept"} {
		if err := j.MoveCursor(t.Context(), "main", cursor, 0); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 30 {
		if _, err := j.Append(t.Context(), Entry{Lane: "main", Class: Class(i % classes), Payload: fmt.Append(nil, i+1)}); err != nil {
			t.Fatal(err)
		}
	}
	for _, step := range []struct {
		cursor string
		to     uint64
		first  uint64
	}{{"hq", 20, 1}, {"hq-kept", 8, 9}, {"hq", 30, 9}, {"hq-kept", 20, 21}} {
		if err := j.MoveCursor(t.Context(), "main", step.cursor, step.to); err != nil {
			t.Fatal(err)
		}
		for i, r := range readAll(t, j, "main") {
			if want := step.first + uint64(i); r.Seq != want || string(r.Payload) != fmt.Sprint(want) {
				t.Errorf("%s at %d: record %d is %d, %s", step.cursor, step.to, want, r.Seq, r.Payload)
			}
		}
		if got := len(readAll(t, j, "main")); got != int(31-step.first) {
			t.Errorf("%s at %d: %d records", step.cursor, step.to, got)
		}
	}
}

// An epoch that begins while the file is written anew is in the new file.
func TestAForkIsNotLostInAFileThatIsWrittenAnew(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.journal")
	j, stop := run(t, path, Options{MaxBytes: 32 << 20})
	backlog(t, j, 20_000)
	compacted := make(chan error, 1)
	for range 5 {
		go func() { compacted <- j.Compact(t.Context()) }()
		for begun := false; !begun; {
			j.mu.Lock()
			begun = j.rewrite != nil
			j.mu.Unlock()
			runtime.Gosched()
			select {
			case err := <-compacted:
				compacted <- err
				begun = true
			default:
			}
		}
		if err := j.Fork(t.Context(), "hq"); err != nil {
			t.Fatal(err)
		}
		if err := <-compacted; err != nil {
			t.Fatal(err)
		}
	}
	epoch, origin := j.Epoch(), j.Origin()
	stop()
	again, _ := run(t, path, Options{MaxBytes: 32 << 20})
	if diff := cmp.Diff(origin, again.Origin()); diff != "" || again.Epoch() != epoch {
		t.Errorf("epoch %s became %s: %s", epoch, again.Epoch(), diff)
	}
}
