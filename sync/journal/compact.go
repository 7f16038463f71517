package journal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	bolt "go.etcd.io/bbolt"
)

// When the file is written anew by itself: a file never shrinks, and what was deleted is still in its free pages.
const (
	compactAbove = 32 << 20 // bytes: a smaller file is not worth it
	compactStep  = 256      // keys copied in one short read
	compactBytes = 1 << 20  // or so many bytes
	maxChanges   = 100_000  // changed keys that are remembered; with more, writing anew is given up until later
	lastChanges  = 512      // with so few left the committer takes over and switches
)

// rewrite is a file that is being written anew beside the one in use. A goroutine copies key by key, in short reads; the
// committer notes which keys it has changed since, and these are copied again, until so few are left that the committer
// copies them itself and puts the new file in the place of the old one. Until then the old file is the journal: a crash
// leaves a file that the next start deletes.
type rewrite struct {
	path    string
	db      *bolt.DB
	changes []change // guarded by Journal.mu
	lost    bool     // too many changes, or not all are known; guarded by Journal.mu
	stop    context.CancelFunc
	ready   chan error            // what became of the copying
	waiting []func(uint64, error) // who asked for it; the committer's own
}

// change names a key: of a top bucket, or of a bucket in it.
type change struct{ top, sub, key string }

// compactPath is the file that is being written.
func compactPath(path string) string { return path + ".compact" }

// Compact writes the file anew without what was deleted, while writers go on. It returns when the new file is in its place.
func (j *Journal) Compact(ctx context.Context) error {
	if err := j.do(ctx, request{kind: compactFile}); err != nil {
		return fmt.Errorf("compact journal %s: %w", j.path, err)
	}
	return nil
}

// compactDue reports whether most of the file is free and nothing is left to prune. After a failure it waits for many commits.
// It is asked after each commit, while the next writer waits: it calls the system only when it is nearly sure.
func (j *Journal) compactDue() bool {
	if j.size <= compactAbove || j.rewrite != nil || j.db == nil || j.space.full {
		return false
	}
	used := j.Health().Used
	if used == 0 || used >= j.size/2 || j.pruneDue() {
		return false
	}
	if j.compactPause > 0 {
		j.compactPause--
		return false
	}
	return j.space.free() > used+4*j.space.size
}

// compactIfDue begins by itself.
func (j *Journal) compactIfDue() {
	if j.compactDue() {
		if err := j.beginCompact(nil); err != nil {
			j.compactFailed(err)
		}
	}
}

func (j *Journal) compactFailed(err error) {
	j.compactPause = 10_000
	j.log.Warn("the journal's file is not made smaller", "file", j.path, "error", err)
}

// beginCompact starts to write the file anew, or adds to those who wait for it. Only the committer calls it.
func (j *Journal) beginCompact(done func(uint64, error)) error {
	if j.rewrite == nil {
		r, err := j.newRewrite()
		if err != nil {
			return err
		}
		ctx, stop := context.WithCancel(context.Background())
		r.stop = stop
		j.mu.Lock()
		j.rewrite = r
		j.mu.Unlock()
		go func() { r.ready <- guarded(func() error { return j.copyAll(ctx, r) }) }()
	}
	if done != nil {
		j.rewrite.waiting = append(j.rewrite.waiting, done)
	}
	return nil
}

func (j *Journal) newRewrite() (*rewrite, error) {
	r := &rewrite{path: compactPath(j.path), ready: make(chan error, 1)}
	if j.db == nil {
		return nil, errors.New("its file is closed")
	}
	if err := removeIfThere(r.path); err != nil {
		return nil, err
	}
	var err error
	if r.db, err = openFile(r.path, j.maxBytes); err != nil {
		return nil, err
	}
	r.db.NoSync = true // nothing of it counts before the switch, which syncs
	return r, nil
}

func removeIfThere(path string) error {
	if _, err := os.Lstat(path); errors.Is(err, os.ErrNotExist) {
		return nil // a read-only disk would complain all the same
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// note remembers what a transaction has changed. Called once it was good.
func (r *rewrite) note(changes []change) {
	if len(r.changes)+len(changes) > maxChanges {
		r.lost, r.changes = true, nil
		return
	}
	r.changes = append(r.changes, changes...)
}

var errTooBusy = errors.New("too much changed in the meantime; trying again later")

// copyAll copies everything, then what changed meanwhile, until little is left.
func (j *Journal) copyAll(ctx context.Context, r *rewrite) error {
	if err := j.copyBuckets(ctx, r); err != nil {
		return err
	}
	for {
		j.mu.Lock()
		changes, lost := r.changes, r.lost
		r.changes = nil
		j.mu.Unlock()
		if lost {
			return errTooBusy
		}
		for part := range slices.Chunk(changes, compactStep) {
			if err := j.view(func(tx *bolt.Tx) error { return r.again(tx, part) }); err != nil {
				return err
			}
		}
		if len(changes) <= lastChanges {
			return nil
		}
	}
}

// copyBuckets copies every bucket in steps. What is changed behind its back has been noted.
func (j *Journal) copyBuckets(ctx context.Context, r *rewrite) error {
	for at := (change{}); ; {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		done := false
		err := j.view(func(tx *bolt.Tx) (err error) {
			at, done, err = r.step(tx, at)
			return err
		})
		if err != nil || done {
			return err
		}
	}
}

// step copies the keys after at, and returns the last one.
func (r *rewrite) step(from *bolt.Tx, at change) (change, bool, error) {
	keys, bytes := 0, 0
	err := r.db.Update(func(to *bolt.Tx) error {
		for c := from.Cursor(); ; at = (change{top: at.top + "\x00"}) {
			top, _ := c.Seek([]byte(at.top))
			if top == nil {
				return nil
			}
			if at.top != string(top) {
				at = change{top: string(top)}
			}
			err := r.stepIn(from, to, &at, &keys, &bytes)
			if err != nil {
				return err
			}
			if keys >= compactStep || bytes >= compactBytes {
				return nil
			}
		}
	})
	return at, keys < compactStep && bytes < compactBytes, err
}

// stepIn copies a top bucket from at.sub and at.key onwards.
func (r *rewrite) stepIn(from, to *bolt.Tx, at *change, keys, bytes *int) error {
	src := from.Bucket([]byte(at.top))
	dst, err := to.CreateBucketIfNotExists([]byte(at.top))
	if err != nil {
		return err
	}
	if !nested(at.top) {
		return copyKeys(src, dst, &at.key, keys, bytes)
	}
	for c := src.Cursor(); ; at.sub, at.key = at.sub+"\x00", "" {
		sub, _ := c.Seek([]byte(at.sub))
		if sub == nil {
			return nil
		}
		if at.sub != string(sub) {
			at.sub, at.key = string(sub), ""
		}
		inner, err := dst.CreateBucketIfNotExists(sub)
		if err != nil {
			return err
		}
		if err := copyKeys(src.Bucket(sub), inner, &at.key, keys, bytes); err != nil {
			return err
		}
		if *keys >= compactStep || *bytes >= compactBytes {
			return nil
		}
	}
}

// nested reports whether a top bucket holds buckets.
func nested(top string) bool { return top == string(logBucket) || top == string(stateBucket) }

func copyKeys(src, dst *bolt.Bucket, after *string, keys, bytes *int) error {
	dst.FillPercent = 1
	c := src.Cursor()
	k, v := c.Seek([]byte(*after))
	if k != nil && string(k) == *after {
		k, v = c.Next()
	}
	for ; k != nil && *keys < compactStep && *bytes < compactBytes; k, v = c.Next() {
		if err := dst.Put(k, v); err != nil {
			return err
		}
		*after, *keys, *bytes = string(k), *keys+1, *bytes+len(k)+len(v)
	}
	return nil
}

// again copies keys that have changed: what is gone goes.
func (r *rewrite) again(from *bolt.Tx, changes []change) error {
	return r.db.Update(func(to *bolt.Tx) error {
		for _, c := range changes {
			if err := c.copy(from, to); err != nil {
				return err
			}
		}
		return nil
	})
}

func (c change) copy(from, to *bolt.Tx) error {
	src := from.Bucket([]byte(c.top))
	dst, err := to.CreateBucketIfNotExists([]byte(c.top))
	if err == nil && c.sub != "" {
		src = src.Bucket([]byte(c.sub))
		dst, err = dst.CreateBucketIfNotExists([]byte(c.sub))
	}
	if err != nil || c.key == "" {
		return err
	}
	dst.FillPercent = 1
	if src != nil {
		if v := src.Get([]byte(c.key)); v != nil {
			return dst.Put([]byte(c.key), v)
		}
	}
	return dst.Delete([]byte(c.key))
}

// endCompact puts the new file in the place of the old one, or drops it. Only the committer calls it, so nothing changes
// meanwhile; it takes as long as copying a few keys and three syncs.
func (j *Journal) endCompact(err error) {
	r := j.rewrite
	if err == nil {
		err = guarded(func() error { return j.finishCopy(r) })
	}
	j.mu.Lock()
	j.rewrite = nil
	j.mu.Unlock()
	r.stop()
	if err == nil {
		err = j.switchTo(r)
	} else {
		err = errors.Join(err, closeFile(r.db), os.Remove(r.path))
	}
	if err != nil {
		j.compactFailed(err)
	} else {
		j.log.Info("the journal's file was written anew", "file", j.path)
	}
	for _, done := range r.waiting {
		done(0, err)
	}
}

// dropCompact ends it without a new file: the journal ends.
func (j *Journal) dropCompact() {
	if j.rewrite != nil {
		j.rewrite.stop()
		<-j.rewrite.ready
		j.endCompact(ErrStopped)
	}
}

// finishCopy makes the new file the same as the old one, on the disk.
func (j *Journal) finishCopy(r *rewrite) error {
	if r.lost {
		return errTooBusy
	}
	err := view(j.db, func(tx *bolt.Tx) error {
		if err := r.again(tx, r.changes); err != nil {
			return err
		}
		return r.db.Update(func(to *bolt.Tx) error { return sameSequences(tx, to) })
	})
	if err != nil {
		return err
	}
	r.db.NoSync = false
	return r.db.Sync()
}

func sameSequences(from, to *bolt.Tx) error {
	src, dst := from.Bucket(logBucket), to.Bucket(logBucket)
	return src.ForEachBucket(func(name []byte) error {
		return dst.Bucket(name).SetSequence(src.Bucket(name).Sequence())
	})
}

// switchTo puts the new file in place. Nothing is acknowledged into it before its name is durable: else a power cut could
// bring the old file back.
func (j *Journal) switchTo(r *rewrite) error {
	j.file.Lock()
	defer j.file.Unlock()
	if err := os.Rename(r.path, j.path); err != nil {
		return errors.Join(err, closeFile(r.db), os.Remove(r.path))
	}
	old := j.db
	j.db = r.db
	if err := closeFile(old); err != nil {
		j.log.Warn("the file before compaction did not close cleanly", "file", j.path, "error", err)
	}
	if err := syncFolder(filepath.Dir(j.path)); err != nil {
		err = errors.Join(err, closeFile(j.db))
		j.db = nil // the next commit opens it again, and syncs the folder first
		return err
	}
	return nil
}
