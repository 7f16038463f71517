package journal

import (
	"context"
	"errors"
	"fmt"
)

// queueLength is how many requests may wait before submitters do.
const queueLength = 1024

// request is one thing for the committer to do.
type request struct {
	kind    requestKind
	class   Class
	lane    string
	name    string // of a cursor, or the kind of a snapshot
	payload []byte // of a record or a snapshot
	number  uint64 // where a cursor goes, or a snapshot's version
	puts    []Put
	done    func(seq uint64, err error)
}

type requestKind uint8

const (
	appendRecord requestKind = iota
	replaceRecord
	putState
	moveCursor
	putSnapshot
	compactFile
	forkEpoch
)

type outcome struct {
	seq uint64
	err error
}

// Submit queues an entry. It waits while the queue is full. When it returns nil the entry is not yet on the disk: Done will tell.
func (j *Journal) Submit(ctx context.Context, e Entry) error {
	r := request{kind: appendRecord, class: e.Class, lane: e.Lane, payload: e.Payload, puts: e.Puts, done: e.Done}
	if e.Payload == nil {
		r.kind, r.class = putState, Keep
	}
	if err := checkEntry(e); err != nil {
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	return j.enter(ctx, r)
}

// Append queues an entry and waits until it is on the disk. If ctx ends first, whether it was written is unknown.
func (j *Journal) Append(ctx context.Context, e Entry) (uint64, error) {
	done := make(chan outcome, 1)
	first := e.Done
	e.Done = func(seq uint64, err error) {
		if first != nil {
			first(seq, err)
		}
		done <- outcome{seq, err}
	}
	if err := j.Submit(ctx, e); err != nil {
		return 0, err
	}
	return await(ctx, done)
}

// Replace puts other bytes in the place of records that are still there, under their numbers: for whoever keeps the same thing in
// another form. Records that are gone stay gone.
func (j *Journal) Replace(ctx context.Context, lane string, records []Record) error {
	if err := checkName("lane", lane); err != nil {
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	done := make(chan outcome, len(records))
	for i, r := range records {
		if len(r.Payload) == 0 || len(r.Payload) > MaxPayload {
			return fmt.Errorf("%w: record of %d bytes: want 1 to %d", ErrRefused, len(r.Payload), MaxPayload)
		}
		err := j.enter(ctx, request{kind: replaceRecord, lane: lane, number: r.Seq, payload: r.Payload, done: func(seq uint64, err error) { done <- outcome{seq, err} }})
		if err != nil {
			return errors.Join(err, awaitAll(ctx, done, i))
		}
	}
	return awaitAll(ctx, done, len(records))
}

// awaitAll waits for n outcomes and returns the first error.
func awaitAll(ctx context.Context, done <-chan outcome, n int) (first error) {
	for range n {
		if _, err := await(ctx, done); first == nil {
			first = err
		}
	}
	return first
}

// MoveCursor says that the reader called name has taken care of all records up to and including to. A cursor never moves
// back (such a move does nothing) and never beyond the last record (that is refused). A move to 0 only makes the cursor
// known, and so holds records back from being pruned.
func (j *Journal) MoveCursor(ctx context.Context, lane, name string, to uint64) error {
	for what, n := range map[string]string{"lane": lane, "cursor": name} {
		if err := checkName(what, n); err != nil {
			return fmt.Errorf("%w: %w", ErrRefused, err)
		}
	}
	return j.do(ctx, request{kind: moveCursor, lane: lane, name: name, number: to})
}

// PutSnapshot keeps data as the last good snapshot of a kind, and the one before it. A version below the one kept is refused.
func (j *Journal) PutSnapshot(ctx context.Context, kind string, version uint64, data []byte) error {
	if err := checkName("snapshot", kind); err != nil {
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	if len(data) > MaxSnapshot {
		return fmt.Errorf("%w: snapshot %s of %d bytes: want at most %d", ErrRefused, kind, len(data), MaxSnapshot)
	}
	return j.do(ctx, request{kind: putSnapshot, name: kind, number: version, payload: data})
}

// do queues a request and waits for its outcome.
func (j *Journal) do(ctx context.Context, r request) error {
	done := make(chan outcome, 1)
	r.done = func(seq uint64, err error) { done <- outcome{seq, err} }
	if err := j.enter(ctx, r); err != nil {
		return err
	}
	_, err := await(ctx, done)
	return err
}

func await(ctx context.Context, done <-chan outcome) (uint64, error) {
	select {
	case o := <-done:
		return o.seq, o.err
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

// enter puts a request into the queue. Whoever passes the gate before Run ends is either queued and committed, or told.
func (j *Journal) enter(ctx context.Context, r request) error {
	j.gate.Lock()
	if j.shut {
		j.gate.Unlock()
		return ErrStopped
	}
	j.entering.Add(1)
	j.gate.Unlock()
	defer j.entering.Done()
	select {
	case j.queue <- r:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-j.stopping:
		return ErrStopped
	}
}

func (j *Journal) shutGate() {
	j.gate.Lock()
	defer j.gate.Unlock()
	if !j.shut {
		j.shut = true
		close(j.stopping)
	}
}

func checkEntry(e Entry) error {
	if e.Payload != nil {
		if err := checkName("lane", e.Lane); err != nil {
			return err
		}
	}
	if e.Class >= classes {
		return fmt.Errorf("record of %v: want one that there is", e.Class)
	}
	if len(e.Payload) > MaxPayload {
		return fmt.Errorf("record of %d bytes: want at most %d", len(e.Payload), MaxPayload)
	}
	for _, p := range e.Puts {
		if err := checkName("bucket", p.Bucket); err != nil {
			return err
		}
		if p.Key == "" || len(p.Key) > MaxKey || len(p.Value) > MaxValue {
			return fmt.Errorf("state %s: key of %d bytes and value of %d: want 1 to %d and at most %d",
				p.Bucket, len(p.Key), len(p.Value), MaxKey, MaxValue)
		}
	}
	return nil
}
