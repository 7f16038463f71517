package journal

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
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
	Records     uint64
	GivenUp     Thinned // since the file was made
	Bytes       int64   // of payloads
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
	for _, name := range slices.Sorted(maps.Keys(lanes)) {
		if tx.Bucket(logBucket).Bucket([]byte(name)) == nil {
			continue // only a cursor
		}
		l, err := readLane(tx.Bucket(logBucket), name, lanes[name])
		r.Lanes = append(r.Lanes, l)
		faults = append(faults, err)
	}
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

// readLane reads all records of a lane; its error joins the first few faults.
func readLane(log *bolt.Bucket, name string, at *lane) (LaneReport, error) {
	const few = 20
	l := LaneReport{Lane: name, First: at.first(), Last: at.last, Cursors: at.cursors, GivenUp: at.thinned}
	var faults []error
	heads := headsOf(log, name, 0)
	for next := at.lowest() + 1; len(faults) < few; {
		h := lowestHead(heads)
		if h == nil || h.seq > next {
			until := at.last + 1
			if h != nil {
				until = h.seq
			}
			if until > next && until-1 > slices.Max(at.upto[:]) {
				faults = append(faults, damaged(fmt.Errorf("records up to %d are missing before %d", until-1, until)))
			}
			next = until
		}
		if h == nil {
			return l, errors.Join(faults...)
		}
		payload, err := h.take()
		if err != nil {
			faults = append(faults, err)
		}
		next = max(next, h.last+1)
		l.Records++
		l.Bytes += int64(len(payload))
	}
	return l, errors.Join(append(faults, errors.New("and more"))...)
}
