package shop

import (
	"context"
	"errors"
	"slices"
	"time"

	"foyer/reader/tag"
	"foyer/shop/binding"
	"foyer/shop/member"
)

// What may be wrong with what staff ask of a member's cards.
var (
	ErrNoMember = errors.New("there is no such member here, or they do not want to be recognised")
	ErrNotShown = errors.New("that card was not shown at the desk in the last half minute: show it again")
	ErrNoHeld   = errors.New("the member has no such card: look at the list again")
	ErrQuery    = errors.New("query: want 1 to 40 characters of a name or a member's id, or nothing for who is here")
)

const maxFound = 20 // members that one search lists

// Person is a member as staff look one up.
type Person struct {
	Member   member.ID
	Name     Text // with honorific; the word for a member where the name may not be said
	Masked   string
	TierName Text
	Here     bool
	Cards    int // that are not lost
}

// Held is one card of a member: named for people and for programs, never by its number.
type Held struct {
	Label, Handle string
	Lost          bool
	At            time.Time // of this store's last change; zero if headquarters has it from elsewhere
}

// Members finds who is meant. Without a query: the members who are in the shop, who came last first.
func (s *Shop) Members(ctx context.Context, query string) ([]Person, error) {
	if query != "" && !shortText(query, 40) {
		return nil, ErrQuery
	}
	return answer(ctx, s, func() ([]Person, error) {
		var found []Person
		for _, m := range s.meant(query) {
			found = append(found, s.person(m))
		}
		return found, nil
	})
}

func (s *Shop) meant(query string) []*member.Member {
	if query != "" {
		return s.book.Search(query, maxFound)
	}
	var here []*member.Member
	open := s.visits.Open()
	slices.Reverse(open)
	for _, v := range open[:min(len(open), maxFound)] {
		if m, ok := s.book.ByID(v.Member); ok {
			here = append(here, m)
		}
	}
	return here
}

// Wallet tells a member's cards, those that were lost included.
func (s *Shop) Wallet(ctx context.Context, id member.ID) (Person, []Held, error) {
	var held []Held
	p, err := answer(ctx, s, func() (Person, error) {
		m, ok := s.book.ByID(id)
		if !ok {
			return Person{}, ErrNoMember
		}
		for _, c := range s.bindings.Cards(id) {
			held = append(held, Held{binding.Label(c.Tag), binding.Handle(c.Tag), c.Lost, c.At})
		}
		return s.person(m), nil
	})
	return p, held, err
}

func (s *Shop) person(m *member.Member) Person {
	_, here := s.visits.Of(m.ID)
	p := Person{Member: m.ID, Name: s.called(m), Here: here}
	if m.Allows(member.GreetByName) {
		p.Masked = m.Masked()
	}
	if m.Tier != "" {
		p.TierName = everyLanguage(s.cfg.Words, "greeting.tier."+m.Tier)
	}
	for _, c := range s.bindings.Cards(m.ID) {
		if !c.Lost {
			p.Cards++
		}
	}
	return p
}

// called is how staff may call a member.
func (s *Shop) called(m *member.Member) Text {
	if m.Allows(member.GreetByName) {
		if name, ok := m.Called(s.cfg.Words); ok {
			return name
		}
	}
	return everyLanguage(s.cfg.Words, "greeting.member")
}

// Asked is a change of a member's cards in the words of the desk.
type Asked struct {
	Member member.ID
	Shown  string // key of the card that was shown; "" for none
	Held   string // handle of one of the member's cards; "" for all that they have
	Reason binding.Reason
	By     string
}

// Request makes of it what Bind, Replace, Block and Unbind take. For Bind and Replace the card is the one that was shown,
// or the one of the list that was found again; for Block and Unbind it is the one of the list. Its errors are ErrNotShown
// and ErrNoHeld.
func (s *Shop) Request(ctx context.Context, k binding.Kind, a Asked) (binding.Request, error) {
	return answer(ctx, s, func() (binding.Request, error) {
		r := binding.Request{Member: a.Member, Reason: a.Reason, By: a.By}
		held, err := s.held(a.Member, a.Held)
		if err != nil {
			return r, err
		}
		if k != binding.Bound && k != binding.Replaced {
			r.Tag = held
			return r, nil
		}
		r.Old = held
		switch {
		case a.Shown != "" && !s.pad.is(a.Shown, s.now):
			return r, ErrNotShown
		case a.Shown != "":
			r.Tag, r.Also = s.pad.id, s.pad.also
		case a.Reason == binding.Found:
			r.Tag = held
		}
		return r, nil
	})
}

func (s *Shop) held(who member.ID, handle string) (tag.ID, error) {
	if handle == "" {
		return tag.ID{}, nil
	}
	for _, c := range s.bindings.Cards(who) {
		if binding.Handle(c.Tag) == handle {
			return c.Tag, nil
		}
	}
	return tag.ID{}, ErrNoHeld
}

// answer asks something of the loop that it can tell at once.
func answer[T any](ctx context.Context, s *Shop, look func() (T, error)) (T, error) {
	var got T
	reply := make(chan error, 1)
	err := s.ask(ctx, request{reply: reply, do: func(*Shop) {
		told, err := look()
		if err == nil {
			got = told
		}
		reply <- err
	}})
	if err != nil {
		var none T
		return none, err
	}
	return got, nil
}
