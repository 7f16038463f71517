package trace

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"time"

	"foyer/reader/tag"
	"foyer/shop/presence"
)

// Trial is settings that were tried, and what came of them.
type Trial struct {
	Zone  presence.Zone
	Score Score
}

// cost orders trials: an arrival that is wrong outweighs any delay, and a late greeting a late farewell. A recording is
// short: what it did not show, like a passer-by who came close, or somebody who stood in a poor spot, is believed to be
// there, so that fewer reads than usual, or less patience, must be worth it.
func (t Trial) cost() float64 {
	delay := t.Score.Latency(0.5).Seconds() + 0.2*t.Score.Latency(0.95).Seconds() + 0.02*t.Score.Parting(0.5).Seconds()
	trust := 0.5*float64(max(0, presence.DefaultMinReads-t.Zone.MinReads)) + 0.05*max(0, (presence.DefaultGrace-t.Zone.Grace).Seconds())
	if t.Zone.Tap {
		trust = 0
	}
	return 1000*(1-t.Score.F1()) + delay + trust
}

// The grid. Every value in it is one that a person might write.
var (
	tryMinReads = []int{1, 2, 3, 5}
	tryAverage  = []int{1, 2, 4, 8}
	tryMargin   = []tag.RSSI{4, 7, 10, 15, 20, 30}
	tryGrace    = []time.Duration{3 * time.Second, 5 * time.Second, 10 * time.Second, 20 * time.Second, 30 * time.Second, 60 * time.Second, 90 * time.Second, 120 * time.Second}
	tryWindow   = []time.Duration{500 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second}
	tryDwell    = []time.Duration{0, 300 * time.Millisecond, time.Second, 2 * time.Second}
)

// The steps of Enter in dB: over the whole range first, then around the best.
const (
	coarse = 4
	fine   = 1
)

// Tune searches settings for one zone by a trace with marks: a grid of what matters most, with the rest patient, then one
// setting after the other until none gets better. The best trial is first, each setting is in the list once. The zone
// gives what is not searched: its id, role and readers, and Tap.
func Tune(t Trace, z presence.Zone) ([]Trial, error) {
	s := search{trace: only(t, z), tried: map[string]bool{}}
	if err := s.check(z); err != nil {
		return nil, err
	}
	low, high := s.strengths()
	z.Grace, z.Leave = 60*time.Second, low-1
	for enter := high; enter >= low; enter -= coarse {
		for _, n := range tryMinReads {
			for _, avg := range tryAverage {
				z.Enter, z.MinReads, z.Average = enter, n, avg
				z.Leave = min(low-1, enter)
				s.try(z)
			}
		}
	}
	s.refine()
	slices.SortStableFunc(s.trials, func(a, b Trial) int { return cmp.Compare(a.cost(), b.cost()) })
	return s.trials, s.err
}

// only keeps what concerns a zone: its readers, and its marks.
func only(t Trace, z presence.Zone) Trace {
	return slices.DeleteFunc(slices.Clone(t), func(e Entry) bool {
		if e.Kind == Arrived || e.Kind == Left {
			return e.Zone != z.ID
		}
		return !slices.Contains(z.Readers, e.Reader)
	})
}

type search struct {
	trace  Trace
	tried  map[string]bool
	trials []Trial
	best   Trial
	err    error
}

func (s *search) check(z presence.Zone) error {
	reads, marks := 0, 0
	for _, e := range s.trace {
		switch e.Kind {
		case Read:
			reads++
		case Arrived:
			marks++
		}
	}
	switch {
	case reads == 0:
		return fmt.Errorf("nothing was read by the readers %q", z.Readers)
	case marks == 0:
		return fmt.Errorf("nobody is marked as having really arrived in zone %q: without such marks nothing can be learnt", z.ID)
	}
	return nil
}

func (s *search) strengths() (low, high tag.RSSI) {
	low, high = 100, -200
	for _, e := range s.trace {
		if e.Kind == Read && e.HasRSSI {
			low, high = min(low, e.RSSI), max(high, e.RSSI)
		}
	}
	if low > high {
		return presence.DefaultEnter, presence.DefaultEnter // no strengths are told: any floor will do
	}
	return low, high
}

func (s *search) try(z presence.Zone) {
	z = z.WithDefaults()
	name := Settings(z)
	if s.err != nil || s.tried[name] {
		return
	}
	s.tried[name] = true
	decided, err := Play(s.trace, []presence.Zone{z})
	if err != nil {
		s.err = err
		return
	}
	t := Trial{z, Compare(s.trace, decided)}
	if len(s.trials) == 0 || t.cost() < s.best.cost() {
		s.best = t
	}
	s.trials = append(s.trials, t)
}

// refine changes one setting of the best at a time until that gets nowhere.
func (s *search) refine() {
	const rounds = 4 // the first two do nearly all
	for range rounds {
		before := s.best.cost()
		vary(s, tryGrace, func(z *presence.Zone, v time.Duration) { z.Grace = v })
		vary(s, tryMargin, func(z *presence.Zone, v tag.RSSI) { z.Leave = z.Enter - v })
		vary(s, []tag.RSSI{-3 * fine, -2 * fine, -fine, fine, 2 * fine, 3 * fine}, func(z *presence.Zone, v tag.RSSI) { z.Enter += v; z.Leave = min(z.Leave, z.Enter) })
		vary(s, tryWindow, func(z *presence.Zone, v time.Duration) { z.Window = v })
		vary(s, tryDwell, func(z *presence.Zone, v time.Duration) { z.Dwell = v })
		vary(s, tryMinReads, func(z *presence.Zone, v int) { z.MinReads = v })
		if s.best.cost() >= before {
			return
		}
	}
}

// vary tries the best settings with each of some values in one place.
func vary[T any](s *search, values []T, set func(*presence.Zone, T)) {
	from := s.best.Zone
	for _, v := range values {
		z := from
		set(&z, v)
		s.try(z)
	}
}

// Settings is a zone's settings in one line.
func Settings(z presence.Zone) string {
	return fmt.Sprintf("min_reads %d, window %v, average %d, dwell %v, enter %d, leave %d, grace %v", z.MinReads, z.Window, z.Average, z.Dwell, z.Enter, z.Leave, z.Grace)
}

// WriteYAML writes a zone's settings as foyerd's configuration takes them.
func WriteYAML(w io.Writer, z presence.Zone) error {
	dwell := ""
	if z.Dwell > 0 {
		dwell = fmt.Sprintf("    dwell: %v\n", z.Dwell)
	}
	_, err := fmt.Fprintf(w, "  - id: %s\n    min_reads: %d\n    window: %v\n    average: %d\n%s    enter: %d\n    leave: %d\n    grace: %v\n",
		z.ID, z.MinReads, z.Window, z.Average, dwell, z.Enter, z.Leave, z.Grace)
	return err
}
