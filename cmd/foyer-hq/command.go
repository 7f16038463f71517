package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"foyer/hq"
	"foyer/hq/store"
	"foyer/sync/setting"
	"foyer/sync/wire"
)

const commandHelp = `foyer-hq command STORE config --set NAME=VALUE... --reset NAME...   change settings while foyerd runs
foyer-hq command STORE resync         ask headquarters for everything anew, prove what is kept
foyer-hq command STORE restart        foyerd and the screens start again
foyer-hq command STORE diagnostics    a file for technicians, without personal data
foyer-hq command STORE screenshot     a picture of each screen, without personal data (--screen kiosk or wall: of one kind)
foyer-hq command list STORE           what was asked, by whom, and what became of it
A store that is away gets it when it comes, unless --valid is over. --wait 2m waits for the answer; --out DIR then keeps the files.
Settings: %s
`

// errNotDone is told by the exit code alone: the outcome was printed.
var errNotDone = errors.New("the store did not do it")

type commandOptions struct {
	data, by, out string
	valid, wait   time.Duration
	command       wire.Command
}

func commandFlags(errs io.Writer) (*flag.FlagSet, *commandOptions) {
	f := flag.NewFlagSet("foyer-hq command", flag.ContinueOnError)
	f.SetOutput(errs)
	o := &commandOptions{}
	f.Usage = func() {
		fmt.Fprintf(errs, commandHelp, strings.Join(setting.Names, ", "))
		f.PrintDefaults()
	}
	f.StringVar(&o.data, "data", defaultData, "headquarters' data `folder`")
	f.StringVar(&o.by, "by", os.Getenv("USER"), "`who` asks, for the record")
	f.DurationVar(&o.valid, "valid", hq.DefaultCommandLife, "not to be done after so `long`")
	f.DurationVar(&o.wait, "wait", 0, "wait so `long` for the answer")
	f.StringVar(&o.out, "out", "", "keep the files that come in this `folder`; with --wait")
	f.StringVar(&o.command.Screen, "screen", "", "`kind` of screen: kiosk or wall")
	f.Func("set", "a setting, as `NAME=VALUE`; may be given again", func(text string) error {
		name, value, ok := strings.Cut(text, "=")
		if !ok {
			return errors.New("want NAME=VALUE")
		}
		if o.command.Set == nil {
			o.command.Set = map[string]string{}
		}
		o.command.Set[name] = value
		return nil
	})
	f.Func("reset", "a setting that is to be as foyerd.yaml says, by its `NAME`; may be given again", func(name string) error {
		o.command.Reset = append(o.command.Reset, name)
		return nil
	})
	return f, o
}

func commandVerb(ctx context.Context, args []string, out, errs io.Writer) error {
	f, o := commandFlags(errs)
	words, err := parse(f, args)
	if err == nil && len(words) != 2 {
		fmt.Fprintln(errs, "foyer-hq command: want a store and what it is to do")
		f.Usage()
		err = errUsage
	}
	if err != nil {
		return err
	}
	return withDatabase(o.data, func(db *store.DB) error {
		if words[0] == "list" {
			return commandList(ctx, db, words[1], out)
		}
		o.command.Do = wire.Do(words[1])
		c, err := hq.AddCommand(ctx, db, words[0], o.command, o.by, o.valid, time.Now())
		if refused, ok := errors.AsType[*hq.CommandRefused](err); ok {
			return configError{refused}
		}
		if err != nil {
			return err
		}
		if o.wait <= 0 {
			fmt.Fprintln(out, c.ID)
			return nil
		}
		return o.follow(ctx, db, c.ID, out)
	})
}

// commandPause is between two looks at whether there is an answer.
const commandPause = 200 * time.Millisecond

// follow waits for the answer, tells it and keeps its files.
func (o *commandOptions) follow(ctx context.Context, db *store.DB, id string, out io.Writer) error {
	end := time.Now().Add(o.wait)
	for {
		c, err := db.Command(ctx, id)
		if err != nil {
			return err
		}
		if !c.Open() {
			return o.told(ctx, db, c, out)
		}
		if time.Now().After(end) {
			return fmt.Errorf("no answer in %v: the command is %s; foyer-hq command list %s tells later", o.wait, c.State, c.Store)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(commandPause):
		}
	}
}

func (o *commandOptions) told(ctx context.Context, db *store.DB, c store.Command, out io.Writer) error {
	fmt.Fprintln(out, strings.TrimSpace(fmt.Sprintf("%s %s %s", c.State, c.Answer.Code, c.Answer.Why)))
	for _, name := range setting.Names {
		if v, ok := c.Answer.Settings[name]; ok {
			fmt.Fprintf(out, "%s: %s\n", name, v)
		}
	}
	for _, r := range c.Answer.Results {
		if o.out == "" {
			fmt.Fprintf(out, "%s, %d bytes\n", r.Name, r.Size)
			continue
		}
		data, err := db.Result(ctx, c.ID, r.Name)
		if err != nil {
			return err
		}
		path := filepath.Join(o.out, c.Store+"-"+r.Name)
		if err := os.MkdirAll(o.out, 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(path, data, 0o600); err != nil {
			return err
		}
		fmt.Fprintln(out, path)
	}
	if c.State != string(wire.IsDone) {
		return errNotDone
	}
	return nil
}

// listedCommands is how many the list shows.
const listedCommands = 100

func commandList(ctx context.Context, db *store.DB, id string, out io.Writer) error {
	shops, err := db.Shops(ctx)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(shops, func(s store.Shop) bool { return s.ID == id }) {
		return fmt.Errorf("store %q: %w", id, store.ErrNotFound)
	}
	all, err := db.Commands(ctx, id, listedCommands)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(table, "ASKED\tBY\tWHAT\tSTATE\tWHY\tFILES\tID")
	for _, c := range all {
		var files []string
		for _, r := range c.Answer.Results {
			files = append(files, r.Name)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", c.MadeAt.Local().Format(time.DateTime), c.By, c.Do, c.State,
			strings.TrimSpace(string(c.Answer.Code)+" "+c.Answer.Why), strings.Join(files, " "), c.ID)
	}
	return table.Flush()
}
