package main

import (
	"fmt"
	"io"
	"os"

	"foyer/reader/tag"
)

const keysHelp = `foyer keys new FILE   makes a chain's tag key. Every store of the chain and headquarters need the same file:
                      with another key a card is another card. Keep it as secret as a password list.
                      A box key (box_key_file in foyerd.yaml) is of the same form; each box has one of its own.
`

// keysCommand makes key files. An existing file is never overwritten: its cards would be lost.
func keysCommand(args []string, stdout, stderr io.Writer) int {
	if len(args) != 2 || args[0] != "new" {
		fmt.Fprint(stderr, keysHelp)
		return 2
	}
	f, err := os.OpenFile(args[1], os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		fmt.Fprintf(stderr, "make tag key: %v\n", err)
		return 1
	}
	_, err = f.WriteString(tag.NewSecret())
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		fmt.Fprintf(stderr, "make tag key %s: %v\n", args[1], err)
		return 1
	}
	fmt.Fprintf(stdout, "%s: a new tag key\n", args[1])
	return 0
}
