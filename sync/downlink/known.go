package downlink

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"foyer/sync/known"
	"foyer/sync/wire"
)

const (
	filterKind = "known-filter" // the filter's own bytes in the journal, beside the head and the list

	partLost  = 15 * time.Second // until a part is asked for again
	fetchRest = 10 * time.Minute // after headquarters had no such file, or another than it signed
)

// tags is the filter of known tags: what is in force, and what is on its way. It is Run's own.
type tags struct {
	body       wire.KnownBody // in force
	base, list []byte
	want       *wanted
}

// wanted is a filter of which parts are still to come.
type wanted struct {
	wire.Snapshot
	sealed     []byte
	body       wire.KnownBody
	base, list []byte
	again      time.Time // when the next part is asked for, unless it comes before
}

// knownHead takes headquarters' word on which filter there is, and begins to fetch what of it is not here.
func (d *Downlink) knownHead(ctx context.Context, sealed []byte) (wire.Snapshot, error) {
	s, err := d.verify(wire.Known, sealed)
	if err != nil {
		return s, err
	}
	body, err := s.Known()
	if err != nil {
		return s, &refusal{wire.RefusedFormat, err}
	}
	now, have := d.now[wire.Known]
	switch {
	case have && s.Version < now.version:
		return s, refuse(wire.RefusedOlder, "version %d is older than %d, which is in force", s.Version, now.version)
	case have && s.Version == now.version && d.InForce(wire.Known) == s.Version && body == d.tags.body:
		return s, nil // headquarters' retained message, once more
	case have && s.Version == now.version && d.InForce(wire.Known) == s.Version:
		return s, refuse(wire.RefusedAltered, "version %d is in force with other contents: a change needs a new version", s.Version)
	}
	d.tags.want = d.wanting(s, sealed, body)
	return s, d.nextPart(ctx)
}

// wanting is what is to be fetched: nothing twice that is here. A whole filter is fetched at some time within Spread, so that
// not all stores of a chain come at once; the first one at once.
func (d *Downlink) wanting(s wire.Snapshot, sealed []byte, body wire.KnownBody) *wanted {
	w := &wanted{Snapshot: s, sealed: sealed, body: body}
	old := d.tags.want
	switch {
	case body.Filter == d.tags.body.Filter && d.tags.base != nil:
		w.base = d.tags.base
		if int64(len(d.tags.list)) <= body.ListLen {
			w.list = bytes.Clone(d.tags.list) // the list only grows; if not, its digest will tell
		}
	case old != nil && body.Filter == old.body.Filter:
		w.base, w.again = old.base, old.again
	case d.tags.base != nil && body.FilterLen > 0 && d.c.Spread > 0:
		w.again = time.Now().Add(rand.N(d.c.Spread))
	}
	return w
}

// partTick fires when a part is to be asked for, again or for the first time.
func (d *Downlink) partTick() <-chan time.Time {
	if d.tags.want == nil {
		return nil
	}
	return time.After(time.Until(d.tags.want.again))
}

// nextPart asks for what comes next, or puts the filter in force when all of it is here.
func (d *Downlink) nextPart(ctx context.Context) error {
	w := d.tags.want
	if time.Now().Before(w.again) {
		return nil
	}
	ask := wire.ChunkAsk{Digest: w.body.Filter, Offset: int64(len(w.base)), Length: int(min(wire.MaxChunk, w.body.FilterLen-int64(len(w.base))))}
	if ask.Length == 0 {
		ask = wire.ChunkAsk{Digest: w.body.List, Offset: int64(len(w.list)), Length: int(min(wire.MaxChunk, w.body.ListLen-int64(len(w.list))))}
	}
	if ask.Length == 0 {
		return d.knownInForce(ctx, w)
	}
	payload, err := wire.EncodeChunkAsk(ask)
	if err == nil {
		err = d.c.Ask(wire.KnownParts, payload)
	}
	if w.again = time.Now().Add(partLost); err != nil {
		w.again = time.Now().Add(askUnsent)
	}
	return nil
}

// part takes a part of the filter or of its list. What was not asked for is left alone.
func (d *Downlink) part(ctx context.Context, payload []byte) (wire.Snapshot, error) {
	w := d.tags.want
	if w == nil {
		return wire.Snapshot{}, nil
	}
	if payload == nil { // it is time for the next one
		return w.Snapshot, d.nextPart(ctx)
	}
	c, err := wire.DecodeChunk(payload)
	switch {
	case err != nil:
		return w.Snapshot, nil
	case c.Total == -1 && (c.Digest == w.body.Filter || c.Digest == w.body.List):
		w.again = time.Now().Add(fetchRest)
		return w.Snapshot, refuse(wire.RefusedAbsent, "headquarters has no file %s", c.Digest)
	case c.Digest == w.body.Filter && c.Offset == int64(len(w.base)) && c.Total == w.body.FilterLen && len(c.Data) > 0:
		w.base = append(w.base, c.Data...)
	case c.Digest == w.body.List && c.Offset == int64(len(w.list)) && c.Total == w.body.ListLen && len(c.Data) > 0:
		w.list = append(w.list, c.Data...)
	default:
		return w.Snapshot, nil
	}
	d.counted(func(g *Guesting) { g.KnownLen += int64(len(c.Data)) })
	w.again = time.Time{}
	return w.Snapshot, d.nextPart(ctx)
}

// knownInForce proves a filter that is here whole, puts it in force and keeps it.
func (d *Downlink) knownInForce(ctx context.Context, w *wanted) error {
	f, err := filterOf(w.body, w.base, w.list)
	if err != nil {
		w.base, w.list, w.again = nil, nil, time.Now().Add(fetchRest)
		return &refusal{wire.RefusedDigest, err}
	}
	if w.body.Filter != d.tags.body.Filter && w.body.FilterLen > 0 {
		if err := d.c.Journal.PutSnapshot(ctx, filterKind, w.Version, w.base); err != nil {
			w.again = time.Now().Add(keepAgain)
			return fmt.Errorf("%w: %w", errNotKept, err)
		}
	}
	if err := d.c.Journal.PutSnapshot(ctx, wire.Known, w.Version, headAndList(w.sealed, w.list)); err != nil {
		w.again = time.Now().Add(keepAgain)
		return fmt.Errorf("%w: %w", errNotKept, err)
	}
	d.tags.want = nil
	d.setKnown(w.Version, w.body, w.base, w.list, f)
	delete(d.refused, wire.Known)
	delete(d.untrusted, wire.Known)
	d.c.Log.Info("snapshot applied", "snapshot", wire.Known, "version", w.Version, "tags", f.Len())
	d.c.Report(wire.SnapshotApplied, wire.Applied{Snapshot: wire.Known, Version: w.Version})
	return nil
}

// setKnown puts a filter in force. Who was nobody may be somebody since.
func (d *Downlink) setKnown(version uint64, body wire.KnownBody, base, list []byte, f *known.Filter) {
	d.now[wire.Known] = inForce{version: version}
	d.tags.body, d.tags.base, d.tags.list = body, base, list
	d.guests.filter.Store(f)
	d.mu.Lock()
	d.versions[wire.Known] = version
	d.mu.Unlock()
	d.guests.mu.Lock()
	defer d.guests.mu.Unlock()
	d.guests.counts.Known, d.guests.counts.Tags = version, f.Len()
	clear(d.guests.nobodies)
}

// filterOf makes the filter of its parts; nil where headquarters wants none.
func filterOf(body wire.KnownBody, base, list []byte) (*known.Filter, error) {
	if body.FilterLen == 0 {
		return nil, nil
	}
	if int64(len(base)) != body.FilterLen || sha256.Sum256(base) != body.Filter || int64(len(list)) != body.ListLen || sha256.Sum256(list) != body.List {
		return nil, errors.New("the filter is not the one that headquarters signed")
	}
	f, err := known.Parse(base)
	if err != nil {
		return nil, err
	}
	return f.With(list)
}

// headAndList is how the journal keeps a filter's head with its list: length of the head 4 (big-endian), the head, the list.
func headAndList(sealed, list []byte) []byte {
	b := binary.BigEndian.AppendUint32(make([]byte, 0, 4+len(sealed)+len(list)), uint32(len(sealed)))
	return append(append(b, sealed...), list...)
}

// restoreKnown puts the filter into force that was kept. If that is not possible, headquarters' retained head leads to it again.
func (d *Downlink) restoreKnown() {
	version, kept, ok := d.c.Journal.Snapshot(wire.Known)
	if !ok {
		return
	}
	d.now[wire.Known] = inForce{version: version}
	if err := d.reopenKnown(version, kept); err != nil {
		d.c.Log.Warn("the filter of known tags from before is of no use", "version", version, "error", err)
	}
}

func (d *Downlink) reopenKnown(version uint64, kept []byte) error {
	if len(kept) < 4 || uint64(len(kept)-4) < uint64(binary.BigEndian.Uint32(kept)) {
		return wire.ErrFormat
	}
	n := 4 + int(binary.BigEndian.Uint32(kept))
	s, err := d.verify(wire.Known, kept[4:n])
	if err != nil {
		return err
	}
	body, err := s.Known()
	if err != nil {
		return err
	}
	list := kept[n:]
	_, base, _ := d.c.Journal.Snapshot(filterKind)
	if sha256.Sum256(base) != body.Filter { // a newer one was kept, and then its head was not
		_, base, _ = d.c.Journal.SnapshotBefore(filterKind)
	}
	f, err := filterOf(body, base, list)
	if err == nil {
		d.setKnown(version, body, base, list, f)
	}
	return err
}
