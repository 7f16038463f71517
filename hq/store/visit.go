package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"foyer/sync/wire"
)

// Visit is one member's stay at one store, as its records tell it.
type Visit struct {
	Store, Visit, Member, Zone string
	Nth                        int
	Started, Ended             time.Time // Ended zero: still there, as far as is known
	Named                      bool      // the wall said the name
	Campaign                   string    // offered; none is ""
	ClaimedBy                  string
	ClaimedAt, ServedAt        time.Time
	Waited                     time.Duration
}

// Visits lists the newest visits that started at or after since, newest first, of one store or of all ("").
func (d *DB) Visits(ctx context.Context, store string, since time.Time, limit int) ([]Visit, error) {
	return list(ctx, d, `SELECT store, visit, member, zone, nth, started, ended, named, campaign, claimed_by, claimed_at, waited_s, served_at
		FROM visit WHERE started >= ? AND (? = '' OR store = ?) ORDER BY started DESC, visit LIMIT ?`,
		[]any{ms(since), store, store, limit}, scanVisit)
}

func scanVisit(r *sql.Rows) (Visit, error) {
	var v Visit
	var started, ended, claimed, waited, served int64
	err := r.Scan(&v.Store, &v.Visit, &v.Member, &v.Zone, &v.Nth, &started, &ended, &v.Named, &v.Campaign,
		&v.ClaimedBy, &claimed, &waited, &served)
	v.Started, v.Ended, v.ClaimedAt, v.ServedAt = at(started), at(ended), at(claimed), at(served)
	v.Waited = time.Duration(waited) * time.Second
	return v, err
}

// Counts sums up the visits since a time.
type Counts struct {
	Visits, Named, Offered, Claimed int
	Waited                          time.Duration // median from arrival to claim, of those claimed
}

// Count sums up the visits that started at or after since.
func (d *DB) Count(ctx context.Context, since time.Time) (Counts, error) {
	var c Counts
	var waited sql.NullInt64
	err := d.reader.QueryRowContext(ctx, `SELECT count(*), coalesce(sum(named), 0), count(*) FILTER (WHERE campaign <> ''),
		count(*) FILTER (WHERE claimed_at > 0) FROM visit WHERE started >= ?`, ms(since)).
		Scan(&c.Visits, &c.Named, &c.Offered, &c.Claimed)
	if err != nil || c.Claimed == 0 {
		return c, err
	}
	err = d.reader.QueryRowContext(ctx, `SELECT waited_s FROM visit WHERE started >= ? AND claimed_at > 0
		ORDER BY waited_s LIMIT 1 OFFSET ?`, ms(since), (c.Claimed-1)/2).Scan(&waited)
	c.Waited = time.Duration(waited.Int64) * time.Second
	return c, err
}

// Row is one stored record with its place.
type Row struct {
	Store    string          `json:"store"`
	Epoch    string          `json:"epoch"`
	Lane     string          `json:"lane"`
	Seq      uint64          `json:"seq"`
	Kind     wire.Kind       `json:"kind"`
	At       time.Time       `json:"at"`
	Received time.Time       `json:"received"`
	Body     json.RawMessage `json:"body"`
}

// Records lists stored records of a store in order, from a sequence on, of one kind or of all ("").
func (d *DB) Records(ctx context.Context, store string, kind wire.Kind, from uint64, limit int) ([]Row, error) {
	return list(ctx, d, `SELECT store, epoch, lane, seq, kind, at, received, body FROM record
		WHERE store = ? AND seq >= ? AND (? = '' OR kind = ?) ORDER BY epoch, lane, seq LIMIT ?`,
		[]any{store, int64(from), string(kind), string(kind), limit}, func(r *sql.Rows) (Row, error) {
			var w Row
			var when, received int64
			err := r.Scan(&w.Store, &w.Epoch, &w.Lane, &w.Seq, &w.Kind, &when, &received, &w.Body)
			w.At, w.Received = at(when), at(received)
			if !json.Valid(w.Body) {
				w.Body, _ = json.Marshal(w.Body) // base64: what came was no JSON
			}
			return w, err
		})
}

// RecordCount counts the stored records of a store, or of all ("").
func (d *DB) RecordCount(ctx context.Context, store string) (int, error) {
	var n int
	err := d.reader.QueryRowContext(ctx, "SELECT count(*) FROM record WHERE ? = '' OR store = ?", store, store).Scan(&n)
	return n, err
}
