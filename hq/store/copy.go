package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// ErrNotEmpty is returned for a copy into a database that has rows.
var ErrNotEmpty = errors.New("the database has stores, members or records already: give a new one, or another schema")

// Copied is a table that was copied: how many rows, and a digest of them that both databases were asked for.
type Copied struct {
	Table  string
	Rows   int64
	Digest string
}

// Copy copies all that a file has into an empty PostgreSQL database, in one transaction, and makes sure of it before the commit:
// both are counted and digested again. Nobody may write to the file meanwhile; if somebody does, nothing is copied.
func Copy(ctx context.Context, file, url string) ([]Copied, error) {
	from, err := openSQLite(file)
	if err != nil {
		return nil, err
	}
	defer from.Close()
	to, err := openPostgres(url)
	if err != nil {
		return nil, err
	}
	defer to.Close()
	source, err := from.reader.db.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("copy database: %w", err)
	}
	defer source.Close()
	conn, err := pgx.ConnectConfig(ctx, to.config)
	if err != nil {
		return nil, fmt.Errorf("copy database: %w", hidePassword(err))
	}
	defer conn.Close(ctx)
	done, err := copyAll(ctx, source, conn, to.lock)
	if err != nil {
		return nil, fmt.Errorf("copy database: %w", err)
	}
	return done, nil
}

func copyAll(ctx context.Context, source *sql.Conn, conn *pgx.Conn, lock int64) (done []Copied, err error) {
	before, err := dataVersion(ctx, source)
	if err != nil {
		return nil, err
	}
	tables, err := tablesOf(ctx, source)
	if err != nil {
		return nil, err
	}
	t, err := conn.Begin(ctx)
	if err != nil {
		return nil, err
	}
	defer t.Rollback(context.WithoutCancel(ctx)) // no effect after the commit
	if _, err := t.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", lock); err != nil {
		return nil, err
	}
	if err := makeRoom(ctx, t, tables); err != nil {
		return nil, err
	}
	for _, table := range tables {
		c, err := table.copy(ctx, source, t)
		if err != nil {
			return nil, fmt.Errorf("table %s: %w", table.name, err)
		}
		done = append(done, c)
	}
	after, err := dataVersion(ctx, source)
	if err == nil && after != before {
		err = errors.New("somebody wrote to the file meanwhile: stop foyer-hq first")
	}
	if err != nil {
		return nil, err
	}
	return done, t.Commit(ctx)
}

// dataVersion changes when another connection has written.
func dataVersion(ctx context.Context, c *sql.Conn) (n int64, err error) {
	err = c.QueryRowContext(ctx, "PRAGMA data_version").Scan(&n)
	return n, err
}

// table is one with its columns.
type table struct {
	name    string
	columns []string
	kinds   []string // TEXT, INTEGER or BLOB
	counts  string   // the column that counts by itself; "": none
}

// tablesOf lists the tables in the order in which they were made: one that refers to another comes after it.
func tablesOf(ctx context.Context, c *sql.Conn) ([]table, error) {
	rows, err := c.QueryContext(ctx, `SELECT t.name, i.name, i.type, i.pk, t.sql FROM sqlite_schema AS t, pragma_table_info(t.name) AS i
		WHERE t.type = 'table' ORDER BY t.rowid, i.cid`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []table
	for rows.Next() {
		var name, column, kind, text string
		var key int
		if err := rows.Scan(&name, &column, &kind, &key, &text); err != nil {
			return nil, err
		}
		if len(all) == 0 || all[len(all)-1].name != name {
			all = append(all, table{name: name})
		}
		t := &all[len(all)-1]
		t.columns, t.kinds = append(t.columns, column), append(t.kinds, kind)
		if key == 1 && kind == "INTEGER" && strings.Contains(text, "INTEGER PRIMARY KEY") {
			t.counts = column
		}
	}
	return all, rows.Err()
}

// makeRoom takes away what a new database has by itself, and refuses one that is in use.
func makeRoom(ctx context.Context, t pgx.Tx, tables []table) error {
	var used int
	err := t.QueryRow(ctx, "SELECT (SELECT count(*) FROM store) + (SELECT count(*) FROM member) + (SELECT count(*) FROM campaign)").Scan(&used)
	if err == nil && used > 0 {
		err = ErrNotEmpty
	}
	for i := len(tables) - 1; i >= 0 && err == nil; i-- {
		_, err = t.Exec(ctx, "DELETE FROM "+tables[i].identifier())
	}
	return err
}

func (t table) identifier() string { return pgx.Identifier{t.name}.Sanitize() }

func (t table) list() string {
	quoted := make([]string, len(t.columns))
	for i, c := range t.columns {
		quoted[i] = pgx.Identifier{c}.Sanitize()
	}
	return strings.Join(quoted, ", ")
}

func (t table) copy(ctx context.Context, source *sql.Conn, to pgx.Tx) (Copied, error) {
	query := fmt.Sprintf("SELECT %s FROM %s", t.list(), t.identifier())
	rows, err := source.QueryContext(ctx, query)
	if err != nil {
		return Copied{}, err
	}
	defer rows.Close()
	feed := &feed{table: t, rows: rows}
	if _, err := to.CopyFrom(ctx, pgx.Identifier{t.name}, t.columns, feed); err != nil {
		return Copied{}, err
	}
	if t.counts != "" {
		_, err := to.Exec(ctx, fmt.Sprintf("SELECT setval(pg_get_serial_sequence($1, $2), (SELECT coalesce(max(%[1]s), 0) + 1 FROM %[2]s), false)",
			pgx.Identifier{t.counts}.Sanitize(), t.identifier()), t.name, t.counts)
		if err != nil {
			return Copied{}, err
		}
	}
	kept, err := to.Query(ctx, query)
	if err != nil {
		return Copied{}, err
	}
	defer kept.Close()
	var there sum
	for kept.Next() {
		values, err := kept.Values()
		if err != nil {
			return Copied{}, err
		}
		there.add(values)
	}
	if err := kept.Err(); err != nil {
		return Copied{}, err
	}
	if there != feed.sum {
		return Copied{}, fmt.Errorf("%d rows went in and %d came out, or not the same ones", feed.sum.rows, there.rows)
	}
	return Copied{t.name, there.rows, there.String()}, nil
}

// feed gives the rows of a file to COPY.
type feed struct {
	table  table
	rows   *sql.Rows
	sum    sum
	values []any
	err    error
}

// Next goes on to the next row.
func (f *feed) Next() bool {
	if f.err != nil || !f.rows.Next() {
		return false
	}
	f.values = make([]any, len(f.table.columns))
	dest := make([]any, len(f.values))
	for i := range dest {
		dest[i] = &f.values[i]
	}
	if f.err = f.rows.Scan(dest...); f.err != nil {
		return false
	}
	for i, v := range f.values {
		if b, ok := v.([]byte); ok && f.table.kinds[i] == "TEXT" {
			v = string(b)
		} else if ok && b == nil {
			v = []byte{} // NULL has no type
		}
		f.values[i] = postgres.value(v)
	}
	f.sum.add(f.values)
	return true
}

// Values is the row.
func (f *feed) Values() ([]any, error) { return f.values, nil }

// Err is why there are no more.
func (f *feed) Err() error { return errors.Join(f.err, f.rows.Err()) }

// sum is a digest of rows in any order: the sum of their SHA-256.
type sum struct {
	rows  int64
	words [4]uint64
}

func (s *sum) add(values []any) {
	var text []byte
	put := func(kind byte, b []byte) {
		text = binary.BigEndian.AppendUint64(append(text, kind), uint64(len(b)))
		text = append(text, b...)
	}
	for _, v := range values {
		switch v := v.(type) {
		case nil:
			put('0', nil)
		case int64:
			put('i', binary.BigEndian.AppendUint64(nil, uint64(v)))
		case string:
			put('t', []byte(v))
		case []byte:
			put('b', v)
		default:
			put('?', fmt.Append(nil, v))
		}
	}
	digest := sha256.Sum256(text)
	s.rows++
	for i := range s.words {
		s.words[i] += binary.BigEndian.Uint64(digest[8*i:])
	}
}

// String is the digest in hexadecimal, shortened as people compare it.
func (s *sum) String() string {
	b := binary.BigEndian.AppendUint64(nil, s.words[0])
	return hex.EncodeToString(binary.BigEndian.AppendUint64(b, s.words[1]))
}
