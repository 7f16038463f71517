package line

import "time"

// backoff is how long to wait before the next try. It grows by half, so that the wait is never much more than half of the
// outage so far: a cut of two seconds costs at most about one more, a cut of an hour at most RetryMax.
type backoff struct {
	min, max, at time.Duration
}

// next returns the wait, a quarter shorter or longer by chance (0 <= chance < 1): the stores of a chain must not all
// come back in the same moment.
func (b *backoff) next(chance float64) time.Duration {
	b.at = min(max(b.at+b.at/2, b.min), b.max)
	return time.Duration(float64(b.at) * (0.75 + chance/2))
}

func (b *backoff) reset() { b.at = 0 }
