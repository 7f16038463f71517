package signal

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Pattern is what an event looks and sounds like: all its tracks begin at once.
type Pattern []Track

// Track is one output going on and off.
type Track struct {
	Output string        // as the configuration names it: green, red, buzzer
	Times  int           // how often it goes on
	On     time.Duration // each time
	Off    time.Duration // between two times
}

// The bounds keep a mistake in the configuration from lighting a lamp for a week.
const (
	maxTracks  = 8
	maxTimes   = 100
	minPart    = 10 * time.Millisecond
	maxPart    = time.Minute
	wholeTrack = time.Second // of an output without a time
)

var trackForm = regexp.MustCompile(`^([a-z][a-z0-9-]{0,15})(?: +(?:([0-9]{1,3})x)?([0-9a-z.]{1,12})(?:/([0-9a-z.]{1,12}))?)?$`)

// ParsePattern reads a pattern as people write it: "green 2s, buzzer 2x100ms". After an output stand how often and how long,
// and after a stroke the pause between ("3x200ms/50ms"), which is else as long as the tone. An output alone is on for 1 s.
// The error holds every fault.
func ParsePattern(text string) (Pattern, error) {
	var p Pattern
	var faults []error
	used := map[string]bool{}
	for i, part := range strings.SplitN(text, ",", maxTracks+1) {
		if i == maxTracks {
			faults = append(faults, fmt.Errorf("want at most %d outputs in one pattern", maxTracks))
			break
		}
		t, err := parseTrack(strings.TrimSpace(part))
		switch {
		case err != nil:
			faults = append(faults, err)
		case used[t.Output]:
			faults = append(faults, fmt.Errorf("%s stands twice", t.Output))
		}
		used[t.Output] = true
		p = append(p, t)
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	return p, nil
}

func parseTrack(text string) (Track, error) {
	parts := trackForm.FindStringSubmatch(text)
	if parts == nil {
		return Track{}, fmt.Errorf("got %.40q, want an output like \"green\", \"green 2s\" or \"buzzer 2x100ms/50ms\"", text)
	}
	t := Track{Output: parts[1], Times: 1, On: wholeTrack}
	var err error
	if parts[2] != "" {
		t.Times, _ = strconv.Atoi(parts[2]) // three digits at most
	}
	if parts[3] != "" {
		if t.On, err = time.ParseDuration(parts[3]); err != nil {
			return Track{}, fmt.Errorf("%s: got %q, want a time like 100ms or 2s", t.Output, parts[3])
		}
	}
	t.Off = t.On
	if parts[4] != "" {
		if t.Off, err = time.ParseDuration(parts[4]); err != nil {
			return Track{}, fmt.Errorf("%s: got %q, want a pause like 50ms", t.Output, parts[4])
		}
	}
	if t.Times < 1 || t.Times > maxTimes || t.On < minPart || t.On > maxPart || t.Off < minPart || t.Off > maxPart {
		return Track{}, fmt.Errorf("%s: want 1 to %d times, each of %v to %v", t.Output, maxTimes, minPart, maxPart)
	}
	return t, nil
}

// String is a form that ParsePattern reads.
func (p Pattern) String() string {
	parts := make([]string, len(p))
	for i, t := range p {
		parts[i] = fmt.Sprintf("%s %dx%v/%v", t.Output, t.Times, t.On, t.Off)
	}
	return strings.Join(parts, ", ")
}

// at says whether the output is on after so long, and how long that lasts; 0 = for ever.
func (t Track) at(since time.Duration) (on bool, lasts time.Duration) {
	cycle := t.On + t.Off
	times := int(since / cycle)
	into := since % cycle
	switch {
	case times >= t.Times || times == t.Times-1 && into >= t.On:
		return false, 0
	case into < t.On:
		return true, t.On - into
	}
	return false, cycle - into
}
