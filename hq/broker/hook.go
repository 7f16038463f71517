package broker

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"

	"foyer/sync/wire"
)

// maxKeepalive is how many seconds a store may be silent. A write to a store that does not read ends after 1.5 times that.
const maxKeepalive = 300

// hook is where mochi asks us: who may come, what they may do, and what to do with what they say.
type hook struct {
	mqtt.HookBase
	chain    string
	auth     func(store, token string) bool
	badge    *BadgeConfig
	deliver  func(topic string, payload []byte) error
	log      *slog.Logger
	retained shelf
	closing  atomic.Bool

	mu     sync.Mutex
	online map[string]*mqtt.Client // each store's newest connection
	named  map[string]*mqtt.Client // the newest connection of each store and client identifier
	count  uint64                  // of connections
}

func (h *hook) ID() string { return "foyer" }

func (h *hook) Provides(b byte) bool {
	return bytes.IndexByte([]byte{
		mqtt.OnConnectAuthenticate, mqtt.OnACLCheck, mqtt.OnSessionEstablished, mqtt.OnDisconnect,
		mqtt.OnPublish, mqtt.OnPublishDropped, mqtt.OnPacketProcessed,
	}, b) >= 0
}

// OnConnectAuthenticate lets a store in by its badge, or by its name and token. Its client identifier is put below its name, so that no
// store can take over another's session, and its will may only go to its own state: mochi does not ask the ACL for wills.
func (h *hook) OnConnectAuthenticate(cl *mqtt.Client, pk packets.Packet) bool {
	store, err := h.whoIs(cl, pk)
	if err != nil {
		h.log.Warn("a store was refused", "store", printable(store), "from", cl.Net.Remote, "why", err)
		return false
	}
	place := wire.Place{Chain: h.chain, Store: store}
	if pk.Connect.WillFlag && pk.Connect.WillTopic != place.State() {
		h.log.Warn("a store was refused", "store", store, "from", cl.Net.Remote, "why", "its will goes to another topic than its state")
		return false
	}
	cl.ID = h.alone(store, cl.ID)
	if cl.State.Keepalive == 0 || cl.State.Keepalive > maxKeepalive {
		cl.State.Keepalive = maxKeepalive
	}
	return true
}

// alone is an identifier that no other connection has. mochi's own way of handing a session over is not safe: attachClient
// asks whether it was taken over, and if that happens a moment later takes the new one's subscriptions away; such a store
// hears nothing until it comes anew.
// OnSessionEstablished ends the old one instead.
func (h *hook) alone(store, id string) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.count++
	return fmt.Sprintf("%s/%s#%d", store, id, h.count)
}

// nameOf is what connections of one store with one client identifier have in common.
func nameOf(cl *mqtt.Client) string {
	return cl.ID[:max(0, strings.LastIndexByte(cl.ID, '#'))]
}

// whoIs says which store it is that connects, or why it may not.
func (h *hook) whoIs(cl *mqtt.Client, pk packets.Packet) (store string, err error) {
	named := string(pk.Connect.Username)
	if cl.Net.Listener != badgeDoor {
		if (wire.Place{Chain: h.chain, Store: named}).Check() != nil || !h.auth(named, string(pk.Connect.Password)) {
			return named, errors.New("name or token")
		}
		return named, nil
	}
	conn, ok := cl.Net.Conn.(*tls.Conn)
	if !ok || len(conn.ConnectionState().PeerCertificates) == 0 {
		return named, errors.New("it shows no certificate")
	}
	if store, err = h.badge.Admit(conn.ConnectionState().PeerCertificates[0]); err != nil {
		return store, err
	}
	if named != "" && named != store {
		return store, errors.New("it calls itself by another name than its certificate does")
	}
	cl.Properties.Username = []byte(store) // what the topic rules go by
	return store, nil
}

func printable(name string) string {
	if (wire.Place{Chain: "x", Store: name}).Check() != nil {
		return "(no store's name)"
	}
	return name
}

// OnACLCheck locks a store to its own branch: it publishes up/#, ask/# and state, and reads ack and down/#.
func (h *hook) OnACLCheck(cl *mqtt.Client, topic string, write bool) bool {
	store, rest, ok := storeOf(h.chain, topic)
	if !ok || store != string(cl.Properties.Username) {
		return false
	}
	if write {
		return fromStore(rest)
	}
	return toStore(rest)
}

func (h *hook) OnSessionEstablished(cl *mqtt.Client, _ packets.Packet) {
	if h.badge != nil && h.badge.Barred(string(cl.Properties.Username)) {
		cl.Stop(packets.ErrNotAuthorized) // it was revoked between its CONNECT and now, and Drop may not have seen it
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	name := nameOf(cl)
	if old := h.named[name]; old != nil {
		old.Stop(packets.ErrSessionTakenOver)
	}
	h.named[name] = cl
	h.online[string(cl.Properties.Username)] = cl
	h.log.Info("a store connected", "store", string(cl.Properties.Username), "from", cl.Net.Remote)
}

// OnDisconnect tells that a store is gone, unless it came back by another connection meanwhile.
func (h *hook) OnDisconnect(cl *mqtt.Client, err error, _ bool) {
	store := string(cl.Properties.Username)
	h.mu.Lock()
	if h.named[nameOf(cl)] == cl {
		delete(h.named, nameOf(cl))
	}
	last := h.online[store] == cl
	if last {
		delete(h.online, store)
	}
	h.mu.Unlock()
	if !last || h.closing.Load() {
		return
	}
	h.log.Info("a store's connection ended", "store", store, "why", err)
	if err := h.deliver((wire.Place{Chain: h.chain, Store: store}).State(), gone()); err != nil {
		h.log.Warn("a store's end was not noted", "store", store, "err", err)
	}
}

// OnPublish delivers before mochi sends the PUBACK. Nothing is forwarded or retained. On an error there is no PUBACK; the
// store sends again because no acknowledgement of ours comes.
func (h *hook) OnPublish(cl *mqtt.Client, pk packets.Packet) (packets.Packet, error) {
	if cl.Net.Inline {
		return pk, nil
	}
	if h.closing.Load() {
		return pk, packets.ErrRejectPacket
	}
	if err := h.deliver(pk.TopicName, pk.Payload); err != nil {
		h.log.Error("what a store sent was not stored; it will send again", "store", string(cl.Properties.Username), "err", err)
		return pk, packets.ErrRejectPacket
	}
	return pk, packets.CodeSuccessIgnore
}

// OnPacketProcessed sends what is retained after a SUBSCRIBE was answered. mochi's own retained messages would keep a
// copy for each topic; a chain's members would then be in memory once a store.
func (h *hook) OnPacketProcessed(cl *mqtt.Client, pk packets.Packet, err error) {
	if err != nil || pk.FixedHeader.Type != packets.Subscribe {
		return
	}
	for _, sub := range pk.Filters {
		if !h.OnACLCheck(cl, sub.Filter, false) {
			continue
		}
		for topic, payload := range h.retained.matching(sub.Filter) {
			out := packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Publish, Retain: true}, TopicName: topic, Payload: payload}
			if err := cl.WritePacket(out); err != nil {
				return // its connection is gone; it will subscribe again
			}
		}
	}
}

// OnPublishDropped ends the connection of a store that does not read. It comes back and is sent what is retained; an
// acknowledgement it missed is in the next.
func (h *hook) OnPublishDropped(cl *mqtt.Client, _ packets.Packet) {
	cl.Stop(packets.ErrPendingClientWritesExceeded)
}
