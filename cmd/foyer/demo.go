package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"foyer/internal/demo"
)

// demoCommand runs the whole house until Ctrl-C.
func demoCommand(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("foyer demo", flag.ContinueOnError)
	flags.SetOutput(stderr)
	dir := flags.String("dir", ".foyer-demo", "the `folder` of all data; kept for the next start")
	page := flags.String("page", "127.0.0.1:8400", "the `address` of the page with the buttons; on loopback")
	lang := flags.String("lang", "zh-CN", "what the screens speak while nobody in particular is there: zh-CN or en")
	hidden := flags.Bool("hidden", false, "no windows on this desktop: the screens are on the page only")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return 0
	} else if err != nil {
		return 2
	}
	exe, err := os.Executable()
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 1
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	log := slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	err = demo.Play(ctx, demo.Config{Bin: filepath.Dir(exe), Dir: *dir, Page: *page, Lang: *lang,
		Window: os.Getenv("DISPLAY") != "" && !*hidden, Log: log}, stdout)
	if err != nil {
		fmt.Fprintln(stderr, "foyer demo:", err)
		return 1
	}
	return 0
}
