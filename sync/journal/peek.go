package journal

import (
	"bytes"
	"errors"
	"fmt"
	"syscall"

	bolt "go.etcd.io/bbolt"
)

// Peek copies a state bucket out of a journal that no foyerd holds, and changes nothing. ErrLocked: one holds it.
func Peek(path, bucket string) (map[string][]byte, error) {
	f, _, err := lockFile(path, syscall.LOCK_SH)
	if err != nil {
		return nil, fmt.Errorf("look into journal %s: %w", path, err)
	}
	db, err := mapFile(f, &bolt.Options{ReadOnly: true})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("look into journal %s: %w", path, err), ignoreClosed(f.Close()))
	}
	state := map[string][]byte{}
	err = view(db, func(tx *bolt.Tx) error {
		all := tx.Bucket(stateBucket)
		if all == nil || all.Bucket([]byte(bucket)) == nil {
			return nil
		}
		return all.Bucket([]byte(bucket)).ForEach(func(k, v []byte) error {
			state[string(k)] = bytes.Clone(v)
			return nil
		})
	})
	if err = errors.Join(err, closeFile(db)); err != nil {
		return nil, fmt.Errorf("look into journal %s: %w", path, err)
	}
	return state, nil
}
