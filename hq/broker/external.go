package broker

import (
	"context"
	"errors"
	"hash/fnv"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"foyer/sync/wire"
)

// Pipe is the line to a broker that is not ours: sync/line.
type Pipe interface {
	Run(ctx context.Context) error
	Publish(topic string, retained bool, payload []byte) error
	Subscribe(filter string, fn func(topic string, payload []byte)) // fn must not wait
	OnUp(fn func())
	Online() (bool, time.Time)
}

// lanes is how many payloads are delivered at once, each store always in the same lane: so a store's payloads stay in
// order, and several stores share one transaction of the database.
const lanes = 16

// laneQueue is how many batches wait in a lane. What comes when it is full is dropped: the store sends it again.
const laneQueue = 16

// External is a broker elsewhere. Make one with NewExternal.
type External struct {
	chain    string
	pipe     Pipe
	log      *slog.Logger
	retained shelf
	queues   [lanes]chan message
	states   latest
	dropped  atomic.Uint64
	group    string // "": alone
}

type message struct {
	topic   string
	payload []byte
}

// NewExternal returns the broker at the pipe's other end. Nothing happens before Run.
func NewExternal(chain string, pipe Pipe, log *slog.Logger) *External {
	e := &External{chain: chain, pipe: pipe, log: logger(log)}
	for i := range e.queues {
		e.queues[i] = make(chan message, laneQueue)
	}
	e.states.poke = make(chan struct{}, 1)
	return e
}

// Share makes this one of several headquarters among which the broker shares out what stores send: all that give the same name.
// The broker must know shared subscriptions ($share). Call it before Run.
func (e *External) Share(group string) { e.group = group }

// Together reports whether each batch and question is given to one of several headquarters only.
func (e *External) Together() bool { return e.group != "" }

// Forget lets go of what Publish was given to retain: another headquarters looks after it now.
func (e *External) Forget() { e.retained.clear() }

// Online tells whether the broker can be reached, and since when that is so.
func (e *External) Online() (bool, time.Time) { return e.pipe.Online() }

// Dropped counts batches that came when too many waited already.
func (e *External) Dropped() uint64 { return e.dropped.Load() }

// Run receives until ctx ends. After every connect it retains again what Publish was given to retain: a broker may have
// lost it.
func (e *External) Run(ctx context.Context, deliver func(topic string, payload []byte) error) error {
	all := wire.Place{Chain: e.chain, Store: "+"}
	share := ""
	if e.group != "" {
		share = "$share/" + e.group + "/"
	}
	e.pipe.Subscribe(share+all.Up("#"), e.take)
	e.pipe.Subscribe(share+all.Ask("#"), e.take)
	e.pipe.Subscribe(all.State(), e.takeState)
	e.pipe.OnUp(func() { go e.retainAgain() }) // the pipe's own goroutine must not wait for its own writes
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var workers sync.WaitGroup
	for _, q := range e.queues {
		workers.Go(func() { e.work(ctx, q, deliver) })
	}
	workers.Go(func() { e.workStates(ctx, deliver) })
	err := e.pipe.Run(ctx)
	cancel()
	workers.Wait()
	return err
}

func (e *External) take(topic string, payload []byte) {
	store, rest, ok := storeOf(e.chain, topic)
	if !ok || !fromStore(rest) {
		return
	}
	h := fnv.New32a()
	h.Write([]byte(store))
	select {
	case e.queues[h.Sum32()%lanes] <- message{topic, payload}:
	default:
		e.dropped.Add(1)
	}
}

func (e *External) work(ctx context.Context, q <-chan message, deliver Deliver) {
	for {
		select {
		case <-ctx.Done():
			return
		case m := <-q:
			e.hand(ctx, m, deliver)
		}
	}
}

func (e *External) hand(ctx context.Context, m message, deliver Deliver) {
	if err := deliver(m.topic, m.payload); err != nil && ctx.Err() == nil {
		e.log.Error("what a store sent was not stored; it will send again", "topic", m.topic, "err", err)
	}
}

// latest keeps the newest state of each store until it is delivered: a state is never sent again, so none may be dropped.
type latest struct {
	mu   sync.Mutex
	all  map[string][]byte
	poke chan struct{}
}

func (e *External) takeState(topic string, payload []byte) {
	if _, _, ok := storeOf(e.chain, topic); !ok {
		return
	}
	e.states.mu.Lock()
	defer e.states.mu.Unlock()
	if e.states.all == nil {
		e.states.all = map[string][]byte{}
	}
	e.states.all[topic] = payload
	select {
	case e.states.poke <- struct{}{}:
	default:
	}
}

func (l *latest) takeAll() map[string][]byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := l.all
	l.all = nil
	return all
}

func (e *External) workStates(ctx context.Context, deliver Deliver) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-e.states.poke:
			for topic, payload := range e.states.takeAll() {
				e.hand(ctx, message{topic, payload}, deliver)
			}
		}
	}
}

// Publish sends. What is to be retained is kept and sent at the next connect if there is no line now.
func (e *External) Publish(topic string, retain bool, payload []byte) error {
	if retain {
		e.retained.put(topic, payload)
	}
	if online, _ := e.pipe.Online(); !online {
		if retain {
			return nil
		}
		return errors.New("publish: the broker cannot be reached")
	}
	err := e.pipe.Publish(topic, retain, payload)
	if err != nil && retain {
		return nil // the line went just now; retainAgain comes with the next
	}
	return err
}

func (e *External) retainAgain() {
	for topic, payload := range e.retained.matching("#") {
		if err := e.pipe.Publish(topic, true, payload); err != nil {
			return // the line went again
		}
	}
}
