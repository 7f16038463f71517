package console

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"time"

	"foyer/hq/store"
	"foyer/reader/tag"
	"foyer/shop/binding"
	"foyer/shop/member"
)

// eventsShown is how much of a member's history of cards the page shows: the newest.
const eventsShown = 100

// memberView is one member's cards and what stores did with them. Cards have the short names that stores call them by.
type memberView struct {
	memberRow
	Fault  string // of the form to erase: the key of a text
	Cards  []cardView
	Events []eventView
	Joined *joinedView // nil for who did not join at a store
	Words  []wordView

	Apart bool // stores have their regulars alone
	At    []regularView
	Shops []store.Shop // that may be marked
}

// regularView is a store that knows of a member.
type regularView struct {
	store.Regular
	StoreName string
}

type cardView struct {
	Label string
	Lost  bool
}

type eventView struct {
	store.CardEvent
	StoreName       string
	What, Why, Sure string   // in words, or as the store said it where it is a newer one
	Gave, Took      []string // labels
}

func (c *Console) member(w http.ResponseWriter, r *http.Request) {
	c.showMember(w, r, http.StatusOK, "")
}

func (c *Console) showMember(w http.ResponseWriter, r *http.Request, status int, fault string) {
	id := member.ID(r.PathValue("id"))
	p, err := c.hq.DB().Member(r.Context(), id)
	if errors.Is(err, store.ErrNotFound) {
		c.notFound(w, r)
		return
	}
	var events []store.CardEvent
	if err == nil {
		events, err = c.hq.DB().CardEvents(r.Context(), id, eventsShown)
	}
	var shops []store.Shop
	if err == nil {
		shops, err = c.hq.DB().Shops(r.Context())
	}
	if err != nil {
		c.broken(w, r, err)
		return
	}
	lang := c.language(w, r)
	v := memberView{memberRow: newMemberRow(p), Fault: fault, Cards: cardsOf(p)}
	for _, e := range events {
		one := eventView{CardEvent: e, What: c.known(lang, "card.kind.", e.Kind), Why: c.known(lang, "card.reason.", e.Reason), Sure: c.known(lang, "card.proved.", e.Proved), StoreName: e.Store, Gave: labels(e.Gave), Took: labels(e.Took)}
		if i := slices.IndexFunc(shops, func(s store.Shop) bool { return s.ID == e.Store }); i >= 0 {
			one.StoreName = shops[i].Name(lang)
		}
		v.Events = append(v.Events, one)
	}
	if err := errors.Join(c.joined(r.Context(), &v, shops, lang), c.whoKnows(r.Context(), &v, shops, lang)); err != nil {
		c.broken(w, r, err)
		return
	}
	c.render(w, r, status, "member", v)
}

// whoKnows fills in which stores know of a member.
func (c *Console) whoKnows(ctx context.Context, v *memberView, shops []store.Shop, lang string) error {
	v.Apart = c.hq.Apart()
	at, err := c.hq.DB().RegularAt(ctx, v.ID)
	for _, s := range shops {
		i := slices.IndexFunc(at, func(r store.Regular) bool { return r.Store == s.ID })
		if i >= 0 && (at[i].Marked || at[i].Told() || at[i].Asked || !at[i].Seen.IsZero()) {
			v.At = append(v.At, regularView{at[i], s.Name(lang)})
		}
		if i < 0 || !at[i].Marked {
			v.Shops = append(v.Shops, s)
		}
	}
	return err
}

// markRegular makes a member a regular of a store, or takes that back.
func (c *Console) markRegular(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 16<<10)
	id := member.ID(r.PathValue("id"))
	err := c.hq.MarkRegular(r.Context(), r.PostFormValue("store"), id, r.PostFormValue("marked") != "no")
	switch {
	case errors.Is(err, store.ErrNotFound):
		c.notFound(w, r)
	case err != nil:
		c.broken(w, r, err)
	default:
		http.Redirect(w, r, "/members/"+url.PathEscape(string(id)), http.StatusSeeOther)
	}
}

// known says a word of a store in a language, or as it is where there is no word for it here.
func (c *Console) known(lang, section, word string) string {
	if word == "" || !c.words.Has(lang, "console."+section+word) {
		return word
	}
	return c.say(lang, section+word)
}

// cardsOf lists whole cards: a shorter form of a number is no card of its own.
func cardsOf(p store.Person) []cardView {
	var cards []cardView
	for _, id := range p.Tags {
		cards = append(cards, cardView{binding.Label(id), false})
	}
	for _, id := range p.Blocked {
		if of := p.Forms[id]; of.IsZero() || !slices.Contains(p.Blocked, of) {
			cards = append(cards, cardView{binding.Label(id), true})
		}
	}
	return cards
}

func labels(ids []tag.ID) []string {
	var out []string
	for _, id := range ids {
		out = append(out, binding.Label(id))
	}
	return out
}

type apiCards struct {
	ID     member.ID      `json:"id"`
	Cards  []apiCard      `json:"cards"`
	Events []apiCardEvent `json:"events"` // newest first
}

type apiCard struct {
	Label string `json:"label"`
	Lost  bool   `json:"lost,omitempty"`
}

type apiCardEvent struct {
	Store  string    `json:"store"`
	At     time.Time `json:"at"`
	Kind   string    `json:"kind"`
	Reason string    `json:"reason,omitempty"`
	By     string    `json:"by,omitempty"`
	Proved string    `json:"proved,omitempty"`
	Zone   string    `json:"zone,omitempty"`
	Late   bool      `json:"late,omitempty"` // another store's later word stands
	Gave   []string  `json:"gave,omitempty"` // labels of the cards given out
	Took   []string  `json:"took,omitempty"` // of those blocked or taken back
}

func (c *Console) apiMemberCards(w http.ResponseWriter, r *http.Request) {
	id := member.ID(r.PathValue("id"))
	p, err := c.hq.DB().Member(r.Context(), id)
	if errors.Is(err, store.ErrNotFound) {
		problem(w, http.StatusNotFound, "no such member", "GET /api/members lists them", nil)
		return
	}
	out := apiCards{ID: id, Cards: []apiCard{}, Events: []apiCardEvent{}}
	for _, card := range cardsOf(p) {
		out.Cards = append(out.Cards, apiCard(card))
	}
	var events []store.CardEvent
	if err == nil {
		events, err = c.hq.DB().CardEvents(r.Context(), id, eventsShown)
	}
	for _, e := range events {
		out.Events = append(out.Events, apiCardEvent{Store: e.Store, At: e.At, Kind: e.Kind, Reason: e.Reason, By: e.By, Proved: e.Proved,
			Zone: e.Zone, Late: e.Late, Gave: labels(e.Gave), Took: labels(e.Took)})
	}
	c.reply(w, r, http.StatusOK, out, err)
}
