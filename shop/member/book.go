package member

import (
	"errors"
	"fmt"
	"slices"

	"foyer/reader/tag"
)

// MaxFaults bounds what one broken snapshot may say about itself.
const MaxFaults = 50

// Clash is a tag that several members claim. It matches none of them until headquarters says whose it is.
type Clash struct {
	Tag     tag.ID
	Members []ID // sorted
}

// Book is an immutable index of members. Only who gave the Recognise consent can be found in it: to a store, all others
// are strangers. It is safe for concurrent use.
type Book struct {
	n       int
	byTag   map[tag.ID]*Member
	blocked map[tag.ID]*Member
	byID    map[ID]*Member
	was     map[ID]bool    // earlier ids
	fresh   map[ID]*Member // who became a member since: see WithNewcomers
	clashes []Clash
	beside  *Book // of who is at hand; this one then holds guests alone
}

// NewBook indexes members, or tells all their faults at once (the first MaxFaults of them). It keeps its own copy.
func NewBook(members []Member) (*Book, error) {
	if err := Check(members); err != nil {
		return nil, err
	}
	b := &Book{n: len(members), byTag: map[tag.ID]*Member{}, blocked: map[tag.ID]*Member{}, byID: map[ID]*Member{}, was: map[ID]bool{}}
	owners := map[tag.ID][]ID{}
	shared := map[tag.ID]bool{}
	for _, m := range members {
		if !m.Allows(Recognise) {
			continue
		}
		b.byID[m.ID] = &m
		for _, id := range m.Was {
			b.was[id] = true
		}
		for _, t := range m.Tags {
			b.byTag[t] = &m
			owners[t] = append(owners[t], m.ID)
		}
		for _, t := range m.Shared {
			shared[t] = true
			owners[t] = append(owners[t], m.ID)
		}
		for _, t := range m.Blocked {
			b.blocked[t] = &m
			owners[t] = append(owners[t], m.ID)
		}
	}
	for t := range b.blocked {
		delete(b.byTag, t)
	}
	for t, ids := range owners {
		if len(ids) > 1 || shared[t] {
			slices.Sort(ids)
			delete(b.byTag, t)
			b.clashes = append(b.clashes, Clash{t, ids})
		}
	}
	slices.SortFunc(b.clashes, func(x, y Clash) int { return slices.Compare(x.Tag[:], y.Tag[:]) })
	return b, nil
}

// With is the book with guests beside it: members whom the store does not have at hand and was told of. Where both know somebody,
// what is said of the guest is the newer word.
func (b *Book) With(guests []Member) (*Book, error) {
	if len(guests) == 0 {
		return b, nil
	}
	g, err := NewBook(guests)
	if err != nil {
		return nil, err
	}
	g.beside = b
	return g, nil
}

// ByTag finds the one member who carries a tag and allowed to be recognised. Of a read, ask Find.
func (b *Book) ByTag(id tag.ID) (*Member, bool) {
	standing, m := b.Look(id)
	return m, standing == Carried
}

// ByID finds a member who allowed to be recognised.
func (b *Book) ByID(id ID) (*Member, bool) {
	if b == nil {
		return nil, false
	}
	if m, ok := b.fresh[id]; ok {
		return m, true
	}
	if m, ok := b.byID[id]; ok {
		return m, true
	}
	return b.beside.ByID(id)
}

// WithNewcomers is the book with newcomers over it, of whom headquarters has not told yet. They have no tags in it. Those who did not
// allow to be recognised are strangers, as in every book. b stays as it is, and may be nil.
func (b *Book) WithNewcomers(newcomers []Member) *Book {
	var over Book
	if b != nil {
		over = *b
	}
	over.fresh = map[ID]*Member{}
	for _, m := range newcomers {
		if m.Allows(Recognise) {
			over.fresh[m.ID] = &m
		}
	}
	return &over
}

// Has reports whether headquarters has told of a member, under this id or under one that has taken its place.
func (b *Book) Has(id ID) bool {
	if b == nil {
		return false
	}
	_, known := b.byID[id]
	return known || b.was[id] || b.beside.Has(id)
}

// Len is the number of members that the book was made of, recognisable or not.
func (b *Book) Len() int {
	if b == nil {
		return 0
	}
	return b.n + b.beside.Len()
}

// Clashes lists the tags that match nobody because several members claim them, in order of the tag.
func (b *Book) Clashes() []Clash {
	if b == nil {
		return nil
	}
	if b.beside == nil {
		return b.clashes
	}
	return slices.Concat(b.clashes, b.beside.Clashes())
}

// Allows reports whether the member gave the consent. Without Recognise, none of the others counts.
func (m *Member) Allows(p Purpose) bool {
	return slices.Contains(m.Consents, p) && (p == Recognise || slices.Contains(m.Consents, Recognise))
}

// Check tells all faults of a snapshot's members at once (the first MaxFaults of them).
func Check(members []Member) error {
	var faults []error
	first := map[ID]int{}
	for i := range members {
		m := &members[i]
		found := m.faults()
		if before, twice := first[m.ID]; twice {
			found = append(found, fmt.Errorf("id is that of member %d: want each member once", before+1))
		} else {
			first[m.ID] = i
		}
		for _, f := range found {
			if len(faults) == MaxFaults {
				return errors.Join(append(faults, fmt.Errorf("and more: only the first %d faults are told", MaxFaults))...)
			}
			faults = append(faults, fmt.Errorf("member %d (id %.70q): %w", i+1, string(m.ID), f))
		}
	}
	return errors.Join(faults...)
}
