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
	lost    bool     // too many changes; guarded by Journal.mu
	ready   chan error
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

// compactDue reports whether most of the file is free and nothing is left to prune.
func (j *Journal) compactDue() bool {
	j.mu.Lock()
	used := j.health.Used
	j.mu.Unlock()
	if j.rewrite != nil || j.db == nil || j.space.full || used == 0 || j.pruneDue() || j.compactNotBefore > used {
		return false
	}
	info, err := os.Stat(j.path)
	return err == nil && info.Size() > compactAbove && used < info.Size()/2 && j.space.hasRoomFor(used)
}

// beginCompact starts to write the file anew. Only the committer calls it.
func (j *Journal) beginCompact() error {
	if j.rewrite != nil {
		return nil
	}
	r := &rewrite{path: compactPath(j.path), ready: make(chan error, 1)}
	if err := os.Remove(r.path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	var err error
	if r.db, err = openFile(r.path, j.maxBytes); err != nil {
		return err
	}
	r.db.NoSync = true // nothing of it counts before the switch, which syncs
	j.mu.Lock()
	j.rewrite = r
	j.mu.Unlock()
	go func() { r.ready <- j.copyAll(r) }()
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
func (j *Journal) copyAll(r *rewrite) error {
	if err := j.copyBuckets(r); err != nil {
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
func (j *Journal) copyBuckets(r *rewrite) error {
	for at := (change{}); ; {
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
func (j *Journal) endCompact(err error) error {
	r := j.rewrite
	if err == nil && r.lost {
		err = errTooBusy
	}
	if err == nil {
		err = guarded(func() error { return j.finishCopy(r) })
	}
	j.mu.Lock()
	j.rewrite = nil
	j.mu.Unlock()
	if err != nil {
		return errors.Join(err, closeFile(r.db), os.Remove(r.path))
	}
	return j.switchTo(r)
}

// finishCopy makes the new file the same as the old one, on the disk.
func (j *Journal) finishCopy(r *rewrite) error {
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
