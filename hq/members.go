package hq

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"time"

	"foyer/hq/store"
	"foyer/sync/wire"
)

const (
	headEvery  = 24 * time.Hour  // a store that stays online compares its members with the head at least so often
	headAge    = time.Minute     // of a head that a store is given when it asks
	wholePause = 2 * time.Second // between two wholes for one store
)

// headOf is the newest members' head: what a store compares its own with.
type headOf struct {
	version uint64
	digest  wire.Digest
	sealed  []byte
	at      time.Time
	answers map[uint64][]byte // sealed changes to it, by the version that they lead from; nil: too large, send the whole
}

// ownKeys are what headquarters verifies its own snapshots with.
func (h *HQ) ownKeys() map[string]ed25519.PublicKey {
	id, key := h.PublicKey()
	return map[string]ed25519.PublicKey{id: key}
}

// membersStep is what leads from the members last published to the next ones.
func (h *HQ) membersStep(last store.Published, next wire.Snapshot) (*store.MembersStep, error) {
	all, err := wire.ParseRoster(next.Body)
	if err != nil {
		return nil, err
	}
	step := &store.MembersStep{Version: next.Version, Digest: all.Digest(), Body: []byte{}}
	if last.Version == 0 {
		return step, nil
	}
	if len(last.Sealed) == 0 { // somebody was erased: a change would name them
		return step, nil
	}
	before, err := h.rosterOf(last)
	if err != nil { // signed with a key that is gone: stores are sent all members
		h.cfg.Log.Warn("the members' last snapshot cannot be read; stores will be sent all members", "version", last.Version, "err", err)
		return step, nil
	}
	step.Body, err = json.Marshal(before.Diff(last.Version, all))
	return step, err
}

func (h *HQ) rosterOf(p store.Published) (wire.Roster, error) {
	s, err := wire.Open(p.Sealed, h.ownKeys())
	if err != nil {
		return nil, err
	}
	return wire.ParseRoster(s.Body)
}

// refreshHead makes the head of the newest members, and a new one of the same members once a day: it renews the stores' leases.
func (h *HQ) refreshHead(last store.Published, shops []store.Shop) error {
	head, err := h.headFor(last, headEvery)
	if err != nil {
		return err
	}
	for _, s := range shops {
		h.mu.Lock()
		if h.headed[s.ID] != head.at {
			delete(h.offered[s.ID], wire.MembersHead)
			h.headed[s.ID] = head.at
		}
		h.mu.Unlock()
		h.offer(s.ID, store.Published{Kind: wire.MembersHead, Version: head.version, Sealed: head.sealed})
	}
	return nil
}

// headFor is a head of the members last published, and not older than age.
func (h *HQ) headFor(last store.Published, age time.Duration) (headOf, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	head := h.head
	if last.Sealed == nil { // whatever is the newest
		last.Version = head.version
	}
	if head.version == last.Version && time.Since(head.at) < age {
		return head, nil
	}
	if head.version != last.Version {
		all, err := h.rosterOf(last)
		if err != nil {
			return head, err
		}
		head = headOf{version: last.Version, digest: all.Digest(), answers: map[uint64][]byte{}}
	}
	var err error
	head.at = time.Now()
	head.sealed, err = h.sealHead("", head)
	if err == nil {
		h.head = head
	}
	return head, err
}

func (h *HQ) sealHead(id string, head headOf) ([]byte, error) {
	return h.sealed(wire.MembersHead, id, head.version, h.cfg.Now(), wire.HeadBody{Digest: head.digest, LeaseSeconds: int64(h.cfg.Lease / time.Second)})
}

// sealed signs a snapshot for one store, or for all of them.
func (h *HQ) sealed(kind, id string, version uint64, at time.Time, body any) ([]byte, error) {
	s, err := wire.NewSnapshot(kind, h.cfg.Chain, version, at, body)
	if err != nil {
		return nil, err
	}
	s.Store = id
	signs := h.signingNow()
	return wire.Seal(s, signs.id, signs.key)
}

// members answers a store that has other members than the head says: with the change, or with all. It asks again when the
// answer is lost.
func (h *HQ) members(ctx context.Context, place wire.Place, payload []byte) error {
	ask, err := wire.DecodeMembersAsk(payload)
	if err != nil {
		h.noteBad(place.Store, &BadBatch{err})
		return nil
	}
	if !h.leads() {
		if err := h.count(ctx); err != nil {
			return err
		}
	}
	if h.Apart() {
		return h.rosterAsked(ctx, place, ask)
	}
	if !h.leads() {
		if err := h.follow(ctx); err != nil {
			return err
		}
	}
	h.mu.Lock()
	head := h.head
	h.mu.Unlock()
	if head.version == 0 {
		return nil
	}
	if ask.Have == head.version && ask.Digest == head.digest { // its lease has ended, or its clock has jumped
		if head, err = h.headFor(store.Published{}, headAge); err == nil {
			h.send(place.Down(wire.MembersHead), place.Store, head.sealed)
		}
		return err
	}
	change, err := h.change(ctx, head, ask)
	if err != nil {
		h.cfg.Log.Error("a change of the members cannot be made; sending all", "store", place.Store, "from", ask.Have, "err", err)
	}
	if change != nil {
		h.send(place.Down(wire.MembersDelta), place.Store, change)
		return nil
	}
	return h.sendWhole(ctx, place)
}

// tooEarly reports whether a store was sent all members a moment ago.
func (h *HQ) tooEarly(id string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	early := time.Since(h.wholes[id]) < wholePause
	if !early {
		h.wholes[id] = time.Now()
	}
	return early
}

func (h *HQ) sendWhole(ctx context.Context, place wire.Place) error {
	if h.tooEarly(place.Store) {
		return nil
	}
	last, err := h.db.LastPublished(ctx, Members)
	if err != nil {
		return err
	}
	if len(last.Sealed) > 0 { // else it is being made anew; the store asks again
		h.send(place.Down(wire.MembersWhole), place.Store, last.Sealed)
	}
	return nil
}

func (h *HQ) send(topic, id string, payload []byte) {
	if err := h.broker.Publish(topic, false, payload); err != nil {
		h.cfg.Log.Debug("members were not sent", "store", id, "err", err)
	}
}

// change is what leads from a store's members to the head's, sealed; nil where all members are the better answer. Many
// stores ask for the same one.
func (h *HQ) change(ctx context.Context, head headOf, ask wire.MembersAsk) ([]byte, error) {
	if ask.Have == 0 || ask.Have >= head.version {
		return nil, nil
	}
	steps, err := h.db.MembersSteps(ctx, ask.Have)
	if err != nil || len(steps) == 0 || steps[0].Version != ask.Have || steps[0].Digest != ask.Digest {
		return nil, err
	}
	h.mu.Lock()
	made, known := head.answers[ask.Have]
	h.mu.Unlock()
	if known {
		return made, nil
	}
	made, err = h.makeChange(ctx, head, steps)
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	head.answers[ask.Have] = made
	return made, nil
}

func (h *HQ) makeChange(ctx context.Context, head headOf, steps []store.MembersStep) ([]byte, error) {
	all, leads, err := joined(steps, head.version)
	if err != nil || !leads {
		return nil, err
	}
	sealed, err := h.sealed(wire.MembersDelta, "", head.version, h.cfg.Now(), all)
	if err != nil {
		return nil, err
	}
	last, err := h.db.LastPublished(ctx, Members)
	if err != nil || 2*len(sealed) > len(last.Sealed) && len(sealed) > 4096 {
		return nil, err
	}
	return sealed, nil
}

// joined makes one change of the steps that lead from the first of them to a version, if they do.
func joined(steps []store.MembersStep, to uint64) (all wire.DeltaBody, leads bool, err error) {
	at := steps[0].Version
	for _, s := range steps[1:] {
		if at == to {
			break
		}
		if s.Version != at+1 || len(s.Body) == 0 {
			return all, false, nil
		}
		var next wire.DeltaBody
		if err := json.Unmarshal(s.Body, &next); err != nil {
			return all, false, fmt.Errorf("change to version %d: %w", s.Version, err)
		}
		if at == steps[0].Version {
			all = next
		} else if all, err = all.Then(next); err != nil {
			return all, false, err
		}
		at = s.Version
	}
	return all, at == to, nil
}
