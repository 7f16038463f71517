package hq

import (
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"foyer/internal/words"
	"foyer/reader/tag"
	"foyer/shop/member"
)

// entry is one row of an import, understood: what it says of a member, and by which columns it says it.
type entry struct {
	line   int
	member member.Member // Tags: hashes of the numbers as given
	also   []tag.ID      // hashes of shorter forms of them
	forms  member.Forms  // of also: whose they are
}

var idForm = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9._-]{0,39}$`) // begins with a letter: no phone number is an id

var titles = map[string]member.Title{
	"": member.NoTitle, "mr": member.Mr, "先生": member.Mr, "ms": member.Ms, "女士": member.Ms, "小姐": member.Ms,
	"teacher": member.Teacher, "老师": member.Teacher, "doctor": member.Doctor, "dr": member.Doctor, "博士": member.Doctor, "医生": member.Doctor,
}

var tiers = map[string]string{"银卡": "silver", "金卡": "gold", "钻石": "diamond", "钻石卡": "diamond"}

var languages = map[string]string{"zh": "zh-CN", "zh-cn": "zh-CN", "中文": "zh-CN", "en": "en", "英文": "en", "english": "en"}

var yesNo = map[string]bool{"": false, "no": false, "false": false, "0": false, "否": false, "n": false,
	"yes": true, "true": true, "1": true, "是": true, "y": true}

// readEntry understands one row. key turns raw numbers into hashes; they are kept nowhere.
func readEntry(s *sheet, row sheetRow, key *tag.Key, f *faults) entry {
	e := entry{line: row.line}
	for i, value := range row.values {
		if i >= len(s.columns) || s.columns[i] == "" {
			continue
		}
		if code := e.set(s.columns[i], value, key); code != "" {
			f.add(Fault{Line: row.line, Column: i + 1, Name: string(s.columns[i]), Code: code, Got: shapeOf(value)})
		}
	}
	return e
}

// set takes one value in and says what is wrong with it.
func (e *entry) set(c column, value string, key *tag.Key) FaultCode {
	m := &e.member
	switch c {
	case colID:
		if m.ID = member.ID(value); value != "" && !idForm.MatchString(value) {
			return FaultID
		}
	case colFamily:
		return setName(&m.Family, value)
	case colLatin:
		return setName(&m.FamilyLatin, value)
	case colGiven:
		return setName(&m.Given, value)
	case colTitle:
		return lookUp(&m.Title, titles, value, FaultTitle)
	case colLanguage:
		return setLanguage(&m.Language, value)
	case colTier:
		return setTier(&m.Tier, value)
	case colBirthday:
		return setMonthDay(&m.Birthday, value)
	case colSince:
		return setDate(&m.Since, value)
	case colContract:
		return setDate(&m.ContractEnds, value)
	case colTags:
		return e.setTags(value, key)
	case colConsents:
		return setConsents(&m.Consents, value)
	case colNoGreeting:
		return lookUp(&m.NoGreeting, yesNo, value, FaultYesNo)
	}
	return ""
}

func lookUp[V any](into *V, table map[string]V, value string, code FaultCode) FaultCode {
	v, ok := table[strings.ToLower(value)]
	if !ok {
		return code
	}
	*into = v
	return ""
}

func setName(into *string, value string) FaultCode {
	unprintable := func(r rune) bool {
		return !unicode.IsPrint(r) || unicode.Is(unicode.Bidi_Control, r) || r == '{' || r == '}' // braces are marks of our texts
	}
	if len([]rune(value)) > member.MaxName || strings.ContainsFunc(value, unprintable) {
		return FaultText
	}
	*into = value
	return ""
}

func setLanguage(into *string, value string) FaultCode {
	if value == "" || slices.Contains(words.Load().Languages(), value) {
		*into = value
		return ""
	}
	return lookUp(into, languages, value, FaultLanguage)
}

func setTier(into *string, value string) FaultCode {
	if low := strings.ToLower(value); value == "" || slices.Contains(member.Tiers, low) {
		*into = low
		return ""
	}
	return lookUp(into, tiers, value, FaultTier)
}

// dateForms are dates as people and spreadsheets write them.
var dateForms = []string{"2006-1-2", "2006/1/2", "2006.1.2", "2006年1月2日"}

func setDate(into *time.Time, value string) FaultCode {
	if value == "" {
		return ""
	}
	for _, form := range dateForms {
		if t, err := time.Parse(form, value); err == nil && t.Year() >= 1900 && t.Year() < 2200 {
			*into = t
			return ""
		}
	}
	return FaultDate
}

// setMonthDay also takes a full date and drops the year: a shop need not know the age.
func setMonthDay(into *member.MonthDay, value string) FaultCode {
	if value == "" {
		return ""
	}
	var full time.Time
	if setDate(&full, value) == "" {
		*into = member.MonthDay{Month: full.Month(), Day: full.Day()}
		return ""
	}
	for _, form := range []string{"1-2", "1/2", "1月2日"} {
		if t, err := time.Parse("2006 "+form, "2000 "+value); err == nil { // 2000 had a 29 February
			*into = member.MonthDay{Month: t.Month(), Day: t.Day()}
			return ""
		}
	}
	return FaultMonthDay
}

func setConsents(into *[]member.Purpose, value string) FaultCode {
	given := []member.Purpose{}
	for _, word := range strings.FieldsFunc(value, func(r rune) bool { return r == '|' || unicode.IsSpace(r) }) {
		p := member.Purpose(strings.ToLower(word))
		if !slices.Contains(member.Purposes, p) {
			return FaultConsent
		}
		if !slices.Contains(given, p) {
			given = append(given, p)
		}
	}
	*into = given
	return ""
}

var sheetNumber = regexp.MustCompile(`^[0-9]([.,][0-9]+)?[eE]\+?[0-9]+$|^[0-9]+\.0+$`) // 1.23457E+09, 12345678.0

// setTags hashes the numbers at once, each with its shorter forms.
func (e *entry) setTags(value string, key *tag.Key) FaultCode {
	split := unicode.IsSpace
	if strings.ContainsRune(value, '|') {
		split = func(r rune) bool { return r == '|' }
	}
	for _, text := range strings.FieldsFunc(value, split) {
		if sheetNumber.MatchString(text) {
			return FaultTagSheet
		}
		n, err := tag.ParseNumber(text)
		if err != nil {
			return FaultTag
		}
		e.addForms(tag.Forms(n), key)
		if len(e.member.Tags)+len(e.also) > member.MaxTags {
			return FaultTagMany
		}
	}
	return ""
}

func (e *entry) addForms(forms []tag.Number, key *tag.Key) {
	var card tag.ID
	for i, form := range forms {
		id := key.ID(form)
		if i == 0 {
			card = id
			e.member.Tags = addTag(e.member.Tags, id)
			continue
		}
		e.also = addTag(e.also, id)
		if e.forms == nil {
			e.forms = member.Forms{}
		}
		e.forms[id] = card
	}
}

func addTag(list []tag.ID, id tag.ID) []tag.ID {
	if slices.Contains(list, id) {
		return list
	}
	return append(list, id)
}
