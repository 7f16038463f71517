package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"text/tabwriter"
	"time"

	"foyer/hq"
	"foyer/hq/broker"
	"foyer/hq/ca"
	"foyer/hq/store"
	"foyer/sync/badge"
)

// storeEnrol gives a store another one-time code, whether the server runs or not.
func storeEnrol(ctx context.Context, args []string, out, errs io.Writer) error {
	f := flag.NewFlagSet("foyer-hq store enrol", flag.ContinueOnError)
	f.SetOutput(errs)
	data := f.String("data", defaultData, "headquarters' data `folder`")
	valid := f.Duration("valid", hq.CodeLife, "how long the code is good")
	id, err := oneID(f, args, errs)
	if err != nil {
		return err
	}
	if *valid < time.Minute || *valid > 31*24*time.Hour {
		return configError{fmt.Errorf("--valid %v: want a minute to 31 days", *valid)}
	}
	return withDatabase(*data, func(db *store.DB) error {
		ticket, err := hq.IssueTicket(ctx, db, *data, id, time.Now(), *valid)
		return giveTicket(out, errs, ticket, *valid, err)
	})
}

// giveTicket prints the ticket, and beside it what to do with it.
func giveTicket(out, errs io.Writer, t badge.Ticket, valid time.Duration, err error) error {
	if err != nil {
		return err
	}
	fmt.Fprintf(errs, "Good once, until %s. On the store's box, as foyerd's user, type:\n    foyerd enrol --config /etc/foyer/foyerd.yaml %s\n",
		time.Now().Add(valid).Format("2006-01-02 15:04"), t)
	_, err = fmt.Fprintln(out, t)
	return err
}

// storeRevoke shuts a store out. A server that runs notices within two seconds and ends the store's connections.
func storeRevoke(ctx context.Context, args []string, _, errs io.Writer) error {
	f := flag.NewFlagSet("foyer-hq store revoke", flag.ContinueOnError)
	f.SetOutput(errs)
	data := f.String("data", defaultData, "headquarters' data `folder`")
	id, err := oneID(f, args, errs)
	if err != nil {
		return err
	}
	return withDatabase(*data, func(db *store.DB) error {
		if err := db.Revoke(ctx, id, time.Now()); err != nil {
			return err
		}
		fmt.Fprintf(errs, "Store %s is shut out: its badge, its open code and its token are void. The broker inside headquarters ends its connections\n"+
			"within two seconds; a broker elsewhere needs the new %s and a restart. foyer-hq store enrol %s lets it in again.\n", id, hq.RevokedFile, id)
		return nil
	})
}

// badgeWords says how each store stands: for store list.
func badgeWords(ctx context.Context, db *store.DB) (func(id string) string, error) {
	now := time.Now()
	badges, err := db.Badges(ctx)
	if err != nil {
		return nil, err
	}
	barred, err := db.Barred(ctx)
	if err != nil {
		return nil, err
	}
	open, err := db.OpenCodes(ctx, now)
	return func(id string) string {
		b, has := badges[id]
		switch at := barred[id]; {
		case !open[id].IsZero():
			return "code until " + open[id].Local().Format(time.DateTime)
		case !at.IsZero():
			return "revoked " + at.Local().Format(time.DateTime)
		case has:
			return "until " + b.Ends.Local().Format(time.DateOnly)
		}
		return "none"
	}, err
}

// signing changes the key that snapshots are signed with, in three steps.
func signing(ctx context.Context, args []string, out, errs io.Writer) error {
	f := flag.NewFlagSet("foyer-hq signing", flag.ContinueOnError)
	f.SetOutput(errs)
	data := f.String("data", defaultData, "headquarters' data `folder`")
	force := f.Bool("force", false, "drop a key although some stores have nothing signed with the new one yet")
	words, err := parse(f, args)
	if err != nil {
		return err
	}
	word := func(i int) string {
		if i < len(words) {
			return words[i]
		}
		return ""
	}
	switch {
	case word(0) == "list" && len(words) == 1:
		return signingList(*data, out)
	case word(0) == "next" && len(words) == 1:
		id, err := hq.NextSigningKey(*data)
		return told(errs, err, "Key %s is made. Enrolled stores hear of it within a day; stores with public_key_files need a copy of signing.pub.\nThen: foyer-hq signing switch\n", id)
	case word(0) == "switch" && len(words) == 1:
		id, err := hq.SwitchSigningKey(*data)
		return told(errs, err, "Key %s signs from now on; a headquarters that runs signs everything anew at once.\nWhen all stores have it (foyer-hq signing list, the console): foyer-hq signing drop OLD-ID\n", id)
	case word(0) == "drop" && len(words) == 2:
		return signingDrop(ctx, *data, words[1], *force, errs)
	}
	fmt.Fprintln(errs, "foyer-hq signing: want list, next, switch, or drop ID")
	return errUsage
}

func told(errs io.Writer, err error, format string, id string) error {
	if err == nil {
		fmt.Fprintf(errs, format, id)
	}
	return err
}

func signingList(dir string, out io.Writer) error {
	all, err := hq.SigningKeys(dir)
	if err != nil {
		return configError{fmt.Errorf("signing keys: %w", err)}
	}
	table := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(table, "KEY\tSTATE")
	for _, k := range all {
		fmt.Fprintf(table, "%s\t%s\n", k.ID, k.State)
	}
	return table.Flush()
}

// signingDrop refuses while a store would, at its next start, have nothing left that it can verify.
func signingDrop(ctx context.Context, dir, id string, force bool, errs io.Writer) error {
	return withDatabase(dir, func(db *store.DB) error {
		late, err := hq.BehindSigning(ctx, db, id)
		if err != nil {
			return err
		}
		if len(late) > 0 && !force {
			return fmt.Errorf("these stores have not applied what the new key signed: %v; wait for them, or use --force (they get it when they are back)", late)
		}
		return told(errs, hq.DropSigningKey(dir, id), "Key %s is no longer trusted.\n", id)
	})
}

// brokerMosquitto writes all that a Mosquitto elsewhere needs to take badges.
func brokerMosquitto(args []string, out, errs io.Writer) error {
	f := flag.NewFlagSet("foyer-hq broker mosquitto", flag.ContinueOnError)
	f.SetOutput(errs)
	data := f.String("data", defaultData, "headquarters' data `folder`")
	chain := f.String("chain", "", "the chain's `name`")
	to := f.String("out", "", "the `folder` to write to; made if it is not there")
	at := f.String("installed", "/etc/mosquitto/foyer", "where that `folder` will be on the broker's machine")
	port := f.Int("port", 8883, "the broker's port")
	words, err := parse(f, args)
	if err != nil {
		return err
	}
	if len(words) > 0 || *to == "" || *chain == "" {
		fmt.Fprintln(errs, "foyer-hq broker mosquitto: want --chain NAME and --out DIR")
		return errUsage
	}
	if _, err := os.Stat(filepath.Join(*data, ca.KeyFile)); err != nil {
		return configError{fmt.Errorf("%w: start foyer-hq serve once first", err)}
	}
	authority, err := ca.Open(*data, *chain, time.Now())
	if err != nil {
		return configError{err}
	}
	list, err := os.ReadFile(filepath.Join(*data, hq.RevokedFile))
	if err != nil {
		return configError{fmt.Errorf("%w: start foyer-hq serve once first", err)}
	}
	files, err := broker.MosquittoFiles(authority, *chain, *at, *port, string(list), time.Now())
	if err != nil {
		return err
	}
	if err := os.MkdirAll(*to, 0o755); err != nil {
		return err
	}
	for _, file := range files {
		if err := hq.ReplaceFile(filepath.Join(*to, file.Name), file.Text, file.Mode); err != nil {
			return err
		}
		fmt.Fprintln(out, filepath.Join(*to, file.Name))
	}
	return nil
}
