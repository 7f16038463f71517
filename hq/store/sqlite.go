package store

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	_ "modernc.org/sqlite" // the driver; pure Go
)

// What bounds the writes that share one transaction: how many they may be, and after how long the rest goes into the next. A
// thousand stores that tell of one visit each take one fsync; with a whole batch each they take some.
const (
	maxGroup  = 1024
	groupTime = 100 * time.Millisecond
)

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
	// 64 MiB of pages in memory: the names of visits are random, so each batch writes all over their table.
	writes, err := dial(path, 1, "synchronous(FULL)", "cache_size(-65536)", "foreign_keys(ON)", "secure_delete(ON)", "wal_autocheckpoint(4000)")
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
	d.tidy = func(ctx context.Context) error { return tidySQLite(ctx, path) }
	d.writers = []*writer{{jobs: make(chan *job, maxGroup), group: maxGroup, commit: t.commitGroup, close: t.close}}
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

// commitGroup runs a group in one transaction, or in some where it takes long.
func (t *tx) commitGroup(group []*job) {
	for len(group) > 0 {
		group = group[t.commitSome(group):]
	}
}

// commitSome runs the first jobs of a group in one transaction and says how many. A job that fails is undone alone; if the commit
// fails, all have failed.
func (t *tx) commitSome(group []*job) int {
	var results []error
	began := time.Now()
	err := t.exec("BEGIN IMMEDIATE")
	if err == nil {
		for len(results) == 0 || len(results) < len(group) && time.Since(began) < groupTime {
			results = append(results, t.within(group[len(results)]))
		}
		if err = t.exec("COMMIT"); err != nil {
			t.exec("ROLLBACK")
		}
	} else {
		results = make([]error, len(group))
	}
	for i := range results {
		if err != nil && results[i] == nil {
			results[i] = fmt.Errorf("commit: %w", err)
		}
		group[i].done <- results[i]
	}
	return len(results)
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
