package downlink

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"foyer/shop/member"
	"foyer/sync/vault"
	"foyer/sync/wire"
)

// The members at hand are kept sealed with a key of their own in the vault: what is erased with it is erased in every copy that the
// journal's file may still hold. No member's name begins as the key's does.
const (
	listPrefix  = "\x00members."
	listPurpose = "members"
)

func isList(name string) bool { return strings.HasPrefix(name, listPrefix) }

// locked seals what is to be kept of members, where there is a vault.
func (d *Downlink) locked(kind string, kept []byte) ([]byte, error) {
	if kind != wire.Members || d.c.Vault == nil {
		return kept, nil
	}
	return d.c.Vault.Seal(d.listName(), listPurpose, kept)
}

// listName is the name of the key that the members are sealed with now.
func (d *Downlink) listName() string {
	if d.list == "" || !d.c.Vault.Has(d.list) {
		d.list = listPrefix + rand.Text()
		for _, name := range d.c.Vault.Find(isList) {
			d.list = name
		}
	}
	return d.list
}

// renewal asks for a new key, without guests who were erased.
type renewal struct {
	erased func(member.ID) bool
	done   chan error
}

func (d *Downlink) renewKey(ctx context.Context, r renewal) {
	for id := range d.guests.all {
		if r.erased(id) {
			d.forgetGuest(ctx, id)
		}
	}
	r.done <- d.renewLock(ctx)
}

// Renew seals the members in force with a new key: who was among them before can be read no more, in no version that was kept and
// in no old bytes of the journal's file. It waits for Run.
func (d *Downlink) Renew(ctx context.Context, erased func(member.ID) bool) error {
	r := renewal{erased, make(chan error, 1)}
	select {
	case d.renewals <- r:
		return <-r.done
	case <-d.ended:
		return context.Canceled
	case <-ctx.Done():
		return ctx.Err()
	}
}

// renewLock seals the members in force with a new key and erases all keys before it: versions that were kept before, and old bytes
// in the journal's file, can be read no more.
func (d *Downlink) renewLock(ctx context.Context) error {
	if d.c.Vault == nil {
		return nil
	}
	was := d.list
	d.list = listPrefix + rand.Text()
	if now := d.now[wire.Members]; now.sealed != nil {
		locked, err := d.c.Vault.Seal(d.list, listPurpose, now.sealed)
		if err == nil {
			err = d.c.Journal.PutSnapshot(ctx, wire.Members, now.version, locked)
		}
		if err != nil {
			d.list = was
			return fmt.Errorf("seal the members anew: %w", err)
		}
	}
	if err := d.keepGuests(ctx); err != nil {
		return fmt.Errorf("seal the guests anew: %w", err)
	}
	_, err := d.c.Vault.Erase(func(name string) bool { return isList(name) && name != d.list })
	return err
}

// unlocked opens what was kept.
func (d *Downlink) unlocked(kept []byte) ([]byte, error) {
	switch {
	case strings.HasPrefix(string(kept[:min(len(kept), len(oldMagic))]), oldMagic):
		return d.unlockedOld(kept)
	case vault.Sealed(kept) && d.c.Vault != nil:
		return d.c.Vault.Open(listPurpose, kept)
	}
	return kept, nil
}

// What was kept before there was a vault: magic 4, nonce 12, then AES-256-GCM with a key in a file of its own.
const (
	oldMagic     = "FYMK"
	oldKeyLength = 32
)

var errLocked = errors.New("the members kept cannot be read: their key is another")

func (d *Downlink) unlockedOld(kept []byte) ([]byte, error) {
	key, err := os.ReadFile(d.c.OldKeyFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, vault.ErrErased
	}
	if err == nil && len(key) != oldKeyLength {
		err = errLocked
	}
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	open, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	rest := kept[len(oldMagic):]
	if len(rest) < open.NonceSize() {
		return nil, errLocked
	}
	plain, err := open.Open(nil, rest[:open.NonceSize()], rest[open.NonceSize():], []byte(oldMagic))
	if err != nil {
		return nil, errLocked
	}
	return plain, nil
}

// leaveOld seals with the vault what was kept in another way before there was one, and erases the key of then.
func (d *Downlink) leaveOld(ctx context.Context) {
	if d.c.Vault == nil {
		return
	}
	_, kept, ok := d.c.Journal.Snapshot(wire.Members)
	var err error
	if ok && !vault.Sealed(kept) {
		err = d.renewLock(ctx)
	}
	if err == nil && d.c.OldKeyFile != "" {
		err = vault.EraseFile(d.c.OldKeyFile)
	}
	if err != nil {
		d.c.Log.Error("the members are still kept as they were before; it is tried again at the next start", "error", err)
	}
}
