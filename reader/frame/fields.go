package frame

import (
	"encoding/hex"
	"iter"
	"slices"

	"foyer/firmware-profiles"
)

// kindOf numbers the kinds of field, so that finding one costs an index.
type kindOf uint8

const (
	kSkip kindOf = iota
	kType
	kCmd
	kLength
	kRSSI
	kPC
	kEPC
	kEPCCRC
	kEM
	kStatus
	kCode
	kData
	kNumber
	kRecords
	kUID
	kText
	kinds
)

var kindWords = [kinds]profiles.FieldKind{
	profiles.Skip, profiles.TypeByte, profiles.CmdByte, profiles.LengthOf, profiles.RSSI, profiles.PC, profiles.EPCBytes,
	profiles.EPCCRC, profiles.EM, profiles.Status, profiles.Code, profiles.Data,
	profiles.Number, profiles.Records, profiles.UIDBytes, profiles.TextOf,
}

// step is one field, compiled.
type step struct {
	kind kindOf
	how  sizing
	size int // fixed
	tail int // bytes that the fields after a rest need
	less int // length: what it counts and the field does not hold
	show *show
}

// show is how a tool shows a field: cmd or number.
type show struct {
	as    string
	names map[byte]string
	plus  int
}

type sizing uint8

const (
	fixed sizing = iota
	rest
	byLength
)

// compile joins the head and the fields of a rule. A rule without fields takes whatever follows the head.
func compile(head, own []profiles.Field) []step {
	all := slices.Concat(head, own)
	if len(own) == 0 {
		all = append(all, profiles.Field{Is: profiles.Skip, Size: profiles.Size{Rest: true}})
	}
	steps := make([]step, len(all))
	tail := 0
	for i, f := range slices.Backward(all) {
		s := step{kind: kindOf(slices.Index(kindWords[:], f.Is)), size: max(f.Size.N, f.Is.OwnSize()), less: f.Less}
		if f.As != "" || f.Is == profiles.CmdByte {
			s.show = &show{f.As, byteNames(f.Names), f.Plus}
		}
		switch {
		case f.Size.Rest:
			s.how, s.tail = rest, tail
		case f.Size.Length:
			s.how = byLength
		}
		tail += s.size
		steps[i] = s
	}
	return steps
}

// fields is where the fields of one payload stand.
type fields struct {
	from, to [kinds]int
	has      uint32
}

// walk finds the fields, and reports whether they fill the payload to the byte.
func (f *fields) walk(steps []step, payload []byte) bool {
	f.has = 0
	at, length := 0, 0
	for i := range steps {
		s := &steps[i]
		size := s.size
		switch s.how {
		case rest:
			size = len(payload) - at - s.tail
		case byLength:
			size = length
		}
		if size < 0 || size > len(payload)-at {
			return false
		}
		f.from[s.kind], f.to[s.kind] = at, at+size
		f.has |= 1 << s.kind
		if s.kind == kLength {
			length = int(payload[at]) - s.less
		}
		at += size
	}
	return at == len(payload)
}

// get returns the bytes of a field, or nil if there is none.
func (f *fields) get(k kindOf, payload []byte) []byte {
	if f.has>>k&1 == 0 {
		return nil
	}
	return payload[f.from[k]:f.to[k]]
}

// Fields gives the fields of a frame that was decoded last, in the order of the vocabulary: what a tool prints.
func (d *Decoder) Fields(f Frame) iter.Seq2[profiles.FieldKind, []byte] {
	return func(yield func(profiles.FieldKind, []byte) bool) {
		for k := kType; k < kinds; k++ {
			if b := d.found.get(k, f.Payload); b != nil && !yield(kindWords[k], b) {
				return
			}
		}
	}
}

// TypeName is what the profile calls a value of the field type; empty if it has no name for it.
func (d *Decoder) TypeName(value byte) string { return d.types[value] }

// byteNames turns the profile's hex keys into bytes.
func byteNames(names map[string]string) map[byte]string {
	out := map[byte]string{}
	for key, name := range names {
		if b, err := hex.DecodeString(key); err == nil && len(b) == 1 {
			out[b[0]] = name
		}
	}
	return out
}
