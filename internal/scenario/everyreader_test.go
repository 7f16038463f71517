package scenario

import (
	"flag"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"foyer/internal/trace"
)

// make bench plays the whole day, nine hours; a test is content with a part of the first.
var openFor = flag.Duration("open-for", 35*time.Minute, "how long the shop with every reader is open")

// A day with a reader of every built-in profile at once, from the bytes on its line to what is recorded.
func TestADayWithEveryReader(t *testing.T) {
	long := *openFor
	if testing.Short() {
		long = min(long, 12*time.Minute)
	}
	f := playFull(t, 1, long)
	f.tell(t.Logf)
	score := f.score("")
	if f1 := score.F1(); f1 < 0.995 || score.Flaps > 0 || score.Greeted > 0 {
		t.Errorf("F1 of arrivals %.4f, %d flaps, %d passers-by greeted: want 0.995, none and none", f1, score.Flaps, score.Greeted)
	}
	for _, id := range slices.Sorted(maps.Keys(f.devices)) {
		if s := f.score(id); f.devices[id].number != nil && (s.Real == 0 || s.Right == 0) {
			t.Errorf("%s: %v", id, s)
		}
		if n := f.nobody[id]; n > 0 && id != "text-scanner" { // nothing proves a line of text: noise with a CR in it is a stranger's code
			t.Errorf("%s: %d tags that do not exist", id, n)
		}
		if f.heard[id] != f.typed[id] {
			t.Errorf("%s: keys %q were heard, %q pressed", id, f.heard[id], f.typed[id])
		}
	}
	f.compareVisits(t)
}

// score is of one zone, or of all.
func (f *full) score(zone string) trace.Score {
	var truth trace.Trace
	var decided []trace.Decision
	for _, e := range f.truth {
		if zone == "" || e.Zone == zone || e.Reader == zone {
			truth = append(truth, e)
		}
	}
	for _, d := range f.decided {
		if zone == "" || d.Zone == zone {
			decided = append(decided, d)
		}
	}
	return trace.Compare(truth, decided)
}

// compareVisits holds the facts to the truth: one visit begun and over for each that really was, each with its greeting.
func (f *full) compareVisits(t *testing.T) {
	real, recorded := map[string]int{}, map[string]int{}
	came, passed, greeted := 0, 0, 0
	for _, e := range f.truth {
		switch e.Kind {
		case trace.Arrived:
			came++
			real[e.Tag]++
		case trace.Read:
			passed++
		}
	}
	for _, v := range f.started {
		recorded[string(v.Member)]++
		if _, over := f.ended[v.Visit]; !over {
			t.Errorf("the visit %d of %s is not over", v.Nth, v.Member)
		}
		if f.ledger.decided[v.Visit] > 0 {
			greeted++
		}
	}
	missed, extra := 0, 0
	for who := range maps.Keys(real) {
		missed += max(0, real[who]-recorded[who])
	}
	for who := range maps.Keys(recorded) {
		extra += max(0, recorded[who]-real[who])
	}
	t.Logf("visits: %d real and %d people who passed; %d recorded, %d missed, %d too many; %d with a greeting decided, %d greetings shown",
		came, passed, len(f.started), missed, extra, greeted, f.greeted)
	if missed*1000 > 5*len(f.started) || extra > 0 || greeted != len(f.started) {
		t.Errorf("%d visits missed, %d too many, %d of %d without a greeting", missed, extra, len(f.started)-greeted, len(f.started))
	}
}

// tell prints the figures of each reader and of all.
func (f *full) tell(logf func(string, ...any)) {
	var frames, refused, noise, reads uint64
	for _, id := range slices.Sorted(maps.Keys(f.devices)) {
		c := f.health[id].Counts
		frames, refused, noise, reads = frames+c.Frames, refused+c.Bad.Sum(), noise+c.Noise, reads+c.Reads
		line := fmt.Sprintf("%d frames, %d refused, %d bytes of noise, %d reads, opened %d times", c.Frames, c.Bad.Sum(), c.Noise, c.Reads, c.Opened)
		if f.devices[id].number != nil {
			line = fmt.Sprintf("%v; %s", f.score(id), line)
		}
		logf("%-14s %s", id, line)
	}
	logf("%-14s %v; %d frames, %d refused, %d bytes of noise, %d reads; arrivals of tags that do not exist: %v",
		"all", f.score(""), frames, refused, noise, reads, f.nobody)
}
