package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"foyer/reader/tag"
	"foyer/shop/member"
	"foyer/sync/wire"
)

// The states of a wire.TagMark, as shop/binding has them.
const (
	tagBound   = "bound"
	tagBlocked = "blocked"
	tagUnbound = "unbound"
	tagShared  = "shared"
)

// The kinds of a CardEvent that are not those of a wire.TagChange.
const (
	CardSeen    = "seen"    // a lost card turned up
	CardHandled = "handled" // and staff dealt with it
)

// CardEvent is one thing that a store told of a member's cards.
type CardEvent struct {
	Store  string
	Member member.ID
	At     time.Time
	Kind   string // "bound", "replaced", "blocked", "unbound", CardSeen or CardHandled
	Reason string
	By     string // of staff
	Proved string // how it was made sure who got the card
	Zone   string
	Late   bool // another store's later word was here before, and stands
	Gave   []tag.ID
	Took   []tag.ID
}

// Text that a store may write into an event, in bytes.
const maxEventText = 200

// ChangesMembers reports whether storing the batch may change the members' snapshot.
func (b Batch) ChangesMembers() bool {
	return slices.ContainsFunc(b.Records, func(r wire.Record) bool {
		return r.Kind == wire.TagChanged || r.Kind == wire.MemberSignedUp || r.Kind == wire.MemberConfirmed
	})
}

// tagChanged applies a change of a store's staff and keeps it as an event. For each card the latest word stands; the shorter
// forms go with their card.
func tagChanged(t *tx, store string, when time.Time, c wire.TagChange) error {
	e := CardEvent{Store: store, Member: member.ID(c.Member), At: when, Kind: c.Kind, Reason: c.Reason, By: c.By, Proved: c.Proved}
	marks := slices.Clone(c.Marks[:min(len(c.Marks), 4*member.MaxTags)])
	slices.SortStableFunc(marks, cardsFirst)
	stands := map[tag.ID]bool{}
	known, err := hasMember(t, c.Member)
	if err != nil {
		return err
	}
	if err := touchTags(t, c.Member, marks); err != nil {
		return err
	}
	for _, m := range marks {
		if m.Of.IsZero() {
			e.note(m)
		}
		if !known || m.Tag.IsZero() {
			continue
		}
		ok, decided := stands[m.Of]
		if !decided {
			if ok, err = newest(t, m.Tag, when); err != nil {
				return err
			}
		}
		stands[m.Tag] = ok
		if !ok {
			e.Late = true
			continue
		}
		if err := applyMark(t, c.Member, m); err != nil {
			return err
		}
	}
	if err := touchTags(t, c.Member, marks); err != nil {
		return err
	}
	if err := touch(t, "members"); err != nil {
		return err
	}
	return keepCardEvent(t, e)
}

// touchTags notes a change of a member's tags for all stores that know of them, or of who has one of the tags.
func touchTags(t *tx, who string, marks []wire.TagMark) error {
	if err := touchMember(t, who); err != nil {
		return err
	}
	for _, m := range marks {
		err := t.exec(`UPDATE roster SET changes = changes + 1
			WHERE store IN (SELECT r.store FROM member_tag AS t JOIN regular AS r ON r.member = t.member WHERE t.hash = ?)`, m.Tag[:])
		if err != nil {
			return err
		}
	}
	return nil
}

// cardsFirst puts cards before their shorter forms.
func cardsFirst(x, y wire.TagMark) int {
	switch {
	case x.Of.IsZero() == y.Of.IsZero():
		return 0
	case x.Of.IsZero():
		return -1
	}
	return 1
}

func (e *CardEvent) note(m wire.TagMark) {
	if m.State == tagBound {
		e.Gave = append(e.Gave, m.Tag)
	} else {
		e.Took = append(e.Took, m.Tag)
	}
}

func hasMember(t *tx, id string) (bool, error) {
	var n int
	err := t.row("SELECT count(*) FROM member WHERE id = ?", []any{id}, &n)
	return n > 0, err
}

// newest notes a store's word on a tag and reports whether there is no later one.
func newest(t *tx, id tag.ID, when time.Time) (bool, error) {
	n, err := t.affect(`INSERT INTO tag_word (hash, at) VALUES (?, ?)
		ON CONFLICT (hash) DO UPDATE SET at = excluded.at WHERE excluded.at >= tag_word.at`, id[:], ms(when))
	return n > 0, err
}

// applyMark makes of one tag what a store says.
func applyMark(t *tx, who string, m wire.TagMark) error {
	also, card := 0, any(nil)
	if !m.Of.IsZero() {
		also, card = 1, m.Of[:]
	}
	switch m.State {
	case tagBound, tagShared:
		if also == 0 { // whoever had it, has it no more
			if err := t.exec("DELETE FROM member_tag WHERE hash = ? AND member <> ? AND (also = 0 OR lost = 1)", m.Tag[:], who); err != nil {
				return err
			}
		}
		if full, err := isFull(t, who, m.Tag, 0); err != nil || full {
			return err
		}
		err := t.exec(`INSERT INTO member_tag (hash, member, also, card, lost) VALUES (?, ?, ?, ?, 0)
			ON CONFLICT (hash, member) DO UPDATE SET lost = 0, card = excluded.card, also = min(member_tag.also, excluded.also)`, m.Tag[:], who, also, card)
		if err != nil || also == 1 || !m.Found {
			return err
		}
		return t.exec("UPDATE member_tag SET lost = 0 WHERE card = ? AND member = ?", m.Tag[:], who)
	case tagBlocked:
		return block(t, who, m, also, card)
	case tagUnbound:
		return t.exec("DELETE FROM member_tag WHERE member = ? AND (hash = ? OR card = ?)", who, m.Tag[:], m.Tag[:])
	}
	return nil // a newer store's word that is not known here
}

// block makes a tag a lost one, with all its shorter forms.
func block(t *tx, who string, m wire.TagMark, also int, card any) error {
	if also == 0 {
		if err := t.exec("DELETE FROM member_tag WHERE hash = ? AND member <> ? AND also = 0", m.Tag[:], who); err != nil {
			return err
		}
	}
	if full, err := isFull(t, who, m.Tag, 1); err != nil || full { // as many as a snapshot holds were lost: the oldest is let go
		if err != nil {
			return err
		}
		err = t.exec(`DELETE FROM member_tag WHERE member = ? AND hash = (SELECT m.hash FROM member_tag AS m LEFT JOIN tag_word AS w ON w.hash = m.hash
			WHERE m.member = ? AND m.lost = 1 ORDER BY coalesce(w.at, 0) LIMIT 1)`, who, who)
		if err != nil {
			return err
		}
	}
	err := t.exec(`INSERT INTO member_tag (hash, member, also, card, lost) VALUES (?, ?, ?, ?, 1)
		ON CONFLICT (hash, member) DO UPDATE SET lost = 1`, m.Tag[:], who, also, card)
	if err != nil || also == 1 {
		return err
	}
	return t.exec("UPDATE member_tag SET lost = 1 WHERE card = ? AND member = ?", m.Tag[:], who)
}

// isFull reports whether a member has as many other tags, lost or not, as a snapshot may hold.
func isFull(t *tx, who string, id tag.ID, lost int) (bool, error) {
	var n int
	err := t.row("SELECT count(*) FROM member_tag WHERE member = ? AND lost = ? AND hash <> ?", []any{who, lost, id[:]}, &n)
	return n >= member.MaxTags, err
}

func blockedTag(t *tx, store string, when time.Time, kind string, b wire.BlockedTag) error {
	return keepCardEvent(t, CardEvent{Store: store, Member: member.ID(b.Member), At: when, Kind: kind, By: b.By, Zone: b.Zone})
}

func keepCardEvent(t *tx, e CardEvent) error {
	gave, err := json.Marshal(e.Gave)
	if err != nil {
		return err
	}
	took, err := json.Marshal(e.Took)
	if err != nil {
		return err
	}
	return t.exec(`INSERT INTO card_event (store, member, at, kind, reason, who, proved, zone, late, gave, took) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		e.Store, clip(string(e.Member)), ms(e.At), clip(e.Kind), clip(e.Reason), clip(e.By), clip(e.Proved), clip(e.Zone), e.Late, string(gave), string(took))
}

func clip(s string) string { return strings.ToValidUTF8(s[:min(len(s), maxEventText)], "") }

// CardEvents lists what stores told of a member's cards, newest first.
func (d *DB) CardEvents(ctx context.Context, who member.ID, limit int) ([]CardEvent, error) {
	return list(ctx, d, `SELECT store, member, at, kind, reason, who, proved, zone, late, gave, took FROM card_event
		WHERE member = ? ORDER BY at DESC, id DESC LIMIT ?`, []any{string(who), limit}, func(r *sql.Rows) (CardEvent, error) {
		var e CardEvent
		var when int64
		var gave, took []byte
		err := r.Scan(&e.Store, &e.Member, &when, &e.Kind, &e.Reason, &e.By, &e.Proved, &e.Zone, &e.Late, &gave, &took)
		e.At = at(when)
		return e, errors.Join(err, json.Unmarshal(gave, &e.Gave), json.Unmarshal(took, &e.Took))
	})
}

// Member is one member; ErrNotFound if there is none.
func (d *DB) Member(ctx context.Context, id member.ID) (Person, error) {
	all, err := list(ctx, d, "SELECT body FROM member WHERE id = ?", []any{string(id)}, scanPerson)
	if err != nil {
		return Person{}, err
	}
	if len(all) == 0 {
		return Person{}, ErrNotFound
	}
	err = d.addTags(ctx, all)
	return all[0], err
}
