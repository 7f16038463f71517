package member

import (
	"cmp"
	"iter"
	"slices"
	"strings"
)

// Search finds who may be called by name by a part of the name, in any script that is known, or by the whole id; at most
// limit, in order of the id. Who did not allow to be called by name is found by the id alone.
func (b *Book) Search(query string, limit int) []*Member {
	query = folded(query)
	if b == nil || query == "" {
		return nil
	}
	var found []*Member
	for m := range b.all() {
		if folded(string(m.ID)) == query || m.Allows(GreetByName) && m.named(query) {
			found = append(found, m)
		}
	}
	slices.SortFunc(found, func(x, y *Member) int { return cmp.Compare(x.ID, y.ID) })
	return found[:min(len(found), limit)]
}

// all yields each member once, guests as they are newest.
func (b *Book) all() iter.Seq[*Member] {
	return func(yield func(*Member) bool) {
		for _, m := range b.fresh {
			if !yield(m) {
				return
			}
		}
		for at := b; at != nil; at = at.beside {
			for id, m := range at.byID {
				if newest, _ := b.ByID(id); newest == m && !yield(m) {
					return
				}
			}
		}
	}
}

// named reports whether the query is in the name, written either way round.
func (m *Member) named(query string) bool {
	for _, family := range []string{m.Family, m.FamilyLatin, pinyin()[m.Family]} {
		if family == "" {
			continue
		}
		if strings.Contains(folded(family+m.Given), query) || strings.Contains(folded(m.Given+family), query) {
			return true
		}
	}
	return m.Family == "" && m.FamilyLatin == "" && strings.Contains(folded(m.Given), query)
}

// folded leaves out what people write differently: capitals and blanks.
func folded(s string) string { return strings.ToLower(strings.Join(strings.Fields(s), "")) }
