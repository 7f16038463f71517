package journal

import (
	"bytes"
	"context"
	"fmt"
	"math"

	bolt "go.etcd.io/bbolt"
)

// Read copies records of a lane out, from sequence from onwards: at most maxRecords (0 or above MaxRead: MaxRead) and about
// maxBytes of payload (0: no bound), but at least one if there is one. Where from was pruned the first record is a later
// one: its Seq tells.
func (j *Journal) Read(lane string, from uint64, maxRecords, maxBytes int) ([]Record, error) {
	if maxRecords <= 0 || maxRecords > MaxRead {
		maxRecords = MaxRead
	}
	if maxBytes <= 0 {
		maxBytes = math.MaxInt
	}
	var records []Record
	err := j.view(func(tx *bolt.Tx) error {
		b := tx.Bucket(logBucket).Bucket([]byte(lane))
		if b == nil {
			return nil
		}
		size := 0
		c := b.Cursor()
		for k, v := c.Seek(number(from)); k != nil && len(records) < maxRecords; k, v = c.Next() {
			r, err := parseRecord(k, v)
			if err != nil {
				return err
			}
			if size += len(r.Payload); size > maxBytes && len(records) > 0 {
				return nil
			}
			records = append(records, Record{r.Seq, bytes.Clone(r.Payload)})
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read lane %s of journal %s: %w", lane, j.path, err)
	}
	return records, nil
}

// parseRecord reads a stored record; the payload shares memory with v.
func parseRecord(k, v []byte) (Record, error) {
	seq, err := parseNumber(k)
	if err != nil {
		return Record{}, damaged(fmt.Errorf("key of a record: %w", err))
	}
	payload, err := openRecord(v)
	if err != nil {
		return Record{}, damaged(fmt.Errorf("record %d: %w", seq, err))
	}
	return Record{seq, payload}, nil
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
