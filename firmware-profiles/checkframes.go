package profiles

import (
	"fmt"
	"regexp"
	"slices"

	"foyer/internal/strictyaml"
)

// fixedSizes is the size of the kinds of field that have one of their own.
var fixedSizes = map[FieldKind]int{
	TypeByte: 1, CmdByte: 1, LengthOf: 1, RSSI: 1, PC: 2, EPCCRC: 2, EM: 5, Status: 1, Code: 1,
}

// OwnSize is the size of a kind of field, or 0 if the profile must say it.
func (k FieldKind) OwnSize() int { return fixedSizes[k] }

var codeForm = regexp.MustCompile(`^[0-9A-F]{2}$`)

func (c *checker) frames() {
	f := c.p.Frames
	if f == nil {
		return
	}
	c.fields("frames.head", f.Head, nil)
	for i, field := range f.Head {
		if field.Size.Rest || field.Size.Length || !slices.Contains([]FieldKind{Skip, TypeByte, CmdByte, Status, Number}, field.Is) && field.Is != "" {
			c.At(fmt.Sprintf("frames.head[%d]", i), "want skip, type, cmd, status or number of a fixed size: every frame begins with it")
		}
	}
	if len(f.Reads) == 0 && c.Has("frames.reads") {
		c.At("frames.reads", "is empty, want at least one rule")
	}
	seen := map[string]string{}
	for _, group := range []struct {
		path  string
		rules []Rule
	}{{"frames.quiet", f.Quiet}, {"frames.reads", f.Reads}, {"frames.errors", f.Errors}, {"frames.answers", f.Answers}, {"frames.sent", f.Sent}} {
		if len(group.rules) > maxRules {
			c.At(group.path, "%d rules, want at most %d", len(group.rules), maxRules)
		}
		if group.path == "frames.sent" {
			clear(seen) // the other side of the conversation
		}
		for i, r := range group.rules {
			path := fmt.Sprintf("%s[%d]", group.path, i)
			c.rule(path, r)
			if first, ok := seen[r.Name]; ok && r.Name != "" {
				c.At(path+".name", "%q is the name of %s already", r.Name, first)
			}
			seen[r.Name] = path
		}
	}
	for i, r := range f.Reads {
		c.identity(fmt.Sprintf("frames.reads[%d]", i), r.Fields)
	}
}

func (c *checker) rule(path string, r Rule) {
	c.matches(path+".when", r.When)
	c.fields(path+".fields", r.Fields, c.p.Frames.Head)
	for i, f := range r.Fields {
		if f.Is == TypeByte || f.Is == CmdByte && hasField(c.p.Frames.Head, CmdByte) {
			c.At(fmt.Sprintf("%s.fields[%d]", path, i), "%s stands in frames.head", f.Is)
		}
	}
	if len(r.Codes) > 0 && !hasField(r.Fields, Code) {
		c.At(path+".codes", "has no meaning without a field code")
	}
	c.names(path+".codes", r.Codes)
}

func (c *checker) names(path string, names map[string]string) {
	for key := range names {
		if !codeForm.MatchString(key) {
			c.At(strictyaml.Join(path, key), "got %.20q, want two upper case hex digits in quotes, like \"0A\"", key)
		}
	}
}

// fields checks a run of fields that follows before.
func (c *checker) fields(path string, fields, before []Field) {
	if len(fields) > maxFields {
		c.At(path, "%d fields, want at most %d", len(fields), maxFields)
	}
	open := 0
	for i, f := range fields {
		if open > 0 && f.Size.Length {
			c.At(fmt.Sprintf("%s[%d].size", path, i), "length cannot follow a field that takes the rest")
		}
		at := fmt.Sprintf("%s[%d]", path, i)
		c.field(at, f)
		if f.Is != Skip && f.Is != Number && (hasField(fields[:i], f.Is) || hasField(before, f.Is)) {
			c.At(at, "%s is given twice", f.Is)
		}
		if f.Size.Length && !hasField(fields[:i], LengthOf) {
			c.At(at+".size", "length needs a field length before it")
		}
		if f.Size.Rest {
			open++
		}
	}
	if open > 1 {
		c.At(path, "%d fields take the rest, want at most one", open)
	}
	if hasField(fields, LengthOf) && !slices.ContainsFunc(fields, func(f Field) bool { return f.Size.Length }) {
		c.At(path, "the field length has no field of size length after it")
	}
}

func (c *checker) field(path string, f Field) {
	own := f.Is.OwnSize()
	switch {
	case f.Is == "": // told already
	case own > 0 && f.Size != (Size{}) && f.Size.N != own:
		c.At(path+".size", "%s has a size of its own (%d), remove this one", f.Is, own)
	case own == 0 && f.Size == (Size{}):
		c.At(path, "%s needs a size: a count of bytes, rest or length", f.Is)
	}
	if f.Less != 0 {
		c.bounds(path+".less", f.Less, 0, 255)
		if f.Is != LengthOf {
			c.At(path+".less", "has no meaning for %s, only for length", f.Is)
		}
	}
	if len(f.Names) > 0 && f.Is != TypeByte && f.Is != CmdByte && f.Is != Number {
		c.At(path+".names", "has no meaning for %s, only for type, cmd and number", f.Is)
	}
	c.shown(path, f)
	c.names(path+".names", f.Names)
}

// asForm is a name that tools print: it must not look like one of their own by accident of case or spaces.
var asForm = regexp.MustCompile(`^[a-z][a-z0-9_]{0,31}$`)

// shown checks how a value is shown.
func (c *checker) shown(path string, f Field) {
	switch {
	case f.Is == Number && (f.Size.N < 1 || f.Size.N > 4):
		c.At(path+".size", "a number needs a size of 1 to 4 bytes")
	case f.Is == Number && f.As == "":
		c.At(path+".as", "is missing: what tools call the number")
	case f.As != "" && f.Is != Number && f.Is != CmdByte:
		c.At(path+".as", "has no meaning for %s, only for cmd and number", f.Is)
	case f.As != "" && !asForm.MatchString(f.As):
		c.At(path+".as", "got %.40q, want lower case letters, digits and underscores", f.As)
	}
	if f.Plus != 0 {
		c.bounds(path+".plus", f.Plus, -255, 255)
		if f.Is != Number {
			c.At(path+".plus", "has no meaning for %s, only for number", f.Is)
		}
	}
}

// identity demands one number a read, and whole pairs of what proves it.
func (c *checker) identity(path string, fields []Field) {
	epc, identities := hasField(fields, EPCBytes), 0
	for _, kind := range []FieldKind{EM, EPCBytes, UIDBytes, TextOf, Records} {
		if hasField(fields, kind) {
			identities++
		}
	}
	switch {
	case identities != 1:
		c.At(path+".fields", "a read needs one identity: em4100, epc, uid, text or records")
	case hasField(fields, Records) && c.p.Codec == "":
		c.At(path+".fields", "records are read by a codec, and the profile names none")
	case hasField(fields, EPCCRC) && !hasField(fields, PC):
		c.At(path+".fields", "epc_crc covers the PC: add the field pc")
	case hasField(fields, PC) && !epc:
		c.At(path+".fields", "pc has no meaning without the field epc")
	case hasField(fields, EPCCRC) && indexField(fields, PC)+1 != indexField(fields, EPCBytes):
		c.At(path+".fields", "epc_crc covers PC and EPC: pc must stand right before epc")
	}
}

func hasField(fields []Field, kind FieldKind) bool { return indexField(fields, kind) >= 0 }

func indexField(fields []Field, kind FieldKind) int {
	return slices.IndexFunc(fields, func(f Field) bool { return f.Is == kind })
}
