package strictyaml

import (
	"encoding"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"go.yaml.in/yaml/v3"
)

var (
	textType     = reflect.TypeFor[encoding.TextUnmarshaler]()
	wordsType    = reflect.TypeFor[vocabulary]()
	durationType = reflect.TypeFor[time.Duration]()
)

// vocabulary is a string type that takes only certain words.
type vocabulary interface{ Words() []string }

func (d *Doc) decodeRoot(root *yaml.Node, into any) {
	v := reflect.ValueOf(into)
	if v.Kind() != reflect.Pointer || v.Elem().Kind() != reflect.Struct {
		panic(fmt.Sprintf("strictyaml: decode into %T: want a pointer to a struct", into))
	}
	d.decode(root, v.Elem(), "", 0)
}

// decode sets v from node. What is wrong is added to the faults.
func (d *Doc) decode(node *yaml.Node, v reflect.Value, path string, depth int) {
	if node.Line > 0 && path != "" {
		d.lines[path] = node.Line
	}
	if !d.plain(node, path, depth) {
		return
	}
	t := v.Type()
	switch {
	case t.Kind() == reflect.Pointer:
		target := reflect.New(t.Elem())
		d.decode(node, target.Elem(), path, depth)
		v.Set(target)
	case reflect.PointerTo(t).Implements(textType):
		d.text(node, v, path)
	case t == durationType:
		d.duration(node, v, path)
	case t.Kind() == reflect.Struct:
		d.structure(node, v, path, depth)
	case t.Kind() == reflect.Slice:
		d.list(node, v, path, depth)
	case t.Kind() == reflect.Map:
		d.mapping(node, v, path, depth)
	default:
		d.scalar(node, v, path)
	}
}

// plain refuses what this package does not read at all.
func (d *Doc) plain(node *yaml.Node, path string, depth int) bool {
	switch {
	case depth > MaxDepth:
		d.add(node.Line, path, fmt.Sprintf("nested deeper than %d levels", MaxDepth))
	case node.Kind == yaml.AliasNode:
		d.add(node.Line, path, "an alias (*name) is not allowed, write the value out")
	case node.Anchor != "":
		d.add(node.Line, path, "an anchor (&name) is not allowed, write the value where it is used")
	case node.Kind == yaml.ScalarNode && node.ShortTag() == "!!null":
		d.add(node.Line, path, "has no value, give one or remove the key")
	case node.Style&yaml.TaggedStyle != 0:
		d.add(node.Line, path, fmt.Sprintf("a tag (%.40s) is not allowed, write the plain value", node.Tag))
	default:
		return true
	}
	return false
}

func (d *Doc) structure(node *yaml.Node, v reflect.Value, path string, depth int) {
	if node.Kind != yaml.MappingNode {
		d.wrong(node, path, "a group of keys")
		return
	}
	fields := fieldsOf(v.Type())
	seen := d.pairs(node, path, func(key string, keyNode, value *yaml.Node) {
		i := slices.IndexFunc(fields, func(f field) bool { return f.key == key })
		if i < 0 {
			d.add(keyNode.Line, Join(path, key), unknown(key, fields))
			return
		}
		d.decode(value, v.Field(fields[i].index), Join(path, key), depth+1)
		d.lines[Join(path, key)] = keyNode.Line
	})
	for _, f := range fields {
		if f.required && !seen[f.key] {
			d.add(node.Line, Join(path, f.key), "is missing and must be given")
		}
	}
}

func (d *Doc) mapping(node *yaml.Node, v reflect.Value, path string, depth int) {
	t := v.Type()
	if t.Key().Kind() != reflect.String {
		panic(fmt.Sprintf("strictyaml: %s: want string keys", t))
	}
	if node.Kind != yaml.MappingNode {
		d.wrong(node, path, "a group of keys")
		return
	}
	made := reflect.MakeMap(t)
	d.pairs(node, path, func(key string, keyNode, value *yaml.Node) {
		elem := reflect.New(t.Elem()).Elem()
		d.decode(value, elem, Join(path, key), depth+1)
		d.lines[Join(path, key)] = keyNode.Line
		made.SetMapIndex(reflect.ValueOf(key).Convert(t.Key()), elem)
	})
	v.Set(made)
}

// pairs calls each with the keys of a mapping, a repeated one only once, and returns the keys.
func (d *Doc) pairs(node *yaml.Node, path string, each func(key string, keyNode, value *yaml.Node)) map[string]bool {
	seen := map[string]bool{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		keyNode, value := node.Content[i], node.Content[i+1]
		key := keyNode.Value
		switch {
		case keyNode.Kind != yaml.ScalarNode:
			d.add(keyNode.Line, path, "a key must be a plain word")
		case seen[key]:
			d.add(keyNode.Line, Join(path, key), fmt.Sprintf("is given twice, first in line %d", d.lines[Join(path, key)]))
		default:
			seen[key] = true
			each(key, keyNode, value)
		}
	}
	return seen
}

func (d *Doc) list(node *yaml.Node, v reflect.Value, path string, depth int) {
	if node.Kind != yaml.SequenceNode {
		d.wrong(node, path, "a list")
		return
	}
	made := reflect.MakeSlice(v.Type(), len(node.Content), len(node.Content))
	for i, item := range node.Content {
		d.decode(item, made.Index(i), fmt.Sprintf("%s[%d]", path, i), depth+1)
	}
	v.Set(made)
}

// text hands over what was written, whatever YAML would take it for: 02 stays 02.
func (d *Doc) text(node *yaml.Node, v reflect.Value, path string) {
	if node.Kind != yaml.ScalarNode {
		d.wrong(node, path, "one value")
		return
	}
	if err := v.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(node.Value)); err != nil {
		d.add(node.Line, path, err.Error())
	}
}

func (d *Doc) duration(node *yaml.Node, v reflect.Value, path string) {
	const want = "a time with its unit like 250ms, 30s or 5m"
	if node.Kind != yaml.ScalarNode {
		d.wrong(node, path, want)
		return
	}
	span, err := time.ParseDuration(node.Value)
	switch {
	case err != nil:
		d.wrong(node, path, want)
	case span < 0:
		d.add(node.Line, path, fmt.Sprintf("%.20s is negative, want %s", node.Value, want))
	default:
		v.SetInt(int64(span))
	}
}

func (d *Doc) scalar(node *yaml.Node, v reflect.Value, path string) {
	want, set := scalarKind(v)
	if node.Kind != yaml.ScalarNode || !set(node) {
		d.wrong(node, path, want)
		return
	}
	if v.Kind() == reflect.String && v.Type().Implements(wordsType) {
		words := v.Interface().(vocabulary).Words()
		if !slices.Contains(words, node.Value) {
			v.SetString("")
			d.add(node.Line, path, notAWord(node.Value, words))
		}
	}
}

// scalarKind says what v takes, and how to set it.
func scalarKind(v reflect.Value) (want string, set func(*yaml.Node) bool) {
	switch v.Kind() {
	case reflect.String:
		return "text (put it in quotes)", func(n *yaml.Node) bool {
			v.SetString(n.Value)
			return n.ShortTag() == "!!str"
		}
	case reflect.Bool:
		return "true or false", func(n *yaml.Node) bool {
			v.SetBool(n.Value == "true")
			return n.ShortTag() == "!!bool" && (n.Value == "true" || n.Value == "false")
		}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return "a whole number", func(n *yaml.Node) bool {
			i, err := strconv.ParseInt(n.Value, 10, v.Type().Bits())
			v.SetInt(i)
			return err == nil && n.ShortTag() == "!!int"
		}
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return "a whole number, not negative", func(n *yaml.Node) bool {
			i, err := strconv.ParseUint(n.Value, 10, v.Type().Bits())
			v.SetUint(i)
			return err == nil && n.ShortTag() == "!!int"
		}
	case reflect.Float32, reflect.Float64:
		return "a number", func(n *yaml.Node) bool {
			f, err := strconv.ParseFloat(n.Value, v.Type().Bits())
			v.SetFloat(f)
			return err == nil && !math.IsNaN(f) && !math.IsInf(f, 0) && n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) == 0
		}
	}
	panic(fmt.Sprintf("strictyaml: fields of type %s are not read", v.Type()))
}

func (d *Doc) wrong(node *yaml.Node, path, want string) {
	got := "a group of keys"
	switch node.Kind {
	case yaml.SequenceNode:
		got = "a list"
	case yaml.ScalarNode:
		got = fmt.Sprintf("%.60q", node.Value)
	}
	d.add(node.Line, path, fmt.Sprintf("got %s, want %s", got, want))
}

type field struct {
	key      string
	index    int
	required bool
}

// fieldsOf lists the keys of a struct in the order in which they are declared.
func fieldsOf(t reflect.Type) []field {
	var fields []field
	for i := range t.NumField() {
		key, options, _ := strings.Cut(t.Field(i).Tag.Get("yaml"), ",")
		if key == "" || key == "-" {
			continue
		}
		fields = append(fields, field{key, i, options == "required"})
	}
	return fields
}

func unknown(key string, fields []field) string {
	keys := make([]string, len(fields))
	for i, f := range fields {
		keys[i] = f.key
	}
	return "unknown key" + didYouMean(key, keys) + "; want one of " + strings.Join(keys, ", ")
}

func notAWord(got string, words []string) string {
	return fmt.Sprintf("got %.60q%s, want one of %s", got, didYouMean(got, words), strings.Join(words, ", "))
}

// Join is the path of a key under a path. A key that is no plain word is quoted, so that a message stays one short line.
func Join(path, key string) string {
	if key == "" || len(key) > 64 || strings.ContainsFunc(key, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("_-", r)
	}) {
		key = fmt.Sprintf("%.40q", key)
	}
	if path == "" {
		return key
	}
	return path + "." + key
}
