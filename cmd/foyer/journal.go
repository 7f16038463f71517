package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"foyer/sync/journal"
	"foyer/sync/vault"
	"foyer/sync/wire"
)

const journalHelp = `foyer journal ls PATH           what a journal holds, without its contents
foyer journal verify PATH       reads every record and checks it against its checksum
foyer journal export PATH       every record as one line of JSON; what is of a person stays sealed
foyer journal export --cloudevents --chain NAME --store NAME [--type com.example.foyer] [--members] PATH
                                every record as a CloudEvent 1.0, without members' pseudonyms unless --members
foyer journal compact PATH      writes the file anew, without what was deleted
foyer journal salvage OLD INTO  brings what is whole in the damaged file OLD into the journal INTO (made when missing)

With --box-key FILE (box.key beside the journal, unless foyerd.yaml has a box_key_file) export opens what is sealed, with the
keys in persons.keys beside the journal. What is sealed and cannot be opened is printed as {"sealed":"..."}.

The journal must not be in use: stop its foyerd first, or copy the file.
Exit status: 0 all is well, 1 something is wrong with the file, 2 the command was not understood.
`

// journalVerbs are the commands, each with the files that it wants.
var journalVerbs = map[string]struct {
	files int
	run   func(stdout io.Writer, files []string, keys *vault.Vault) error
}{
	"ls":      {1, inspectWith(listJournal)},
	"verify":  {1, inspectWith(judgeJournal)},
	"export":  {1, exportJournal},
	"compact": {1, compactJournal},
	"salvage": {2, salvageJournal},
}

// journalCommand looks into a journal's file, or mends it.
func journalCommand(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("foyer journal", flag.ContinueOnError)
	flags.SetOutput(stderr)
	boxKey := flags.String("box-key", "", "")
	flags.Usage = func() { fmt.Fprint(stderr, journalHelp) }
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return 0
	} else if err != nil {
		return 2
	}
	if flags.Arg(0) == "export" && flags.NArg() > 2 {
		return exportEvents(flags.Args()[1:], *boxKey, stdout, stderr)
	}
	verb, known := journalVerbs[flags.Arg(0)]
	if !known || flags.NArg() != verb.files+1 {
		fmt.Fprint(stderr, journalHelp)
		return 2
	}
	files := flags.Args()[1:]
	keys, err := keysBeside(files[0], *boxKey)
	if err == nil {
		err = verb.run(stdout, files, keys)
	}
	if err != nil {
		fmt.Fprintf(stderr, "foyer journal: %v\n", err)
		return 1
	}
	return 0
}

// keysBeside opens the keys of persons that are beside a journal; nil without a box key.
func keysBeside(path, boxKey string) (*vault.Vault, error) {
	if boxKey == "" {
		return nil, nil
	}
	box, err := vault.ReadBox(boxKey)
	if err != nil {
		return nil, err
	}
	return vault.Read(filepath.Join(filepath.Dir(path), "persons.keys"), box)
}

func inspectWith(show func(io.Writer, *journal.Report, error)) func(io.Writer, []string, *vault.Vault) error {
	return func(stdout io.Writer, files []string, _ *vault.Vault) error {
		report, err := journal.Inspect(files[0])
		if report != nil {
			show(stdout, report, err)
		}
		return err
	}
}

// exportJournal prints records as JSON where they are JSON, and in base64 where they are not.
func exportJournal(stdout io.Writer, files []string, keys *vault.Vault) error {
	out := json.NewEncoder(stdout)
	return journal.Export(files[0], func(e journal.Exported) error {
		line := struct {
			Lane   string `json:"lane"`
			Seq    uint64 `json:"seq"`
			Class  string `json:"class"`
			Record any    `json:"record"`
		}{e.Lane, e.Seq, e.Class.String(), e.Payload}
		payload, sealed := opened(e.Payload, keys)
		switch {
		case sealed:
			line.Record = map[string][]byte{"sealed": payload}
		case json.Valid(payload):
			line.Record = json.RawMessage(payload)
		}
		return out.Encode(line)
	})
}

// opened opens a record, and reports whether it is still sealed.
func opened(payload []byte, keys *vault.Vault) ([]byte, bool) {
	if !vault.Sealed(payload) {
		return payload, false
	}
	if keys != nil {
		if plain, err := keys.Open("record", payload); err == nil {
			return plain, false
		}
	}
	return payload, true
}

func compactJournal(stdout io.Writer, files []string, _ *vault.Vault) error {
	before, err := os.Stat(files[0])
	if err != nil {
		return err
	}
	j, err := journal.Open(files[0], journal.Options{})
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- j.Run(ctx) }()
	err = j.Compact(context.Background())
	stop()
	if err = errors.Join(err, <-ended, j.Close()); err != nil {
		return err
	}
	after, err := os.Stat(files[0])
	if err == nil {
		fmt.Fprintf(stdout, "%d bytes became %d\n", before.Size(), after.Size())
	}
	return err
}

func salvageJournal(stdout io.Writer, files []string, _ *vault.Vault) error {
	r, err := journal.Salvage(context.Background(), files[0], files[1], wire.Lanes, journal.Options{})
	if r == nil {
		return err
	}
	fmt.Fprintf(stdout, "%d pages are damaged\n", r.DamagedPages)
	lost := uint64(0)
	for _, l := range r.Lanes {
		fmt.Fprintf(stdout, "lane %s: %d records brought over, %d left out because every reader had them\n", l.Lane, l.Recovered, l.Had)
		for _, region := range l.Lost {
			fmt.Fprintf(stdout, "lane %s: LOST %d to %d\n", l.Lane, region.First, region.Last)
			lost += region.Last - region.First + 1
		}
	}
	fmt.Fprintf(stdout, "%d keys of state and %d snapshots brought over\n", r.State, r.Snapshots)
	if !r.CursorsKnown {
		fmt.Fprintln(stdout, "What headquarters has already could not be told: it gets some of this a second time, under new numbers.")
	}
	if lost > 0 {
		fmt.Fprintf(stdout, "%d records are lost.\n", lost)
	}
	return err
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

// exportEvents prints records as integrators get them from headquarters. What is no record is passed over and told.
func exportEvents(args []string, boxKey string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("foyer journal export", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() { fmt.Fprint(stderr, journalHelp) }
	events, store := flags.Bool("cloudevents", false, ""), flags.String("store", "", "")
	var o wire.Outside
	flags.StringVar(&o.Chain, "chain", "", "")
	flags.StringVar(&o.Prefix, "type", "", "")
	flags.BoolVar(&o.Members, "members", false, "")
	flags.StringVar(&boxKey, "box-key", boxKey, "")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return 0
	} else if err != nil {
		return 2
	}
	fault := (wire.Place{Chain: o.Chain, Store: *store}).Check()
	if fault == nil && o.Prefix != "" {
		fault = wire.CheckPrefix(o.Prefix)
	}
	if !*events || flags.NArg() != 1 || fault != nil {
		fmt.Fprintln(stderr, "foyer journal export: want --cloudevents, --chain and --store as in foyerd.yaml, and one journal;", fault)
		return 2
	}
	keys, err := keysBeside(flags.Arg(0), boxKey)
	if err == nil {
		err = writeEvents(stdout, flags.Arg(0), *store, o, keys)
	}
	if err != nil {
		fmt.Fprintf(stderr, "foyer journal: %v\n", err)
		return 1
	}
	return 0
}

func writeEvents(stdout io.Writer, path, store string, o wire.Outside, keys *vault.Vault) error {
	report, err := journal.Inspect(path)
	if report == nil {
		return err
	}
	out, bad, shut := json.NewEncoder(stdout), 0, 0
	err = journal.Export(path, func(e journal.Exported) error {
		payload, sealed := opened(e.Payload, keys)
		if sealed {
			shut++
			return nil
		}
		r, err := wire.DecodeRecord(payload)
		if err != nil {
			bad++
			return nil
		}
		return out.Encode(o.Event(store, report.Epoch, e.Lane, e.Seq, r))
	})
	if err == nil && bad+shut > 0 {
		err = fmt.Errorf("%d entries are no records and %d are sealed without their key; they were passed over", bad, shut)
	}
	return err
}
