// Package store is headquarters' memory: one SQLite file.
//
// In: batches of records from stores, members, campaigns, sealed snapshots. Out: rows for the pages and the snapshots.
// Times come in as time.Time and are kept in milliseconds; the clock is the caller's.
// It never publishes, never renders, never sees a raw tag number, and acknowledges nothing that is not on disk: WAL with
// synchronous=FULL, and a batch's rows, its watermark and what they say about visits are one transaction.
// Called by hq, and by cmd/foyer-hq to add a store while the server runs or not.
//
// All writes go through one goroutine and one connection. It takes what waits (batches of many stores, a form that was
// saved) into one transaction, each inside its own savepoint, so that they share one fsync and one that fails does not
// take the others with it. Reads have their own connections and see the last commit.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	_ "modernc.org/sqlite" // the driver; pure Go
)

// maxGroup bounds how many writes share one transaction: the last of them waits for all.
const maxGroup = 64

// readers is how many connections read at once.
const readers = 4

// ErrClosed is returned by writes after Close.
var ErrClosed = errors.New("headquarters' database is closed")

// ErrNotFound is returned where a row that a caller named is not there.
var ErrNotFound = errors.New("not found")

// DB is the open database.
type DB struct {
	write  *sql.Conn
	writer *sql.DB
	reader *sql.DB
	jobs   chan *job
	stop   chan struct{}
	once   sync.Once
	done   sync.WaitGroup
}

type job struct {
	ctx  context.Context
	run  func(*tx) error
	done chan error
}

// Open opens the file, made with mode 0600 if it is not there, and brings it to the newest form.
func Open(path string) (*DB, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600) // SQLite itself would make it readable by all
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	f.Close()
	d := &DB{jobs: make(chan *job, 4*maxGroup), stop: make(chan struct{})}
	if d.writer, err = dial(path, 1, "synchronous(FULL)", "foreign_keys(ON)", "wal_autocheckpoint(4000)"); err != nil {
		return nil, err
	}
	if d.write, err = d.writer.Conn(context.Background()); err != nil {
		d.writer.Close()
		return nil, fmt.Errorf("open database %s: %w", path, err)
	}
	if err = migrate(d.write); err != nil {
		d.writer.Close()
		return nil, fmt.Errorf("open database %s: %w", path, err)
	}
	if d.reader, err = dial(path, readers, "query_only(ON)"); err != nil {
		d.writer.Close()
		return nil, err
	}
	d.done.Go(d.commitLoop)
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

// Close commits what waits and closes the file.
func (d *DB) Close() error {
	d.once.Do(func() { close(d.stop) })
	d.done.Wait()
	return errors.Join(d.reader.Close(), d.write.Close(), d.writer.Close())
}

// do runs one write and returns once it is durable. If ctx ends first the write may still happen.
func (d *DB) do(ctx context.Context, run func(*tx) error) error {
	j := &job{ctx: ctx, run: run, done: make(chan error, 1)}
	select {
	case <-d.stop:
		return ErrClosed
	default:
	}
	select {
	case d.jobs <- j:
	case <-d.stop:
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-j.done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (d *DB) commitLoop() {
	t := &tx{conn: d.write, prepared: map[string]*sql.Stmt{}}
	defer t.close()
	for {
		select {
		case j := <-d.jobs:
			d.commit(t, d.gather(j))
		case <-d.stop:
			d.drain(t)
			return
		}
	}
}

// gather adds what waits to the first job, without waiting for more.
func (d *DB) gather(first *job) []*job {
	group := []*job{first}
	for len(group) < maxGroup {
		select {
		case j := <-d.jobs:
			group = append(group, j)
		default:
			return group
		}
	}
	return group
}

func (d *DB) drain(t *tx) {
	for {
		select {
		case j := <-d.jobs:
			d.commit(t, d.gather(j))
		default:
			return
		}
	}
}

// commit runs a group in one transaction. A job that fails is undone alone; if the commit fails, all have failed.
func (d *DB) commit(t *tx, group []*job) {
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

func ms(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func at(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
