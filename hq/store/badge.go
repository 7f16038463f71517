package store

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Why a code or a badge opens nothing.
var (
	ErrWrongCode   = errors.New("no such code")
	ErrUsedCode    = errors.New("the code was used already")
	ErrExpiredCode = errors.New("the code has expired")
	ErrRevoked     = errors.New("the store was revoked")
	ErrSuperseded  = errors.New("the store has a newer badge")
)

// Handover is how long a badge is still taken after a newer one of the store was shown: for a box that was put back to last
// week's image.
const Handover = 8 * 24 * time.Hour

// codesKept is how long a code is remembered after its end, so that its late user is told what is wrong.
const codesKept = 30 * 24 * time.Hour

// AddCode opens a one-time code for a store, of which only a hash is kept. A code that the store had open is void.
func (d *DB) AddCode(ctx context.Context, id, secret string, now time.Time, life time.Duration) error {
	hash := sha256.Sum256([]byte(secret))
	err := d.do(ctx, func(t *tx) error {
		n, err := t.affect("UPDATE store SET revoked = revoked WHERE id = ?", id)
		if err == nil && n == 0 {
			err = ErrNotFound
		}
		if err != nil {
			return err
		}
		if err := t.exec("DELETE FROM code WHERE store = ? AND used = 0 OR expires < ?", id, ms(now.Add(-codesKept))); err != nil {
			return err
		}
		return t.exec("INSERT INTO code (sha256, store, made, expires) VALUES (?, ?, ?, ?)", hash[:], id, ms(now), ms(now.Add(life)))
	})
	if err != nil {
		return fmt.Errorf("new code for store %s: %w", id, err)
	}
	return nil
}

// Badge is a certificate that a store was given.
type Badge struct {
	Serial  string // hex
	Store   string
	Issued  time.Time
	Ends    time.Time
	Until   time.Time
	Shown   time.Time // zero: never yet
	Revoked time.Time // zero: not
}

// Redeem uses a code up for a key, and returns the code's store. The same key may use it again until it expires, for an
// answer that was lost. make is called inside the transaction, once the code is good: its badge is kept with it.
func (d *DB) Redeem(ctx context.Context, secret string, key []byte, now time.Time, make func(store string) (Badge, error)) error {
	hash := sha256.Sum256([]byte(secret))
	return d.do(ctx, func(t *tx) error {
		var id string
		var expires, used int64
		var before []byte
		err := t.row("SELECT store, expires, used, key FROM code WHERE sha256 = ?", []any{hash[:]}, &id, &expires, &used, &before)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return ErrWrongCode
		case err != nil:
			return err
		case used > 0 && string(before) != string(key):
			return ErrUsedCode
		case ms(now) >= expires:
			return ErrExpiredCode
		}
		b, err := make(id)
		if err != nil {
			return err
		}
		if err := t.exec("UPDATE code SET used = ?, key = ? WHERE sha256 = ?", ms(now), key, hash[:]); err != nil {
			return err
		}
		// Who may enrol is welcome again. Badges from before stay void: each was revoked by itself.
		if err := t.exec("UPDATE store SET revoked = 0 WHERE id = ?", id); err != nil {
			return err
		}
		return t.keepBadge(b)
	})
}

func (t *tx) keepBadge(b Badge) error {
	return t.exec("INSERT INTO badge (serial, store, issued, ends, until) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
		b.Serial, b.Store, ms(b.Issued), ms(b.Ends), ms(b.Until))
}

// KeepBadge notes a badge that was given by renewal.
func (d *DB) KeepBadge(ctx context.Context, b Badge) error {
	return d.do(ctx, func(t *tx) error { return t.keepBadge(b) })
}

// Admit reports whether a badge, whose certificate was verified, still opens: nil, ErrRevoked, ErrSuperseded or
// ErrUnknownStore. The first time that it is shown, the store's older ones end after Handover. One that is not known was
// given after the backup that this database comes from: it is taken, unless the store was revoked since.
func (d *DB) Admit(ctx context.Context, b Badge, now time.Time) error {
	var until, shown, revoked int64
	err := d.reader.QueryRowContext(ctx, "SELECT until, shown, revoked FROM badge WHERE serial = ? AND store = ?", b.Serial, b.Store).
		Scan(&until, &shown, &revoked)
	known := err == nil
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("check badge: %w", err)
	}
	var barred, voided int64
	err = d.reader.QueryRowContext(ctx, "SELECT revoked, voided FROM store WHERE id = ?", b.Store).Scan(&barred, &voided)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return ErrUnknownStore
	case err != nil:
		return fmt.Errorf("check badge: %w", err)
	case barred > 0 || revoked > 0 || !known && ms(b.Issued) <= voided:
		return ErrRevoked
	case known && ms(now) > until && until < ms(b.Ends):
		return ErrSuperseded
	case known && shown > 0:
		return nil
	}
	return d.firstShown(ctx, b, now)
}

func (d *DB) firstShown(ctx context.Context, b Badge, now time.Time) error {
	return d.do(ctx, func(t *tx) error {
		if err := t.keepBadge(b); err != nil {
			return err
		}
		if err := t.exec("UPDATE badge SET shown = ? WHERE serial = ? AND shown = 0", ms(now), b.Serial); err != nil {
			return err
		}
		return t.exec("UPDATE badge SET until = min(until, ?) WHERE store = ? AND issued < ? AND serial <> ?",
			ms(now.Add(Handover)), b.Store, ms(b.Issued), b.Serial)
	})
}

// Revoke shuts a store out: its badges, its open code and its token are void.
func (d *DB) Revoke(ctx context.Context, id string, now time.Time) error {
	err := d.do(ctx, func(t *tx) error {
		void := make([]byte, sha256.Size)
		rand.Read(void) // the hash of nothing that anybody knows
		n, err := t.affect("UPDATE store SET revoked = ?, voided = ?, token_sha256 = ? WHERE id = ?", ms(now), ms(now), void, id)
		if err == nil && n == 0 {
			err = ErrNotFound
		}
		if err != nil {
			return err
		}
		if err := t.exec("UPDATE badge SET revoked = ? WHERE store = ? AND revoked = 0", ms(now), id); err != nil {
			return err
		}
		return t.exec("DELETE FROM code WHERE store = ? AND used = 0", id)
	})
	if err != nil {
		return fmt.Errorf("revoke store %s: %w", id, err)
	}
	return nil
}

// Barred lists the stores that were revoked, and when.
func (d *DB) Barred(ctx context.Context) (map[string]time.Time, error) {
	type row struct {
		id string
		at time.Time
	}
	rows, err := list(ctx, d, "SELECT id, revoked FROM store WHERE revoked > 0", nil, func(r *sql.Rows) (row, error) {
		var one row
		var when int64
		err := r.Scan(&one.id, &when)
		one.at = at(when)
		return one, err
	})
	all := map[string]time.Time{}
	for _, r := range rows {
		all[r.id] = r.at
	}
	return all, err
}

// VoidBadges lists badges that are void before their end, for the list that brokers elsewhere read.
func (d *DB) VoidBadges(ctx context.Context, now time.Time) ([]Badge, error) {
	return list(ctx, d, badgeColumns+" WHERE ends > ? AND (revoked > 0 OR until < ends AND until < ?) ORDER BY serial", []any{ms(now), ms(now)}, scanBadge)
}

// Badges lists each store's newest badge, by store.
func (d *DB) Badges(ctx context.Context) (map[string]Badge, error) {
	rows, err := list(ctx, d, badgeColumns+" ORDER BY issued, serial", nil, scanBadge)
	all := map[string]Badge{}
	for _, b := range rows {
		all[b.Store] = b
	}
	return all, err
}

const badgeColumns = "SELECT serial, store, issued, ends, until, shown, revoked FROM badge"

func scanBadge(r *sql.Rows) (Badge, error) {
	var b Badge
	var issued, ends, until, shown, revoked int64
	err := r.Scan(&b.Serial, &b.Store, &issued, &ends, &until, &shown, &revoked)
	b.Issued, b.Ends, b.Until, b.Shown, b.Revoked = at(issued), at(ends), at(until), at(shown), at(revoked)
	return b, err
}

// OpenCodes lists when each store's open code expires.
func (d *DB) OpenCodes(ctx context.Context, now time.Time) (map[string]time.Time, error) {
	type row struct {
		id string
		at time.Time
	}
	rows, err := list(ctx, d, "SELECT store, expires FROM code WHERE used = 0 AND expires > ?", []any{ms(now)}, func(r *sql.Rows) (row, error) {
		var one row
		var when int64
		err := r.Scan(&one.id, &when)
		one.at = at(when)
		return one, err
	})
	all := map[string]time.Time{}
	for _, r := range rows {
		all[r.id] = r.at
	}
	return all, err
}
