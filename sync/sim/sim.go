// Package sim plays many stores at once, for whoever sizes a headquarters.
//
// In: a place, a badge and a pace for each. Out: real connections with real batches, and a Tally of what headquarters made of them:
// events that it acknowledged, time.Duration from sending to the answer, and from a snapshot's making to its answer.
// It never keeps anything on a disk: a store that is played remembers nothing when it ends, and begins anew under a new epoch.
// It speaks with sync/line and sync/wire as foyerd does, but compiles no campaign: it verifies a snapshot, and says "applied".
// Called by cmd/foyer.
//
// # Goroutines
//
// One a store, and those of its line. Acknowledgements and snapshots come to it through a channel of 256; when that is full the
// line waits, and so does the broker.
package sim

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"log/slog"
	mathrand "math/rand/v2"
	"time"

	"foyer/sync/line"
	"foyer/sync/wire"
)

const (
	inboxLength = 256
	patience    = time.Minute // without an answer for so long everything is sent again
	full        = 100         // records on their way of a store that sends as fast as it can, in one batch
)

// Config of one store.
type Config struct {
	Place  wire.Place
	Broker string // tls://host:port
	TLS    *tls.Config
	Keys   map[string]ed25519.PublicKey // that snapshots are verified with
	Rate   float64                      // events a second; 0: none
	Full   bool                         // as many as headquarters takes, whatever Rate says
	Tally  *Tally
	Log    *slog.Logger // nil discards
}

// Store is one that is played.
type Store struct {
	c     Config
	line  *line.Line
	inbox chan message
	up    chan struct{}
	epoch string
	lanes map[string]*outbox
	have  map[string]uint64 // the newest snapshot of each kind
	owed  map[uint64]answer // by the sequence of the record in wire.CaseLane that says so
	heard time.Time         // of the last answer, or of sending when none was owed
}

type message struct {
	topic   string
	payload []byte
}

// answer is what a store has said of a snapshot, and when the snapshot was made.
type answer struct {
	kind    string
	version uint64
	made    time.Time
}

// New returns a store. Run plays it.
func New(c Config) *Store {
	s := &Store{c: c, inbox: make(chan message, inboxLength), up: make(chan struct{}, 1), epoch: rand.Text(), lanes: map[string]*outbox{},
		have: map[string]uint64{}, owed: map[uint64]answer{}}
	for _, lane := range []string{wire.CaseLane, wire.MainLane} {
		s.lanes[lane] = &outbox{first: 1}
	}
	s.line = line.New(line.Config{URL: c.Broker, ClientID: "foyerd-" + c.Place.Chain + "-" + c.Place.Store, Username: c.Place.Store, TLS: c.TLS, Log: c.Log,
		Will: &line.Message{Topic: c.Place.State(), Retained: true, Payload: state(wire.State{At: time.Now().UTC()})}})
	for _, topic := range []string{c.Place.Ack(), c.Place.Down(wire.Campaigns), c.Place.Down(wire.Packs)} {
		s.line.Subscribe(topic, func(topic string, payload []byte) { s.inbox <- message{topic, payload} })
	}
	s.line.OnUp(func() { s.up <- struct{}{} })
	return s
}

// state encodes what always encodes.
func state(s wire.State) []byte {
	data, err := wire.EncodeState(s)
	if err != nil {
		panic(err) // a programmer's error: the States here have a time
	}
	return data
}

// Run plays the store until ctx ends.
func (s *Store) Run(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- s.line.Run(ctx) }()
	defer s.drain(ended)
	next := time.NewTimer(s.pause())
	defer next.Stop()
	look := time.NewTicker(patience / 10)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.up:
			s.cameUp()
		case m := <-s.inbox:
			s.take(m, time.Now())
		case <-next.C:
			s.happens(time.Now())
			next.Reset(s.pause())
		case <-look.C:
			s.again(time.Now())
		}
		s.send(time.Now())
	}
}

// drain lets the line's goroutines go while it ends.
func (s *Store) drain(ended <-chan error) {
	for {
		select {
		case <-ended:
			return
		case <-s.inbox:
		case <-s.up:
		}
	}
}

// pause is until the next event: by chance, as people come.
func (s *Store) pause() time.Duration {
	if s.c.Rate <= 0 || s.c.Full {
		return time.Hour
	}
	return time.Duration(min(mathrand.ExpFloat64()/s.c.Rate, 3600) * float64(time.Second))
}

func (s *Store) happens(now time.Time) {
	if s.c.Rate > 0 && !s.c.Full {
		s.lanes[wire.MainLane].add(someEvent(now), now)
	}
}

// cameUp says that it is there, and sends again what was on its way.
func (s *Store) cameUp() {
	s.c.Tally.cameUp(s.c.Place.Store)
	for _, o := range s.lanes {
		o.rewind()
	}
	s.line.Publish(s.c.Place.State(), true, state(wire.State{Online: true, At: time.Now().UTC(), Version: "sim", Epoch: s.epoch}))
}

// again sends everything again after a silence.
func (s *Store) again(now time.Time) {
	for _, o := range s.lanes {
		if o.sent > 0 && now.Sub(s.heard) > patience {
			o.rewind()
			s.c.Tally.sentAgain()
		}
	}
}

func (s *Store) send(now time.Time) {
	if online, _ := s.line.Online(); !online {
		return
	}
	for _, lane := range []string{wire.CaseLane, wire.MainLane} {
		o := s.lanes[lane]
		for s.c.Full && lane == wire.MainLane && o.sent == 0 && len(o.waiting) < full {
			o.add(someEvent(now), now)
		}
		for records, first := o.next(); len(records) > 0; records, first = o.next() {
			data, err := wire.EncodeBatch(wire.Batch{Epoch: s.epoch, Lane: lane, First: first, Schema: wire.Schema, Head: o.last(), SentAt: now.UTC(), Records: records})
			if err == nil {
				err = s.line.Publish(s.c.Place.Up(lane), false, data)
			}
			if err != nil {
				return // the line is going; what comes next makes it come again
			}
			if o.sent == 0 {
				s.heard = now
			}
			o.went(len(records), now)
		}
	}
}

// take takes an acknowledgement or a snapshot in.
func (s *Store) take(m message, now time.Time) {
	if m.topic != s.c.Place.Ack() {
		s.apply(m, now)
		return
	}
	a, err := wire.DecodeAck(m.payload)
	o := s.lanes[a.Lane]
	if err != nil || o == nil || a.Epoch != s.epoch {
		return
	}
	s.heard = now
	before := o.first
	o.heard(a.Upto, func(sent time.Time) {
		if a.Lane == wire.MainLane {
			s.c.Tally.durable(now.Sub(sent))
		}
	})
	if a.Lane != wire.CaseLane {
		return
	}
	for seq := before; seq < o.first; seq++ {
		if said, ok := s.owed[seq]; ok {
			s.c.Tally.applied(said, now)
			delete(s.owed, seq)
		}
	}
}

// apply verifies a snapshot and says that it is in force.
func (s *Store) apply(m message, now time.Time) {
	snapshot, err := wire.Open(m.payload, s.c.Keys)
	if err != nil {
		if len(m.payload) > 0 {
			s.c.Tally.refused(err)
		}
		return
	}
	if snapshot.Version <= s.have[snapshot.Kind] {
		return
	}
	s.have[snapshot.Kind] = snapshot.Version
	payload, err := wire.EncodeRecord(wire.NewRecord(wire.SnapshotApplied, now, wire.Applied{Snapshot: snapshot.Kind, Version: snapshot.Version}))
	if err != nil {
		panic(err) // a programmer's error: it always encodes
	}
	o := s.lanes[wire.CaseLane]
	o.add(payload, now)
	s.owed[o.last()] = answer{snapshot.Kind, snapshot.Version, snapshot.MadeAt}
}
