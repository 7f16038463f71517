//go:build ignore

// Makes table.txt from the Unihan database as Debian's unicode-data package has it: for each syllable without its tone the
// characters of the state list (通用规范汉字表, kTGH) that are read so (kTGHZ2013 and kHanyuPinlu), the most frequent first.
//
// The result is checked in, so that nobody needs to run this to build Foyer.
package main

import (
	"bufio"
	"cmp"
	"compress/bzip2"
	"fmt"
	"log"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
)

const folder = "/usr/share/unicode/"

// character is one of the state list.
type character struct {
	level int // place in the list: its first 3,500 are the most common, then it is ordered by strokes
	read  map[string]*reading
}

type reading struct {
	count int // how often it was met (kHanyuPinlu)
	place int // first, second... in the dictionary
}

func main() {
	list := map[rune]*character{}
	fields("Unihan_OtherMappings.txt.bz2", func(r rune, field, value string) {
		if field == "kTGH" {
			_, place, _ := strings.Cut(strings.Fields(value)[0], ":")
			n, err := strconv.Atoi(place)
			if err != nil {
				log.Fatal(err)
			}
			list[r] = &character{n, map[string]*reading{}}
		}
	})
	fields("Unihan_Readings.txt.bz2", func(r rune, field, value string) {
		if c := list[r]; c != nil {
			c.learn(field, value)
		}
	})
	write(list)
}

// fields calls fn for each line of a Unihan file.
func fields(name string, fn func(r rune, field, value string)) {
	f, err := os.Open(folder + name)
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(bzip2.NewReader(f))
	for lines.Scan() {
		parts := strings.SplitN(lines.Text(), "\t", 3)
		if len(parts) < 3 || !strings.HasPrefix(parts[0], "U+") {
			continue
		}
		code, err := strconv.ParseInt(parts[0][2:], 16, 32)
		if err != nil {
			log.Fatal(err)
		}
		fn(rune(code), parts[1], parts[2])
	}
	if err := lines.Err(); err != nil {
		log.Fatal(err)
	}
}

// learn takes readings in. kTGHZ2013: "036.140:chán 064.090:dān"; kHanyuPinlu: "dān(603)".
func (c *character) learn(field, value string) {
	for _, one := range strings.Fields(value) {
		switch field {
		case "kTGHZ2013":
			_, said, _ := strings.Cut(one, ":")
			for s := range strings.SplitSeq(said, ",") {
				c.reading(s)
			}
		case "kHanyuPinlu":
			said, count, _ := strings.Cut(strings.TrimSuffix(one, ")"), "(")
			n, err := strconv.Atoi(count)
			if err != nil {
				log.Fatal(err)
			}
			c.reading(said).count += n
		}
	}
}

func (c *character) reading(said string) *reading {
	s := plain(said)
	if c.read[s] == nil {
		c.read[s] = &reading{place: len(c.read)}
	}
	return c.read[s]
}

var tones = strings.NewReplacer(
	"ā", "a", "á", "a", "ǎ", "a", "à", "a", "ē", "e", "é", "e", "ě", "e", "è", "e", "ê̄", "e", "ế", "e", "ê̌", "e", "ề", "e", "ê", "e",
	"ī", "i", "í", "i", "ǐ", "i", "ì", "i", "ō", "o", "ó", "o", "ǒ", "o", "ò", "o", "ū", "u", "ú", "u", "ǔ", "u", "ù", "u",
	"ǖ", "v", "ǘ", "v", "ǚ", "v", "ǜ", "v", "ü", "v", "ń", "n", "ň", "n", "ǹ", "n", "ḿ", "m", "̀", "", "̄", "", "̌", "")

// plain is a syllable as it is typed: without its tone, v for ü.
func plain(said string) string {
	s := tones.Replace(said)
	for _, r := range s {
		if r < 'a' || r > 'z' {
			log.Fatalf("a reading that is not pinyin: %q", said)
		}
	}
	if near := hummed[s]; near != "" {
		return near
	}
	return s
}

// hummed are the readings without a vowel, and where people look for them: alone, these letters begin other syllables.
var hummed = map[string]string{"m": "mu", "n": "en", "ng": "en", "hng": "heng"}

func write(list map[rune]*character) {
	table := map[string][]rune{}
	for r, c := range list {
		for s := range c.read {
			table[s] = append(table[s], r)
		}
	}
	out, err := os.Create("table.txt")
	if err != nil {
		log.Fatal(err)
	}
	for _, s := range slices.Sorted(maps.Keys(table)) {
		chars := table[s]
		slices.SortFunc(chars, func(a, b rune) int {
			x, y := list[a], list[b]
			return cmp.Or(cmp.Compare(y.read[s].count, x.read[s].count), cmp.Compare(x.grade(), y.grade()),
				cmp.Compare(x.read[s].place, y.read[s].place), cmp.Compare(x.level, y.level))
		})
		fmt.Fprintf(out, "%s %s\n", s, string(chars))
	}
	if err := out.Close(); err != nil {
		log.Fatal(err)
	}
}

// grade is the list's own: 1 common, 2 less common, 3 for names and places.
func (c *character) grade() int {
	switch {
	case c.level <= 3500:
		return 1
	case c.level <= 6500:
		return 2
	}
	return 3
}
