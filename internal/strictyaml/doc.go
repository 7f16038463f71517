// Package strictyaml reads one YAML document into a struct and tells every fault at once.
//
// In: the bytes of a file, its name for messages, and a pointer to a struct with `yaml:"key"` or `yaml:"key,required"`
// tags; what the struct held before are the defaults. Out: the struct, and a Doc that collects faults, each as
// "file:line: path: what was wrong, what was expected". The caller adds its own by path, so that a broken rule is told
// with its line like a typo is.
// It never accepts an unknown or repeated key, an alias, a second document, or a number where text is wanted.
// Called by firmware-profiles, and by internal/daemon for its configuration.
//
// A field may be a string, bool, integer, float, time.Duration ("250ms"), a slice, a map with string keys, a struct, a
// pointer to one of them, or a type with UnmarshalText. A string type with Words() []string takes only those words.
package strictyaml

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// The bounds of a document: far above any honest file, far below what would hurt.
const (
	MaxBytes  = 1 << 20
	MaxDepth  = 32
	maxFaults = 100
)

// Fault is one thing wrong with a file.
type Fault struct {
	File string
	Line int    // 1-based; 0 if the fault has no place
	Path string // "frame.start", "reads[0].name"; empty for the whole document
	Text string // what was wrong, what was expected
}

func (f Fault) Error() string {
	var b strings.Builder
	b.WriteString(f.File)
	if f.Line > 0 {
		b.WriteString(":" + strconv.Itoa(f.Line))
	}
	if f.Path != "" {
		b.WriteString(": " + f.Path)
	}
	return b.String() + ": " + f.Text
}

// Faults is every thing wrong with a file, by line.
type Faults []Fault

func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i, fault := range f {
		lines[i] = fault.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap gives the faults one by one to errors.As.
func (f Faults) Unwrap() []error {
	errs := make([]error, len(f))
	for i, fault := range f {
		errs[i] = fault
	}
	return errs
}

// Doc is a document that was read, and what is wrong with it.
type Doc struct {
	name   string
	lines  map[string]int  // path to line
	broken map[string]bool // paths whose value was refused while decoding
	faults Faults
	more   int // faults beyond maxFaults
}

// Decode reads data into the struct that into points to. Fields of faulty keys keep their defaults. It panics if into
// holds a type that the package comment does not name: that is a programmer's error, which any test of the caller shows.
func Decode(name string, data []byte, into any) *Doc {
	d := &Doc{name: name, lines: map[string]int{"": 1}, broken: map[string]bool{}}
	root := d.parse(data)
	if root != nil {
		d.decodeRoot(root, into)
	}
	for _, f := range d.faults {
		d.broken[f.Path] = true
	}
	return d
}

// At adds a fault of the caller's own, at the line of path or of the nearest part of the document that stands above it.
// It is silent about a path whose value Decode refused: what stands in the struct then is not what was written.
func (d *Doc) At(path, format string, args ...any) {
	if d.broken[path] {
		return
	}
	d.add(d.Line(path), path, fmt.Sprintf(format, args...))
}

// Line returns the line of path, or of its nearest ancestor that is in the document.
func (d *Doc) Line(path string) int {
	for {
		if line, ok := d.lines[path]; ok {
			return line
		}
		path = path[:max(0, strings.LastIndexAny(path, ".["))]
	}
}

// Has reports whether the document itself holds path.
func (d *Doc) Has(path string) bool {
	_, ok := d.lines[path]
	return ok
}

// OK reports whether nothing is wrong so far.
func (d *Doc) OK() bool { return d.Count() == 0 }

// Count returns how many faults there are so far.
func (d *Doc) Count() int { return len(d.faults) + d.more }

// Err returns all faults by line as a Faults, or nil.
func (d *Doc) Err() error {
	if d.OK() {
		return nil
	}
	faults := slices.Clone(d.faults)
	slices.SortStableFunc(faults, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Path, b.Path))
	})
	if d.more > 0 {
		faults = append(faults, Fault{File: d.name, Text: fmt.Sprintf("and %d more faults", d.more)})
	}
	return faults
}

func (d *Doc) add(line int, path, text string) {
	if len(d.faults) >= maxFaults {
		d.more++
		return
	}
	d.faults = append(d.faults, Fault{d.name, line, path, strings.ReplaceAll(text, "\n", " ")})
}

// parse returns the top node, or nil if there is none to decode.
func (d *Doc) parse(data []byte) *yaml.Node {
	if len(data) > MaxBytes {
		d.add(0, "", fmt.Sprintf("the file has %d bytes, want at most %d", len(data), MaxBytes))
		return nil
	}
	decoder := yaml.NewDecoder(strings.NewReader(string(data)))
	var doc, second yaml.Node
	if err := decoder.Decode(&doc); err != nil {
		d.syntax(err)
		return nil
	}
	if len(doc.Content) == 0 || doc.Content[0].ShortTag() == "!!null" {
		d.add(1, "", "the file is empty, want keys and values")
		return nil
	}
	switch err := decoder.Decode(&second); {
	case err == nil:
		d.add(second.Line, "", "a second document starts here, want one document a file")
	case err != io.EOF:
		d.syntax(err)
	}
	return doc.Content[0]
}

var lineInMessage = regexp.MustCompile(`^(?:yaml: )?(?:line (\d+): )?(.*)`)

// syntax tells what the parser could not read. The parser puts the line into its text.
func (d *Doc) syntax(err error) {
	if err == io.EOF {
		d.add(1, "", "the file is empty, want keys and values")
		return
	}
	text := err.Error()
	if broken, ok := errors.AsType[*yaml.TypeError](err); ok {
		text = strings.Join(broken.Errors, "; ")
	}
	parts := lineInMessage.FindStringSubmatch(text)
	line, _ := strconv.Atoi(parts[1]) // no line, then 0
	d.add(line, "", "not YAML: "+parts[2])
}
