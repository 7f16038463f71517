package hq

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"foyer/hq/store"
	"foyer/reader/tag"
	fuse "foyer/sync/known"
	"foyer/sync/wire"
)

const (
	knownEvery = time.Hour          // members who join wait so long to be known in stores that never saw them
	knownAge   = 7 * 24 * time.Hour // a filter that holds tags of who has left is made anew at night after so long

	// Stores fetch a new filter, 1.13 bytes a tag, when the list of those that came since, 8 bytes a tag, has outgrown a
	// fiftieth of it: at night, or at four times as many.
	listShare, listLeast, listUrgent = 50, 1000, 4
	nightFrom, nightTo               = 2, 5 // hours of headquarters' clock
)

// filterOf is the filter of known tags that stores have, or are to have.
type filterOf struct {
	version  uint64
	revision int64 // of the members that it was made of
	sealed   []byte
	body     wire.KnownBody
	filter   *fuse.Filter // with the list; nil: stores are to ask for nobody
	base     []byte
	list     []byte
	made     time.Time // the version
	built    time.Time // the filter
}

// publishKnown makes the filter anew where members have changed, and lays its head before the stores.
func (h *HQ) publishKnown(ctx context.Context, shops []store.Shop) error {
	f, err := h.knownNow(ctx)
	if err != nil {
		return err
	}
	next, err := h.nextKnown(ctx, f)
	if err != nil {
		return err
	}
	if next.version == 0 {
		return nil // there never was one: no store need hear of that
	}
	h.mu.Lock()
	h.filter = next
	h.mu.Unlock()
	for _, s := range shops {
		if !h.Barred(s.ID) {
			h.offer(s.ID, store.Published{Kind: wire.Known, Version: next.version, Sealed: next.sealed})
		}
	}
	return nil
}

// knownNow is the filter as it is; after a start, as it was published.
func (h *HQ) knownNow(ctx context.Context) (filterOf, error) {
	newest, err := h.db.LastVersion(ctx, wire.Known)
	if err != nil {
		return filterOf{}, err
	}
	h.mu.Lock()
	f := h.filter
	h.mu.Unlock()
	if f.version == newest {
		return f, nil
	}
	last, err := h.db.LastPublished(ctx, wire.Known)
	if err != nil || last.Version == 0 {
		return f, err
	}
	f = filterOf{version: last.Version, revision: last.Revision, sealed: last.Sealed, made: last.MadeAt, built: last.MadeAt}
	s, err := wire.Open(last.Sealed, h.ownKeys())
	if err == nil {
		f.body, err = s.Known()
	}
	if err == nil && f.body.FilterLen > 0 {
		err = f.load(ctx, h.db)
	}
	if err != nil { // signed with a key that is gone, or a file is missing: it is made anew
		h.cfg.Log.Warn("the filter of known tags cannot be read; it is made anew", "version", f.version, "err", err)
		f.filter, f.revision = nil, -1
	}
	return f, nil
}

func (f *filterOf) load(ctx context.Context, db *store.DB) (err error) {
	if f.base, err = db.KnownFile(ctx, f.body.Filter); err != nil {
		return err
	}
	if f.body.ListLen > 0 {
		if f.list, err = db.KnownFile(ctx, f.body.List); err != nil {
			return err
		}
	}
	bare, err := fuse.Parse(f.base)
	if err == nil {
		f.filter, err = bare.With(f.list)
	}
	return err
}

// nextKnown is the filter that is to be in force: often the one that is.
func (h *HQ) nextKnown(ctx context.Context, f filterOf) (filterOf, error) {
	if !h.Apart() {
		if f.version == 0 || f.body.FilterLen == 0 && wire.SealedBy(f.sealed) == h.signingNow().id {
			return f, nil
		}
		return h.saveKnown(ctx, f, filterOf{revision: f.revision})
	}
	revision, err := h.db.Revision(ctx, Members)
	if err != nil {
		return f, err
	}
	same := f.filter != nil && wire.SealedBy(f.sealed) == h.signingNow().id
	if same && (f.revision == revision || f.body.Tags > 0 && h.cfg.Now().Sub(f.made) < knownEvery) {
		return f, nil
	}
	tags, revision, err := h.db.KnownTags(ctx)
	if err != nil {
		return f, err
	}
	next, changed, err := f.with(tags, h.cfg.Now())
	if err != nil {
		return f, err
	}
	if next.revision = revision; same && !changed {
		return next, nil
	}
	return h.saveKnown(ctx, f, next)
}

// with is the filter with tags in it that it lacks: in the list, or all built anew where the list is too long.
func (f filterOf) with(tags []tag.ID, now time.Time) (next filterOf, changed bool, err error) {
	next = f
	if f.filter != nil {
		list := f.list[:len(f.list):len(f.list)]
		for _, id := range tags {
			if !f.filter.Has(id) {
				list = fuse.AppendMark(list, id)
			}
		}
		if !f.worn(len(list)/fuse.MarkBytes, len(tags), now) {
			next.list = list
			next.filter, err = f.filter.With(list)
			return next, len(list) != len(f.list), err
		}
	}
	if next.filter, err = fuse.Build(tags); err != nil {
		return f, false, err
	}
	next.base, next.list, next.built = next.filter.Bytes(), nil, now
	return next, true, nil
}

// worn reports whether the filter is to be built anew.
func (f filterOf) worn(listed, tags int, now time.Time) bool {
	least := tags/listShare + listLeast
	night := now.Hour() >= nightFrom && now.Hour() < nightTo
	left := f.filter.Len() - len(f.list)/fuse.MarkBytes + listed - tags
	return listed > listUrgent*least || listed*fuse.MarkBytes > fuse.MaxAdditions ||
		night && (listed > least || left > least || left > 0 && now.Sub(f.built) > knownAge)
}

// saveKnown signs and keeps the next version before anybody sees it.
func (h *HQ) saveKnown(ctx context.Context, was, next filterOf) (filterOf, error) {
	next.version, next.made = was.version+1, h.cfg.Now().UTC()
	files := map[wire.Digest][]byte{}
	if next.filter != nil {
		next.body = wire.KnownBody{Tags: next.filter.Len(), Filter: sha256.Sum256(next.base), FilterLen: int64(len(next.base)),
			List: sha256.Sum256(next.list), ListLen: int64(len(next.list))}
		files[next.body.Filter] = next.base
		if next.body.Filter == was.body.Filter {
			files[next.body.Filter] = nil // it is there
		}
		if len(next.list) > 0 {
			files[next.body.List] = next.list
		}
	}
	var err error
	if next.sealed, err = h.sealed(wire.Known, "", next.version, next.made, next.body); err != nil {
		return was, err
	}
	p := store.Published{Kind: wire.Known, Version: next.version, Revision: next.revision, Sealed: next.sealed, MadeAt: next.made}
	if err := h.db.SaveKnown(ctx, p, files); err != nil {
		return was, err
	}
	h.cfg.Log.Info("known tags made", "version", next.version, "tags", next.body.Tags, "filter_bytes", next.body.FilterLen, "list_bytes", next.body.ListLen)
	h.hub.changed()
	return next, nil
}

// knownPart answers a store that fetches the filter or the list.
func (h *HQ) knownPart(ctx context.Context, place wire.Place, payload []byte) error {
	ask, err := wire.DecodeChunkAsk(payload)
	if err != nil {
		h.noteBad(place.Store, &BadBatch{err})
		return nil
	}
	file, err := h.knownFile(ctx, ask.Digest)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("read the known tags: %w", err)
	}
	part := wire.Chunk{Digest: ask.Digest, Offset: ask.Offset, Total: -1}
	if total := int64(len(file)); err == nil && ask.Offset <= total {
		part.Total, part.Data = total, file[ask.Offset:min(total, ask.Offset+int64(ask.Length))]
	}
	data, err := wire.EncodeChunk(part)
	if err == nil {
		h.send(place.Down(wire.KnownParts), place.Store, data)
	}
	return err
}

func (h *HQ) knownFile(ctx context.Context, digest wire.Digest) ([]byte, error) {
	h.mu.Lock()
	f := h.filter
	h.mu.Unlock()
	switch {
	case f.version > 0 && digest == f.body.Filter:
		return f.base, nil
	case f.version > 0 && digest == f.body.List:
		return f.list, nil
	}
	return h.db.KnownFile(ctx, digest)
}
