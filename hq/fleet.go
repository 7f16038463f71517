package hq

import (
	"context"
	"slices"
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
	Memory   Memory
	Regulars *RegularsStanding // nil where all members go to all stores
}

// Memory is what is known of what a store still has to tell.
type Memory struct {
	Told  wire.State // the store's last word on it; its At is zero where it never said one
	Lanes []LaneStanding
	Lost  uint64 // records that will never come, in all epochs
}

// LaneStanding is one log of the store's present epoch.
type LaneStanding struct {
	Lane    string    `json:"lane"`
	Stored  uint64    `json:"stored"`            // here, without a gap up to it
	Waiting uint64    `json:"waiting"`           // at the store, as far as it has told
	Oldest  time.Time `json:"oldest,omitzero"`   // of those that waited when it told
	LastAck time.Time `json:"last_ack,omitzero"` // when the store last heard of headquarters, as it told
	Held    bool      `json:"held,omitempty"`    // waits for the next day's budget
}

// Waiting counts the records that wait at the store.
func (m Memory) Waiting() (n uint64) {
	for _, l := range m.Lanes {
		n += l.Waiting
	}
	return n
}

// Oldest is when the oldest of them was made; zero: not known, or none waits.
func (m Memory) Oldest() (oldest time.Time) {
	for _, l := range m.Lanes {
		if l.Waiting > 0 && !l.Oldest.IsZero() && (oldest.IsZero() || l.Oldest.Before(oldest)) {
			oldest = l.Oldest
		}
	}
	return oldest
}

// Held reports whether something waits for the next day's budget.
func (m Memory) Held() bool {
	return slices.ContainsFunc(m.Lanes, func(l LaneStanding) bool { return l.Held && l.Waiting > 0 })
}

// memories puts together what stores told and what is stored here.
func (h *HQ) memories(ctx context.Context) (map[string]Memory, error) {
	states, err := h.db.States(ctx)
	if err != nil {
		return nil, err
	}
	lanes, err := h.db.Lanes(ctx)
	if err != nil {
		return nil, err
	}
	gaps, err := h.db.Gaps(ctx)
	if err != nil {
		return nil, err
	}
	all := map[string]Memory{}
	lanesOf := byStore(lanes, func(l store.Lane) string { return l.Store })
	for id, s := range states {
		m := Memory{Told: s}
		for _, told := range s.Lanes {
			m.Lanes = append(m.Lanes, standingOf(told, id, s.Epoch, lanesOf[id]))
		}
		all[id] = m
	}
	for _, g := range gaps {
		m := all[g.Store]
		m.Lost += g.Last - g.First + 1
		all[g.Store] = m
	}
	return all, nil
}

// byStore parts rows by their store: a chain of thousands looks at each row once.
func byStore[R any](rows []R, store func(R) string) map[string][]R {
	all := map[string][]R{}
	for _, r := range rows {
		all[store(r)] = append(all[store(r)], r)
	}
	return all
}

// standingOf is how a lane stands. Sequences only grow, so the higher of what was told by state and by batch is the newer one.
func standingOf(told wire.LaneState, id, epoch string, lanes []store.Lane) LaneStanding {
	out := LaneStanding{Lane: told.Lane, Oldest: told.Oldest, LastAck: told.LastAck, Held: told.Waits}
	head := told.Last
	for _, l := range lanes {
		if l.Store == id && l.Epoch == epoch && l.Lane == told.Lane {
			out.Stored, head = l.Upto, max(head, l.Head)
		}
	}
	if head > out.Stored {
		out.Waiting = head - out.Stored
	}
	if out.Stored > told.Acked {
		out.Oldest = time.Time{} // that one has come since
	}
	return out
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
	memories, err := h.memories(ctx)
	if err != nil {
		return nil, err
	}
	answersOf := byStore(answers, func(a store.Answer) string { return a.Store })
	rosters, err := h.db.ShopRosters(ctx)
	if err != nil {
		return nil, err
	}
	apart := h.Apart()
	h.mu.Lock()
	defer h.mu.Unlock()
	all := make([]Store, len(shops))
	for i, shop := range shops {
		all[i] = Store{Shop: shop, Line: Unheard, Snapshot: map[string]Standing{}, Memory: memories[shop.ID]}
		if p := h.shops[shop.ID]; p != nil {
			all[i].place(*p)
		}
		all[i].Packs = packStandings(answersOf[shop.ID], shop.ID, body.For(shop.ID))
		for _, kind := range kinds {
			all[i].Snapshot[kind] = standing(answersOf[shop.ID], shop.ID, kind, newest[kind])
		}
		if apart {
			all[i].Snapshot[Members] = standing(answersOf[shop.ID], shop.ID, Members, rosters[shop.ID].Version)
			all[i].Regulars = h.regularsOf(rosters[shop.ID], answersOf[shop.ID], shop.ID)
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
