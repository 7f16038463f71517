package broker

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync/atomic"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"

	"foyer/sync/wire"
)

// EmbeddedConfig says who may connect and where. Addr "" listens on 127.0.0.1 and any free port.
type EmbeddedConfig struct {
	Chain string
	Addr  string                         // host:port
	TLS   *tls.Config                    // nil: plain TCP
	Auth  func(store, token string) bool // asked once a connection
	Badge *BadgeConfig                   // nil: no second door
	Log   *slog.Logger
}

// BadgeConfig is the door for stores that show a certificate: TLS, and no tokens.
type BadgeConfig struct {
	Addr   string
	TLS    *tls.Config                                         // asks for a certificate; Admit verifies it
	Admit  func(c *x509.Certificate) (store string, err error) // asked once a connection
	Barred func(store string) bool                             // asked again when a session is up: it was revoked meanwhile
}

// Embedded is a broker inside this process. Make one with Listen.
type Embedded struct {
	cfg     EmbeddedConfig
	server  *mqtt.Server
	ln      net.Listener
	badges  net.Listener // nil: no second door
	hook    *hook
	since   time.Time
	serving atomic.Bool
}

// Listen opens the port. Nobody is served before Run.
func Listen(cfg EmbeddedConfig) (*Embedded, error) {
	if cfg.Auth == nil {
		return nil, errors.New("embedded broker: no Auth given")
	}
	if cfg.Addr == "" {
		cfg.Addr = "127.0.0.1:0"
	}
	cfg.Log = logger(cfg.Log)
	ln, err := net.Listen("tcp", cfg.Addr)
	if err != nil {
		return nil, fmt.Errorf("open broker: %w", err)
	}
	e := &Embedded{cfg: cfg, ln: ln, since: time.Now()}
	if cfg.Badge != nil {
		if e.badges, err = net.Listen("tcp", cfg.Badge.Addr); err != nil {
			ln.Close()
			return nil, fmt.Errorf("open broker for badges: %w", err)
		}
	}
	e.server = mqtt.New(&mqtt.Options{
		Capabilities: capabilities(),
		InlineClient: true,
		Logger:       slog.New(discreet{cfg.Log.Handler()}),
		// Its counters on $SYS are for nobody: no store may subscribe to them. Publishing them stops the world once a round.
		SysTopicResendInterval: 3600,
	})
	e.hook = &hook{chain: cfg.Chain, auth: cfg.Auth, badge: cfg.Badge, log: cfg.Log, online: map[string]*mqtt.Client{}, named: map[string]*mqtt.Client{}}
	if err := e.server.AddHook(e.hook, nil); err != nil {
		e.Close()
		return nil, fmt.Errorf("open broker: %w", err)
	}
	return e, nil
}

// capabilities raises the limits that lose messages under load, and closes what stores do not need.
func capabilities() *mqtt.Capabilities {
	c := mqtt.NewDefaultServerCapabilities()
	c.MaximumPacketSize = wire.MaxBatch + 4096 // a batch and its topic
	c.MaximumClients = 20_000
	c.MaximumClientWritesPending = 1024 // eight bytes each for every store; it has 24 batches on their way at most, and an answer to each
	c.MaximumInflight = 65_535
	c.ReceiveMaximum = 65_535
	c.MaximumQos = 1
	c.SharedSubAvailable = 0
	c.TopicAliasMaximum = 0
	c.MaximumSessionExpiryInterval = 0 // a store comes with a clean session and starts from headquarters' acknowledgement
	c.MaximumMessageExpiryInterval = 0 // else what is retained would be gone after a day
	return c
}

// Addr is where stores connect, "host:port".
func (e *Embedded) Addr() string { return e.ln.Addr().String() }

// URL is where stores connect, as their configuration wants it.
func (e *Embedded) URL() string {
	if e.cfg.TLS != nil {
		return "tls://" + e.Addr()
	}
	return "tcp://" + e.Addr()
}

// Online is always true while Run runs: the broker is here.
func (e *Embedded) Online() (bool, time.Time) { return e.serving.Load(), e.since }

// farewell is how long mochi may take to say goodbye to the stores; after that the connections that are left are closed.
const farewell = 300 * time.Millisecond

// Run serves stores until ctx ends. A store that goes without a word is delivered as offline.
func (e *Embedded) Run(ctx context.Context, deliver func(topic string, payload []byte) error) error {
	e.hook.deliver = deliver
	doors, err := e.openDoors()
	if err != nil {
		return fmt.Errorf("run broker: %w", err)
	}
	e.serving.Store(true)
	if err := e.server.Serve(); err != nil {
		return fmt.Errorf("run broker: %w", err)
	}
	<-ctx.Done()
	e.serving.Store(false)
	e.hook.closing.Store(true)
	for _, d := range doors {
		d.settle()
		late := time.AfterFunc(farewell, d.hangUp)
		defer late.Stop()
	}
	e.sendAway()
	if err := e.server.Close(); err != nil {
		return fmt.Errorf("close broker: %w", err)
	}
	return nil
}

// sendAway ends all connections and waits until mochi has forgotten them: a moment, and never more than a second. mochi's
// Close asks for the number of clients while it holds their lock for reading, and stands still for ever when one leaves in between.
func (e *Embedded) sendAway() {
	for limit := time.Now().Add(time.Second); time.Now().Before(limit); time.Sleep(time.Millisecond) {
		left := 0
		for _, cl := range e.server.Clients.GetAll() {
			if !cl.Net.Inline {
				cl.Stop(packets.ErrServerShuttingDown)
				left++
			}
		}
		if left == 0 {
			return
		}
	}
}

// The names of the doors, as mochi's listeners are called.
const (
	tokenDoor = "stores"
	badgeDoor = "badges"
)

func (e *Embedded) openDoors() ([]*patient, error) {
	doors := []*patient{newPatient(e.ln)}
	var ln net.Listener = doors[0]
	if e.cfg.TLS != nil {
		ln = tls.NewListener(ln, e.cfg.TLS)
	}
	if err := e.server.AddListener(listeners.NewNet(tokenDoor, ln)); err != nil {
		return nil, err
	}
	if e.badges == nil {
		return doors, nil
	}
	doors = append(doors, newPatient(e.badges))
	return doors, e.server.AddListener(listeners.NewNet(badgeDoor, tls.NewListener(doors[1], e.cfg.Badge.TLS)))
}

// BadgeAddr is where stores with a badge connect, "host:port"; empty without that door.
func (e *Embedded) BadgeAddr() string {
	if e.badges == nil {
		return ""
	}
	return e.badges.Addr().String()
}

// Drop ends all connections of a store.
func (e *Embedded) Drop(store string) {
	for _, cl := range e.server.Clients.GetAll() {
		if string(cl.Properties.Username) == store && !cl.Net.Inline {
			cl.Stop(packets.ErrNotAuthorized)
		}
	}
}

// Close frees the ports of a broker that was never run.
func (e *Embedded) Close() error {
	err := e.ln.Close()
	if e.badges != nil {
		err = errors.Join(err, e.badges.Close())
	}
	return err
}

// Publish sends to whoever subscribed, without waiting for them. A retained payload is kept and sent at every
// subscription; it must not be changed afterwards.
func (e *Embedded) Publish(topic string, retain bool, payload []byte) error {
	if retain {
		e.hook.retained.put(topic, payload)
	}
	if !e.serving.Load() {
		if retain {
			return nil
		}
		return errors.New("publish: the broker is not running")
	}
	if err := e.server.Publish(topic, payload, false, 0); err != nil {
		return fmt.Errorf("publish %s: %w", topic, err)
	}
	return nil
}

// gone is what is delivered for a store whose connection ended, however it ended.
func gone() []byte {
	b, _ := wire.EncodeState(wire.State{Online: false, At: time.Now().UTC()}) // of a state made here there is nothing to refuse
	return b
}
