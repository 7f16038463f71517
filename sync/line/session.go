package line

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"sync"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// session is one connection, from CONNACK to its end. It is never used again.
type session struct {
	client mqtt.Client
	conn   *guard
	inbox  chan<- delivery
	lost   chan error // paho's reason, at most one
	oldest time.Duration

	mu      sync.Mutex // guards what follows; held while a message is handed to paho
	unacked []sent     // in the order of sending; acknowledged ones are removed from the front
	heard   time.Time  // when one was last removed
	cause   error      // why we ended it ourselves
}

type sent struct {
	token mqtt.Token
	at    time.Time
}

// connect dials and shakes hands.
func (l *Line) connect(ctx context.Context, to target) (*session, error) {
	s := &session{inbox: l.inbox, lost: make(chan error, 1), oldest: 2 * l.config.KeepAlive}
	var conn *guard
	forget := func() bool { return false }
	options := l.options()
	options.SetCustomOpenConnectionFn(func(*url.URL, mqtt.ClientOptions) (net.Conn, error) {
		c, err := to.dial(ctx, l.config.TLS)
		if err != nil {
			return nil, err
		}
		conn = newGuard(c, l.config.MaxPacket)
		conn.traffic = &l.traffic
		if conn.secure = to.secure; conn.secure {
			l.traffic.Add(handshakeBytes)
		}
		forget = context.AfterFunc(ctx, func() { c.Close() }) // a handshake does not outlive us
		return conn, nil
	})
	options.SetConnectionLostHandler(func(_ mqtt.Client, err error) { s.lost <- err })
	s.client = mqtt.NewClient(options)
	token := s.client.Connect()
	<-token.Done() // bounded by the deadlines of dialling and of the handshake
	forget()
	if err := token.Error(); err != nil {
		return nil, fmt.Errorf("connect to %s: %w", to.address, err)
	}
	s.conn = conn
	return s, nil
}

func (l *Line) options() *mqtt.ClientOptions {
	o := mqtt.NewClientOptions()
	o.AddBroker("tcp://ours") // only to have one: the dialling is ours
	o.SetClientID(l.config.ClientID)
	o.SetUsername(l.config.Username)
	o.SetPassword(l.config.Password)
	o.SetProtocolVersion(4) // 3.1.1; unset, paho would try 3.1 after each failure
	o.SetCleanSession(true)
	o.SetStore(mqtt.NewMemoryStore())
	o.SetAutoReconnect(false)
	o.SetConnectRetry(false)
	o.SetOrderMatters(true)
	o.SetConnectTimeout(patience)
	o.SetWriteTimeout(patience)
	o.SetPingTimeout(l.config.KeepAlive) // headquarters' broker reads on when it has stored what it read: a thousand stores may be before us
	o.SetKeepAlive(l.config.KeepAlive)
	if w := l.config.Will; w != nil {
		o.SetBinaryWill(w.Topic, w.Payload, 1, w.Retained)
	}
	return o
}

func (s *session) dead() <-chan struct{} { return s.conn.dead }

// reason is why the session ended: ours, else paho's, else the socket's.
func (s *session) reason() error {
	s.mu.Lock()
	cause := s.cause
	s.mu.Unlock()
	if cause != nil {
		return cause
	}
	select {
	case err := <-s.lost:
		return err
	case <-time.After(time.Second):
		return s.conn.err
	}
}

// end closes the connection. After it no handler of this session waits any more.
func (s *session) end(cause error) {
	s.mu.Lock()
	if s.cause == nil {
		s.cause = cause
	}
	s.mu.Unlock()
	s.conn.Close()
	s.client.Disconnect(0)
}

// subscribe asks for all filters at once and returns those that the broker refused.
func (s *session) subscribe(ctx context.Context, subs []subscription) (refused []subscription, err error) {
	tokens := make([]mqtt.Token, len(subs))
	for i, sub := range subs {
		tokens[i], err = s.hand(func() mqtt.Token { return s.client.Subscribe(sub.filter, 1, s.enqueue(sub)) })
		if err != nil {
			return nil, s.reason()
		}
	}
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	for i, token := range tokens {
		select {
		case <-token.Done():
		case <-deadline.C:
			return nil, fmt.Errorf("the broker does not answer the subscription to %s", subs[i].filter)
		case <-s.dead():
			return nil, s.reason()
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if err := token.Error(); err != nil {
			return nil, fmt.Errorf("subscribe to %s: %w", subs[i].filter, err)
		}
		if granted(token, subs[i].filter) {
			continue
		}
		refused = append(refused, subs[i])
	}
	return refused, nil
}

// enqueue is all that a handler does: paho reads nothing else while it runs.
func (s *session) enqueue(sub subscription) mqtt.MessageHandler {
	return func(_ mqtt.Client, m mqtt.Message) {
		select {
		case s.inbox <- delivery{sub.fn, m.Topic(), m.Payload()}:
		case <-s.dead():
		}
	}
}

// granted looks into the SUBACK: a refusal (0x80) is no error to paho, which calls a shared subscription ($share/group/filter) by
// its filter alone.
func granted(token mqtt.Token, filter string) bool {
	t, ok := token.(*mqtt.SubscribeToken)
	if !ok {
		return false
	}
	if rest, shared := strings.CutPrefix(filter, "$share/"); shared {
		_, filter, _ = strings.Cut(rest, "/")
	}
	qos, answered := t.Result()[filter]
	return answered && qos <= 2
}

func (s *session) publish(topic string, retained bool, payload []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.room(); err != nil {
		return err
	}
	token, err := s.hand(func() mqtt.Token { return s.client.Publish(topic, 1, retained, payload) })
	if err != nil {
		return err
	}
	select {
	case <-token.Done():
		if err := token.Error(); err != nil {
			return fmt.Errorf("publish to %s: %w: %w", topic, ErrOffline, err)
		}
	default:
		s.unacked = append(s.unacked, sent{token, time.Now()})
	}
	return nil
}

// hand gives something to paho, which would wait for its own time-out on a connection that has just died.
func (s *session) hand(give func() mqtt.Token) (mqtt.Token, error) {
	given := make(chan mqtt.Token, 1)
	go func() { given <- give() }()
	select {
	case token := <-given:
		return token, nil
	case <-s.dead():
		return nil, ErrOffline
	}
}

// room bounds what a broker that acknowledges nothing makes us keep, and ends a session in which the broker has acknowledged nothing
// for two keep-alives though it answers pings. One that is only slow may have much before our oldest message.
func (s *session) room() error {
	for len(s.unacked) > 0 && done(s.unacked[0].token) {
		s.unacked, s.heard = s.unacked[1:], time.Now()
	}
	if len(s.unacked) == 0 {
		return nil
	}
	since := s.unacked[0].at
	if s.heard.After(since) {
		since = s.heard
	}
	if age := time.Since(since); age > s.oldest {
		s.cause = fmt.Errorf("the broker has not acknowledged a message for %v", age.Round(time.Second))
		s.conn.Close()
		return errors.Join(ErrOffline, s.cause)
	}
	if len(s.unacked) >= maxUnacked {
		return fmt.Errorf("%w: %d messages wait for its acknowledgement", ErrBusy, len(s.unacked))
	}
	return nil
}

func done(t mqtt.Token) bool {
	select {
	case <-t.Done():
		return true
	default:
		return false
	}
}

// farewell says ourselves what the will would say: after a proper goodbye the broker keeps it to itself.
func (s *session) farewell(will *Message) {
	if will != nil {
		token, err := s.hand(func() mqtt.Token { return s.client.Publish(will.Topic, 1, will.Retained, will.Payload) })
		if err == nil {
			token.WaitTimeout(patience / 20)
		}
	}
	s.client.Disconnect(100)
}
