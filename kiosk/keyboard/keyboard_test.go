package keyboard

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var (
	phone = Field{Kind: Digits, Min: 11, Max: 11, Secret: true}
	name  = Field{Kind: Name, Min: 1, Max: 20}
	words = Field{Kind: Words, Min: 1, Max: 100}
)

// pressed types characters and, as <n>, choices.
func pressed(s Sheet, keys string) Sheet {
	for i := 0; i < len(keys); {
		r, n := utf8.DecodeRuneInString(keys[i:])
		if r == '<' {
			s, n = s.Press(Choose+Key(keys[i+1]-'0')), 3
		} else {
			s = s.Press(Key(r))
		}
		i += n
	}
	return s
}

func TestWriting(t *testing.T) {
	for _, tc := range []struct {
		about string
		field Field
		lang  string
		keys  string
		want  string
		wait  string
	}{
		{"a telephone number", phone, "zh-CN", "13812345678", "13812345678", ""},
		{"no more than it has", phone, "zh-CN", "138123456789", "13812345678", ""},
		{"no letters in it", phone, "en", "1a3 8", "138", ""},
		{"a Chinese name", name, "zh-CN", "wangwei<0><0>", "王伟", ""},
		{"of which only the first is chosen", name, "zh-CN", "wangwei<0>", "王", "wei"},
		{"the space bar takes the first choice", name, "zh-CN", "ouyang feng ", "欧阳峰", ""},
		{"a hardware keyboard in capitals", name, "zh-CN", "LI<0>", "李", ""},
		{"a choice that is not there", name, "zh-CN", "<3>wang<0><5>", "王", ""},
		{"an English name", name, "en", "anna maria o'neil", "Anna Maria O'neil", ""},
		{"no two spaces, none first", name, "en", "  anna  b", "Anna B", ""},
		{"no digits in a name", name, "en", "r2d2", "Rd", ""},
		{"a name with a dot", name, "zh-CN", "a<0>·", "阿·", ""},
		{"a sentence", words, "en", "too slow, sorry", "Too slow, sorry", ""},
		{"nothing that is no character", words, "en", "a\x00\n\u202eb", "Ab", ""},
	} {
		s := pressed(Open(tc.field, tc.lang), tc.keys)
		if s.Text != tc.want || s.Letters != tc.wait {
			t.Errorf("%s: %q and %q wait, want %q and %q", tc.about, s.Text, s.Letters, tc.want, tc.wait)
		}
	}
}

func TestKeysThatAreNoCharacters(t *testing.T) {
	s := pressed(Open(name, "zh-CN"), "wangwei<0>")
	s = s.Press(Erase)
	if s.Letters != "we" {
		t.Errorf("the letters go first: %+v", s)
	}
	s = s.Press(Erase).Press(Erase).Press(Erase)
	if s.Text != "" || s.Letters != "" {
		t.Errorf("then the characters: %+v", s)
	}
	if s = s.Press(Erase); s.Text != "" {
		t.Errorf("nothing is left to erase: %+v", s)
	}
	s = pressed(s, "anna").Press(Switch)
	if s.Layout != Latin || s.Text != "Anna" || s.Letters != "" {
		t.Errorf("letters that waited are Latin now: %+v", s)
	}
	if s = s.Press(Switch); s.Layout != Pinyin {
		t.Errorf("and back: %+v", s)
	}
	if s = s.Press(Clear); s.Text != "" {
		t.Errorf("cleared: %+v", s)
	}
	if s = s.Press(More); s.Layout != Pinyin {
		t.Errorf("a name has no digits: %+v", s)
	}
	w := Open(words, "en").Press(More)
	if w.Layout != Marks || w.Press(More).Layout != Latin {
		t.Errorf("a sentence has: %+v", w)
	}
	if w = pressed(w.Press(More).Press(Shift), "a"); w.Text != "a" {
		t.Errorf("a small letter first, as asked: %+v", w)
	}
}

func TestASecretIsNotReadAcrossTheHall(t *testing.T) {
	s := pressed(Open(phone, "zh-CN"), "1381234")
	if got := s.Visible(); got != "••••••4" {
		t.Errorf("%q", got)
	}
	if got := s.Press(Show).Visible(); got != "1381234" {
		t.Errorf("shown: %q", got)
	}
	if got := s.Press(Show).Press(Show).Visible(); got != "••••••4" {
		t.Errorf("hidden again: %q", got)
	}
	if got := pressed(Open(name, "en"), "ann").Press(Show).Visible(); got != "Ann" {
		t.Errorf("a name is none: %q", got)
	}
}

func TestPagesOfChoices(t *testing.T) {
	s := pressed(Open(name, "zh-CN"), "li")
	first := s.Choices()
	if back, next := s.Turns(); back || !next || len(first) != OnPage {
		t.Fatalf("%v %v %+v", back, next, first)
	}
	s = s.Press(Back).Press(Next)
	if second := s.Choices(); cmp.Equal(first, second) || s.Page != 1 {
		t.Errorf("page %d: %+v", s.Page, second)
	}
	for range 100 {
		s = s.Press(Next)
	}
	if _, next := s.Turns(); next || len(s.Choices()) == 0 {
		t.Errorf("the last page: %+v", s.Choices())
	}
	if got := s.Press(Choose); got.Page != 0 || got.Text == "" || got.Letters != "" {
		t.Errorf("after a choice from the last page: %+v", got)
	}
}

func TestReady(t *testing.T) {
	for keys, want := range map[string]bool{"": false, "wang": false, "wang<0>": true, "wang<0>w": false} {
		if got := pressed(Open(name, "zh-CN"), keys).Ready(); got != want {
			t.Errorf("%q: %v", keys, got)
		}
	}
	if s := pressed(Open(phone, "en"), "1381234567"); s.Ready() || !s.Press('8').Ready() {
		t.Error("a telephone number has eleven digits")
	}
}

// Whatever is pressed in whatever order: a field holds only what belongs into it, and no more than it may.
func TestAnyKeys(t *testing.T) {
	keys := rapid.OneOf(rapid.Map(rapid.SampledFrom([]rune("abcnwxyzgh'  013·-王🎉\x00.,")), func(r rune) Key { return Key(r) }),
		rapid.Map(rapid.IntRange(int(Erase), int(Choose)+OnPage), func(n int) Key { return Key(n) }))
	rapid.Check(t, func(t *rapid.T) {
		f := rapid.SampledFrom([]Field{phone, name, words, {Kind: Name, Min: 1, Max: 2}, {}}).Draw(t, "field")
		s := Open(f, rapid.SampledFrom([]string{"zh-CN", "en", ""}).Draw(t, "lang"))
		for _, k := range rapid.SliceOfN(keys, 0, 60).Draw(t, "keys") {
			s = s.Press(k)
			if n := utf8.RuneCountInString(s.Text); n > f.Max {
				t.Fatalf("%d characters", n)
			}
			if f.Kind == Digits && strings.Trim(s.Text, "0123456789") != "" || strings.ContainsRune(s.Text, 0) {
				t.Fatalf("%q", s.Text)
			}
			if s.Letters != "" && s.Layout != Pinyin {
				t.Fatalf("letters wait where nobody sees them: %+v", s)
			}
			if f.Secret && !s.Shown && strings.Count(s.Visible(), "•") != max(0, utf8.RuneCountInString(s.Text)-1) {
				t.Fatalf("%q is readable", s.Visible())
			}
			if len(s.Choices()) > OnPage || s.Page > 0 && len(s.Choices()) == 0 {
				t.Fatalf("page %d: %v", s.Page, s.Choices())
			}
		}
	})
}
