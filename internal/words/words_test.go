package words

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

var mark = regexp.MustCompile(`\{[a-z_]+\}`)

// Both languages are equals: the same keys, the same marks, nothing empty.
func TestEveryLanguageIsWhole(t *testing.T) {
	c := Load()
	all := map[string]bool{}
	for _, lang := range c.Languages() {
		for _, k := range c.Keys(lang, "") {
			all[k] = true
		}
	}
	for key := range all {
		want := marksOf(c.texts[Fallback][key])
		for _, lang := range c.Languages() {
			if !c.Has(lang, key) {
				t.Errorf("%s.yaml lacks %s", lang, key)
				continue
			}
			text := c.Text(lang, key)
			if strings.TrimSpace(text) == "" {
				t.Errorf("%s.yaml: %s is empty", lang, key)
			}
			if got := marksOf(text); !slices.Equal(got, want) {
				t.Errorf("%s.yaml: %s has marks %v, %s.yaml has %v", lang, key, got, Fallback, want)
			}
		}
	}
}

func marksOf(text string) []string {
	found := mark.FindAllString(text, -1)
	slices.Sort(found)
	return slices.Compact(found)
}

func TestText(t *testing.T) {
	c, err := load(fstest.MapFS{
		"en.yaml":    {Data: []byte("hall:\n  hello: \"Hello, {name}\"\n  only: here\n")},
		"zh-CN.yaml": {Data: []byte("hall:\n  hello: \"{name}，您好\"\n")},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct{ lang, key, want string }{
		{"en", "hall.hello", "Hello, Wang"},
		{"zh-CN", "hall.hello", "Wang，您好"},
		{"zh-CN", "hall.only", "here"},
		{"fr", "hall.hello", "Hello, Wang"},
		{"en", "hall.missing", "hall.missing"},
	} {
		if got := c.Text(tc.lang, tc.key, "name", "Wang"); got != tc.want {
			t.Errorf("Text(%s, %s) = %q, want %q", tc.lang, tc.key, got, tc.want)
		}
	}
}

func TestLoadRefusesANumber(t *testing.T) {
	_, err := load(fstest.MapFS{"en.yaml": {Data: []byte("hall:\n  year: 2026\n")}})
	if err == nil || !strings.Contains(err.Error(), "hall.year") {
		t.Fatalf("got %v, want an error that names hall.year", err)
	}
}

func TestVersionNamesTheWording(t *testing.T) {
	c := Load()
	zh, en := c.Version("zh-CN", "kiosk.join.allow_"), c.Version("en", "kiosk.join.allow_")
	if zh == en || zh != c.Version("zh-CN", "kiosk.join.allow_") || zh == c.Version("zh-CN", "kiosk.join.") {
		t.Errorf("%s %s", zh, en)
	}
}
