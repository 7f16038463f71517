package main

import (
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"io"
	"regexp"
	"strings"
)

//go:embed skeleton.yaml
var skeleton string

var newID = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,31}$`)

// profileNew prints a profile to begin with. It is sound as it stands, so that whatever check says later is about what was
// changed.
func profileNew(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("foyer profile new", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() { fmt.Fprint(stderr, profileHelp) }
	from := flags.String("from", "", "a recording to begin with")
	args, err := mixed(flags, args)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil || len(args) != 1 || !newID.MatchString(args[0]) {
		fmt.Fprintf(stderr, "foyer profile new ID: want 1 to 32 lower case letters, digits and dashes\n\n%s", profileHelp)
		return 2
	}
	if *from != "" {
		return profileFrom(args[0], *from, stdout, stderr)
	}
	fmt.Fprint(stdout, strings.ReplaceAll(skeleton, "NEW-ID", args[0]))
	return 0
}
