package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"hash/fnv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

const (
	storeWriters = 8                // connections that write for stores; one more writes for the chain
	patience     = 30 * time.Second // for a connection, and for a transaction that waits for others
	tries        = 6                // of a transaction that lost to another one
)

// openPostgres opens a database that several headquarters may share.
func openPostgres(url string) (*DB, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", hidePassword(err))
	}
	name := fmt.Sprintf("%s at %s", config.Database, config.Host)
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = patience
	}
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "foyer-hq"
	}
	db := stdlib.OpenDB(*config)
	db.SetMaxOpenConns(storeWriters + 1 + readers)
	db.SetMaxIdleConns(storeWriters + 1 + readers)
	lock, err := preparePostgres(db)
	if err != nil {
		db.Close()
		return nil, fmt.Errorf("open database %s: %w", name, hidePassword(err))
	}
	d := &DB{dialect: postgres, config: config, lock: lock, reader: reads{db, postgres}, closers: []func() error{db.Close}}
	for range storeWriters + 1 {
		w := &postgresWriter{db: db, lock: lock}
		d.writers = append(d.writers, &writer{jobs: make(chan *job, 64), group: 1, commit: w.commit, close: func() {}})
	}
	d.begin()
	return d, nil
}

// hidePassword gives an error of the driver without the URL that it may carry.
func hidePassword(err error) error {
	if parse, ok := errors.AsType[*pgconn.ParseConfigError](err); ok {
		_, why, _ := strings.Cut(parse.Error(), "`: ")
		return fmt.Errorf("the URL cannot be understood (%s): want postgres://user:password@host/name", why)
	}
	return err
}

// preparePostgres refuses a database that would not keep its word, brings it to the newest form, and returns the number of the
// chain's lock: one a schema, so that two chains may live in one database.
func preparePostgres(db *sql.DB) (lock int64, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := db.Conn(ctx)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	var encoding, durable string
	var schema sql.NullString
	err = conn.QueryRowContext(ctx, "SELECT current_setting('server_encoding'), current_setting('synchronous_commit'), current_schema()").Scan(&encoding, &durable, &schema)
	switch {
	case err != nil:
		return 0, err
	case encoding != "UTF8":
		return 0, fmt.Errorf("it is encoded in %s: make one with createdb --encoding UTF8 --template template0", encoding)
	case durable == "off":
		return 0, errors.New("synchronous_commit is off: what a store was told is safe could be lost; set it to on for this database")
	case !schema.Valid:
		return 0, errors.New("the schema that search_path names is not there: create it first")
	}
	h := fnv.New64a()
	h.Write([]byte("foyer " + schema.String))
	lock = int64(h.Sum64()>>2) &^ 0xff // the next ones are the lead's and the numbers' of Company
	err = conn.Raw(func(c any) error { return migratePostgres(ctx, c.(*stdlib.Conn).Conn(), lock) })
	return lock, err
}

// postgresWriter runs one job after the other, each in a transaction of its own.
type postgresWriter struct {
	db   *sql.DB
	lock int64
}

func (w *postgresWriter) commit(group []*job) {
	for _, j := range group {
		j.done <- w.try(j)
	}
}

// try runs a job, again where it lost to another transaction or found its connection dead before anything was sent.
func (w *postgresWriter) try(j *job) (err error) {
	for range tries {
		if err := j.ctx.Err(); err != nil {
			return err // nobody waits any more
		}
		if err = w.once(j); err == nil || !again(err) {
			return err
		}
	}
	return err
}

// again reports whether a transaction that ended so has left nothing and may go better now.
func again(err error) bool {
	if p, ok := errors.AsType[*pgconn.PgError](err); ok {
		return p.Code == "40001" || p.Code == "40P01" // serialization failure, deadlock
	}
	return pgconn.SafeToRetry(err)
}

func (w *postgresWriter) once(j *job) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := w.db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("connect to the database: %w", hidePassword(err))
	}
	defer conn.Close()
	var result error
	err = conn.Raw(func(c any) error {
		p := &pipe{ctx: ctx, conn: c.(*stdlib.Conn).Conn()}
		result = p.transaction(j, w.lock)
		if p.conn.PgConn().TxStatus() != 'I' {
			p.conn.Close(ctx) // what it was in the middle of is undone
		}
		return nil
	})
	return errors.Join(result, err)
}

// transaction runs a job between begin and commit.
func (p *pipe) transaction(j *job, lock int64) error {
	how := "SELECT pg_advisory_xact_lock_shared(?)"
	if j.alone {
		how = "SELECT pg_advisory_xact_lock(?)"
	}
	p.add("BEGIN", nil)
	p.add(how, []any{lock})
	err := j.run(&tx{dialect: postgres, alone: j.alone, pipe: p})
	if err == nil {
		p.add("COMMIT", nil)
		if err = p.flush(); err == nil {
			return nil
		}
	}
	if p.conn.PgConn().TxStatus() != 'I' && !p.conn.IsClosed() {
		p.conn.Exec(p.ctx, "ROLLBACK") // if it fails the connection is closed by once
	}
	return err
}

// maxPipe bounds the statements that wait to be sent.
const maxPipe = 512

// pipe sends statements together, so that a batch of hundreds of records costs a few round trips and not hundreds.
type pipe struct {
	ctx   context.Context
	conn  *pgx.Conn
	batch pgx.Batch
}

func (p *pipe) add(query string, args []any) error {
	p.batch.Queue(postgres.query(query), postgres.values(args)...)
	if p.batch.Len() >= maxPipe {
		return p.flush()
	}
	return nil
}

// flush sends what waits.
func (p *pipe) flush() error { return p.send(nil) }

// send sends what waits, and has last read the answer to the last statement.
func (p *pipe) send(last func(pgx.BatchResults) error) error {
	n := p.batch.Len()
	if n == 0 {
		return nil
	}
	sent := p.batch
	p.batch = pgx.Batch{}
	results := p.conn.SendBatch(p.ctx, &sent)
	var err error
	for i := 0; i < n && err == nil; i++ {
		if i == n-1 && last != nil {
			err = last(results)
			break
		}
		_, err = results.Exec()
	}
	closing := results.Close()
	if err == nil {
		err = closing
	}
	return err
}

func (p *pipe) affect(query string, args []any) (n int64, err error) {
	p.batch.Queue(postgres.query(query), postgres.values(args)...)
	err = p.send(func(r pgx.BatchResults) error {
		tag, err := r.Exec()
		n = tag.RowsAffected()
		return err
	})
	return n, err
}

func (p *pipe) row(query string, args []any, dest []any) error {
	none := true
	err := p.rows(query, args, func(scan func(...any) error) error {
		if !none {
			return nil
		}
		none = false
		return scan(dest...)
	})
	if err == nil && none {
		err = sql.ErrNoRows
	}
	return err
}

func (p *pipe) rows(query string, args []any, read func(func(...any) error) error) error {
	p.batch.Queue(postgres.query(query), postgres.values(args)...)
	return p.send(func(r pgx.BatchResults) error {
		all, err := r.Query()
		if err != nil {
			return err
		}
		defer all.Close()
		scan := func(dest ...any) error { return all.Scan(flags(dest)...) }
		for all.Next() {
			if err := read(scan); err != nil {
				return err
			}
		}
		all.Close()
		return all.Err()
	})
}

// flags lets booleans be read from 0 and 1.
func flags(dest []any) []any {
	out := make([]any, len(dest))
	for i, d := range dest {
		if b, ok := d.(*bool); ok {
			d = (*flag)(b)
		}
		out[i] = d
	}
	return out
}

type flag bool

// Scan takes what the database has.
func (f *flag) Scan(v any) error {
	switch v := v.(type) {
	case int64:
		*f = v != 0
	case bool:
		*f = flag(v)
	default:
		return fmt.Errorf("a boolean is %T", v)
	}
	return nil
}
