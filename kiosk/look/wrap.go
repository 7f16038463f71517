package look

import (
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/image/font"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"

	"foyer/kiosk/look/fonts"
)

// Advance is the width of s set in our font, in units of the text size. A character that our font lacks counts as a
// full width.
func Advance(s string, heavy bool) float32 {
	var sum float32
	for _, r := range s {
		sum += advance(r, heavy)
	}
	return sum
}

var widths = struct {
	sync.Mutex
	font [2]*sfnt.Font
	em   [2]map[rune]float32
}{em: [2]map[rune]float32{{}, {}}}

func advance(r rune, heavy bool) float32 {
	widths.Lock()
	defer widths.Unlock()
	i, data := 0, fonts.Regular()
	if heavy {
		i, data = 1, fonts.Bold()
	}
	if w, ok := widths.em[i][r]; ok {
		return w
	}
	if widths.font[i] == nil {
		f, err := sfnt.Parse(data)
		if err != nil {
			panic(err) // the file is embedded, a test reads it
		}
		widths.font[i] = f
	}
	w := measure(widths.font[i], r)
	widths.em[i][r] = w
	return w
}

func measure(f *sfnt.Font, r rune) float32 {
	var buf sfnt.Buffer
	glyph, err := f.GlyphIndex(&buf, r)
	if err != nil || glyph == 0 {
		return 1
	}
	w, err := f.GlyphAdvance(&buf, glyph, fixed.I(1000), font.HintingNone)
	if err != nil {
		return 1
	}
	return float32(w) / 64 / 1000
}

// Wrap sets s in lines that are at most width wide (in units of the text size). Chinese breaks between any two
// characters, but never before closing or after opening punctuation; other scripts break at spaces and hyphens. Where
// more than one line is needed, breaks between clauses are liked best, and else the lines are made about equally long: a
// heading with one character alone on its last line looks like an accident. Whole says that no clause was broken, torn
// that a word was.
func Wrap(s string, heavy bool, width float32) (lines []string, whole, torn bool) {
	parts := atoms(s)
	lines, torn = fill(parts, heavy, width)
	if len(lines) < 2 {
		return lines, true, torn
	}
	if best := byClause(clauses(s), len(lines), heavy, width); best != nil {
		return best, true, false
	}
	if torn {
		return lines, false, true
	}
	low, high := width/float32(len(lines)), width
	for range 12 {
		middle := (low + high) / 2
		if l, bad := fill(parts, heavy, middle); len(l) <= len(lines) && !bad {
			high = middle
		} else {
			low = middle
		}
	}
	lines, _ = fill(parts, heavy, high)
	return lines, false, false
}

// clauses cuts s after commas, stops and the dot of a compound name; a comma in a number is none.
func clauses(s string) []string {
	var list []string
	start := 0
	for i, r := range s {
		end := i + len(string(r))
		if strings.ContainsRune("，。！？；·", r) && end < len(s) || strings.ContainsRune(",.!?;", r) && strings.HasPrefix(s[end:], " ") {
			list = append(list, s[start:end])
			start = end
		}
	}
	return append(list, s[start:])
}

// byClause puts the clauses on n lines so that the widest is as narrow as can be; nil if that is wider than width.
func byClause(list []string, n int, heavy bool, width float32) []string {
	if n > len(list) || len(list) > 8 || n < 1 {
		return nil
	}
	if n == 1 {
		line := strings.TrimSpace(strings.Join(list, ""))
		if Advance(line, heavy) > width {
			return nil
		}
		return []string{line}
	}
	var best []string
	narrow := width
	for first := 1; first <= len(list)-n+1; first++ {
		line := strings.TrimSpace(strings.Join(list[:first], ""))
		wide := Advance(line, heavy)
		if wide > narrow {
			break
		}
		rest := byClause(list[first:], n-1, heavy, narrow)
		if rest == nil {
			continue
		}
		for _, l := range rest {
			wide = max(wide, Advance(l, heavy))
		}
		best, narrow = append([]string{line}, rest...), wide
	}
	return best
}

// fill puts as many atoms on a line as it takes; no line is empty. Torn says that one of them was wider than a line.
func fill(parts []string, heavy bool, width float32) (lines []string, torn bool) {
	line := ""
	end := func(l string) {
		if l = strings.TrimSpace(l); l != "" {
			lines = append(lines, l)
		}
	}
	for _, p := range parts {
		for Advance(strings.TrimRight(p, " "), heavy) > width && len([]rune(p)) > 1 {
			torn = true
			end(line)
			n := fitting(p, heavy, width)
			end(p[:n])
			line, p = "", p[n:]
		}
		if line != "" && Advance(strings.TrimRight(line+p, " "), heavy) > width {
			end(line)
			line = ""
		}
		line += p
	}
	end(line)
	return lines, torn
}

// fitting is how many bytes of p fit the width: at least one character.
func fitting(p string, heavy bool, width float32) int {
	n := 0
	for i, r := range p {
		end := i + len(string(r))
		if n > 0 && Advance(p[:end], heavy) > width {
			break
		}
		n = end
	}
	return n
}

const (
	closing = "，。、；：！？）》」』”’…％%,.;:!?)]}"
	opening = "（《「『“‘([{"
)

// atoms cuts s into what must not be torn apart: one Chinese character with its punctuation, or a word with its spaces.
func atoms(s string) []string {
	var parts []string
	cur := ""
	previous := rune(0)
	for _, r := range s {
		if cur != "" && tear(previous, r) {
			parts = append(parts, cur)
			cur = ""
		}
		cur += string(r)
		previous = r
	}
	if cur != "" {
		parts = append(parts, cur)
	}
	return parts
}

// tear reports whether a line may break between the two characters.
func tear(a, b rune) bool {
	switch {
	case strings.ContainsRune(opening, a), strings.ContainsRune(closing, b), b == ' ':
		return false
	case a == ' ', a == '-', wide(a), wide(b):
		return true
	}
	return false
}

// wide reports whether r is a character that needs no space around it.
func wide(r rune) bool {
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana) || r >= 0x3000 && r <= 0x303F || r >= 0xFF00 && r <= 0xFFEF
}

// patience is how much smaller a heading may become for the sake of not breaking a clause.
const patience = 0.66

// Set chooses the largest of the sizes (in pixels, largest first) at which s fits w x h pixels in at most most lines
// that are pitch text sizes apart. A heading rather becomes somewhat smaller than have a clause broken. At the smallest
// size what is too long ends in an ellipsis; nothing is ever clipped.
func Set(s string, heavy bool, w, h float32, most int, pitch float32, sizes []float32) (float32, []string) {
	var first float32
	var lines []string
	for _, size := range sizes {
		set, whole, torn := Wrap(s, heavy, w/size)
		if torn || size > h || len(set) > room(h, size, pitch, most) {
			continue
		}
		if lines == nil {
			first, lines = size, set
		}
		if whole || !heavy || size < first*patience {
			if whole && size >= first*patience {
				return size, set
			}
			break
		}
	}
	if lines != nil {
		return first, lines
	}
	size := sizes[len(sizes)-1]
	set, _, _ := Wrap(s, heavy, w/size)
	return size, cut(set, room(h, size, pitch, most), heavy, w/size)
}

// room is how many lines fit.
func room(h, size, pitch float32, most int) int {
	return max(1, min(most, int((h/size-1)/pitch+1.001)))
}

// cut keeps n lines and marks the last one if something is left out.
func cut(lines []string, n int, heavy bool, width float32) []string {
	if len(lines) <= n {
		return lines
	}
	last := []rune(lines[n-1])
	for _, l := range lines[n:] {
		if next, _ := utf8.DecodeRuneInString(l); !wide(last[len(last)-1]) && !wide(next) {
			last = append(last, ' ')
		}
		last = append(last, []rune(l)...)
	}
	mark := "…"
	if !wide(last[0]) {
		mark = "..." // the font sets the one character in the middle of the line, as Chinese wants it
	}
	for len(last) > 1 && Advance(string(last)+mark, heavy) > width {
		last = last[:len(last)-1]
	}
	return append(lines[:n-1:n-1], strings.TrimRight(string(last), " ,")+mark)
}

// Hang is how far a centred line moves right so that it looks centred: full-width punctuation at its end is mostly air.
func Hang(line string) float32 {
	if r, _ := utf8.DecodeLastRuneInString(line); strings.ContainsRune("，。、！？；：", r) {
		return 0.28
	}
	return 0
}
