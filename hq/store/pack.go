package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"foyer/sync/wire"
)

// ErrNarrower is returned for a rollout that would put stores out.
var ErrNarrower = errors.New("a rollout only widens")

// Release is a version of a pack at headquarters.
type Release struct {
	wire.Release
	Created   time.Time
	Withdrawn time.Time // zero: it is live
}

// AddRelease keeps a new release and gives it the pack's next version.
func (d *DB) AddRelease(ctx context.Context, r wire.Release, now time.Time) (version uint64, err error) {
	err = d.do(ctx, func(t *tx) error {
		if err := t.row("SELECT coalesce(max(version), 0) + 1 FROM release WHERE pack = ?", []any{r.Pack}, &version); err != nil {
			return err
		}
		r.Version = version
		if err := r.Check(); err != nil {
			return err
		}
		stores, files, err := releaseJSON(r)
		if err != nil {
			return err
		}
		err = t.exec("INSERT INTO release (pack, version, percent, stores, now, files, created) VALUES (?, ?, ?, ?, ?, ?, ?)",
			r.Pack, version, r.Percent, stores, r.Now, files, ms(now))
		if err != nil {
			return err
		}
		return touch(t, wire.Packs)
	})
	if err != nil {
		return 0, fmt.Errorf("keep release: %w", err)
	}
	return version, nil
}

func releaseJSON(r wire.Release) (stores, files string, err error) {
	s, err := json.Marshal(append([]string{}, r.Stores...))
	if err != nil {
		return "", "", err
	}
	f, err := json.Marshal(r.Files)
	return string(s), string(f), err
}

// WidenRelease lets more stores have a release. Nobody is put out: a lower percentage is an error, and stores are added.
func (d *DB) WidenRelease(ctx context.Context, pack string, version uint64, percent int, stores []string) error {
	err := d.do(ctx, func(t *tx) error {
		var have int
		var named string
		err := t.row("SELECT percent, stores FROM release WHERE pack = ? AND version = ? AND withdrawn = 0", []any{pack, version}, &have, &named)
		if errors.Is(err, sql.ErrNoRows) {
			return ErrNotFound
		}
		if err != nil {
			return err
		}
		if percent < have || percent > 100 {
			return fmt.Errorf("%w: %d percent have it already, want %d to 100", ErrNarrower, have, have)
		}
		var r wire.Release
		if err := json.Unmarshal([]byte(named), &r.Stores); err != nil {
			return err
		}
		for _, s := range stores {
			if !slices.Contains(r.Stores, s) {
				r.Stores = append(r.Stores, s)
			}
		}
		text, _, err := releaseJSON(r)
		if err != nil {
			return err
		}
		if err := t.exec("UPDATE release SET percent = ?, stores = ? WHERE pack = ? AND version = ?", percent, text, pack, version); err != nil {
			return err
		}
		return touch(t, wire.Packs)
	})
	if err != nil {
		return fmt.Errorf("widen %s version %d: %w", pack, version, err)
	}
	return nil
}

// WithdrawRelease takes a release back: stores go back to the one before it, or drop the pack when there is none.
func (d *DB) WithdrawRelease(ctx context.Context, pack string, version uint64, now time.Time) error {
	err := d.do(ctx, func(t *tx) error {
		n, err := t.affect("UPDATE release SET withdrawn = ? WHERE pack = ? AND version = ? AND withdrawn = 0", ms(now), pack, version)
		if err != nil {
			return err
		}
		if n == 0 {
			return ErrNotFound
		}
		return touch(t, wire.Packs)
	})
	if err != nil {
		return fmt.Errorf("withdraw %s version %d: %w", pack, version, err)
	}
	return nil
}

// Releases lists all releases, by pack and newest first.
func (d *DB) Releases(ctx context.Context) ([]Release, error) {
	return list(ctx, d, "SELECT pack, version, percent, stores, now, files, created, withdrawn FROM release ORDER BY pack, version DESC", nil,
		func(rows *sql.Rows) (Release, error) {
			var r Release
			var stores, files []byte
			var created, withdrawn int64
			if err := rows.Scan(&r.Pack, &r.Version, &r.Percent, &stores, &r.Now, &files, &created, &withdrawn); err != nil {
				return r, err
			}
			r.Created, r.Withdrawn = at(created), at(withdrawn)
			if err := json.Unmarshal(stores, &r.Stores); err != nil {
				return r, err
			}
			return r, json.Unmarshal(files, &r.Files)
		})
}

// Packs is what stores are to have, and the revision at which it is so: of each pack the live releases down to the first
// that all stores may have.
func (d *DB) Packs(ctx context.Context) (wire.PacksBody, int64, error) {
	body := wire.PacksBody{Releases: []wire.Release{}}
	revision, err := d.Revision(ctx, wire.Packs)
	if err != nil {
		return body, 0, err
	}
	all, err := d.Releases(ctx)
	whole := map[string]bool{}
	for _, r := range all {
		if r.Withdrawn.IsZero() && !whole[r.Pack] {
			body.Releases = append(body.Releases, r.Release)
			whole[r.Pack] = r.Percent >= 100
		}
	}
	return body, revision, err
}
