package store

import (
	"context"
	"database/sql"
	"errors"
)

// House is what all headquarters of a chain must have in common, by name: fingerprints of keys, never keys.
func (d *DB) House(ctx context.Context) (map[string]string, error) {
	type pair struct{ name, value string }
	all := map[string]string{}
	rows, err := list(ctx, d, "SELECT name, value FROM house", nil, func(r *sql.Rows) (p pair, err error) {
		return p, r.Scan(&p.name, &p.value)
	})
	for _, p := range rows {
		all[p.name] = p.value
	}
	return all, err
}

// Settle keeps a value of House: only if nothing is kept under its name yet, or what is kept is was. It returns what is kept then.
func (d *DB) Settle(ctx context.Context, name, was, value string) (kept string, err error) {
	const ask = "SELECT value FROM house WHERE name = ?"
	if err := d.reader.QueryRowContext(ctx, ask, name).Scan(&kept); err == nil && kept == value {
		return kept, nil // as nearly always
	}
	err = d.do(ctx, func(t *tx) error {
		err := t.row(ask, []any{name}, &kept)
		if errors.Is(err, sql.ErrNoRows) || err == nil && kept == was {
			kept = value
			return t.exec(`INSERT INTO house (name, value) VALUES (?, ?)
				ON CONFLICT (name) DO UPDATE SET value = excluded.value`, name, value)
		}
		return err
	})
	return kept, err
}

// ForgetHouse lets the next headquarters that starts say what all must have in common.
func (d *DB) ForgetHouse(ctx context.Context) error {
	return d.do(ctx, func(t *tx) error { return t.exec("DELETE FROM house") })
}
