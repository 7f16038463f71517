package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	profiles "foyer/firmware-profiles"
	"foyer/internal/strictyaml"
	"foyer/reader/frame"
)

const profileHelp = `foyer profile list [-lang zh-CN]     the profiles that come with the program
foyer profile check FILE...          is a profile sound? Runs its wire examples too. Every fault is told with file and line.
foyer profile new ID [-from CAPTURE] writes a commented profile to begin with; its fields: firmware-profiles/REFERENCE.md. From a recording
                                     of an unknown reader it takes the framing and the check, as far as they can be proved.
foyer profile play PROFILE CAPTURE   decodes a recording; "foyer profile play -h" names the fields of its output

PROFILE is the id of a profile that comes with the program, or a YAML file.
Exit status: 0 all is well, 1 something is wrong with a file, 2 the command was not understood.
`

// profileCommand is a technician's tool on files. It opens no reader.
func profileCommand(args []string, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		fmt.Fprint(stderr, profileHelp)
		return 2
	}
	switch args[0] {
	case "list":
		return profileList(args[1:], stdout, stderr)
	case "check":
		return profileCheck(args[1:], stdout, stderr)
	case "new":
		return profileNew(args[1:], stdout, stderr)
	case "play":
		return profilePlay(args[1:], stdout, stderr)
	case "-h", "--help", "help":
		fmt.Fprint(stdout, profileHelp)
		return 0
	}
	fmt.Fprintf(stderr, "foyer profile %.40q: want list, check, new or play\n\n%s", args[0], profileHelp)
	return 2
}

func profileList(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("foyer profile list", flag.ContinueOnError)
	flags.SetOutput(stderr)
	lang := flags.String("lang", "en", "language of the titles: en or zh-CN")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return 0
	} else if err != nil {
		return 2
	}
	if flags.NArg() > 0 {
		fmt.Fprint(stderr, profileHelp)
		return 2
	}
	table := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ID\tWIRED\tREPORTS\tPRODUCTS\tTITLE")
	for _, p := range profiles.Builtin() {
		models := make([]string, len(p.About.Products))
		for i, product := range p.About.Products {
			models[i] = product.Model
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", p.ID, p.Kind, p.Report, strings.Join(models, ", "), p.About.Title.In(*lang))
	}
	table.Flush()
	return 0
}

func profileCheck(args []string, stdout, stderr io.Writer) int {
	if len(args) == 0 || strings.HasPrefix(args[0], "-") {
		fmt.Fprint(stderr, profileHelp)
		return 2
	}
	status := 0
	for _, name := range args {
		p, err := loadProfile(name)
		if err == nil {
			err = frame.CheckExamples(p)
		}
		if err != nil {
			fmt.Fprintln(stderr, err)
			status = 1
			continue
		}
		fmt.Fprintf(stdout, "%s: OK: %s, %s, schema %d, products %d, examples %d\n",
			name, p.ID, p.Kind, p.Schema, len(p.About.Products), len(p.Examples))
	}
	return status
}

// loadProfile reads a file, or takes a built-in profile by its id.
func loadProfile(name string) (*profiles.Profile, error) {
	if p, ok := profiles.Find(name); ok {
		return p, nil
	}
	f, err := os.Open(name)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("profile %s: neither a file nor one of the profiles that come with the program (foyer profile list)", name)
	}
	if err != nil {
		return nil, fmt.Errorf("read profile: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, strictyaml.MaxBytes+1)) // one over, so that too large is told
	if err != nil {
		return nil, fmt.Errorf("read profile %s: %w", name, err)
	}
	return profiles.Parse(name, data)
}
