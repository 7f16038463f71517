package hq

import (
	"context"
	"time"

	"foyer/hq/store"
	"foyer/sync/wire"
)

// Line is where a store's line stands.
type Line string

// The lines.
const (
	Online  Line = "online"
	Offline Line = "offline"
	Unheard Line = "unheard" // nothing since headquarters started
)

// Store is one store as the fleet page shows it.
type Store struct {
	store.Shop
	Line     Line
	Since    time.Time // of Line
	Bad      int       // payloads since the start that could not be understood
	LastBad  string
	Snapshot map[string]Standing // by kind
	Packs    []PackStanding      // sorted by pack
}

// Standing is how a store stands to the newest snapshot of a kind.
type Standing struct {
	Newest  uint64 // version published; 0: none yet
	Applied uint64 // the highest version that the store applied; 0: none
	Refused uint64 // the newest version if the store refused it, else 0
	Code    wire.Code
	Why     string // why it was refused
	At      time.Time
	answers []store.Answer // newest first
}

// Of returns the store's answer to a change that came with version: the newest "applied" of that version or a later one,
// else the newest refusal of such, else nothing.
func (s Standing) Of(version uint64) (store.Answer, bool) {
	var refused *store.Answer
	for i, a := range s.answers {
		switch {
		case version == 0 || a.Version < version:
		case a.Applied:
			return a, true
		case refused == nil:
			refused = &s.answers[i]
		}
	}
	if refused == nil {
		return store.Answer{}, false
	}
	return *refused, true
}

// Stores lists all stores with their lines and what they made of the newest snapshots.
func (h *HQ) Stores(ctx context.Context) ([]Store, error) {
	shops, err := h.db.Shops(ctx)
	if err != nil {
		return nil, err
	}
	answers, err := h.db.Answers(ctx)
	if err != nil {
		return nil, err
	}
	body, _, err := h.db.Packs(ctx)
	if err != nil {
		return nil, err
	}
	newest := map[string]uint64{}
	for _, kind := range kinds {
		p, err := h.db.LastPublished(ctx, kind)
		if err != nil {
			return nil, err
		}
		newest[kind] = p.Version
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	all := make([]Store, len(shops))
	for i, shop := range shops {
		all[i] = Store{Shop: shop, Line: Unheard, Snapshot: map[string]Standing{}}
		if p := h.shops[shop.ID]; p != nil {
			all[i].place(*p)
		}
		all[i].Packs = packStandings(answers, shop.ID, body.For(shop.ID))
		for _, kind := range kinds {
			all[i].Snapshot[kind] = standing(answers, shop.ID, kind, newest[kind])
		}
	}
	return all, nil
}

func (s *Store) place(p presence) {
	s.Bad, s.LastBad, s.Since = p.bad, p.lastBad, p.since
	switch {
	case p.online:
		s.Line = Online
	case p.told:
		s.Line = Offline
	}
}

func standing(answers []store.Answer, id, kind string, newest uint64) Standing {
	s := Standing{Newest: newest}
	var refused store.Answer
	for _, a := range answers {
		if a.Store != id || a.Kind != kind {
			continue
		}
		s.answers = append(s.answers, a)
		if a.Applied && s.Applied == 0 {
			s.Applied, s.At = a.Version, a.At
		}
		if !a.Applied && newest > 0 && (a.Version == newest || a.Version == 0) {
			refused = a
		}
	}
	// Version 0 is one that could not even be read: it counts as the newest until the newest is applied.
	if refused.Store != "" && s.Applied < newest {
		s.Refused, s.Code, s.Why = newest, refused.Code, refused.Why
	}
	return s
}

// AddStore adds a store and returns its token, which is not kept and not shown again.
func (h *HQ) AddStore(ctx context.Context, id, nameZH, nameEN string) (token string, err error) {
	if err := (wire.Place{Chain: h.cfg.Chain, Store: id}).Check(); err != nil {
		return "", err
	}
	token, err = h.db.AddShop(ctx, store.Shop{ID: id, NameZH: nameZH, NameEN: nameEN}, h.cfg.Now())
	if err == nil {
		h.cfg.Log.Info("store added", "store", id)
		poke(h.kick)
		h.hub.changed()
	}
	return token, err
}

// NewToken gives a store another token; the old one is void from its next connection on.
func (h *HQ) NewToken(ctx context.Context, id string) (token string, err error) {
	token, err = h.db.NewToken(ctx, id)
	if err == nil {
		h.cfg.Log.Info("store token replaced", "store", id)
	}
	return token, err
}

// BrokerOnline tells whether payloads pass, and since when that is so.
func (h *HQ) BrokerOnline() (bool, time.Time) {
	h.mu.Lock()
	b := h.broker
	h.mu.Unlock()
	if b == nil {
		return false, time.Time{}
	}
	return b.Online()
}
