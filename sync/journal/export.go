package journal

import (
	"errors"
	"fmt"
	"syscall"

	bolt "go.etcd.io/bbolt"
)

// Exported is one record on its way out of a journal.
type Exported struct {
	Lane    string
	Class   Class
	Seq     uint64
	Payload []byte // valid until the next one
}

// Export calls each with every record of a journal that no foyerd holds, lane by lane in order, and changes nothing. Records
// that are damaged are passed over and joined in the error.
func Export(path string, each func(Exported) error) error {
	f, _, err := lockFile(path, syscall.LOCK_SH)
	if err != nil {
		return fmt.Errorf("export journal %s: %w", path, err)
	}
	db, err := mapFile(f, &bolt.Options{ReadOnly: true})
	if err != nil {
		return errors.Join(fmt.Errorf("export journal %s: %w", path, err), ignoreClosed(f.Close()))
	}
	var faults []error
	err = view(db, func(tx *bolt.Tx) error {
		lanes := map[string]*lane{}
		if err := readLanes(tx, lanes); err != nil {
			return err
		}
		for name := range lanes {
			if err := exportLane(tx.Bucket(logBucket), name, each, &faults); err != nil {
				return err
			}
		}
		return nil
	})
	if err = errors.Join(append(faults, err, closeFile(db))...); err != nil {
		return fmt.Errorf("export journal %s: %w", path, err)
	}
	return nil
}

func exportLane(log *bolt.Bucket, name string, each func(Exported) error, faults *[]error) error {
	heads := headsOf(log, name, 0)
	for {
		h := lowestHead(heads)
		if h == nil {
			return nil
		}
		_, c, err := parseLogName(h.name)
		if err != nil {
			return err
		}
		payload, err := h.take()
		if err != nil {
			*faults = append(*faults, err)
			continue
		}
		if err := each(Exported{name, c, h.last, payload}); err != nil {
			return err
		}
	}
}
