package store

import (
	"context"
	"database/sql"

	"foyer/sync/wire"
)

// keepDeltas is how many changes of the members are kept: a store that missed more is sent all members.
const keepDeltas = 500

// MembersStep is a version of the members' snapshot, and the change that led to it.
type MembersStep struct {
	Version uint64
	Digest  wire.Digest // of all members of the version
	Body    []byte      // JSON of wire.DeltaBody from Version-1; empty: nothing leads here
}

func saveStep(t *tx, s MembersStep) error {
	err := t.exec("INSERT INTO members_delta (version, digest, body) VALUES (?, ?, ?)", s.Version, s.Digest[:], s.Body)
	if err != nil {
		return err
	}
	return t.exec("DELETE FROM members_delta WHERE version <= ?", int64(s.Version)-keepDeltas)
}

// MembersSteps lists the versions of the members from one on (inclusive), oldest first.
func (d *DB) MembersSteps(ctx context.Context, from uint64) ([]MembersStep, error) {
	return list(ctx, d, "SELECT version, digest, body FROM members_delta WHERE version >= ? ORDER BY version", []any{int64(from)}, scanStep)
}

func scanStep(r *sql.Rows) (MembersStep, error) {
	var s MembersStep
	var digest []byte
	err := r.Scan(&s.Version, &digest, &s.Body)
	copy(s.Digest[:], digest)
	return s, err
}
