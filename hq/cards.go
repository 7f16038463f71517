package hq

import (
	"slices"

	"foyer/hq/store"
	"foyer/reader/tag"
	"foyer/shop/member"
)

// layTags gives the member the cards of a row. What was reported lost stays so, whatever a file says: only the store where
// the card is shown can have it back.
func layTags(p *store.Person, old store.Person, e entry) {
	forms := member.Forms{}
	for id, of := range old.Forms {
		if e.member.ID == "" || slices.Contains(old.Blocked, id) {
			forms[id] = of
		}
	}
	if e.member.ID != "" {
		p.Tags, p.Also = nil, nil
	}
	lay := func(list *[]tag.ID, ids []tag.ID) {
		for _, id := range ids {
			if slices.Contains(old.Blocked, id) {
				continue
			}
			*list = addTag(*list, id)
			if of := e.forms[id]; !of.IsZero() {
				forms[id] = of
			}
		}
	}
	lay(&p.Tags, e.member.Tags)
	lay(&p.Also, e.also)
	p.Forms = nil
	if len(forms) > 0 {
		p.Forms = forms
	}
}
