package daemon

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"foyer/shop"
	"foyer/sync/journal"
	"foyer/sync/wire"
)

const (
	maxOwed    = 20_000 // facts held while the disk refuses: some ten megabytes
	retryPause = time.Second
)

// ledger writes the shop's facts into the journal, in order. It is shop.Ledger. A fact that the disk refuses is held in
// memory and written as soon as the disk takes it; a fact that somebody waits for is refused to them at once instead.
// What is of a person is sealed on its way: who has no key yet costs the shop one sync, which is once a member.
type ledger struct {
	safe    *safe
	journal *journal.Journal
	log     *slog.Logger

	mu   sync.Mutex
	room sync.Cond // owed has become shorter, or ending
	owed []owed    // by ticket
	next uint64    // ticket of the next fact: the order in which they happened
	ends bool      // foyerd is ending: nobody waits for room any more
	wake chan struct{}
}

// owed is a fact that the disk has refused, or that waits behind one.
type owed struct {
	ticket uint64
	fact   shop.Fact
}

func newLedger(s *safe, log *slog.Logger) *ledger {
	l := &ledger{safe: s, journal: s.journal, log: log, wake: make(chan struct{}, 1)}
	l.room.L = &l.mu
	return l
}

func (l *ledger) Record(f shop.Fact, done func(error)) {
	l.mu.Lock()
	for len(l.owed) >= maxOwed && !l.ends {
		l.room.Wait()
	}
	o := owed{l.next, f}
	l.next++
	if len(l.owed) > 0 && done == nil {
		l.owed = append(l.owed, o)
		l.mu.Unlock()
		return
	}
	l.mu.Unlock()
	l.submit(o, done)
}

func (l *ledger) submit(o owed, done func(error)) {
	written := func(_ uint64, err error) {
		switch {
		case done != nil:
			done(err)
		case err != nil:
			l.owe(o, err)
		}
	}
	e, err := l.safe.entry(o.fact)
	if err == nil {
		e.Done = written
		err = l.journal.Submit(context.Background(), e)
	}
	if err != nil {
		written(0, err)
	}
}

// hopeless reports an error that another try does not mend.
func hopeless(err error) bool {
	return errors.Is(err, journal.ErrRefused) || errors.Is(err, errFact) || errors.Is(err, errBarred)
}

// owe keeps a refused fact in its place: those after it may wait already, while it was still on its way to the disk.
func (l *ledger) owe(o owed, err error) {
	if hopeless(err) {
		if !errors.Is(err, errBarred) {
			l.log.Error("the journal refuses a fact for good", "err", err)
		}
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.owed) == 0 {
		l.log.Error("the disk refuses what happened; it is held in memory", "err", err)
	}
	i, _ := slices.BinarySearchFunc(l.owed, o.ticket, func(x owed, ticket uint64) int { return cmp.Compare(x.ticket, ticket) })
	l.owed = slices.Insert(l.owed, i, o)
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// unblock lets whoever waits for room go on: foyerd is ending.
func (l *ledger) unblock() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ends = true
	l.room.Broadcast()
}

// Run writes what is owed until ctx ends, and then once more.
func (l *ledger) Run(ctx context.Context) error {
	for {
		select {
		case <-l.wake:
		case <-ctx.Done():
			l.settle(context.Background())
			if n := l.Owed(); n > 0 {
				return fmt.Errorf("%d facts could not be written to the journal", n)
			}
			return nil
		}
		for l.settle(ctx) != nil && ctx.Err() == nil {
			select {
			case <-ctx.Done():
			case <-time.After(retryPause):
			}
		}
	}
}

// settle writes what is owed, oldest first, until all is written or the disk refuses again.
func (l *ledger) settle(ctx context.Context) error {
	for {
		l.mu.Lock()
		if len(l.owed) == 0 {
			l.owed = nil
			l.mu.Unlock()
			return nil
		}
		f := l.owed[0].fact
		l.mu.Unlock()
		e, err := l.safe.entry(f)
		if err == nil {
			_, err = l.journal.Append(ctx, e)
		}
		if err != nil && !hopeless(err) {
			return err
		}
		l.mu.Lock()
		l.owed = l.owed[1:]
		l.room.Broadcast()
		if len(l.owed) == 0 {
			l.log.Info("what was held in memory is written")
		}
		l.mu.Unlock()
	}
}

// Owed counts the facts that the disk has not taken yet.
func (l *ledger) Owed() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.owed)
}

// keepPresence stores who is in the shop. What the disk refuses is not held: the next minute brings a newer one.
func (l *ledger) keepPresence(snapshot []byte) {
	done := func(_ uint64, err error) {
		if err != nil {
			l.log.Warn("who is in the shop is not kept for a restart", "err", err)
		}
	}
	sealed, err := l.safe.vault.Seal(l.safe.presenceKeyName(), presenceBucket, snapshot)
	if err == nil {
		err = l.journal.Submit(context.Background(), journal.Entry{Puts: []journal.Put{{Bucket: presenceBucket, Key: presenceKey, Value: sealed}}, Done: done})
	}
	if err != nil {
		done(0, err)
	}
}

// entryOf is a fact's record as it is made, in clear.
func entryOf(f shop.Fact) (journal.Entry, error) {
	kind, body := recordOf(f.Body)
	if kind == "" {
		return journal.Entry{}, nil
	}
	payload, err := wire.EncodeRecord(wire.NewRecord(kind, f.At, body))
	return journal.Entry{Lane: wire.LaneOf(kind), Class: classOf(kind), Payload: payload}, err
}

// recordOf is a fact as it travels.
func recordOf(body shop.Body) (wire.Kind, any) {
	switch b := body.(type) {
	case shop.VisitStarted:
		return wire.VisitStarted, wire.Visit{Visit: b.Visit, Member: string(b.Member), Zone: b.Zone, Nth: b.Nth}
	case shop.VisitEnded:
		return wire.VisitEnded, wire.Visit{Visit: b.Visit, Member: string(b.Member), Zone: b.Zone, Nth: b.Nth, Seconds: seconds(b.Stayed)}
	case shop.GreetingDecided:
		g := wire.Greeting{Visit: b.Visit, Zone: b.Zone, Named: b.Named, Campaign: b.Campaign}
		for _, r := range b.Reasons {
			g.Reasons = append(g.Reasons, wire.Reason{Yes: r.Yes, Code: string(r.Code), About: r.About})
		}
		return wire.GreetingDecided, g
	case shop.CardClaimed:
		return wire.CardClaimed, attended(shop.Attended(b))
	case shop.CardReleased:
		return wire.CardReleased, attended(shop.Attended(b))
	case shop.CardServed:
		return wire.CardServed, attended(shop.Attended(b))
	case shop.KioskUsed:
		return wire.KioskUsed, wire.Session{Visit: b.Visit, Language: b.Language, Seconds: seconds(b.Used), Taps: b.Taps, End: b.End}
	case shop.DemoTried:
		kind := wire.DemoFinished
		if b.Reward != "" {
			kind = wire.RewardEarned
		}
		return kind, wire.Tried{Visit: b.Visit, Language: b.Language, Pack: b.Pack, Version: b.Version, Seconds: seconds(b.Took), Score: b.Score,
			End: b.End, Reward: b.Reward}
	case shop.StrangersPassed:
		return wire.StrangersPassed, wire.Strangers{Zone: b.Zone, Count: b.Count}
	case shop.ReaderChanged:
		return wire.ReaderChanged, wire.Reader{Reader: b.Reader, Online: b.Online, Why: b.Why}
	}
	return tagRecordOf(body)
}

func attended(a shop.Attended) wire.Reception {
	return wire.Reception{Visit: a.Visit, By: a.By, WaitedSeconds: seconds(a.Waited)}
}

func seconds(d time.Duration) int { return int(d.Round(time.Second) / time.Second) }
