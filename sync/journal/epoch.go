package journal

import (
	"bytes"
	"context"
	"crypto/rand"
)

var (
	fromKey    = []byte("from")     // the epoch before, where the file went on under a new one
	basePrefix = []byte("base\x00") // then a lane -> 8 bytes: where its sequence went on
)

// Origin says what an epoch went on from, if it was not made with the file.
type Origin struct {
	From  string            // the epoch before; empty: none
	Bases map[string]uint64 // by lane: the sequence after which the new epoch counts
}

// Fork gives the file a new epoch: what it holds after the cursor of that name gets another meaning of its numbers, because
// somebody else has used them. Records, sequences and cursors stay as they are.
func (j *Journal) Fork(ctx context.Context, cursor string) error {
	return j.do(ctx, request{kind: forkEpoch, name: cursor})
}

// Origin is where the epoch comes from.
func (j *Journal) Origin() Origin {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.origin
}

func (t *turn) fork(cursor string) error {
	b := t.tx.Bucket(metaBucket)
	t.epoch, t.origin = rand.Text(), Origin{From: string(b.Get(epochKey)), Bases: map[string]uint64{}}
	for name := range t.journal.lanes {
		t.lane(name)
	}
	for name, l := range t.lanes {
		t.origin.Bases[name] = l.cursors[cursor]
		if err := t.putMeta(append(bytes.Clone(basePrefix), name...), number(l.cursors[cursor])); err != nil {
			return err
		}
	}
	if err := t.putMeta(fromKey, []byte(t.origin.From)); err != nil {
		return err
	}
	return t.putMeta(epochKey, []byte(t.epoch))
}

// putMeta also tells a file that is being written anew: it may have the old epoch already.
func (t *turn) putMeta(key, value []byte) error {
	t.note(metaBucket, "", key)
	return t.tx.Bucket(metaBucket).Put(key, value)
}
