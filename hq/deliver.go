package hq

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"foyer/hq/store"
	"foyer/sync/wire"
)

// deliver takes what a store published. Only what may go better another time is an error; what is wrong in itself is
// noted with the store and answered as received.
func (h *HQ) deliver(ctx context.Context, topic string, payload []byte) error {
	place, rest, err := wire.ParseTopic(topic)
	if err != nil || place.Chain != h.cfg.Chain {
		h.cfg.Log.Warn("a payload for nobody here", "topic", fmt.Sprintf("%.80q", topic))
		return nil
	}
	lane, up := strings.CutPrefix(rest, "up/")
	switch {
	case rest != "state" && !h.takes():
		return nil // it is given to the one that leads, too
	case up && h.Barred(place.Store):
		return nil // a broker elsewhere let it in: nothing of it is taken
	case up:
		ack, err := h.Ingest(ctx, place, lane, payload)
		if b, ok := errors.AsType[*BadBatch](err); ok {
			h.noteBad(place.Store, b)
			return nil
		}
		if err != nil {
			return err
		}
		return h.acknowledge(place, ack)
	case topic == place.Ask(wire.Members):
		return h.members(ctx, place, payload)
	case topic == place.Ask(wire.MemberTopic):
		return h.whose(ctx, place, payload)
	case topic == place.Ask(wire.KnownParts):
		return h.knownPart(ctx, place, payload)
	case topic == place.Ask(wire.ChunkTopic):
		return h.chunk(place, payload)
	case topic == place.Ask(wire.ResultTopic):
		return h.result(ctx, place, payload)
	case rest == "state":
		return h.heard(ctx, place.Store, payload)
	}
	return nil
}

// BadBatch says why a batch cannot be stored, now or later.
type BadBatch struct{ Why error }

func (b *BadBatch) Error() string { return b.Why.Error() }
func (b *BadBatch) Unwrap() error { return b.Why }

// Ingest stores one batch payload, durably before it returns, and gives the acknowledgement to send. A batch that leaves
// a gap or was here before changes nothing; its acknowledgement repeats the watermark.
func (h *HQ) Ingest(ctx context.Context, place wire.Place, lane string, payload []byte) (wire.Ack, error) {
	b, err := wire.DecodeBatch(payload)
	if err != nil {
		return wire.Ack{}, &BadBatch{err}
	}
	if b.Lane != lane {
		return wire.Ack{}, &BadBatch{fmt.Errorf("batch of lane %.40q on the topic of lane %.40q", b.Lane, lane)}
	}
	now := h.cfg.Now()
	batch := store.NewBatch(place.Store, b, now)
	stored, err := h.ingest(ctx, batch)
	if errors.Is(err, store.ErrUnknownStore) {
		return wire.Ack{}, &BadBatch{err}
	}
	if err != nil {
		return wire.Ack{}, err
	}
	if stored.New > 0 {
		h.noteGood(place.Store, now)
		if batch.ChangesMembers() {
			poke(h.kick)
		}
		h.hub.changed()
	}
	h.noteStored(place.Store, b, stored)
	ack := wire.Ack{Epoch: b.Epoch, Lane: b.Lane, Upto: stored.Upto, HQTime: h.cfg.Now().UTC(), Takes: wire.BatchCompact, Fork: stored.Fork}
	if stored.Have != stored.Upto {
		ack.Have = new(stored.Have)
	}
	return ack, nil
}

// noteStored logs what a person should know of.
func (h *HQ) noteStored(id string, b wire.Batch, s store.Stored) {
	if s.Lost > 0 {
		h.cfg.Log.Error("records are lost for good: neither headquarters nor the store has them", "store", id, "lane", b.Lane,
			"epoch", b.Epoch, "before", b.First, "records", s.Lost)
		h.hub.changed()
	}
	if s.Fork {
		h.cfg.Log.Warn("a store forgot what it had told: it was restored from an older image and is asked to go on under a new epoch",
			"store", id, "lane", b.Lane, "epoch", b.Epoch, "from", s.Upto+1)
	}
}

// acknowledge sends an ack. If the line is gone it is lost, and the store asks again by sending again.
func (h *HQ) acknowledge(place wire.Place, ack wire.Ack) error {
	data, err := wire.EncodeAck(ack)
	if err != nil {
		return err
	}
	if err := h.broker.Publish(place.Ack(), false, data); err != nil {
		h.cfg.Log.Debug("an acknowledgement was not sent", "store", place.Store, "err", err)
	}
	return nil
}

// heard takes a store's word on its line.
func (h *HQ) heard(ctx context.Context, id string, payload []byte) error {
	if len(payload) == 0 {
		return nil // somebody cleared the retained state
	}
	s, err := wire.DecodeState(payload)
	if err != nil {
		h.noteBad(id, &BadBatch{err})
		return nil
	}
	now := h.cfg.Now()
	fresh := h.noteState(id, s, now)
	if fresh {
		poke(h.kick) // it may be a store that nothing was laid before yet
	}
	h.hub.changed()
	if !s.Online {
		return nil // a retained "offline" is no sign of life
	}
	if fresh {
		if err := h.sendCommands(ctx, true, id); err != nil {
			return err
		}
	}
	if err := h.db.SawShop(ctx, id, clip(s.Version, 40), now); err != nil || s.Epoch == "" {
		return err
	}
	return h.compare(ctx, id, s, fresh)
}

// compare keeps how a store's memory stands, and answers a store that has just come, or that remembers something else, with what is
// stored: where it is less than the store was once told, or more than the store has, either of the two was restored from a
// backup, and the store knows what to do. What an outside broker retained may be old: it is answered too.
func (h *HQ) compare(ctx context.Context, id string, s wire.State, came bool) error {
	if err := h.db.KeepState(ctx, id, s); err != nil {
		return err
	}
	for _, l := range s.Lanes {
		have, err := h.db.Watermark(ctx, id, s.Epoch, l.Lane)
		if err != nil {
			return err
		}
		if have == l.Acked && !came {
			continue
		}
		if have < l.Acked {
			h.cfg.Log.Warn("headquarters has less than it had acknowledged: was it restored from a backup? It asks the store again",
				"store", id, "lane", l.Lane, "has", have, "acknowledged", l.Acked)
		}
		// Never more than the store was told before: what lies between was not compared record by record.
		ack := wire.Ack{Epoch: s.Epoch, Lane: l.Lane, Upto: min(have, l.Acked), Have: &have, HQTime: h.cfg.Now().UTC(), Takes: wire.BatchCompact}
		if err := h.acknowledge(wire.Place{Chain: h.cfg.Chain, Store: id}, ack); err != nil {
			return err
		}
	}
	return nil
}

// presence is what is known of a store's line since headquarters started.
type presence struct {
	told    bool // it has said something
	online  bool
	since   time.Time
	bad     int // payloads that could not be understood
	lastBad string
}

func (h *HQ) presenceOf(id string) *presence {
	p := h.shops[id]
	if p == nil {
		p = &presence{}
		h.shops[id] = p
	}
	return p
}

// noteState reports whether the store has come online by it.
func (h *HQ) noteState(id string, s wire.State, now time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	p := h.presenceOf(id)
	came := s.Online && !p.online
	if !p.told || p.online != s.Online {
		p.since = now
	}
	p.told, p.online = true, s.Online
	return came
}

// noteGood takes records for a sign of life.
func (h *HQ) noteGood(id string, now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if p := h.presenceOf(id); !p.online {
		p.told, p.online, p.since = true, true, now
	}
}

// noteBad counts what could not be understood. The first and every hundredth are logged: a store sends again and again.
func (h *HQ) noteBad(id string, b *BadBatch) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if errors.Is(b, store.ErrUnknownStore) && h.shops[id] == nil && len(h.shops) > 10_000 {
		return // names that anybody may invent on an open broker
	}
	p := h.presenceOf(id)
	p.bad++
	p.lastBad = clip(b.Error(), 300)
	if p.bad%100 == 1 {
		h.cfg.Log.Warn("a store sent what cannot be stored", "store", id, "count", p.bad, "why", p.lastBad)
		h.hub.changed()
	}
}
