package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"foyer/sync/journal"
)

const journalHelp = `foyer journal ls PATH      what a journal holds, without its contents
foyer journal verify PATH  reads every record and checks it against its checksum

The journal must not be in use: stop its foyerd first, or copy the file.
Exit status: 0 all is well, 1 something is wrong with the file, 2 the command was not understood.
`

// journalCommand looks into a journal's file and changes nothing.
func journalCommand(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("foyer journal", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() { fmt.Fprint(stderr, journalHelp) }
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return 0
	} else if err != nil {
		return 2
	}
	show := map[string]func(io.Writer, *journal.Report, error){"ls": listJournal, "verify": judgeJournal}[flags.Arg(0)]
	if show == nil || flags.NArg() != 2 {
		fmt.Fprint(stderr, journalHelp)
		return 2
	}
	report, err := journal.Inspect(flags.Arg(1))
	if report != nil {
		show(stdout, report, err)
	}
	if err != nil {
		fmt.Fprintf(stderr, "foyer journal: %v\n", err)
		return 1
	}
	return 0
}

func listJournal(w io.Writer, r *journal.Report, _ error) {
	fmt.Fprintf(w, "format %s, epoch %s, %d bytes\n", r.Format, r.Epoch, r.FileBytes)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, l := range r.Lanes {
		fmt.Fprintf(table, "lane %s\t%d records\t%d to %d\t%d bytes\t%s\n", l.Lane, l.Records, l.First, l.Last, l.Bytes, notesOn(l))
	}
	for _, s := range r.Snapshots {
		fmt.Fprintf(table, "snapshot %s\tversion %d\t\t%d bytes\t\n", s.Kind, s.Version, s.Bytes)
	}
	for _, s := range r.State {
		fmt.Fprintf(table, "state %s\t%d keys\t\t%d bytes\t\n", s.Bucket, s.Keys, s.Bytes)
	}
	table.Flush()
}

func notesOn(l journal.LaneReport) string {
	var notes []string
	for _, name := range slices.Sorted(maps.Keys(l.Cursors)) {
		notes = append(notes, fmt.Sprintf("%s has %d", name, l.Cursors[name]))
	}
	for c, n := range l.GivenUp {
		if n > 0 {
			notes = append(notes, fmt.Sprintf("%d of class %v given up for room", n, journal.Class(c)))
		}
	}
	return strings.Join(notes, ", ")
}

// judgeJournal prints the verdict; the faults themselves follow on the standard error.
func judgeJournal(w io.Writer, r *journal.Report, err error) {
	records := uint64(0)
	for _, l := range r.Lanes {
		records += l.Records
	}
	if err == nil {
		fmt.Fprintf(w, "good: %d records in %d lanes, %d snapshots\n", records, len(r.Lanes), len(r.Snapshots))
		return
	}
	fmt.Fprintln(w, "damaged: what is wrong follows; all other records can be read")
}
