package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"foyer/hq/store/storetest"
	"foyer/sync/wire"
)

func TestNumber(t *testing.T) {
	for in, want := range map[string]string{
		"SELECT 1":                                  "SELECT 1",
		"a = ? AND b = ?":                           "a = $1 AND b = $2",
		"a = ? -- isn't it?\nAND b = ?":             "a = $1 -- isn't it?\nAND b = $2",
		"a = '?' AND b = ? AND c = 'it''s ?' AND ?": "a = '?' AND b = $1 AND c = 'it''s ?' AND $2",
	} {
		if got := postgres.query(in); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
		if sqlite.query(in) != in {
			t.Errorf("SQLite's %q is changed", in)
		}
	}
}

// column is what both databases say of a column.
type column struct {
	Kind     string
	Required bool
	Key      int // its place in the primary key; 0: none
}

// Both databases end at the same schema: tables, columns, keys, and the names of indexes.
func TestBothHaveTheSameSchema(t *testing.T) {
	file, shared := reopen(t, t.TempDir()+"/hq.db"), reopen(t, storetest.Postgres(t))
	tables := func(d *DB, query string) (names []string) {
		t.Helper()
		for _, n := range texts(t, d, query) {
			if n != "form" {
				names = append(names, n)
			}
		}
		return names
	}
	want := tables(file, "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
	got := tables(shared, "SELECT table_name::TEXT FROM information_schema.tables WHERE table_schema = current_schema() ORDER BY table_name")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("tables: %s", diff)
	}
	for _, table := range want {
		if diff := cmp.Diff(columnsOfFile(t, file, table), columnsOfShared(t, shared, table)); diff != "" {
			t.Errorf("table %s: %s", table, diff)
		}
	}
	indexes := texts(t, file, "SELECT name FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL ORDER BY name")
	if diff := cmp.Diff(indexes, texts(t, shared, `SELECT indexname::TEXT FROM pg_indexes WHERE schemaname = current_schema()
		AND indexname NOT LIKE '%\_pkey' ORDER BY 1`)); diff != "" {
		t.Errorf("indexes: %s", diff)
	}
	foreign := texts(t, shared, `SELECT conrelid::regclass::TEXT || ' to ' || confrelid::regclass::TEXT FROM pg_constraint
		WHERE contype = 'f' AND connamespace = current_schema()::regnamespace ORDER BY 1`)
	var own []string
	for _, table := range want {
		own = append(own, texts(t, file, fmt.Sprintf(`SELECT '%s to ' || "table" FROM pragma_foreign_key_list('%s')`, table, table))...)
	}
	slices.Sort(own)
	if diff := cmp.Diff(own, foreign); diff != "" {
		t.Errorf("references: %s", diff)
	}
}

func texts(t *testing.T, d *DB, query string, args ...any) (all []string) {
	t.Helper()
	rows, err := d.reader.QueryContext(t.Context(), query, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			t.Fatal(err)
		}
		all = append(all, s)
	}
	return all
}

func columnsOfFile(t *testing.T, d *DB, table string) map[string]column {
	t.Helper()
	rows, err := d.reader.QueryContext(t.Context(), `SELECT name, lower(type), "notnull", pk FROM pragma_table_info(?)`, table)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	all := map[string]column{}
	for rows.Next() {
		var name string
		var c column
		if err := rows.Scan(&name, &c.Kind, &c.Required, &c.Key); err != nil {
			t.Fatal(err)
		}
		c.Required = c.Required || c.Key > 0
		all[name] = c
	}
	return all
}

func columnsOfShared(t *testing.T, d *DB, table string) map[string]column {
	t.Helper()
	rows, err := d.reader.QueryContext(t.Context(), `SELECT a.attname::TEXT, format_type(a.atttypid, a.atttypmod), a.attnotnull,
		coalesce(array_position(i.indkey::INT[], a.attnum::INT) + 1, 0) FROM pg_attribute AS a
		LEFT JOIN pg_index AS i ON i.indrelid = a.attrelid AND i.indisprimary
		WHERE a.attrelid = ?::regclass AND a.attnum > 0 AND NOT a.attisdropped`, table)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	kinds := map[string]string{"bigint": "integer", "bytea": "blob", "text": "text"}
	all := map[string]column{}
	for rows.Next() {
		var name, kind string
		var c column
		if err := rows.Scan(&name, &kind, &c.Required, &c.Key); err != nil {
			t.Fatal(err)
		}
		c.Kind = kinds[kind]
		all[name] = c
	}
	return all
}

// Each migration keeps to what is translated: see the package comment.
func TestMigrationsAreInTheSharedWords(t *testing.T) {
	names, err := fs.Glob(migrations, "migrations/*.sql")
	for i, name := range names {
		if !strings.HasPrefix(name, fmt.Sprintf("migrations/%04d_", i+1)) {
			t.Errorf("%s is the %dth: numbers go on one by one, and what was landed keeps its own", name, i+1)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	ended := regexp.MustCompile(`(?m)^\)[^;]*;`)
	err = sqlite.steps(0, func(text string, _ int) error {
		for _, end := range ended.FindAllString(text, -1) {
			if end != ") STRICT, WITHOUT ROWID;" && end != ") STRICT;" {
				return fmt.Errorf("a table ends in %q", end)
			}
		}
		for _, word := range []string{"PRAGMA", "AUTOINCREMENT", " REAL", "DATETIME", "VARCHAR", "BOOLEAN", " ANY"} {
			if strings.Contains(text, word) {
				return fmt.Errorf("it says %s", word)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// Two headquarters that share a database are given the batches of the same stores in any order: each record is there once, none
// is missing below a watermark, and what a batch says of visits is said once.
func TestTwoHeadquartersShareStores(t *testing.T) {
	url := storetest.Postgres(t)
	both := []*DB{reopen(t, url), reopen(t, url)}
	const stores, batches, size = 6, 30, 11
	for s := range stores {
		if _, err := both[s%2].AddShop(t.Context(), Shop{ID: fmt.Sprint("s", s)}, noon); err != nil {
			t.Fatal(err)
		}
	}
	var all sync.WaitGroup
	for s := range stores {
		for w := range 3 { // three lines of the same store, which send what comes next, over and over, to either
			all.Go(func() {
				sendAll(t, both, fmt.Sprint("s", s), uint64(batches), size, rand.New(rand.NewPCG(uint64(s), uint64(w))))
			})
		}
	}
	all.Wait()
	for s := range stores {
		id := fmt.Sprint("s", s)
		rows, err := both[0].Records(t.Context(), id, "", 0, 10_000)
		if err != nil || len(rows) != batches*size {
			t.Fatalf("store %s has %d records, %v: want %d", id, len(rows), err, batches*size)
		}
		for i, r := range rows {
			if r.Seq != uint64(i+1) {
				t.Fatalf("record %d of store %s has sequence %d", i, id, r.Seq)
			}
		}
		if visits, err := both[1].Visits(t.Context(), id, noon.AddDate(-1, 0, 0), 10_000); err != nil || len(visits) != batches*size {
			t.Errorf("store %s has %d visits, %v", id, len(visits), err)
		}
	}
}

// sendAll sends batches around the watermark until all are stored.
func sendAll(t *testing.T, both []*DB, id string, batches uint64, size int, r *rand.Rand) {
	for upto := uint64(0); upto < batches*uint64(size); {
		next := upto/uint64(size) + uint64(r.IntN(3))
		if next >= batches {
			next = batches - 1
		}
		s, err := both[r.IntN(2)].Ingest(t.Context(), batch(id, "e", next*uint64(size)+1, size))
		if err != nil || s.Fork {
			t.Errorf("store %s: %+v, %v", id, s, err)
			return
		}
		if upto = max(s.Upto, s.Have); upto%uint64(size) != 0 {
			t.Errorf("store %s: half a batch is stored: %d", id, upto)
			return
		}
	}
}

// A write of the chain waits for those of stores, and they for it; a write of a store that comes upon the chain's is one of it.
func TestWritesOfTheChainAreAlone(t *testing.T) {
	url := storetest.Postgres(t)
	a, b := reopen(t, url), reopen(t, url)
	var mu sync.Mutex
	at := map[string]int{}
	enter := func(what string) func() {
		mu.Lock()
		defer mu.Unlock()
		at[what]++
		if at["chain"] > 1 || at["chain"] > 0 && at["store"] > 0 {
			t.Errorf("at work together: %v", maps.Clone(at))
		}
		return func() {
			mu.Lock()
			defer mu.Unlock()
			at[what]--
		}
	}
	var all sync.WaitGroup
	for i := range 40 {
		d := []*DB{a, b}[i%2]
		run, what := d.do, "chain"
		if i%3 > 0 {
			what = "store"
			run = func(ctx context.Context, f func(*tx) error) error { return d.doFor(ctx, fmt.Sprint(i), f) }
		}
		all.Go(func() {
			err := run(t.Context(), func(tx *tx) error {
				var one int
				if err := tx.row("SELECT 1", nil, &one); err != nil { // by then it has its lock
					return err
				}
				defer enter(what)()
				return tx.row("SELECT 1", nil, &one)
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	runs := 0
	err := a.doFor(t.Context(), "x", func(tx *tx) error { runs++; return touch(tx, wire.Members) })
	if n, rerr := b.Revision(t.Context(), wire.Members); err != nil || rerr != nil || n != 1 || runs != 2 {
		t.Errorf("revision %d after %d runs, %v, %v: want 1 after 2", n, runs, err, rerr)
	}
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	for url, want := range map[string]string{
		"postgres://foyer:hidden@127.0.0.1:1/foyer?connect_timeout=2": "refused",
		"postgres://foyer:hidden@127.0.0.1:port/foyer":                "want postgres://",
		"postgres://foyer:hidden@127.0.0.1/foyer?sslmode=perhaps":     "want postgres://",
	} {
		d, err := Open(url)
		if err == nil {
			d.Close()
		}
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hidden") {
			t.Errorf("%s gives %v, want %q and no password", url, err, want)
		}
	}
	url := storetest.Postgres(t)
	if _, err := Open(strings.Replace(url, "search_path=t", "search_path=nowhere", 1)); err == nil || !strings.Contains(err.Error(), "search_path") {
		t.Errorf("a schema that is not there gives %v", err)
	}
	if _, err := Open(url + "&options=-csynchronous_commit%3Doff"); err == nil || !strings.Contains(err.Error(), "synchronous_commit") {
		t.Errorf("a database that forgets gives %v", err)
	}
}

// A connection that died while nobody used it costs no write.
func TestAWriteSurvivesADeadConnection(t *testing.T) {
	d := reopen(t, storetest.Postgres(t))
	if _, err := d.AddShop(t.Context(), Shop{ID: "a"}, noon); err != nil {
		t.Fatal(err)
	}
	for round := range 3 {
		if _, err := d.Ingest(t.Context(), batch("a", "e", uint64(round)*2+1, 2)); err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		var n int
		err := d.reader.QueryRowContext(t.Context(), `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
			WHERE application_name = 'foyer-hq' AND pid <> pg_backend_pid() AND datname = current_database()`).Scan(&n)
		if err != nil {
			t.Fatal(err)
		}
	}
	if n, err := d.RecordCount(t.Context(), "a"); err != nil || n != 6 {
		t.Errorf("%d records, %v: want 6", n, err)
	}
}

func TestAWriteThatFailsLeavesNothing(t *testing.T) {
	d := reopen(t, storetest.Postgres(t))
	boom := errors.New("boom")
	for range 3 {
		err := d.do(t.Context(), func(t *tx) error {
			if _, err := t.affect("INSERT INTO store (id, name_zh, name_en, token_sha256, created) VALUES ('a', '', '', ?, 0)", []byte{1}); err != nil {
				return err
			}
			return boom
		})
		if !errors.Is(err, boom) {
			t.Fatalf("it gives %v, want boom", err)
		}
	}
	err := d.do(t.Context(), func(t *tx) error {
		t.exec("INSERT INTO gap (store, epoch, lane, first, last, told) VALUES ('nobody', '', '', 1, 1, 0)")
		return nil
	})
	if err == nil {
		t.Error("a row of no store is kept, want the error that comes with the commit")
	}
	if all, err := d.Shops(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("%v, %v: want no store", all, err)
	}
}
