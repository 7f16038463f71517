package pinyin

import (
	"slices"
	"strings"
	"testing"
)

// first types letters as the user of a keyboard who always takes the first choice, and returns what comes out.
func first(t *testing.T, letters string) string {
	t.Helper()
	var out strings.Builder
	for letters != "" {
		w := Given
		if out.Len() == 0 {
			w = Surname
		}
		list := Choices(letters, w, 1)
		if len(list) == 0 || list[0].Letters < 1 || list[0].Letters > len(letters) {
			t.Fatalf("%q gives %+v", letters, list)
		}
		out.WriteString(list[0].Text)
		letters = letters[list[0].Letters:]
	}
	return out.String()
}

func TestTheFirstChoiceOfCommonNames(t *testing.T) {
	for letters, want := range map[string]string{
		"wangwei": "王伟", "lixiuying": "李秀英", "zhangmin": "张敏", "ouyangfeng": "欧阳峰", "zhugeliang": "诸葛亮", "zengjie": "曾杰",
		"lvyan": "吕艳", "lyuyan": "吕艳", "shangguanyu": "上官玉", "xi'an": "席安", "w": "王", "zh": "张", "ou'yang": "欧阳", "ouy": "欧阳",
	} {
		if got := first(t, letters); got != want {
			t.Errorf("%s became %s, want %s", letters, got, want)
		}
	}
}

func TestWhereASyllableEnds(t *testing.T) {
	for letters, want := range map[string][]int{
		"xian": {4, 2, 3}, "xi'an": {3}, "fangan": {4, 3, 2}, "xianguo": {4, 2, 5, 3}, "wangq": {4, 3, 2}, "wanga": {4, 3, 2},
	} {
		var got []int
		for _, c := range Choices(letters, Text, 10_000) {
			if len(got) == 0 || got[len(got)-1] != c.Letters {
				got = append(got, c.Letters)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", letters, got, want)
		}
	}
}

func TestWhatCannotBeReadIsLeft(t *testing.T) {
	for letters, text := range map[string]bool{"": false, "'": false, "v": false, "i": false, "u": false, "wangv": true, "wxm": true} {
		if got := Choices(letters, Text, 5); (len(got) > 0) != text {
			t.Errorf("%q gives %+v", letters, got)
		}
	}
	if got := Choices("wxm", Surname, 1); got[0] != (Choice{"王", 1}) {
		t.Errorf("the first letters of a name give %+v", got)
	}
}

// Every character is found by typing it, once.
func TestEveryCharacterIsFound(t *testing.T) {
	all := map[rune]bool{}
	for line := range strings.Lines(tableText) {
		syllable, chars, _ := strings.Cut(strings.TrimSpace(line), " ")
		for _, w := range []Writing{Text, Surname, Given} {
			found := map[string]bool{}
			for _, c := range Choices(syllable, w, 10_000) {
				if found[c.Text] {
					t.Fatalf("%s offers %s twice", syllable, c.Text)
				}
				found[c.Text] = c.Letters == len(syllable)
			}
			for _, r := range chars {
				all[r] = true
				if !found[string(r)] {
					t.Fatalf("%s does not offer %c", syllable, r)
				}
			}
		}
	}
	if len(all) != 8105 {
		t.Errorf("%d characters, want the 8,105 of the state list", len(all))
	}
}

// A surname that the table does not know by the reading it is said with would not come first.
func TestEverySurnameCanBeTyped(t *testing.T) {
	for _, r := range surnames {
		ok := false
		for syllable, chars := range load().chars {
			if slices.Contains(chars, r) && saidSo(r, syllable) {
				ok = ok || slices.ContainsFunc(Choices(syllable, Surname, 12), func(c Choice) bool { return c.Text == string(r) })
			}
		}
		if !ok {
			t.Errorf("%c is not among the first twelve of any syllable", r)
		}
	}
	for _, c := range compoundNames {
		for _, letters := range []string{c.first + c.second, c.first + "'" + c.second} {
			if got := Choices(letters, Surname, 1); len(got) == 0 || got[0] != (Choice{c.name, len(letters)}) {
				t.Errorf("%s gives %+v, want %s", letters, got, c.name)
			}
		}
	}
}

func TestAccepts(t *testing.T) {
	for _, tc := range []struct {
		letters string
		next    rune
		want    bool
	}{
		{"", 'a', true}, {"", '\'', false}, {"xi", '\'', true}, {"xi'", '\'', false}, {"a", 'A', false}, {"a", '王', false},
		{strings.Repeat("a", most), 'a', false},
	} {
		if got := Accepts(tc.letters, tc.next); got != tc.want {
			t.Errorf("%q after %q: %v", tc.next, tc.letters, got)
		}
	}
}

func FuzzChoices(f *testing.F) {
	f.Add("wangxiaoming", uint8(1))
	f.Add(strings.Repeat("an", 20), uint8(0))
	f.Add("''a''", uint8(2))
	f.Fuzz(func(t *testing.T, letters string, w uint8) {
		for _, c := range Choices(letters, Writing(w%3), 50) {
			if c.Text == "" || c.Letters < 1 || c.Letters > len(letters) {
				t.Fatalf("%q: %+v", letters, c)
			}
		}
	})
}

func BenchmarkChoices(b *testing.B) {
	for b.Loop() {
		Choices("wangxiaoming", Surname, 10)
	}
}
