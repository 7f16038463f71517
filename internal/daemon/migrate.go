package daemon

import (
	"context"
	"encoding/json"
	"fmt"

	"foyer/shop/binding"
	"foyer/shop/visit"
	"foyer/sync/journal"
	"foyer/sync/vault"
	"foyer/sync/wire"
)

const (
	putsAtOnce = 200

	// sealedBucket holds sealedKey once no record from before there was a vault is left in clear.
	sealedBucket = "vault"
	sealedKey    = "records"
)

// migrateState seals what was kept in clear before there was a vault. It has to be over before the shop runs, which writes the same.
func (s *safe) migrateState(ctx context.Context) error {
	var puts []journal.Put
	for bucket, again := range map[string]func(value []byte) (journal.Put, error){historyBucket: s.sealHistory, markBucket: s.sealMark, presenceBucket: s.sealPresence} {
		values, err := s.journal.State(bucket)
		if err != nil {
			return err
		}
		for key, value := range values {
			if vault.Sealed(value) {
				continue
			}
			put, err := again(value)
			if err != nil {
				return err
			}
			if put.Key != key {
				puts = append(puts, journal.Put{Bucket: bucket, Key: key})
			}
			if put.Key != "" {
				puts = append(puts, put)
			}
		}
	}
	return s.putAll(ctx, puts)
}

// What cannot be read is let go: no key in the put.
func (s *safe) sealHistory(value []byte) (journal.Put, error) {
	var h visit.History
	if json.Unmarshal(value, &h) != nil || h.Member == "" {
		return journal.Put{}, nil
	}
	return s.put(historyBucket, string(h.Member), string(h.Member), nil, h)
}

func (s *safe) sealMark(value []byte) (journal.Put, error) {
	var m binding.Mark
	if json.Unmarshal(value, &m) != nil {
		return journal.Put{}, nil
	}
	return s.put(markBucket, ownerOf(m.Member), tagsOwner, m.Tag[:], m)
}

func (s *safe) sealPresence(value []byte) (journal.Put, error) {
	sealed, err := s.vault.Seal(s.presenceKeyName(), presenceBucket, value)
	return journal.Put{Bucket: presenceBucket, Key: presenceKey, Value: sealed}, err
}

// migrateRecords seals the records that were journalled in clear before there was a vault, and reports whether there were any.
func (s *safe) migrateRecords(ctx context.Context) (some bool, err error) {
	state, err := s.journal.State(sealedBucket)
	if err != nil || state[sealedKey] != nil {
		return false, err
	}
	m := whoCame{}
	if err := m.learn(s); err != nil {
		return false, err
	}
	for _, lane := range []string{wire.MainLane, wire.CaseLane, wire.CountLane} { // visits first: the others may tell of them
		sealed, err := s.migrateLane(ctx, lane, m)
		some = some || sealed
		if err != nil {
			return some, err
		}
	}
	_, err = s.journal.Append(ctx, journal.Entry{Puts: []journal.Put{{Bucket: sealedBucket, Key: sealedKey, Value: []byte("sealed")}}})
	return some, err
}

func (s *safe) migrateLane(ctx context.Context, lane string, m whoCame) (some bool, err error) {
	for next, last := uint64(1), s.journal.Last(lane); next <= last; {
		records, err := s.journal.Read(lane, next, journal.MaxRead, 1<<20)
		if err != nil || len(records) == 0 {
			return some, err
		}
		next = records[len(records)-1].Seq + 1
		clear := records[:0]
		for _, r := range records {
			of := m.of(r.Payload)
			if of == "" {
				continue
			}
			if s.isBarred(of) {
				r.Payload = lost(wire.LostErased)
			} else if r.Payload, err = s.vault.Seal(string(of), recordPurpose, r.Payload); err != nil {
				return some, err
			}
			clear = append(clear, r)
		}
		some = some || len(clear) > 0
		if err := s.journal.Replace(ctx, lane, clear); err != nil {
			return some, fmt.Errorf("seal records of lane %s: %w", lane, err)
		}
	}
	return some, nil
}
