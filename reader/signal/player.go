package signal

import "time"

// player is the state of all outputs. It has no clock: the caller says what time it is.
type player struct {
	tracks map[string]playing
}

type playing struct {
	Track
	begun time.Time
}

// play begins a pattern. Outputs that it does not name go on with what they do; a visitor who taps twice hears it anew.
func (p *player) play(pattern Pattern, now time.Time) {
	if p.tracks == nil {
		p.tracks = map[string]playing{}
	}
	for _, t := range pattern {
		p.tracks[t.Output] = playing{t, now}
	}
}

// each gives the state of every output that has a track, forgets those that have ended, and returns when to look again;
// zero = not before the next pattern.
func (p *player) each(now time.Time, set func(output string, on bool)) (next time.Time) {
	for output, t := range p.tracks {
		on, lasts := t.at(now.Sub(t.begun))
		set(output, on)
		if lasts == 0 {
			delete(p.tracks, output)
			continue
		}
		if change := now.Add(lasts); next.IsZero() || change.Before(next) {
			next = change
		}
	}
	return next
}
