package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"foyer/sync/wire"
)

// Lane is one log of a store as headquarters knows it.
type Lane struct {
	Store, Epoch, Lane string
	Upto, Head         uint64 // stored up to, and the newest that the store has said it has
}

// Gap is a run of records that will never come.
type Gap struct {
	Store string    `json:"store"`
	Epoch string    `json:"epoch"`
	Lane  string    `json:"lane"`
	First uint64    `json:"first"`
	Last  uint64    `json:"last"`
	Told  time.Time `json:"told"`
}

// Lanes lists the logs of all stores.
func (d *DB) Lanes(ctx context.Context) ([]Lane, error) {
	return list(ctx, d, "SELECT store, epoch, lane, upto, head FROM watermark ORDER BY store, epoch, lane", nil, func(r *sql.Rows) (l Lane, err error) {
		return l, r.Scan(&l.Store, &l.Epoch, &l.Lane, &l.Upto, &l.Head)
	})
}

// Gaps lists what is missing for good, newest first.
func (d *DB) Gaps(ctx context.Context) ([]Gap, error) {
	return list(ctx, d, "SELECT store, epoch, lane, first, last, told FROM gap ORDER BY told DESC, store, lane, first", nil, func(r *sql.Rows) (Gap, error) {
		var g Gap
		var told int64
		err := r.Scan(&g.Store, &g.Epoch, &g.Lane, &g.First, &g.Last, &told)
		g.Told = at(told)
		return g, err
	})
}

// KeepState keeps how a store's memory stands.
func (d *DB) KeepState(ctx context.Context, id string, s wire.State) error {
	text, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("keep the state of store %s: %w", id, err)
	}
	return d.doFor(ctx, id, func(t *tx) error { return t.exec("UPDATE store SET state = ? WHERE id = ?", string(text), id) })
}

// States are the stores' words on their memory, by store. One that never told is not there.
func (d *DB) States(ctx context.Context) (map[string]wire.State, error) {
	type row struct{ id, text string }
	rows, err := list(ctx, d, "SELECT id, state FROM store WHERE state <> ''", nil, func(r *sql.Rows) (x row, err error) {
		return x, r.Scan(&x.id, &x.text)
	})
	all := map[string]wire.State{}
	for _, x := range rows {
		var s wire.State
		if json.Unmarshal([]byte(x.text), &s) == nil {
			all[x.id] = s
		}
	}
	return all, err
}
