package store

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5"
)

//go:embed migrations/*.sql
var migrations embed.FS

// steps runs those migrations that the database lacks, in order of their names. A database from a newer program is refused:
// an older one must not write into it.
func (d dialect) steps(have int, run func(text string, now int) error) error {
	names, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return err
	}
	if have > len(names) {
		return fmt.Errorf("the database has form %d, this program knows %d: start a newer foyer-hq", have, len(names))
	}
	for i, name := range names[have:] {
		text, err := migrations.ReadFile(name)
		if err == nil {
			err = run(d.schema(string(text)), have+i+1)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// migrateSQLite runs what is missing in one transaction. PRAGMA user_version counts the steps that a file has.
func migrateSQLite(conn *sql.Conn) error {
	ctx := context.Background()
	if _, err := conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	defer conn.ExecContext(ctx, "ROLLBACK") // no effect after the commit
	var have int
	if err := conn.QueryRowContext(ctx, "PRAGMA user_version").Scan(&have); err != nil {
		return err
	}
	err := sqlite.steps(have, func(text string, now int) error {
		if _, err := conn.ExecContext(ctx, text); err != nil {
			return err
		}
		_, err := conn.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d", now))
		return err
	})
	if err != nil {
		return err
	}
	_, err = conn.ExecContext(ctx, "COMMIT")
	return err
}

// postgresForm counts the steps that a PostgreSQL database has, and adds what queries take from SQLite: max and min of two.
const postgresForm = `CREATE TABLE IF NOT EXISTS form (steps BIGINT NOT NULL);
CREATE OR REPLACE FUNCTION max(a BIGINT, b BIGINT) RETURNS BIGINT LANGUAGE SQL IMMUTABLE PARALLEL SAFE AS 'SELECT greatest(a, b)';
CREATE OR REPLACE FUNCTION min(a BIGINT, b BIGINT) RETURNS BIGINT LANGUAGE SQL IMMUTABLE PARALLEL SAFE AS 'SELECT least(a, b)'`

// migratePostgres runs what is missing in one transaction, while other headquarters that start wait.
func migratePostgres(ctx context.Context, conn *pgx.Conn, lock int64) error {
	t, err := conn.Begin(ctx)
	if err != nil {
		return err
	}
	defer t.Rollback(ctx) // no effect after the commit
	if _, err := t.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", lock); err != nil {
		return err
	}
	var have int
	var fresh bool
	if err := t.QueryRow(ctx, "SELECT to_regclass('form') IS NULL").Scan(&fresh); err != nil {
		return err
	}
	if fresh {
		if _, err := t.Exec(ctx, postgresForm+"; INSERT INTO form VALUES (0)"); err != nil {
			return err
		}
	} else if err := t.QueryRow(ctx, "SELECT steps FROM form").Scan(&have); err != nil {
		return err
	}
	err = postgres.steps(have, func(text string, now int) error {
		_, err := t.Exec(ctx, fmt.Sprintf("%s; UPDATE form SET steps = %d", text, now))
		return err
	})
	if err != nil {
		return err
	}
	return t.Commit(ctx)
}
