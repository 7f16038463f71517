// Package store is headquarters' memory: one SQLite file, or a PostgreSQL database that several headquarters share.
//
// In: batches of records from stores, members, campaigns, sealed snapshots. Out: rows for the pages and the snapshots.
// Times come in as time.Time and are kept in milliseconds; the clock is the caller's.
// It never publishes, never renders, never sees a raw tag number, and acknowledges nothing that is not on disk: SQLite with
// synchronous=FULL, PostgreSQL with synchronous_commit on, and a batch's rows, its watermark and what they say about visits are
// one transaction.
// Called by hq, and by cmd/foyer-hq to add a store while the server runs or not.
//
// # Writes
//
// A write is a function that is given a tx. do runs it as a write of the chain: no other write, of this or another headquarters,
// is at work meanwhile, so it may read, decide and write without a thought for others. doFor runs it as a write of one store:
// it may change only rows of that store, and others of other stores run beside it. A write of a store that touches what is the
// chain's (touch, or alone) is run again as one of the chain, by itself. A write may be run more than once: what it hands to its
// caller it must set, not add to.
//
// SQLite: all writes go through one goroutine and one connection. It takes what waits (batches of many stores, a form that was
// saved) into one transaction, each inside its own savepoint, so that they share one fsync and one that fails does not
// take the others with it. Reads have their own connections and see the last commit.
//
// PostgreSQL: each write is its own transaction, on one of a few connections: a store's always on the same, so that its batches
// stay in order. Writes of the chain hold an advisory lock, writes of stores share it, and hold the row of their store. Statements
// are sent together: tx.exec only notes them, and the next tx.row, tx.rows, tx.affect or the commit sends them, so their
// errors come then.
//
// # Migrations and queries, once for both
//
// A migration is migrations/NNNN_word.sql, written once. Types are TEXT, INTEGER and BLOB; tables end in ") STRICT, WITHOUT
// ROWID;" or ") STRICT;" alone on the line's end; "id INTEGER PRIMARY KEY" counts by itself; booleans are INTEGER 0 and 1.
// dialect.go translates it. No PRAGMA, no column called user, order, end, offset, limit, desc or default.
//
// Queries are constants with ? for values, in what both understand:
//
//	ON CONFLICT (a) DO UPDATE SET n = max(t.n, excluded.n)   the old value with its table; max and min of two are there in both
//	count(*) FILTER (WHERE x > 0)                            not sum(x > 0)
//	FROM (SELECT ...) AS x                                   a name for every subquery
//	LIMIT ?                                                  with limited(n) where n may be negative
//	GROUP BY all that is selected; LIKE only on lower(...)
//
// Where that is not enough, d.pick(forSQLite, forPostgreSQL). The tests run on PostgreSQL with FOYER_DATABASE=postgres.
package store

import (
	"context"
	"database/sql"
	"errors"
	"math"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// readers is how many connections read at once.
const readers = 4

// ErrClosed is returned by writes after Close.
var ErrClosed = errors.New("headquarters' database is closed")

// ErrNotFound is returned where a row that a caller named is not there.
var ErrNotFound = errors.New("not found")

// DB is the open database.
type DB struct {
	dialect dialect
	reader  reads
	writers []*writer
	closers []func() error              // after the writers have ended
	config  *pgx.ConnConfig             // PostgreSQL
	lock    int64                       // PostgreSQL: the first of the chain's advisory locks
	tidy    func(context.Context) error // takes what was deleted out of the database's free space
	stop    chan struct{}
	once    sync.Once
	done    sync.WaitGroup
}

// writer is a goroutine that writes: commit is given what waits, some jobs at once where they share a transaction.
type writer struct {
	jobs   chan *job
	group  int // how many jobs may share a transaction
	commit func([]*job)
	close  func()
}

type job struct {
	ctx   context.Context
	alone bool // a write of the chain
	run   func(*tx) error
	done  chan error
}

// Open opens the database and brings it to the newest form. at is a file, made with mode 0600 if it is not there, or the URL of
// a PostgreSQL database, postgres://user:password@host/name.
func Open(at string) (*DB, error) {
	if IsURL(at) {
		return openPostgres(at)
	}
	return openSQLite(at)
}

// IsURL reports whether a database is a PostgreSQL one.
func IsURL(at string) bool {
	return strings.HasPrefix(at, "postgres://") || strings.HasPrefix(at, "postgresql://")
}

// Shared reports whether other headquarters may work with the same database at the same time.
func (d *DB) Shared() bool { return d.dialect == postgres }

// begin starts the writers.
func (d *DB) begin() {
	d.stop = make(chan struct{})
	for _, w := range d.writers {
		d.done.Go(func() { w.loop(d.stop) })
	}
}

// Close commits what waits and closes the database.
func (d *DB) Close() error {
	d.once.Do(func() { close(d.stop) })
	d.done.Wait()
	var all []error
	for _, c := range d.closers {
		all = append(all, c())
	}
	d.closers = nil
	return errors.Join(all...)
}

// pick gives the query of this database where one query does not do for both.
func (d *DB) pick(forSQLite, forPostgreSQL string) string {
	if d.dialect == sqlite {
		return forSQLite
	}
	return forPostgreSQL
}

// limited is a limit of rows; a negative one is none.
func limited(n int) int64 {
	if n < 0 {
		return math.MaxInt64
	}
	return int64(n)
}

// reads are the connections that read.
type reads struct {
	db      *sql.DB
	dialect dialect
}

// QueryContext asks for rows.
func (r reads) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return r.db.QueryContext(ctx, r.dialect.query(query), r.dialect.values(args)...)
}

// QueryRowContext asks for one row.
func (r reads) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	return r.db.QueryRowContext(ctx, r.dialect.query(query), r.dialect.values(args)...)
}

// do runs one write of the chain and returns once it is durable. If ctx ends first the write may still happen.
func (d *DB) do(ctx context.Context, run func(*tx) error) error {
	return d.hand(ctx, d.writers[0], &job{ctx: ctx, alone: true, run: run})
}

// doFor runs one write of a store, which changes only rows of that store, and returns once it is durable.
func (d *DB) doFor(ctx context.Context, store string, run func(*tx) error) error {
	err := d.hand(ctx, d.writerOf(store), &job{ctx: ctx, run: run})
	if errors.Is(err, errShared) {
		return d.do(ctx, run)
	}
	return err
}

// writerOf is the store's own among the writers behind the chain's, where there are any.
func (d *DB) writerOf(store string) *writer {
	n := uint32(len(d.writers) - 1)
	if n == 0 {
		return d.writers[0]
	}
	h := uint32(2166136261) // FNV-1a
	for _, c := range []byte(store) {
		h = (h ^ uint32(c)) * 16777619
	}
	return d.writers[1+h%n]
}

func (d *DB) hand(ctx context.Context, w *writer, j *job) error {
	j.done = make(chan error, 1)
	select {
	case <-d.stop:
		return ErrClosed
	default:
	}
	select {
	case w.jobs <- j:
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

func (w *writer) loop(stop <-chan struct{}) {
	defer w.close()
	for {
		select {
		case j := <-w.jobs:
			w.commit(w.gather(j))
		case <-stop:
			w.drain()
			return
		}
	}
}

// gather adds what waits to the first job, without waiting for more.
func (w *writer) gather(first *job) []*job {
	group := []*job{first}
	for len(group) < w.group {
		select {
		case j := <-w.jobs:
			group = append(group, j)
		default:
			return group
		}
	}
	return group
}

func (w *writer) drain() {
	for {
		select {
		case j := <-w.jobs:
			w.commit(w.gather(j))
		default:
			return
		}
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
