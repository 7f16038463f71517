package store

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	_ "modernc.org/sqlite" // the driver; pure Go
)

// maxGroup bounds how many writes share one transaction: the last of them waits for all.
const maxGroup = 64

func openSQLite(path string) (*DB, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600) // SQLite itself would make it readable by all
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	f.Close()
	writes, err := dial(path, 1, "synchronous(FULL)", "foreign_keys(ON)", "wal_autocheckpoint(4000)")
	if err != nil {
		return nil, err
	}
	conn, err := writes.Conn(context.Background())
	if err == nil {
		err = migrateSQLite(conn)
	}
	if err != nil {
		writes.Close()
		return nil, fmt.Errorf("open database %s: %w", path, err)
	}
	reader, err := dial(path, readers, "query_only(ON)")
	if err != nil {
		writes.Close()
		return nil, err
	}
	t := &tx{dialect: sqlite, conn: conn, prepared: map[string]*sql.Stmt{}, alone: true}
	d := &DB{dialect: sqlite, reader: reads{reader, sqlite}, closers: []func() error{reader.Close, conn.Close, writes.Close}}
	d.writers = []*writer{{jobs: make(chan *job, 4*maxGroup), group: maxGroup, commit: t.commitGroup, close: t.close}}
	d.begin()
	return d, nil
}

func dial(path string, conns int, pragmas ...string) (*sql.DB, error) {
	q := url.Values{"_pragma": append([]string{"busy_timeout(5000)", "journal_mode(WAL)"}, pragmas...)}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: path, RawQuery: q.Encode()}).String())
	if err != nil {
		return nil, fmt.Errorf("open database %s: %w", path, err)
	}
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	if err := db.Ping(); err != nil {
		db.Close()
		return nil, fmt.Errorf("open database %s: %w", path, err)
	}
	return db, nil
}

// commitGroup runs a group in one transaction. A job that fails is undone alone; if the commit fails, all have failed.
func (t *tx) commitGroup(group []*job) {
	results := make([]error, len(group))
	err := t.exec("BEGIN IMMEDIATE")
	if err == nil {
		for i, j := range group {
			results[i] = t.within(j)
		}
		if err = t.exec("COMMIT"); err != nil {
			t.exec("ROLLBACK")
		}
	}
	for i, j := range group {
		if err != nil && results[i] == nil {
			results[i] = fmt.Errorf("commit: %w", err)
		}
		j.done <- results[i]
	}
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
