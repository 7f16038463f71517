package hq

import (
	"context"
	"fmt"
	"time"

	"foyer/hq/store"
	"foyer/shop/campaign"
	"foyer/shop/member"
	"foyer/sync/wire"
)

// The kinds of snapshots, in the order in which they are published.
const (
	Members   = wire.Members
	Campaigns = wire.Campaigns
	Packs     = wire.Packs
	Erasures  = wire.Erasures
)

var kinds = []string{Erasures, Members, Campaigns, Packs}

// retry is how long the publisher waits after the database refused, and between looks without being kicked: cmd/foyer-hq
// may add stores from another process.
const retry = 15 * time.Second

// publishLoop makes a new snapshot where content has changed, and lays the newest before every store that has not had it.
func (h *HQ) publishLoop(ctx context.Context) error {
	tick := time.NewTicker(retry)
	defer tick.Stop()
	for first := true; ; first = false {
		if h.leads() {
			h.notePublishing(ctx, h.publishAll(ctx))
		} else {
			h.notePublishing(ctx, h.follow(ctx))
		}
		if first {
			close(h.ready)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-h.kick:
			h.company.Tell(store.Publish) // whoever else has stores to lay it before
		case <-h.asked:
		case <-tick.C:
		}
	}
}

// notePublishing keeps why publishing does not work, for the log and the pages.
func (h *HQ) notePublishing(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return
	}
	problem := ""
	if err != nil {
		problem = err.Error()
	}
	h.mu.Lock()
	news := h.problem != problem
	h.problem = problem
	h.mu.Unlock()
	if news && err != nil {
		h.cfg.Log.Error("snapshots cannot be published; trying again", "err", err)
	}
	if news {
		h.hub.changed()
	}
}

// Problem is why snapshots cannot be published; empty when they can.
func (h *HQ) Problem() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.problem
}

func (h *HQ) publishAll(ctx context.Context) error {
	shops, err := h.db.Shops(ctx)
	if err != nil {
		return err
	}
	if err := h.count(ctx); err != nil {
		return fmt.Errorf("count the members: %w", err)
	}
	for _, kind := range kinds {
		if kind == Members && h.Apart() {
			if err := h.publishRosters(ctx, shops); err != nil {
				return fmt.Errorf("members of the stores: %w", err)
			}
			continue
		}
		last, err := h.refresh(ctx, kind)
		if err != nil {
			return fmt.Errorf("snapshot of %s: %w", kind, err)
		}
		for _, s := range shops {
			if h.Barred(s.ID) || last.Version == 0 {
				continue
			}
			if !h.leads() {
				return nil // the lead has gone meanwhile
			}
			h.offer(s.ID, last)
		}
		if kind == Members {
			if err := h.refreshHead(last, shops); err != nil {
				return fmt.Errorf("head of the members: %w", err)
			}
		}
	}
	if err := h.publishKnown(ctx, shops); err != nil {
		return fmt.Errorf("known tags: %w", err)
	}
	return nil
}

// refresh returns the newest snapshot of a kind, made anew if content or the signing key has changed since.
func (h *HQ) refresh(ctx context.Context, kind string) (store.Published, error) {
	last, err := h.db.LastPublished(ctx, kind)
	if err != nil {
		return last, err
	}
	signs := h.signingNow()
	revision, err := h.db.Revision(ctx, kind)
	above, err := h.above(ctx, kind, err)
	if err != nil || last.Version > above && last.Revision == revision && wire.SealedBy(last.Sealed) == signs.id {
		return last, err
	}
	if (kind == Packs || kind == Erasures) && revision == 0 {
		return last, nil // there never was one: no store need hear of that
	}
	body, revision, err := h.body(ctx, kind)
	if err != nil {
		return last, err
	}
	next := store.Published{Kind: kind, Version: max(last.Version, above) + 1, Revision: revision, MadeAt: h.cfg.Now().UTC()}
	snapshot, err := wire.NewSnapshot(kind, h.cfg.Chain, next.Version, next.MadeAt, body)
	if err != nil {
		return last, err
	}
	if next.Sealed, err = wire.Seal(snapshot, signs.id, signs.key); err != nil {
		return last, err
	}
	if kind == Members {
		if next.Step, err = h.membersStep(last, snapshot); err != nil {
			return last, err
		}
	}
	if err := h.db.SavePublished(ctx, next); err != nil {
		if newest, look := h.db.LastPublished(ctx, kind); look == nil && newest.Version >= next.Version {
			return newest, nil // another headquarters was faster
		}
		return last, err
	}
	h.cfg.Log.Info("snapshot made", "kind", kind, "version", next.Version, "bytes", len(next.Sealed))
	h.hub.changed()
	return next, nil
}

// body is a snapshot's content, which passes the same checks that a store will make.
func (h *HQ) body(ctx context.Context, kind string) (any, int64, error) {
	switch kind {
	case Erasures:
		return h.erasuresBody(ctx)
	case Packs:
		all, revision, err := h.db.Packs(ctx)
		if err == nil {
			err = all.Check()
		}
		return all, revision, err
	case Members:
		all, revision, err := h.db.Roster(ctx)
		switch {
		case err != nil:
		case len(all) > wire.MaxMembers:
			err = fmt.Errorf("%d members agreed to be recognised: a snapshot holds at most %d", len(all), wire.MaxMembers)
		default:
			err = member.Check(all)
		}
		return wire.MembersBody{Members: all}, revision, err
	}
	all, revision, err := h.db.LiveCampaigns(ctx)
	if err == nil {
		_, err = campaign.Compile(all)
	}
	return wire.CampaignsBody{Campaigns: all}, revision, err
}

// offer retains a snapshot on a store's topic unless it is there.
func (h *HQ) offer(id string, p store.Published) {
	h.mu.Lock()
	had := h.offered[id][p.Kind]
	h.mu.Unlock()
	if had == p.Version {
		return
	}
	place := wire.Place{Chain: h.cfg.Chain, Store: id}
	if err := h.broker.Publish(place.Down(p.Kind), true, p.Sealed); err != nil {
		h.cfg.Log.Warn("a snapshot was not published; trying again", "store", id, "kind", p.Kind, "version", p.Version, "err", err)
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.offered[id] == nil {
		h.offered[id] = map[string]uint64{}
	}
	h.offered[id][p.Kind] = p.Version
}
