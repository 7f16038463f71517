package link

import "time"

// Edge is one falling edge on one of two lines.
type Edge struct {
	Line int           // 0 or 1: the first or the second line that was named
	At   time.Duration // monotonic; only differences mean something
	Seq  uint32        // counts the edges of both lines from 1 at opening, without a gap unless one was lost; 0 where the source cannot count
}

// Edges is where edges come from. Next is for one goroutine; Close is safe beside it.
type Edges interface {
	// Next waits at most wait, which must be positive, for an edge. No edge and no error means that none came.
	// Edges may come out of order: Seq, or At where there is no Seq, tells the true one.
	Next(wait time.Duration) (Edge, bool, error)
	// Stamped reports whether the kernel took the times, in the interrupt. Otherwise they are those of our reading:
	// late by any time, and in a burst after a stall.
	Stamped() bool
	// Close ends a waiting Next.
	Close() error
}

// A wait is cut into slices, because none of periph's waits can be ended from outside without a race.
const edgeSlice = 100 * time.Millisecond

// epoch is the zero of the times that we take ourselves.
var epoch = time.Now()

func sinceEpoch() time.Duration { return time.Since(epoch) }
