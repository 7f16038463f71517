package daemon

import (
	"cmp"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"foyer/shop"
	"foyer/shop/binding"
	"foyer/shop/visit"
	"foyer/sync/journal"
	"foyer/sync/wire"
)

const (
	historyBucket = "history" // member -> visit.History, in the journal's state
	markBucket    = "tags"    // tag's hash -> binding.Mark, likewise

	profileBucket = "profiles" // path -> the last good form of a reader's profile

	presenceBucket = "presence" // presenceKey -> who is in the shop, as shop.Config.Presence
	presenceKey    = "inside"
	maxOwed        = 20_000 // facts held while the disk refuses: some ten megabytes
	retryPause     = time.Second
)

// ledger writes the shop's facts into the journal, in order. It is shop.Ledger. A fact that the disk refuses is held in
// memory and written as soon as the disk takes it; a fact that somebody waits for is refused to them at once instead.
type ledger struct {
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
	entry  journal.Entry
}

func newLedger(j *journal.Journal, log *slog.Logger) *ledger {
	l := &ledger{journal: j, log: log, wake: make(chan struct{}, 1)}
	l.room.L = &l.mu
	return l
}

func (l *ledger) Record(f shop.Fact, done func(error)) {
	e, err := entryOf(f)
	if err != nil { // a programmer's error: facts always encode
		l.log.Error("a fact is not recorded", "err", err)
		if done != nil {
			done(err)
		}
		return
	}
	l.mu.Lock()
	for len(l.owed) >= maxOwed && !l.ends {
		l.room.Wait()
	}
	ticket := l.next
	l.next++
	if len(l.owed) > 0 && done == nil {
		l.owed = append(l.owed, owed{ticket, e})
		l.mu.Unlock()
		return
	}
	l.mu.Unlock()
	l.submit(ticket, e, done)
}

func (l *ledger) submit(ticket uint64, e journal.Entry, done func(error)) {
	kept := owed{ticket, e}
	e.Done = func(_ uint64, err error) {
		switch {
		case done != nil:
			done(err)
		case err != nil:
			l.owe(kept, err)
		}
	}
	if err := l.journal.Submit(context.Background(), e); err != nil {
		e.Done(0, err)
	}
}

// owe keeps a refused fact in its place: those after it may wait already, while it was still on its way to the disk.
func (l *ledger) owe(o owed, err error) {
	if errors.Is(err, journal.ErrRefused) {
		l.log.Error("the journal refuses a fact for good", "err", err)
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
		e := l.owed[0].entry
		l.mu.Unlock()
		if _, err := l.journal.Append(ctx, e); err != nil && !errors.Is(err, journal.ErrRefused) {
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
	e := journal.Entry{Puts: []journal.Put{{Bucket: presenceBucket, Key: presenceKey, Value: snapshot}}, Done: func(_ uint64, err error) {
		if err != nil {
			l.log.Warn("who is in the shop is not kept for a restart", "err", err)
		}
	}}
	if err := l.journal.Submit(context.Background(), e); err != nil {
		e.Done(0, err)
	}
}

// entryOf is a fact as the journal keeps it: the record, and the member's history in the same moment.
func entryOf(f shop.Fact) (journal.Entry, error) {
	e := journal.Entry{}
	if kind, body := recordOf(f.Body); kind != "" {
		payload, err := wire.EncodeRecord(wire.NewRecord(kind, f.At, body))
		if err != nil {
			return e, err
		}
		e.Lane, e.Class, e.Payload = wire.LaneOf(kind), classOf(kind), payload
	}
	if f.State != nil {
		value, err := json.Marshal(f.State)
		if err != nil {
			return e, err
		}
		e.Puts = []journal.Put{{Bucket: historyBucket, Key: string(f.State.Member), Value: value}}
	}
	marks, err := marksOf(f.Body)
	e.Puts = append(e.Puts, marks...)
	return e, err
}

// marksOf is what the journal keeps, or lets go, of the store's tags and of who is no member any more.
func marksOf(body shop.Body) ([]journal.Put, error) {
	var puts []journal.Put
	switch b := body.(type) {
	case shop.TagChanged:
		for _, m := range b.Marks {
			value, err := json.Marshal(m)
			if err != nil {
				return nil, err
			}
			puts = append(puts, journal.Put{Bucket: markBucket, Key: hex.EncodeToString(m.Tag[:]), Value: value})
		}
	case shop.TagsSettled:
		for _, id := range b.Tags {
			puts = append(puts, journal.Put{Bucket: markBucket, Key: hex.EncodeToString(id[:])})
		}
	case shop.MembersForgotten:
		for _, who := range b.Members {
			puts = append(puts, journal.Put{Bucket: historyBucket, Key: string(who)})
		}
	}
	return puts, nil
}

// marks reads back what was stored of the store's tags.
func marks(j *journal.Journal, log *slog.Logger) ([]binding.Mark, error) {
	state, err := j.State(markBucket)
	if err != nil {
		return nil, fmt.Errorf("read the tags' changes so far: %w", err)
	}
	var all []binding.Mark
	for _, value := range state {
		var m binding.Mark
		if err := json.Unmarshal(value, &m); err != nil {
			log.Warn("one change of a tag cannot be read and is forgotten", "err", err)
			continue
		}
		all = append(all, m)
	}
	return all, nil
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

// histories reads back what was stored with the facts.
// inside is what keepPresence stored last, or nothing.
func inside(j *journal.Journal, log *slog.Logger) []byte {
	state, err := j.State(presenceBucket)
	if err != nil {
		log.Warn("who was in the shop cannot be read", "err", err)
	}
	return state[presenceKey]
}

func histories(j *journal.Journal, log *slog.Logger) ([]visit.History, error) {
	state, err := j.State(historyBucket)
	if err != nil {
		return nil, fmt.Errorf("read the visits so far: %w", err)
	}
	var all []visit.History
	for _, value := range state {
		var h visit.History
		if err := json.Unmarshal(value, &h); err != nil {
			log.Warn("one member's visits so far cannot be read and start anew", "err", err)
			continue
		}
		all = append(all, h)
	}
	return all, nil
}
