package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"foyer/internal/trace"
	"foyer/shop/presence"
)

const presenceHelp = `foyer presence tune [-zone ID] [-readers A,B] [-svg FILE] CAPTURE
      finds settings for a zone from a recording with marks of what really happened: prints them as foyerd's configuration
      takes them, then what the best settings come to, and draws the recording and what was decided (default CAPTURE.svg)
foyer presence list                      the made-up scenarios
foyer presence make SCENARIO [SEED]      writes one as such a recording to standard output

A recording is text: "foyer trace 1", then one thing a line in order of time; # begins a remark.
  0.250 read door 1 anna -58    seconds, reader, antenna (0: it has one), any word for the tag, dBm (- if it tells none)
  0.100 arrived shop anna       the tag really came into the zone "shop"; write these in by hand or while recording
  9.700 left shop anna          and really left it. Who has no marks really passed by
  3.000 offline door            the reader was gone, and
  5.000 online door             back
Exit status: 0 done, 1 a file cannot be read or nothing can be learnt from it, 2 the command was not understood.
`

// maxRecording bounds a recording of reads.
const maxRecording = 256 << 20

func presenceCommand(args []string, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		fmt.Fprint(stderr, presenceHelp)
		return 2
	}
	switch args[0] {
	case "tune":
		return presenceTune(args[1:], stdout, stderr)
	case "list":
		table := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
		for _, s := range trace.Scenarios {
			fmt.Fprintf(table, "%s\t%s\n", s.Name, s.About)
		}
		table.Flush()
		return 0
	case "make":
		return presenceMake(args[1:], stdout, stderr)
	case "-h", "--help", "help":
		fmt.Fprint(stdout, presenceHelp)
		return 0
	}
	fmt.Fprintf(stderr, "foyer presence %.40q: want tune, list or make\n\n%s", args[0], presenceHelp)
	return 2
}

func presenceMake(args []string, stdout, stderr io.Writer) int {
	seed := uint64(1)
	if len(args) == 2 {
		n, err := strconv.ParseUint(args[1], 10, 64)
		if err != nil {
			fmt.Fprintf(stderr, "seed %.20q: want a whole number\n", args[1])
			return 2
		}
		seed = n
	}
	if len(args) < 1 || len(args) > 2 {
		fmt.Fprint(stderr, presenceHelp)
		return 2
	}
	s, ok := trace.Find(args[0])
	if !ok {
		fmt.Fprintf(stderr, "no scenario %.40q: foyer presence list names them\n", args[0])
		return 1
	}
	fmt.Fprintf(stdout, "# %s, seed %d: %s\n", s.Name, seed, s.About)
	if err := trace.Write(stdout, s.Scene(seed).Make(seed)); err != nil {
		fmt.Fprintln(stderr, err)
		return 1
	}
	return 0
}

func presenceTune(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("foyer presence tune", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() { fmt.Fprint(stderr, presenceHelp) }
	zone := flags.String("zone", "", "the zone; default: the only one with marks")
	readers := flags.String("readers", "", "its readers, with commas; default: all")
	svg := flags.String("svg", "", "where to draw")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return 0
	} else if err != nil {
		return 2
	}
	if flags.NArg() != 1 {
		fmt.Fprint(stderr, presenceHelp)
		return 2
	}
	name := flags.Arg(0)
	if *svg == "" {
		*svg = name + ".svg"
	}
	if err := tune(name, *zone, *readers, *svg, stdout); err != nil {
		fmt.Fprintf(stderr, "tune %s: %v\n", name, err)
		return 1
	}
	return 0
}

func tune(name, zone, readers, svg string, stdout io.Writer) error {
	t, err := loadTrace(name)
	if err != nil {
		return err
	}
	z, err := zoneOf(t, zone, readers)
	if err != nil {
		return err
	}
	trials, err := trace.Tune(t, z)
	if err != nil {
		return err
	}
	best := trials[0]
	decided, err := trace.Play(t, []presence.Zone{best.Zone})
	if err != nil {
		return err
	}
	var drawn bytes.Buffer
	if err := trace.Plot(&drawn, t, best.Zone, decided); err != nil {
		return err
	}
	if err := os.WriteFile(svg, drawn.Bytes(), 0o644); err != nil {
		return fmt.Errorf("draw: %w", err)
	}
	return report(stdout, trials)
}

// report prints the best settings and the table of those that come next, one for each different outcome.
func report(w io.Writer, trials []trace.Trial) error {
	fmt.Fprintln(w, "# what the recording asks for; name, role and readers are yours to add")
	fmt.Fprintln(w, "zones:")
	if err := trace.WriteYAML(w, trials[0].Zone); err != nil {
		return err
	}
	fmt.Fprintf(w, "\n# the best of %d settings tried\n", len(trials))
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "F1\tREAL\tMISSED\tFALSE\tFLAPS\tPASSERS-BY\tLATENCY\t95 %\tPARTING\tSETTINGS")
	seen := map[string]bool{}
	for _, t := range trials {
		s := t.Score
		line := fmt.Sprintf("%.4f\t%d\t%d\t%d\t%d\t%d of %d\t%.2fs\t%.2fs\t%.1fs", s.F1(), s.Real, s.Missed, s.False, s.Flaps, s.Greeted, s.Passers,
			s.Latency(0.5).Seconds(), s.Latency(0.95).Seconds(), s.Parting(0.5).Seconds())
		if seen[line] {
			continue
		}
		if seen[line] = true; len(seen) > 8 {
			break
		}
		fmt.Fprintf(table, "%s\t%s\n", line, trace.Settings(t.Zone))
	}
	return table.Flush()
}

func loadTrace(name string) (trace.Trace, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return trace.Parse(io.LimitReader(f, maxRecording))
}

// zoneOf is the zone to be tuned, with its readers.
func zoneOf(t trace.Trace, id, readers string) (presence.Zone, error) {
	var zones, all []string
	for _, e := range t {
		if e.Kind == trace.Arrived && !slices.Contains(zones, e.Zone) {
			zones = append(zones, e.Zone)
		}
		if e.Kind == trace.Read && !slices.Contains(all, e.Reader) {
			all = append(all, e.Reader)
		}
	}
	z := presence.Zone{ID: id, Role: presence.Entrance, Readers: all}
	if readers != "" {
		z.Readers = strings.Split(readers, ",")
	}
	switch {
	case id == "" && len(zones) == 0:
		return z, errors.New("nobody is marked as having really arrived: add lines like \"0.100 arrived shop anna\"")
	case id == "" && len(zones) > 1:
		return z, fmt.Errorf("marks in the zones %q: choose one with -zone, and its readers with -readers", zones)
	case id == "":
		z.ID = zones[0]
	}
	return z, nil
}
