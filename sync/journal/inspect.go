package journal

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	bolt "go.etcd.io/bbolt"
)

// Report is what a journal's file holds, without its contents.
type Report struct {
	Format    string
	Epoch     string
	FileBytes int64
	Lanes     []LaneReport
	Snapshots []SnapshotReport
	State     []StateReport
}

// LaneReport is one log. First is Last+1 when it is empty.
type LaneReport struct {
	Lane        string
	First, Last uint64
	Bytes       int64 // of payloads
	Cursors     map[string]uint64
}

// SnapshotReport is one snapshot kept.
type SnapshotReport struct {
	Kind    string
	Version uint64
	Bytes   int
}

// StateReport is one bucket of state.
type StateReport struct {
	Bucket string
	Keys   int
	Bytes  int64
}

// Inspect reads a journal that no foyerd holds, changing nothing. Every record is read and its checksum verified: the
// faults found are joined in the error, and the report says what could be read. A file that cannot be opened has no report.
func Inspect(path string) (*Report, error) {
	r, err := inspect(path)
	if err != nil {
		return r, fmt.Errorf("inspect journal %s: %w", path, err)
	}
	return r, nil
}

func inspect(path string) (*Report, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, err
	}
	f, _, err := lockFile(path, syscall.LOCK_SH)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && info.Size() == 0 {
		err = damaged(errors.New("the file is empty"))
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	db, err := mapFile(f, &bolt.Options{ReadOnly: true})
	if err != nil {
		return nil, errors.Join(err, ignoreClosed(f.Close()))
	}
	r := &Report{FileBytes: info.Size()}
	err = view(db, r.read)
	return r, errors.Join(err, closeFile(db))
}

func (r *Report) read(tx *bolt.Tx) error {
	meta := tx.Bucket(metaBucket)
	if meta == nil {
		return damaged(errors.New("it has no format"))
	}
	r.Format, r.Epoch = string(meta.Get(formatKey)), string(meta.Get(epochKey))
	if err := checkFormat(r.Format); err != nil {
		return err
	}
	lanes := map[string]*lane{}
	if err := readLanes(tx, lanes); err != nil {
		return err
	}
	var faults []error
	walk := func(b *bolt.Bucket, read func(name []byte) error) {
		if err := b.ForEachBucket(read); err != nil {
			faults = append(faults, err)
		}
	}
	walk(tx.Bucket(logBucket), func(name []byte) error {
		l, err := readLog(tx.Bucket(logBucket).Bucket(name))
		l.Lane, l.Cursors = string(name), lanes[string(name)].cursors
		r.Lanes = append(r.Lanes, l)
		faults = append(faults, err)
		return nil
	})
	walk(tx.Bucket(stateBucket), func(name []byte) error {
		s := StateReport{Bucket: string(name)}
		err := tx.Bucket(stateBucket).Bucket(name).ForEach(func(k, v []byte) error {
			s.Keys++
			s.Bytes += int64(len(k) + len(v))
			return nil
		})
		r.State = append(r.State, s)
		return err
	})
	faults = append(faults, tx.Bucket(snapshotBucket).ForEach(func(k, v []byte) error {
		kind, version, err := parseSnapshotKey(k)
		r.Snapshots = append(r.Snapshots, SnapshotReport{kind, version, len(v)})
		return err
	}))
	return errors.Join(faults...)
}

// readLog reads all records of a lane; its error joins the first few faults.
func readLog(b *bolt.Bucket) (LaneReport, error) {
	const few = 20
	l := LaneReport{First: b.Sequence() + 1, Last: b.Sequence()}
	var faults []error
	next := uint64(0)
	err := b.ForEach(func(k, v []byte) error {
		record, err := parseRecord(k, v)
		seq, _ := parseNumber(k)
		switch {
		case len(faults) >= few:
			return errors.New("and more")
		case err != nil:
			faults = append(faults, err)
		case next != 0 && seq != next:
			faults = append(faults, damaged(fmt.Errorf("after record %d comes %d", next-1, seq)))
		}
		if next == 0 {
			l.First = seq
		}
		next = seq + 1
		l.Bytes += int64(len(record.Payload))
		return nil
	})
	return l, errors.Join(append(faults, err)...)
}
