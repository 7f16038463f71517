// Package pinyin turns the letters of Hanyu Pinyin into the Chinese characters that they may stand for.
//
// In: the letters typed so far, without tones, "v" for "ü", an apostrophe where a syllable ends ("xi'an"); and what is being
// written. Out: choices, the best first, each with the number of letters that it stands for. Every character of the state
// list (通用规范汉字表, 8,105 characters) is found by each of its readings. It keeps nothing: neither what was typed nor what
// was chosen teaches it anything, because the next person at the screen is a stranger.
// Called by kiosk/keyboard.
//
// The characters and their order come from the Unihan database (kTGH, kTGHZ2013, kHanyuPinlu): see make_table.go.
package pinyin

import (
	"cmp"
	_ "embed" // the table
	"maps"
	"slices"
	"strings"
	"sync"
)

//go:generate go run make_table.go

// Writing is what is being written: it decides which characters come first.
type Writing uint8

// The kinds of writing.
const (
	Text    Writing = iota
	Surname         // the beginning of a name
	Given           // the rest of a name
)

// Choice is what some of the letters may stand for.
type Choice struct {
	Text    string
	Letters int // how many of the letters it stands for, apostrophe included
}

const (
	longest = 6  // letters of a syllable: "zhuang"
	most    = 30 // letters that are looked at: a long full name has less
)

//go:embed table.txt
var tableText string

type table struct {
	syllables []string // sorted
	chars     map[string][]rune
}

var load = sync.OnceValue(func() *table {
	t := &table{chars: map[string][]rune{}}
	for line := range strings.Lines(tableText) {
		syllable, chars, _ := strings.Cut(strings.TrimSpace(line), " ")
		t.chars[syllable] = []rune(chars)
	}
	// A keyboard has no ü. Who does not think of v types what stands in a passport, or simply u.
	for as, is := range map[string]string{"lyu": "lv", "nyu": "nv", "lue": "lve", "nue": "nve", "lu": "lv", "nu": "nv"} {
		for _, r := range t.chars[is] {
			if !slices.Contains(t.chars[as], r) {
				t.chars[as] = append(t.chars[as], r)
			}
		}
	}
	t.syllables = slices.Sorted(maps.Keys(t.chars))
	return t
})

// Accepts reports whether a letter can follow: a to z, and an apostrophe after a letter.
func Accepts(letters string, next rune) bool {
	if len(letters) >= most {
		return false
	}
	if next == '\'' {
		return letters != "" && !strings.HasSuffix(letters, "'")
	}
	return next >= 'a' && next <= 'z'
}

// Choices lists what the first letters may stand for, at most limit. It is empty if no syllable begins so.
func Choices(letters string, w Writing, limit int) []Choice {
	t := load()
	letters = letters[:min(len(letters), most)]
	var list []Choice
	seen := map[string]bool{}
	add := func(text string, used int) {
		if len(list) < limit && !seen[text] {
			seen[text] = true
			list = append(list, Choice{text, past(letters, used)})
		}
	}
	if w != Given {
		compounds(letters, add)
	}
	cuts := t.cuts(letters)
	for _, n := range cuts {
		first, rest := t.ordered(letters[:n], w)
		for _, r := range append(first, rest...) {
			add(string(r), n)
		}
	}
	if len(cuts) == 0 {
		t.begun(letters, w, add)
	}
	return list
}

// past counts the apostrophe after the letters too.
func past(letters string, n int) int {
	if strings.HasPrefix(letters[n:], "'") {
		return n + 1
	}
	return n
}

// compounds adds the surnames of two characters that the letters begin with, or that begin with all of the letters once the
// second syllable is begun.
func compounds(letters string, add func(string, int)) {
	bare := strings.ReplaceAll(letters, "'", "")
	for _, c := range compoundNames {
		whole := c.first + c.second
		switch {
		case strings.HasPrefix(bare, whole):
			add(c.name, reach(letters, len(whole)))
		case len(bare) > len(c.first) && strings.HasPrefix(whole, bare):
			add(c.name, len(letters))
		}
	}
}

// reach is how far n letters reach, the apostrophes between them counted.
func reach(letters string, n int) int {
	for i := range len(letters) {
		if letters[i] != '\'' {
			n--
		}
		if n == 0 {
			return i + 1
		}
	}
	return len(letters)
}

// cuts lists the lengths that the first syllable may have, the likeliest first: those that leave whole syllables, then those
// that leave one unfinished, then the others; of each kind the longest first.
func (t *table) cuts(letters string) []int {
	var cuts [3][]int
	for n := min(longest, len(letters)); n > 0; n-- {
		if !t.is(letters[:n]) {
			continue
		}
		kind := 2
		switch rest := letters[n:]; {
		case t.reads(rest, t.is):
			kind = 0
		case t.reads(rest, t.begins):
			kind = 1
		}
		cuts[kind] = append(cuts[kind], n)
	}
	return slices.Concat(cuts[:]...)
}

// reads reports whether letters are syllables, the last of which is as end wants it.
func (t *table) reads(letters string, end func(string) bool) bool {
	letters = strings.TrimPrefix(letters, "'")
	if letters == "" || end(letters) {
		return true
	}
	for n := min(longest, len(letters)-1); n > 0; n-- {
		if t.is(letters[:n]) && t.reads(letters[n:], end) {
			return true
		}
	}
	return false
}

func (t *table) is(letters string) bool { return len(t.chars[letters]) > 0 }

// begins reports whether a syllable begins with these letters.
func (t *table) begins(letters string) bool {
	i, _ := slices.BinarySearch(t.syllables, letters)
	return i < len(t.syllables) && strings.HasPrefix(t.syllables[i], letters)
}

// begun adds what the beginning of a syllable may become: what comes first in what is written, then of each syllable its
// first character, the second ones, and so on.
func (t *table) begun(letters string, w Writing, add func(string, int)) {
	n := min(longest, len(letters))
	for n > 0 && !t.begins(letters[:n]) {
		n--
	}
	if n == 0 {
		return
	}
	var liked []rune
	var rows [][]rune
	deep := 0
	at, _ := slices.BinarySearch(t.syllables, letters[:n])
	for _, s := range t.syllables[at:] {
		if !strings.HasPrefix(s, letters[:n]) {
			break
		}
		first, rest := t.ordered(s, w)
		liked, rows, deep = append(liked, first...), append(rows, rest), max(deep, len(rest))
	}
	slices.SortStableFunc(liked, w.compare)
	for _, r := range liked {
		add(string(r), n)
	}
	for i := range deep {
		for _, row := range rows {
			if i < len(row) {
				add(string(row[i]), n)
			}
		}
	}
}

// ordered splits the characters of a syllable: those that are common in what is written, commonest first, and the rest.
func (t *table) ordered(syllable string, w Writing) (liked, rest []rune) {
	for _, r := range t.chars[syllable] {
		if w.rank(r) > 0 && (w != Surname || saidSo(r, syllable)) {
			liked = append(liked, r)
		} else {
			rest = append(rest, r)
		}
	}
	slices.SortStableFunc(liked, w.compare)
	return liked, rest
}

func (w Writing) compare(a, b rune) int { return cmp.Compare(w.rank(a), w.rank(b)) }
