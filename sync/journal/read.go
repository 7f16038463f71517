package journal

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math"

	bolt "go.etcd.io/bbolt"
)

// Read copies records of a lane out, from sequence from onwards: at most maxRecords (0 or above MaxRead: MaxRead) and about
// maxBytes of payload (0: no bound), but at least one if there is one. Where from was pruned the first record is a later
// one: its Seq tells. In place of a record that was given up or is damaged stands what Options.Marker gives.
func (j *Journal) Read(lane string, from uint64, maxRecords, maxBytes int) ([]Record, error) {
	if maxRecords <= 0 || maxRecords > MaxRead {
		maxRecords = MaxRead
	}
	if maxBytes <= 0 {
		maxBytes = math.MaxInt
	}
	r := reading{journal: j, lane: lane, pruned: j.lowest(lane), last: j.Last(lane), records: maxRecords, bytes: maxBytes}
	r.next = max(from, 1)
	if err := j.view(r.run); err != nil {
		return nil, fmt.Errorf("read lane %s of journal %s: %w", lane, j.path, err)
	}
	j.tellDamaged(lane, r.damaged)
	return r.out, nil
}

// lowest is the sequence up to which every reader has a lane's records.
func (j *Journal) lowest(lane string) uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	if l := j.lanes[lane]; l != nil {
		return l.lowest()
	}
	return 0
}

// tellDamaged counts and logs records that are found damaged for the first time.
func (j *Journal) tellDamaged(lane string, seqs []uint64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, seq := range seqs {
		if seq <= j.told[lane] {
			continue
		}
		j.told[lane] = seq
		j.health.Damaged++
		j.log.Error("a record is damaged on the disk; a marker goes in its place", "file", j.path, "lane", lane, "record", seq)
	}
}

// reading is one Read.
type reading struct {
	journal        *Journal
	lane           string
	next           uint64 // the sequence wanted
	last           uint64 // nothing beyond it: a commit shows to readers a moment before Last tells it, and who acknowledged more would be taken for wrong
	pruned         uint64 // up to here what is missing is missed by nobody
	records, bytes int    // how many more
	out            []Record
	damaged        []uint64
}

// run merges the classes of the lane.
func (r *reading) run(tx *bolt.Tx) error {
	log := tx.Bucket(logBucket)
	keep := log.Bucket([]byte(r.lane))
	if keep == nil {
		return nil
	}
	heads := headsOf(log, r.lane, r.next)
	last := min(keep.Sequence(), r.last)
	for r.next <= last && r.records > 0 {
		h := lowestHead(heads)
		if h != nil && h.seq < r.next { // a key that is none
			if _, err := h.take(); err != nil && r.journal.marker == nil {
				return err
			}
			continue
		}
		if h == nil || h.seq > r.next {
			until := last + 1
			if h != nil {
				until = h.seq
			}
			if !r.missing(until) {
				return nil
			}
			continue
		}
		record, err := h.take()
		if err != nil {
			if r.journal.marker == nil {
				return err
			}
			r.damaged = append(r.damaged, r.next)
			record = r.journal.marker(r.lane, r.next, Damaged)
		}
		if !r.add(record) {
			return nil
		}
	}
	return nil
}

// missing gives markers for what was given up before until, or passes over it.
func (r *reading) missing(until uint64) (more bool) {
	r.next = max(r.next, min(until, r.pruned+1))
	if r.journal.marker == nil {
		r.next = until
	}
	for r.next < until {
		if !r.add(r.journal.marker(r.lane, r.next, GivenUp)) {
			return false
		}
	}
	return true
}

// add adds the record that was wanted, if there is room.
func (r *reading) add(payload []byte) bool {
	if r.records == 0 || len(payload) > r.bytes && len(r.out) > 0 {
		r.records = 0
		return false
	}
	r.out = append(r.out, Record{r.next, bytes.Clone(payload)})
	r.records, r.bytes, r.next = r.records-1, r.bytes-len(payload), r.next+1
	return true
}

// head is the next record of one class.
type head struct {
	name   []byte
	cursor *bolt.Cursor
	key    []byte
	value  []byte
	seq    uint64
	last   uint64 // the one taken last
}

// headsOf begins to read a lane's classes.
func headsOf(log *bolt.Bucket, lane string, from uint64) []head {
	var heads []head
	for c := range Class(classes) {
		name := logName(lane, c)
		if b := log.Bucket(name); b != nil {
			heads = append(heads, newHead(name, b, from))
		}
	}
	return heads
}

func newHead(name []byte, b *bolt.Bucket, from uint64) head {
	h := head{name: name, cursor: b.Cursor()}
	k, v := h.cursor.Seek(number(from))
	h.set(k, v)
	return h
}

func (h *head) set(k, v []byte) {
	h.key, h.value, h.seq = k, v, 0
	if len(k) == 8 {
		h.seq = binary.BigEndian.Uint64(k)
	}
}

// take returns the record and goes on to the next one.
func (h *head) take() ([]byte, error) {
	h.last = h.seq
	payload, err := parseRecord(h.name, h.key, h.value)
	h.set(h.cursor.Next())
	return payload, err
}

func lowestHead(heads []head) *head {
	var low *head
	for i := range heads {
		if h := &heads[i]; h.key != nil && (low == nil || h.seq < low.seq) {
			low = h
		}
	}
	return low
}

// parseRecord reads a stored record; the payload shares memory with v.
func parseRecord(log, k, v []byte) ([]byte, error) {
	seq, err := parseNumber(k)
	if err != nil {
		return nil, damaged(fmt.Errorf("key of a record: %w", err))
	}
	payload, err := openRecord(log, seq, v)
	if err != nil {
		return nil, damaged(fmt.Errorf("record %d: %w", seq, err))
	}
	return payload, nil
}

// Wait waits until the lane holds a durable record after the given one.
func (j *Journal) Wait(ctx context.Context, lane string, after uint64) error {
	for {
		j.mu.Lock()
		changed := j.changed
		l := j.lanes[lane]
		there := l != nil && l.last > after
		j.mu.Unlock()
		if there {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		case <-j.stopped:
			return ErrStopped
		}
	}
}

// Snapshot copies the last good snapshot of a kind out.
func (j *Journal) Snapshot(kind string) (version uint64, data []byte, ok bool) {
	return j.snapshotFromEnd(kind, 1)
}

// SnapshotBefore copies the one before the last good snapshot out.
func (j *Journal) SnapshotBefore(kind string) (version uint64, data []byte, ok bool) {
	return j.snapshotFromEnd(kind, 2)
}

func (j *Journal) snapshotFromEnd(kind string, n int) (version uint64, data []byte, ok bool) {
	err := j.view(func(tx *bolt.Tx) error {
		b := tx.Bucket(snapshotBucket)
		versions := snapshotVersions(b, kind)
		if len(versions) < n {
			return nil
		}
		version = versions[len(versions)-n]
		data, ok = bytes.Clone(b.Get(snapshotKey(kind, version))), true
		return nil
	})
	if err != nil {
		j.log.Error("snapshot cannot be read", "file", j.path, "snapshot", kind, "error", err)
		return 0, nil, false
	}
	return version, data, ok
}

// snapshotVersions lists the versions kept of a kind, lowest first.
func snapshotVersions(b *bolt.Bucket, kind string) []uint64 {
	var versions []uint64
	prefix := []byte(kind + "\x00")
	c := b.Cursor()
	for k, _ := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, _ = c.Next() {
		if _, v, err := parseSnapshotKey(k); err == nil {
			versions = append(versions, v)
		}
	}
	return versions
}

// State copies a state bucket out. A bucket in which nothing was put is empty.
func (j *Journal) State(bucket string) (map[string][]byte, error) {
	state := map[string][]byte{}
	err := j.view(func(tx *bolt.Tx) error {
		b := tx.Bucket(stateBucket).Bucket([]byte(bucket))
		if b == nil {
			return nil
		}
		return b.ForEach(func(k, v []byte) error {
			state[string(k)] = bytes.Clone(v)
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("read state %s of journal %s: %w", bucket, j.path, err)
	}
	return state, nil
}

func (j *Journal) view(read func(*bolt.Tx) error) error {
	j.file.RLock()
	defer j.file.RUnlock()
	return view(j.db, read)
}
