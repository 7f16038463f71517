package daemon

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	profiles "foyer/firmware-profiles"
	"foyer/internal/strictyaml"
	"foyer/reader/frame"
)

// shelf holds the profiles that readers may name: those built in, those of a folder, which go before them, and single files.
// It belongs to one goroutine. What is broken does not count: the last good form of a file stays.
type shelf struct {
	folder string // empty: none
	files  []string
	seen   map[string]page // as of the last look
	judged map[string]page // what good and bad stand for
	good   map[string]*profiles.Profile
	bad    map[string]error
}

// page is a file as one look found it.
type page struct {
	text string
	err  string // why it could not be read
	gone bool
}

// newShelf reads everything once.
func newShelf(folder string, files []string) (*shelf, error) {
	s := &shelf{folder: folder, files: files, judged: map[string]page{}, good: map[string]*profiles.Profile{}, bad: map[string]error{}}
	pages, err := s.read()
	for path, p := range pages {
		s.judge(path, p)
	}
	s.seen = pages
	return s, err
}

// look reads everything again, and reports whether there is news. A file counts once two looks in a row found the same: an
// editor may write it in two steps.
func (s *shelf) look() bool {
	pages, err := s.read()
	if err != nil {
		return false // the folder cannot be read now: that says nothing of what is in it
	}
	news := false
	for path := range s.judged {
		if _, still := pages[path]; !still {
			pages[path] = page{gone: true}
		}
	}
	for path, p := range pages {
		if p == s.seen[path] && p != s.judged[path] {
			s.judge(path, p)
			news = true
		}
	}
	s.seen = pages
	return news
}

// read takes all files as they are now.
func (s *shelf) read() (map[string]page, error) {
	pages := map[string]page{}
	for _, path := range s.files {
		pages[path] = readPage(path)
	}
	if s.folder == "" {
		return pages, nil
	}
	entries, err := os.ReadDir(s.folder)
	for _, e := range entries {
		if plain := e.Type()&^fs.ModeSymlink == 0; plain && isFile(e.Name()) && !strings.HasPrefix(e.Name(), ".") {
			path := filepath.Join(s.folder, e.Name())
			pages[path] = readPage(path)
		}
	}
	return pages, err
}

func readPage(path string) page {
	f, err := os.Open(path)
	if err != nil {
		return page{err: err.Error(), gone: errors.Is(err, fs.ErrNotExist)}
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, strictyaml.MaxBytes+1)) // one over, so that too large is told
	if err != nil {
		return page{err: err.Error()}
	}
	return page{text: string(text)}
}

// judge takes a file's new form, or says why not.
func (s *shelf) judge(path string, p page) {
	if p.gone && !slices.Contains(s.files, path) { // taken out of the folder
		delete(s.judged, path)
		delete(s.good, path)
		delete(s.bad, path)
		return
	}
	s.judged[path] = p
	if p.gone || p.err != "" {
		s.bad[path] = fmt.Errorf("%s cannot be read: %s", path, strings.TrimPrefix(p.err, "open "+path+": "))
		if p.gone {
			s.bad[path] = fmt.Errorf("%s is gone", path)
		}
		return
	}
	profile, err := profiles.Parse(path, []byte(p.text))
	if err == nil {
		err = frame.CheckExamples(profile)
	}
	if err != nil {
		s.bad[path] = err
		return
	}
	s.good[path] = profile
	delete(s.bad, path)
}

// recall gives broken files the last good form that was kept of them.
func (s *shelf) recall(kept map[string][]byte) {
	for path := range s.bad {
		if text, ok := kept[path]; ok && s.good[path] == nil {
			if p, err := profiles.Parse(path, text); err == nil { // an older program's may not be
				s.good[path] = p
			}
		}
	}
}

// sound lists the files that are good as they are, with their texts.
func (s *shelf) sound() map[string]string {
	texts := map[string]string{}
	for path := range s.good {
		if s.bad[path] == nil {
			texts[path] = s.judged[path].text
		}
	}
	return texts
}

// find returns the profile that a reader's configuration names, nil if there is none, and what is wrong with its file.
func (s *shelf) find(name string) (*profiles.Profile, error) {
	if isFile(name) {
		return s.good[name], s.bad[name]
	}
	var found *profiles.Profile
	var trouble []error
	for _, path := range s.shelved() {
		p, ok := s.good[path]
		switch {
		case ok && p.ID == name && found != nil:
			trouble = append(trouble, fmt.Errorf("%s: id: %s has the id %q too, and counts", path, filepath.Base(found.File), name))
		case ok && p.ID == name:
			found = p
		}
		if err := s.bad[path]; err != nil && (ok && p.ID == name || !ok && idIn(s.judged[path].text) == name) {
			trouble = append(trouble, err)
		}
	}
	if found == nil {
		found, _ = profiles.Find(name)
	}
	if found == nil {
		trouble = append(trouble, fmt.Errorf("no profile %q, want one of %s, or a file that ends in .yaml", name, s.ids()))
	}
	return found, errors.Join(trouble...)
}

// shelved lists the files of the folder.
func (s *shelf) shelved() []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(s.judged)), func(path string) bool { return filepath.Dir(path) != s.folder })
}

// ids lists what a reader may name.
func (s *shelf) ids() string {
	ids := map[string]bool{}
	for _, p := range profiles.Builtin() {
		ids[p.ID] = true
	}
	for _, path := range s.shelved() {
		if p := s.good[path]; p != nil {
			ids[p.ID] = true
		}
	}
	return strings.Join(slices.Sorted(maps.Keys(ids)), ", ")
}

func isFile(name string) bool { return strings.HasSuffix(name, ".yaml") }

var idLine = regexp.MustCompile(`(?m)^id:[ \t]*["']?([a-z0-9-]+)`)

// idIn guesses what a broken profile is called.
func idIn(text string) string {
	if parts := idLine.FindStringSubmatch(text); parts != nil {
		return parts[1]
	}
	return ""
}
