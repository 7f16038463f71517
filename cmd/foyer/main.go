// Command foyer is the chain's tool: it plays a whole chain, checks reader profiles, decodes tags, reads journals and
// makes keys. It opens nothing that foyerd holds.
package main

import (
	"fmt"
	"io"
	"os"
)

// command runs with what follows its name and returns the exit code: 0 good, 1 it went wrong, 2 it was called wrongly.
type command func(args []string, stdout, stderr io.Writer) int

var commands = []struct {
	name, does string
	run        command
}{
	{"demo", "a headquarters, a store, two readers and two screens on this machine", demoCommand},
	{"profile", "check, list and play reader profiles", profileCommand},
	{"reader", "record what a reader says; find out which profile fits", readerCommand},
	{"doctor", "look at what is plugged in, and say what to do", doctorCommand},
	{"presence", "find a zone's settings from a recording of reads", presenceCommand},
	{"tag", "decode a tag's number", tagCommand},
	{"print", "print a document, or show what it would look like", printCommand},
	{"printer", "the printers that are known; ask one how it is", printerCommand},
	{"sim", "play a reader, a printer, or a chain's stores", simCommand},
	{"journal", "look into a store's journal", journalCommand},
	{"content", "look into a store's content packs", contentCommand},
	{"pack", "check, build and play demo packs", packCommand},
	{"keys", "make a chain's tag key", keysCommand},
}

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		usage(stderr)
		return 2
	}
	for _, c := range commands {
		if c.name == args[0] {
			return c.run(args[1:], stdout, stderr)
		}
	}
	if args[0] == "help" || args[0] == "-h" || args[0] == "--help" {
		usage(stdout)
		return 0
	}
	fmt.Fprintf(stderr, "foyer: no command %q\n\n", args[0])
	usage(stderr)
	return 2
}

func usage(w io.Writer) {
	fmt.Fprintln(w, "foyer COMMAND ...; each says more with -h")
	for _, c := range commands {
		fmt.Fprintf(w, "  %-9s %s\n", c.name, c.does)
	}
}
