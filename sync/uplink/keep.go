package uplink

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"foyer/sync/journal"
)

// KeptCursor is the journal's cursor that trails the one of headquarters: what lies between may be asked for again.
const KeptCursor = CursorName + journal.KeptSuffix

// DefaultKeep is how long records stay after headquarters has acknowledged them. Headquarters that is restored from a backup no
// older than this gets back all that it had.
const DefaultKeep = 72 * time.Hour

// keepSteps is how many marks a lane has in that time: so exact is its end.
const keepSteps = 72

// mark says how far headquarters had come at a time.
type mark struct {
	At    time.Time `json:"at"`
	Acked uint64    `json:"acked"`
}

// kept is what of a lane is kept though headquarters has it.
type kept struct {
	Marks []mark `json:"marks"`
}

func keptKey(lane string) string { return "kept/" + lane }

// loadKept reads the marks. Without any, what headquarters has now counts as acknowledged now.
func (u *Uplink) loadKept() {
	state, err := u.c.Journal.State(stateBucket)
	if err != nil {
		u.c.Log.Warn("how long records are kept cannot be read and starts anew", "error", err)
	}
	for _, l := range u.lanes {
		var k kept
		if json.Unmarshal(state[keptKey(l.name)], &k) != nil {
			k = kept{}
		}
		u.kept[l.name] = k
	}
}

// step notes how far headquarters is, and gives back up to where records may go now. A mark in the future was made by a clock
// that was wrong; it counts as made now.
func (k *kept) step(acked uint64, now time.Time, keep time.Duration) (free uint64) {
	for i := range k.Marks {
		if k.Marks[i].At.After(now) {
			k.Marks[i].At = now
		}
	}
	for len(k.Marks) > 0 && now.Sub(k.Marks[0].At) >= keep {
		free, k.Marks = k.Marks[0].Acked, k.Marks[1:]
	}
	if n := len(k.Marks); n == 0 || k.Marks[n-1].Acked < acked && now.Sub(k.Marks[n-1].At) >= keep/keepSteps {
		k.Marks = append(k.Marks, mark{now, acked})
	}
	return min(free, acked)
}

// prune lets go of what was kept long enough, and of everything that headquarters has when the journal is half full, the disk
// is full, or records are given up: to keep what it does not have comes first.
func (u *Uplink) prune(ctx context.Context, now time.Time) error {
	h := u.c.Journal.Health()
	tight := h.Used > h.Max/2 || h.DiskFull || h.Thinning || errors.Is(h.Err, journal.ErrFull)
	if !tight && now.Before(u.pruneAt) && now.After(u.pruneAt.Add(-u.c.Keep)) {
		return nil
	}
	u.pruneAt = now.Add(u.c.Keep / keepSteps)
	for _, l := range u.lanes {
		k := u.kept[l.name]
		before := len(k.Marks)
		free := k.step(l.acked, now, u.c.Keep)
		if tight {
			free, k.Marks = l.acked, nil
		}
		u.kept[l.name] = k
		if free > u.c.Journal.Cursor(l.name, KeptCursor) {
			if err := u.c.Journal.MoveCursor(ctx, l.name, KeptCursor, free); err != nil && !errors.Is(err, journal.ErrRefused) {
				return err
			}
		}
		if len(k.Marks) != before {
			if err := u.put(ctx, keptKey(l.name), k); err != nil && !errors.Is(err, journal.ErrFull) {
				return err
			}
		}
	}
	return nil
}
