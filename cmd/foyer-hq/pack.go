package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"foyer/hq"
	"foyer/hq/packs"
	"foyer/hq/store"
	"foyer/sync/wire"
)

// audience is what --to says: stores by name and a share of all, "5%" or "harbour-1,harbour-2,10%".
type audience struct {
	percent int
	stores  []string
}

func parseAudience(text string) (audience, error) {
	var a audience
	for word := range strings.SplitSeq(text, ",") {
		word = strings.TrimSpace(word)
		number, share := strings.CutSuffix(word, "%")
		if !share {
			if err := (wire.Place{Chain: "x", Store: word}).Check(); err != nil {
				return a, fmt.Errorf("--to: store %w, or a share like 10%%", err)
			}
			a.stores = append(a.stores, word)
			continue
		}
		n, err := strconv.Atoi(number)
		if err != nil || n < 0 || n > 100 || a.percent > 0 {
			return a, fmt.Errorf("--to %q: want one share from 0%% to 100%%", word)
		}
		a.percent = n
	}
	return a, nil
}

func (a audience) String() string {
	words := append([]string{}, a.stores...)
	if a.percent > 0 || len(words) == 0 {
		words = append(words, fmt.Sprintf("%d%%", a.percent))
	}
	return strings.Join(words, ",")
}

// withDepot opens database and files, whether the server runs or not.
func withDepot(data string, do func(*store.DB, *packs.Depot) error) error {
	return withDatabase(data, func(db *store.DB) error {
		depot, err := hq.OpenDepot(data)
		if err != nil {
			return configError{err}
		}
		return do(db, depot)
	})
}

func packFlags(name string, errs io.Writer) (f *flag.FlagSet, data, to *string) {
	f = flag.NewFlagSet("foyer-hq "+name, flag.ContinueOnError)
	f.SetOutput(errs)
	data = f.String("data", defaultData, "headquarters' data `folder`")
	to = f.String("to", "100%", "`who` is to have it: stores by name and one share of all, like harbour-1,10%")
	return f, data, to
}

func packPublish(ctx context.Context, args []string, out, errs io.Writer) error {
	f, data, to := packFlags("pack publish", errs)
	name := f.String("name", "", "the pack's `name`: lower-case letters, digits, dashes")
	now := f.Bool("now", false, "stores do not wait for their quiet hours")
	words, err := parse(f, args)
	if err == nil && (len(words) != 1 || *name == "") {
		fmt.Fprintln(errs, "foyer-hq pack publish: want one folder or ZIP file, and --name")
		f.Usage()
		err = errUsage
	}
	if err != nil {
		return err
	}
	who, err := parseAudience(*to)
	if err != nil {
		return configError{err}
	}
	return withDepot(*data, func(db *store.DB, depot *packs.Depot) error {
		r, err := hq.PublishPack(ctx, db, depot, words[0], wire.Release{Pack: *name, Percent: who.percent, Stores: who.stores, Now: *now}, time.Now())
		if err != nil {
			return fmt.Errorf("publish pack %s: %w", *name, err)
		}
		fmt.Fprintf(out, "%s version %d: %d files, %d bytes, to %s\n", r.Pack, r.Version, len(r.Files), r.Bytes(), who)
		return nil
	})
}

// packOne reads "NAME VERSION".
func packOne(f *flag.FlagSet, args []string, errs io.Writer) (pack string, version uint64, err error) {
	words, err := parse(f, args)
	if err != nil {
		return "", 0, err
	}
	if len(words) == 2 {
		if version, err = strconv.ParseUint(words[1], 10, 53); err == nil && version > 0 {
			return words[0], version, nil
		}
	}
	fmt.Fprintf(errs, "%s: want a pack's name and a version, like art 3\n", f.Name())
	f.Usage()
	return "", 0, errUsage
}

func packWiden(ctx context.Context, args []string, out, errs io.Writer) error {
	f, data, to := packFlags("pack widen", errs)
	pack, version, err := packOne(f, args, errs)
	if err != nil {
		return err
	}
	who, err := parseAudience(*to)
	if err != nil {
		return configError{err}
	}
	return withDatabase(*data, func(db *store.DB) error {
		return hq.WidenPack(ctx, db, pack, version, who.percent, who.stores)
	})
}

func packWithdraw(ctx context.Context, args []string, _, errs io.Writer) error {
	f := flag.NewFlagSet("foyer-hq pack withdraw", flag.ContinueOnError)
	f.SetOutput(errs)
	data := f.String("data", defaultData, "headquarters' data `folder`")
	pack, version, err := packOne(f, args, errs)
	if err != nil {
		return err
	}
	return withDatabase(*data, func(db *store.DB) error { return db.WithdrawRelease(ctx, pack, version, time.Now()) })
}

func packGC(ctx context.Context, args []string, out, errs io.Writer) error {
	f := flag.NewFlagSet("foyer-hq pack gc", flag.ContinueOnError)
	f.SetOutput(errs)
	data := f.String("data", defaultData, "headquarters' data `folder`")
	if _, err := parse(f, args); err != nil {
		return err
	}
	return withDepot(*data, func(db *store.DB, depot *packs.Depot) error {
		n, err := hq.SweepPacks(ctx, db, depot, time.Now())
		if err == nil {
			fmt.Fprintf(out, "%d bytes removed\n", n)
		}
		return err
	})
}

func packList(ctx context.Context, args []string, out, errs io.Writer) error {
	f := flag.NewFlagSet("foyer-hq pack list", flag.ContinueOnError)
	f.SetOutput(errs)
	data := f.String("data", defaultData, "headquarters' data `folder`")
	if _, err := parse(f, args); err != nil {
		return err
	}
	return withDatabase(*data, func(db *store.DB) error {
		all, err := db.Releases(ctx)
		if err != nil {
			return err
		}
		table := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
		fmt.Fprintln(table, "PACK\tVERSION\tFILES\tBYTES\tTO\tPUBLISHED\tWITHDRAWN")
		for _, r := range all {
			gone := ""
			if !r.Withdrawn.IsZero() {
				gone = r.Withdrawn.Local().Format(time.DateTime)
			}
			fmt.Fprintf(table, "%s\t%d\t%d\t%d\t%s\t%s\t%s\n", r.Pack, r.Version, len(r.Files), r.Bytes(),
				audience{r.Percent, r.Stores}, r.Created.Local().Format(time.DateTime), gone)
		}
		return table.Flush()
	})
}
