package daemon

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"foyer/shop/member"
	"foyer/sync/journal"
	"foyer/sync/uplink"
	"foyer/sync/wire"
)

// shredPause is how often it is looked for keys that may go, and how soon what failed is tried again.
const shredPause = time.Minute

// shredder erases keys of persons, and what is left of them.
type shredder struct {
	safe    *safe
	journal *journal.Journal
	log     *slog.Logger
	old     bool // records from before there was a vault may be in clear
}

func newShredder(s *safe, log *slog.Logger) *shredder {
	return &shredder{safe: s, journal: s.journal, log: log, old: true}
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
		case <-tick.C:
		}
	}
}

func (s *shredder) work(ctx context.Context) error {
	if s.old {
		if err := s.sealOld(ctx); err != nil {
			return err
		}
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
