package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"foyer/hq"
	"foyer/hq/store"
)

// databaseFlags are how a PostgreSQL database is named: its URL holds a password, which other users of a machine would see on
// the command line.
func databaseFlags(f *flag.FlagSet, name, what string) (url, file *string) {
	url = f.String(name, "", what+", `URL` (postgres://user@host/name)")
	file = f.String(name+"-file", "", "the `file` with that URL, where it holds a password")
	return url, file
}

// databaseURL is what the two flags say; empty where neither is given.
func databaseURL(name, url, file string) (string, error) {
	if file != "" {
		if url != "" {
			return "", fmt.Errorf("--%[1]s and --%[1]s-file: give one of them", name)
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return "", fmt.Errorf("--%s-file: %w", name, err)
		}
		if url = strings.TrimSpace(string(text)); url == "" {
			return "", fmt.Errorf("--%s-file %s: it is empty: want postgres://user:password@host/name", name, file)
		}
	}
	if url != "" && !store.IsURL(url) {
		return "", fmt.Errorf("--%s: want postgres://user:password@host/name", name)
	}
	return url, nil
}

// database moves headquarters' rows from a file to PostgreSQL, and settles whose keys a database follows.
func database(ctx context.Context, args []string, out, errs io.Writer) error {
	word := ""
	if len(args) > 0 {
		word = args[0]
	}
	switch word {
	case "copy":
		return databaseCopy(ctx, args[1:], out, errs)
	case "adopt":
		return databaseAdopt(ctx, args[1:], errs)
	}
	fmt.Fprintln(errs, "foyer-hq database: want copy or adopt")
	return errUsage
}

func databaseCopy(ctx context.Context, args []string, out, errs io.Writer) error {
	f := flag.NewFlagSet("foyer-hq database copy", flag.ContinueOnError)
	f.SetOutput(errs)
	from := f.String("from", filepath.Join(defaultData, hq.DatabaseFile), "the SQLite `file`; foyer-hq must not run")
	to, toFile := databaseFlags(f, "to", "the empty PostgreSQL database to copy to")
	words, err := parse(f, args)
	if err != nil {
		return err
	}
	url, err := databaseURL("to", *to, *toFile)
	if err != nil {
		return configError{err}
	}
	if len(words) > 0 || url == "" {
		fmt.Fprintln(errs, "foyer-hq database copy: want --from FILE and --to URL or --to-file FILE")
		return errUsage
	}
	if info, err := os.Stat(*from); err != nil || !info.Mode().IsRegular() {
		return configError{fmt.Errorf("--from %s: no such file", *from)}
	}
	done, err := store.Copy(ctx, *from, url)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(table, "TABLE\tROWS\tDIGEST")
	rows := int64(0)
	for _, c := range done {
		rows += c.Rows
		fmt.Fprintf(table, "%s\t%d\t%s\n", c.Table, c.Rows, c.Digest)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(errs, "%d rows are in PostgreSQL, counted and digested on both sides. Start foyer-hq serve with --database-file once; keep %s as a backup.\n", rows, *from)
	return nil
}

func databaseAdopt(ctx context.Context, args []string, errs io.Writer) error {
	f := flag.NewFlagSet("foyer-hq database adopt", flag.ContinueOnError)
	f.SetOutput(errs)
	data := f.String("data", defaultData, "headquarters' data `folder`")
	to, toFile := databaseFlags(f, "database", "the database; default: that of the data folder")
	if _, err := parse(f, args); err != nil {
		return err
	}
	url, err := databaseURL("database", *to, *toFile)
	if err == nil && url == "" {
		url, err = hq.DatabaseAt(*data)
	}
	if err != nil {
		return configError{err}
	}
	if !store.IsURL(url) {
		return configError{fmt.Errorf("the database of %s is a file: nothing is shared", *data)}
	}
	db, err := store.Open(url)
	if err != nil {
		return configError{err}
	}
	err = errors.Join(db.ForgetHouse(ctx), db.Close())
	if err == nil {
		fmt.Fprintln(errs, "The next foyer-hq serve that starts says which keys this database follows. Start the one with the right data folder first.")
	}
	return err
}
