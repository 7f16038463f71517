package journal

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"syscall"

	bolt "go.etcd.io/bbolt"
	bolterr "go.etcd.io/bbolt/errors"
)

// commit writes a group in one transaction and answers each of it. Only an error after which this process must not touch
// the file again is returned.
func (j *Journal) commit(group []request) error {
	j.breathe()
	t, err := j.attempt(group)
	if isFull(err) && !j.space.full {
		j.suffocate()
		t, err = j.attempt(group)
	}
	if n := len(group) / 2; n > 0 && (errors.Is(err, ErrFull) || errors.Is(err, ErrNoSpace)) {
		// Pages that a transaction frees can be used by the next one only: two small ones need less room than a large one.
		return errors.Join(j.commit(group[:n]), j.commit(group[n:]))
	}
	if err != nil {
		err = fmt.Errorf("commit to journal %s: %w", j.path, err)
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

// attempt writes a group once.
func (j *Journal) attempt(group []request) (*turn, error) {
	t := &turn{journal: j, lanes: map[string]*lane{}, logs: map[string]*bolt.Bucket{}, outcomes: make([]outcome, len(group))}
	err := j.write(group, t)
	if err != nil {
		err = j.recoverFrom(err)
	}
	return t, err
}

func (j *Journal) write(group []request, t *turn) error {
	if j.db != nil && j.db.IsReadOnly() {
		if err := takesWrites(j.path); err != nil {
			return err
		}
	}
	if j.db == nil || j.db.IsReadOnly() {
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

// recoverFrom makes the journal usable after a failed commit. After any error but a limit of our own, what the map shows and
// what the disk holds may differ, the first pages above all: the file is opened anew and read from the disk, because a commit
// on top of pages that never came there would be believed, and a second sync would report success without having written
// (fsyncgate). A read-only disk took nothing.
func (j *Journal) recoverFrom(err error) error {
	switch {
	case errors.Is(err, bolterr.ErrMaxSizeReached):
		return fmt.Errorf("%w: %w", ErrFull, err)
	case errors.Is(err, syscall.EROFS):
		return fmt.Errorf("%w: %w", ErrReadOnly, err)
	case isFull(err):
		err = fmt.Errorf("%w: %w", ErrNoSpace, err)
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
	if j.rewrite != nil { // what the failed commit has changed is not known
		j.mu.Lock()
		j.rewrite.lost = true
		j.mu.Unlock()
	}
	if j.db != nil {
		if err := closeFile(j.db); err != nil {
			j.log.Warn("journal did not close cleanly", "file", j.path, "error", err)
		}
	}
	err := errors.Join(forgetCache(j.path), syncFolder(filepath.Dir(j.path)))
	if err != nil {
		j.db = nil
		return err
	}
	if j.db, err = openFile(j.path, j.maxBytes); errors.Is(err, syscall.EROFS) {
		var again error
		if j.db, again = openToRead(j.path); again != nil { // what there is can be read on
			j.db = nil
		}
		return errors.Join(err, again)
	}
	if err != nil {
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
		j.health.Thinning = t.thinned > 0 || j.health.Thinning && t.used > j.limit(Statistic)/8*7
		j.health.Thinned = Thinned{}
		for _, l := range j.lanes {
			j.health.Thinned.add(l.thinned)
		}
		if j.rewrite != nil {
			j.rewrite.note(t.changes)
		}
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
	j.health.Err, j.health.DiskFull = err, j.space.full
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
		if l.first() <= l.lowest() {
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
	logs     map[string]*bolt.Bucket // their records, by logName
	thinned  int                     // records given up
	changes  []change                // while the file is written anew
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
	t.journal.size = tx.Size()
	t.used = t.journal.size - int64(stats.FreePageN+stats.PendingPageN)*int64(tx.DB().Info().PageSize)
}

// do writes one request. An error that is ErrRefused or ErrFull concerns that request alone.
func (t *turn) do(r request) (uint64, error) {
	switch r.kind {
	case moveCursor:
		return 0, t.move(r.lane, r.name, r.number)
	case putSnapshot:
		return 0, t.snapshot(r.name, r.number, r.payload)
	case replaceRecord:
		return 0, t.replace(r.lane, r.number, r.payload)
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
	return t.append(r.lane, r.class, r.payload)
}

// reserve makes room for a request, and refuses what would not leave room for the work that makes room.
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
	limit := t.journal.limit(r.class)
	if over := t.used + size - limit; size > 0 && over > 0 {
		freed, err := t.thin(r.class, over)
		if err != nil {
			return err
		}
		t.used -= freed
	}
	if size > 0 && t.used+size > limit {
		t.full = true
		return fmt.Errorf("append to journal %s: %w: %d of %d bytes are used and headquarters has acknowledged nothing that could go",
			t.journal.path, ErrFull, t.used, limit)
	}
	t.used += size
	return nil
}

// note remembers a changed key for a file that is being written anew.
func (t *turn) note(top []byte, sub string, key []byte) {
	if t.journal.rewrite != nil {
		t.changes = append(t.changes, change{string(top), sub, string(key)})
	}
}

// lane returns the turn's copy of a lane.
func (t *turn) lane(name string) *lane {
	if l := t.lanes[name]; l != nil {
		return l
	}
	l := newLane()
	if now := t.journal.lanes[name]; now != nil {
		*l = *now
	}
	t.lanes[name] = l
	return l
}

// records returns the bucket of one class of a lane. Records are only ever added at its end, so its pages are filled to the
// last byte.
func (t *turn) records(lane string, c Class) (*bolt.Bucket, error) {
	name := logName(lane, c)
	if b := t.logs[string(name)]; b != nil {
		return b, nil
	}
	b, err := t.tx.Bucket(logBucket).CreateBucketIfNotExists(name)
	if err != nil {
		return nil, err
	}
	b.FillPercent = 1
	t.logs[string(name)] = b
	return b, nil
}

func (t *turn) append(name string, c Class, payload []byte) (uint64, error) {
	b, err := t.records(name, c)
	if err != nil {
		return 0, err
	}
	l := t.lane(name)
	seq := l.last + 1
	t.note(logBucket, string(logName(name, c)), number(seq))
	if err := b.Put(number(seq), sealRecord(logName(name, c), seq, payload)); err != nil {
		return 0, err
	}
	l.last = seq
	if l.firsts[c] == 0 {
		l.firsts[c] = seq
	}
	t.appended = true
	return seq, nil
}

// replace writes a record anew where it is. It takes no room that anything else would have to be given up for.
func (t *turn) replace(lane string, seq uint64, payload []byte) error {
	if t.used += int64(len(payload)); t.used > t.journal.limit(Statistic) {
		return fmt.Errorf("replace in journal %s: %w", t.journal.path, ErrFull)
	}
	for c := range Class(classes) {
		name := logName(lane, c)
		if b := t.tx.Bucket(logBucket).Bucket(name); b == nil || b.Get(number(seq)) == nil {
			continue
		}
		b, err := t.records(lane, c)
		if err != nil {
			return err
		}
		t.note(logBucket, string(name), number(seq))
		return b.Put(number(seq), sealRecord(name, seq, payload))
	}
	return nil
}

func (t *turn) put(puts []Put) error {
	for _, p := range puts {
		b, err := t.tx.Bucket(stateBucket).CreateBucketIfNotExists([]byte(p.Bucket))
		if err != nil {
			return err
		}
		t.note(stateBucket, p.Bucket, []byte(p.Key))
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
	} else if !ok {
		to = max(to, l.lowest()) // what every reader before it has had may be gone
	}
	l.cursors = maps.Clone(l.cursors) // the journal still reads the old one
	l.cursors[cursor] = to
	t.note(cursorBucket, "", cursorKey(name, cursor))
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
		t.note(snapshotBucket, "", snapshotKey(kind, old))
		if err := b.Delete(snapshotKey(kind, old)); err != nil {
			return err
		}
	}
	t.note(snapshotBucket, "", snapshotKey(kind, version))
	return b.Put(snapshotKey(kind, version), data)
}

// end prunes and stores the last sequence of each lane.
func (t *turn) end() error {
	if err := t.prune(); err != nil {
		return err
	}
	if !t.appended {
		return nil
	}
	for name, l := range t.lanes {
		if now := t.journal.lanes[name]; now != nil && now.last == l.last {
			continue
		}
		b, err := t.records(name, Keep)
		if err != nil {
			return err
		}
		t.note(logBucket, name, nil) // that the bucket is there
		if err := b.SetSequence(l.last); err != nil {
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
		for c := range Class(classes) {
			if l.firsts[c] == 0 || l.firsts[c] > low || left == 0 {
				continue
			}
			b, err := t.records(name, c)
			if err != nil {
				return err
			}
			keys, _ := oldest(b, low, left)
			for _, k := range keys {
				t.note(logBucket, string(logName(name, c)), k)
				if err := b.Delete(k); err != nil {
					return err
				}
			}
			left -= len(keys)
			l.firsts[c] = firstOf(b)
		}
	}
	return nil
}
