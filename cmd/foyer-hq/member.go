package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"foyer/hq"
	"foyer/hq/store"
	"foyer/shop/member"
)

// memberErase erases a person, whether the server runs or not: it hears of it within seconds, and tells the stores.
func memberErase(ctx context.Context, args []string, out, errs io.Writer) error {
	f := flag.NewFlagSet("foyer-hq member erase", flag.ContinueOnError)
	f.SetOutput(errs)
	data := f.String("data", defaultData, "headquarters' data `folder`")
	reason := f.String("reason", "", "`why`; it stays, so it must name nobody")
	words, err := parse(f, args)
	if err == nil && len(words) != 1 {
		fmt.Fprintln(errs, "foyer-hq member erase: want one member's ID")
		f.Usage()
		err = errUsage
	}
	if err != nil {
		return err
	}
	return withDatabase(*data, func(db *store.DB) error {
		number, err := hq.EraseMember(ctx, db, member.ID(words[0]), *reason, time.Now())
		if errors.Is(err, store.ErrNotFound) {
			return errors.New("there is no member of that ID, and no visit of one")
		}
		if err != nil {
			return err
		}
		if _, err := db.SweepErasures(ctx); err != nil {
			return fmt.Errorf("erasure %d has begun, but the records of before still name the person; the server goes on with it: %w", number, err)
		}
		fmt.Fprintf(out, "erasure %d: gone from headquarters; foyer-hq member erasures tells which stores have confirmed it\n", number)
		return nil
	})
}

// memberErasures lists what became of erasures, by number alone.
func memberErasures(ctx context.Context, args []string, out, errs io.Writer) error {
	f := flag.NewFlagSet("foyer-hq member erasures", flag.ContinueOnError)
	f.SetOutput(errs)
	data := f.String("data", defaultData, "headquarters' data `folder`")
	words, err := parse(f, args)
	if err == nil && len(words) > 0 {
		fmt.Fprintln(errs, "foyer-hq member erasures: want no more words")
		err = errUsage
	}
	if err != nil {
		return err
	}
	return withDatabase(*data, func(db *store.DB) error {
		all, err := db.Erasures(ctx)
		if err != nil {
			return err
		}
		shops, err := db.Shops(ctx)
		if err != nil {
			return err
		}
		table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		for _, e := range all {
			state := "gone from headquarters"
			if !e.Swept {
				state = "headquarters' records are being cleared"
			}
			fmt.Fprintf(table, "%d\t%s\t%s\t%s\n", e.Number, e.At.Local().Format("2006-01-02 15:04"), state, e.Reason)
			for _, s := range shops {
				switch at, done := e.Receipts[s.ID]; {
				case done:
					fmt.Fprintf(table, "\t%s\tconfirmed %s\t\n", s.ID, at.Local().Format("2006-01-02 15:04"))
				case !s.Created.After(e.At):
					fmt.Fprintf(table, "\t%s\tnot yet\t\n", s.ID)
				}
			}
		}
		return table.Flush()
	})
}
