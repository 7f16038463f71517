package frame

import (
	"iter"

	"foyer/reader/tag"
)

// batch is the records of the frame in hand.
type batch struct {
	codec   codec
	rest    []byte
	left    int
	antenna uint8 // of all of them, where the frame says it once
	now     Record
}

// read takes the next record of b.
func (t *batch) read(b []byte) (size int, ok bool) {
	t.now = Record{Antenna: t.antenna}
	return t.codec.record(b, &t.now)
}

// randomID is the text of a read that is no identity.
const randomID = "random id"

// isRandom reports whether a UID is made anew at each touch, as phones do (ISO/IEC 14443-3, 6.5.4: four bytes, 08 first).
// It must never be enrolled.
func isRandom(uid []byte) bool { return len(uid) == 4 && uid[0] == 0x08 }

// setUID makes n the identity of a UID: none for a random one.
func setUID(n *tag.Number, uid []byte) Bad {
	switch {
	case len(uid) != 4 && len(uid) != 7 && len(uid) != 10:
		return Fields
	case isRandom(uid):
		*n = tag.Number{}
		return Good
	}
	return badIf(n.Set(tag.UID, uid))
}

// firstRecord proves every record before the first is told: a frame is good as a whole.
func (d *Decoder) firstRecord(payload []byte, s *Sighting, m *Meaning) Bad {
	b := &d.batch
	all := d.found.get(kRecords, payload)
	b.antenna = 0
	n, size, ok := b.codec.count(all, &b.antenna)
	if !ok {
		return Fields
	}
	rest := all[size:]
	for range n {
		size, ok := b.read(rest)
		if !ok || len(b.now.EPC) > tag.MaxBytes || len(b.now.EPC)%2 != 0 {
			return Fields
		}
		if bad := b.now.prove(); bad != Good {
			return bad
		}
		if b.now.Random {
			m.Text = randomID
		}
		rest = rest[size:]
	}
	if len(rest) > 0 {
		return Fields
	}
	if n == 1 && d.tell(s) { // the usual case: it was read just now
		return Good
	}
	b.rest, b.left = all[size:], n
	if n == 1 || !d.More(s) {
		b.left, m.Kind = 0, Quiet
	}
	return Good
}

// tell sets s to the record in hand, unless that has no lasting number.
func (d *Decoder) tell(s *Sighting) bool {
	r := &d.batch.now
	if r.setNumber(&s.Number) != Good || s.Number.IsZero() {
		return false
	}
	s.RSSI, s.HasRSSI, s.Antenna = r.RSSI, r.HasRSSI, r.Antenna
	s.settle(d.scheme, d.also)
	return true
}

// More sets s to the next tag of the frame that was decoded last, and reports whether there was one.
func (d *Decoder) More(s *Sighting) bool {
	b := &d.batch
	for b.left > 0 {
		b.left--
		size, _ := b.read(b.rest) // firstRecord saw to it
		b.rest = b.rest[size:]
		if d.tell(s) {
			return true
		}
	}
	return false
}

// setNumber makes n the identity of a record: none for one that has no lasting number.
func (r *Record) setNumber(n *tag.Number) Bad {
	switch {
	case r.UID != nil:
		return setUID(n, r.UID)
	case len(r.EPC) == 0:
		*n = tag.Number{}
		return Good
	}
	return badIf(n.SetEPC(r.EPC))
}

// Seen is one record as a tool shows it.
type Seen struct {
	Record
	Number tag.Number // zero for one that is no identity
	Values []Value    // what else the reader tells of it
}

// Value is a name and what is shown under it: a number, or text.
type Value struct {
	Name string
	Is   any
}

// Records gives the records of a frame that was decoded last, for a tool; nothing if its rule has none. What the frame
// says of all of them comes with each.
func (d *Decoder) Records(f Frame) (all []Seen, has bool) {
	field := d.found.get(kRecords, f.Payload)
	if field == nil || d.last == nil || d.last.kind != Tag {
		return nil, false
	}
	var antenna uint8
	n, size, ok := d.batch.codec.count(field, &antenna)
	if !ok {
		return nil, true
	}
	rest := field[size:]
	for range n {
		seen := Seen{Record: Record{Antenna: antenna}}
		seen.tell = func(name string, v any) { seen.Values = append(seen.Values, Value{name, v}) }
		size, ok := d.batch.codec.record(rest, &seen.Record)
		if !ok {
			return all, true
		}
		_ = seen.setNumber(&seen.Number) // a zero one says that it is no identity
		all = append(all, seen)
		rest = rest[size:]
	}
	return all, true
}

// Values gives the numbers of a frame that was decoded last and what the profile calls them, its meaning included: what a
// tool prints.
func (d *Decoder) Values(f Frame) iter.Seq2[string, any] {
	return func(yield func(string, any) bool) {
		if d.last == nil {
			return
		}
		var found fields
		at := 0
		for i := range d.last.steps {
			s := &d.last.steps[i]
			found.walk(d.last.steps[:i+1], f.Payload)
			from, to := found.from[s.kind], found.to[s.kind]
			if s.show != nil && from >= at && to <= len(f.Payload) && !yield(s.shown(f.Payload[from:to])) {
				return
			}
			at = to
		}
		if d.last.means != "" && !yield("meaning", d.last.means) {
			return
		}
		if d.last.isType != "" {
			yield("type", d.last.isType)
		}
	}
}

// shown is the name and the value of a field.
func (s *step) shown(b []byte) (string, any) {
	name := s.show.as
	if name == "" {
		name = "cmd"
	}
	v := 0
	for _, x := range b {
		v = v<<8 | int(x)
	}
	if text, ok := s.show.names[byte(v)]; ok && len(b) == 1 {
		return name, text
	}
	return name, v + s.show.plus
}
