package wire

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"iter"
	"math"
	"slices"

	"foyer/shop/member"
)

// Members travel whole, as a snapshot of Members, or as a change of it. Headquarters retains a MembersHead, which says what
// version there is and what all its members come to; a store that has another one asks (MembersAsk on Place.Ask(Members))
// and is answered on Place.Down(MembersDelta) or, where no change leads from what it has, on Place.Down(MembersWhole).
const (
	MembersHead  = "members-head"  // HeadBody
	MembersDelta = "members-delta" // DeltaBody; its Version is that of the members after it
	MembersWhole = "members-whole" // a topic only: what comes is a snapshot of Members
)

// HeadBody is the body of MembersHead; the snapshot's version is that of the members.
type HeadBody struct {
	Digest       Digest `json:"sha256"`          // of the roster
	LeaseSeconds int64  `json:"lease,omitempty"` // a store that hears of no newer head for so long forgets the members; 0: never
}

// DeltaBody is the body of MembersDelta: what to do with the members of version From.
type DeltaBody struct {
	From    uint64            `json:"from"`
	Digest  Digest            `json:"sha256"`            // of the roster after it
	Changed []json.RawMessage `json:"changed,omitempty"` // new or changed members
	Gone    []member.ID       `json:"gone,omitempty"`
}

// MembersAsk is what a store asks when its members are not those of the head. Have 0: it has none that it trusts.
type MembersAsk struct {
	V      int    `json:"v"`
	Have   uint64 `json:"have"`
	Digest Digest `json:"sha256"`
}

// Roster is all members as headquarters wrote them, sorted by ID. A store keeps each as it came, for what a newer
// headquarters says of a member and this program does not know must count in the digest too.
type Roster []rosterEntry

type rosterEntry struct {
	id  member.ID
	raw json.RawMessage
}

// ParseRoster takes the body of a Members snapshot apart. Whether the members make sense is member.NewBook's to say.
func ParseRoster(body json.RawMessage) (Roster, error) {
	var b struct {
		Members []json.RawMessage `json:"members"`
	}
	if err := decode(body, MaxOpened, &b); err != nil {
		return nil, fmt.Errorf("members: %w: %w", ErrFormat, err)
	}
	if len(b.Members) > MaxMembers {
		return nil, fmt.Errorf("%w: %d members, at most %d", ErrTooLarge, len(b.Members), MaxMembers)
	}
	r := make(Roster, 0, len(b.Members))
	for _, raw := range b.Members {
		e, err := parseEntry(raw)
		if err != nil {
			return nil, err
		}
		r = append(r, e)
	}
	return r.sorted()
}

// All yields the members in their order, each as headquarters wrote it.
func (r Roster) All() iter.Seq2[member.ID, json.RawMessage] {
	return func(yield func(member.ID, json.RawMessage) bool) {
		for _, e := range r {
			if !yield(e.id, e.raw) {
				return
			}
		}
	}
}

func parseEntry(raw json.RawMessage) (rosterEntry, error) {
	var m struct {
		ID member.ID `json:"id"`
	}
	if err := json.Unmarshal(raw, &m); err != nil || m.ID == "" {
		return rosterEntry{}, fmt.Errorf("members: %w: one without an id", ErrFormat)
	}
	return rosterEntry{m.ID, raw}, nil
}

func (r Roster) sorted() (Roster, error) {
	slices.SortFunc(r, func(x, y rosterEntry) int { return cmp.Compare(x.id, y.id) })
	for i := 1; i < len(r); i++ {
		if r[i].id == r[i-1].id {
			return nil, fmt.Errorf("members: %w: one is there twice", ErrFormat)
		}
	}
	return r, nil
}

// Digest is the SHA-256 of all members in their order, each as its length and its JSON.
func (r Roster) Digest() Digest {
	sum := sha256.New()
	for _, e := range r {
		add(sum, e.raw)
	}
	return Digest(sum.Sum(nil))
}

func add(sum hash.Hash, raw []byte) {
	var n [4]byte
	binary.BigEndian.PutUint32(n[:], uint32(len(raw)))
	sum.Write(n[:])
	sum.Write(raw)
}

// Body is the body of a Members snapshot with these members.
func (r Roster) Body() json.RawMessage {
	b := bytes.NewBufferString(`{"members":[`)
	for i, e := range r {
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(e.raw)
	}
	b.WriteString("]}")
	return b.Bytes()
}

// Diff is what leads from r, which is version from, to next.
func (r Roster) Diff(from uint64, next Roster) DeltaBody {
	d := DeltaBody{From: from, Digest: next.Digest()}
	old := r
	for _, e := range next {
		for len(old) > 0 && old[0].id < e.id {
			d.Gone, old = append(d.Gone, old[0].id), old[1:]
		}
		if len(old) > 0 && old[0].id == e.id {
			same := bytes.Equal(old[0].raw, e.raw)
			if old = old[1:]; same {
				continue
			}
		}
		d.Changed = append(d.Changed, e.raw)
	}
	for _, e := range old {
		d.Gone = append(d.Gone, e.id)
	}
	return d
}

// ErrDigest is returned when a change does not lead to what it promises.
var ErrDigest = errors.New("the members do not come to the digest that headquarters signed")

// Apply returns the members after a change, proven by its digest. r stays as it is.
func (r Roster) Apply(d DeltaBody) (Roster, error) {
	changed := map[member.ID]bool{}
	next := make(Roster, 0, len(r)+len(d.Changed))
	for _, raw := range d.Changed {
		e, err := parseEntry(raw)
		if err != nil {
			return nil, err
		}
		changed[e.id] = true
		next = append(next, e)
	}
	for _, id := range d.Gone {
		changed[id] = true
	}
	for _, e := range r {
		if !changed[e.id] {
			next = append(next, e)
		}
	}
	if len(next) > MaxMembers {
		return nil, fmt.Errorf("%w: %d members, at most %d", ErrTooLarge, len(next), MaxMembers)
	}
	next, err := next.sorted()
	if err == nil && next.Digest() != d.Digest {
		err = ErrDigest
	}
	return next, err
}

// Then is the one change that does what d does and then next.
func (d DeltaBody) Then(next DeltaBody) (DeltaBody, error) {
	latest := map[member.ID]json.RawMessage{} // nil: gone
	for _, step := range []DeltaBody{d, next} {
		for _, raw := range step.Changed {
			e, err := parseEntry(raw)
			if err != nil {
				return d, err
			}
			latest[e.id] = raw
		}
		for _, id := range step.Gone {
			latest[id] = nil
		}
	}
	out := DeltaBody{From: d.From, Digest: next.Digest}
	for id, raw := range latest {
		if raw == nil {
			out.Gone = append(out.Gone, id)
		} else {
			out.Changed = append(out.Changed, raw)
		}
	}
	slices.Sort(out.Gone)
	slices.SortFunc(out.Changed, func(x, y json.RawMessage) int { return bytes.Compare(x, y) })
	return out, nil
}

// Head decodes the body of a MembersHead snapshot.
func (s Snapshot) Head() (HeadBody, error) {
	var b HeadBody
	if err := s.body(MembersHead, &b); err != nil {
		return HeadBody{}, err
	}
	if b.LeaseSeconds < 0 || b.LeaseSeconds > maxLease {
		return HeadBody{}, fmt.Errorf("%s: %w: a lease of %d seconds", MembersHead, ErrFormat, b.LeaseSeconds)
	}
	return b, nil
}

// maxLease is ten years: more seconds than that are no lease.
const maxLease = 10 * 366 * 24 * 3600

// Delta decodes the body of a MembersDelta snapshot.
func (s Snapshot) Delta() (DeltaBody, error) {
	var b DeltaBody
	if err := s.body(MembersDelta, &b); err != nil {
		return DeltaBody{}, err
	}
	if b.From < 1 || b.From >= s.Version || len(b.Changed)+len(b.Gone) > 2*MaxMembers {
		return DeltaBody{}, fmt.Errorf("%s: %w: from version %d to %d, %d members", MembersDelta, ErrFormat, b.From, s.Version, len(b.Changed)+len(b.Gone))
	}
	return b, nil
}

// EncodeMembersAsk encodes a request.
func EncodeMembersAsk(a MembersAsk) ([]byte, error) {
	a.V = Version
	if err := a.check(); err != nil {
		return nil, fmt.Errorf("encode request for members: %w", err)
	}
	return encode(a)
}

// DecodeMembersAsk decodes a request.
func DecodeMembersAsk(data []byte) (MembersAsk, error) {
	var a MembersAsk
	if err := decode(data, maxShort, &a); err != nil {
		return MembersAsk{}, fmt.Errorf("decode request for members: %w: %w", ErrFormat, err)
	}
	if err := a.check(); err != nil {
		return MembersAsk{}, fmt.Errorf("decode request for members: %w: %w", ErrFormat, err)
	}
	return a, nil
}

func (a MembersAsk) check() error {
	if a.V != Version {
		return fmt.Errorf("protocol version %d: want %d", a.V, Version)
	}
	if a.Have > math.MaxInt64 {
		return fmt.Errorf("version %d is too high", a.Have)
	}
	return nil
}
