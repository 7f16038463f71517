package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"foyer/internal/daemon"
	"foyer/sync/badge"
)

// enrol gets the store a badge. foyerd may run meanwhile: it takes a new badge over by itself.
func enrol(args []string, out, errs io.Writer) int {
	f := flag.NewFlagSet("foyerd enrol", flag.ContinueOnError)
	f.SetOutput(errs)
	path := f.String("config", "/etc/foyer/foyerd.yaml", "the configuration `file`")
	again := f.Bool("again", false, "replace the badge that the store has")
	f.Usage = func() {
		fmt.Fprintln(errs, "usage: foyerd enrol [--config FILE] [--again] HOST:PORT/CODE\nThe last is what foyer-hq store enrol (or the console) gave for this store.")
		f.PrintDefaults()
	}
	if err := f.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return 0
		}
		return exitUsage
	}
	if f.NArg() != 1 {
		f.Usage()
		return exitUsage
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	e, err := daemon.Enrol(ctx, *path, f.Arg(0), *again)
	if err != nil {
		fmt.Fprintln(errs, err)
		return exitFailed
	}
	fmt.Fprintf(out, "Store %s of chain %s is enrolled until %s; foyerd renews that by itself. Its broker is %s.\n",
		e.Badge.Place.Store, e.Badge.Place.Chain, e.Badge.Leaf.NotAfter.Local().Format(time.DateOnly), e.News.Broker)
	if e.Skew.Abs() > badge.SkewTold {
		fmt.Fprintln(out, "Mind:", badge.SkewText(e.Skew))
	}
	return 0
}
