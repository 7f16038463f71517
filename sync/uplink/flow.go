package uplink

import (
	"time"

	"foyer/sync/wire"
)

// flow is what go-back-N decides for one lane: which record is next, how many batches may be on their way, until when to be patient.
// It reads no clock and sends nothing.
type flow struct {
	patience, maxPatience time.Duration

	acked, next uint64   // headquarters' word, and the record to be sent next
	sent        []flight // on their way, in order
	open        bool     // the line took what it was given last
	asking      bool     // after a silence, or before it is known what headquarters reads: one record at a time until there is progress
	rewound     bool     // since the last progress: a repeated acknowledgement does not count a second time
	waiting     time.Duration
	usual       time.Duration // how long it waits after progress: patience, or longer where headquarters has turned out to be slow
	since       time.Time     // of the last progress, or when waiting for one began
	doubted     []flight      // on their way when it began to ask: lost, or only late
	quiet       time.Time     // since, when it began to ask
	newest      time.Time     // headquarters' clock in the newest answer: an older answer does not say that it has forgotten
}

// flight is a batch on its way.
type flight struct {
	last uint64
	at   time.Time
}

func newFlow(acked uint64, patience, maxPatience time.Duration) *flow {
	f := &flow{patience: patience, maxPatience: maxPatience, acked: acked, waiting: patience, usual: patience}
	f.rewind()
	return f
}

func (f *flow) rewind() { f.next, f.sent = f.acked+1, f.sent[:0] }

// room reports whether a batch may be sent, given the last record there is, and of how many records.
func (f *flow) room(last uint64) (records int, ok bool) {
	records, batches := batchRecords, window
	if f.asking {
		records, batches = 1, 1
	}
	return records, f.open && len(f.sent) < batches && f.next <= last
}

// behind reports whether the lane has something to send that others should wait for. One that only asks makes nobody wait.
func (f *flow) behind(last uint64) bool { return f.open && !f.asking && f.next <= last }

// wentOut notes a batch on its way.
func (f *flow) wentOut(last uint64, now time.Time) {
	if len(f.sent) == 0 {
		f.since = now
	}
	f.next = last + 1
	f.sent = append(f.sent, flight{last, now})
}

// notTaken notes that the line did not take a batch.
func (f *flow) notTaken(now time.Time) { f.open, f.since = false, now }

// cameUp starts again behind the cursor: what was on its way on the old connection may be lost.
func (f *flow) cameUp(asking bool) {
	f.open, f.asking, f.rewound = true, asking, true
	f.waiting, f.usual, f.doubted = f.patience, f.patience, nil
	f.rewind()
}

// deadline is until when there must be progress; none where nothing is waited for.
func (f *flow) deadline(last uint64) (at time.Time, ok bool) {
	return f.since.Add(f.waiting), len(f.sent) > 0 || !f.open && f.next <= last
}

// carried is what follows when the deadline has passed while the line still carries what was sent: nothing is missing yet, and to send
// it again would only make the line slower. It reports false when the longest patience is over too.
func (f *flow) carried() bool {
	if len(f.sent) == 0 || f.waiting >= f.maxPatience {
		return false
	}
	f.waiting = min(f.waiting+f.patience, f.maxPatience)
	return true
}

// silent is what follows when the deadline has passed: a question, with more patience.
func (f *flow) silent(now time.Time) {
	if !f.asking {
		f.doubted, f.quiet = append([]flight(nil), f.sent...), f.since
	}
	f.open, f.asking, f.rewound = true, true, true
	f.waiting = min(2*f.waiting, f.maxPatience)
	f.since = now
	f.rewind()
}

// verdict is what an acknowledgement means.
type verdict uint8

const (
	progress verdict = iota // the cursor may move to f.acked
	repeated                // nothing new; perhaps sending starts again
	foreign                 // of another epoch
	stale                   // of less than was acknowledged before: perhaps only an old message; the answer to a question will show
	forgot                  // headquarters has forgotten: sending starts again behind what it has
	forked                  // of records that were never written, or were written otherwise: we have forgotten
)

// oldAnswer is how far headquarters' clock may have been put back: an answer that is older than this is a new one.
const oldAnswer = time.Hour

// heard judges an acknowledgement, given our epoch and the last record there is. The time between sending and hearing is told
// where the acknowledgement answers exactly one batch.
func (f *flow) heard(a wire.Ack, epoch string, last uint64, now time.Time) (v verdict, answered *flight) {
	old := a.HQTime.Before(f.newest) && f.newest.Sub(a.HQTime) < oldAnswer
	switch have := a.Watermark(); {
	case a.Epoch != epoch:
		return foreign, nil
	case old && a.Upto <= f.acked && !a.Fork:
		return stale, nil
	case have > last || a.Upto > last || a.Fork:
		return forked, nil
	}
	f.newest = a.HQTime
	switch have := a.Watermark(); {
	case have < f.acked && (f.asking || len(f.sent) == 0):
		f.acked = have
		f.rewind()
		f.asking, f.rewound, f.since, f.doubted = false, true, now, nil
		return forgot, nil
	case a.Upto < f.acked:
		return stale, nil
	case a.Upto == f.acked:
		f.again()
		return repeated, nil
	}
	late := f.onlyLate(a.Upto)
	for len(f.sent) > 0 && f.sent[0].last <= a.Upto {
		if f.sent[0].last == a.Upto {
			answered = new(f.sent[0])
		}
		f.sent = f.sent[1:]
	}
	f.acked, f.next = a.Upto, max(f.next, a.Upto+1)
	f.learn(late, now)
	f.asking, f.rewound, f.doubted = false, false, nil
	f.waiting, f.since = f.usual, now
	return progress, answered
}

// onlyLate reports that what was on its way before the question arrives after all: the answer says more than the question could
// have brought about. Headquarters is slow then, not silent: after an outage a thousand stores tell it of a week at once.
func (f *flow) onlyLate(upto uint64) bool {
	return f.asking && len(f.sent) > 0 && upto > f.sent[0].last && len(f.doubted) > 0 && f.doubted[0].last <= upto
}

// learn takes up again what was only late, in place of sending it a second time, and is more patient from now on; less so with each
// answer that comes in time.
func (f *flow) learn(late bool, now time.Time) {
	if !late {
		f.usual = max(f.patience, f.usual*7/8)
		return
	}
	for _, d := range f.doubted {
		if d.last > f.acked {
			f.sent, f.next = append(f.sent, d), d.last+1
		}
	}
	f.usual = min(max(f.usual, now.Sub(f.quiet)*3/2), f.maxPatience)
}

// again is what follows a repeated acknowledgement: headquarters' way of saying that something is missing after what it has. Each
// batch behind the gap makes it say so; only the first time counts.
func (f *flow) again() {
	if f.doubted = nil; len(f.sent) > 0 && !f.rewound {
		f.rewound = true
		f.rewind()
	}
}
