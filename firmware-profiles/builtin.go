package profiles

import (
	"embed"
	"io/fs"
	"slices"
	"strings"
	"sync"
)

//go:embed readers/*.yaml
var files embed.FS

// builtin is parsed once. It panics only if an embedded file is broken, which the tests make impossible.
var builtin = sync.OnceValue(func() []*Profile {
	names, err := fs.Glob(files, "readers/*.yaml")
	if err != nil {
		panic(err)
	}
	all := make([]*Profile, len(names))
	for i, name := range names {
		data, err := files.ReadFile(name)
		if err != nil {
			panic(err)
		}
		if all[i], err = Parse(name, data); err != nil {
			panic(err)
		}
	}
	slices.SortFunc(all, func(a, b *Profile) int { return strings.Compare(a.ID, b.ID) }) // by file, "a-b" is before "a"
	return all
})

// Builtin returns the profiles that come with the program, by id.
func Builtin() []*Profile { return append([]*Profile(nil), builtin()...) }

// Find returns the built-in profile with the id.
func Find(id string) (*Profile, bool) {
	for _, p := range builtin() {
		if p.ID == id {
			return p, true
		}
	}
	return nil, false
}
