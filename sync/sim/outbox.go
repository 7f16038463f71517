package sim

import (
	"encoding/json"
	"time"
)

// batchRecords is how many records go in one batch, as sync/uplink's.
const batchRecords = 250

// maxFlight is how many records may be on their way without an answer.
const maxFlight = 8 * batchRecords

// outbox is one lane in memory: what waits, in order, and how much of it is on its way. It reads no clock and sends nothing.
type outbox struct {
	first   uint64 // sequence of the first that waits
	waiting []waiting
	sent    int // how many of the first of them are on their way
}

type waiting struct {
	payload json.RawMessage
	at      time.Time // when it was made; from the first sending on, of that
	gone    bool
}

func (o *outbox) last() uint64 { return o.first + uint64(len(o.waiting)) - 1 }

func (o *outbox) add(payload []byte, now time.Time) {
	o.waiting = append(o.waiting, waiting{payload: payload, at: now})
}

// next gives the records of the next batch, and the sequence of the first; none when there is nothing to send or too much on its way.
func (o *outbox) next() (records []json.RawMessage, first uint64) {
	n := min(len(o.waiting)-o.sent, batchRecords, maxFlight-o.sent)
	for i := range max(0, n) {
		records = append(records, o.waiting[o.sent+i].payload)
	}
	return records, o.first + uint64(o.sent)
}

func (o *outbox) went(n int, now time.Time) {
	for i := o.sent; i < o.sent+n; i++ {
		if !o.waiting[i].gone {
			o.waiting[i].at, o.waiting[i].gone = now, true
		}
	}
	o.sent += n
}

// heard drops what is acknowledged, and tells for each when it was first sent. An answer that lies beyond what was sent is nobody's.
func (o *outbox) heard(upto uint64, each func(sent time.Time)) {
	if upto < o.first || upto > o.last() {
		return
	}
	n := int(upto - o.first + 1)
	for _, w := range o.waiting[:n] {
		each(w.at)
	}
	o.first, o.waiting, o.sent = upto+1, o.waiting[n:], max(0, o.sent-n)
}

func (o *outbox) rewind() { o.sent = 0 }
