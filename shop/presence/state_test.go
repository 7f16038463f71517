package presence

import (
	"encoding/binary"
	"hash/crc32"
	"maps"
	"slices"
	"testing"
	"time"

	"foyer/reader/tag"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var restartZones = []Zone{
	{ID: "door", Role: Entrance, Readers: []string{"left", "right"}, Grace: 10 * time.Second},
	{ID: "desk", Role: Kiosk, Readers: []string{"pad"}, Tap: true},
}

// full is a tracker with tag 0 at the door, tags 1 and 2 on the pad, the last with a shorter form.
func full(t testing.TB) (tr *Tracker, events []Event) {
	tr, err := New(Config{Zones: restartZones})
	if err != nil {
		t.Fatal(err)
	}
	emit := func(e Event) { events = append(events, e) }
	for i := range 3 {
		tr.Read(tag.Read{ID: tagID(0), At: at(float64(i) / 10), Reader: "left", RSSI: -50, HasRSSI: true}, emit)
	}
	tr.Read(tag.Read{ID: tagID(1), At: at(5), Reader: "pad"}, emit)
	tr.Read(tag.Read{ID: tagID(2), Also: tagID(77), At: at(5), Reader: "pad"}, emit)
	return tr, events
}

// Whoever is in the shop when the program ends is in the shop when it begins again, and nobody arrives by that.
func TestARestart(t *testing.T) {
	before, _ := full(t)
	after, err := New(Config{Zones: restartZones})
	if err != nil {
		t.Fatal(err)
	}
	if err := after.Restore(before.Snapshot(at(6), nil), at(66), 0); err != nil {
		t.Fatal(err)
	}
	byID := func(x, y Stay) int { return int(x.ID[15]) - int(y.ID[15]) }
	want := slices.SortedFunc(before.Stays(), byID)
	for i := range want {
		want[i].Leaving = true // after a minute
	}
	if diff := cmp.Diff(want, slices.SortedFunc(after.Stays(), byID)); diff != "" {
		t.Errorf("want (-), got (+):\n%s", diff)
	}
	var got []string
	emit := func(e Event) { got = append(got, told(e)) }
	after.Tick(at(600), emit)                                                      // nothing was heard of any reader yet
	after.Read(tag.Read{ID: tagID(1), At: at(700), Reader: "pad"}, emit)           // still here: no arrival; and the pad works
	after.Tick(at(702.5), emit)                                                    // both go, the other one by the pad's silence
	after.ReaderOnline("left", true, at(705))                                      // its fresh grace begins
	after.Tick(at(714.9), emit)                                                    //
	after.Tick(at(715), emit)                                                      //
	after.Read(tag.Read{ID: tagID(2), At: at(800), Reader: "pad"}, func(e Event) { // counted on from before
		if a := e.(Arrived); a.Nth != 3 {
			t.Errorf("the third arrival is number %d", a.Nth)
		}
	})
	wantTold := []string{"702.50 left desk (seen 5.00)", "702.50 left desk (seen 700.00)", "715.00 left door (seen 0.20)"}
	slices.Sort(got)
	if diff := cmp.Diff(wantTold, got); diff != "" {
		t.Errorf("want (-), got (+):\n%s", diff)
	}
}

func TestARestartAfterTheNight(t *testing.T) {
	before, _ := full(t)
	after, err := New(Config{Zones: restartZones})
	if err != nil {
		t.Fatal(err)
	}
	if err := after.Restore(before.Snapshot(at(6), nil), at(13*3600), 0); err != nil {
		t.Fatal(err)
	}
	left := 0
	after.Tick(at(13*3600), func(e Event) { left++ })
	if left != 3 || after.Counts().Present != 0 {
		t.Errorf("%d left after a night, want 3", left)
	}
}

func TestARestartTooLate(t *testing.T) {
	before, _ := full(t)
	after, err := New(Config{Zones: restartZones})
	if err != nil {
		t.Fatal(err)
	}
	if err := after.Restore(before.Snapshot(at(6), nil), at(67), time.Minute); err != nil {
		t.Fatal(err)
	}
	after.Read(tag.Read{ID: tagID(2), At: at(68), Reader: "pad"}, func(e Event) {
		if a, ok := e.(Arrived); !ok || a.Nth != 3 {
			t.Errorf("%+v, want the third arrival", e)
		}
	})
	if n := after.Counts().Present; n != 1 {
		t.Errorf("%d present, want only who came since", n)
	}
}

func TestARestartWithOtherZones(t *testing.T) {
	before, _ := full(t)
	after, err := New(Config{Zones: []Zone{{ID: "bar", Role: Counter, Readers: []string{"new"}}, restartZones[1]}})
	if err != nil {
		t.Fatal(err)
	}
	if err := after.Restore(before.Snapshot(at(6), nil), at(7), 0); err != nil {
		t.Fatal(err)
	}
	for s := range after.Stays() {
		if s.Zone != "desk" {
			t.Errorf("restored into %s", s.Zone)
		}
	}
	if n := after.Counts().Present; n != 2 {
		t.Errorf("%d restored, want the two of the zone that is still there", n)
	}
	if err := after.Restore(before.Snapshot(at(6), nil), at(8), 0); err == nil {
		t.Error("restored a second time")
	}
}

// The same reads give the same ids, and no two events share one.
func TestEventIDs(t *testing.T) {
	ids := func() map[string]bool {
		tr, events := full(t)
		tr.Tick(at(100), func(e Event) { events = append(events, e) })
		out := map[string]bool{}
		for _, e := range events {
			if e, ok := e.(interface{ EventID() string }); ok {
				out[e.EventID()] = true
			}
		}
		return out
	}
	first, second := ids(), ids()
	if len(first) != 6 || !maps.Equal(first, second) {
		t.Errorf("%d ids, want three arrivals and three departures, the same each time", len(first))
	}
}

// The table finds what a map finds, whatever came and went.
func TestTableAgreesWithAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all, want := newCandidates(), map[place]int32{}
		for range rapid.IntRange(1, 400).Draw(t, "steps") {
			id, zone := tagID(uint64(rapid.IntRange(0, 150).Draw(t, "tag"))), int32(rapid.IntRange(0, 1).Draw(t, "zone"))
			p := place{id, string(rune('a' + zone))}
			i, known := want[p]
			if got := all.find(&id, zone); got != i {
				t.Fatalf("found %d, want %d", got, i)
			}
			if known {
				all.give(i)
				delete(want, p)
			} else {
				want[p] = all.take(id, zone, 0)
			}
		}
		if all.index.n != len(want) {
			t.Fatalf("%d entries, want %d", all.index.n, len(want))
		}
	})
}

func FuzzRestore(f *testing.F) {
	tr, _ := full(f)
	good := tr.Snapshot(at(6), nil)
	f.Add(good)
	f.Add(good[:len(good)-1])
	f.Add([]byte(snapshotHead))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, data := range [][]byte{data, resealed(data)} {
			tr, err := New(Config{Zones: restartZones})
			if err != nil {
				t.Fatal(err)
			}
			if err := tr.Restore(data, at(0), 0); err != nil {
				if tr.Counts().Present != 0 {
					t.Fatal("a broken snapshot restored something")
				}
				continue
			}
			n := tr.Counts().Present
			again, err := New(Config{Zones: restartZones})
			if err != nil {
				t.Fatal(err)
			}
			if err := again.Restore(tr.Snapshot(at(1), nil), at(1), 0); err != nil || again.Counts().Present != n {
				t.Fatalf("%v: %d present, want %d", err, again.Counts().Present, n)
			}
			tr.Tick(at(1e6), func(Event) {})
		}
	})
}

// resealed puts the right checksum under bytes, so that what is behind it is tried too.
func resealed(data []byte) []byte {
	if len(data) < 4 {
		return data
	}
	body := slices.Clone(data[:len(data)-4])
	return binary.BigEndian.AppendUint32(body, crc32.ChecksumIEEE(body))
}
