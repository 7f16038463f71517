package hq

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"time"

	"foyer/hq/packs"
	"foyer/hq/store"
	"foyer/sync/wire"
)

// PacksFolder is the folder of the packs' files in the data folder.
const PacksFolder = "packs"

// OpenDepot opens the packs' files of a data folder, whether headquarters runs or not.
func OpenDepot(data string) (*packs.Depot, error) {
	return packs.Open(filepath.Join(data, PacksFolder))
}

// PackRefused is the error for a pack that breaks a rule: whoever sent it can mend it.
type PackRefused struct{ Why error }

func (e *PackRefused) Error() string { return e.Why.Error() }
func (e *PackRefused) Unwrap() error { return e.Why }

// PublishPack is the function of that name for a headquarters that runs: stores hear of it at once.
func (h *HQ) PublishPack(ctx context.Context, from string, r wire.Release) (wire.Release, error) {
	r, err := PublishPack(ctx, h.db, h.depot, from, r, h.cfg.Now())
	if err == nil {
		h.cfg.Log.Info("pack published", "pack", r.Pack, "version", r.Version, "files", len(r.Files), "bytes", r.Bytes())
	}
	return r, h.packChanged(err)
}

// WidenPack lets more stores have a release.
func (h *HQ) WidenPack(ctx context.Context, pack string, version uint64, percent int, stores []string) error {
	return h.packChanged(WidenPack(ctx, h.db, pack, version, percent, stores))
}

// WithdrawPack takes a release back: stores go back to the one before.
func (h *HQ) WithdrawPack(ctx context.Context, pack string, version uint64) error {
	return h.packChanged(h.db.WithdrawRelease(ctx, pack, version, h.cfg.Now()))
}

func (h *HQ) packChanged(err error) error {
	if err == nil {
		poke(h.kick)
		h.hub.changed()
	}
	return err
}

// PublishPack keeps the files of a folder or ZIP file and makes them the pack's next release, for the stores that r names by
// Percent and Stores. A running headquarters sends it within a quarter of a minute.
func PublishPack(ctx context.Context, db *store.DB, depot *packs.Depot, from string, r wire.Release, now time.Time) (wire.Release, error) {
	r.Version = 1 // until it has its own
	checked := r
	checked.Files = []wire.PackFile{{Path: "x"}}
	if err := checked.Check(); err != nil { // before anything is read
		return r, &PackRefused{err}
	}
	if err := allThere(ctx, db, r.Stores); err != nil {
		return r, err
	}
	live, _, err := db.Packs(ctx)
	if err != nil {
		return r, err
	}
	if len(live.Releases) >= wire.MaxReleases {
		return r, &PackRefused{fmt.Errorf("%d releases are live: withdraw one, or widen the newest to 100 percent", len(live.Releases))}
	}
	if r.Files, err = depot.Read(from); err != nil {
		return r, &PackRefused{err}
	}
	r.Version, err = db.AddRelease(ctx, r, now)
	return r, err
}

// allThere reports a store that was never added: a slip of the pen would wait for ever.
func allThere(ctx context.Context, db *store.DB, stores []string) error {
	shops, err := db.Shops(ctx)
	if err != nil {
		return err
	}
	for _, s := range stores {
		if !slices.ContainsFunc(shops, func(x store.Shop) bool { return x.ID == s }) {
			return &PackRefused{fmt.Errorf("store %q: %w", s, store.ErrNotFound)}
		}
	}
	return nil
}

// WidenPack lets more stores have a release.
func WidenPack(ctx context.Context, db *store.DB, pack string, version uint64, percent int, stores []string) error {
	if err := allThere(ctx, db, stores); err != nil {
		return err
	}
	return db.WidenRelease(ctx, pack, version, percent, stores)
}

// sweepAge is how old a file must be to be swept: publishing takes less.
const sweepAge = 24 * time.Hour

// SweepPacks removes files that no live release needs, and tells how many bytes that were.
func SweepPacks(ctx context.Context, db *store.DB, depot *packs.Depot, now time.Time) (int64, error) {
	all, err := db.Releases(ctx)
	if err != nil {
		return 0, err
	}
	keep := map[wire.Digest]bool{}
	for _, r := range all {
		for _, f := range r.Files {
			if r.Withdrawn.IsZero() {
				keep[f.Digest] = true
			}
		}
	}
	return depot.Sweep(keep, now.Add(-sweepAge))
}

// PackStanding is how a store stands to a pack.
type PackStanding struct {
	Pack    string
	Wanted  uint64 // the release that the store is chosen for; 0: none
	InForce uint64 // what it last said; 0: none
	Refused bool   // it said no to Wanted
	Code    wire.Code
	Why     string
	At      time.Time // of its last word
}

// packStandings reads a store's answers. What it applied last is in force, be the version higher or lower than before.
func packStandings(answers []store.Answer, id string, wanted []wire.Release) []PackStanding {
	all := map[string]*PackStanding{}
	for _, r := range wanted {
		all[wire.PackReport(r.Pack)] = &PackStanding{Pack: r.Pack, Wanted: r.Version}
	}
	for _, a := range answers {
		pack, is := packOf(a.Kind)
		if a.Store != id || !is {
			continue
		}
		p := all[a.Kind]
		if p == nil {
			p = &PackStanding{Pack: pack}
			all[a.Kind] = p
		}
		if a.Applied && !a.At.Before(p.At) {
			p.InForce, p.At = a.Version, a.At
		}
	}
	for _, a := range answers {
		if p := all[a.Kind]; p != nil && a.Store == id && !a.Applied && a.Version == p.Wanted && !a.At.Before(p.At) {
			p.Refused, p.Code, p.Why, p.At = true, a.Code, a.Why, a.At
		}
	}
	maps.DeleteFunc(all, func(_ string, p *PackStanding) bool { return p.Wanted == 0 && p.InForce == 0 })
	out := make([]PackStanding, 0, len(all))
	for _, p := range all {
		out = append(out, *p)
	}
	slices.SortFunc(out, func(x, y PackStanding) int { return cmp.Compare(x.Pack, y.Pack) })
	return out
}

func packOf(kind string) (string, bool) {
	prefix := wire.PackReport("")
	if len(kind) <= len(prefix) || kind[:len(prefix)] != prefix {
		return "", false
	}
	return kind[len(prefix):], true
}

// StoreFiles serves the packs' files to stores with a token, and takes results from them.
func (h *HQ) StoreFiles() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", h.depot.Files(h.cfg.Log))
	mux.Handle("PUT "+wire.ResultPath+"{command}/{name}", h.ResultFiles(packs.StoreOf))
	return packs.Guarded(h.Auth, mux)
}

// PackFilesBehindGate is PackFiles where the gate has looked at the store's badge.
func (h *HQ) PackFilesBehindGate() http.Handler { return h.depot.Files(h.cfg.Log) }

// chunk answers a store that can reach nothing but the broker. It is asked again when the answer is lost.
func (h *HQ) chunk(place wire.Place, payload []byte) error {
	ask, err := wire.DecodeChunkAsk(payload)
	if err != nil {
		h.noteBad(place.Store, &BadBatch{err})
		return nil
	}
	part, err := h.depot.Part(ask)
	if err != nil {
		h.cfg.Log.Error("a file of a pack cannot be read", "file", ask.Digest.String(), "err", err)
		return nil
	}
	data, err := wire.EncodeChunk(part)
	if err != nil {
		h.cfg.Log.Error("a file of a pack cannot be sent", "file", ask.Digest.String(), "err", err)
		return nil
	}
	if err := h.broker.Publish(place.Down(wire.ChunkTopic), false, data); err != nil {
		h.cfg.Log.Debug("a part of a file was not sent", "store", place.Store, "err", err)
	}
	return nil
}
