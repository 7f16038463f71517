package daemon

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"foyer/shop"
	"foyer/shop/binding"
	"foyer/shop/member"
	"foyer/shop/visit"
	"foyer/sync/journal"
	"foyer/sync/vault"
	"foyer/sync/wire"
)

// The buckets of the journal's state. What is of a person is sealed with their key, under names that tell nobody whose it is.
const (
	historyBucket  = "history"  // a visit.History each
	markBucket     = "tags"     // a binding.Mark each
	presenceBucket = "presence" // presenceKey -> who is in the shop, as shop.Config.Presence
	presenceKey    = "inside"
	retiredBucket  = "retired"  // a retired each
	profileBucket  = "profiles" // path -> the last good form of a reader's profile; nobody's
)

// What records are sealed for. What is sealed for a bucket is so under its name.
const recordPurpose = "record"

// Keys in the vault that are not a member's: no member's id begins so.
const (
	tagsOwner     = "\x00tags"      // names the places of tags
	presenceOwner = "\x00presence." // and a random word: of all who are in the shop; another one after each erasure
)

// errBarred is what becomes of a fact about somebody who was erased.
var errBarred = errors.New("the member was erased")

// safe seals what the journal keeps of persons, and opens it again.
type safe struct {
	vault   *vault.Vault
	journal *journal.Journal
	log     *slog.Logger

	gate sync.RWMutex // held for reading while a fact is sealed, for writing while keys are erased: no fact is sealed with a key that goes

	mu      sync.Mutex
	barred  func(member string) bool // who was erased gets no new key; nil: nobody was
	inShop  string                   // the name of the key of who is in the shop
	retired map[member.ID]*retired
}

// retired is a member of whom nothing is kept any more but records, which keep their key until they have left the journal.
type retired struct {
	Member member.ID         `json:"member"`
	Upto   map[string]uint64 `json:"upto,omitempty"` // by lane: the last record that may be theirs; nil: not known yet
}

const (
	vaultFile  = "persons.keys"
	boxFile    = "box.key"
	credential = "foyer-box-key"
)

// openVault opens the keys of persons. One that is damaged goes aside: the store goes on without what was sealed by it.
func (c *Config) openVault(log *slog.Logger) (*vault.Vault, error) {
	path := filepath.Join(c.Data, vaultFile)
	boxes, err := c.boxes(path)
	if err != nil {
		return nil, err
	}
	v, err := vault.Open(path, log, boxes...)
	switch {
	case errors.Is(err, vault.ErrWrongBox):
		return nil, fmt.Errorf("%w: %s is not the key that it was made with; put that back, or move %s away: then nothing that is kept of "+
			"members can be read, and they come back from headquarters", err, boxes[0].From, path)
	case !errors.Is(err, vault.ErrDamaged):
		if err == nil && len(boxes) > 1 {
			err = vault.EraseFile(boxes[1].From) // the key is elsewhere now
		}
		return v, err
	}
	aside := path + ".damaged-" + now().UTC().Format("20060102T150405Z")
	log.Error("the keys of persons are damaged and were put aside; what was sealed with them cannot be read any more", "file", aside, "err", err)
	if err := os.Rename(path, aside); err != nil {
		return nil, err
	}
	return vault.Open(path, log, boxes...)
}

// boxes are the box key to use and, where it was put elsewhere, the one of before.
func (c *Config) boxes(path string) ([]vault.Box, error) {
	own := filepath.Join(c.Data, boxFile)
	first := c.BoxKeyFile
	if given := os.Getenv("CREDENTIALS_DIRECTORY"); first == "" && given != "" { // systemd.exec(5), LoadCredential=
		if _, err := os.Stat(filepath.Join(given, credential)); err == nil {
			first = filepath.Join(given, credential)
		}
	}
	if first == "" {
		first = own
	}
	box, err := vault.ReadBox(first)
	if errors.Is(err, fs.ErrNotExist) {
		if _, there := os.Stat(path); there == nil {
			return nil, fmt.Errorf("%w: the keys of persons in %s open with it alone; put it back, or move them away", err, path)
		}
		box, err = vault.MakeBox(first)
	}
	if err != nil {
		return nil, err
	}
	all := []vault.Box{box}
	if first != own {
		if before, err := vault.ReadBox(own); err == nil {
			all = append(all, before)
		}
	}
	return all, nil
}

// bar says who gets no new key.
func (s *safe) bar(barred func(string) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.barred = barred
}

// whoIsBarred tells who was erased; nil: nobody was.
func (s *safe) whoIsBarred() func(string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.barred
}

func (s *safe) isBarred(of member.ID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.barred != nil && of != "" && !s.vault.Has(string(of)) && s.barred(string(of))
}

// entry is a fact as the journal keeps it: the record, and the member's history in the same moment. Its error is errBarred, the
// disk's, or a programmer's (errFact).
func (s *safe) entry(f shop.Fact) (journal.Entry, error) {
	e, err := entryOf(f)
	if err != nil {
		return e, fmt.Errorf("%w: %w", errFact, err)
	}
	s.gate.RLock()
	defer s.gate.RUnlock()
	if s.isBarred(f.Of) {
		return e, errBarred
	}
	if e.Payload != nil && f.Of != "" {
		if e.Payload, err = s.vault.Seal(string(f.Of), recordPurpose, e.Payload); err != nil {
			return e, err
		}
	}
	puts, err := s.stateOf(f)
	e.Puts = puts
	return e, err
}

// errFact is a fact that cannot be encoded.
var errFact = errors.New("a fact cannot be recorded")

// stateOf is what the journal is to keep, or let go, with a fact.
func (s *safe) stateOf(f shop.Fact) ([]journal.Put, error) {
	var puts []journal.Put
	if f.State != nil {
		put, err := s.put(historyBucket, string(f.State.Member), string(f.State.Member), nil, f.State)
		if err != nil {
			return nil, err
		}
		puts = append(puts, put)
		puts = s.comeBack(puts, f.State.Member)
	}
	switch b := f.Body.(type) {
	case shop.TagChanged:
		return s.marksOf(puts, b.Marks)
	case shop.TagsDisowned:
		return s.marksOf(puts, b.Marks)
	case shop.TagsSettled:
		for _, id := range b.Tags {
			name, err := s.vault.Name(tagsOwner, markBucket, id[:])
			if err != nil {
				return nil, err
			}
			puts = append(puts, journal.Put{Bucket: markBucket, Key: name})
		}
	case shop.MembersForgotten:
		return s.retire(puts, b.Members)
	}
	fresh, err := s.newcomerPuts(f.Body)
	return append(puts, fresh...), err
}

func (s *safe) marksOf(puts []journal.Put, marks []binding.Mark) ([]journal.Put, error) {
	for _, m := range marks {
		put, err := s.put(markBucket, ownerOf(m.Member), tagsOwner, m.Tag[:], m)
		if err != nil {
			return nil, err
		}
		puts = append(puts, put)
	}
	return puts, nil
}

// ownerOf is whose key seals a mark: one that is nobody's is the store's own.
func ownerOf(who member.ID) string { return cmp.Or(string(who), tagsOwner) }

// put seals a value with a key, in a place named by a key.
func (s *safe) put(bucket, owner, namer string, thing []byte, value any) (journal.Put, error) {
	data, err := json.Marshal(value)
	if err != nil {
		return journal.Put{}, fmt.Errorf("%w: %w", errFact, err)
	}
	name, err := s.vault.Name(namer, bucket, thing)
	if err != nil {
		return journal.Put{}, err
	}
	sealed, err := s.vault.Seal(owner, bucket, data)
	return journal.Put{Bucket: bucket, Key: name, Value: sealed}, err
}

// retire lets go of members' histories. Their keys stay for as long as a record may need them.
func (s *safe) retire(puts []journal.Put, who []member.ID) ([]journal.Put, error) {
	for _, m := range who {
		if !s.vault.Has(string(m)) {
			continue
		}
		name, err := s.vault.Name(string(m), historyBucket, nil)
		if err != nil {
			return nil, err
		}
		r := &retired{Member: m}
		put, err := s.put(retiredBucket, string(m), string(m), nil, r)
		if err != nil {
			return nil, err
		}
		puts = append(puts, journal.Put{Bucket: historyBucket, Key: name}, put)
		s.mu.Lock()
		s.retired[m] = r
		s.mu.Unlock()
	}
	return puts, nil
}

// comeBack is for who was retired and is here again.
func (s *safe) comeBack(puts []journal.Put, who member.ID) []journal.Put {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.retired[who] == nil {
		return puts
	}
	name, err := s.vault.Name(string(who), retiredBucket, nil)
	if err != nil {
		return puts
	}
	delete(s.retired, who)
	return append(puts, journal.Put{Bucket: retiredBucket, Key: name})
}

// retiredNow copies who is retired.
func (s *safe) retiredNow() []retired {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []retired
	for _, r := range s.retired {
		all = append(all, *r)
	}
	return all
}

// noteRetired keeps up to where a retired member's records go, unless they have come back.
func (s *safe) noteRetired(ctx context.Context, r retired) error {
	s.mu.Lock()
	now := s.retired[r.Member]
	if now != nil {
		now.Upto = r.Upto
	}
	s.mu.Unlock()
	if now == nil {
		return nil
	}
	put, err := s.put(retiredBucket, string(r.Member), string(r.Member), nil, r)
	if err != nil {
		return err
	}
	_, err = s.journal.Append(ctx, journal.Entry{Puts: []journal.Put{put}})
	return err
}

// eraseRetired erases the keys of retired members, and what told of them.
func (s *safe) eraseRetired(ctx context.Context, who []member.ID) error {
	if err := s.eraseIfStill(who); err != nil {
		return err
	}
	return s.sweep(ctx)
}

func (s *safe) eraseIfStill(who []member.ID) error {
	s.gate.Lock()
	defer s.gate.Unlock()
	gone := map[string]bool{}
	s.mu.Lock()
	for _, m := range who {
		if s.retired[m] != nil { // has not come back meanwhile
			gone[string(m)] = true
		}
	}
	s.mu.Unlock()
	if _, err := s.vault.Erase(func(name string) bool { return gone[name] }); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for m := range gone {
		delete(s.retired, member.ID(m))
	}
	return nil
}

// sweep lets go of what cannot be opened any more.
func (s *safe) sweep(ctx context.Context) error {
	var puts []journal.Put
	for _, bucket := range []string{historyBucket, markBucket, presenceBucket, retiredBucket, newcomerBucket} {
		_, broken, err := s.read(bucket)
		if err != nil {
			return err
		}
		for _, key := range broken {
			puts = append(puts, journal.Put{Bucket: bucket, Key: key})
		}
	}
	return s.putAll(ctx, puts)
}

// putAll writes many puts, some at a time.
func (s *safe) putAll(ctx context.Context, puts []journal.Put) error {
	for len(puts) > 0 {
		n := min(len(puts), putsAtOnce)
		if _, err := s.journal.Append(ctx, journal.Entry{Puts: puts[:n]}); err != nil {
			return fmt.Errorf("change what is kept of persons: %w", err)
		}
		puts = puts[n:]
	}
	return nil
}

// open is uplink.Config.Open: a record as it was made, or what stands for one whose person was erased.
func (s *safe) open(kept []byte) []byte {
	if !vault.Sealed(kept) {
		return kept
	}
	plain, err := s.vault.Open(recordPurpose, kept)
	switch {
	case errors.Is(err, vault.ErrErased):
		return lost(wire.LostErased)
	case err != nil:
		return lost(wire.LostDamaged)
	}
	return plain
}

// read is a bucket's values, opened. What cannot be opened is nobody's any more: broken lists its keys. Values from before there
// was a vault are given as they are.
func (s *safe) read(bucket string) (values map[string][]byte, broken []string, err error) {
	values, err = s.journal.State(bucket)
	if err != nil {
		return nil, nil, err
	}
	for key, value := range values {
		if !vault.Sealed(value) {
			continue
		}
		if values[key], err = s.vault.Open(bucket, value); err != nil {
			if !errors.Is(err, vault.ErrErased) {
				s.log.Warn("a part of what is kept is damaged and is forgotten", "bucket", bucket, "err", err)
			}
			delete(values, key)
			broken = append(broken, key)
		}
	}
	return values, broken, nil
}

// readAll decodes a bucket's values.
func readAll[T any](s *safe, bucket string) (map[string]T, error) {
	values, _, err := s.read(bucket)
	if err != nil {
		return nil, fmt.Errorf("read what is kept: %w", err)
	}
	all := make(map[string]T, len(values))
	for key, value := range values {
		var one T
		if err := json.Unmarshal(value, &one); err != nil {
			s.log.Warn("a part of what is kept cannot be read and starts anew", "bucket", bucket, "err", err)
			continue
		}
		all[key] = one
	}
	return all, nil
}

func valuesOf[T any](s *safe, bucket string) ([]T, error) {
	all, err := readAll[T](s, bucket)
	var out []T
	for one := range maps.Values(all) {
		out = append(out, one)
	}
	return out, err
}

// histories are the members' visits so far.
func (s *safe) histories() ([]visit.History, error) { return valuesOf[visit.History](s, historyBucket) }

// marks are what staff changed of the tags.
func (s *safe) marks() ([]binding.Mark, error) { return valuesOf[binding.Mark](s, markBucket) }

// inside is what keepPresence stored last, or nothing.
func (s *safe) inside() []byte {
	values, _, err := s.read(presenceBucket)
	if err != nil {
		s.log.Warn("who was in the shop cannot be read", "err", err)
	}
	return values[presenceKey]
}

// loadRetired reads who was retired.
func (s *safe) loadRetired() error {
	all, err := valuesOf[retired](s, retiredBucket)
	s.retired = map[member.ID]*retired{}
	for _, r := range all {
		s.retired[r.Member] = &r
	}
	return err
}

func newSafe(v *vault.Vault, j *journal.Journal, log *slog.Logger) (*safe, error) {
	s := &safe{vault: v, journal: j, log: log}
	return s, s.loadRetired()
}

func isPresence(name string) bool { return strings.HasPrefix(name, presenceOwner) }

// presenceKeyName is the name of the key that seals who is in the shop now.
func (s *safe) presenceKeyName() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.inShop == "" {
		s.inShop = presenceOwner + rand.Text()
		for _, name := range s.vault.Find(isPresence) {
			s.inShop = name
		}
	}
	return s.inShop
}

// changePresenceKey makes the next word on who is in the shop sealed with another key.
func (s *safe) changePresenceKey() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inShop = presenceOwner + rand.Text()
}

// erase erases the keys of those whom match names, and returns how many there were.
func (s *safe) erase(match func(name string) bool) (int, error) {
	s.gate.Lock()
	defer s.gate.Unlock()
	n, err := s.vault.Erase(match)
	s.mu.Lock()
	defer s.mu.Unlock()
	for who := range s.retired {
		if err == nil && match(string(who)) {
			delete(s.retired, who)
		}
	}
	return n, err
}

// lost is a record in place of one that is not to be had.
func lost(why string) []byte {
	payload, err := wire.EncodeRecord(wire.NewRecord(wire.RecordLost, now(), wire.Lost{Why: why}))
	if err != nil {
		panic(err) // a programmer's error: a marker is short
	}
	return payload
}
