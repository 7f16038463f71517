package profiles

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The field reference and the schema for editors are made from the structs and their comments. After a change:
//
//	go test ./firmware-profiles -run TestReference -update
func TestReference(t *testing.T) {
	v := readVocabulary(t)
	schema, err := json.MarshalIndent(v.schema(), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string][]byte{"REFERENCE.md": v.reference(), "profile.schema.json": append(schema, '\n')} {
		if *update {
			if err := os.WriteFile(name, want, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is not what the structs say now: run go test ./firmware-profiles -run TestReference -update", name)
		}
	}
}

// Every key and every word of the built-in profiles is in the schema: an editor must not redden what the program takes.
func TestSchemaKnowsEveryWord(t *testing.T) {
	v := readVocabulary(t)
	for _, typeName := range v.order {
		for _, f := range v.structs[typeName].fields {
			if f.doc == "" && v.structs[f.plain()] == nil && len(v.words[f.plain()]) == 0 && !slices.Contains(plainKeys, f.key) {
				t.Errorf("%s.%s has no comment that the reference could show", typeName, f.key)
			}
		}
	}
	for typeName, words := range map[string][]string{
		"Kind": Kind("").Words(), "Report": Report("").Words(), "Parity": Parity("").Words(), "Scheme": Scheme("").Words(),
		"FramingKind": FramingKind("").Words(), "TextForm": TextForm("").Words(), "Charset": Charset("").Words(), "Order": Order("").Words(),
		"CheckKind": CheckKind("").Words(), "FieldKind": FieldKind("").Words(), "Codec": Codec("").Words(), "Bad": Bad("").Words(),
	} {
		var have []string
		for _, w := range v.words[typeName] {
			have = append(have, w.word)
		}
		slices.Sort(have) // the order tells nothing: kinds are declared in two files
		words = slices.Sorted(slices.Values(words))
		if !slices.Equal(have, words) {
			t.Errorf("%s: the schema has %q, the program takes %q", typeName, have, words)
		}
	}
}

// plainKeys say what they are by themselves.
var plainKeys = []string{"name", "model", "vendor", "en", "zh-CN", "note", "text", "at", "bit", "bits", "start", "stop", "poll", "cadence", "baud"}

type vocabulary struct {
	order   []string // structs, the profile first
	structs map[string]*section
	words   map[string][]word
}

type section struct {
	doc    string
	fields []key
}

type key struct {
	key, kind, doc string
	required       bool
}

type word struct{ word, doc string }

// plain is the type without what makes a list or an option of it.
func (k key) plain() string {
	return strings.TrimPrefix(strings.TrimPrefix(strings.TrimPrefix(k.kind, "*"), "[]"), "*")
}

func readVocabulary(t *testing.T) vocabulary {
	t.Helper()
	v := vocabulary{structs: map[string]*section{}, words: map[string][]word{}}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			if general, ok := d.(*ast.GenDecl); ok {
				v.declared(general)
			}
		}
	}
	v.reach("Profile")
	return v
}

func (v *vocabulary) declared(d *ast.GenDecl) {
	for _, spec := range d.Specs {
		switch s := spec.(type) {
		case *ast.TypeSpec:
			if st, ok := s.Type.(*ast.StructType); ok {
				v.structs[s.Name.Name] = &section{doc: d.Doc.Text(), fields: keysOf(st)}
			}
		case *ast.ValueSpec:
			named, ok := s.Type.(*ast.Ident)
			if !ok || d.Tok != token.CONST || len(s.Values) != 1 {
				continue
			}
			if lit, ok := s.Values[0].(*ast.BasicLit); ok && lit.Kind == token.STRING && lit.Value != `""` {
				text, _ := strconv.Unquote(lit.Value)
				v.words[named.Name] = append(v.words[named.Name], word{text, oneLine(s.Comment)})
			}
		}
	}
}

func keysOf(st *ast.StructType) (keys []key) {
	for _, f := range st.Fields.List {
		if f.Tag == nil {
			continue
		}
		_, tag, _ := strings.Cut(f.Tag.Value, `yaml:"`)
		tag, _, _ = strings.Cut(tag, `"`)
		name, options, _ := strings.Cut(tag, ",")
		if name == "" || name == "-" {
			continue
		}
		doc := oneLine(f.Comment)
		if doc == "" {
			doc = oneLine(f.Doc)
		}
		keys = append(keys, key{name, typeOf(f.Type), doc, options == "required"})
	}
	return keys
}

func oneLine(c *ast.CommentGroup) string { return strings.Join(strings.Fields(c.Text()), " ") }

func typeOf(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return "*" + typeOf(e.X)
	case *ast.ArrayType:
		return "[]" + typeOf(e.Elt)
	case *ast.MapType:
		return "map"
	case *ast.SelectorExpr:
		return "Duration"
	case *ast.Ident:
		return e.Name
	}
	return fmt.Sprintf("%T", e)
}

// reach lists the structs that a profile is made of, each after the one that names it first.
func (v *vocabulary) reach(name string) {
	if v.structs[name] == nil || slices.Contains(v.order, name) {
		return
	}
	v.order = append(v.order, name)
	for _, f := range v.structs[name].fields {
		v.reach(f.plain())
	}
}

// leaves are the types that are neither structs nor vocabularies: how people write them, and for the schema.
var leaves = map[string]struct {
	text   string
	schema map[string]any
}{
	"string":   {"text", map[string]any{"type": "string"}},
	"int":      {"whole number", map[string]any{"type": "integer"}},
	"bool":     {"true or false", map[string]any{"type": "boolean"}},
	"Duration": {"time with its unit, like 250ms", map[string]any{"type": "string", "pattern": `^([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+$|^0$`}},
	"Bytes":    {"bytes in hex, like \"BB 00\"", map[string]any{"type": "string", "pattern": "^ *([0-9A-Fa-f] *[0-9A-Fa-f] *)+$"}},
	"Size":     {"count of bytes, rest or length", map[string]any{"anyOf": []any{map[string]any{"type": "integer", "minimum": 1}, map[string]any{"enum": []string{"rest", "length"}}}}},
	"BitRange": {"bit positions, like \"1-12\"", map[string]any{"type": "string", "pattern": "^[0-9, -]+$"}},
	"map":      {"names by two hex digits", map[string]any{"type": "object", "propertyNames": map[string]any{"pattern": "^[0-9A-F]{2}$"}, "additionalProperties": map[string]any{"type": "string"}}},
}

func (v *vocabulary) reference() []byte {
	var b bytes.Buffer
	b.WriteString("# Reader profiles: field reference\n\nMade from the structs of this folder; do not edit. A profile is one YAML file of one protocol. " +
		"`foyer profile new ID` writes a commented one to begin with, `foyer profile check FILE` says what is wrong with it, " +
		"and `profile.schema.json` lets an editor complete and check it.\n\nAll offsets count in the payload: the bytes of a frame after the start " +
		"bytes and before the check, turned into binary first where the framing says `text: hex`.\n")
	for _, name := range v.order {
		s := v.structs[name]
		fmt.Fprintf(&b, "\n## %s\n\n%s\n| key | type | must | |\n|---|---|---|---|\n", name, strings.TrimSpace(s.doc)+"\n")
		for _, f := range s.fields {
			must := ""
			if f.required {
				must = "yes"
			}
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", f.key, v.kindText(f), must, strings.ReplaceAll(f.doc, "|", "\\|"))
		}
	}
	b.WriteString("\n# Words\n")
	for _, name := range v.vocabularies() {
		fmt.Fprintf(&b, "\n## %s\n\n| word | |\n|---|---|\n", name)
		for _, w := range v.words[name] {
			fmt.Fprintf(&b, "| `%s` | %s |\n", w.word, w.doc)
		}
	}
	return b.Bytes()
}

// vocabularies lists the vocabularies in use, by the order in which a profile meets them.
func (v *vocabulary) vocabularies() (names []string) {
	for _, s := range v.order {
		for _, f := range v.structs[s].fields {
			if p := f.plain(); len(v.words[p]) > 0 && !slices.Contains(names, p) {
				names = append(names, p)
			}
		}
	}
	return names
}

func (v *vocabulary) kindText(f key) string {
	text, prefix := f.plain(), ""
	if strings.Contains(f.kind, "[]") {
		prefix = "list of "
	}
	if leaf, ok := leaves[text]; ok {
		return prefix + leaf.text
	}
	return prefix + "[" + text + "](#" + strings.ToLower(text) + ")"
}

func (v *vocabulary) schema() map[string]any {
	defs := map[string]any{}
	for _, name := range v.order {
		defs[name] = v.object(name)
	}
	for _, name := range v.vocabularies() {
		var words []string
		for _, w := range v.words[name] {
			words = append(words, w.word)
		}
		defs[name] = map[string]any{"enum": words}
	}
	return map[string]any{
		"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Foyer reader profile", "$ref": "#/$defs/Profile", "$defs": defs,
	}
}

func (v *vocabulary) object(name string) map[string]any {
	properties, required := map[string]any{}, []string{}
	for _, f := range v.structs[name].fields {
		var one any = map[string]any{"$ref": "#/$defs/" + f.plain()}
		if leaf, ok := leaves[f.plain()]; ok {
			one = leaf.schema
		}
		if strings.Contains(f.kind, "[]") {
			one = map[string]any{"type": "array", "items": one}
		}
		if f.doc != "" {
			one = map[string]any{"description": f.doc, "allOf": []any{one}}
		}
		properties[f.key] = one
		if f.required {
			required = append(required, f.key)
		}
	}
	return map[string]any{"type": "object", "additionalProperties": false, "properties": properties, "required": required}
}
