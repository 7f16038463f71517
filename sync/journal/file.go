package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"syscall"
	"time"

	bolt "go.etcd.io/bbolt"
	"golang.org/x/sys/unix"
)

// lockPatience is how long a starting foyerd waits for a stopping one.
const lockPatience = time.Second

// growthSteps is in how many steps the file grows to its maximum: each step is one more sync.
const growthSteps = 64

// openFile locks, checks and maps the file. It locks by itself, and hands bbolt the locked file: the check must not read
// pages that another process is writing, and must come before bbolt maps them.
func openFile(path string, size int) (*bolt.DB, error) {
	f, fresh, err := lockFile(path, syscall.LOCK_EX)
	if err != nil {
		return nil, err
	}
	db, err := mapFile(f, &bolt.Options{
		FreelistType: bolt.FreelistMapType, NoFreelistSync: true,
		InitialMmapSize: size, MaxSize: size,
	})
	if err != nil {
		return nil, errors.Join(err, ignoreClosed(f.Close()))
	}
	db.AllocSize = size / growthSteps
	if fresh {
		if err := syncFolder(filepath.Dir(path)); err != nil {
			return nil, errors.Join(err, closeFile(db))
		}
	}
	return db, nil
}

// openToRead opens the file on a disk that takes nothing.
func openToRead(path string) (*bolt.DB, error) {
	f, _, err := lockFile(path, syscall.LOCK_SH)
	if err != nil {
		return nil, err
	}
	db, err := mapFile(f, &bolt.Options{ReadOnly: true})
	if err != nil {
		return nil, errors.Join(err, ignoreClosed(f.Close()))
	}
	return db, nil
}

// takesWrites asks the disk, which may have been read-only, without touching the file.
func takesWrites(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return f.Close()
}

// lockFile opens path, makes it where the lock is to be exclusive and there is none, and locks it.
func lockFile(path string, how int) (f *os.File, fresh bool, err error) {
	flag := os.O_RDWR | os.O_CREATE
	if how == syscall.LOCK_SH {
		flag = os.O_RDONLY
	}
	_, err = os.Stat(path)
	fresh = errors.Is(err, os.ErrNotExist)
	if f, err = os.OpenFile(path, flag, 0o600); err != nil {
		return nil, false, err
	}
	for end := time.Now().Add(lockPatience); ; time.Sleep(lockPatience / 20) {
		err = syscall.Flock(int(f.Fd()), how|syscall.LOCK_NB)
		switch {
		case err == nil && !sameFile(f, path):
			f.Close() // it was compacted in the meantime: another file has its name
			return lockFile(path, how)
		case err == nil:
			return f, fresh, nil
		case err != syscall.EWOULDBLOCK && err != syscall.EINTR:
			return nil, false, errors.Join(fmt.Errorf("lock: %w", err), f.Close())
		case time.Now().After(end):
			return nil, false, errors.Join(fmt.Errorf("%w: stop the other one, or give this one its own data folder", ErrLocked), f.Close())
		}
	}
}

func sameFile(f *os.File, path string) bool {
	held, err := f.Stat()
	named, again := os.Stat(path)
	return err == nil && again == nil && os.SameFile(held, named)
}

// mapFile checks the file's structure and lets bbolt map it. A panic of bbolt comes back as ErrCorrupt.
func mapFile(f *os.File, o *bolt.Options) (db *bolt.DB, err error) {
	if err := checkPages(f); err != nil {
		return nil, damaged(err)
	}
	o.OpenFile = func(string, int, os.FileMode) (*os.File, error) { return f, nil }
	err = guarded(func() (err error) {
		db, err = bolt.Open(f.Name(), 0o600, o)
		return err
	})
	return db, err
}

func damaged(why error) error {
	return fmt.Errorf("%w: %w (move the file aside and start again: a new journal is made, and what it holds stays in the old file)", ErrCorrupt, why)
}

// guarded runs a step of bbolt. Bad memory cards are seen as wrong pages (bbolt panics) or as failing page reads (a
// fault): both become ErrCorrupt instead of the end of the process.
func guarded(step func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = damaged(fmt.Errorf("%v", p))
		}
	}()
	return step()
}

// view runs a short read transaction.
func view(db *bolt.DB, read func(*bolt.Tx) error) error {
	if db == nil {
		return errors.New("the journal's file is closed")
	}
	return guarded(func() error { return db.View(read) })
}

// forgetCache lets the kernel drop what it holds of the file and takes for written, so that reading it again asks the disk.
func forgetCache(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	err = unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED)
	return errors.Join(err, f.Close())
}

func closeFile(db *bolt.DB) error { return guarded(db.Close) }

func ignoreClosed(err error) error {
	if errors.Is(err, os.ErrClosed) {
		return nil
	}
	return err
}

// prepare makes the buckets of a new file, brings an older one forward and refuses one of a newer format.
func prepare(db *bolt.DB, epoch string) error {
	var found string
	err := view(db, func(tx *bolt.Tx) error {
		if b := tx.Bucket(metaBucket); b != nil {
			found = string(b.Get(formatKey))
		}
		return nil
	})
	if err != nil {
		return err
	}
	if found == strconv.Itoa(format) {
		return nil
	}
	if found != "" {
		if err := checkFormat(found); err != nil {
			return err
		}
	}
	return guarded(func() error { return db.Update(func(tx *bolt.Tx) error { return makeBuckets(tx, epoch) }) })
}

func checkFormat(found string) error {
	n, err := strconv.ParseUint(found, 10, 32)
	if err != nil {
		return damaged(fmt.Errorf("format %.20q is no number", found))
	}
	if n > format {
		return fmt.Errorf("%w: its format is %d and this one reads up to %d; install the newer version again", ErrNewer, n, format)
	}
	return nil
}

// makeBuckets makes what is not there. That is all that format 2 needs of a file of format 1: its records stay as they
// are, and count as Keep.
func makeBuckets(tx *bolt.Tx, epoch string) error {
	for _, name := range [][]byte{metaBucket, logBucket, cursorBucket, snapshotBucket, stateBucket, thinnedBucket} {
		if _, err := tx.CreateBucketIfNotExists(name); err != nil {
			return err
		}
	}
	meta := tx.Bucket(metaBucket)
	if meta.Get(epochKey) == nil {
		if err := meta.Put(epochKey, []byte(epoch)); err != nil {
			return err
		}
	}
	return meta.Put(formatKey, []byte(strconv.Itoa(format)))
}

// readLanes reads where each lane and cursor stands.
func readLanes(tx *bolt.Tx, lanes map[string]*lane) error {
	log, cursors := tx.Bucket(logBucket), tx.Bucket(cursorBucket)
	if log == nil || cursors == nil || tx.Bucket(snapshotBucket) == nil || tx.Bucket(stateBucket) == nil {
		return damaged(errors.New("a bucket is missing"))
	}
	err := log.ForEachBucket(func(name []byte) error {
		lane, c, err := parseLogName(name)
		if err == nil {
			err = laneIn(lanes, lane).readLog(c, log.Bucket(name))
		}
		if err != nil {
			return damaged(fmt.Errorf("lane %.80q: %w", name, err))
		}
		return nil
	})
	if err != nil {
		return err
	}
	err = cursors.ForEach(func(k, v []byte) error {
		lane, name, err := parseCursorKey(k)
		if err != nil {
			return damaged(err)
		}
		at, err := parseNumber(v)
		if err != nil {
			return damaged(fmt.Errorf("cursor %s of lane %s: %w", name, lane, err))
		}
		laneIn(lanes, lane).cursors[name] = at
		return nil
	})
	if err != nil {
		return err
	}
	for name, l := range lanes {
		if err := l.settle(tx.Bucket(thinnedBucket), name); err != nil {
			return damaged(fmt.Errorf("lane %s: %w", name, err))
		}
	}
	return nil
}

// readLog reads where the records of one class begin and end.
func (l *lane) readLog(c Class, b *bolt.Bucket) error {
	if c == Keep {
		l.last = b.Sequence()
	}
	ends := b.Cursor()
	if k, _ := ends.First(); k != nil {
		first, err := parseNumber(k)
		if err != nil {
			return err
		}
		l.firsts[c] = first
	}
	if k, _ := ends.Last(); k != nil {
		last, err := parseNumber(k)
		if err != nil {
			return err
		}
		l.highest = max(l.highest, last)
	}
	return nil
}

// settle checks what the logs said of the lane's end, and reads what was given up.
func (l *lane) settle(b *bolt.Bucket, name string) error {
	if l.highest > l.last {
		return fmt.Errorf("ends at %d, should end at %d", l.highest, l.last)
	}
	for c := range Class(classes) {
		if b == nil {
			return nil // format 1, only looked at
		}
		v := b.Get(logName(name, c))
		if v == nil {
			continue
		}
		if len(v) != 16 {
			return fmt.Errorf("count of what was given up: %d bytes, want 16", len(v))
		}
		l.upto[c], l.thinned[c] = binary.BigEndian.Uint64(v), binary.BigEndian.Uint64(v[8:])
	}
	if end := max(l.highest, slices.Max(l.upto[:])); end < l.last && l.highest > 0 && l.last > l.lowest() {
		return fmt.Errorf("ends at %d, should end at %d", end, l.last)
	}
	return nil
}

// laneIn returns the lane of a name, making an empty one where there is none.
func laneIn(lanes map[string]*lane, name string) *lane {
	l := lanes[name]
	if l == nil {
		l = newLane()
		lanes[name] = l
	}
	return l
}
