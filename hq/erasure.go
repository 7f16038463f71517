package hq

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"foyer/hq/store"
	"foyer/shop/member"
)

// Erasure is one person who was erased, and how far that has come.
type Erasure struct {
	store.Erasure
	Stores []ErasureAt // those that there were when it was asked for
}

// ErasureAt is how an erasure stands at a store.
type ErasureAt struct {
	store.Shop
	Done    time.Time // when the store said that nothing is left there; zero: not yet
	Forgets time.Time // when its lease makes it forget its members anyway; zero: never, or not known
}

// Done reports whether all stores have said so.
func (e Erasure) Done() bool { return e.Out() == 0 && e.Swept }

// Out counts the stores that have not.
func (e Erasure) Out() (n int) {
	for _, s := range e.Stores {
		if s.Done.IsZero() {
			n++
		}
	}
	return n
}

// EraseMember erases a person: here at once, and in each store as soon as it hears of it. reason may be empty; it must name
// nobody. ErrNotFound for who never was there.
func (h *HQ) EraseMember(ctx context.Context, id member.ID, reason string) (number uint64, err error) {
	number, err = EraseMember(ctx, h.db, id, reason, h.cfg.Now())
	if err != nil {
		return 0, err
	}
	h.cfg.Log.Info("a member is erased", "erasure", number)
	h.forgetHead()
	h.mu.Lock()
	clear(h.previews) // a file that was checked before may name them
	h.mu.Unlock()
	poke(h.kick)
	poke(h.sweep)
	h.hub.changed()
	return number, nil
}

// EraseMember is HQ.EraseMember for a command beside a server that runs or not. SweepErasures has to follow.
func EraseMember(ctx context.Context, db *store.DB, id member.ID, reason string, now time.Time) (uint64, error) {
	if reason = strings.TrimSpace(reason); len(reason) > store.MaxReason {
		return 0, fmt.Errorf("reason of %d bytes: want at most %d", len(reason), store.MaxReason)
	}
	return db.EraseMember(ctx, id, reason, now)
}

// forgetHead drops what is held in memory of the members that stores were sent.
func (h *HQ) forgetHead() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.head = headOf{}
	clear(h.wholes) // the stores need all members now
}

// sweepLoop takes who was erased out of the records of before.
func (h *HQ) sweepLoop(ctx context.Context) {
	tick := time.NewTicker(retry)
	defer tick.Stop()
	for {
		n, err := 0, error(nil)
		if h.leads() {
			n, err = h.db.SweepErasures(ctx)
		}
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			h.cfg.Log.Error("records still name somebody who was erased; trying again", "err", err)
		case n > 0:
			h.cfg.Log.Info("records name nobody any more who was erased", "erasures", n)
			h.hub.changed()
		}
		select {
		case <-ctx.Done():
			return
		case <-h.sweep:
		case <-tick.C:
		}
	}
}

// erasuresBody is what stores are told: each erasure until all of them have confirmed it and the lease of one that was forgotten
// here has ended too.
func (h *HQ) erasuresBody(ctx context.Context) (any, int64, error) {
	shops, err := h.db.Shops(ctx)
	if err != nil {
		return nil, 0, err
	}
	now := h.cfg.Now()
	body, revision, err := h.db.ErasuresBody(ctx, func(e store.Erasure) bool {
		return Erasure{e, h.erasureAt(e, shops)}.Out() > 0 || now.Sub(e.At) <= h.cfg.Lease || h.cfg.Lease == 0
	})
	if err == nil {
		err = body.Check()
	}
	return body, revision, err
}

// Erasures lists all of them, newest first.
func (h *HQ) Erasures(ctx context.Context) ([]Erasure, error) {
	shops, err := h.db.Shops(ctx)
	if err != nil {
		return nil, err
	}
	all, err := h.db.Erasures(ctx)
	var out []Erasure
	for _, e := range all {
		out = append(out, Erasure{e, h.erasureAt(e, shops)})
	}
	return out, err
}

func (h *HQ) erasureAt(e store.Erasure, shops []store.Shop) []ErasureAt {
	var all []ErasureAt
	for _, s := range shops {
		done := e.Receipts[s.ID]
		if done.IsZero() && (s.Created.After(e.At) || h.Barred(s.ID)) {
			continue
		}
		at := ErasureAt{Shop: s, Done: done}
		if done.IsZero() && h.cfg.Lease > 0 && !s.LastSeen.IsZero() {
			at.Forgets = s.LastSeen.Add(h.cfg.Lease)
		}
		all = append(all, at)
	}
	slices.SortStableFunc(all, func(x, y ErasureAt) int { return x.Done.Compare(y.Done) }) // who is still out comes first
	return all
}

// refuseErased finds rows of a file that would bring somebody back.
func (h *HQ) refuseErased(ctx context.Context, p *Preview) error {
	var ids []member.ID
	for _, one := range p.put {
		ids = append(ids, one.ID)
	}
	gone, err := h.db.Erased(ctx, ids)
	if err != nil || len(gone) == 0 {
		return err
	}
	for _, one := range p.put {
		if gone[one.ID] {
			p.FaultCount++
			if len(p.Faults) < maxFaults {
				p.Faults = append(p.Faults, Fault{Line: p.lines[one.ID], Name: string(colID), Code: FaultErased})
			}
		}
	}
	return nil
}
