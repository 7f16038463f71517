package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// errShared is returned where a write of a store comes upon what is the chain's: it is run again as a write of the chain.
var errShared = errors.New("a write of one store cannot change what is the chain's")

// tx is a writer's connection inside a transaction. Only the writer's goroutine touches it.
type tx struct {
	dialect  dialect
	alone    bool // a write of the chain: no other write is at work
	conn     *sql.Conn
	prepared map[string]*sql.Stmt // SQLite
	pipe     *pipe                // PostgreSQL
}

// own makes sure that no other write is at work: a write of a store that goes on would change what is the chain's.
func (t *tx) own() error {
	if t.alone {
		return nil
	}
	return errShared
}

// exec runs a statement. PostgreSQL is sent it together with others, so its error may come with a later call or the commit.
func (t *tx) exec(query string, args ...any) error {
	if t.pipe != nil {
		return t.pipe.add(query, args)
	}
	_, err := t.affect(query, args...)
	return err
}

// affect runs a statement and returns how many rows it changed.
func (t *tx) affect(query string, args ...any) (int64, error) {
	if t.pipe != nil {
		return t.pipe.affect(query, args)
	}
	s, err := t.stmt(query)
	if err != nil {
		return 0, err
	}
	r, err := s.Exec(t.dialect.values(args)...)
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

// row reads one row into dest; sql.ErrNoRows if there is none.
func (t *tx) row(query string, args []any, dest ...any) error {
	if t.pipe != nil {
		return t.pipe.row(query, args, dest)
	}
	s, err := t.stmt(query)
	if err != nil {
		return err
	}
	return s.QueryRow(t.dialect.values(args)...).Scan(dest...)
}

// rows reads rows, each with one call of read, which is given what scans.
func (t *tx) rows(query string, args []any, read func(scan func(dest ...any) error) error) error {
	if t.pipe != nil {
		return t.pipe.rows(query, args, read)
	}
	s, err := t.stmt(query)
	if err != nil {
		return err
	}
	all, err := s.Query(t.dialect.values(args)...)
	if err != nil {
		return err
	}
	defer all.Close()
	for all.Next() {
		if err := read(all.Scan); err != nil {
			return err
		}
	}
	return all.Err()
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
