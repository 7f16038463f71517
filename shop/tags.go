package shop

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"foyer/reader/tag"
	"foyer/shop/binding"
	"foyer/shop/member"
	"foyer/shop/presence"
	"foyer/shop/proof"
)

// TagChanged is a tag that was bound, replaced, blocked or taken back. Its Marks are the state to be stored with it, by
// tag; after a restart they come back as Config.Marks.
type TagChanged struct {
	binding.Change
	Proved proof.Method // how it was made sure who this is; empty where nothing was handed out
}

// TagsSettled says that headquarters' book has caught up with these marks: what was stored for them may go.
type TagsSettled struct{ Tags []tag.ID }

// BlockedTagSeen says that a tag which was lost or stolen turned up. Nobody is greeted.
type BlockedTagSeen struct {
	Zone   string
	Member member.ID // whose it was; empty if that is not to be known any more
}

func (TagChanged) fact()     {}
func (TagsSettled) fact()    {}
func (BlockedTagSeen) fact() {}

// Bind gives a tag to a member. It returns when that is durable; from then on the tag is theirs. Who holds a member's tag is
// served as that member, so it takes a proof of who they are. Its errors are *binding.Refused, ErrUnproved, ErrBy,
// ErrStopped, the journal's, or the context's.
func (s *Shop) Bind(ctx context.Context, r binding.Request, p proof.Proof) error {
	return s.changeTag(ctx, r, (*binding.Book).Bind, &p)
}

// Replace gives a tag in place of an old one. Otherwise as Bind.
func (s *Shop) Replace(ctx context.Context, r binding.Request, p proof.Proof) error {
	return s.changeTag(ctx, r, (*binding.Book).Replace, &p)
}

// Block makes a lost or stolen tag known as such. It hands out nothing, and whoever lost a card may be far away: it takes no
// proof. Otherwise as Bind.
func (s *Shop) Block(ctx context.Context, r binding.Request) error {
	return s.changeTag(ctx, r, (*binding.Book).Block, nil)
}

// Unbind takes a tag back. Otherwise as Block.
func (s *Shop) Unbind(ctx context.Context, r binding.Request) error {
	return s.changeTag(ctx, r, (*binding.Book).Unbind, nil)
}

// ErrUnproved is returned where a card would be handed out and nothing but a card, or a name, says to whom.
var ErrUnproved = errors.New("not proved who this is")

// decision asks the book for a change and alters nothing.
type decision func(*binding.Book, binding.Request, time.Time) (binding.Change, error)

func (s *Shop) changeTag(ctx context.Context, r binding.Request, decide decision, p *proof.Proof) error {
	if !shortText(r.By, 40) {
		return ErrBy
	}
	reply := make(chan error, 1)
	return s.ask(ctx, request{reply: reply, do: func(s *Shop) {
		var how proof.Method
		if p != nil {
			if err := p.Of(r.Member, s.now); err != nil {
				reply <- fmt.Errorf("%w: %w", ErrUnproved, err)
				return
			}
			how = p.Method()
		}
		s.decideTag(r, decide, how, reply)
	}})
}

// decideTag records a change. While one is being recorded no other is decided, as it could rest on what is not so yet.
func (s *Shop) decideTag(r binding.Request, decide decision, how proof.Method, reply chan error) {
	if s.changing {
		reply <- &binding.Refused{Why: binding.StillGoing}
		return
	}
	c, err := decide(s.bindings, r, s.now)
	if err != nil {
		reply <- err
		return
	}
	s.changing = true
	s.cfg.Ledger.Record(Fact{At: s.now, Body: TagChanged{c, how}, Of: c.Member}, func(err error) {
		s.outcomes.add(func() { s.finishTag(c, err, reply) })
		s.nudge(s.settled)
	})
}

// finishTag puts in force what is durable. Whose tag was blocked leaves the public screens at once: it may be the finder
// who is greeted there.
func (s *Shop) finishTag(c binding.Change, err error, reply chan error) {
	s.changing = false
	if err != nil {
		reply <- fmt.Errorf("record the tag's change: %w", err)
		return
	}
	s.bindings.Apply(c)
	s.clearPad()
	if c.Kind == binding.Bound && c.Reason == binding.NewMember {
		s.carded(c.Member)
	}
	s.greetBound(c)
	if v, open := s.visits.Of(c.Member); open && c.Kind == binding.Blocked {
		s.cfg.Screens.Show(Left{v.ID, s.now})
	}
	reply <- nil
}

// greetBound takes a card that was given out while it lay on a reader as an arrival: its member is here.
func (s *Shop) greetBound(c binding.Change) {
	if c.Kind != binding.Bound && c.Kind != binding.Replaced {
		return
	}
	var here []presence.Arrived
	for st := range s.tracker.Stays() {
		if m, ok := s.carrier(st.ID, st.Also); ok && m.ID == c.Member && gives(c, st.ID) {
			here = append(here, presence.Arrived{ID: st.ID, Also: st.Also, Zone: st.Zone, At: s.now})
		}
	}
	for _, a := range here {
		s.arrived(a)
	}
}

func gives(c binding.Change, id tag.ID) bool {
	return slices.ContainsFunc(c.Marks, func(m binding.Mark) bool { return m.Tag == id && m.State == binding.IsBound })
}

// settleTags holds the store's changes against a new book of headquarters.
func (s *Shop) settleTags() {
	if settled := s.bindings.SetRoster(s.book); len(settled) > 0 {
		s.cfg.Ledger.Record(Fact{At: s.now, Body: TagsSettled{settled}}, nil)
	}
}

// recognise finds whose tag arrived, and tells staff of one that was lost.
func (s *Shop) recognise(id, also tag.ID, zone string) (*member.Member, bool) {
	standing, m := s.bindings.Find(id, also)
	s.notice(zone, standing)
	if standing == member.Blocked {
		s.turnedUp(id, m, zone)
	}
	if showsCards(s.zones[zone].Role) {
		s.lay(id, also, zone)
	}
	return m, standing == member.Carried
}

// IsRefused reports why a change of a tag is not granted.
func IsRefused(err error) (binding.Why, bool) {
	r, ok := errors.AsType[*binding.Refused](err)
	if !ok {
		return "", false
	}
	return r.Why, true
}
