package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"foyer/shop/member"
	"foyer/sync/journal"
	"foyer/sync/uplink"
	"foyer/sync/wire"
)

// shredPause is how often it is looked for keys that may go, and how soon what failed is tried again.
const shredPause = time.Minute

const (
	// erasuresBucket holds doneKey: the number up to which headquarters' erasures are done here.
	erasuresBucket = "erasures"
	doneKey        = "done"
)

// shredder erases keys of persons, and what is left of them: of those whom headquarters erased at once, of those who are no members
// any more when their last record has left the journal.
type shredder struct {
	safe    *safe
	journal *journal.Journal
	people  *crowd
	list    interface {
		Renew(ctx context.Context, erased func(member.ID) bool) error
	} // the members that are kept; nil without headquarters
	log  *slog.Logger
	wake chan struct{}

	mu    sync.Mutex
	order wire.ErasuresBody // headquarters' last word

	// Run's own.
	compact bool   // the journal's file is to be made anew
	old     bool   // records from before there was a vault may be in clear
	done    uint64 // number of the last erasure that is done
}

func newShredder(kept *safe, people *crowd, log *slog.Logger) (*shredder, error) {
	d := &shredder{safe: kept, journal: kept.journal, people: people, log: log, wake: make(chan struct{}, 1), old: true}
	people.safe, people.changed = kept, d.look
	state, err := d.journal.State(erasuresBucket)
	if err == nil && state[doneKey] != nil {
		d.done, err = strconv.ParseUint(string(state[doneKey]), 10, 64)
	}
	if err != nil {
		return nil, fmt.Errorf("read which erasures are done: %w", err)
	}
	return d, nil
}

// told takes headquarters' word on who was erased: from now on nothing is written of them.
func (s *shredder) told(snapshot wire.Snapshot) error {
	order, err := snapshot.Erasures()
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.order = order
	s.mu.Unlock()
	s.safe.bar(order.Match(0))
	s.look()
	return nil
}

// look makes Run look what is to be done.
func (s *shredder) look() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Run works until ctx ends.
func (s *shredder) Run(ctx context.Context) error {
	tick := time.NewTicker(shredPause)
	defer tick.Stop()
	for {
		if err := s.work(ctx); err != nil && ctx.Err() == nil && !errors.Is(err, journal.ErrStopped) {
			s.log.Error("what is to be erased is not yet; it is tried again", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-s.wake:
		case <-tick.C:
		}
	}
}

// erase does what headquarters ordered. Each step may be done again: a crash begins anew with the first.
func (s *shredder) erase(ctx context.Context) error {
	s.mu.Lock()
	order := s.order
	s.mu.Unlock()
	match := order.Match(s.done)
	if match == nil || s.list == nil {
		return nil
	}
	clean, err := s.people.strike()
	if err != nil {
		return err
	}
	n, err := s.safe.erase(match)
	if err != nil {
		return err
	}
	s.compact = s.compact || n > 0
	if err := s.eraseInShop(ctx, match); err != nil || !clean {
		return err // the new list of members is on its way, and wakes
	}
	if err := s.list.Renew(ctx, func(id member.ID) bool { return match(string(id)) }); err != nil {
		return err
	}
	if err := s.safe.vault.Rotate(); err != nil {
		return err
	}
	if s.compact { // what is left is sealed, and opens no more; it goes all the same
		if err := s.journal.Compact(ctx); err != nil {
			return err
		}
		s.compact = false
	}
	for _, number := range order.Above(s.done) {
		if err := s.confirm(ctx, number); err != nil {
			return err
		}
		s.log.Info("a member whom headquarters erased is erased here", "erasure", number)
	}
	return nil
}

// eraseInShop takes them off what the shop holds, and off what is kept of it.
func (s *shredder) eraseInShop(ctx context.Context, match func(string) bool) error {
	s.safe.changePresenceKey()
	if err := s.people.shop.Erase(ctx, func(id member.ID) bool { return match(string(id)) }); err != nil {
		return err
	}
	if _, err := s.journal.Append(ctx, journal.Entry{}); err != nil { // what the shop wrote is on the disk
		return err
	}
	now := s.safe.presenceKeyName()
	if _, err := s.safe.erase(func(name string) bool { return isPresence(name) && name != now }); err != nil {
		return err
	}
	return s.safe.sweep(ctx)
}

// confirm tells headquarters that nothing is left of one.
func (s *shredder) confirm(ctx context.Context, number uint64) error {
	payload, err := wire.EncodeRecord(wire.NewRecord(wire.MemberErased, now(), wire.EraseReceipt{Erasure: number}))
	if err == nil {
		_, err = s.journal.Append(ctx, journal.Entry{Lane: wire.LaneOf(wire.MemberErased), Payload: payload,
			Puts: []journal.Put{{Bucket: erasuresBucket, Key: doneKey, Value: strconv.AppendUint(nil, number, 10)}}})
	}
	if err == nil {
		s.done = number
	}
	return err
}

func (s *shredder) work(ctx context.Context) error {
	if s.old {
		if err := s.sealOld(ctx); err != nil {
			return err
		}
	}
	if err := s.erase(ctx); err != nil {
		return err
	}
	if err := s.letGo(ctx); err != nil {
		return err
	}
	if s.safe.vault.Due() {
		return s.safe.vault.Rotate()
	}
	return nil
}

// sealOld seals the records that were kept in clear, and makes the file anew without their old bytes.
func (s *shredder) sealOld(ctx context.Context) error {
	some, err := s.safe.migrateRecords(ctx)
	if err != nil {
		return err
	}
	s.old = false
	if !some {
		return nil
	}
	s.log.Info("records from before are sealed now")
	return s.journal.Compact(ctx)
}

// letGo erases the keys of those of whom no record is left in the journal.
func (s *shredder) letGo(ctx context.Context) error {
	var gone []member.ID
	for _, r := range s.safe.retiredNow() {
		switch {
		case r.Upto == nil:
			r.Upto = map[string]uint64{}
			for _, lane := range wire.Lanes {
				r.Upto[lane] = s.journal.Last(lane)
			}
			if err := s.safe.noteRetired(ctx, r); err != nil {
				return err
			}
		case s.past(r.Upto):
			gone = append(gone, r.Member)
		}
	}
	if len(gone) == 0 {
		return nil
	}
	return s.safe.eraseRetired(ctx, gone)
}

// past reports whether every record up to here has left the journal: headquarters has it, and it was kept long enough.
func (s *shredder) past(upto map[string]uint64) bool {
	for lane, last := range upto {
		if s.journal.Cursor(lane, uplink.KeptCursor) < last {
			return false
		}
	}
	return true
}
