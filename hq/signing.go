package hq

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"foyer/hq/store"
	"foyer/sync/wire"
)

// nextFile is the signing key that stores are told of before it signs anything.
const nextFile = "signing.next.key"

// Changing the signing key takes three steps, and stores trust two keys meanwhile:
//
//	next    a new key is made; its public half goes to the stores (at most a day) beside the one of now
//	switch  the new key signs, and everything is signed anew; the old private key is gone
//	drop    stores no longer trust the old key
//
// A running headquarters notices each within two seconds.

// SigningKey is one that stores are to trust.
type SigningKey struct {
	ID    string
	State string // "signs", "next", "old"
}

// SigningKeys lists the keys that stores are to trust, the one that signs first.
func SigningKeys(dir string) ([]SigningKey, error) {
	states := map[string]string{}
	for file, state := range map[string]string{signingFile: "signs", nextFile: "next"} {
		id, err := keyIn(filepath.Join(dir, file))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		states[id] = state
	}
	trusted, err := readTrusted(dir)
	if err != nil {
		return nil, err
	}
	var all []SigningKey
	for id := range trusted {
		state := states[id]
		if state == "" {
			state = "old"
		}
		all = append(all, SigningKey{id, state})
	}
	order := []string{"signs", "next", "old"}
	slices.SortFunc(all, func(a, b SigningKey) int {
		if a.State != b.State {
			return slices.Index(order, a.State) - slices.Index(order, b.State)
		}
		return strings.Compare(a.ID, b.ID)
	})
	return all, nil
}

func keyIn(path string) (id string, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	key, err := wire.ParsePrivateKey(string(text))
	if err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	return wire.KeyID(key.Public().(ed25519.PublicKey)), nil
}

// NextSigningKey makes the next key.
func NextSigningKey(dir string) (id string, err error) {
	path := filepath.Join(dir, nextFile)
	if _, err := os.Stat(path); err == nil {
		return "", errors.New("there is a next signing key already: switch to it first")
	}
	public, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		return "", err
	}
	// The private half first: a key that stores trust and nobody has would only be untidy, but this way there is none.
	if err := ReplaceFile(path, wire.FormatPrivateKey(key), 0o600); err != nil {
		return "", err
	}
	return wire.KeyID(public), trust(dir, public)
}

// SwitchSigningKey makes the next key the one that signs.
func SwitchSigningKey(dir string) (id string, err error) {
	id, err = keyIn(filepath.Join(dir, nextFile))
	if errors.Is(err, fs.ErrNotExist) {
		return "", errors.New("there is no next signing key: make one first, and give the stores a day to hear of it")
	}
	if err != nil {
		return "", err
	}
	trusted, err := readTrusted(dir)
	if err != nil {
		return "", err
	}
	if _, ok := trusted[id]; !ok {
		return "", fmt.Errorf("the next key %s is not in %s, so no store knows it", id, publicFile)
	}
	return id, os.Rename(filepath.Join(dir, nextFile), filepath.Join(dir, signingFile))
}

// DropSigningKey takes an old key out of what stores are to trust.
func DropSigningKey(dir, id string) error {
	all, err := SigningKeys(dir)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(all, func(k SigningKey) bool { return k.ID == id })
	if i < 0 {
		return fmt.Errorf("no key %.40q: foyer-hq signing list tells them", id)
	}
	if all[i].State != "old" {
		return fmt.Errorf("key %s is in use (%s): only an old one can be dropped", id, all[i].State)
	}
	trusted, err := readTrusted(dir)
	if err != nil {
		return err
	}
	delete(trusted, id)
	return writeTrusted(dir, trusted)
}

func readTrusted(dir string) (map[string]ed25519.PublicKey, error) {
	text, err := os.ReadFile(filepath.Join(dir, publicFile))
	if err != nil {
		return nil, err
	}
	return wire.ParsePublicKeys(string(text))
}

func writeTrusted(dir string, keys map[string]ed25519.PublicKey) error {
	var text strings.Builder
	for _, id := range slices.Sorted(maps.Keys(keys)) {
		text.WriteString(wire.FormatPublicKey(keys[id]))
	}
	return ReplaceFile(filepath.Join(dir, publicFile), text.String(), 0o644)
}

// trust adds a key to those that stores are to trust.
func trust(dir string, key ed25519.PublicKey) error {
	keys, err := readTrusted(dir)
	if err != nil {
		keys = map[string]ed25519.PublicKey{} // the first start, or a file that a person broke: the key that signs is what matters
	}
	if _, ok := keys[wire.KeyID(key)]; ok {
		return nil
	}
	keys[wire.KeyID(key)] = key
	return writeTrusted(dir, keys)
}

// signingNow is the key that signs.
func (h *HQ) signingNow() signer { return *h.signer.Load() }

// reloadSigner takes a key over that a command switched to, and has everything signed anew.
func (h *HQ) reloadSigner() error {
	id, err := keyIn(filepath.Join(h.cfg.Dir, signingFile))
	if err != nil || id == h.signingNow().id {
		return err
	}
	s, err := openSigner(h.cfg.Dir)
	if err != nil {
		return err
	}
	h.signer.Store(&s)
	h.cfg.Log.Info("another key signs now", "key", s.id)
	poke(h.kick)
	return nil
}

// BehindSigning lists the stores that have not yet applied the newest snapshots, or all stores while those are still signed
// with the key id.
func BehindSigning(ctx context.Context, db *store.DB, id string) ([]string, error) {
	shops, err := db.Shops(ctx)
	if err != nil {
		return nil, err
	}
	answers, err := db.Answers(ctx)
	if err != nil {
		return nil, err
	}
	barred, err := db.Barred(ctx)
	if err != nil {
		return nil, err
	}
	behind := map[string]bool{}
	for _, kind := range kinds {
		newest, err := db.LastPublished(ctx, kind)
		if err != nil {
			return nil, err
		}
		for _, s := range shops {
			if newest.Version > 0 && (wire.SealedBy(newest.Sealed) == id || standing(answers, s.ID, kind, newest.Version).Applied < newest.Version) && barred[s.ID].IsZero() {
				behind[s.ID] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(behind)), nil
}
