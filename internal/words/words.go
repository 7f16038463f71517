// Package words holds every text that people see, one YAML file a language.
//
// In: a language tag ("zh-CN", "en") and a dotted key ("kiosk.home.title").
// Out: the text, with {name} marks filled from the pairs given.
// It never formats dates or money and never chooses a language: callers do.
// Called by the greeting rules, the kiosk screens, the reception page and the headquarters console.
//
// To add a language, add one file: all keys of en.yaml, translated. The test says which are missing.
package words

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"
)

//go:embed *.yaml
var files embed.FS

// Fallback is the language used where a text is missing in the one asked for.
const Fallback = "en"

// Catalogue maps language to key to text. It is immutable once loaded.
type Catalogue struct {
	texts map[string]map[string]string
}

// Load returns the embedded catalogue. It panics only if an embedded file is broken, which the tests make impossible.
var Load = sync.OnceValue(func() *Catalogue {
	c, err := load(files)
	if err != nil {
		panic(err)
	}
	return c
})

func load(dir fs.FS) (*Catalogue, error) {
	names, err := fs.Glob(dir, "*.yaml")
	if err != nil {
		return nil, err
	}
	c := &Catalogue{texts: map[string]map[string]string{}}
	for _, name := range names {
		data, err := fs.ReadFile(dir, name)
		if err != nil {
			return nil, err
		}
		var tree map[string]any
		if err := yaml.Unmarshal(data, &tree); err != nil {
			return nil, fmt.Errorf("read words %s: %w", name, err)
		}
		flat := map[string]string{}
		if err := flatten("", tree, flat); err != nil {
			return nil, fmt.Errorf("read words %s: %w", name, err)
		}
		c.texts[strings.TrimSuffix(path.Base(name), ".yaml")] = flat
	}
	return c, nil
}

func flatten(prefix string, tree map[string]any, into map[string]string) error {
	for k, v := range tree {
		key := prefix + k
		switch v := v.(type) {
		case string:
			into[key] = v
		case map[string]any:
			if err := flatten(key+".", v, into); err != nil {
				return err
			}
		default:
			return fmt.Errorf("%s: want text, got %T (put it in quotes)", key, v)
		}
	}
	return nil
}

// Languages lists the languages, sorted.
func (c *Catalogue) Languages() []string { return slices.Sorted(maps.Keys(c.texts)) }

// Keys lists the keys of one language that start with prefix, sorted.
func (c *Catalogue) Keys(lang, prefix string) []string {
	var keys []string
	for k := range c.texts[lang] {
		if strings.HasPrefix(k, prefix) {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	return keys
}

// Has reports whether the language itself, without fallback, holds the key.
func (c *Catalogue) Has(lang, key string) bool {
	_, ok := c.texts[lang][key]
	return ok
}

// Text returns the text of key in lang. Pairs are name, value, name, value: each {name} in the text becomes its
// value. A key found in no language comes back as itself, so that a gap is seen and nothing breaks.
func (c *Catalogue) Text(lang, key string, pairs ...string) string {
	text, ok := c.texts[lang][key]
	if !ok {
		if text, ok = c.texts[Fallback][key]; !ok {
			return key
		}
	}
	if len(pairs) == 0 {
		return text
	}
	marks := make([]string, len(pairs))
	for i, p := range pairs {
		if i%2 == 0 {
			p = "{" + p + "}"
		}
		marks[i] = p
	}
	return strings.NewReplacer(marks...).Replace(text)
}

// Section returns the texts of one language whose keys start with prefix, fallback included, keyed without the prefix:
// what a web page is given.
func (c *Catalogue) Section(lang, prefix string) map[string]string {
	out := map[string]string{}
	for _, l := range []string{Fallback, lang} {
		for k, v := range c.texts[l] {
			if rest, ok := strings.CutPrefix(k, prefix); ok {
				out[rest] = v
			}
		}
	}
	return out
}

// Version names the wording of all texts whose key begins with prefix, in a language: whoever agreed to it agreed to these
// words. It changes with any of them.
func (c *Catalogue) Version(lang, prefix string) string {
	sum := sha256.New()
	for _, key := range c.Keys(lang, prefix) {
		fmt.Fprintf(sum, "%s\x00%s\x00", key, c.Text(lang, key))
	}
	return lang + "-" + hex.EncodeToString(sum.Sum(nil)[:6])
}
