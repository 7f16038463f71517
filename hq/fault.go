package hq

import (
	"fmt"
	"strings"
	"unicode"
)

// maxFaults is how many faults of a file are told one by one; the rest are counted.
const maxFaults = 200

// Fault is one thing that is wrong with an imported file: where, and what. It never carries the value, which may be a
// person's; it tells the value's kind ("11 digits") instead.
type Fault struct {
	Line   int       `json:"line"`             // 1 is the header
	Column int       `json:"column,omitempty"` // 1 is the first; 0 is the whole line
	Name   string    `json:"name,omitempty"`   // of the column
	Code   FaultCode `json:"code"`             // what is wrong, stable
	Got    Shape     `json:"got,omitzero"`     // what the value looks like
	Other  int       `json:"other,omitempty"`  // another line that it clashes with
}

// FaultCode says what is wrong. The console's words have a sentence for each under console.fault.
type FaultCode string

// The codes.
const (
	FaultTooBig       FaultCode = "file_too_big"
	FaultTooManyRows  FaultCode = "too_many_rows"
	FaultEmpty        FaultCode = "file_empty"
	FaultEncoding     FaultCode = "encoding" // neither UTF-8 nor GB18030
	FaultUTF16        FaultCode = "encoding_utf16"
	FaultQuote        FaultCode = "quote" // CSV quoting is broken; reading stopped here
	FaultColumn       FaultCode = "column_unknown"
	FaultColumnTwice  FaultCode = "column_twice"
	FaultColumnNeeded FaultCode = "column_needed" // neither id nor tags
	FaultWidth        FaultCode = "row_width"     // more values than the header has columns
	FaultNobody       FaultCode = "row_nobody"    // neither an id nor a tag
	FaultTwice        FaultCode = "member_twice"  // Other is the first line of this member
	FaultID           FaultCode = "id"
	FaultText         FaultCode = "text" // too long, or not printable
	FaultTitle        FaultCode = "title"
	FaultLanguage     FaultCode = "language"
	FaultTier         FaultCode = "tier"
	FaultMonthDay     FaultCode = "birthday"
	FaultDate         FaultCode = "date"
	FaultTag          FaultCode = "tag"
	FaultTagMany      FaultCode = "tag_many"        // more than member.MaxTags with their shorter forms
	FaultTagSheet     FaultCode = "tag_spreadsheet" // a spreadsheet has rounded the number
	FaultTagTaken     FaultCode = "tag_taken"       // it is another member's; Other is the line, 0 if not in the file
	FaultTagsOfTwo    FaultCode = "tags_of_two"     // without an id: the tags belong to two members
	FaultConsent      FaultCode = "consent"
	FaultYesNo        FaultCode = "yes_no"
	FaultErased       FaultCode = "erased" // this person was erased: an old file must not bring them back
)

// Error gives a fault in English, as a log or an API's answer tells it.
func (f Fault) Error() string {
	s := fmt.Sprintf("line %d", f.Line)
	if f.Name != "" {
		s += fmt.Sprintf(", column %d (%s)", f.Column, f.Name)
	}
	s += ": " + string(f.Code)
	if f.Got.Kind != "" {
		s += fmt.Sprintf(", got %d %s", f.Got.Length, f.Got.Kind)
	}
	if f.Other != 0 {
		s += fmt.Sprintf(", see line %d", f.Other)
	}
	return s
}

// Shape is what a value looks like, without the value: Length characters that are Kind.
type Shape struct {
	Kind   string `json:"kind,omitempty"` // "digits", "letters", "hex", "mixed", "nothing"
	Length int    `json:"length,omitempty"`
}

func shapeOf(s string) Shape {
	if s == "" {
		return Shape{Kind: "nothing"}
	}
	n := len([]rune(s))
	only := func(ok func(rune) bool) bool { return strings.IndexFunc(s, func(r rune) bool { return !ok(r) }) < 0 }
	isHex := func(r rune) bool { return strings.ContainsRune("0123456789abcdefABCDEF", r) }
	switch {
	case only(func(r rune) bool { return r >= '0' && r <= '9' }):
		return Shape{"digits", n}
	case only(unicode.IsLetter):
		return Shape{"letters", n}
	case only(isHex):
		return Shape{"hex", n}
	}
	return Shape{"mixed", n}
}

// faults collects the first maxFaults and counts all.
type faults struct {
	list  []Fault
	count int
}

func (f *faults) add(x Fault) {
	f.count++
	if len(f.list) < maxFaults {
		f.list = append(f.list, x)
	}
}
