// Package line is a store's (or headquarters') connection to an MQTT broker, taken for what it is: an unreliable pipe.
//
// In: messages to publish, filters to subscribe to. Out: messages that arrive, and the moments at which the line came up.
// Payloads are bytes, times are time.Time and time.Duration.
// It never keeps a message for later, never sends one twice by itself, and never takes an MQTT acknowledgement for more than a
// sign of life: who needs to know that the other side has something must be told so by the other side (sync/uplink is).
// Called by internal/daemon, which hands it to sync/uplink and sync/downlink, and by hq/broker.
//
// # What the library is not trusted with
//
// Each connection is a new paho client with a clean session and a memory store: nothing of an old connection
// is sent again, out of order, on a new one. Reconnecting is ours, with a jittered back-off. Dialling is ours, so that
// no proxy of the environment is used and no packet longer than MaxPacket is ever read. The handlers
// only enqueue. A SUBACK that refuses is a fault: it is logged, told by Status, and asked again later.
//
// # Goroutines
//
// Run's own (connects, waits, reconnects, calls OnUp), one dispatcher that calls the subscribers, and paho's while
// connected. Between paho's reader and the dispatcher is a channel of 32 messages: when it is full the reader waits, and so,
// through TCP, does the broker.
package line

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// Defaults of Config.
const (
	DefaultKeepAlive = 30 * time.Second
	DefaultRetryMin  = 250 * time.Millisecond
	DefaultRetryMax  = 30 * time.Second
	DefaultMaxPacket = 9 << 20 // the longest sealed snapshot and its topic
)

const (
	patience    = 10 * time.Second // for dialling, for a SUBACK, for a write, for a ping's answer
	stable      = 5 * time.Second  // a connection that lived so long starts the back-off anew
	inboxLength = 32
	maxUnacked  = 1024 // messages without a PUBACK: beyond it Publish refuses
)

// Errors of Publish.
var (
	ErrOffline = errors.New("the line is down")
	ErrBusy    = errors.New("the broker does not keep up")
)

// Message is what a will is.
type Message struct {
	Topic    string
	Payload  []byte
	Retained bool
}

// Config says where the broker is and who we are. Fields left zero have the defaults named.
type Config struct {
	URL                string // tcp://host:1883 or tls://host:8883
	ClientID           string // unique at the broker: of two with one id each throws the other out
	Username, Password string
	TLS                *tls.Config   // for tls://; nil trusts the system's authorities
	Will               *Message      // published by the broker when we vanish, and by us when Run ends
	KeepAlive          time.Duration // DefaultKeepAlive
	RetryMin, RetryMax time.Duration // DefaultRetryMin, DefaultRetryMax
	MaxPacket          int           // DefaultMaxPacket; bytes
	Log                *slog.Logger  // nil discards
}

// Status is what an operator should know.
type Status struct {
	Online   bool
	Since    time.Time // since when it has been so
	Why      string    // what is wrong; empty when nothing is
	Connects int       // how often it came up
}

// Line is safe for concurrent use.
type Line struct {
	config Config
	log    *slog.Logger
	inbox  chan delivery
	again  chan struct{}           // capacity 1: subscribe anew
	now    atomic.Pointer[session] // nil when offline

	traffic atomic.Int64

	mu     sync.Mutex // guards what follows
	status Status
	subs   []subscription
	onUp   []func()
}

type subscription struct {
	filter string
	fn     func(topic string, payload []byte)
}

type delivery struct {
	fn      func(topic string, payload []byte)
	topic   string
	payload []byte
}

// New returns a line that is not connected. Run connects it.
func New(c Config) *Line {
	if c.KeepAlive == 0 {
		c.KeepAlive = DefaultKeepAlive
	}
	if c.RetryMin == 0 {
		c.RetryMin = DefaultRetryMin
	}
	if c.RetryMax == 0 {
		c.RetryMax = max(DefaultRetryMax, c.RetryMin)
	}
	if c.MaxPacket == 0 {
		c.MaxPacket = DefaultMaxPacket
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return &Line{config: c, log: c.Log, inbox: make(chan delivery, inboxLength), again: make(chan struct{}, 1), status: Status{Since: time.Now(), Why: "not connected yet"}}
}

// Subscribe asks for messages, from the next connection on: call it before Run. fn is called on the dispatcher's goroutine, one message at a
// time, in the order of arrival; while it works nobody else gets messages, so it should only take the message in.
func (l *Line) Subscribe(filter string, fn func(topic string, payload []byte)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.subs = append(l.subs, subscription{filter, fn})
}

// OnUp has fn called each time the line has come up and all subscriptions have been answered. fn must not wait for the line.
func (l *Line) OnUp(fn func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.onUp = append(l.onUp, fn)
}

// SubscribeAgain asks for all that is subscribed once more, on the connection that is up: a broker then sends what it retains.
func (l *Line) SubscribeAgain() {
	select {
	case l.again <- struct{}{}:
	default:
	}
}

// Publish hands a message to the broker at QoS 1. No error means nothing: the line may be dying. Nor does ErrOffline mean that
// the broker has not got it, where the line died with the message just sent. It may wait some seconds for a socket that takes no
// more.
func (l *Line) Publish(topic string, retained bool, payload []byte) error {
	s := l.now.Load()
	if s == nil {
		return ErrOffline
	}
	return s.publish(topic, retained, payload)
}

// Online reports whether the line is up, and since when it has been so or not.
func (l *Line) Online() (bool, time.Time) {
	s := l.Status()
	return s.Online, s.Since
}

// Status reports how the line is.
func (l *Line) Status() Status {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.status
}

// Run keeps the line up until ctx ends, then publishes the will, disconnects and returns nil. It returns an error at
// once if the configuration can never work.
func (l *Line) Run(ctx context.Context) error {
	to, err := parseURL(l.config.URL)
	if err != nil {
		return fmt.Errorf("line: %w", err)
	}
	var dispatcher sync.WaitGroup
	defer dispatcher.Wait()
	dispatcher.Go(func() { l.dispatch(ctx) })
	retry := backoff{min: l.config.RetryMin, max: l.config.RetryMax}
	for ctx.Err() == nil {
		s, err := l.connect(ctx, to)
		if err == nil {
			began := time.Now()
			err = l.serve(ctx, s)
			if time.Since(began) >= stable {
				retry.reset()
			}
		}
		if ctx.Err() != nil {
			break
		}
		wait := retry.next(rand.Float64())
		l.wentDown(err, wait)
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
	l.wentDown(errors.New("stopped"), 0)
	return nil
}

// serve subscribes, tells that the line is up, and stays until it is not.
func (l *Line) serve(ctx context.Context, s *session) error {
	defer s.end(nil)
	refused, err := s.subscribe(ctx, l.subscriptions())
	if err != nil {
		return err
	}
	l.cameUp(s, refused)
	for {
		var again <-chan time.Time
		if len(refused) > 0 {
			again = time.After(l.config.RetryMax)
		}
		select {
		case <-s.dead():
			return s.reason()
		case <-l.again:
			if refused, err = s.subscribe(ctx, l.subscriptions()); err != nil {
				return err
			}
			l.setRefused(refused)
		case <-again:
			if refused, err = s.subscribe(ctx, refused); err != nil {
				return err
			}
			l.setRefused(refused)
		case <-ctx.Done():
			s.farewell(l.config.Will)
			return nil
		}
	}
}

func (l *Line) dispatch(ctx context.Context) {
	for {
		select {
		case d := <-l.inbox:
			d.fn(d.topic, d.payload)
		case <-ctx.Done():
			return
		}
	}
}

func (l *Line) subscriptions() []subscription {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]subscription(nil), l.subs...)
}

func (l *Line) cameUp(s *session, refused []subscription) {
	l.now.Store(s)
	l.mu.Lock()
	l.status = Status{Online: true, Since: time.Now(), Connects: l.status.Connects + 1}
	fns := append([]func(){}, l.onUp...)
	l.mu.Unlock()
	l.log.Info("line is up", "broker", l.config.URL, "client", l.config.ClientID)
	l.setRefused(refused)
	for _, fn := range fns {
		fn()
	}
}

func (l *Line) setRefused(refused []subscription) {
	var why string
	for _, sub := range refused {
		l.log.Error("the broker refuses a subscription: check its access rules for this client",
			"filter", sub.filter, "client", l.config.ClientID, "broker", l.config.URL)
		why = fmt.Sprintf("the broker refuses the subscription to %s: check its access rules for client %s", sub.filter, l.config.ClientID)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.status.Why = why
}

// wentDown logs the first failure after good times; what follows is only worth a debug line.
func (l *Line) wentDown(err error, wait time.Duration) {
	l.now.Store(nil)
	l.mu.Lock()
	defer l.mu.Unlock()
	level := slog.LevelDebug
	if l.status.Online || l.status.Why != err.Error() {
		level = slog.LevelWarn
	}
	if l.status.Online {
		l.status.Since = time.Now()
	}
	l.status.Online, l.status.Why = false, err.Error()
	if wait > 0 {
		l.log.Log(context.Background(), level, "line is down", "broker", l.config.URL, "error", err, "next_try", wait)
	}
}
