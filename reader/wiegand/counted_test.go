package wiegand_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"foyer/reader/wiegand"
)

// TestACountedWrongCardIsImpossible plays cards to a kernel that does all that ours was seen to do: it queues the edges of
// two lines in the wrong order, and when the reader is stopped for long it throws the oldest away. The lines may be opened
// in the middle of a card. Whatever comes out is, bit for bit, a card that was shown, and no card comes out twice.
//
// The formats have no parity here, and cards are of any length: the count alone must do.
func TestACountedWrongCardIsImpossible(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := newKernel(t)
		var shown []string
		at := time.Duration(rapid.IntRange(31, 100).Draw(t, "start")) * ms
		opened := rapid.IntRange(0, 40).Draw(t, "bits gone before the opening")
		for i := range rapid.IntRange(1, 12).Draw(t, "cards") {
			bits := rapid.StringOfN(rapid.SampledFrom([]rune("01")), 4, 56, -1).Draw(t, "card")
			interval := time.Duration(rapid.IntRange(200, 3000).Draw(t, "interval")) * us
			for j, b := range bits {
				if i == 0 && j < opened {
					k.quietSince = at // opened right after this bit
				} else {
					k.edge(int(b-'0'), at)
				}
				at += interval
			}
			shown = append(shown, bits)
			at += time.Duration(rapid.IntRange(40, 700).Draw(t, "pause")) * ms
		}
		k.read(at + time.Hour)
		if opened > 0 {
			shown = shown[1:] // cut, or never begun
		}
		for _, got := range k.cards {
			i := slices.Index(shown, got)
			if i < 0 {
				t.Fatalf("WRONG CARD %s of %v", got, shown)
			}
			shown = shown[i+1:]
		}
		if !k.overflowed && opened == 0 && k.swaps == 0 && len(shown) > 0 {
			t.Fatalf("nothing went wrong, and %v were refused", shown)
		}
	})
}

// kernel is a queue of 100 edges between two lines and a reader that is stopped now and then.
type kernel struct {
	t          *rapid.T
	decoder    *wiegand.Decoder
	seq        uint32
	queue      []wiegand.Edge
	resumes    time.Duration // when the reader goes on
	quietSince time.Duration // the reader's last edge, or the opening
	cards      []string
	overflowed bool
	swaps      int
}

func newKernel(t *rapid.T) *kernel {
	d, err := wiegand.New(wiegand.Timing{}, true)
	if err != nil {
		t.Fatal(err)
	}
	return &kernel{t: t, decoder: d}
}

// edge is what the interrupt does.
func (k *kernel) edge(line int, at time.Duration) {
	k.read(at)
	k.seq++
	k.queue = append(k.queue, wiegand.Edge{Line: line, At: at, Seq: k.seq})
	if n := len(k.queue); n > 1 && rapid.IntRange(0, 30).Draw(k.t, "swap") == 0 && at-k.queue[n-2].At < 4*ms {
		k.queue[n-1], k.queue[n-2] = k.queue[n-2], k.queue[n-1]
		k.swaps++
	}
	if len(k.queue) > 100 {
		k.queue = k.queue[1:]
		k.overflowed = true
	}
	if k.resumes < at && rapid.IntRange(0, 20).Draw(k.t, "stop") == 0 {
		k.resumes = at + time.Duration(rapid.IntRange(1, 3000).Draw(k.t, "stopped"))*ms
	}
}

// read is what the reader did until now: all that is queued, then a pause if there was one.
func (k *kernel) read(now time.Duration) {
	if now < k.resumes {
		return
	}
	for _, e := range k.queue {
		k.keep(k.decoder.Edge(e))
		k.quietSince = max(e.At, k.resumes)
	}
	k.queue = k.queue[:0]
	if now-max(k.quietSince, k.resumes) > k.decoder.Gap() {
		k.keep(k.decoder.Flush())
	}
}

func (k *kernel) keep(f wiegand.Frame, ok bool) {
	if ok && f.Fault == wiegand.Good {
		k.cards = append(k.cards, text(f))
	}
}
