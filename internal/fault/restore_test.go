package fault

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"foyer/sync/uplink"
	"foyer/sync/wire"
)

// Headquarters comes back with yesterday's database: the store sends again what it was told was safe, before anything new happens.
func TestHeadquartersRestoredFromYesterday(t *testing.T) {
	each(t, func(t *testing.T, h *headquarters) {
		b := newBox(t, h)
		b.writes(wire.MainLane, numbered("v", 1, 700)...)
		b.writes(wire.CaseLane, numbered("c", 1, 3)...)
		b.settled()
		restore := h.backup()
		b.writes(wire.MainLane, numbered("v", 701, 1500)...)
		b.writes(wire.CaseLane, numbered("c", 4, 5)...)
		b.settled()
		restore()
		b.until("headquarters has it all again", func() bool { n, _ := h.hq.DB().RecordCount(t.Context(), ""); return n == 1505 })
		b.writes(wire.MainLane, "v1501")
		b.settled()
		epoch := b.journal.Epoch()
		if diff := cmp.Diff(numbered("v", 1, 1501), h.visits(wire.MainLane, epoch)); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(numbered("c", 1, 5), h.visits(wire.CaseLane, epoch)); diff != "" {
			t.Error(diff)
		}
		if gaps, err := h.hq.DB().Gaps(t.Context()); err != nil || len(gaps) > 0 {
			t.Errorf("gaps %v, %v", gaps, err)
		}
	})
}

// The same, but the store no longer holds a part: both sides say so, with numbers, and go on.
func TestWhatNeitherSideHasIsToldAsAGap(t *testing.T) {
	each(t, func(t *testing.T, h *headquarters) {
		b := newBox(t, h)
		b.writes(wire.MainLane, numbered("v", 1, 100)...)
		b.settled()
		restore := h.backup()
		b.writes(wire.MainLane, numbered("v", 101, 400)...)
		b.settled()
		b.stop()
		b.keep = time.Nanosecond // a journal whose time is over
		b.start()
		b.writes(wire.MainLane, numbered("v", 401, 500)...)
		b.until("old records are gone", func() bool {
			records, err := b.journal.Read(wire.MainLane, 1, 1, 0)
			return err != nil || len(records) == 0 || records[0].Seq > 101
		})
		b.settled()
		b.stop()
		b.keep = uplink.DefaultKeep
		b.start()
		restore()
		b.writes(wire.MainLane, numbered("v", 501, 520)...)
		b.until("headquarters has the newest", func() bool {
			upto, _ := h.hq.DB().Watermark(t.Context(), here.Store, b.journal.Epoch(), wire.MainLane)
			return upto == 520
		})
		b.settled()
		gaps, err := h.hq.DB().Gaps(t.Context())
		if err != nil || len(gaps) != 1 || gaps[0].First != 101 {
			t.Fatalf("gaps %+v, %v: want one from 101 on", gaps, err)
		}
		lost := gaps[0].Last - gaps[0].First + 1
		if s := b.uplink.Status(); s.Lost() != lost {
			t.Errorf("the store tells of %d lost records, headquarters of %d", s.Lost(), lost)
		}
		want := append(numbered("v", 1, 100), numbered("v", int(gaps[0].Last)+1, 520)...)
		if diff := cmp.Diff(want, h.visits(wire.MainLane, b.journal.Epoch())); diff != "" {
			t.Error(diff)
		}
		stores, err := h.hq.Stores(t.Context())
		if err != nil || stores[0].Memory.Lost != lost {
			t.Errorf("the page says %+v, %v: want %d lost", stores, err, lost)
		}
	})
}

// The store comes back with last week's disk and goes on writing: its new records have numbers that were used before. They get a
// new epoch; nothing is doubled, nothing is taken for something else.
func TestAStoreRestoredFromLastWeek(t *testing.T) {
	for name, fresh := range map[string]int{"it has written less than it had": 30, "it has written more than it had": 900} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			each(t, func(t *testing.T, h *headquarters) {
				b := newBox(t, h)
				first := b.journal.Epoch()
				b.writes(wire.MainLane, numbered("v", 1, 300)...)
				b.writes(wire.CaseLane, "c1")
				b.settled()
				b.hears(false)
				b.writes(wire.MainLane, numbered("v", 301, 360)...) // in the image, and not yet at headquarters
				restore := b.image()
				b.hears(true)
				b.writes(wire.MainLane, numbered("v", 361, 900)...)
				b.settled()
				b.hears(false)
				restore()
				b.writes(wire.MainLane, numbered("n", 1, fresh)...)
				b.hears(true)
				b.until("it has a new epoch", func() bool { return b.journal.Epoch() != first })
				b.settled()
				b.writes(wire.MainLane, "last")
				b.settled()
				second := b.journal.Epoch()
				want := append(append(numbered("v", 1, 900), numbered("n", 1, fresh)...), "last")
				if diff := cmp.Diff(want, h.visits(wire.MainLane, first, second)); diff != "" {
					t.Error(diff)
				}
				if diff := cmp.Diff([]string{"c1"}, h.visits(wire.CaseLane, first, second)); diff != "" {
					t.Error(diff)
				}
				if gaps, err := h.hq.DB().Gaps(t.Context()); err != nil || len(gaps) > 0 {
					t.Errorf("gaps %v, %v", gaps, err)
				}
			})
		})
	}
}
