//go:build linux

// Command guest runs inside the simulated machine of internal/hil. It plays cards on simulated lines and listens to them, and
// to USB serial ports, and writes a journal and sends it, with the very packages that a store runs.
//
// In: command-line flags. Out: lines on standard output that internal/hil reads; RESULT lines hold figures.
// It never runs on a store's machine.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"time"
)

// settings are the flags of all commands.
type settings struct {
	profile string
	port    string
	cards   int
	spacing time.Duration // from pulse to pulse
	width   time.Duration // of a pulse
	pause   time.Duration // between cards
	stall   time.Duration // how long the listener is stopped each time
	every   time.Duration // how often
	seed    uint64
	folder  string // of a journal
	broker  string // headquarters'
	chain   string
	store   string
}

var commands = map[string]func(settings) error{
	"listen": listen, "play": play, "cards": cards, "vanish": vanish, "serial": serial, "stuck": stuck,
	"signals": signals, "house": house, "store": store,
	"ask": ask, "print": print, "gadget": gadget,
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Println("ERROR", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) == 0 {
		return errors.New("which command?")
	}
	var s settings
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	flags.StringVar(&s.profile, "profile", "wiegand26", "of the cards")
	flags.StringVar(&s.port, "port", "gpio:WG_D0,WG_D1", "where to listen")
	flags.IntVar(&s.cards, "n", 100, "cards, plugs, lines, or a status")
	flags.DurationVar(&s.spacing, "spacing", time.Millisecond, "from pulse to pulse")
	flags.DurationVar(&s.width, "width", 50*time.Microsecond, "of a pulse")
	flags.DurationVar(&s.pause, "pause", 50*time.Millisecond, "between cards")
	flags.DurationVar(&s.stall, "stall", 0, "stop the listener so long")
	flags.DurationVar(&s.every, "every", 700*time.Millisecond, "stop the listener so often")
	flags.Uint64Var(&s.seed, "seed", 1, "of the numbers")
	flags.StringVar(&s.folder, "folder", "/disk", "where the journal is")
	flags.StringVar(&s.broker, "broker", "tcp://10.0.2.2:1883", "headquarters' broker")
	flags.StringVar(&s.chain, "chain", "demo", "of the store")
	flags.StringVar(&s.store, "store", "store-1", "its id")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	command, ok := commands[args[0]]
	if !ok {
		return fmt.Errorf("no command %q", args[0])
	}
	return command(s)
}
