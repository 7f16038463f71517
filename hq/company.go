package hq

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"foyer/hq/store"
)

// LinkFile is in the data folder where the database is not there: it has the URL of a PostgreSQL database; mode 0600.
const LinkFile = "database.url"

// DatabaseAt is where the database of a data folder is: what LinkFile says, or a file in the folder.
func DatabaseAt(dir string) (string, error) {
	path := filepath.Join(dir, LinkFile)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return filepath.Join(dir, DatabaseFile), nil
	}
	if err != nil {
		return "", fmt.Errorf("open database: %w", err)
	}
	if info, err := os.Stat(path); err == nil && info.Mode().Perm()&0o077 != 0 {
		return "", fmt.Errorf("%s may be read by others (mode %04o) and holds a password: chmod 600 it", path, info.Mode().Perm())
	}
	url := strings.TrimSpace(string(text))
	if !store.IsURL(url) {
		return "", fmt.Errorf("%s: want one line, postgres://user:password@host/name", path)
	}
	return url, nil
}

// KeepDatabase writes down where the database of a data folder is, so that commands find it without being told.
func KeepDatabase(dir, url string) error {
	return ReplaceFile(filepath.Join(dir, LinkFile), url+"\n", 0o600)
}

// settle makes sure that this data folder belongs to the others at a shared database: one that signed with another key, or gave
// badges of another authority, would be refused by every store.
func settle(ctx context.Context, db *store.DB, cfg Config, s signer, authority string) error {
	if !db.Shared() {
		return nil
	}
	same := []struct{ name, value, what string }{
		{"chain", cfg.Chain, "its chain is %[1]s, this one's is %[2]s: give each chain a database, or a schema, of its own"},
		{"authority", authority, "its stores have badges of another certificate authority (%[1]s, here %[2]s)"},
	}
	if cfg.TagSecret != nil {
		h := hmac.New(sha256.New, cfg.TagSecret)
		h.Write([]byte("foyer: the tag key of this chain"))
		same = append(same, struct{ name, value, what string }{"tag_key", hex.EncodeToString(h.Sum(nil)[:8]),
			"its members' cards were read with another tag key (%[1]s, here %[2]s): give the same --tag-key-file"})
	}
	for _, v := range same {
		kept, err := db.Settle(ctx, v.name, "", v.value)
		if err != nil {
			return err
		}
		if kept != v.value {
			return foreign(fmt.Sprintf(v.what, kept, v.value))
		}
	}
	return settleSigner(ctx, db, cfg.Dir, s)
}

// settleSigner takes a key over that this folder signs with since a switch, and refuses a folder that has not heard of the others'.
func settleSigner(ctx context.Context, db *store.DB, dir string, s signer) error {
	kept, err := db.Settle(ctx, "signing", "", s.id)
	if err != nil || kept == s.id {
		return err
	}
	keys, err := SigningKeys(dir)
	if err != nil {
		return err
	}
	for _, k := range keys {
		if k.ID == kept && k.State == "old" { // the others sign with what was switched from here
			_, err := db.Settle(ctx, "signing", kept, s.id)
			return err
		}
	}
	return foreign(fmt.Sprintf("it signs with key %s, this folder with %s", kept, s.id))
}

// sameSigner reports when other headquarters have switched to a key that this one's folder does not sign with.
func (h *HQ) sameSigner(ctx context.Context) error {
	if !h.db.Shared() {
		return nil
	}
	return settleSigner(ctx, h.db, h.cfg.Dir, h.signingNow())
}

func foreign(why string) error {
	return fmt.Errorf("the database belongs to another data folder: %s. Copy signing.key, signing.pub, ca.key, ca.pem and admin.token from the first foyer-hq's folder, "+
		"or share the folder; if this one is right all the same, type foyer-hq database adopt", why)
}

// leads reports whether this headquarters does what only one may do: with a broker inside each has its own stores.
func (h *HQ) leads() bool {
	return h.company.Leads() || !h.outside.Load()
}

// Leads reports whether this headquarters is the one, of those that share a database, that does what must be done once.
func (h *HQ) Leads() bool { return h.company.Leads() }

// outsider is a broker that several headquarters use together.
type outsider interface {
	// Together reports whether the broker gives each batch and question to one of them only.
	Together() bool
	// Forget lets go of what was given to retain: another headquarters looks after it now.
	Forget()
}

// takes reports whether batches and questions are this one's to take: all are given to each where the broker cannot share.
func (h *HQ) takes() bool { return h.together.Load() || h.leads() }

// meet notes what kind of broker it is.
func (h *HQ) meet(b Broker) {
	o, ok := b.(outsider)
	h.outside.Store(ok && h.db.Shared())
	h.together.Store(ok && o.Together())
}

// keepCompany follows the lead, and what other headquarters tell.
func (h *HQ) keepCompany(ctx context.Context) {
	h.company.Run(ctx, h.led, func(word string) {
		if word == store.Publish {
			poke(h.asked)
			return
		}
		h.hub.wake()
	}, func(err error) {
		if err != nil {
			h.cfg.Log.Error("the other headquarters at this database cannot be reached; trying again", "err", err)
		} else {
			h.cfg.Log.Info("the other headquarters at this database can be reached again")
		}
	})
}

// led begins or ends the lead. Who begins lays everything before every store again: what the one before did last is not known.
func (h *HQ) led(begins bool) {
	if !h.db.Shared() {
		return
	}
	h.cfg.Log.Info("the lead has moved", "instance", h.cfg.Instance, "leads", begins)
	h.mu.Lock()
	clear(h.offered)
	clear(h.headed)
	b := h.broker
	h.mu.Unlock()
	if o, ok := b.(outsider); ok && !begins {
		o.Forget()
	}
	h.badges.mu.Lock()
	h.badges.barred = nil // the next look shuts out again
	h.badges.mu.Unlock()
	poke(h.asked)
	h.hub.wake()
}

// follow keeps the head of the members that another headquarters publishes, to answer stores with.
func (h *HQ) follow(ctx context.Context) error {
	last, err := h.db.LastVersion(ctx, Members)
	h.mu.Lock()
	have := h.head.version
	h.mu.Unlock()
	if err != nil || last == have {
		return err
	}
	newest, err := h.db.LastPublished(ctx, Members)
	if err == nil && newest.Version > 0 {
		_, err = h.headFor(newest, headEvery)
	}
	return err
}

const (
	reunion     = 500 * time.Millisecond // how long a batch waits for the one before it, which another headquarters was given
	reunionLook = 10 * time.Millisecond
)

// ingest stores a batch. Where a broker shares a store's batches out, one may overtake another by a moment: a gap is told only when
// it lasts, and where it has lasted once it is told at once.
func (h *HQ) ingest(ctx context.Context, b store.Batch) (store.Stored, error) {
	s, err := h.db.Ingest(ctx, b)
	if err != nil || !h.outside.Load() || !h.together.Load() || s.Fork || b.First <= s.Have+1 || h.longGap(b, s.Have) {
		return s, err
	}
	limit := time.NewTimer(reunion)
	defer limit.Stop()
	look := time.NewTicker(reunionLook)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return s, ctx.Err()
		case <-limit.C:
			h.noteGap(b, s.Have)
			return h.db.Ingest(ctx, b)
		case <-look.C:
		}
		have, err := h.db.Watermark(ctx, b.Store, b.Epoch, b.Lane)
		if err != nil {
			return s, err
		}
		if have+1 >= b.First {
			return h.db.Ingest(ctx, b)
		}
	}
}

func (h *HQ) longGap(b store.Batch, have uint64) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	g, ok := h.gaps[b.Store+"/"+b.Lane]
	return ok && g.epoch == b.Epoch && g.have == have
}

func (h *HQ) noteGap(b store.Batch, have uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.gaps[b.Store+"/"+b.Lane] = gap{b.Epoch, have}
}

// gap is where a lane of a store did not go on when it was last waited for.
type gap struct {
	epoch string
	have  uint64
}
