package uplink

import (
	"encoding/json"
	"errors"
	"time"

	"foyer/sync/wire"
)

// lane is one log on its way. Only Run's goroutine touches it; what others see is copied into Status.
type lane struct {
	*flow
	name    string
	fresh   bool      // headquarters may not know yet where this epoch comes from
	noticed time.Time // when the oldest unsent record was first seen; zero: all is sent
	lastAck time.Time
	lost    uint64 // records told as lost
	lostTo  uint64
	why     string

	oldestSeq uint64 // of the record whose time is known
	oldest    time.Time
}

// LaneStatus is how one lane stands.
type LaneStatus struct {
	Lane    string
	Acked   uint64    // headquarters holds everything up to here
	Last    uint64    // newest record
	Oldest  time.Time // when the oldest record that waits was made; zero: none waits
	LastAck time.Time // when headquarters was last heard about it; zero: never since the start
	Lost    uint64    // records that were gone before headquarters had them, or had them again, since the start
	Waits   bool      // for the next day's budget
}

// Depth is how many records wait for headquarters.
func (l LaneStatus) Depth() uint64 { return l.Last - l.Acked }

func (u *Uplink) newLane(name string) *lane {
	cursor := u.c.Journal.Cursor(name, CursorName)
	l := &lane{flow: newFlow(cursor, u.c.Patience, u.c.MaxPatience), name: name, fresh: true}
	l.asking = true
	return l
}

func (u *Uplink) last(l *lane) uint64 { return u.c.Journal.Last(l.name) }

// send fills the windows. Lanes go in their order: one waits while one before it has anything left to send.
func (u *Uplink) send(now time.Time) {
	for _, l := range u.lanes {
		last := u.last(l)
		if u.purse.refuses(l.name, now) {
			continue
		}
		for u.due(l, last, now) {
			records, ok := l.room(last)
			if !ok || !u.sendOne(l, records) {
				break
			}
		}
		if l.behind(last) && !u.lingers(l, last) {
			return
		}
	}
}

func (u *Uplink) sendOne(l *lane, records int) bool {
	b, err := u.batch(l, records)
	if err == nil {
		err = u.publish(l, b)
	}
	if err != nil {
		u.c.Log.Debug("batch not sent", "lane", l.name, "first", l.next, "error", err)
		l.notTaken(time.Now())
		return false
	}
	l.wentOut(b.Last(), b.SentAt)
	l.noticed = time.Time{}
	return true
}

// due holds single records of a metered line back for a little: sent together they cost a tenth.
func (u *Uplink) due(l *lane, last uint64, now time.Time) bool {
	if l.next > last {
		l.noticed = time.Time{}
		return false
	}
	if l.noticed.IsZero() {
		l.noticed = now
	}
	return !u.lingers(l, last) || !now.Before(l.noticed.Add(u.purse.linger(l.name)))
}

func (u *Uplink) lingers(l *lane, last uint64) bool {
	return last-l.next+1 < batchRecords && !l.asking && u.purse.linger(l.name) > 0
}

// batch reads records from the lane's next one on. Where the journal no longer holds them, the batch says so: it begins at the
// first one that is there, and what came before will never come.
func (u *Uplink) batch(l *lane, limit int) (wire.Batch, error) {
	records, err := u.c.Journal.Read(l.name, l.next, limit, batchBytes)
	if err != nil {
		u.fault(l, "a record cannot be read from the journal", "record", l.next, "error", err)
		return wire.Batch{}, err
	}
	last := u.last(l)
	b := wire.Batch{V: u.version(), Epoch: u.c.Journal.Epoch(), Lane: l.name, First: last + 1, SentAt: time.Now().UTC(), Head: last, Schema: wire.Schema,
		SkewMS: u.skew.Milliseconds()}
	if len(records) > 0 {
		b.First = records[0].Seq
	}
	if l.fresh {
		origin := u.c.Journal.Origin()
		b.From, b.Base = origin.From, origin.Bases[l.name]
	}
	if b.First > l.next {
		if l.next > last {
			return b, errors.New("there is no record")
		}
		b.Floor = true
		u.tellLost(l, l.next, b.First-1)
	}
	for i, r := range records {
		if r.Seq != b.First+uint64(i) {
			break // a hole: the next batch tells of it
		}
		b.Records = append(b.Records, u.c.Open(r.Payload))
	}
	return b, nil
}

// tellLost notes once that records are gone.
func (u *Uplink) tellLost(l *lane, first, last uint64) {
	if last <= l.lostTo {
		return
	}
	first = max(first, l.lostTo+1)
	l.lost, l.lostTo = l.lost+last-first+1, last
	u.c.Log.Error("the journal no longer holds records that headquarters does not have: they are lost", "lane", l.name, "first", first, "last", last)
}

func (u *Uplink) publish(l *lane, b wire.Batch) error {
	data, err := wire.EncodeBatch(b)
	if err != nil {
		u.fault(l, "records cannot be sent", "first", b.First, "last", b.Last(), "error", err)
		return err
	}
	if err := u.c.Pipe.Publish(u.c.Place.Up(l.name), false, data); err != nil {
		return err
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.status.SentBatches++
	return nil
}

// oldestOf is when the oldest record that waits was made.
func (u *Uplink) oldestOf(l *lane) time.Time {
	first := l.acked + 1
	if first > u.last(l) {
		return time.Time{}
	}
	if l.oldestSeq == first {
		return l.oldest
	}
	records, err := u.c.Journal.Read(l.name, first, 1, 0)
	if err != nil || len(records) == 0 {
		return time.Time{}
	}
	var r struct {
		At time.Time `json:"at"`
	}
	if json.Unmarshal(u.c.Open(records[0].Payload), &r) != nil {
		return time.Time{}
	}
	l.oldestSeq, l.oldest = first, r.At
	return r.At
}
