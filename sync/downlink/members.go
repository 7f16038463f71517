package downlink

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"foyer/sync/wire"
)

// Pauses between questions for members that were not answered.
const (
	askFirst  = 30 * time.Second
	askLast   = 10 * time.Minute
	askUnsent = time.Second // the line took no question
)

// roster is how the members in force stand to headquarters' head. It is Run's own.
type roster struct {
	digest wire.Digest // of the members in force, once known
	known  bool        // it was computed: not before somebody asks, for the start of a store must not wait for it
	behind uint64      // version of the head, while the members in force are older; else 0
	doubt  bool        // a change did not lead where it should: ask for the whole
	madeAt time.Time   // of the members in force, by headquarters' clock
	pause  time.Duration
	again  time.Time // when to ask again
}

// subscribeMembers takes members as changes and the whole on demand, in place of the whole at each connection.
func (d *Downlink) subscribeMembers() {
	d.subscribe(wire.MembersHead, wire.MembersHead)
	d.subscribe(wire.MembersDelta, wire.MembersDelta)
	d.subscribe(wire.MembersWhole, wire.Members)
}

// askAgain fires when headquarters has not answered.
func (d *Downlink) askAgain() <-chan time.Time {
	if d.roster.behind == 0 {
		return nil
	}
	return time.After(time.Until(d.roster.again))
}

// head compares the members in force with what headquarters has, and asks where they differ.
func (d *Downlink) head(ctx context.Context, sealed []byte) (wire.Snapshot, error) {
	s, err := d.verify(wire.MembersHead, sealed)
	if err != nil {
		return s, err
	}
	body, err := s.Head()
	if err != nil {
		return s, &refusal{wire.RefusedFormat, err}
	}
	now, have := d.now[wire.Members]
	switch {
	case have && s.Version < now.version:
		return s, refuse(wire.RefusedOlder, "version %d is older than %d, which is in force", s.Version, now.version)
	case s.Version == d.InForce(wire.Members) && body.Digest == d.digest():
		d.roster.behind = 0
		d.renew(ctx, s, body)
		return s, nil
	case s.Version == d.InForce(wire.Members):
		return s, refuse(wire.RefusedAltered, "version %d is in force with other contents: a change needs a new version", s.Version)
	}
	d.renew(ctx, s, body)
	d.roster.behind, d.roster.pause = s.Version, 0
	d.ask()
	return s, nil
}

// ask asks for what leads from the members in force to headquarters'. An answer may be lost: it is asked again.
func (d *Downlink) ask() error {
	r := &d.roster
	r.pause = min(askLast, max(askFirst, 2*r.pause))
	r.again = time.Now().Add(r.pause)
	a := wire.MembersAsk{}
	if version := d.InForce(wire.Members); version > 0 && version == d.now[wire.Members].version && !r.doubt {
		a = wire.MembersAsk{Have: version, Digest: d.digest()}
	}
	payload, err := wire.EncodeMembersAsk(a)
	if err == nil {
		err = d.c.Ask(wire.Members, payload)
	}
	if err != nil {
		d.c.Log.Debug("headquarters was not asked for members", "error", err)
		r.pause, r.again = 0, time.Now().Add(askUnsent) // what is retained can come a moment before the line takes anything
	}
	return err
}

// delta brings a change of the members into force. Any doubt leads to the whole.
func (d *Downlink) delta(ctx context.Context, sealed []byte) (wire.Snapshot, error) {
	s, err := d.verify(wire.MembersDelta, sealed)
	if err != nil {
		return s, err
	}
	body, err := s.Delta()
	if err != nil {
		return s, &refusal{wire.RefusedFormat, err}
	}
	now := d.now[wire.Members]
	if s.Version <= now.version {
		return s, nil // an answer that came twice
	}
	next, err := d.change(now, body)
	if err != nil {
		d.c.Log.Warn("a change of the members is of no use; asking for all of them", "from", body.From, "version", s.Version, "error", err)
		d.roster.doubt = true
		d.ask()
		return s, nil
	}
	whole := wire.Snapshot{Kind: wire.Members, Chain: s.Chain, Store: s.Store, Version: s.Version, MadeAt: s.MadeAt, Body: next.Body()}
	kept, err := rebuild(sealed, whole.Body)
	if err != nil {
		return s, &refusal{wire.RefusedTooLarge, err}
	}
	return s, d.putInForce(ctx, whole, kept)
}

func (d *Downlink) change(now inForce, body wire.DeltaBody) (wire.Roster, error) {
	if body.From != now.version || body.From != d.InForce(wire.Members) {
		return nil, fmt.Errorf("version %d is in force", d.InForce(wire.Members))
	}
	whole, err := d.reopen(wire.Members, now.sealed)
	if err != nil {
		return nil, err
	}
	old, err := wire.ParseRoster(whole.Body)
	if err != nil {
		return nil, err
	}
	return old.Apply(body)
}

// digest is that of the members in force, which are those kept. Zero where they cannot be read again: no head has that.
func (d *Downlink) digest() wire.Digest {
	if d.roster.known {
		return d.roster.digest
	}
	d.roster.digest, d.roster.known = wire.Digest{}, true
	s, err := d.reopen(wire.Members, d.now[wire.Members].sealed)
	if err != nil {
		return d.roster.digest
	}
	if r, err := wire.ParseRoster(s.Body); err == nil {
		d.roster.digest = r.Digest()
	}
	return d.roster.digest
}

// membersInForce notes what came into force.
func (d *Downlink) membersInForce(s wire.Snapshot) {
	d.roster.known, d.roster.doubt, d.roster.madeAt = false, false, s.MadeAt
	if s.Version >= d.roster.behind {
		d.roster.behind = 0
	}
}

// Members that were put together from changes are kept with the last change, whose signed digest proves them: magic 4,
// length of the sealed change 4 (big-endian), the sealed change, then the gzipped body of the whole.
const rebuiltMagic = "FYMB"

var errRebuilt = errors.New("the members kept are damaged")

func rebuild(proof, body []byte) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString(rebuiltMagic)
	b.Write(binary.BigEndian.AppendUint32(nil, uint32(len(proof))))
	b.Write(proof)
	z := gzip.NewWriter(&b)
	_, err := z.Write(body)
	if err = errors.Join(err, z.Close()); err == nil && len(body) > wire.MaxOpened {
		err = wire.ErrTooLarge
	}
	return b.Bytes(), err
}

// parts takes apart what rebuild made.
func parts(kept []byte) (proof, body []byte, err error) {
	const head = len(rebuiltMagic) + 4
	if len(kept) < head {
		return nil, nil, errRebuilt
	}
	n := int(binary.BigEndian.Uint32(kept[len(rebuiltMagic):head]))
	if n < 0 || n > len(kept)-head {
		return nil, nil, errRebuilt
	}
	z, err := gzip.NewReader(bytes.NewReader(kept[head+n:]))
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", errRebuilt, err)
	}
	body, err = io.ReadAll(io.LimitReader(z, wire.MaxOpened+1))
	if err == nil && len(body) > wire.MaxOpened {
		err = wire.ErrTooLarge
	}
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", errRebuilt, err)
	}
	return kept[head : head+n], body, nil
}

func isRebuilt(kept []byte) bool { return bytes.HasPrefix(kept, []byte(rebuiltMagic)) }

// reopen verifies what was kept: a sealed snapshot, or members put together from changes.
func (d *Downlink) reopen(kind string, kept []byte) (wire.Snapshot, error) {
	if kind != wire.Members || !isRebuilt(kept) {
		return d.verify(kind, kept)
	}
	proof, body, err := parts(kept)
	if err != nil {
		return wire.Snapshot{}, &refusal{wire.RefusedFormat, err}
	}
	s, err := d.verify(wire.MembersDelta, proof)
	if err != nil {
		return s, err
	}
	change, err := s.Delta()
	if err != nil {
		return s, &refusal{wire.RefusedFormat, err}
	}
	all, err := wire.ParseRoster(body)
	if err == nil && all.Digest() != change.Digest {
		err = wire.ErrDigest
	}
	if err != nil {
		return s, &refusal{wire.RefusedFormat, err}
	}
	s.Kind, s.Body = wire.Members, body
	return s, nil
}
