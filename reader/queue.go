package reader

import "foyer/reader/tag"

// queue holds the reads that out has no room for. A send-only channel cannot be emptied by its sender, so the oldest are
// dropped here; what lies in out belongs to whoever receives.
type queue struct {
	out     chan<- tag.Read
	waiting [64]tag.Read
	first   int // index of the oldest
	n       int
	dropped uint64
}

func (q *queue) add(read tag.Read) {
	if q.n == len(q.waiting) {
		q.first = (q.first + 1) % len(q.waiting)
		q.n--
		q.dropped++
	}
	q.waiting[(q.first+q.n)%len(q.waiting)] = read
	q.n++
}

// flush gives out what it takes, and reports whether all is gone. It never blocks.
func (q *queue) flush() bool {
	for q.n > 0 {
		select {
		case q.out <- q.waiting[q.first]:
			q.first = (q.first + 1) % len(q.waiting)
			q.n--
		default:
			return false
		}
	}
	return true
}
