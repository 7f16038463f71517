package presence

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"iter"
	"time"

	"foyer/reader/tag"
)

// maxName is the longest name of a zone or a reader.
const maxName = 255

// snapshotHead begins every snapshot: what it is, and the version of its form.
const snapshotHead = "foyer presence 1\n"

var errSnapshot = errors.New("presence snapshot is damaged")

// Stay is one tag that is present.
type Stay struct {
	ID      tag.ID
	Also    tag.ID
	Zone    string
	Since   time.Time
	Seen    time.Time // its last strong read
	Nth     uint64    // of the zone's arrivals
	Leaving bool      // no strong read for the zone's Window
}

// Stays yields all present tags, in no order.
func (t *Tracker) Stays() iter.Seq[Stay] {
	return func(yield func(Stay) bool) {
		for _, g := range t.groups {
			for _, d := range g.dues {
				if !yield(t.stay(d.stay)) {
					return
				}
			}
		}
	}
}

func (t *Tracker) stay(i int32) Stay {
	s, r := &t.stays.slots[i], &t.stays.records[i]
	z := &t.zones[s.zone]
	return Stay{s.id, r.also, z.ID, t.base.Add(r.since), t.base.Add(s.last), r.nth, t.now-s.last > z.Window}
}

// Snapshot is what a restart needs: who is where, by whom heard, and how many arrivals there were; of the tags only those
// that keep says yes to, all if it is nil. About 30 bytes a tag. The wall clock's time is in it, because a monotonic clock
// does not outlive the machine.
func (t *Tracker) Snapshot(now time.Time, keep func(Stay) bool) []byte {
	t.advance(now)
	var kept []int32
	for _, g := range t.groups {
		for _, d := range g.dues {
			if keep == nil || keep(t.stay(d.stay)) {
				kept = append(kept, d.stay)
			}
		}
	}
	b := binary.BigEndian.AppendUint64([]byte(snapshotHead), uint64(now.UnixNano()))
	b = binary.AppendUvarint(b, uint64(len(t.zones)))
	for i := range t.zones {
		b = appendName(b, t.zones[i].ID)
		b = binary.AppendUvarint(b, t.zones[i].arrivals)
	}
	b = binary.AppendUvarint(b, uint64(len(t.ears)))
	for i := range t.ears {
		b = appendName(b, t.ears[i].name)
	}
	b = binary.AppendUvarint(b, uint64(len(kept)))
	for _, i := range kept {
		b = t.appendStay(b, i)
	}
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
}

func appendName(b []byte, name string) []byte { return append(append(b, byte(len(name))), name...) }

func (t *Tracker) appendStay(b []byte, i int32) []byte {
	s, r := &t.stays.slots[i], &t.stays.records[i]
	b = append(b, s.id[:]...)
	if r.also.IsZero() {
		b = append(b, 0)
	} else {
		b = append(append(b, 1), r.also[:]...)
	}
	b = binary.AppendUvarint(b, uint64(s.zone))
	b = binary.AppendUvarint(b, uint64(s.ear))
	b = binary.AppendUvarint(b, r.nth)
	b = binary.AppendUvarint(b, uint64(t.now-r.since))
	return binary.AppendUvarint(b, uint64(t.now-s.last))
}

// Restore puts a snapshot into a tracker that has seen nothing yet. The tags are present as they were, without an arrival
// being told, and cannot leave before something is heard of their reader; tags of zones and readers that are no more are
// dropped. After more than atMost (0 is any time) nobody is taken to be where they were, but arrivals are counted on. A
// snapshot that is not whole restores nothing.
func (t *Tracker) Restore(snapshot []byte, now time.Time, atMost time.Duration) error {
	if t.now != 0 || t.stays.n > 0 {
		return errors.New("restore presence: the tracker has seen something already")
	}
	s, err := readSnapshot(snapshot)
	if err != nil {
		return fmt.Errorf("restore presence: %w", err)
	}
	t.advance(now)
	down := max(0, now.Sub(s.taken))
	zones, ears := t.numbers(s)
	if atMost > 0 && down > atMost {
		s.stays = nil
	}
	for _, k := range s.stays {
		zi, ei := zones[k.zone], ears[k.ear]
		if zi < 0 || ei < 0 {
			continue
		}
		z, e := &t.zones[zi], &t.ears[ei]
		if len(t.groups[z.group].dues) >= MaxPresent || t.stays.find(&k.id, z.group, t.zones) != 0 {
			continue
		}
		e.offline, e.awaited = true, true
		one := stay{id: k.id, last: -down - k.silent, heard: -down - k.silent, zone: zi, ear: ei}
		i := t.stays.take(z.group, one, record{also: k.also, since: -down - k.stayed, nth: k.nth})
		t.groups[z.group].push(due{t.look(&one), i})
	}
	return nil
}

// numbers says which zones and readers of a snapshot are which of ours; -1 is none.
func (t *Tracker) numbers(s snapshot) (zones, ears []int16) {
	for _, old := range s.zones {
		at := int16(-1)
		for i := range t.zones {
			if t.zones[i].ID == old.name {
				at = int16(i)
				t.zones[i].arrivals = old.arrivals
			}
		}
		zones = append(zones, at)
	}
	for _, name := range s.ears {
		at := int16(-1)
		if i, ok := t.byReader[name]; ok {
			at = int16(i)
		}
		ears = append(ears, at)
	}
	return zones, ears
}

// snapshot is a snapshot in parts.
type snapshot struct {
	taken time.Time
	zones []struct {
		name     string
		arrivals uint64
	}
	ears  []string
	stays []keptStay
}

type keptStay struct {
	id, also       tag.ID
	zone, ear      int
	nth            uint64
	stayed, silent time.Duration
}

// readSnapshot believes no count that the bytes left cannot hold.
func readSnapshot(b []byte) (s snapshot, err error) {
	const smallest = len(snapshotHead) + 8 + 4
	if len(b) < smallest || string(b[:len(snapshotHead)]) != snapshotHead {
		return s, fmt.Errorf("%w: it does not begin as one", errSnapshot)
	}
	body, sum := b[:len(b)-4], binary.BigEndian.Uint32(b[len(b)-4:])
	if crc32.ChecksumIEEE(body) != sum {
		return s, fmt.Errorf("%w: its checksum is wrong", errSnapshot)
	}
	p := &parser{b: body[len(snapshotHead):]}
	s.taken = time.Unix(0, int64(binary.BigEndian.Uint64(p.take(8))))
	for range p.count(2) {
		name := p.name()
		s.zones = append(s.zones, struct {
			name     string
			arrivals uint64
		}{name, p.number()})
	}
	for range p.count(1) {
		s.ears = append(s.ears, p.name())
	}
	for range p.count(22) {
		s.stays = append(s.stays, p.stay(len(s.zones), len(s.ears)))
	}
	if p.bad || len(p.b) > 0 {
		return snapshot{}, errSnapshot
	}
	return s, nil
}

// parser takes bytes from the front; once something is wrong, everything after is zero.
type parser struct {
	b   []byte
	bad bool
}

func (p *parser) take(n int) []byte {
	if n > len(p.b) {
		p.bad, p.b = true, nil
		return make([]byte, n)
	}
	out := p.b[:n]
	p.b = p.b[n:]
	return out
}

func (p *parser) number() uint64 {
	v, n := binary.Uvarint(p.b)
	if n <= 0 {
		p.bad, p.b = true, nil
		return 0
	}
	p.b = p.b[n:]
	return v
}

// count reads how many items follow, of so many bytes at least.
func (p *parser) count(least int) int {
	n := p.number()
	if n > uint64(len(p.b)/least) {
		p.bad, p.b = true, nil
		return 0
	}
	return int(n)
}

func (p *parser) name() string { return string(p.take(int(p.take(1)[0]))) }

func (p *parser) below(n int) int {
	v := p.number()
	if v >= uint64(n) {
		p.bad = true
		return 0
	}
	return int(v)
}

// span is a duration up to a century.
func (p *parser) span() time.Duration {
	const century = 100 * 365 * 24 * time.Hour
	return time.Duration(min(p.number(), uint64(century)))
}

func (p *parser) stay(zones, ears int) (k keptStay) {
	k.id = tag.ID(p.take(len(k.id)))
	if p.take(1)[0] == 1 {
		k.also = tag.ID(p.take(len(k.also)))
	}
	k.zone, k.ear = p.below(zones), p.below(ears)
	k.nth, k.stayed, k.silent = p.number(), p.span(), p.span()
	p.bad = p.bad || k.id.IsZero()
	return k
}
