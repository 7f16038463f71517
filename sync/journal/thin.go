package journal

import (
	"encoding/binary"

	bolt "go.etcd.io/bbolt"
)

// maxThin is how many records one transaction gives up: some hundred pages.
const maxThin = 2048

// thin gives up records for one of class c until need bytes are free, and reports how many bytes it freed. The least valuable
// go first, the oldest of them first. What is Keep never goes, and nothing goes for something less valuable than itself.
func (t *turn) thin(c Class, need int64) (freed int64, err error) {
	for victim := Class(classes - 1); victim >= max(c, Visit); victim-- {
		for name := range t.journal.lanes {
			if freed >= need {
				return freed, nil
			}
			n, err := t.giveUp(name, victim, need-freed)
			if err != nil {
				return freed, err
			}
			freed += n
		}
	}
	return freed, nil
}

// giveUp deletes the oldest records of one class of a lane, in whole steps: a full journal should not be full again at once.
func (t *turn) giveUp(name string, c Class, need int64) (freed int64, err error) {
	l := t.lane(name)
	if l.firsts[c] == 0 || t.thinned >= maxThin {
		return 0, nil
	}
	b, err := t.records(name, c)
	if err != nil {
		return 0, err
	}
	need = max(need, int64(t.journal.maxBytes/1024))
	keys, sizes := oldest(b, l.last, maxThin-t.thinned)
	n := 0
	for ; n < len(keys) && freed < need; n++ {
		t.note(logBucket, string(logName(name, c)), keys[n])
		if err := b.Delete(keys[n]); err != nil {
			return freed, err
		}
		freed += sizes[n]
	}
	if n == 0 {
		return freed, nil
	}
	t.thinned += n
	l.thinned[c] += missed(keys[:n], l.had())
	l.upto[c] = binary.BigEndian.Uint64(keys[n-1])
	l.firsts[c] = firstOf(b)
	t.note(thinnedBucket, "", logName(name, c))
	v := append(number(l.upto[c]), number(l.thinned[c])...)
	return freed, t.tx.Bucket(thinnedBucket).Put(logName(name, c), v)
}

// missed counts the records that not every reader had.
func missed(keys [][]byte, had uint64) (n uint64) {
	for _, k := range keys {
		if binary.BigEndian.Uint64(k) > had {
			n++
		}
	}
	return n
}

// oldest lists the first records up to a sequence: they are to be deleted, which must not be done under a cursor.
func oldest(b *bolt.Bucket, upto uint64, limit int) (keys [][]byte, sizes []int64) {
	c := b.Cursor()
	for k, v := c.First(); len(k) == 8 && len(keys) < limit && binary.BigEndian.Uint64(k) <= upto; k, v = c.Next() {
		keys, sizes = append(keys, append([]byte{}, k...)), append(sizes, int64(len(k)+len(v)+elementSize))
	}
	return keys, sizes
}

func firstOf(b *bolt.Bucket) uint64 {
	if k, _ := b.Cursor().First(); len(k) == 8 {
		return binary.BigEndian.Uint64(k)
	}
	return 0
}
