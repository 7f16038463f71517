package main

import (
	"errors"
	"flag"
	"fmt"
	"io"

	"foyer/sync/content"
)

const contentHelp = `foyer content ls FOLDER      the content packs of a store: what is in force, and the one before
foyer content verify FOLDER  reads every file and compares it with its digest
foyer content gc FOLDER      removes files that no pack needs, and damaged ones: foyerd fetches these again

FOLDER is "packs" in the data folder of foyerd. gc needs a foyerd that is stopped; while it runs it does that by itself.
Exit status: 0 all is well, 1 something is wrong with the files, 2 the command was not understood.
`

// contentCommand looks into a store's content packs.
func contentCommand(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("foyer content", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() { fmt.Fprint(stderr, contentHelp) }
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return 0
	} else if err != nil {
		return 2
	}
	do := map[string]func(string, io.Writer) error{"ls": listContent, "verify": verifyContent, "gc": sweepContent}[flags.Arg(0)]
	if do == nil || flags.NArg() != 2 {
		fmt.Fprint(stderr, contentHelp)
		return 2
	}
	if err := do(flags.Arg(1), stdout); err != nil {
		fmt.Fprintf(stderr, "foyer content: %v\n", err)
		return 1
	}
	return 0
}

func listContent(dir string, w io.Writer) error {
	all, err := content.Inspect(dir)
	var faults []error
	for _, h := range all {
		state := "in force"
		if h.Before {
			state = "kept from before"
		}
		if h.Err != nil {
			faults = append(faults, fmt.Errorf("pack %s (%s): %w", h.Pack, state, h.Err))
			continue
		}
		fmt.Fprintf(w, "%s version %d, %s: %d files, %d bytes\n", h.Pack, h.Version, state, len(h.Files), h.Bytes())
		if !h.Before {
			for _, f := range h.Files {
				fmt.Fprintf(w, "%12d  %s\n", f.Size, f.Path)
			}
		}
	}
	return errors.Join(append(faults, err)...)
}

func verifyContent(dir string, w io.Writer) error {
	all, err := content.Inspect(dir)
	if err != nil {
		return err
	}
	var faults []error
	files := 0
	for _, h := range all {
		if h.Err != nil {
			faults = append(faults, fmt.Errorf("pack %s: %w", h.Pack, h.Err))
		}
		for _, f := range h.Files {
			files++
			if err := content.Verify(dir, f); err != nil {
				faults = append(faults, fmt.Errorf("pack %s version %d, file %s: %w", h.Pack, h.Version, f.Path, err))
			}
		}
	}
	if len(faults) == 0 {
		fmt.Fprintf(w, "good: %d files of %d releases\n", files, len(all))
	}
	return errors.Join(faults...)
}

func sweepContent(dir string, w io.Writer) error {
	n, err := content.Sweep(dir)
	if err == nil {
		fmt.Fprintf(w, "%d bytes removed\n", n)
	}
	return err
}
