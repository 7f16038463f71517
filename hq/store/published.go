package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"foyer/sync/wire"
)

// keepPublished is how many snapshots of a kind are kept, for whoever asks what a store was told.
const keepPublished = 5

// Published is one sealed snapshot.
type Published struct {
	Kind     string
	Version  uint64
	Revision int64 // of the content it was made from
	Sealed   []byte
	MadeAt   time.Time
	Step     *MembersStep // of members: what led here; kept with it and not read back
}

// LastPublished returns the newest snapshot of a kind; its version is 0 if there is none.
func (d *DB) LastPublished(ctx context.Context, kind string) (Published, error) {
	p := Published{Kind: kind}
	var made int64
	err := d.reader.QueryRowContext(ctx, `SELECT version, revision, sealed, made_at FROM published WHERE kind = ?
		ORDER BY version DESC LIMIT 1`, kind).Scan(&p.Version, &p.Revision, &p.Sealed, &made)
	if errors.Is(err, sql.ErrNoRows) {
		return p, nil
	}
	p.MadeAt = at(made)
	return p, err
}

// LastVersion is the newest version of a kind; 0 if there is none.
func (d *DB) LastVersion(ctx context.Context, kind string) (uint64, error) {
	var n uint64
	err := d.reader.QueryRowContext(ctx, "SELECT coalesce(max(version), 0) FROM published WHERE kind = ?", kind).Scan(&n)
	return n, err
}

// SavePublished keeps a sealed snapshot before anybody sees it. Its version must be new. Campaigns that changed up to its
// revision are marked with its version.
func (d *DB) SavePublished(ctx context.Context, p Published) error {
	err := d.do(ctx, func(t *tx) error { return savePublished(t, p) })
	if err != nil {
		return fmt.Errorf("keep snapshot %s %d: %w", p.Kind, p.Version, err)
	}
	return nil
}

func savePublished(t *tx, p Published) error {
	err := t.exec("INSERT INTO published (kind, version, revision, sealed, made_at) VALUES (?, ?, ?, ?, ?)",
		p.Kind, p.Version, p.Revision, p.Sealed, ms(p.MadeAt))
	if err != nil {
		return err
	}
	if p.Step != nil {
		if err := saveStep(t, *p.Step); err != nil {
			return err
		}
	}
	if p.Kind == "campaigns" {
		// Only if nothing was pushed since the content was read: else the next snapshot marks them all.
		err := t.exec(`UPDATE campaign SET version = ? WHERE version = 0 AND state <> 'draft'
			AND ? = (SELECT revision FROM content WHERE kind = 'campaigns')`, p.Version, p.Revision)
		if err != nil {
			return err
		}
	}
	return t.exec("DELETE FROM published WHERE kind = ? AND version <= ?", p.Kind, int64(p.Version)-keepPublished)
}

// Answer is what a store made of a snapshot.
type Answer struct {
	Store   string
	Kind    string
	Version uint64
	Applied bool
	Code    wire.Code // why it was refused, in one word
	Why     string    // and in detail
	At      time.Time
}

// Answers lists, for each store and kind, its newest answers, newest first.
func (d *DB) Answers(ctx context.Context) ([]Answer, error) {
	return list(ctx, d, `SELECT store, kind, version, state = 'applied', code, why, at FROM (
			SELECT *, row_number() OVER (PARTITION BY store, kind ORDER BY version DESC) AS n FROM applied) AS numbered
		WHERE n <= 20 ORDER BY store, kind, version DESC`, nil, func(r *sql.Rows) (Answer, error) {
		var a Answer
		var when int64
		err := r.Scan(&a.Store, &a.Kind, &a.Version, &a.Applied, &a.Code, &a.Why, &when)
		a.At = at(when)
		return a, err
	})
}
