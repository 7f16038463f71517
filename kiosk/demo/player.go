package demo

import (
	"math"
	"slices"
)

// State is a pack being played. It is a value: Advance and Touch return the next one and change nothing. The zero value is
// no play at all.
type State struct {
	Pack  *Pack
	End   string // "": it goes on; else how it ended: done, won or lost
	Round int    // how often it was begun again after its end
	scene int
	vars  []float64
	seed  uint64
	turns int // scenes that came: a finger that meant one does nothing to the next
}

// Result is what a play came to.
type Result struct {
	Score  int
	End    string
	Reward string // what was earned; empty: nothing
}

// slice is the longest step of a play: what a pack computes is cut into such steps, so that a slow screen changes nothing.
const (
	slice   = 0.05
	longest = 5 // seconds that one Advance makes up for at most
)

// Start begins a pack. The seed decides what random gives.
func Start(p *Pack, seed uint64) State {
	s := State{Pack: p, vars: slices.Clone(p.start), seed: seed*2862933555777941757 + 3037000493}
	s.vars[slotRandom] = s.chance()
	return s.enter(0, 0)
}

// Active reports whether there is something to see.
func (s State) Active() bool { return s.Pack != nil }

// Scene names the scene that stands.
func (s State) Scene() string { return s.Pack.scenes[s.scene].name }

// Elapsed is how long the play has lasted, in seconds.
func (s State) Elapsed() float64 { return s.vars[slotElapsed] }

// Value returns a variable, for tests and tools.
func (s State) Value(name string) (float64, bool) {
	slot, ok := s.Pack.slots[name]
	if !ok {
		return 0, false
	}
	return s.vars[slot], true
}

// Result is what has come of the play so far.
func (s State) Result() Result {
	r := Result{Score: int(math.Max(0, math.Min(1e6, s.vars[slotScore]))), End: s.End}
	if w := s.Pack.Reward; w != nil && s.End != "" && s.End != "lost" && r.Score >= w.Score {
		r.Reward = w.Name
	}
	return r
}

// Kept notes that the store has written the result down.
func (s State) Kept() State {
	s.vars = slices.Clone(s.vars)
	s.vars[slotKept] = 1
	return s
}

// Advance lets time pass.
func (s State) Advance(seconds float64) State {
	if !s.Active() || !(seconds > 0) {
		return s
	}
	s.vars = slices.Clone(s.vars)
	for left := math.Min(seconds, longest); left > 1e-9; left -= slice {
		s = s.step(math.Min(left, slice))
	}
	return s
}

// step is one small piece of time; the variables are its own already.
func (s State) step(dt float64) State {
	before := s.vars[slotT]
	s.vars[slotT] += dt
	s.vars[slotDt] = dt
	s.vars[slotElapsed] += dt
	s.vars[slotRandom] = s.chance()
	turns, sc := s.turns, &s.Pack.scenes[s.scene]
	s = s.do(sc.tick, 0)
	for _, t := range sc.timers {
		if s.turns != turns {
			return s
		}
		if after := t.after(s.vars); before < after && after <= s.vars[slotT] {
			s = s.do(t.do, 0)
		}
	}
	return s
}

// chance is the next random number, from 0 to below 1.
func (s *State) chance() float64 {
	s.seed ^= s.seed << 13
	s.seed ^= s.seed >> 7
	s.seed ^= s.seed << 17
	return float64(s.seed>>11) / (1 << 53)
}

// chain bounds how many scenes may follow each other within one action.
const chain = 8

// enter brings a scene on.
func (s State) enter(scene, depth int) State {
	s.scene = scene
	s.turns++
	if scene == 0 && s.End != "" { // it is played once more
		s.End, s.Round = "", s.Round+1
		s.vars[slotKept] = 0
	}
	s.vars[slotT], s.vars[slotDt] = 0, 0
	if depth < chain {
		s = s.do(s.Pack.scenes[scene].enter, depth+1)
	}
	return s
}

// do does a list of actions, up to one that leads away.
func (s State) do(list []action, depth int) State {
	for _, a := range list {
		turns := s.turns
		if s = s.act(a, depth); s.turns != turns {
			return s
		}
	}
	return s
}

func (s State) act(a action, depth int) State {
	if a.when != nil && a.when(s.vars) == 0 {
		return s.do(a.other, depth)
	}
	for _, set := range a.set {
		s.vars[set.slot] = set.value(s.vars)
	}
	turns := s.turns
	if s = s.do(a.then, depth); s.turns != turns {
		return s
	}
	if a.finish != "" && s.End == "" {
		s.End = a.finish
	}
	if a.scene >= 0 {
		s = s.enter(a.scene, depth)
	}
	return s
}

// Gesture is what a finger does.
type Gesture uint8

// The gestures.
const (
	Tap Gesture = iota
	SwipeLeft
	SwipeRight
	Drag // on a slider: X says where
)

// Finger is a gesture on a layer, as a Target of a View names it.
type Finger struct {
	Turn    int // the scene's turn that the View was drawn for
	Layer   int
	Gesture Gesture
	X       float64 // 0 to 1 across the target
}

// Touch obeys a finger. One that means another scene, or a layer that is not seen any more, does nothing.
func (s State) Touch(f Finger) State {
	if !s.Active() || f.Turn != s.turns {
		return s
	}
	l := s.find(s.Pack.scenes[s.scene].layers, f.Layer)
	if l == nil {
		return s
	}
	s.vars = slices.Clone(s.vars)
	s.vars[slotRandom] = s.chance()
	if l.slide != nil && (f.Gesture == Drag || f.Gesture == Tap) {
		s.vars[l.slide.slot] = l.slide.value(s.vars, f.X)
	}
	switch f.Gesture {
	case Tap:
		return s.do(l.tap, 0)
	case SwipeLeft:
		return s.do(l.swipeL, 0)
	case SwipeRight:
		return s.do(l.swipeR, 0)
	}
	return s
}

// find returns the layer with a number if it and what it lies in are seen.
func (s State) find(list []layer, number int) *layer {
	for i := range list {
		l := &list[i]
		if l.show != nil && l.show(s.vars) == 0 {
			continue
		}
		if l.touch == number {
			return l
		}
		if found := s.find(l.inner, number); found != nil {
			return found
		}
	}
	return nil
}

func (s *slider) value(vars []float64, x float64) float64 {
	from, to := s.from(vars), s.to(vars)
	v := from + (to-from)*math.Min(math.Max(x, 0), 1)
	if step := s.step(vars); step > 0 {
		v = from + math.Round((v-from)/step)*step
	}
	return hold(v)
}

// Report takes what a cartridge said: its score so far, and whether its game is over. A game of score 0 is lost.
func (s State) Report(score int, over bool) State {
	if !s.Active() {
		return s
	}
	s.vars = slices.Clone(s.vars)
	s.vars[slotScore] = float64(max(0, min(score, 1_000_000)))
	if slot, ok := s.Pack.slots["over"]; ok && over {
		s.vars[slot] = 1
	}
	return s
}
