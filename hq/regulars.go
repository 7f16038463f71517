package hq

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"time"

	"foyer/hq/store"
	"foyer/shop/member"
	"foyer/sync/wire"
)

// Regulars says which members go to which stores. Zero fields have the defaults named.
type Regulars struct {
	// Above how many members a store is sent its regulars alone, and asks for others; up to it all members go to all stores.
	// It goes back only when there are a tenth fewer. DefaultRegularsAbove; negative: always regulars alone.
	Above int
	// For is how long somebody is a store's regular after their last visit. DefaultRegularFor.
	For time.Duration
}

// The defaults of Regulars.
const (
	DefaultRegularsAbove = 20_000
	DefaultRegularFor    = 180 * 24 * time.Hour
)

func (r Regulars) withDefaults() Regulars {
	r.Above = cmp.Or(r.Above, DefaultRegularsAbove)
	r.For = cmp.Or(r.For, DefaultRegularFor)
	return r
}

const (
	mostRegulars = 30_000         // of one store: a snapshot holds no more; those who came last
	freshEvery   = time.Hour      // members who are new to a store wait so long for each other: it knows them from its own question
	rosterEvery  = 24 * time.Hour // who was a regular for long enough goes with the next day
)

// census is how many members there are. It is counted when they have changed.
type census struct {
	counted  bool
	revision int64
	members  int
	apart    bool
}

// count counts the members, and decides whether stores have their regulars alone. What a store's roster was made for last
// tells, after a restart between the two bounds, on which side it was.
func (h *HQ) count(ctx context.Context) error {
	revision, err := h.db.Revision(ctx, Members)
	if err != nil {
		return err
	}
	h.mu.Lock()
	c := h.census
	h.mu.Unlock()
	if c.counted && c.revision == revision {
		return nil
	}
	if !c.counted {
		last, err := h.db.LastPublished(ctx, Members)
		if err != nil {
			return err
		}
		highest, err := h.db.HighestRoster(ctx)
		if err != nil {
			return err
		}
		c.apart = highest > last.Version
	}
	if c.members, err = h.db.MembersIn(ctx); err != nil {
		return err
	}
	was := c.apart
	above := h.cfg.Regulars.Above
	c.apart = c.members > above || c.apart && c.members > above-above/10
	if c.counted, c.revision = true, revision; c.apart != was {
		h.cfg.Log.Info("which members go to which stores has changed", "members", c.members, "regulars_alone", c.apart)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.census = c
	return nil
}

// Apart reports whether each store has its regulars alone.
func (h *HQ) Apart() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.census.apart
}

// above is the version that the next snapshot of all members must be above: stores had rosters of their own, and take no older one.
func (h *HQ) above(ctx context.Context, kind string, err error) (uint64, error) {
	if err != nil || kind != Members {
		return 0, err
	}
	return h.db.HighestRoster(ctx)
}

// publishRosters makes each store's roster anew where it has changed, and lays its head before it.
func (h *HQ) publishRosters(ctx context.Context, shops []store.Shop) error {
	all, err := h.db.ShopRosters(ctx)
	if err != nil {
		return err
	}
	last, err := h.db.LastPublished(ctx, Members)
	if err != nil {
		return err
	}
	var faults []error // one store's do not keep the others waiting
	for _, s := range shops {
		if h.Barred(s.ID) {
			continue
		}
		if err := h.publishRoster(ctx, s.ID, all[s.ID], last.Version); err != nil {
			faults = append(faults, err)
		}
	}
	return errors.Join(faults...)
}

// publishRoster is publishRosters for one store; above is the version that its roster must be above.
func (h *HQ) publishRoster(ctx context.Context, id string, now store.ShopRoster, above uint64) error {
	if now.Version <= above || h.stale(now) {
		_, made, err := h.makeRoster(ctx, id)
		if errors.Is(err, store.ErrChanged) {
			poke(h.kick) // somebody else made one at the same moment
			return nil
		}
		if err != nil {
			return err
		}
		now = made
	}
	head, err := h.rosterHead(id, now, headEvery)
	if err != nil {
		return err
	}
	h.mu.Lock()
	whole := h.offered[id][Members] > 0 || h.headed[id].IsZero() // of all members, perhaps from before a restart: not for this store any more
	if h.headed[id] != head.at {
		delete(h.offered[id], wire.MembersHead)
		h.headed[id] = head.at
	}
	h.mu.Unlock()
	if whole {
		h.withdraw(id, Members)
	}
	h.offer(id, store.Published{Kind: wire.MembersHead, Version: head.version, Sealed: head.sealed})
	return nil
}

// withdraw takes what is retained off a store's topic.
func (h *HQ) withdraw(id, kind string) {
	if err := h.broker.Publish((wire.Place{Chain: h.cfg.Chain, Store: id}).Down(kind), true, nil); err != nil {
		h.cfg.Log.Warn("a snapshot stays on a store's topic; trying again", "store", id, "kind", kind, "err", err)
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.offered[id], kind)
}

// stale reports whether a roster is to be looked at again.
func (h *HQ) stale(r store.ShopRoster) bool {
	age := h.cfg.Now().Sub(r.MadeAt)
	return r.Urgent || r.Key != h.signingNow().id || r.Fresh && age >= freshEvery || age >= rosterEvery
}

// makeRoster makes a store's roster of what is so now, and keeps it as a new version if it differs from the last.
func (h *HQ) makeRoster(ctx context.Context, id string) (wire.Roster, store.ShopRoster, error) {
	now := h.cfg.Now().UTC() // taken first: what an answer tells from now on is newer than the roster
	members, was, all, err := h.db.RosterOf(ctx, id, now.Add(-h.cfg.Regulars.For), mostRegulars)
	if err != nil {
		return nil, was, err
	}
	snapshot, err := wire.NewSnapshot(Members, h.cfg.Chain, 1, now, wire.MembersBody{Members: members})
	if err != nil {
		return nil, was, err
	}
	roster, err := wire.ParseRoster(snapshot.Body)
	if err != nil {
		return nil, was, err
	}
	change, changed := store.Change(all, roster)
	next := was
	next.Store, next.Key, next.MadeAt, next.Members = id, h.signingNow().id, now, len(roster)
	last, err := h.db.LastPublished(ctx, Members)
	if err != nil {
		return nil, was, err
	}
	if !changed && was.Version > last.Version && was.Key == next.Key {
		return roster, next, h.db.SaveRoster(ctx, was, next, roster, nil, all)
	}
	next.Version, next.Digest = max(was.Version, last.Version)+1, change.Digest
	body := []byte{} // nothing leads to the first one
	if change.From = was.Version; was.Version > last.Version {
		if body, err = json.Marshal(change); err != nil {
			return nil, was, err
		}
	}
	if err := h.db.SaveRoster(ctx, was, next, roster, body, all); err != nil {
		return nil, was, err
	}
	h.cfg.Log.Info("a store's roster made", "store", id, "version", next.Version, "members", len(roster))
	h.hub.changed()
	return roster, next, nil
}

// rosterHead is a head of a store's roster, not older than age.
func (h *HQ) rosterHead(id string, now store.ShopRoster, age time.Duration) (headOf, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	head := h.heads[id]
	if head.version == now.Version && head.digest == now.Digest && time.Since(head.at) < age {
		return head, nil
	}
	head = headOf{version: now.Version, digest: now.Digest, at: time.Now()}
	var err error
	if head.sealed, err = h.sealHead(id, head); err == nil {
		h.heads[id] = head
	}
	return head, err
}

// rosterAsked answers a store that has another roster than its head says.
func (h *HQ) rosterAsked(ctx context.Context, place wire.Place, ask wire.MembersAsk) error {
	now, err := h.db.ShopRoster(ctx, place.Store)
	if err != nil || now.Version == 0 {
		return err
	}
	if ask.Have == now.Version && ask.Digest == now.Digest {
		head, err := h.rosterHead(place.Store, now, headAge)
		if err == nil {
			h.send(place.Down(wire.MembersHead), place.Store, head.sealed)
		}
		return err
	}
	change, err := h.rosterChange(ctx, now, ask)
	if err != nil {
		h.cfg.Log.Error("a change of a store's roster cannot be made; sending the whole", "store", place.Store, "from", ask.Have, "err", err)
	}
	if change != nil {
		h.send(place.Down(wire.MembersDelta), place.Store, change)
		return nil
	}
	return h.sendRoster(ctx, place)
}

// rosterChange is what leads from the version that a store has to its newest, sealed; nil where the whole must be sent.
func (h *HQ) rosterChange(ctx context.Context, now store.ShopRoster, ask wire.MembersAsk) ([]byte, error) {
	if ask.Have == 0 || ask.Have >= now.Version {
		return nil, nil
	}
	steps, err := h.db.RosterSteps(ctx, now.Store, ask.Have)
	if err != nil || len(steps) == 0 || steps[0].Version != ask.Have || steps[0].Digest != ask.Digest {
		return nil, err
	}
	all, leads, err := joined(steps, now.Version)
	if err != nil || !leads {
		return nil, err
	}
	return h.sealed(wire.MembersDelta, now.Store, now.Version, now.MadeAt, all)
}

// sendRoster sends the whole of a store's roster. It is kept nowhere: it is made again, and where it comes out otherwise it is a
// new version.
func (h *HQ) sendRoster(ctx context.Context, place wire.Place) error {
	if h.tooEarly(place.Store) {
		return nil
	}
	roster, now, err := h.makeRoster(ctx, place.Store)
	if errors.Is(err, store.ErrChanged) {
		return nil // it asks again
	}
	if err != nil {
		return err
	}
	sealed, err := h.sealed(Members, place.Store, now.Version, now.MadeAt, roster.Body())
	if err != nil {
		return err
	}
	h.send(place.Down(wire.MembersWhole), place.Store, sealed)
	return nil
}

// MarkRegular makes a member a regular of a store whether they come or not, or no longer.
func (h *HQ) MarkRegular(ctx context.Context, id string, who member.ID, marked bool) error {
	err := h.db.Mark(ctx, id, who, marked)
	if err == nil {
		h.cfg.Log.Info("a member was marked for a store", "store", id, "member", who, "marked", marked)
		poke(h.kick)
		h.hub.changed()
	}
	return err
}
