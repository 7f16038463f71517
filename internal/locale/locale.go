// Package locale gives a process whose box has no language one that Fyne can read. Without, Fyne complains on the error
// output of every program that it is linked into, before that program has begun.
//
// In and out: the environment of the process. Importing it is enough: its name sorts before Fyne's, so that it is
// initialised first. It never changes a language that was set. Called by nobody; imported by cmd/foyer.
package locale

import "os"

func init() {
	for _, key := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		switch v := os.Getenv(key); v {
		case "":
			continue
		case "C", "POSIX", "C.UTF-8":
			os.Setenv(key, "en_US.UTF-8")
		}
		return
	}
	os.Setenv("LANG", "en_US.UTF-8")
}
