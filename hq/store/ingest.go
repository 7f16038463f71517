package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"time"

	"foyer/sync/wire"
)

// Unreadable is the kind under which a record is kept that is not what a record should be: nothing that a store sent
// is thrown away, and one bad record does not hold up those behind it.
const Unreadable wire.Kind = "unreadable"

// ErrUnknownStore is returned for a batch from a store that nobody added.
var ErrUnknownStore = errors.New("unknown store")

// Batch is a decoded wire.Batch, with where it came from and when.
type Batch struct {
	Store, Epoch, Lane string
	First              uint64
	SentAt, Received   time.Time
	Records            []wire.Record
}

// NewBatch decodes the records of b. What is no record becomes one of kind Unreadable.
func NewBatch(store string, b wire.Batch, received time.Time) Batch {
	out := Batch{Store: store, Epoch: b.Epoch, Lane: b.Lane, First: b.First, SentAt: b.SentAt, Received: received}
	for _, raw := range b.Records {
		r, err := wire.DecodeRecord(raw)
		if err != nil {
			r = wire.Record{Kind: Unreadable, At: received, Body: raw}
		}
		if y := r.At.Year(); y < 1970 || y > 2200 { // a clock that was never set; milliseconds must stay countable
			r.At = received
		}
		out.Records = append(out.Records, r)
	}
	return out
}

// Stored is what became of a batch.
type Stored struct {
	Upto  uint64 // the watermark after it
	New   int    // rows that were not there before
	First uint64 // sequence of the first new row
}

// Ingest stores the records of a batch that are not stored yet, and moves the watermark, in one transaction. A batch
// that starts above watermark+1 leaves a gap: nothing of it is stored.
func (d *DB) Ingest(ctx context.Context, b Batch) (Stored, error) {
	var s Stored
	err := d.do(ctx, func(t *tx) (err error) {
		s, err = ingest(t, b)
		return err
	})
	if err != nil {
		return Stored{}, fmt.Errorf("ingest from store %s: %w", b.Store, err)
	}
	return s, nil
}

func ingest(t *tx, b Batch) (Stored, error) {
	if err := seen(t, b); err != nil {
		return Stored{}, err
	}
	s := Stored{}
	key := []any{b.Store, b.Epoch, b.Lane}
	err := t.row("SELECT upto FROM watermark WHERE store = ? AND epoch = ? AND lane = ?", key, &s.Upto)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return s, err
	}
	n := uint64(len(b.Records))
	if b.First == 0 || b.First > math.MaxInt64-n {
		return s, fmt.Errorf("batch starts at sequence %d: want 1 or more", b.First)
	}
	if b.First > s.Upto+1 || b.First+n-1 <= s.Upto {
		return s, nil
	}
	skip := s.Upto + 1 - b.First
	s.First = b.First + skip
	for i, r := range b.Records[skip:] {
		fresh, err := insert(t, b, s.First+uint64(i), r)
		if err != nil {
			return s, err
		}
		if fresh {
			s.New++
		}
	}
	s.Upto = b.First + n - 1
	return s, t.exec(`INSERT INTO watermark (store, epoch, lane, upto) VALUES (?, ?, ?, ?)
		ON CONFLICT (store, epoch, lane) DO UPDATE SET upto = excluded.upto`, b.Store, b.Epoch, b.Lane, s.Upto)
}

// insert keeps one record and what it says. A row that was there already says nothing again.
func insert(t *tx, b Batch, seq uint64, r wire.Record) (bool, error) {
	n, err := t.affect(`INSERT INTO record (store, epoch, lane, seq, kind, at, received, body)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		b.Store, b.Epoch, b.Lane, seq, string(r.Kind), ms(r.At), ms(b.Received), []byte(r.Body))
	if err != nil || n == 0 {
		return false, err
	}
	return true, project(t, b.Store, r, b.Received)
}

// seen notes when the store was heard, its clock's skew, and how old its newest record was.
func seen(t *tx, b Batch) error {
	behind := int64(0)
	if n := len(b.Records); n > 0 {
		behind = max(0, ms(b.Received)-ms(b.Records[n-1].At))
	}
	var skew any
	if !b.SentAt.IsZero() {
		skew = ms(b.Received) - ms(b.SentAt)
	}
	n, err := t.affect("UPDATE store SET last_seen = ?, skew_ms = ?, behind_ms = ? WHERE id = ?",
		ms(b.Received), skew, behind, b.Store)
	if err == nil && n == 0 {
		err = ErrUnknownStore
	}
	return err
}

// Watermark returns the highest sequence below which nothing of the lane is missing.
func (d *DB) Watermark(ctx context.Context, store, epoch, lane string) (uint64, error) {
	var upto uint64
	err := d.reader.QueryRowContext(ctx, "SELECT upto FROM watermark WHERE store = ? AND epoch = ? AND lane = ?",
		store, epoch, lane).Scan(&upto)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return upto, err
}
