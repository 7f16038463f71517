package fault

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"foyer/sync/line/linetest"
	"foyer/sync/wire"
)

// Between store and headquarters is a broker that acknowledges and drops, doubles, holds back until after later messages and later
// connections, and ends connections with a message taken; now and then it restarts and has forgotten everybody. Headquarters
// has each record once, in order.
func TestABrokerThatDropsDoublesAndReorders(t *testing.T) {
	each(t, func(t *testing.T, h *headquarters) {
		m := linetest.NewMangler(t, h.address, linetest.Odds{Drop: 6, Twice: 6, Late: 6, Cut: 15}, 2026)
		b := &box{t: t, dir: t.TempDir(), url: "tcp://" + m.Address()}
		b.start()
		const phases = 6
		each := 700
		if testing.Short() {
			each = 200
		}
		for phase := range phases {
			from := phase * each
			b.writes(wire.MainLane, numbered("v", from+1, from+each)...)
			b.writes(wire.CaseLane, numbered("c", phase*20+1, phase*20+20)...)
			b.until("a part is acknowledged", func() bool { return b.uplink.Status().Acked > uint64(from) })
			switch phase {
			case 1: // the broker restarts, and headquarters with it where it is the same program
				if h.outside != nil {
					h.outside.Stop()
					h.outside.Start()
					break
				}
				fallthrough
			case 3:
				h.stop()
				h.start()
			case 4: // the store restarts
				b.stop()
				b.start()
			}
		}
		done := m.Behave()
		b.settled()
		b.writes(wire.MainLane, "last")
		b.settled()
		epoch := b.journal.Epoch()
		if diff := cmp.Diff(append(numbered("v", 1, phases*each), "last"), h.visits(wire.MainLane, epoch)); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(numbered("c", 1, phases*20), h.visits(wire.CaseLane, epoch)); diff != "" {
			t.Error(diff)
		}
		if gaps, err := h.hq.DB().Gaps(t.Context()); err != nil || len(gaps) > 0 {
			t.Errorf("gaps %v, %v", gaps, err)
		}
		t.Logf("%v; %d batches sent since the restart", done, b.uplink.Status().SentBatches)
		for _, what := range []string{"dropped", "twice", "late", "cut"} {
			if done[what] == 0 && !testing.Short() {
				t.Errorf("nothing was %s: the test did not do what it is for", what)
			}
		}
	})
}
