package shop

import (
	"context"
	"reflect"
	"slices"

	"foyer/shop/binding"
	"foyer/shop/greeting"
	"foyer/shop/member"
	"foyer/shop/visit"
)

// MembersForgotten says that the store has nothing more of these members: what was stored of their visits may go.
type MembersForgotten struct{ Members []member.ID }

func (MembersForgotten) fact() {}

// TagsDisowned changes marks in what is stored, and nothing in what they say of the tags.
type TagsDisowned struct{ Marks []binding.Mark }

func (TagsDisowned) fact() {}

// Erase takes who was erased at headquarters off everything that the shop keeps in memory, also where the members in force still
// have them. It returns when that is so.
func (s *Shop) Erase(ctx context.Context, erased func(member.ID) bool) error {
	_, err := answer(ctx, s, func() (struct{}, error) {
		if marks := s.bindings.Disown(erased); len(marks) > 0 {
			s.cfg.Ledger.Record(Fact{At: s.now, Body: TagsDisowned{marks}}, nil)
		}
		for _, n := range s.notes {
			s.wipeNote(n, erased(n.Member))
		}
		for _, c := range s.desk.cards {
			if erased(c.member.ID) && s.wipe(c) {
				s.cfg.Screens.Show(CardChanged{c.Card})
			}
		}
		s.keepPresence()
		return struct{}{}, nil
	})
	return err
}

func (s *Shop) wipeNote(n *BlockedSeen, whose bool) {
	if whose && n.Member != "" {
		n.Member, n.Name = "", nil
		s.cfg.Screens.Show(*n)
	}
}

// forgetMembers drops what the store knows of who is no longer in headquarters' book: they left, or do not want to be
// recognised any more. Their visits have ended before.
func (s *Shop) forgetMembers() {
	gone := s.visits.Forget(func(id member.ID) bool {
		_, known := s.book.ByID(id)
		return known
	})
	if len(gone) == 0 {
		return
	}
	for _, c := range s.desk.cards {
		if _, found := slices.BinarySearch(gone, c.member.ID); found && s.wipe(c) {
			s.cfg.Screens.Show(CardChanged{c.Card})
		}
	}
	for _, n := range s.notes {
		_, found := slices.BinarySearch(gone, n.Member)
		s.wipeNote(n, found)
	}
	s.cfg.Ledger.Record(Fact{At: s.now, Body: MembersForgotten{gone}}, nil)
}

// wipe takes the person off a card, and reports whether there was somebody on it. That somebody came stays.
func (s *Shop) wipe(c *entry) bool {
	nobody := greeting.Note{Name: everyLanguage(s.cfg.Words, "greeting.member"), Language: c.Language}
	changed := !reflect.DeepEqual(c.Note, nobody)
	c.Note, c.member = nobody, &member.Member{ID: c.member.ID}
	return changed
}

// history is what is to be stored of a member's visits; nil for who was forgotten.
func (s *Shop) history(id member.ID) *visit.History {
	if h := s.visits.History(id); h.Count > 0 {
		return &h
	}
	return nil
}
