package hq

import "sync"

// hub tells watchers that something changed. Each has a channel of one: changes that it has not looked at are one change.
type hub struct {
	tell     func() // tells other headquarters; nil: there are none
	mu       sync.Mutex
	watchers map[chan struct{}]struct{}
}

func (h *hub) watch() (<-chan struct{}, func()) {
	c := make(chan struct{}, 1)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.watchers == nil {
		h.watchers = map[chan struct{}]struct{}{}
	}
	h.watchers[c] = struct{}{}
	return c, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.watchers, c)
	}
}

// changed tells watchers here and at other headquarters.
func (h *hub) changed() {
	h.wake()
	if h.tell != nil {
		h.tell()
	}
}

// wake tells watchers here.
func (h *hub) wake() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for c := range h.watchers {
		poke(c)
	}
}

// poke puts a value into a channel of one unless one is there.
func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
