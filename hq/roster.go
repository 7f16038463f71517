package hq

import (
	"crypto/rand"
	"encoding/hex"
	"reflect"
	"slices"

	"foyer/hq/store"
	"foyer/reader/tag"
	"foyer/shop/member"
)

// roster is what an import makes of the members: who is put, and what is wrong. It is pure.
type roster struct {
	put            []store.Person // new and changed ones
	lines          map[member.ID]int
	fresh, changed int
	same           int
	shared         int // shorter forms of numbers that two members have: nobody is recognised by these
}

// known is the members as they are.
type known struct {
	byID  map[member.ID]store.Person
	owner map[tag.ID][]member.ID // of tags and of shorter forms
}

func newKnown(all []store.Person) known {
	k := known{map[member.ID]store.Person{}, map[tag.ID][]member.ID{}}
	for _, p := range all {
		k.byID[p.ID] = p
		for _, id := range slices.Concat(p.Tags, p.Also) {
			k.owner[id] = append(k.owner[id], p.ID)
		}
	}
	return k
}

// merge lays the entries of a sheet over the members that are known.
func merge(s *sheet, entries []entry, k known, f *faults) roster {
	var r roster
	lines := map[member.ID]int{}
	for _, e := range entries {
		id, ok := k.target(e, f)
		if !ok {
			continue
		}
		if first, twice := lines[id]; twice {
			f.add(Fault{Line: e.line, Code: FaultTwice, Other: first})
			continue
		}
		lines[id] = e.line
		old, was := k.byID[id]
		p := overlay(s, old, e)
		if len(p.Tags)+len(p.Also) > member.MaxTags {
			f.add(Fault{Line: e.line, Code: FaultTagMany})
			continue
		}
		p.ID = id
		switch {
		case !was:
			r.fresh++
		case reflect.DeepEqual(old, p):
			r.same++
			continue
		default:
			r.changed++
		}
		r.put = append(r.put, p)
	}
	r.lines = lines
	r.shared = k.checkTags(r.put, lines, slices.Index(s.columns, colTags)+1, f)
	return r
}

// target says which member an entry is about: the one it names, the one whose tag it has, or a new one.
func (k known) target(e entry, f *faults) (member.ID, bool) {
	if e.member.ID != "" {
		return e.member.ID, true
	}
	var owners []member.ID
	for _, id := range e.member.Tags {
		for _, owner := range k.owner[id] {
			if !slices.Contains(owners, owner) && slices.Contains(k.byID[owner].Tags, id) {
				owners = append(owners, owner)
			}
		}
	}
	switch {
	case len(e.member.Tags) == 0:
		f.add(Fault{Line: e.line, Code: FaultNobody})
		return "", false
	case len(owners) > 1:
		f.add(Fault{Line: e.line, Code: FaultTagsOfTwo})
		return "", false
	case len(owners) == 1:
		return owners[0], true
	}
	return newMemberID(), true
}

func newMemberID() member.ID {
	var b [8]byte
	rand.Read(b[:]) // never fails
	return member.ID("m-" + hex.EncodeToString(b[:]))
}

// overlay gives the old member with what the columns of the sheet say. With an id, tags replace; a row that was found by
// a tag adds its others.
func overlay(s *sheet, old store.Person, e entry) store.Person {
	p := old
	p.Tags, p.Also = slices.Clone(old.Tags), slices.Clone(old.Also)
	for _, c := range s.columns {
		switch c {
		case colFamily:
			p.Family = e.member.Family
		case colLatin:
			p.FamilyLatin = e.member.FamilyLatin
		case colGiven:
			p.Given = e.member.Given
		case colTitle:
			p.Title = e.member.Title
		case colLanguage:
			p.Language = e.member.Language
		case colTier:
			p.Tier = e.member.Tier
		case colBirthday:
			p.Birthday = e.member.Birthday
		case colSince:
			p.Since = e.member.Since
		case colContract:
			p.ContractEnds = e.member.ContractEnds
		case colConsents:
			p.Consents = e.member.Consents
		case colNoGreeting:
			p.NoGreeting = e.member.NoGreeting
		case colTags:
			layTags(&p, old, e)
		}
	}
	if p.Consents == nil {
		p.Consents = []member.Purpose{}
	}
	p.Also = slices.DeleteFunc(p.Also, func(id tag.ID) bool { return slices.Contains(p.Tags, id) })
	tidy(&p)
	return p
}

// tidy puts tags into the order in which the database gives them, and makes no tags nil, so that equal members are equal.
func tidy(p *store.Person) {
	for _, ids := range []*[]tag.ID{&p.Tags, &p.Also} {
		if len(*ids) == 0 {
			*ids = nil
		}
		slices.SortFunc(*ids, func(a, b tag.ID) int { return slices.Compare(a[:], b[:]) })
	}
}

// checkTags finds numbers that two members would have after the import, and counts the shorter forms that would be shared.
func (k known) checkTags(put []store.Person, lines map[member.ID]int, column int, f *faults) (shared int) {
	own, also := map[tag.ID]member.ID{}, map[tag.ID][]member.ID{}
	claim := func(p store.Person) {
		for _, id := range p.Tags {
			if other, taken := own[id]; taken {
				f.add(Fault{Line: lines[p.ID], Column: column, Name: string(colTags), Code: FaultTagTaken, Other: lines[other]})
			}
			own[id] = p.ID
		}
		for _, id := range p.Blocked {
			if other, taken := own[id]; taken && p.Forms[id].IsZero() { // a lost card is still its member's
				f.add(Fault{Line: max(lines[p.ID], lines[other]), Column: column, Name: string(colTags), Code: FaultTagTaken, Other: lines[p.ID]})
			} else if p.Forms[id].IsZero() {
				own[id] = p.ID
			}
		}
		for _, id := range p.Also {
			also[id] = append(also[id], p.ID)
		}
	}
	replaced := make(map[member.ID]bool, len(put))
	for _, p := range put {
		replaced[p.ID] = true
	}
	for id, p := range k.byID { // these do not clash with each other
		if !replaced[id] {
			claim(p)
		}
	}
	for _, p := range put {
		claim(p)
	}
	return k.clashes(own, also, lines, column, f)
}

// clashes tells numbers that are a shorter form of another member's: which of the two a reader means cannot be known.
func (k known) clashes(own map[tag.ID]member.ID, also map[tag.ID][]member.ID, lines map[member.ID]int, column int, f *faults) (shared int) {
	for id, members := range also {
		if len(members) > 1 {
			shared++
		}
		other, taken := own[id]
		if !taken {
			continue
		}
		for _, m := range members {
			line := max(lines[m], lines[other])
			if line == 0 {
				continue // both were there before
			}
			f.add(Fault{Line: line, Column: column, Name: string(colTags), Code: FaultTagTaken, Other: min(lines[m], lines[other])})
		}
	}
	return shared
}
