package member

import (
	"fmt"
	"slices"
	"time"
	"unicode"
	"unicode/utf8"

	"foyer/internal/words"
)

// Limits of one member.
const (
	MaxName = 40 // runes of a family or given name
	MaxTags = 16
	MaxWas  = 16 // earlier names of one member
	maxID   = 64
)

// Tiers lists the tiers from the lowest; no tier is an ordinary member.
var Tiers = []string{"silver", "gold", "diamond"}

var titles = []Title{NoTitle, Mr, Ms, Teacher, Doctor}

// faults never repeats a name: an error may be logged, and a log holds no person.
func (m *Member) faults() []error {
	var faults []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	check(validID(m.ID), "id: want 1 to %d letters, digits, dots, dashes or underscores", maxID)
	check(len(m.Tags) <= MaxTags, "%d tags: want at most %d", len(m.Tags), MaxTags)
	for i, t := range m.Tags[:min(len(m.Tags), MaxTags)] {
		check(!t.IsZero(), "tag %d is all zeros: want a hash of 32 hex digits", i+1)
		check(!slices.Contains(m.Tags[:i], t), "tag %d is there twice", i+1)
	}
	check(len(m.Blocked) <= MaxTags, "%d blocked tags: want at most %d", len(m.Blocked), MaxTags)
	for i, t := range m.Blocked[:min(len(m.Blocked), MaxTags)] {
		check(!t.IsZero(), "blocked tag %d is all zeros: want a hash of 32 hex digits", i+1)
		check(!slices.Contains(m.Blocked[:i], t), "blocked tag %d is there twice", i+1)
		check(!slices.Contains(m.Tags[:min(len(m.Tags), MaxTags)], t), "blocked tag %d is among the tags too: want it in one of the lists", i+1)
	}
	check(len(m.Shared) <= MaxTags, "%d shared tags: want at most %d", len(m.Shared), MaxTags)
	check(len(m.Was) <= MaxWas, "%d earlier ids: want at most %d", len(m.Was), MaxWas)
	check(len(m.Forms) <= 2*MaxTags, "%d shorter forms: want at most %d", len(m.Forms), 2*MaxTags)
	check(printable(m.Family, MaxName), "family: want at most %d characters, none of them a control character", MaxName)
	check(printable(m.FamilyLatin, MaxName), "family_latin: want at most %d characters, none of them a control character", MaxName)
	check(printable(m.Given, MaxName), "given: want at most %d characters, none of them a control character", MaxName)
	check(printable(m.ConsentText, maxID), "consent_text: want at most %d characters, none of them a control character", maxID)
	check(slices.Contains(titles, m.Title), "title %.20q: want one of %q", string(m.Title), titles[1:])
	langs := words.Load().Languages()
	check(m.Language == "" || slices.Contains(langs, m.Language), "language %.20q: want one of %q", m.Language, langs)
	check(m.Tier == "" || slices.Contains(Tiers, m.Tier), "tier %.20q: want one of %q", m.Tier, Tiers)
	check(m.Birthday.valid(), "birthday %d-%d: there is no such day", m.Birthday.Month, m.Birthday.Day)
	check(sane(m.Since), "since: year %d is out of 1900 to 2200", m.Since.Year())
	check(sane(m.ContractEnds), "contract_ends: year %d is out of 1900 to 2200", m.ContractEnds.Year())
	check(len(m.Consents) <= len(Purposes), "%d consents: want at most %d, each once", len(m.Consents), len(Purposes))
	for i, p := range m.Consents[:min(len(m.Consents), len(Purposes))] {
		check(slices.Contains(Purposes, p), "consent %.30q: want one of %q", string(p), Purposes)
		check(!slices.Contains(m.Consents[:i], p), "consent %.30q is there twice", string(p))
	}
	return faults
}

func validID(id ID) bool {
	if id == "" || len(id) > maxID {
		return false
	}
	for _, r := range id {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		if !letter && r != '-' && r != '_' && r != '.' {
			return false
		}
	}
	return true
}

// printable refuses what could break a line or turn its direction on a screen.
func printable(s string, most int) bool {
	if !utf8.ValidString(s) || utf8.RuneCountInString(s) > most {
		return false
	}
	for _, r := range s {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029' || r == '\uFEFF' {
			return false
		}
	}
	return true
}

func (d MonthDay) valid() bool {
	if d.IsZero() {
		return true
	}
	t := time.Date(2000, d.Month, d.Day, 0, 0, 0, 0, time.UTC) // 2000 was a leap year
	return t.Year() == 2000 && t.Month() == d.Month && t.Day() == d.Day
}

func sane(t time.Time) bool { return t.IsZero() || t.Year() >= 1900 && t.Year() <= 2200 }
