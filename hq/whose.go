package hq

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"foyer/hq/store"
	"foyer/shop/member"
	"foyer/sync/wire"
)

// How often a store may ask for members: many at once when a bus arrives, few in the long run. What is above is not
// answered.
const (
	questionsBurst  = 60
	questionsSecond = 5
)

// Questions counts what a store asked since headquarters started.
type Questions struct {
	Asked   uint64 `json:"asked"`
	Named   uint64 `json:"named"`   // answered with a member
	Nobody  uint64 `json:"nobody"`  // answered with nobody: strangers whom the filter takes for known, and members who left
	Limited uint64 `json:"limited"` // not answered: there were too many
}

// questioner is a store that asks.
type questioner struct {
	Questions
	left float64 // questions that it may ask now
	at   time.Time
}

// mayAsk takes a question into account.
func (h *HQ) mayAsk(id string, now time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	q := h.questions[id]
	if q == nil {
		q = &questioner{left: questionsBurst, at: now}
		h.questions[id] = q
	}
	q.Asked++
	q.left = min(questionsBurst, q.left+max(0, now.Sub(q.at).Seconds())*questionsSecond)
	if q.at = now; q.left < 1 {
		q.Limited++
		return false
	}
	q.left--
	return true
}

// whose answers a store that asks whose a tag is. What it is told is noted before it is told: it will hear of changes. The answer
// names store and question, and is of no use for another.
func (h *HQ) whose(ctx context.Context, place wire.Place, payload []byte) error {
	ask, err := wire.DecodeMemberAsk(payload)
	if err != nil {
		h.noteBad(place.Store, &BadBatch{err})
		return nil
	}
	if !h.mayAsk(place.Store, time.Now()) {
		return nil
	}
	m, err := h.db.Carrier(ctx, ask.Tags)
	found := err == nil
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		h.cfg.Log.Error("a store's question for a member cannot be answered", "store", place.Store, "err", err)
		return nil // it does not wait, and asks at the next sighting
	}
	answer := wire.MemberBody{Nonce: ask.Nonce, Tags: ask.Tags}
	if found {
		if answer.Member, err = h.introduce(ctx, place.Store, m); err != nil {
			h.cfg.Log.Error("a store is not told of a member: it could not be noted", "store", place.Store, "err", err)
			return nil
		}
	}
	sealed, err := h.sealed(wire.MemberTopic, place.Store, 1, h.cfg.Now(), answer)
	if err != nil {
		return err
	}
	h.send(place.Down(wire.MemberTopic), place.Store, sealed)
	h.mu.Lock()
	defer h.mu.Unlock()
	if found {
		h.questions[place.Store].Named++
	} else {
		h.questions[place.Store].Nobody++
	}
	return nil
}

// introduce notes that a store is told of a member, and says them as the store is to know them.
func (h *HQ) introduce(ctx context.Context, id string, m member.Member) (json.RawMessage, error) {
	if err := h.db.Answered(ctx, id, m.ID, h.cfg.Now()); err != nil {
		return nil, err
	}
	return json.Marshal(m)
}

// RegularsStanding is how a store stands that has its regulars alone.
type RegularsStanding struct {
	Members  uint64 // in its newest roster
	Known    Standing
	Tags     uint64 // in the newest filter
	Question Questions
}

// regularsOf is called with the lock held.
func (h *HQ) regularsOf(r store.ShopRoster, answers []store.Answer, id string) *RegularsStanding {
	s := &RegularsStanding{Members: uint64(r.Members), Tags: uint64(h.filter.body.Tags), Known: standing(answers, id, wire.Known, h.filter.version)}
	if q := h.questions[id]; q != nil {
		s.Question = q.Questions
	}
	return s
}
