package store

import (
	"bytes"
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
	Head, Base         uint64 // as wire.Batch
	Floor              bool
	From               string

	gone scrub
}

// NewBatch decodes the records of b. What is no record becomes one of kind Unreadable.
func NewBatch(store string, b wire.Batch, received time.Time) Batch {
	out := Batch{Store: store, Epoch: b.Epoch, Lane: b.Lane, First: b.First, SentAt: b.SentAt, Received: received,
		Head: max(b.Head, b.Last()), Floor: b.Floor, From: b.From, Base: b.Base}
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
	Upto  uint64 // what to acknowledge: of the batch's records and those before, what is stored
	Have  uint64 // the watermark after it
	Fork  bool   // record Upto+1 is stored already, and is another one
	New   int    // rows that were not there before
	First uint64 // sequence of the first new row
	Lost  uint64 // records that will never come, told by this batch
}

// Ingest stores the records of a batch that are not stored yet, and moves the watermark, in one transaction. A batch
// that starts above watermark+1 leaves a gap: nothing of it is stored, unless it says that what is missing will never come.
func (d *DB) Ingest(ctx context.Context, b Batch) (Stored, error) {
	var s Stored
	run := func(t *tx) (err error) {
		s, err = ingest(t, b)
		return err
	}
	var err error
	if b.ChangesMembers() {
		err = d.do(ctx, run)
	} else {
		err = d.doFor(ctx, b.Store, run)
	}
	if err != nil {
		return Stored{}, fmt.Errorf("ingest from store %s: %w", b.Store, err)
	}
	return s, nil
}

func ingest(t *tx, b Batch) (Stored, error) {
	n := uint64(len(b.Records))
	if b.First == 0 || b.First > math.MaxInt64-n {
		return Stored{}, fmt.Errorf("batch starts at sequence %d: want 1 or more", b.First)
	}
	err := seen(t, b)
	if err != nil {
		return Stored{}, err
	}
	if b.gone, err = scrubIn(t); err != nil {
		return Stored{}, err
	}
	b.Records = b.gone.records(b.Records) // who was erased does not come back by a record that comes late
	was, err := b.watermark(t)
	if err != nil {
		return Stored{}, err
	}
	s := Stored{Upto: was, Have: was}
	if b.Floor && b.First > s.Have+1 {
		if err := noteGap(t, b, &s); err != nil {
			return s, err
		}
	}
	if b.First > s.Have+1 {
		return s, t.exec("UPDATE watermark SET head = max(head, ?) WHERE store = ? AND epoch = ? AND lane = ?", b.Head, b.Store, b.Epoch, b.Lane)
	}
	if err := known(t, b, &s); err != nil || s.Fork {
		return s, err
	}
	return s, b.rest(t, &s)
}

// watermark is what is stored of the batch's lane. An epoch that goes on from another one begins where it says; from which one is
// kept, since not every batch says it.
func (b *Batch) watermark(t *tx) (uint64, error) {
	var upto uint64
	var from string
	err := t.row("SELECT upto, origin FROM watermark WHERE store = ? AND epoch = ? AND lane = ?", []any{b.Store, b.Epoch, b.Lane}, &upto, &from)
	if !errors.Is(err, sql.ErrNoRows) {
		b.From = from
		return upto, err
	}
	if b.From != "" {
		upto = b.Base
	}
	return upto, nil
}

// noteGap keeps which records will never come, and goes on behind them.
func noteGap(t *tx, b Batch, s *Stored) error {
	first := s.Have + 1
	s.Upto, s.Have, s.Lost = b.First-1, b.First-1, b.First-first
	return t.exec("INSERT INTO gap (store, epoch, lane, first, last, told) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
		b.Store, b.Epoch, b.Lane, first, b.First-1, ms(b.Received))
}

// known looks at those of the batch's records that are below the watermark. They are repetitions; one that is another record
// than the stored one was written by a store that had forgotten the stored one. What is acknowledged ends before it, and
// never lies above the batch: only what was looked at is certain to be the same.
func known(t *tx, b Batch, s *Stored) error {
	repeated := b.Records[:min(uint64(len(b.Records)), s.Have+1-b.First)]
	stored, err := b.stored(t, len(repeated))
	if err != nil {
		return err
	}
	for i, r := range repeated {
		seq := b.First + uint64(i)
		if was, there := stored[seq]; there && !b.same(was, r) {
			s.Upto, s.Fork = seq-1, true
			return nil
		}
		s.Upto = seq
	}
	return nil
}

// place is what is stored of a record.
type place struct {
	kind string
	at   int64
	body []byte
}

// stored reads the first n of the batch's places, by sequence.
func (b *Batch) stored(t *tx, n int) (map[uint64]place, error) {
	all := make(map[uint64]place, n)
	if n == 0 {
		return all, nil
	}
	err := t.rows("SELECT seq, kind, at, body FROM record WHERE store = ? AND epoch = ? AND lane = ? AND seq >= ? AND seq < ?",
		[]any{b.Store, b.Epoch, b.Lane, b.First, b.First + uint64(n)}, func(scan func(...any) error) error {
			var seq uint64
			var p place
			err := scan(&seq, &p.kind, &p.at, &p.body)
			all[seq] = p
			return err
		})
	return all, err
}

// same reports whether a record is the one that is stored at its place. A time that NewBatch had to make up is not compared. A
// store that has given a record up in the meantime repeats it as a RecordLost, which contradicts nothing.
func (b *Batch) same(was place, r wire.Record) bool {
	was.body, _ = b.gone.body(was.body) // it may not have been swept yet
	return r.Kind == wire.RecordLost ||
		was.kind == cleanText(string(r.Kind)) && (was.at == ms(r.At) || r.At.Equal(b.Received)) && bytes.Equal(was.body, r.Body)
}

// rest stores the records that are above the watermark. A store that goes on under a new epoch may repeat what it had told in the
// old one: that is left out.
func (b Batch) rest(t *tx, s *Stored) error {
	skip := min(uint64(len(b.Records)), s.Have+1-b.First)
	if skip == uint64(len(b.Records)) && s.Lost == 0 {
		return nil // nothing that is new
	}
	s.First = b.First + skip
	fresh, err := b.keep(t, s.First, b.Records[skip:])
	if err != nil {
		return err
	}
	for _, r := range fresh {
		if err := project(t, b.Store, r, b.Received); err != nil {
			return err
		}
	}
	s.New = len(fresh)
	s.Upto = b.First + uint64(len(b.Records)) - 1
	s.Have = s.Upto
	return t.exec(`INSERT INTO watermark (store, epoch, lane, upto, head, origin) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (store, epoch, lane) DO UPDATE SET upto = excluded.upto, head = max(watermark.head, excluded.head)`,
		b.Store, b.Epoch, b.Lane, s.Upto, b.Head, b.From)
}

// keep stores records from a sequence on and returns those that were not there before: the others say nothing again.
func (b Batch) keep(t *tx, first uint64, records []wire.Record) ([]wire.Record, error) {
	rows := make([]row, 0, len(records))
	for i, r := range records {
		seq := first + uint64(i)
		if b.From != "" {
			if same, err := toldBefore(t, b, seq, r); err != nil {
				return nil, err
			} else if same {
				continue
			}
		}
		rows = append(rows, row{seq, r})
	}
	if t.dialect == postgres {
		return b.insertAll(t, rows)
	}
	var fresh []wire.Record
	for _, r := range rows {
		n, err := t.affect(`INSERT INTO record (store, epoch, lane, seq, kind, at, received, body)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
			b.Store, b.Epoch, b.Lane, r.seq, string(r.Kind), ms(r.At), ms(b.Received), []byte(r.Body))
		if err != nil {
			return nil, err
		}
		if n > 0 {
			fresh = append(fresh, r.Record)
		}
	}
	return fresh, nil
}

// row is a record with its place in the lane.
type row struct {
	seq uint64
	wire.Record
}

// insertAll stores rows with one statement: PostgreSQL would need a round trip for each.
func (b Batch) insertAll(t *tx, rows []row) ([]wire.Record, error) {
	if len(rows) == 0 {
		return nil, nil
	}
	seqs, kinds, times, bodies := make([]int64, len(rows)), make([]string, len(rows)), make([]int64, len(rows)), make([][]byte, len(rows))
	for i, r := range rows {
		seqs[i], kinds[i], times[i], bodies[i] = int64(r.seq), cleanText(string(r.Kind)), ms(r.At), []byte(r.Body)
		if bodies[i] == nil {
			bodies[i] = []byte{}
		}
	}
	there := make(map[int64]bool, len(rows))
	err := t.rows(`INSERT INTO record (store, epoch, lane, seq, kind, at, received, body)
		SELECT ?, ?, ?, u.seq, u.kind, u.at, ?, u.body FROM unnest(?::BIGINT[], ?::TEXT[], ?::BIGINT[], ?::BYTEA[]) AS u(seq, kind, at, body)
		ON CONFLICT DO NOTHING RETURNING seq`, []any{b.Store, b.Epoch, b.Lane, ms(b.Received), seqs, kinds, times, bodies},
		func(scan func(...any) error) error {
			var seq int64
			err := scan(&seq)
			there[seq] = true
			return err
		})
	var fresh []wire.Record
	for _, r := range rows {
		if there[int64(r.seq)] {
			fresh = append(fresh, r.Record)
		}
	}
	return fresh, err
}

// toldBefore reports whether the record is stored at its place in any other epoch of the lane: a store may have been restored
// more than once.
func toldBefore(t *tx, b Batch, seq uint64, r wire.Record) (bool, error) {
	var n int
	err := t.row(`SELECT count(*) FROM record WHERE store = ? AND lane = ? AND seq = ? AND kind = ? AND at = ? AND body = ?
		AND epoch IN (SELECT epoch FROM watermark WHERE store = ? AND lane = ? AND epoch <> ?)`,
		[]any{b.Store, b.Lane, seq, string(r.Kind), ms(r.At), []byte(r.Body), b.Store, b.Lane, b.Epoch}, &n)
	return n > 0, err
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
