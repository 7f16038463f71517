package store

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// ErrExists is returned when a store is added twice.
var ErrExists = errors.New("a store of this name is there already")

// Shop is one store of the chain as headquarters knows it.
type Shop struct {
	ID             string
	NameZH, NameEN string
	Created        time.Time
	LastSeen       time.Time     // zero: never
	Skew           time.Duration // headquarters' clock minus the store's
	HasSkew        bool
	Behind         time.Duration // how old its newest record was when it came
	Version        string        // of foyerd
}

// Name is the name in a language, English where there is no Chinese one and the other way round.
func (s Shop) Name(lang string) string {
	first, second := s.NameEN, s.NameZH
	if lang == "zh-CN" {
		first, second = second, first
	}
	if first == "" {
		first = second
	}
	if first == "" {
		return s.ID
	}
	return first
}

// AddShop adds a store and returns its token. Only a hash of the token is kept: this is the one time it is seen.
func (d *DB) AddShop(ctx context.Context, s Shop, now time.Time) (token string, err error) {
	token = rand.Text()
	hash := sha256.Sum256([]byte(token))
	err = d.do(ctx, func(t *tx) error {
		n, err := t.affect(`INSERT INTO store (id, name_zh, name_en, token_sha256, created) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT DO NOTHING`, s.ID, s.NameZH, s.NameEN, hash[:], ms(now))
		if err == nil && n == 0 {
			err = ErrExists
		}
		return err
	})
	if err != nil {
		return "", fmt.Errorf("add store %s: %w", s.ID, err)
	}
	return token, nil
}

// NewToken replaces a store's token. The old one opens nothing any more at the next connection. A store that was revoked may
// come again with it.
func (d *DB) NewToken(ctx context.Context, id string) (token string, err error) {
	token = rand.Text()
	hash := sha256.Sum256([]byte(token))
	err = d.do(ctx, func(t *tx) error {
		n, err := t.affect("UPDATE store SET token_sha256 = ?, revoked = 0 WHERE id = ?", hash[:], id)
		if err == nil && n == 0 {
			err = ErrNotFound
		}
		return err
	})
	if err != nil {
		return "", fmt.Errorf("new token for store %s: %w", id, err)
	}
	return token, nil
}

// CheckToken reports whether token is the store's.
func (d *DB) CheckToken(ctx context.Context, id, token string) (bool, error) {
	var want []byte
	err := d.reader.QueryRowContext(ctx, "SELECT token_sha256 FROM store WHERE id = ?", id).Scan(&want)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("check token: %w", err)
	}
	hash := sha256.Sum256([]byte(token))
	return subtle.ConstantTimeCompare(hash[:], want) == 1, nil
}

// SawShop notes when a store was heard, and the program it runs if that is known.
func (d *DB) SawShop(ctx context.Context, id, version string, now time.Time) error {
	return d.doFor(ctx, id, func(t *tx) error {
		return t.exec("UPDATE store SET last_seen = max(last_seen, ?), version = CASE WHEN ? = '' THEN version ELSE ? END WHERE id = ?",
			ms(now), version, version, id)
	})
}

// Shops lists the stores by ID.
func (d *DB) Shops(ctx context.Context) ([]Shop, error) {
	return list(ctx, d, `SELECT id, name_zh, name_en, created, last_seen, skew_ms, behind_ms, version FROM store ORDER BY id`, nil,
		func(r *sql.Rows) (Shop, error) {
			var s Shop
			var created, seen, behind int64
			var skew sql.NullInt64
			err := r.Scan(&s.ID, &s.NameZH, &s.NameEN, &created, &seen, &skew, &behind, &s.Version)
			s.Created, s.LastSeen, s.HasSkew = at(created), at(seen), skew.Valid
			s.Skew, s.Behind = time.Duration(skew.Int64)*time.Millisecond, time.Duration(behind)*time.Millisecond
			return s, err
		})
}

// list reads all rows of a query.
func list[T any](ctx context.Context, d *DB, query string, args []any, scan func(*sql.Rows) (T, error)) ([]T, error) {
	rows, err := d.reader.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []T
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, rows.Err()
}
