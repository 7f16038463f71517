package trace

import (
	"fmt"
	"slices"
	"time"
)

// early is how much sooner than its mark an arrival may be decided, and later than its end: a field has no sharp edge,
// and who marks a recording by hand is no faster.
const early = time.Second

// Score is how decisions compare with what really happened.
type Score struct {
	Real     int // arrivals that really were
	Right    int // decided once each
	Missed   int
	Flaps    int // decided again while the tag was there all the time
	False    int // of tags that were in that zone never, or at another time
	Passers  int // tags that were really in no zone
	Greeted  int // of those, how many arrivals were decided
	Moves    int // decided
	Unneeded int // moves to a zone where the tag really was not
	latency  []time.Duration
	parting  []time.Duration
}

// visit is one real stay.
type visit struct {
	from, to time.Duration
	decided  int
}

// key is a tag in a zone.
type key struct{ tag, zone string }

const forEver = time.Duration(1<<63 - 1)

// Compare scores decisions by a trace's marks.
func Compare(t Trace, decided []Decision) Score {
	var s Score
	visits, tags, marked := truth(t)
	for _, v := range visits {
		s.Real += len(v)
	}
	for word := range tags {
		if !marked[word] {
			s.Passers++
		}
	}
	for _, d := range decided {
		v := at(visits[key{d.Tag, d.Zone}], d.At)
		switch {
		case d.Kind == Left:
			s.left(visits[key{d.Tag, d.Zone}], d)
			continue
		case d.Move:
			s.Moves++
			if v == nil {
				s.Unneeded++
			}
		}
		switch {
		case v == nil && marked[d.Tag]:
			s.False++
		case v == nil:
			s.False++
			s.Greeted++
		case v.decided > 0:
			s.Flaps++
		default:
			v.decided++
			s.Right++
			if !d.Move {
				s.latency = append(s.latency, max(0, d.At-v.from))
			}
		}
	}
	s.Missed = s.Real - s.Right
	return s
}

// truth is the real stays by tag and zone, all tags that were read, and those with marks.
func truth(t Trace) (visits map[key][]*visit, read, marked map[string]bool) {
	visits, read, marked = map[key][]*visit{}, map[string]bool{}, map[string]bool{}
	for _, e := range t {
		k := key{e.Tag, e.Zone}
		switch e.Kind {
		case Read:
			read[e.Tag] = true
		case Arrived:
			marked[e.Tag] = true
			visits[k] = append(visits[k], &visit{from: e.At, to: forEver})
		case Left:
			if v := visits[k]; len(v) > 0 && v[len(v)-1].to == forEver {
				v[len(v)-1].to = e.At
			}
		}
	}
	return visits, read, marked
}

func at(visits []*visit, t time.Duration) *visit {
	for _, v := range slices.Backward(visits) {
		if t >= v.from-early && (v.to == forEver || t <= v.to+early) {
			return v
		}
	}
	return nil
}

// left notes how long after the real one a departure was decided.
func (s *Score) left(visits []*visit, d Decision) {
	for _, v := range slices.Backward(visits) {
		if v.to <= d.At {
			s.parting = append(s.parting, d.At-v.to)
			return
		}
	}
}

// Add takes another trace's score in.
func (s *Score) Add(o Score) {
	s.Real += o.Real
	s.Right += o.Right
	s.Missed += o.Missed
	s.Flaps += o.Flaps
	s.False += o.False
	s.Passers += o.Passers
	s.Greeted += o.Greeted
	s.Moves += o.Moves
	s.Unneeded += o.Unneeded
	s.latency = append(s.latency, o.latency...)
	s.parting = append(s.parting, o.parting...)
}

// F1 is the harmonic mean of how many arrivals were found and how many of those decided were real; a flap is not. With
// nothing real and nothing decided it is 1.
func (s Score) F1() float64 {
	wrong := s.False + s.Flaps + s.Missed
	if s.Right+wrong == 0 {
		return 1
	}
	return 2 * float64(s.Right) / float64(2*s.Right+wrong)
}

// Latency is a quantile of the time from a real arrival to its decision; moves have a hold-off and are not in it.
func (s Score) Latency(q float64) time.Duration { return quantile(s.latency, q) }

// Parting is a quantile of the time from a real departure to its decision.
func (s Score) Parting(q float64) time.Duration { return quantile(s.parting, q) }

func quantile(all []time.Duration, q float64) time.Duration {
	if len(all) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(all))
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}

func (s Score) String() string {
	return fmt.Sprintf("F1 %.4f: %d real, %d missed, %d false, %d flaps; %d of %d passers-by; latency %v, 95 %% %v; parting %v; %d moves, %d unneeded",
		s.F1(), s.Real, s.Missed, s.False, s.Flaps, s.Greeted, s.Passers, s.Latency(0.5).Round(time.Millisecond),
		s.Latency(0.95).Round(time.Millisecond), s.Parting(0.5).Round(100*time.Millisecond), s.Moves, s.Unneeded)
}
