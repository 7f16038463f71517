// Package library holds the demo packs that Foyer ships: their files, as anybody could have written them.
//
// In: nothing. Out: each pack's files. They are checked by the tests of kiosk/screens, like a stranger's would be.
// It never reads or judges a pack. Sizes: all together stay below 6 MB.
// Called by cmd/foyer-kiosk, and by cmd/foyer for its examples.
package library

import (
	"embed"
	"io/fs"
)

//go:embed call tv music race pay map paper plan catch tower
var files embed.FS

// Names lists the packs in the order of the shelf.
var Names = []string{"call", "tv", "race", "catch", "music", "pay", "map", "paper", "plan", "tower"}

// Pack returns a pack's files.
func Pack(name string) fs.FS {
	sub, err := fs.Sub(files, name)
	if err != nil {
		panic(err) // the names are ours
	}
	return sub
}
