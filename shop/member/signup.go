package member

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// mobile is a number of mainland China, or any other country's after 00.
var mobile = regexp.MustCompile(`^(1[3-9][0-9]{9}|00[1-9][0-9]{8,14})$`)

// ValidPhone reports whether s can be a mobile number: eleven digits of mainland China, or 00 and another country's number.
func ValidPhone(s string) bool { return mobile.MatchString(s) }

// MaskPhone keeps what tells two numbers apart for who has one before them: "138****5678".
func MaskPhone(s string) string {
	if len(s) < 8 {
		return strings.Repeat("*", len(s))
	}
	return s[:3] + "****" + s[len(s)-4:]
}

// Split takes a name apart as its script writes it: 欧阳修 is 欧阳 and 修, Anna Lindqvist is Lindqvist and Anna. A name with a
// dot in it, 买买提·艾则孜, has no family name.
func Split(name string) (family, given string) {
	name = strings.Join(strings.Fields(name), " ")
	switch words := strings.Fields(name); {
	case strings.Contains(name, "·"):
		return "", name
	case hasHan(name):
		_, first := utf8.DecodeRuneInString(name)
		_, second := utf8.DecodeRuneInString(name[first:])
		if _, compound := pinyin()[name[:first+second]]; compound && second > 0 && len(name) > first+second {
			first += second
		}
		return name[:first], strings.TrimSpace(name[first:])
	case len(words) > 1:
		return words[len(words)-1], strings.Join(words[:len(words)-1], " ")
	}
	return name, ""
}
