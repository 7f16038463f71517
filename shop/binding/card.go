package binding

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"time"

	"foyer/reader/tag"
	"foyer/shop/member"
)

// Card is one card of a member, whatever forms of its number are known.
type Card struct {
	Tag  tag.ID    // its longest form
	Lost bool      // it is blocked
	At   time.Time // of this store's last change; zero if headquarters has it from elsewhere
}

// Cards lists the cards that a member has, and those that were lost, in order of the tag.
func (b *Book) Cards(who member.ID) []Card {
	var cards []Card
	for _, group := range []struct {
		tags []tag.ID
		lost bool
	}{{b.Tags(who), false}, {b.lost(who), true}} {
		for _, t := range group.tags {
			if of := b.cardOf(t, who); of.IsZero() || !slices.Contains(group.tags, of) {
				cards = append(cards, Card{t, group.lost, b.marks[t].At})
			}
		}
	}
	slices.SortFunc(cards, func(x, y Card) int { return compare(x.Tag, y.Tag) })
	return cards
}

// lost lists the tags of a member that are blocked, shorter forms included, in order.
func (b *Book) lost(who member.ID) []tag.ID {
	var tags []tag.ID
	if m, ok := b.roster.ByID(who); ok {
		for _, t := range m.Blocked {
			if _, marked := b.marks[t]; !marked {
				tags = append(tags, t)
			}
		}
	}
	for t, mark := range b.marks {
		if mark.Member == who && mark.State == IsBlocked {
			tags = append(tags, t)
		}
	}
	slices.SortFunc(tags, compare)
	return tags
}

// cardOf is the card whose shorter form a member's tag is, or zero.
func (b *Book) cardOf(t tag.ID, who member.ID) tag.ID {
	if mark, marked := b.marks[t]; marked && (!mark.Of.IsZero() || mark.Member != who) {
		return mark.Of
	}
	if m, ok := b.roster.ByID(who); ok {
		return m.Forms[t]
	}
	return tag.ID{}
}

// labelLetters make no word in any language and are not taken for each other.
const labelLetters = "CDFGHJKMNPRTVWX34679"

// Label names a card for people, "K7P-3M": short, the same in every store and at headquarters, and neither the number nor
// a part of its hash. Two cards have the same one once in three million pairs.
func Label(id tag.ID) string {
	sum := sha256.Sum256(append([]byte("label of card "), id[:]...))
	text := make([]byte, 0, 6)
	for i, b := range sum[:5] {
		if i == 3 {
			text = append(text, '-')
		}
		text = append(text, labelLetters[int(b)%len(labelLetters)])
	}
	return string(text)
}

// Handle names a card for programs, as Label does for people: 16 hex digits.
func Handle(id tag.ID) string {
	sum := sha256.Sum256(append([]byte("handle of card "), id[:]...))
	return hex.EncodeToString(sum[:8])
}
