package main

import (
	"context"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"foyer/reader/sim"
)

const simHelp = `foyer sim stores N ...: many stores at once, to size a headquarters; "foyer sim stores -h" says more

foyer sim reader PROFILE --pty PATH [--tag HEX]... [--rssi DBM]

Plays a reader on a pseudo-terminal behind the name PATH, as the reader's manual says, so that other programs can talk to
it as to the real one. It ends with Ctrl-C.
  PROFILE   one of %s
  --tag     what is near: the EPC, UID or fob number in hex, or the text of a code; may be given again. A made-up one
            without it.
  --rssi    how strong UHF tags are heard, in dBm; an UHFReader288 tells the number as it is, without its sign
`

// device is a reader that is played.
type device interface{ Run(context.Context) error }

// simulated makes a device with what is near.
type simulated struct {
	profile string
	near    string // if nothing is said
	make    func(port *sim.PTY, tags [][]byte, rssi int) (device, error)
}

const (
	someEPC = "2D76451FD4499602D2000000"
	someFob = "6F007B3972"
	someUID = "04416D412B0289"
)

// tapping is the time from one visitor to the next. Tests are in a hurry.
var tapping = 5 * time.Second

var simulators = []simulated{
	{"7941e", someFob, func(port *sim.PTY, tags [][]byte, _ int) (device, error) {
		fob, err := fobOf(tags)
		return sim.New7941E(port, fob, tapping), err
	}},
	{"m100", someEPC, func(port *sim.PTY, tags [][]byte, rssi int) (device, error) {
		r := sim.NewM100(port)
		return r, each(tags, func(epc []byte) error { return r.Near(epc, rssi) })
	}},
	{"pn532", someUID, func(port *sim.PTY, tags [][]byte, _ int) (device, error) {
		p := sim.NewPN532(port)
		return p, each(tags, func(uid []byte) error { return p.Near(cardOf(uid)) })
	}},
	{"r200", someEPC, func(port *sim.PTY, tags [][]byte, rssi int) (device, error) {
		r := sim.NewR200(port)
		return r, each(tags, func(epc []byte) error { return r.Near(epc, rssi) })
	}},
	{"r2000", someEPC, func(port *sim.PTY, tags [][]byte, rssi int) (device, error) {
		r := sim.NewR2000(port)
		return r, each(tags, func(epc []byte) error { return r.Near(epc, rssi) })
	}},
	{"rdm6300", someFob, func(port *sim.PTY, tags [][]byte, _ int) (device, error) {
		r := sim.NewRDM6300(port)
		fob, err := fobOf(tags)
		r.Near(fob)
		return r, err
	}},
	{"ssi-scanner", "", func(port *sim.PTY, tags [][]byte, _ int) (device, error) {
		return sim.NewSSIScanner(port, string(tags[0]), tapping)
	}},
	{"text-scanner", "", func(port *sim.PTY, tags [][]byte, _ int) (device, error) {
		return sim.NewTextScanner(port, string(tags[0]), tapping), nil
	}},
	{"thingmagic", someEPC, func(port *sim.PTY, tags [][]byte, rssi int) (device, error) {
		m := sim.NewThingMagic(port)
		return m, each(tags, func(epc []byte) error { return m.Near(epc, rssi) })
	}},
	{"uhfreader18", someEPC, func(port *sim.PTY, tags [][]byte, _ int) (device, error) {
		r := sim.NewUHFReader18(port)
		return r, each(tags, func(epc []byte) error { return r.Near(epc, 0) })
	}},
	{"uhfreader288", someEPC, func(port *sim.PTY, tags [][]byte, rssi int) (device, error) {
		r := sim.NewUHFReader288(port)
		return r, each(tags, func(epc []byte) error { return r.Near(epc, byte(max(rssi, -rssi))) })
	}},
}

func each(tags [][]byte, near func([]byte) error) error {
	var faults []error
	for _, t := range tags {
		faults = append(faults, near(t))
	}
	return errors.Join(faults...)
}

func fobOf(tags [][]byte) (fob [5]byte, err error) {
	if len(tags) != 1 || len(tags[0]) != len(fob) {
		return fob, fmt.Errorf("want one --tag with the %d hex digits of a fob", 2*len(fob))
	}
	return [5]byte(tags[0]), nil
}

// cardOf is a card as most are: MIFARE Classic with four bytes, an Ultralight or NTAG with seven.
func cardOf(uid []byte) sim.Card {
	if len(uid) == 4 {
		return sim.Card{UID: uid, ATQA: [2]byte{0, 0x04}, SAK: 0x08}
	}
	return sim.Card{UID: uid, ATQA: [2]byte{0, 0x44}}
}

// simCommand plays what is not there.
func simCommand(args []string, stdout, stderr io.Writer) int {
	help := fmt.Sprintf(simHelp, strings.Join(simulatorNames(), ", "))
	if len(args) == 1 && slices.Contains([]string{"-h", "--help", "help"}, args[0]) {
		fmt.Fprint(stdout, help+"\n"+simPrinterHelp)
		return 0
	}
	if len(args) > 0 && args[0] == "stores" {
		return simStores(args[1:], stdout, stderr)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if len(args) > 0 && args[0] == "printer" {
		return simPrinter(ctx, args[1:], stdout, stderr)
	}
	if len(args) < 2 || args[0] != "reader" {
		fmt.Fprint(stderr, help+"\n"+simPrinterHelp)
		return 2
	}
	return simReader(ctx, args[1], args[2:], stdout, stderr)
}

func simulatorNames() []string {
	names := make([]string, len(simulators))
	for i, s := range simulators {
		names[i] = s.profile
	}
	return names
}

func simReader(ctx context.Context, profile string, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("foyer sim reader", flag.ContinueOnError)
	flags.SetOutput(stderr)
	path := flags.String("pty", "", "name of the port to make")
	rssi := flags.Int("rssi", -56, "dBm")
	var given []string
	flags.Func("tag", "what is near", func(s string) error { given = append(given, s); return nil })
	if err := flags.Parse(args); err != nil || *path == "" || flags.NArg() > 0 {
		fmt.Fprintf(stderr, simHelp, strings.Join(simulatorNames(), ", "))
		return 2
	}
	i := slices.IndexFunc(simulators, func(s simulated) bool { return s.profile == profile })
	if i < 0 {
		fmt.Fprintf(stderr, "foyer sim reader %.40q: want one of %s\n", profile, strings.Join(simulatorNames(), ", "))
		return 2
	}
	if err := play(ctx, simulators[i], *path, given, *rssi, stdout); err != nil {
		fmt.Fprintln(stderr, err)
		return 1
	}
	return 0
}

// play makes the port and works until ctx ends.
func play(ctx context.Context, s simulated, path string, given []string, rssi int, stdout io.Writer) error {
	tags, err := s.tags(given)
	if err != nil {
		return err
	}
	port, err := sim.NewPTY(path)
	if err != nil {
		return err
	}
	defer port.Close()
	d, err := s.make(port, tags, rssi)
	if err != nil {
		return fmt.Errorf("simulate %s: %w", s.profile, err)
	}
	fmt.Fprintf(stdout, "%s on %s\n", s.profile, path)
	return d.Run(ctx)
}

// tags reads what is near: hex, or text for a scanner.
func (s simulated) tags(given []string) ([][]byte, error) {
	if len(given) == 0 {
		given = []string{s.near}
	}
	scanner := s.near == ""
	var tags [][]byte
	for _, text := range given {
		switch {
		case scanner && text == "":
			text = "8018952114112345678906"
			fallthrough
		case scanner:
			tags = append(tags, []byte(text))
		default:
			b, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
			if err != nil {
				return nil, fmt.Errorf("simulate %s: --tag %.40q: want hex digits: %w", s.profile, text, err)
			}
			tags = append(tags, b)
		}
	}
	if scanner && len(tags) > 1 {
		return nil, fmt.Errorf("simulate %s: want one --tag", s.profile)
	}
	return tags, nil
}
