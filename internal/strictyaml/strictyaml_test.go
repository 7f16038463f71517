package strictyaml

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

type colour string

func (colour) Words() []string { return []string{"red", "green"} }

type version struct{ major, minor int }

func (v *version) UnmarshalText(text []byte) error {
	if _, err := fmt.Sscanf(string(text), "%d.%d", &v.major, &v.minor); err != nil {
		return fmt.Errorf("want a version like 1.2, got %q", text)
	}
	return nil
}

type inner struct {
	Colour colour        `yaml:"colour,required"`
	Wait   time.Duration `yaml:"wait"`
}

type sample struct {
	Name    string            `yaml:"name,required"`
	Count   int8              `yaml:"count"`
	Size    uint16            `yaml:"size"`
	Ratio   float64           `yaml:"ratio"`
	On      bool              `yaml:"on"`
	Version version           `yaml:"version"`
	List    []inner           `yaml:"list"`
	One     *inner            `yaml:"one"`
	Map     map[string]string `yaml:"map"`
	Hidden  string
}

func TestDecodeEveryKind(t *testing.T) {
	got := sample{Count: 7, Hidden: "kept"}
	doc := Decode("a.yaml", []byte(`
name: Foyer
size: 65535
ratio: 0.5
on: true
version: 1.10
list:
  - colour: red
  - {colour: green, wait: 1m30s}
one: {colour: red}
map: {a: "1", b: two}
`), &got)
	if err := doc.Err(); err != nil {
		t.Fatal(err)
	}
	want := sample{
		Name: "Foyer", Count: 7, Size: 65535, Ratio: 0.5, On: true, Version: version{1, 10},
		List: []inner{{Colour: "red"}, {"green", 90 * time.Second}}, One: &inner{Colour: "red"},
		Map: map[string]string{"a": "1", "b": "two"}, Hidden: "kept",
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(version{})); diff != "" {
		t.Error(diff)
	}
}

func TestEveryFaultAtOnce(t *testing.T) {
	var got sample
	doc := Decode("a.yaml", []byte(`nme: Foyer
count: 300
on: yes
on: true
list:
  - colour: gren
    wait: 5
  - wait: 5s
one: [1]
version: x
map: {a: 1}
`), &got)
	doc.At("list[1].wait", "%s is too long, want at most 1s", 5*time.Second)
	doc.At("count", "said of a value that was refused already")
	doc.At("one.colour.deep", "said of something that is not there")
	want := strings.Join([]string{
		`a.yaml:1: name: is missing and must be given`,
		`a.yaml:1: nme: unknown key (did you mean "name"?); want one of name, count, size, ratio, on, version, list, one, map`,
		`a.yaml:2: count: got "300", want a whole number`,
		`a.yaml:3: on: got "yes", want true or false`,
		`a.yaml:4: on: is given twice, first in line 3`,
		`a.yaml:6: list[0].colour: got "gren" (did you mean "green"?), want one of red, green`,
		`a.yaml:7: list[0].wait: got "5", want a time with its unit like 250ms, 30s or 5m`,
		`a.yaml:8: list[1].colour: is missing and must be given`,
		`a.yaml:8: list[1].wait: 5s is too long, want at most 1s`,
		`a.yaml:9: one: got a list, want a group of keys`,
		`a.yaml:9: one.colour.deep: said of something that is not there`,
		`a.yaml:10: version: want a version like 1.2, got "x"`,
		`a.yaml:11: map.a: got "1", want text (put it in quotes)`,
	}, "\n")
	if diff := cmp.Diff(want, doc.Err().Error()); diff != "" {
		t.Error(diff)
	}
	if f, ok := errors.AsType[Fault](doc.Err()); !ok || f.Line != 1 {
		t.Errorf("first fault is %v, %v", f, ok)
	}
}

func TestRefusedDocuments(t *testing.T) {
	deep := strings.Repeat("[", MaxDepth+5) + strings.Repeat("]", MaxDepth+5)
	for name, c := range map[string]struct{ data, want string }{
		"empty":       {"", "a.yaml:1: the file is empty, want keys and values"},
		"comment":     {"# nothing\n", "a.yaml:1: the file is empty, want keys and values"},
		"text":        {"hello", `a.yaml:1: got "hello", want a group of keys`},
		"syntax":      {"name: a\nlist: [\n", "a.yaml:2: not YAML: "},
		"tab":         {"name: a\none:\n\tcolour: red\n", "not YAML: "},
		"two":         {"name: a\n---\nname: b\n", "a.yaml:2: a second document starts here"},
		"two, broken": {"name: a\n--- [\n", "not YAML: "},
		"anchor":      {"name: &x a\n", "a.yaml:1: name: an anchor (&name) is not allowed"},
		"alias":       {"name: a\nmap: &m {k: v}\none: *m\n", "a.yaml:3: one: an alias (*name) is not allowed"},
		"merge":       {"name: a\n<<: {count: 1}\n", `a.yaml:2: "<<": unknown key`},
		"tag":         {"name: !!binary aGk=\n", "a.yaml:1: name: a tag (!!binary) is not allowed"},
		"null":        {"name:\n", "a.yaml:1: name: has no value"},
		"strange key": {"name: a\n\"x\\ny\": 2\n", `a.yaml:2: "x\ny": unknown key`},
		"key is list": {"name: a\n? [1]\n: 2\n", "a.yaml:2: a key must be a plain word"},
		"big":         {strings.Repeat("#", MaxBytes+1), "a.yaml: the file has 1048577 bytes, want at most 1048576"},
		"quoted int":  {"name: a\ncount: \"3\"\n", `a.yaml:2: count: got "3", want a whole number`},
		"infinite":    {"name: a\nratio: .inf\n", `a.yaml:2: ratio: got ".inf", want a number`},
		"negative":    {"name: a\none: {colour: red, wait: -5s}\n", "a.yaml:2: one.wait: -5s is negative"},
		"deep":        {"name: a\nlist: " + deep, "a.yaml:2: list[0]: got a list, want a group of keys"},
	} {
		t.Run(name, func(t *testing.T) {
			var got sample
			err := Decode("a.yaml", []byte(c.data), &got).Err()
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
}

type nested struct {
	Next []nested `yaml:"next"`
}

func TestDepthIsBounded(t *testing.T) {
	data := "next: " + strings.Repeat("[{next: ", MaxDepth) + "[]" + strings.Repeat("}]", MaxDepth)
	err := Decode("a.yaml", []byte(data), &nested{}).Err()
	if err == nil || !strings.Contains(err.Error(), "nested deeper than 32 levels") {
		t.Errorf("got %v", err)
	}
}

func TestFaultsAreBounded(t *testing.T) {
	var data strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&data, "key%d: 1\n", i)
	}
	err := Decode("a.yaml", []byte(data.String()), &sample{}).Err()
	faults, _ := errors.AsType[Faults](err)
	if len(faults) != maxFaults+1 || !strings.HasSuffix(err.Error(), "a.yaml: and 901 more faults") {
		t.Errorf("%d faults, last %v", len(faults), faults[len(faults)-1])
	}
}

func TestProgrammersErrorPanics(t *testing.T) {
	for name, into := range map[string]any{
		"not a pointer": sample{},
		"bad field": &struct {
			C chan int `yaml:"name"`
		}{},
		"bad map": &struct {
			M map[int]string `yaml:"name"`
		}{},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			Decode("a.yaml", []byte("name: {a: b}"), into)
			Decode("a.yaml", []byte("name: a"), into)
		})
	}
}

// lineBreaks counts what YAML takes for the end of a line.
func lineBreaks(data []byte) int {
	n := 0
	for _, sep := range []string{"\n", "\r", "\u0085", "\u2028", "\u2029"} {
		n += strings.Count(string(data), sep)
	}
	return n
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte("name: Foyer\nlist:\n  - {colour: red, wait: 1s}\nmap: {a: b}\n"))
	f.Add([]byte("name: &a [*a]\n"))
	f.Add([]byte("? [1]\n: {<<: *x}\n--- 2"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var got sample
		doc := Decode("f", data, &got)
		doc.At("list[3].x", "asked")
		faults, ok := errors.AsType[Faults](doc.Err())
		if !ok || len(faults) > maxFaults+1 {
			t.Fatalf("%d faults", len(faults))
		}
		for _, f := range faults {
			if strings.Contains(f.Error(), "\n") || f.Text == "" || f.Line < 0 || f.Line > 2+lineBreaks(data) {
				t.Fatalf("fault %+v of %q", f, data)
			}
		}
	})
}
