package code

import (
	"fmt"
	"strings"
	"sync"

	"foyer/kiosk/printer/dots"
)

// GS1 DataBar Expanded (ISO/IEC 24724, section 7.2): the data's bits go twelve by twelve into characters of 17 modules in four bars and
// four spaces. Before them stands a check character. Every two characters stand around a finder pattern, the right one
// mirrored. Expanded Stacked breaks this into rows, with three rows of separators between.
const (
	charModules   = 17
	finderModules = 15
	pairModules   = 2*charModules + finderModules
	guardModules  = 4 // two at each end
	maxChars      = 22
	stackedBar    = 34 // modules that a row is high, at least (7.2.8)
)

// group is a range of a character's values: its odd elements have so many modules, the even ones the rest.
type group struct{ first, odd, widestOdd, even, widestEven, evens int }

// groups is ISO/IEC 24724, table 14.
var groups = []group{
	{0, 12, 7, 5, 2, 4}, {348, 10, 5, 7, 4, 20}, {1388, 8, 4, 9, 5, 52}, {2948, 6, 3, 11, 6, 104}, {3988, 4, 1, 13, 8, 204},
}

// finders is table 16: the widths of A1, A2, B1, B2 ... F2. The even ones are mirrored.
var finders = [12][5]int{
	{1, 8, 4, 1, 1}, {1, 1, 4, 8, 1}, {3, 6, 4, 1, 1}, {1, 1, 4, 6, 3}, {3, 4, 6, 1, 1}, {1, 1, 6, 4, 3},
	{3, 2, 8, 1, 1}, {1, 1, 8, 2, 3}, {2, 6, 5, 1, 1}, {1, 1, 5, 6, 2}, {2, 2, 9, 1, 1}, {1, 1, 9, 2, 2},
}

// sequences is table 15: which finders stand in a symbol with so many pairs, from two.
var sequences = []string{"ab", "adc", "afch", "ajche", "ajchgl", "ajchilk", "abcdefgh", "abcdefgji", "abcdefgjkl", "abcdehgjilk"}

// expanded makes the symbol, in rows that are no wider than wide modules.
func expanded(data string, wide int) (Symbol, error) {
	elements, err := ParseElements(data)
	if err != nil {
		return Symbol{}, fmt.Errorf("%s: %w", DataBarExpanded, err)
	}
	pairs := (wide - guardModules) / pairModules
	if pairs < 1 {
		return Symbol{}, fmt.Errorf("%s: %d modules wide: want at least %d", DataBarExpanded, wide, pairModules+guardModules)
	}
	chars, err := characters(elements, maxChars)
	if err == nil && (len(chars)+1)/2 > pairs {
		chars, err = characters(elements, 2*pairs)
	}
	if err != nil {
		return Symbol{}, fmt.Errorf("%s: %w", DataBarExpanded, err)
	}
	if (len(chars)+1)/2 <= pairs {
		return Symbol{Modules: oneRow(run(chars, 0, len(chars), false)), Linear: true, Quiet: 1}, nil
	}
	return Symbol{Modules: stack(chars, 2*pairs), Quiet: 1}, nil
}

// characters are the widths of a symbol's characters, the check character first. segments is how many may stand in a row.
func characters(elements []Element, segments int) ([][8]int, error) {
	b, err := encode(elements, segments)
	if err != nil {
		return nil, err
	}
	chars := make([][8]int, 1, len(b)/12+1)
	for i := 0; i < len(b); i += 12 {
		chars = append(chars, character(number(b[i:i+12])))
	}
	chars[0] = character(checksum(chars[1:]))
	return chars, nil
}

func number(bits string) int {
	n := 0
	for _, b := range bits {
		n = n<<1 | int(b-'0')
	}
	return n
}

// character is a value's eight widths.
func character(value int) [8]int {
	g := groups[0]
	for _, next := range groups[1:] {
		if value >= next.first {
			g = next
		}
	}
	odd := widths(g.odd, g.widestOdd, true)[(value-g.first)/g.evens]
	even := widths(g.even, g.widestEven, false)[(value-g.first)%g.evens]
	var out [8]int
	for i := range 4 {
		out[2*i], out[2*i+1] = odd[i], even[i]
	}
	return out
}

type widthKey struct {
	modules, widest int
	narrow          bool
}

var (
	widthLock  sync.Mutex
	widthTable = map[widthKey][][4]int{}
)

// widths lists all ways to make so many modules of four elements, in the order in which the values count (annex B). Where
// narrow is asked for, at least one element must be a single module.
func widths(modules, widest int, narrow bool) [][4]int {
	widthLock.Lock()
	defer widthLock.Unlock()
	k := widthKey{modules, widest, narrow}
	if all, ok := widthTable[k]; ok {
		return all
	}
	var all [][4]int
	for a := 1; a <= widest; a++ {
		for b := 1; b <= widest; b++ {
			for c := 1; c <= widest; c++ {
				d := modules - a - b - c
				if d >= 1 && d <= widest && (!narrow || min(a, b, c, d) == 1) {
					all = append(all, [4]int{a, b, c, d})
				}
			}
		}
	}
	widthTable[k] = all
	return all
}

// checksum is the check character's value (7.2.6): each width has a weight, powers of 3 modulo 211. Which powers depends on
// the finder beside the character: of the k-th kind of finder (A1 is 0) the left character has row 2k-1, the right one row 2k.
func checksum(chars [][8]int) int {
	sequence := sequences[len(chars)/2-1]
	sum := 0
	for i, widths := range chars {
		row := 2*int(sequence[(i+1)/2]-'a') - i%2
		weight := power3(row * 8)
		for _, w := range widths {
			sum += w * weight
			weight = weight * 3 % 211
		}
	}
	return 211*(len(chars)-3) + sum%211
}

func power3(n int) int {
	p := 1
	for range n {
		p = p * 3 % 211
	}
	return p
}

// run is a row of modules, '1' is black: characters from to before end between guards. dark begins with a bar.
func run(chars [][8]int, from, end int, dark bool) string {
	sequence := sequences[(len(chars)+1)/2-2]
	elements := []int{1, 1}
	for i := from; i < end; i++ {
		if i%2 == 0 {
			elements = append(elements, chars[i][:]...)
			elements = append(elements, finders[sequence[i/2]-'a'][:]...)
			continue
		}
		for j := range 8 {
			elements = append(elements, chars[i][7-j])
		}
	}
	var b strings.Builder
	for _, w := range append(elements, 1, 1) {
		b.WriteString(strings.Repeat(string("01"[btoi(dark)]), w))
		dark = !dark
	}
	return b.String()
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

func oneRow(modules string) *dots.Bitmap {
	b := dots.New(len(modules), 1)
	plot(b, modules, 0, 1)
	return b
}

// plot draws a row of modules so many high.
func plot(b *dots.Bitmap, modules string, y, high int) {
	for x, m := range modules {
		if m == '1' {
			b.Fill(x, y, 1, high)
		}
	}
}

// row is one row of a stacked symbol, and what separates it from its neighbours.
type row struct{ modules, separator string }

// stack lays the characters out in rows of so many (7.2.8).
func stack(chars [][8]int, segments int) *dots.Bitmap {
	var rows []row
	for from := 0; from < len(chars); from += segments {
		rows = append(rows, stacked(chars, from, min(from+segments, len(chars)), segments, len(rows)))
	}
	wide := len(rows[0].modules)
	between := strings.Repeat("01", wide/2+1)[:wide]
	between = "0000" + between[4:wide-4] + "0000"
	out := dots.New(wide, len(rows)*stackedBar+3*(len(rows)-1))
	y := 0
	for i, r := range rows {
		if i > 0 {
			plot(out, r.separator, y, 1)
			y++
		}
		plot(out, r.modules, y, stackedBar)
		y += stackedBar
		if i < len(rows)-1 {
			plot(out, r.separator, y, 1)
			plot(out, between, y+1, 1)
			y += 2
		}
	}
	return out
}

// stacked is one row. Every second row begins with a bar, so that a reader knows which way round it is: where a row has an even number of
// finders it is turned about for that, or, where it is the last and has an odd number, shifted by one module.
func stacked(chars [][8]int, from, end, segments, nth int) row {
	second, turns := nth%2 == 1, segments%4 == 0
	r := row{modules: run(chars, from, end, second && !turns)}
	r.separator = separator(r.modules)
	if !second || !turns {
		return r
	}
	if pairs := (end - from + 1) / 2; end-from < segments && pairs%2 == 1 {
		return row{"0" + r.modules, "0" + r.separator}
	}
	return row{reversed(r.modules), reversed(r.separator)}
}

func reversed(s string) string {
	b := []byte(s)
	for i, j := 0, len(b)-1; i < j; i, j = i+1, j-1 {
		b[i], b[j] = b[j], b[i]
	}
	return string(b)
}

// separator is the row's complement; beside the finders, whose light modules are wide, light and dark in turn.
func separator(modules string) string {
	out := make([]byte, len(modules))
	for i := range modules {
		out[i] = '0' + '1' - modules[i]
	}
	for at := 2 + charModules; at <= len(modules)-13; at += pairModules {
		for i := at; i < at+finderModules; i++ {
			switch {
			case modules[i] == '1':
				out[i] = '0'
			case modules[i-1] == '1':
				out[i] = '1'
			default:
				out[i] = '0' + '1' - out[i-1]
			}
		}
	}
	copy(out, "0000")
	copy(out[len(out)-4:], "0000")
	return string(out)
}
