// Command foyerd is the store's daemon: readers, decisions, journal, screens' contract, reception page, the line to
// headquarters. It takes one configuration file (see internal/daemon.Config) and ends cleanly on SIGINT and SIGTERM.
//
//	foyerd --config FILE                          run the store
//	foyerd enrol --config FILE HOST:PORT/CODE     get the store its badge from headquarters
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"foyer/api"
	"foyer/internal/daemon"
)

// Exit codes, after sysexits.h: a supervisor must not restart what only a person can mend.
const (
	exitFailed  = 1
	exitUsage   = 64 // EX_USAGE
	exitConfig  = 78 // EX_CONFIG
	exitTempLck = 75 // EX_TEMPFAIL: another foyerd holds the journal
	exitRestart = 85 // headquarters asked for a restart: no fault, and a supervisor is to start it again
)

// askPatience is how long a foyerd that runs may take to say what headquarters has set.
const askPatience = 3 * time.Second

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	if len(args) > 0 && args[0] == "enrol" {
		return enrol(args[1:], os.Stdout, os.Stderr)
	}
	flags := flag.NewFlagSet("foyerd", flag.ContinueOnError)
	path := flags.String("config", "/etc/foyer/foyerd.yaml", "the configuration `file`")
	ready := flags.String("ready-file", "", "write the addresses to this `file` when all is up")
	check := flags.Bool("check", false, "read the configuration, tell every fault, and end")
	if err := flags.Parse(args); err != nil {
		return exitUsage
	}
	load := daemon.LoadToRun
	if *check {
		load = daemon.LoadConfig
	}
	config, err := load(*path)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return exitConfig
	}
	if *check {
		fmt.Printf("%s: good\n", *path)
		tellSettings(config)
		return 0
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var level slog.LevelVar
	level.Set(config.Level())
	log := slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: &level}))
	if err := daemon.Run(ctx, config, daemon.Options{ReadyFile: *ready, Log: log, Level: &level}); err != nil {
		if errors.Is(err, daemon.ErrRestart) {
			log.Info("foyerd ends to be started again", "err", err)
			return exitRestart
		}
		log.Error("foyerd ends", "err", err)
		if errors.Is(err, daemon.ErrHeld) {
			return exitTempLck
		}
		if errors.Is(err, daemon.ErrProfile) {
			return exitConfig
		}
		return exitFailed
	}
	return 0
}

// tellSettings says what headquarters has set over what the file says.
func tellSettings(config *daemon.Config) {
	all, err := daemon.FromHeadquarters(config, func(socket string) ([]api.Setting, error) {
		client, err := api.NewClient("unix://"+socket, "")
		if err != nil {
			return nil, err
		}
		ctx, stop := context.WithTimeout(context.Background(), askPatience)
		defer stop()
		return client.Settings(ctx)
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, "what headquarters has set cannot be told:", err)
	}
	for _, s := range all {
		fmt.Printf("%s: %s, set by headquarters (foyer-hq command STORE config --reset %s)\n", s.Name, s.Value, s.Name)
	}
}
