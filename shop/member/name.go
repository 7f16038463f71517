package member

import (
	"cmp"
	"strings"
	"unicode"
	"unicode/utf8"

	"foyer/internal/words"
)

// Public is the only form of a name that a public screen may show: surname and honorific, "王女士" and "Ms Wang", keyed by
// language. It reports false for who has no title or no family name: a bare surname is rude, a given name is not public.
func (m *Member) Public(w *words.Catalogue) (map[string]string, bool) {
	if m.Family == "" && m.FamilyLatin == "" || m.Title == NoTitle {
		return nil, false
	}
	out := map[string]string{}
	for _, lang := range w.Languages() {
		out[lang] = w.Text(lang, "greeting.honorific."+string(m.Title), "family", m.family(lang))
	}
	return out, true
}

// Called is how staff and the person's own screen call them: like Public, and the full name of who has no title. It
// reports false for who has no name at all.
func (m *Member) Called(w *words.Catalogue) (map[string]string, bool) {
	if names, ok := m.Public(w); ok {
		return names, true
	}
	full := m.full()
	if full == "" {
		return nil, false
	}
	out := map[string]string{}
	for _, lang := range w.Languages() {
		out[lang] = full
	}
	return out, true
}

// Masked tells two members apart on a list and no more: "王**", "W*** A***". The number of stars tells nothing.
func (m *Member) Masked() string {
	if hasHan(m.full()) {
		return initial(m.Family+m.Given) + "**"
	}
	var parts []string
	for _, s := range []string{m.Family, m.Given} {
		if s != "" {
			parts = append(parts, initial(s)+"***")
		}
	}
	return strings.Join(parts, " ")
}

// full joins the names as their script does: 王小明, Anna Wang.
func (m *Member) full() string {
	if hasHan(m.Family) || hasHan(m.Given) {
		return m.Family + m.Given
	}
	return strings.TrimSpace(m.Given + " " + cmp.Or(m.Family, m.FamilyLatin))
}

// family writes the family name for a sentence in lang. Chinese sets a Latin name off by a space; any other language has
// the Latin form, or the Pinyin of a surname that we know how to read.
func (m *Member) family(lang string) string {
	name := cmp.Or(m.Family, m.FamilyLatin)
	switch {
	case !strings.HasPrefix(lang, "zh"):
		return cmp.Or(m.FamilyLatin, pinyin()[name], name)
	case !hasHan(name):
		return name + " "
	}
	return name
}

func hasHan(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return unicode.Is(unicode.Han, r) })
}

func initial(s string) string {
	_, n := utf8.DecodeRuneInString(s)
	return s[:n]
}
