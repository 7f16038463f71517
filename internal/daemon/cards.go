package daemon

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"foyer/api"
	"foyer/shop"
	"foyer/shop/binding"
	"foyer/shop/member"
	"foyer/shop/proof"
	"foyer/sync/wire"
)

// cards takes what staff ask of members' cards. It is serve.Cards.
type cards struct {
	shop *shop.Shop
	mu   sync.Mutex
	gate *proof.Gate
}

func newCards(s *shop.Shop) *cards { return &cards{shop: s, gate: proof.NewGate(proof.Limits{}, nil)} }

func (c *cards) Search(ctx context.Context, query string) ([]api.Person, error) {
	found, err := c.shop.Members(ctx, query)
	var out []api.Person
	for _, p := range found {
		out = append(out, personOf(p))
	}
	return out, cardProblem(err)
}

func (c *cards) Wallet(ctx context.Context, who string) (api.Wallet, error) {
	p, held, err := c.shop.Wallet(ctx, member.ID(who))
	w := api.Wallet{Person: personOf(p)}
	for _, h := range held {
		w.Held = append(w.Held, api.Held{ID: h.Handle, Label: h.Label, Lost: h.Lost, At: h.At})
	}
	return w, cardProblem(err)
}

func personOf(p shop.Person) api.Person {
	return api.Person{Member: string(p.Member), Name: p.Name, Masked: p.Masked, TierName: p.TierName, Here: p.Here, Cards: p.Cards}
}

// ChangeCard does what staff ask. Handing out a card takes their word for who this is: a store holds no PIN and no digit of a
// phone number that it could ask for.
func (c *cards) ChangeCard(ctx context.Context, who string, verb api.CardVerb, a api.CardChange) error {
	kind := map[api.CardVerb]binding.Kind{api.BindCard: binding.Bound, api.ReplaceCard: binding.Replaced,
		api.BlockCard: binding.Blocked, api.UnbindCard: binding.Unbound}[verb]
	r, err := c.shop.Request(ctx, kind, shop.Asked{Member: member.ID(who), Shown: a.Shown, Held: a.Card, Reason: binding.Reason(a.Reason), By: a.By})
	if err != nil {
		return cardProblem(err)
	}
	switch kind {
	case binding.Blocked:
		return cardProblem(c.shop.Block(ctx, r))
	case binding.Unbound:
		return cardProblem(c.shop.Unbind(ctx, r))
	}
	var p proof.Proof
	if a.Vouched {
		if p, err = c.vouch(r); err != nil {
			return cardProblem(err)
		}
	}
	if kind == binding.Replaced {
		return cardProblem(c.shop.Replace(ctx, r, p))
	}
	return cardProblem(c.shop.Bind(ctx, r, p))
}

func (c *cards) vouch(r binding.Request) (proof.Proof, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.gate.Vouch(r.Member, "reception", r.By, now())
}

func (c *cards) Dismiss(ctx context.Context, notice, by string) error {
	return cardProblem(c.shop.Dismiss(ctx, notice, by))
}

// refusals gives each reason of the book the code that a face can act on.
var refusals = map[binding.Why]api.Code{
	binding.NoMember: api.CodeNoMember, binding.NoTag: api.CodeNotShown, binding.NotTheirs: api.CodeCardGone,
	binding.Theirs: api.CodeCardTheirs, binding.Taken: api.CodeCardTaken, binding.IsLost: api.CodeCardLost,
	binding.Clashes: api.CodeCardClashes, binding.Many: api.CodeCardMany, binding.SameTag: api.CodeCardSame,
	binding.BadReason: api.CodeInvalid, binding.NoName: api.CodeInvalid, binding.StillGoing: api.CodeBusy,
}

func cardProblem(err error) error {
	if why, refused := shop.IsRefused(err); refused {
		return api.NewProblem(refusals[why], err.Error())
	}
	for is, code := range map[error]api.Code{shop.ErrNoMember: api.CodeNoMember, shop.ErrNotShown: api.CodeNotShown, shop.ErrNoHeld: api.CodeCardGone,
		shop.ErrUnproved: api.CodeUnproved, shop.ErrQuery: api.CodeInvalid, shop.ErrNoNote: api.CodeNotFound} {
		if errors.Is(err, is) {
			return api.NewProblem(code, err.Error())
		}
	}
	return problemOf(err)
}

func shownOf(e shop.CardShown) api.Shown {
	return api.Shown{Key: e.Key, Zone: e.Zone, At: e.At, Until: e.Until, Standing: fmt.Sprint(e.Standing)}
}

func noticeOf(e shop.BlockedSeen) api.Notice {
	return api.Notice{ID: e.ID, At: e.At, Zone: e.Zone, Member: string(e.Member), Name: e.Name, Times: e.Times, By: e.By}
}

// tagRecordOf is a fact about tags as it travels.
func tagRecordOf(body shop.Body) (wire.Kind, any) {
	switch b := body.(type) {
	case shop.TagChanged:
		c := wire.TagChange{Kind: string(b.Kind), Member: string(b.Member), Reason: string(b.Reason), By: b.By, Proved: string(b.Proved), Clash: b.Clash}
		for _, m := range b.Marks {
			c.Marks = append(c.Marks, wire.TagMark{Tag: m.Tag, State: string(m.State), Of: m.Of, Found: m.Found})
		}
		return wire.TagChanged, c
	case shop.BlockedTagSeen:
		return wire.BlockedSeen, wire.BlockedTag{Zone: b.Zone, Member: string(b.Member)}
	case shop.BlockedTagHandled:
		return wire.BlockedHandled, wire.BlockedTag{Member: string(b.Member), By: b.By, WaitedSeconds: seconds(b.Waited)}
	}
	return guestRecordOf(body)
}
