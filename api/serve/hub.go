package serve

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"log/slog"
	"slices"
	"sync"
	"time"

	"foyer/api"
)

// HubConfig is what a Hub is made from.
type HubConfig struct {
	Store    api.Text         // the shop's name
	Epoch    string           // names this run of foyerd; default: random
	Location *time.Location   // whose midnight ends "today"; default: time.Local
	Now      func() time.Time // default: time.Now
	Log      *slog.Logger     // default: none
}

// Hub holds what each face shows and the recent events that led there, under one lock, so that a snapshot and its
// number always agree. Its methods are safe for many goroutines and never block on a reader. What is handed to it
// belongs to it: the caller changes no map or slice afterwards.
type Hub struct {
	store api.Text
	epoch string
	here  *time.Location
	now   func() time.Time
	log   *slog.Logger

	mu        sync.Mutex
	feeds     map[api.Face]*feed
	listeners map[api.Face]int
	greetings map[api.Face][]api.Greeting
	showcase  []api.Offer
	cards     []api.Card // oldest first
	status    api.Status
	counter   counter
	said      map[saidKey][]byte // the newest data of what is published whole, to keep repetitions off the wire
}

type saidKey struct {
	kind  api.Kind
	visit string
}

// NewHub makes an empty hub.
func NewHub(c HubConfig) *Hub {
	h := &Hub{
		store: c.Store, epoch: c.Epoch, here: c.Location, now: c.Now, log: c.Log,
		feeds:     map[api.Face]*feed{api.Wall: newFeed(), api.Kiosk: newFeed(), api.Reception: newFeed()},
		greetings: map[api.Face][]api.Greeting{}, listeners: map[api.Face]int{},
		said: map[saidKey][]byte{},
	}
	if h.epoch == "" {
		h.epoch = rand.Text()
	}
	if h.here == nil {
		h.here = time.Local
	}
	if h.now == nil {
		h.now = time.Now
	}
	if h.log == nil {
		h.log = slog.New(slog.DiscardHandler)
	}
	return h
}

// Greeted shows a greeting on one public screen, or replaces the one of the same visit. A greeting is nothing for
// reception, which has cards.
func (h *Hub) Greeted(face api.Face, g api.Greeting) {
	if face == api.Wall {
		g.Festive, g.Signup = false, "" // whose birthday it is, or who is new, is not for everybody's eyes
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if !public(face) {
		h.log.Error("a greeting was published on a face that has none", "face", face)
		return
	}
	if !h.push(api.Greeted, g, face) {
		return
	}
	h.greetings[face] = append(due(without(h.greetings[face], g.Visit), h.now()), g)
}

// Departed takes a visit off one public screen.
func (h *Hub) Departed(face api.Face, visit string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !public(face) {
		h.log.Error("a departure was published on a face that has none", "face", face)
		return
	}
	h.greetings[face] = without(h.greetings[face], visit)
	h.push(api.Departed, api.Departure{Visit: visit}, face)
}

// Showcase replaces the offers that anybody may see.
func (h *Hub) Showcase(offers []api.Offer) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if offers == nil {
		offers = []api.Offer{}
	}
	if h.pushChanged(saidKey{kind: api.Showcase}, offers, api.Wall, api.Kiosk) {
		h.showcase = offers
	}
}

// Card shows a card at reception, new or changed. The same card again is no event.
func (h *Hub) Card(c api.Card) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.pushChanged(saidKey{api.CardSet, c.Visit}, c, api.Reception) {
		return
	}
	h.cards = slices.DeleteFunc(h.cards, func(old api.Card) bool { return old.Visit == c.Visit })
	at, _ := slices.BinarySearchFunc(h.cards, c.Arrived, func(old api.Card, t time.Time) int { return old.Arrived.Compare(t) })
	h.cards = slices.Insert(h.cards, at, c)
	h.forget()
}

// forget drops the cards that no snapshot will show again, and what was said of them.
func (h *Hub) forget() {
	kept := current(h.cards, h.now().In(h.here))
	if len(kept) == len(h.cards) {
		return
	}
	h.cards = kept
	visits := map[string]bool{"": true}
	for _, c := range kept {
		visits[c.Visit] = true
	}
	for k := range h.said {
		if !visits[k.visit] {
			delete(h.said, k)
		}
	}
}

// Status tells all faces how the store's machinery is. The same status again is no event.
func (h *Hub) Status(s api.Status) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if s.Readers == nil {
		s.Readers = []api.Reader{}
	}
	if h.pushChanged(saidKey{kind: api.StatusIs}, s, api.Wall, api.Kiosk, api.Reception) {
		h.status = s
	}
}

// Order asks the screens of a face for something. It is no part of a snapshot: a screen that comes later is not asked.
func (h *Hub) Order(face api.Face, o api.Order) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if public(face) {
		h.push(api.Ordered, o, face)
	}
}

// Listeners counts the streams that a face's screens hold open.
func (h *Hub) Listeners(face api.Face) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.listeners[face]
}

func (h *Hub) listen(face api.Face, n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.listeners[face] += n
}

// Snapshot is all that a face shows, as of its newest event; false for a face that does not exist.
func (h *Hub) Snapshot(face api.Face) (api.Snapshot, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f, ok := h.feeds[face]
	if !ok {
		return api.Snapshot{}, false
	}
	now := h.now()
	s := api.Snapshot{Epoch: h.epoch, Last: f.last, Now: now, Store: h.store, Status: h.status}
	if face == api.Reception {
		s.Cards = current(h.cards, now.In(h.here))
		slices.Reverse(s.Cards)
		h.counter.into(&s, now)
		return s, true
	}
	s.Greetings = due(slices.Clone(h.greetings[face]), now)
	s.Showcase = h.showcase
	return s, true
}

// since returns a face's events after one number, the newest number, and a channel that closes at the next event. It is
// false where the gap cannot be filled.
func (h *Hub) since(face api.Face, epoch string, after uint64) (missed [][]byte, last uint64, changed <-chan struct{}, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f := h.feeds[face]
	missed, ok = f.since(after)
	return missed, f.last, f.changed, ok && epoch == h.epoch
}

// pushChanged pushes what differs from the last time under this key.
func (h *Hub) pushChanged(key saidKey, value any, faces ...api.Face) bool {
	data, ok := h.encode(key.kind, value)
	if !ok || bytes.Equal(h.said[key], data) {
		return false
	}
	h.said[key] = data
	return h.pushData(key.kind, data, faces...)
}

func (h *Hub) push(kind api.Kind, value any, faces ...api.Face) bool {
	data, ok := h.encode(kind, value)
	return ok && h.pushData(kind, data, faces...)
}

func (h *Hub) pushData(kind api.Kind, data []byte, faces ...api.Face) bool {
	for _, face := range faces {
		if err := h.feeds[face].push(kind, h.now(), data); err != nil {
			h.log.Error("an event was not published", "face", face, "err", err)
			return false
		}
	}
	return true
}

// encode fails only for a time that RFC 3339 cannot write. Such a value must not enter a snapshot, which would then be
// broken for everybody.
func (h *Hub) encode(kind api.Kind, value any) ([]byte, bool) {
	data, err := json.Marshal(value)
	if err != nil {
		h.log.Error("an event cannot be written and is dropped", "kind", kind, "err", err)
		return nil, false
	}
	return data, true
}
