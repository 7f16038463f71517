package sim

import (
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// maxSamples bounds what is remembered of durations: of more, an even sample is kept.
const maxSamples = 100_000

// Tally counts for all stores that share it.
type Tally struct {
	mu      sync.Mutex
	up      map[string]int
	events  int
	delays  Sample
	again   int
	faults  int
	fault   error
	answers map[string]map[uint64]*Sample
}

// NewTally returns one that has counted nothing.
func NewTally() *Tally { return &Tally{up: map[string]int{}, answers: map[string]map[uint64]*Sample{}} }

// Counts is how it stands.
type Counts struct {
	Up        int           // stores that have been up
	Connects  int           // how often they came up
	Durable   int           // events that headquarters acknowledged
	P50, P99  time.Duration // from sending an event to headquarters' word that it is on the disk
	SentAgain int           // lanes that were sent again after a silence
	Refused   int           // snapshots that were not to be believed, and the last reason
	Why       error
}

// Counts gives them.
func (t *Tally) Counts() Counts {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := Counts{Up: len(t.up), Durable: t.events, P50: t.delays.Quantile(50), P99: t.delays.Quantile(99), SentAgain: t.again, Refused: t.faults, Why: t.fault}
	for _, n := range t.up {
		c.Connects += n
	}
	return c
}

// Forget starts the count of events anew: what came before was warming up.
func (t *Tally) Forget() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.events, t.delays, t.again = 0, Sample{}, 0
}

// Newest is the newest version of a kind that any store has applied, and how long it took those that have: from the making of the
// snapshot until headquarters had the store's answer on its disk. 0 when none has.
func (t *Tally) Newest(kind string) (version uint64, took Sample) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for v, s := range t.answers[kind] {
		if v > version {
			version, took = v, Sample{s.seen, slices.Clone(s.all)}
		}
	}
	return version, took
}

func (t *Tally) cameUp(store string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.up[store]++
}

func (t *Tally) durable(after time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.events++
	t.delays.add(after)
}

func (t *Tally) sentAgain() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.again++
}

func (t *Tally) refused(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.faults, t.fault = t.faults+1, err
}

func (t *Tally) applied(a answer, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.answers[a.kind] == nil {
		t.answers[a.kind] = map[uint64]*Sample{}
	}
	if t.answers[a.kind][a.version] == nil {
		t.answers[a.kind][a.version] = &Sample{}
	}
	t.answers[a.kind][a.version].add(now.Sub(a.made))
}

// Sample is durations, of which at most maxSamples are kept.
type Sample struct {
	seen int
	all  []time.Duration
}

// Seen is how many there were.
func (s *Sample) Seen() int { return s.seen }

func (s *Sample) add(d time.Duration) {
	s.seen++
	if len(s.all) < maxSamples {
		s.all = append(s.all, d)
	} else if i := rand.IntN(s.seen); i < maxSamples {
		s.all[i] = d
	}
}

// Quantile is the duration that so many percent do not exceed; 0 of none.
func (s *Sample) Quantile(percent int) time.Duration {
	if len(s.all) == 0 {
		return 0
	}
	sorted := slices.Clone(s.all)
	slices.Sort(sorted)
	return sorted[(len(sorted)-1)*percent/100]
}
