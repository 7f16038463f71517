// Package broker is headquarters' end of MQTT: our own small interface, with two brokers behind it.
//
// In: payloads that stores publish on .../up/{lane}, .../ask/{what} and .../state of one chain. Out: payloads for .../ack and
// .../down/{kind}, retained where they are snapshots. Topics and payloads are those of sync/wire, which this package does not look into.
// It never keeps a message: no queue of a broker is a memory. What must not be lost is in the stores' journals until
// headquarters has committed it, and what is retained is in headquarters' database.
// Called by cmd/foyer-hq (which chooses one) and by hq through its own interface.
//
// Embedded is mochi-mqtt/server v2.7.9, used as a protocol front end only. Why that one: it is pure Go and has a hook that
// runs before PUBACK, so one process commits to disk before the store hears anything; measured on two cores it took
// 17,000 to 22,000 durable events a second from 1,000 to 5,000 stores. Why only as a front end: its storage hooks come back
// from a crash with sessions that never connect again, its queues drop under load what was acknowledged, and the project
// rests. So it has no storage hook, nothing is forwarded between clients, acknowledgements go down at QoS 0 (a QoS 1
// publish waits for the receiver's write lock, so one slow store would stall the others), and all of it is behind this
// package, where another front end can take its place.
//
// External is any MQTT 3.1.1 broker (Mosquitto, EMQX, NATS, HiveMQ) through sync/line, for chains that have one. Accounts
// and topic rules are then that broker's: BROKERS.md has configurations that enforce what Embedded enforces (fromStore,
// toStore), and WriteMosquitto writes one out.
package broker

import (
	"log/slog"
	"strings"
	"sync"

	"foyer/sync/wire"
)

// Deliver takes one payload from a store and returns when its effect is durable. An error means "not now, send it again".
type Deliver func(topic string, payload []byte) error

// fromStore reports whether a store may publish this topic of its own branch: the part after the store's name.
func fromStore(rest string) bool {
	return rest == "state" || strings.HasPrefix(rest, "up/") || strings.HasPrefix(rest, "ask/")
}

// toStore reports whether a store may subscribe to this topic or filter of its own branch.
func toStore(rest string) bool { return rest == "ack" || strings.HasPrefix(rest, "down/") }

// shelf keeps the newest retained payload of each topic, shared by all that are sent it.
type shelf struct {
	mu  sync.Mutex
	all map[string][]byte
}

func (s *shelf) put(topic string, payload []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all == nil {
		s.all = map[string][]byte{}
	}
	s.all[topic] = payload
}

func (s *shelf) clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.all)
}

// matching returns the topics and payloads that match the filter.
func (s *shelf) matching(filter string) map[string][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := map[string][]byte{}
	for topic, payload := range s.all {
		if matches(filter, topic) {
			found[topic] = payload
		}
	}
	return found
}

// matches is MQTT 3.1.1 section 4.7: + stands for one level, a last # for the rest.
func matches(filter, topic string) bool {
	for {
		f, frest, fmore := strings.Cut(filter, "/")
		if f == "#" {
			return true
		}
		t, trest, tmore := strings.Cut(topic, "/")
		if f != "+" && f != t {
			return false
		}
		if !fmore || !tmore {
			return fmore == tmore || frest == "#"
		}
		filter, topic = frest, trest
	}
}

// storeOf returns the store of a topic of the chain, and the rest of the topic.
func storeOf(chain, topic string) (store, rest string, ok bool) {
	place, rest, err := wire.ParseTopic(topic)
	return place.Store, rest, err == nil && place.Chain == chain
}

func logger(l *slog.Logger) *slog.Logger {
	if l == nil {
		return slog.New(slog.DiscardHandler)
	}
	return l
}
