package store

import (
	"context"
	"database/sql"
	"fmt"
)

// tx is the writer's connection inside a transaction. Only the committer's goroutine touches it.
type tx struct {
	conn     *sql.Conn
	prepared map[string]*sql.Stmt
}

// within runs a job between a savepoint and its release, or its undoing.
func (t *tx) within(j *job) error {
	if err := j.ctx.Err(); err != nil {
		return err // nobody waits any more
	}
	if err := t.exec("SAVEPOINT job"); err != nil {
		return err
	}
	err := j.run(t)
	if err != nil {
		t.exec("ROLLBACK TO job")
	}
	if rerr := t.exec("RELEASE job"); err == nil && rerr != nil {
		err = rerr
	}
	return err
}

func (t *tx) exec(query string, args ...any) error {
	_, err := t.affect(query, args...)
	return err
}

// affect runs a statement and returns how many rows it changed.
func (t *tx) affect(query string, args ...any) (int64, error) {
	s, err := t.stmt(query)
	if err != nil {
		return 0, err
	}
	r, err := s.Exec(args...)
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

// row reads one row into dest; sql.ErrNoRows if there is none.
func (t *tx) row(query string, args []any, dest ...any) error {
	s, err := t.stmt(query)
	if err != nil {
		return err
	}
	return s.QueryRow(args...).Scan(dest...)
}

// stmt prepares each query once. The queries are constants of this package, so the map stays small.
func (t *tx) stmt(query string) (*sql.Stmt, error) {
	if s, ok := t.prepared[query]; ok {
		return s, nil
	}
	s, err := t.conn.PrepareContext(context.Background(), query)
	if err != nil {
		return nil, fmt.Errorf("prepare %.40q: %w", query, err)
	}
	t.prepared[query] = s
	return s, nil
}

func (t *tx) close() {
	for _, s := range t.prepared {
		s.Close()
	}
}
