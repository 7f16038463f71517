package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"syscall"

	bolt "go.etcd.io/bbolt"
	bolterr "go.etcd.io/bbolt/errors"
)

// commit writes a group in one transaction and answers each of it. Only an error after which this process must not touch
// the file again is returned.
func (j *Journal) commit(group []request) error {
	t := &turn{journal: j, lanes: map[string]*lane{}, logs: map[string]*bolt.Bucket{}, outcomes: make([]outcome, len(group))}
	err := j.write(group, t)
	if err != nil {
		err = fmt.Errorf("commit to journal %s: %w", j.path, j.recoverFrom(err))
		for i := range t.outcomes {
			t.outcomes[i] = outcome{err: err}
		}
	}
	j.settle(t, err)
	for i, r := range group {
		r.answer(t.outcomes[i].seq, t.outcomes[i].err)
	}
	if errors.Is(err, ErrCorrupt) {
		return err
	}
	return nil
}

func (j *Journal) write(group []request, t *turn) error {
	if j.db == nil {
		if err := j.reopen(); err != nil {
			return err
		}
	}
	return guarded(func() error {
		tx, err := j.db.Begin(true)
		if err != nil {
			return err
		}
		defer tx.Rollback() // does nothing after a commit
		t.begin(tx)
		for i, r := range group {
			seq, err := t.do(r)
			if err != nil && !errors.Is(err, ErrRefused) && !errors.Is(err, ErrFull) {
				return err
			}
			t.outcomes[i] = outcome{seq, err}
		}
		if err := t.end(); err != nil {
			return err
		}
		return j.commitTx(tx)
	})
}

// recoverFrom makes the journal usable after a failed commit. A full disk left the file as it was. After any other error, of
// the sync above all, what the kernel holds and what the disk holds may differ: the file is opened anew and read again,
// because a second sync would report success without having written (fsyncgate).
func (j *Journal) recoverFrom(err error) error {
	if errors.Is(err, bolterr.ErrMaxSizeReached) {
		return fmt.Errorf("%w: %w", ErrFull, err)
	}
	if p, ok := errors.AsType[*fs.PathError](err); ok && p.Op == "write" && errors.Is(p, syscall.ENOSPC) {
		return fmt.Errorf("the disk is full: %w", err)
	}
	if errors.Is(err, ErrCorrupt) || j.db == nil {
		return err
	}
	if again := j.reopen(); again != nil {
		return errors.Join(err, again)
	}
	return err
}

func (j *Journal) reopen() error {
	j.file.Lock()
	defer j.file.Unlock()
	if j.db != nil {
		if err := closeFile(j.db); err != nil {
			j.log.Warn("journal did not close cleanly", "file", j.path, "error", err)
		}
	}
	var err error
	if j.db, err = openFile(j.path, j.maxBytes); err != nil {
		j.db = nil
		return err
	}
	return j.reload()
}

// settle makes what was written known, and tells the log when writing begins or ceases to fail.
func (j *Journal) settle(t *turn, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if err == nil {
		maps.Copy(j.lanes, t.lanes)
		j.health.Used = t.used
		if t.epoch != "" {
			j.epoch, j.origin = t.epoch, t.origin
		}
		if t.appended {
			close(j.changed)
			j.changed = make(chan struct{})
		}
		if t.full || errors.Is(j.health.Err, ErrFull) && t.used > j.health.Max {
			err = ErrFull
		}
	}
	was := j.health.Err
	j.health.Err = err
	switch {
	case err != nil && was == nil:
		j.log.Error("journal cannot write", "file", j.path, "error", err, "used", j.health.Used, "max", j.health.Max)
	case err == nil && was != nil:
		j.log.Info("journal writes again", "file", j.path, "used", j.health.Used)
	}
}

// pruneDue reports whether a lane holds records that every reader is past. After a failed commit pruning waits for the
// next request instead of failing in a circle.
func (j *Journal) pruneDue() bool {
	if err := j.Health().Err; err != nil && !errors.Is(err, ErrFull) {
		return false
	}
	for _, l := range j.lanes { // only the committer writes it
		if l.first <= l.lowest() {
			return true
		}
	}
	return false
}

// turn is one transaction in the making. What it changes in memory counts only once the commit was good.
type turn struct {
	journal  *Journal
	tx       *bolt.Tx
	lanes    map[string]*lane        // copies of the lanes that it touches
	logs     map[string]*bolt.Bucket // their records
	outcomes []outcome
	used     int64 // bytes of pages in use, and what was added
	full     bool  // something was refused for want of space
	appended bool
	epoch    string // a new one, with its origin
	origin   Origin
}

func (t *turn) begin(tx *bolt.Tx) {
	t.tx = tx
	stats := tx.DB().Stats()
	t.used = tx.Size() - int64(stats.FreePageN+stats.PendingPageN)*int64(tx.DB().Info().PageSize)
}

// do writes one request. An error that is ErrRefused or ErrFull concerns that request alone.
func (t *turn) do(r request) (uint64, error) {
	switch r.kind {
	case moveCursor:
		return 0, t.move(r.lane, r.name, r.number)
	case putSnapshot:
		return 0, t.snapshot(r.name, r.number, r.payload)
	case forkEpoch:
		return 0, t.fork(r.name)
	}
	if err := t.reserve(r); err != nil {
		return 0, err
	}
	if err := t.put(r.puts); err != nil {
		return 0, err
	}
	if r.kind == putState {
		return 0, nil
	}
	return t.append(r.lane, r.payload)
}

// reserve refuses what would not leave room for the work that makes room.
func (t *turn) reserve(r request) error {
	const overhead = 32 // of a page, for each key and value
	var size int64
	if r.kind == appendRecord {
		size = int64(len(r.payload)) + overhead
	}
	for _, p := range r.puts {
		if p.Value != nil {
			size += int64(len(p.Key)+len(p.Value)) + overhead
		}
	}
	if size > 0 && t.used+size > t.journal.quota() {
		t.full = true
		return fmt.Errorf("append to journal %s: %w: %d of %d bytes are used and headquarters has acknowledged nothing that could go",
			t.journal.path, ErrFull, t.used, t.journal.quota())
	}
	t.used += size
	return nil
}

// lane returns the turn's copy of a lane.
func (t *turn) lane(name string) *lane {
	if l := t.lanes[name]; l != nil {
		return l
	}
	l := &lane{first: 1, cursors: map[string]uint64{}}
	if now := t.journal.lanes[name]; now != nil {
		*l = *now
	}
	t.lanes[name] = l
	return l
}

// records returns the bucket of a lane. Records are only ever added at its end, so its pages are filled to the last byte.
func (t *turn) records(name string) (*bolt.Bucket, error) {
	if b := t.logs[name]; b != nil {
		return b, nil
	}
	b, err := t.tx.Bucket(logBucket).CreateBucketIfNotExists([]byte(name))
	if err != nil {
		return nil, err
	}
	b.FillPercent = 1
	t.logs[name] = b
	return b, nil
}

func (t *turn) append(name string, payload []byte) (uint64, error) {
	b, err := t.records(name)
	if err != nil {
		return 0, err
	}
	l := t.lane(name)
	if err := b.Put(number(l.last+1), sealRecord(payload)); err != nil {
		return 0, err
	}
	l.last++
	t.appended = true
	return l.last, nil
}

func (t *turn) put(puts []Put) error {
	for _, p := range puts {
		b, err := t.tx.Bucket(stateBucket).CreateBucketIfNotExists([]byte(p.Bucket))
		if err != nil {
			return err
		}
		if p.Value == nil {
			err = b.Delete([]byte(p.Key))
		} else {
			err = b.Put([]byte(p.Key), p.Value)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (t *turn) move(name, cursor string, to uint64) error {
	l := t.lane(name)
	if to > l.last {
		return fmt.Errorf("%w: cursor %s of lane %s to %d, but the last record is %d", ErrRefused, cursor, name, to, l.last)
	}
	if at, ok := l.cursors[cursor]; ok && to <= at {
		return nil
	}
	l.cursors = maps.Clone(l.cursors) // the journal still reads the old one
	l.cursors[cursor] = to
	return t.tx.Bucket(cursorBucket).Put(cursorKey(name, cursor), number(to))
}

// snapshot keeps the two highest versions of a kind.
func (t *turn) snapshot(kind string, version uint64, data []byte) error {
	b := t.tx.Bucket(snapshotBucket)
	versions := snapshotVersions(b, kind)
	if n := len(versions); n > 0 && versions[n-1] > version {
		return fmt.Errorf("%w: snapshot %s version %d is older than %d, which is kept", ErrRefused, kind, version, versions[n-1])
	}
	if !slices.Contains(versions, version) {
		versions = append(versions, version)
	}
	for _, old := range versions[:max(0, len(versions)-2)] {
		if err := b.Delete(snapshotKey(kind, old)); err != nil {
			return err
		}
	}
	return b.Put(snapshotKey(kind, version), data)
}

// end prunes and stores the last sequence of each lane.
func (t *turn) end() error {
	if err := t.prune(); err != nil {
		return err
	}
	for name, b := range t.logs {
		if err := b.SetSequence(t.lanes[name].last); err != nil {
			return err
		}
	}
	return nil
}

// prune deletes what every reader is past, in bounded steps: the file of a store that was offline for weeks empties while
// new records come in.
func (t *turn) prune() error {
	for name := range t.journal.lanes {
		t.lane(name)
	}
	left := maxPrune
	for name, l := range t.lanes {
		low := l.lowest()
		if l.first > low || left == 0 {
			continue
		}
		b, err := t.records(name)
		if err != nil {
			return err
		}
		for ; l.first <= low && left > 0; l.first, left = l.first+1, left-1 {
			if err := b.Delete(number(l.first)); err != nil {
				return err
			}
		}
	}
	return nil
}
