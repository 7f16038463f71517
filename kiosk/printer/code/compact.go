package code

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// fnc1 ends a value whose length no reader knows.
const fnc1 = '\x1D'

// encode is the data as bits, filled up to whole characters (ISO/IEC 24724, section 7.2.5).
func encode(elements []Element, segments int) (string, error) {
	m, rest := choose(elements)
	prefix := 12 + 1 + len(m.method) + len(m.fields) // the check character and the linkage bit come first
	if m.open {
		prefix += 2
	}
	g := compactor{text: rest, before: prefix, segments: segments}
	general := g.compact()
	total := prefix + len(general)
	if total > maxChars*12 {
		return "", fmt.Errorf("too long: %d bits, want at most %d", total-12, (maxChars-1)*12)
	}
	pad := spare(total, segments)
	if total+pad > maxChars*12 {
		return "", fmt.Errorf("too long for rows of %d characters", segments)
	}
	variable := ""
	if n := (total + pad) / 12; m.open {
		variable = string([]byte{"01"[n%2], "01"[btoi(n > 14)]})
	}
	fill := strings.Repeat("00100", pad/5+1)
	if g.mode == numeric {
		fill = "0000" + fill
	}
	return "0" + m.method + variable + m.fields + general + fill[:pad], nil
}

// spare is how many bits are missing to whole characters: four at least, and no last row of a single one.
func spare(total, segments int) int {
	chars := max(4, (total+11)/12)
	if chars%segments == 1 {
		chars++
	}
	return chars*12 - total
}

// method is how the first elements are packed (table 13): a code, fixed fields, and whether more may follow.
type method struct {
	method, fields string
	open           bool
}

// choose packs what has a shorter form, and returns the rest as text.
func choose(all []Element) (method, string) {
	if all[0].AI != "01" {
		return method{"00", "", true}, join(all)
	}
	item := all[0].Value
	if item[0] == '9' && len(all) >= 2 {
		if m, ok := weighed(item, all[1:]); ok {
			return m, ""
		}
		if m, rest, ok := priced(item, all[1:]); ok {
			return m, rest
		}
	}
	return method{"1", binary(item[0:1], 4) + twelve(item), true}, join(all[1:])
}

// twelve is the number of an item without its first and its check digit.
func twelve(item string) string {
	var b strings.Builder
	for i := 1; i < 13; i += 3 {
		b.WriteString(binary(item[i:i+3], 10))
	}
	return b.String()
}

func binary(decimal string, bits int) string {
	n, err := strconv.Atoi(decimal)
	if err != nil {
		panic(err) // digits: Element.check has seen them
	}
	return fmt.Sprintf("%0*b", bits, n)
}

// weighed packs an item sold by weight, with a date or without.
func weighed(item string, more []Element) (method, bool) {
	e := more[0]
	weight, _ := strconv.Atoi(e.Value)
	switch {
	case len(more) == 1 && e.AI == "3103" && weight <= 32767:
		return method{"0100", twelve(item) + binary(e.Value, 15), false}, true
	case len(more) == 1 && e.AI == "3202" && weight <= 9999:
		return method{"0101", twelve(item) + binary(e.Value, 15), false}, true
	case len(more) == 1 && e.AI == "3203" && weight <= 22767:
		return method{"0101", twelve(item) + binary(strconv.Itoa(weight+10000), 15), false}, true
	}
	pounds := strings.HasPrefix(e.AI, "320")
	if len(more) > 2 || weight > 99999 || !pounds && !strings.HasPrefix(e.AI, "310") {
		return method{}, false
	}
	date, kind := 38400, 0 // no date
	if len(more) == 2 {
		if kind = slices.Index([]string{"11", "13", "15", "17"}, more[1].AI); kind < 0 {
			return method{}, false
		}
		date = packed(more[1].Value)
	}
	code := "0111" + fmt.Sprintf("%03b", 2*kind+btoi(pounds))
	return method{code, twelve(item) + binary(e.AI[3:]+e.Value[1:], 20) + fmt.Sprintf("%016b", date), false}, true
}

// packed is YYMMDD as one number.
func packed(date string) int {
	y, _ := strconv.Atoi(date[0:2])
	m, _ := strconv.Atoi(date[2:4])
	d, _ := strconv.Atoi(date[4:6])
	return (y*12+m-1)*32 + d
}

// priced packs an item sold at a price.
func priced(item string, more []Element) (method, string, bool) {
	e := more[0]
	places := int(e.AI[len(e.AI)-1] - '0')
	separator := ""
	if len(more) > 1 {
		separator = string(fnc1)
	}
	switch {
	case places > 3:
	case strings.HasPrefix(e.AI, "392"):
		return method{"01100", twelve(item) + fmt.Sprintf("%02b", places), true}, e.Value + separator + join(more[1:]), true
	case strings.HasPrefix(e.AI, "393"):
		return method{"01101", twelve(item) + fmt.Sprintf("%02b", places) + binary(e.Value[:3], 10), true}, e.Value[3:] + separator + join(more[1:]), true
	}
	return method{}, "", false
}

// join writes elements one after another, as a reader gives them out.
func join(all []Element) string {
	var b strings.Builder
	for i, e := range all {
		b.WriteString(e.AI + e.Value)
		if e.separated() && i < len(all)-1 {
			b.WriteByte(fnc1)
		}
	}
	return b.String()
}

// mode is one of the three ways to pack text.
type mode uint8

const (
	numeric mode = iota // two digits in seven bits
	alphanumeric
	iso646
)

// compactor packs text, changing between the modes where that is shorter (7.2.5.5).
type compactor struct {
	text     string
	before   int // bits that stand before the text
	segments int

	mode mode
	out  strings.Builder
}

func (g *compactor) compact() string {
	for i := 0; i < len(g.text); {
		switch g.mode {
		case numeric:
			i += g.pair(i)
		default:
			i += g.one(i)
		}
	}
	return g.out.String()
}

// pair packs two digits, or changes the mode.
func (g *compactor) pair(i int) int {
	left := g.text[i:]
	if len(left) >= 2 && isPair(left) {
		g.out.WriteString(fmt.Sprintf("%07b", 11*digit(left[0])+digit(left[1])+8))
		return 2
	}
	if len(left) > 1 || left[0] < '0' || left[0] > '9' {
		g.latch("0000", alphanumeric)
		return 0
	}
	if room := spare(g.before+g.out.Len(), g.segments); room >= 4 && room <= 6 {
		g.out.WriteString(fmt.Sprintf("%04b", digit(left[0])+1) + "00"[:room-4])
	} else {
		g.out.WriteString(fmt.Sprintf("%07b", 11*digit(left[0])+10+8))
	}
	return 1
}

// isPair reports two digits, one of which may be FNC1.
func isPair(s string) bool {
	return digit(s[0]) >= 0 && digit(s[1]) >= 0 && (s[0] != fnc1 || s[1] != fnc1)
}

// digit is a digit's value, 10 for FNC1, and -1 for any other.
func digit(c byte) int {
	switch {
	case c == fnc1:
		return 10
	case c >= '0' && c <= '9':
		return int(c - '0')
	}
	return -1
}

// one packs a character, or changes the mode.
func (g *compactor) one(i int) int {
	digits, letters, plain := g.digits(i), g.letters(i), g.plain(i)
	switch {
	case g.text[i] == fnc1:
		g.latch("01111", numeric)
		return 1
	case g.mode == alphanumeric && !isAlphanumeric(g.text[i]):
		g.latch("00100", iso646)
	case g.mode == alphanumeric && (digits >= 6 || digits >= 4 && i+digits == len(g.text)):
		g.latch("000", numeric)
	case g.mode == iso646 && digits >= 4 && plain >= 10:
		g.latch("000", numeric)
	case g.mode == iso646 && letters >= 5 && plain >= 10:
		g.latch("00100", alphanumeric)
	default:
		g.out.WriteString(bits(g.text[i], g.mode))
		return 1
	}
	return 0
}

func (g *compactor) latch(code string, m mode) {
	g.out.WriteString(code)
	g.mode = m
}

// digits is how many characters from i on go in pairs.
func (g *compactor) digits(i int) int {
	n := 0
	for i+n+1 < len(g.text) && isPair(g.text[i+n:]) {
		n += 2
	}
	return n
}

// letters is how many characters from i on are alphanumeric.
func (g *compactor) letters(i int) int {
	n := 0
	for i+n < len(g.text) && isAlphanumeric(g.text[i+n]) {
		n++
	}
	return n
}

// plain is how many characters there are before the next that only ISO/IEC 646 has; where none follows, very many.
func (g *compactor) plain(i int) int {
	n := g.letters(i)
	if i+n == len(g.text) {
		return len(g.text) + MaxData
	}
	return n
}

func isAlphanumeric(c byte) bool {
	return digit(c) >= 0 || c >= 'A' && c <= 'Z' || c == '*' || c >= ',' && c <= '/'
}

// punctuation of ISO/IEC 646, from 232 in eight bits.
const punctuation = "!\"%&'()*+,-./:;<=>?_ "

// bits of one character.
func bits(c byte, m mode) string {
	switch {
	case c >= '0' && c <= '9':
		return fmt.Sprintf("%05b", c-'0'+5)
	case m == alphanumeric && c >= 'A':
		return fmt.Sprintf("%06b", c-33)
	case m == alphanumeric:
		return fmt.Sprintf("%06b", 58+strings.IndexByte("*,-./", c))
	case c >= 'a' && c <= 'z':
		return fmt.Sprintf("%07b", c-7)
	case c >= 'A' && c <= 'Z':
		return fmt.Sprintf("%07b", c-1)
	}
	return fmt.Sprintf("%08b", 232+strings.IndexByte(punctuation, c))
}
