package console

import (
	"context"
	"errors"
	"slices"

	"foyer/hq/store"
)

// joinedView is how somebody became a member at a store.
type joinedView struct {
	store.Contact
	StoreName string
}

// wordView is one yes or no of theirs.
type wordView struct {
	store.ConsentWord
	StoreName string
}

// joined fills in how somebody joined, and what they allowed.
func (c *Console) joined(ctx context.Context, v *memberView, shops []store.Shop, lang string) error {
	name := func(id string) string {
		if i := slices.IndexFunc(shops, func(s store.Shop) bool { return s.ID == id }); i >= 0 {
			return shops[i].Name(lang)
		}
		return id
	}
	contact, err := c.hq.DB().Contact(ctx, v.ID)
	switch {
	case err == nil:
		v.Joined = &joinedView{contact, name(contact.Store)}
	case !errors.Is(err, store.ErrNotFound):
		return err
	}
	words, err := c.hq.DB().ConsentWords(ctx, v.ID, eventsShown)
	for _, w := range words {
		v.Words = append(v.Words, wordView{w, name(w.Store)})
	}
	return err
}
