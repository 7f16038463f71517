package uplink

import (
	"time"

	"foyer/sync/wire"
)

// flow is what go-back-N decides: which record is next, how many batches may be on their way, until when to be patient. It
// reads no clock and sends nothing.
type flow struct {
	patience, maxPatience time.Duration

	acked, next uint64   // headquarters' word, and the record to be sent next
	sent        []flight // on their way, in order
	open        bool     // the line took what it was given last
	asking      bool     // after a silence: one record at a time until there is progress
	rewound     bool     // since the last progress: a repeated acknowledgement does not count a second time
	lower       bool     // headquarters named less than it had acknowledged, since the last question
	waiting     time.Duration
	since       time.Time // of the last progress, or when waiting for one began
}

// flight is a batch on its way.
type flight struct {
	last uint64
	at   time.Time
}

func newFlow(acked uint64, patience, maxPatience time.Duration) *flow {
	f := &flow{patience: patience, maxPatience: maxPatience, acked: acked, waiting: patience}
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
func (f *flow) cameUp() {
	f.open, f.asking, f.rewound = true, false, true
	f.waiting = f.patience
	f.rewind()
}

// deadline is until when there must be progress; none where nothing is waited for.
func (f *flow) deadline(last uint64) (at time.Time, ok bool) {
	return f.since.Add(f.waiting), len(f.sent) > 0 || !f.open && f.next <= last
}

// silent is what follows when the deadline has passed: a question, with more patience. It reports whether headquarters
// has answered the question before with less than it had acknowledged.
func (f *flow) silent(now time.Time) (lost bool) {
	lost = f.asking && f.lower
	f.open, f.asking, f.rewound, f.lower = true, true, true, false
	f.waiting = min(2*f.waiting, f.maxPatience)
	f.since = now
	f.rewind()
	return lost
}

// verdict is what an acknowledgement means.
type verdict uint8

const (
	progress  verdict = iota // the cursor may move to f.acked
	repeated                 // nothing new; perhaps sending starts again
	foreign                  // of another epoch
	unwritten                // of records that were never written
	less                     // of less than was acknowledged before
)

// heard judges an acknowledgement, given our epoch and the last record there is. The time between sending and hearing is told
// where the acknowledgement answers exactly one batch.
func (f *flow) heard(a wire.Ack, epoch string, last uint64, now time.Time) (v verdict, answered *flight) {
	switch {
	case a.Epoch != epoch:
		return foreign, nil
	case a.Upto > last:
		return unwritten, nil
	case a.Upto < f.acked:
		f.lower = true // perhaps only an old message; the answer to a question will show
		return less, nil
	case a.Upto == f.acked:
		f.again()
		return repeated, nil
	}
	for len(f.sent) > 0 && f.sent[0].last <= a.Upto {
		if f.sent[0].last == a.Upto {
			answered = new(f.sent[0])
		}
		f.sent = f.sent[1:]
	}
	f.acked, f.next = a.Upto, max(f.next, a.Upto+1)
	f.asking, f.rewound, f.lower = false, false, false
	f.waiting, f.since = f.patience, now
	return progress, answered
}

// again is what follows a repeated acknowledgement: headquarters' way of saying that something is missing after what it has. Each
// batch behind the gap makes it say so; only the first time counts.
func (f *flow) again() {
	if len(f.sent) > 0 && !f.rewound {
		f.rewound = true
		f.rewind()
	}
}
