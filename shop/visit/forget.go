package visit

import (
	"slices"

	"foyer/shop/member"
)

// Forget drops the histories of all who are not to be kept and have no open visit, and lists whose they were, sorted.
func (b *Book) Forget(keep func(member.ID) bool) []member.ID {
	var gone []member.ID
	for who := range b.histories {
		if b.open[who] == nil && !keep(who) {
			delete(b.histories, who)
			gone = append(gone, who)
		}
	}
	slices.Sort(gone)
	return gone
}
