package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"foyer/sync/wire"
)

// feedRuns is how many runs one look takes in.
const feedRuns = 64

// Told is a record with its number in the order in which integrators see records.
type Told struct {
	Number             uint64
	Store, Epoch, Lane string
	Seq                uint64
	Record             wire.Record
	Received           time.Time
}

// run is a stretch of one lane in that order.
type run struct {
	start              uint64
	store, epoch, lane string
	first, last        uint64
}

// NumberFeed gives numbers to what is stored and has none yet. Lanes are contiguous, so nothing is passed over; and whoever numbers
// holds the head's row until the commit, so no number becomes visible before a lower one.
func (d *DB) NumberFeed(ctx context.Context) error {
	type lane struct{ store, epoch, lane string }
	behind, err := list(ctx, d, `SELECT w.store, w.epoch, w.lane FROM watermark w LEFT JOIN fed f ON f.store = w.store AND f.epoch = w.epoch AND f.lane = w.lane
		WHERE w.upto > coalesce(f.upto, 0) ORDER BY w.store, w.epoch, w.lane`, nil, func(r *sql.Rows) (l lane, err error) {
		return l, r.Scan(&l.store, &l.epoch, &l.lane)
	})
	if err != nil || len(behind) == 0 {
		return err
	}
	return d.do(ctx, func(t *tx) error {
		if err := t.exec("UPDATE feed_head SET next = next WHERE id = 1"); err != nil {
			return err
		}
		for _, l := range behind {
			if err := numberLane(t, l.store, l.epoch, l.lane); err != nil {
				return err
			}
		}
		return nil
	})
}

func numberLane(t *tx, store, epoch, lane string) error {
	key := []any{store, epoch, lane}
	var upto, done, next int64
	if err := t.row("SELECT upto FROM watermark WHERE store = ? AND epoch = ? AND lane = ?", key, &upto); err != nil {
		return err
	}
	err := t.row("SELECT upto FROM fed WHERE store = ? AND epoch = ? AND lane = ?", key, &done)
	if err != nil && !errors.Is(err, sql.ErrNoRows) || upto <= done {
		return err
	}
	var first sql.NullInt64 // an epoch that goes on from another begins where that ended
	if err := t.row("SELECT min(seq) FROM record WHERE store = ? AND epoch = ? AND lane = ? AND seq > ?", append(key, done), &first); err != nil {
		return err
	}
	if err := t.exec(`INSERT INTO fed (store, epoch, lane, upto) VALUES (?, ?, ?, ?) ON CONFLICT (store, epoch, lane) DO UPDATE SET upto = excluded.upto`,
		store, epoch, lane, upto); err != nil || !first.Valid || first.Int64 > upto {
		return err
	}
	if err := t.row("SELECT next FROM feed_head WHERE id = 1", nil, &next); err != nil {
		return err
	}
	if err := t.exec("INSERT INTO feed (start, store, epoch, lane, first, last) VALUES (?, ?, ?, ?, ?, ?)", next, store, epoch, lane, first.Int64, upto); err != nil {
		return err
	}
	return t.exec("UPDATE feed_head SET next = ? WHERE id = 1", next+upto-first.Int64+1)
}

// Feed returns the records after a number, at most so many, and the number up to which nothing was passed over.
func (d *DB) Feed(ctx context.Context, after uint64, most int) (all []Told, upto uint64, err error) {
	runs, err := d.runsFrom(ctx, after)
	if err != nil {
		return nil, after, err
	}
	upto = after
	for _, r := range runs {
		end := r.start + r.last - r.first
		if end <= after || len(all) >= most {
			continue
		}
		from := r.first
		if after >= r.start {
			from = r.first + after - r.start + 1
		}
		some, err := d.told(ctx, r, from, most-len(all))
		if err != nil {
			return nil, after, err
		}
		full := len(all)+len(some) >= most
		if all, upto = append(all, some...), end; full && len(some) > 0 {
			return all, some[len(some)-1].Number, nil
		}
	}
	return all, upto, nil
}

func (d *DB) runsFrom(ctx context.Context, after uint64) ([]run, error) {
	return list(ctx, d, `SELECT start, store, epoch, lane, first, last FROM feed
		WHERE start >= coalesce((SELECT max(start) FROM feed WHERE start <= ?), 0) ORDER BY start LIMIT ?`, []any{int64(after), feedRuns}, func(r *sql.Rows) (x run, err error) {
		return x, r.Scan(&x.start, &x.store, &x.epoch, &x.lane, &x.first, &x.last)
	})
}

func (d *DB) told(ctx context.Context, r run, from uint64, most int) ([]Told, error) {
	return list(ctx, d, `SELECT seq, kind, at, received, body FROM record WHERE store = ? AND epoch = ? AND lane = ? AND seq >= ? AND seq <= ? ORDER BY seq LIMIT ?`,
		[]any{r.store, r.epoch, r.lane, int64(from), int64(r.last), most}, func(rows *sql.Rows) (Told, error) {
			x := Told{Store: r.store, Epoch: r.epoch, Lane: r.lane}
			var when, received int64
			var body []byte
			if err := rows.Scan(&x.Seq, &x.Record.Kind, &when, &received, &body); err != nil {
				return x, err
			}
			x.Number, x.Record.At, x.Received, x.Record.Body = r.start+x.Seq-r.first, at(when), at(received), body
			return x, nil
		})
}

// FeedPlace names what has a number, and the highest number given. Where nothing has it, the place is empty.
func (d *DB) FeedPlace(ctx context.Context, number uint64) (place string, head uint64, err error) {
	var next int64
	if err := d.reader.QueryRowContext(ctx, "SELECT next FROM feed_head WHERE id = 1").Scan(&next); err != nil {
		return "", 0, err
	}
	runs, err := d.runsFrom(ctx, number)
	if err != nil {
		return "", 0, err
	}
	for _, r := range runs {
		if number >= r.start && number <= r.start+r.last-r.first {
			place = fmt.Sprintf("%s/%s/%s/%d", r.store, r.epoch, r.lane, r.first+number-r.start)
		}
	}
	return place, uint64(next - 1), nil
}

// Outlet is up to which number an outlet has been told; 0: it is new.
func (d *DB) Outlet(ctx context.Context, name string) (uint64, error) {
	var upto int64
	err := d.reader.QueryRowContext(ctx, "SELECT upto FROM outlet WHERE name = ?", name).Scan(&upto)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return uint64(upto), err
}

// MoveOutlet keeps up to which number an outlet has been told.
func (d *DB) MoveOutlet(ctx context.Context, name string, upto uint64, now time.Time) error {
	return d.do(ctx, func(t *tx) error {
		return t.exec("INSERT INTO outlet (name, upto, at) VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET upto = excluded.upto, at = excluded.at",
			name, int64(upto), ms(now))
	})
}
