package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"text/tabwriter"
	"time"

	"foyer/hq"
	"foyer/hq/store"
	"foyer/sync/wire"
)

// storeAdd adds a store to the database, whether the server runs or not: both databases let both write.
func storeAdd(ctx context.Context, args []string, out, errs io.Writer) error {
	f, data, tokenFile := storeFlags("store add", errs)
	nameEN := f.String("name-en", "", "the store's name in English")
	nameZH := f.String("name-zh", "", "the store's name in Chinese")
	id, err := oneID(f, args, errs)
	if err != nil {
		return err
	}
	if err := (wire.Place{Chain: "x", Store: id}).Check(); err != nil {
		return configError{fmt.Errorf("store %w", err)}
	}
	return withDatabase(*data, func(db *store.DB) error {
		token, err := db.AddShop(ctx, store.Shop{ID: id, NameEN: *nameEN, NameZH: *nameZH}, time.Now())
		if err != nil {
			return err
		}
		if *tokenFile == "" {
			ticket, err := hq.IssueTicket(ctx, db, *data, id, time.Now(), hq.CodeLife)
			if !errors.Is(err, hq.ErrNoDoor) {
				return giveTicket(out, errs, ticket, hq.CodeLife, err)
			} // else this chain works with tokens
		}
		return giveToken(out, *tokenFile, token)
	})
}

func storeToken(ctx context.Context, args []string, out, errs io.Writer) error {
	f, data, tokenFile := storeFlags("store token", errs)
	id, err := oneID(f, args, errs)
	if err != nil {
		return err
	}
	return withDatabase(*data, func(db *store.DB) error {
		token, err := db.NewToken(ctx, id)
		if err != nil {
			return err
		}
		return giveToken(out, *tokenFile, token)
	})
}

func storeList(ctx context.Context, args []string, out, errs io.Writer) error {
	f := flag.NewFlagSet("foyer-hq store list", flag.ContinueOnError)
	f.SetOutput(errs)
	data := f.String("data", defaultData, "headquarters' data `folder`")
	if _, err := parse(f, args); err != nil {
		return err
	}
	return withDatabase(*data, func(db *store.DB) error {
		shops, err := db.Shops(ctx)
		if err != nil {
			return err
		}
		badges, err := badgeWords(ctx, db)
		if err != nil {
			return err
		}
		table := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
		fmt.Fprintln(table, "ID\tNAME\t名称\tLAST SEEN\tBADGE")
		for _, s := range shops {
			seen := "never"
			if !s.LastSeen.IsZero() {
				seen = s.LastSeen.Local().Format(time.DateTime)
			}
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", s.ID, s.NameEN, s.NameZH, seen, badges(s.ID))
		}
		return table.Flush()
	})
}

func storeFlags(name string, errs io.Writer) (f *flag.FlagSet, data, tokenFile *string) {
	f = flag.NewFlagSet("foyer-hq "+name, flag.ContinueOnError)
	f.SetOutput(errs)
	data = f.String("data", defaultData, "headquarters' data `folder`")
	tokenFile = f.String("token-file", "", "write the token to this `file` (mode 0600) and print nothing")
	return f, data, tokenFile
}

func oneID(f *flag.FlagSet, args []string, errs io.Writer) (string, error) {
	words, err := parse(f, args)
	if err == nil && len(words) != 1 {
		fmt.Fprintf(errs, "%s: want one store ID, got %d words\n", f.Name(), len(words))
		f.Usage()
		err = errUsage
	}
	if err != nil {
		return "", err
	}
	return words[0], nil
}

func withDatabase(dir string, do func(*store.DB) error) (err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return configError{fmt.Errorf("open data folder: %w", err)}
	}
	at, err := hq.DatabaseAt(dir)
	if err != nil {
		return configError{err}
	}
	db, err := store.Open(at)
	if err != nil {
		return configError{err}
	}
	defer func() {
		if cerr := db.Close(); err == nil {
			err = cerr
		}
	}()
	return do(db)
}

// giveToken hands the token over the one time that it is known.
func giveToken(out io.Writer, file, token string) error {
	if file != "" {
		return hq.ReplaceFile(file, token+"\n", 0o600)
	}
	_, err := fmt.Fprintln(out, token)
	return err
}
