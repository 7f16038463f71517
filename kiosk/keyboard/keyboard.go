// Package keyboard is the kiosk's on-screen keyboard without its pixels: what a key does to what is being written.
//
// In: a field (what is asked for, how long it may be), the language of the session, and keys, from the glass or from a
// hardware keyboard or scanner. Out: the next Sheet, a plain value: the text so far, the letters of Pinyin that wait for a
// choice, the choices, and which keys stand. It never draws, reads no clock and keeps nothing: the sheet goes with the
// session, and no choice of one person is offered to the next.
// Called by kiosk/scene, which holds the sheet, and kiosk/screens, which draws it.
package keyboard

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"foyer/kiosk/pinyin"
)

// Kind is what a field asks for.
type Kind uint8

// The kinds of field.
const (
	Digits Kind = iota // a telephone number, a code
	Name               // of a person
	Words              // a sentence or two
)

// Layout is which keys stand.
type Layout uint8

// The layouts.
const (
	Numbers Layout = iota // 1 to 9 and 0
	Latin
	Pinyin
	Marks // digits and punctuation for Words
)

// Field is what is asked for.
type Field struct {
	Kind   Kind
	Min    int  // characters; the sheet is ready from here on
	Max    int  // characters
	Secret bool // others in the hall must not read it: all but the last character are dots until Show
}

// Sheet is a field being filled. The zero value takes nothing.
type Sheet struct {
	Field   Field
	Lang    string // of the session
	Layout  Layout
	Text    string // what is written
	Letters string // of Pinyin, waiting for a choice
	Shift   bool   // the next Latin letter is a capital
	Page    int    // of the choices
	Shown   bool   // a secret is readable
}

// Key is what was pressed: a character, or one of the keys below.
type Key rune

// Keys that are no characters. They lie outside of Unicode, so that no character is one of them.
const (
	Erase  Key = utf8.MaxRune + 1 + iota
	Clear      // all of it
	Shift      // capitals on or off
	Switch     // between Pinyin and Latin
	More       // digits and punctuation, and back
	Next       // choices
	Back       // choices
	Show       // a secret, or hide it
	Choose     // Choose+n: the choice n of this page
)

// OnPage is how many choices are offered at once.
const OnPage = 7

// pages is how far a list of choices is offered: the rarest character of the fullest syllable is within reach.
const pages = 30

// Open begins a field in a language.
func Open(f Field, lang string) Sheet {
	s := Sheet{Field: f, Lang: lang}
	s.Layout = s.home()
	return s.settle()
}

// Speak is the sheet in another language. What is written stays; where nothing is, its keys are those of the language.
func (s Sheet) Speak(lang string) Sheet {
	if s.Field == (Field{}) || s.Lang == lang {
		return s
	}
	if s.Text == "" && s.Letters == "" {
		return Open(s.Field, lang)
	}
	s.Lang = lang
	return s
}

// home is the layout that a field begins with.
func (s Sheet) home() Layout {
	switch {
	case s.Field.Kind == Digits:
		return Numbers
	case s.Lang == "zh-CN":
		return Pinyin
	}
	return Latin
}

// Ready reports whether the field may be left: enough is written and nothing waits for a choice.
func (s Sheet) Ready() bool {
	n := utf8.RuneCountInString(strings.TrimSpace(s.Text))
	return s.Letters == "" && n >= s.Field.Min && n <= s.Field.Max
}

// Value is what was written.
func (s Sheet) Value() string { return strings.TrimSpace(s.Text) }

// Visible is what may stand on the glass.
func (s Sheet) Visible() string {
	if !s.Field.Secret || s.Shown || s.Text == "" {
		return s.Text
	}
	_, last := utf8.DecodeLastRuneInString(s.Text)
	hidden := s.Text[:len(s.Text)-last]
	return strings.Repeat("•", utf8.RuneCountInString(hidden)) + s.Text[len(hidden):]
}

// Choices lists what the letters may stand for, on the page that is shown.
func (s Sheet) Choices() []pinyin.Choice {
	all := s.choices()
	from := min(len(all), s.Page*OnPage)
	return all[from:min(len(all), from+OnPage)]
}

// Turns reports whether there are choices before and after this page.
func (s Sheet) Turns() (back, next bool) {
	return s.Page > 0, len(s.choices()) > (s.Page+1)*OnPage
}

func (s Sheet) choices() []pinyin.Choice {
	if s.Letters == "" {
		return nil
	}
	return pinyin.Choices(s.Letters, s.writing(), pages*OnPage)
}

func (s Sheet) writing() pinyin.Writing {
	switch {
	case s.Field.Kind != Name:
		return pinyin.Text
	case s.Text == "":
		return pinyin.Surname
	}
	return pinyin.Given
}

// Press is the sheet after a key. A key that means nothing here changes nothing.
func (s Sheet) Press(k Key) Sheet {
	switch {
	case k >= Choose:
		return s.choose(int(k - Choose)).settle()
	case k == Erase:
		return s.erase().settle()
	case k == Clear:
		s.Text, s.Letters = "", ""
	case k == Shift:
		s.Shift = !s.Shift
		return s
	case k == Switch:
		return s.swap().settle()
	case k == More:
		return s.marks().settle()
	case k == Next || k == Back:
		return s.turn(k)
	case k == Show:
		s.Shown = s.Field.Secret && !s.Shown
	default:
		return s.write(rune(k)).settle()
	}
	return s.settle()
}

// settle ends what a key does: the choices begin at their first page, and a name's words begin with a capital.
func (s Sheet) settle() Sheet {
	s.Page = 0
	s.Shift = s.Layout == Latin && (s.Text == "" || s.Field.Kind == Name && strings.HasSuffix(s.Text, " "))
	return s
}

func (s Sheet) erase() Sheet {
	if s.Letters != "" {
		s.Letters = s.Letters[:len(s.Letters)-1]
		return s
	}
	_, last := utf8.DecodeLastRuneInString(s.Text)
	s.Text = s.Text[:len(s.Text)-last]
	return s
}

// choose takes one of the choices; the letters behind it wait for theirs.
func (s Sheet) choose(n int) Sheet {
	list := s.Choices()
	if n >= len(list) || utf8.RuneCountInString(s.Text+list[n].Text) > s.Field.Max {
		return s
	}
	s.Text += list[n].Text
	s.Letters = s.Letters[list[n].Letters:]
	return s
}

// swap changes between Pinyin and Latin. Letters that wait become Latin ones: so they were not typed in vain.
func (s Sheet) swap() Sheet {
	switch s.Layout {
	case Pinyin:
		letters := s.Letters
		s.Layout, s.Letters = Latin, ""
		s = s.settle()
		for _, r := range letters {
			s = s.write(r)
		}
	case Latin:
		s.Layout = Pinyin
	}
	return s
}

func (s Sheet) marks() Sheet {
	switch {
	case s.Field.Kind != Words || s.Letters != "":
	case s.Layout == Marks:
		s.Layout = s.home()
	default:
		s.Layout = Marks
	}
	return s
}

func (s Sheet) turn(k Key) Sheet {
	back, next := s.Turns()
	switch {
	case k == Next && next:
		s.Page++
	case k == Back && back:
		s.Page--
	}
	return s
}

// write takes a character.
func (s Sheet) write(r rune) Sheet {
	if s.Layout == Pinyin {
		switch {
		case r == ' ' && s.Letters != "":
			return s.choose(0)
		case pinyin.Accepts(s.Letters, unicode.ToLower(r)) && utf8.RuneCountInString(s.Text) < s.Field.Max:
			s.Letters += string(unicode.ToLower(r))
			return s
		case s.Letters != "":
			return s // first the choice
		}
	}
	if s.Layout == Latin && s.Shift {
		r = unicode.ToUpper(r)
	}
	if utf8.RuneCountInString(s.Text) >= s.Field.Max || !s.takes(r) {
		return s
	}
	s.Text += string(r)
	s.Shift = false
	return s
}

// takes reports whether a character belongs into the field. A hardware keyboard and a scanner can send any.
func (s Sheet) takes(r rune) bool {
	last, _ := utf8.DecodeLastRuneInString(s.Text)
	switch s.Field.Kind {
	case Digits:
		return r >= '0' && r <= '9'
	case Name:
		mark := strings.ContainsRune(" -'·.", r)
		return unicode.IsLetter(r) || mark && s.Text != "" && !strings.ContainsRune(" -'·", last)
	}
	return unicode.IsGraphic(r) && (r != ' ' || s.Text != "" && last != ' ')
}
