package store

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"foyer/sync/wire"
)

// changed is a batch of which one record is another than the one that batch makes.
func changed(b Batch, i int) Batch {
	b.Records[i] = wire.NewRecord(wire.VisitStarted, noon, wire.Visit{Visit: "another", Member: "m-2", Nth: 9})
	return b
}

func with1(b Batch, change func(*Batch)) Batch {
	change(&b)
	return b
}

// lost is a batch whose store has given up one of its records in the meantime.
func lost(b Batch, i int) Batch {
	b.Records[i] = wire.NewRecord(wire.RecordLost, noon.Add(1e9), wire.Lost{Why: wire.LostGivenUp})
	return b
}

func floor(b *Batch) { b.Floor = true }

func on(from string, base uint64) func(*Batch) {
	return func(b *Batch) { b.From, b.Base = from, base }
}

// oldEpoch makes the records of a batch those that epoch "e" has at these places, up to a sequence.
func oldEpoch(upto uint64) func(*Batch) {
	return func(b *Batch) {
		for i := range b.Records {
			if seq := b.First + uint64(i); seq <= upto {
				b.Records[i] = batch("a", "e", seq, 1).Records[0]
			}
		}
	}
}

func TestIngestWhenOneSideHasForgotten(t *testing.T) {
	type step struct {
		batch Batch
		want  Stored
	}
	start := step{batch("a", "e", 1, 5), Stored{Upto: 5, Have: 5, New: 5, First: 1}}
	for name, tc := range map[string]struct {
		steps []step
		gaps  []Gap
	}{
		"what is missing will never come": {
			[]step{start, {with1(batch("a", "e", 9, 2), floor), Stored{Upto: 10, Have: 10, New: 2, First: 9, Lost: 3}}},
			[]Gap{{Store: "a", Epoch: "e", Lane: "main", First: 6, Last: 8, Told: noon.Add(1e9)}}},
		"and nothing came after it yet": {
			[]step{start, {with1(batch("a", "e", 9, 0), floor), Stored{Upto: 8, Have: 8, First: 9, Lost: 3}}, {batch("a", "e", 9, 1), Stored{Upto: 9, Have: 9, New: 1, First: 9}}},
			[]Gap{{Store: "a", Epoch: "e", Lane: "main", First: 6, Last: 8, Told: noon.Add(1e9)}}},
		"a floor below the watermark is nothing": {
			[]step{start, {with1(batch("a", "e", 3, 0), floor), Stored{Upto: 5, Have: 5}}, {with1(batch("a", "e", 4, 3), floor), Stored{Upto: 6, Have: 6, New: 1, First: 6}}}, nil},
		"the store wrote another record under a number that was used": {
			[]step{start, {changed(batch("a", "e", 3, 2), 1), Stored{Upto: 3, Have: 5, Fork: true}}}, nil},
		"and beyond the watermark": {
			[]step{start, {changed(batch("a", "e", 5, 4), 0), Stored{Upto: 4, Have: 5, Fork: true}}}, nil},
		"the store repeats a record that it has given up in the meantime": {
			[]step{start, {lost(batch("a", "e", 3, 4), 1), Stored{Upto: 6, Have: 6, New: 1, First: 6}}, {lost(lost(batch("a", "e", 6, 2), 0), 1), Stored{Upto: 7, Have: 7, New: 1, First: 7}}}, nil},
		"and the record itself, where headquarters was told that it is lost": {
			[]step{start, {lost(batch("a", "e", 6, 1), 0), Stored{Upto: 6, Have: 6, New: 1, First: 6}}, {batch("a", "e", 6, 1), Stored{Upto: 5, Have: 6, Fork: true}}}, nil},
		"it goes on under a new epoch, and what it repeats of the old one is left out": {
			[]step{start,
				{with1(with1(batch("a", "f", 4, 3), on("e", 3)), oldEpoch(5)), Stored{Upto: 6, Have: 6, New: 1, First: 4}},
				{batch("a", "f", 7, 1), Stored{Upto: 7, Have: 7, New: 1, First: 7}}}, nil},
		"also where the batch does not say again where its epoch comes from, and where it is the third epoch": {
			[]step{start,
				{with1(with1(batch("a", "f", 3, 1), on("e", 2)), oldEpoch(5)), Stored{Upto: 3, Have: 3, First: 3}},
				{with1(batch("a", "f", 4, 3), oldEpoch(5)), Stored{Upto: 6, Have: 6, New: 1, First: 4}},
				{with1(with1(batch("a", "g", 4, 1), on("f", 3)), oldEpoch(5)), Stored{Upto: 4, Have: 4, First: 4}}}, nil},
		"of which something is missing": {
			[]step{start, {with1(batch("a", "f", 7, 1), on("e", 5)), Stored{Upto: 5, Have: 5}}, {with1(batch("a", "f", 6, 2), on("e", 5)), Stored{Upto: 7, Have: 7, New: 2, First: 6}}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			d := withShops(t, "a")
			total := 0
			for i, s := range tc.steps {
				got, err := d.Ingest(t.Context(), s.batch)
				if err != nil || got != s.want {
					t.Fatalf("step %d gives %+v, %v: want %+v", i, got, err, s.want)
				}
				total += s.want.New
			}
			gaps, err := d.Gaps(t.Context())
			if diff := cmp.Diff(tc.gaps, gaps); err != nil || diff != "" {
				t.Errorf("gaps: %v %s", err, diff)
			}
			if n, err := d.RecordCount(t.Context(), ""); err != nil || n != total {
				t.Errorf("%d records are stored, %v: want %d", n, err, total)
			}
		})
	}
}

func TestAStoresStateAndLanesAreKept(t *testing.T) {
	d := withShops(t, "a", "b")
	b := batch("a", "e", 1, 2)
	b.Head = 90
	if _, err := d.Ingest(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Ingest(t.Context(), with1(batch("a", "e", 80, 1), func(b *Batch) { b.Head = 95 })); err != nil { // a gap tells of its head, too
		t.Fatal(err)
	}
	lanes, err := d.Lanes(t.Context())
	if diff := cmp.Diff([]Lane{{"a", "e", "main", 2, 95}}, lanes); err != nil || diff != "" {
		t.Errorf("lanes: %v %s", err, diff)
	}
	want := wire.State{V: 1, Online: true, At: noon, Epoch: "e", Budget: 5, Lanes: []wire.LaneState{{Lane: "main", Last: 95, Acked: 2}}}
	if err := d.KeepState(t.Context(), "a", want); err != nil {
		t.Fatal(err)
	}
	got, err := d.States(t.Context())
	if diff := cmp.Diff(map[string]wire.State{"a": want}, got); err != nil || diff != "" {
		t.Errorf("states: %v %s", err, diff)
	}
}
