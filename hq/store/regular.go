package store

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"foyer/reader/tag"
	"foyer/shop/member"
	"foyer/sync/wire"
)

// keepSteps is how many changes of a store's roster are kept: a store that missed more is sent the whole.
const keepSteps = 200

// sumBytes is how much of a SHA-256 tells one form of a member from another.
const sumBytes = 8

// ShopRoster is a store's own roster, as it was made last.
type ShopRoster struct {
	Store   string
	Version uint64 // 0: none was made
	Digest  wire.Digest
	Members int
	Key     string // id of the key that signed it
	MadeAt  time.Time

	Urgent bool // something of it has changed
	Fresh  bool // members are new to the store

	changes, fresh int64
}

// ShopRosters lists the rosters by store.
func (d *DB) ShopRosters(ctx context.Context) (map[string]ShopRoster, error) {
	all, err := list(ctx, d, "SELECT store, changes, fresh, version, digest, members, key, made_at, made_changes, made_fresh FROM roster", nil, scanRoster)
	out := map[string]ShopRoster{}
	for _, r := range all {
		out[r.Store] = r
	}
	return out, err
}

func scanRoster(r *sql.Rows) (ShopRoster, error) {
	var s ShopRoster
	var digest []byte
	var made, changes, fresh int64
	err := r.Scan(&s.Store, &s.changes, &s.fresh, &s.Version, &digest, &s.Members, &s.Key, &made, &changes, &fresh)
	copy(s.Digest[:], digest)
	s.MadeAt, s.Urgent, s.Fresh = at(made), s.changes != changes, s.fresh != fresh
	return s, err
}

// ShopRoster is one store's roster; its version is 0 if none was made.
func (d *DB) ShopRoster(ctx context.Context, id string) (ShopRoster, error) {
	all, err := list(ctx, d, `SELECT store, changes, fresh, version, digest, members, key, made_at, made_changes, made_fresh FROM roster
		WHERE store = ?`, []any{id}, scanRoster)
	if len(all) == 0 {
		return ShopRoster{Store: id}, err
	}
	return all[0], err
}

// Regular is a member whom a store knows of.
type Regular struct {
	Store        string
	ID           member.ID
	Seen         time.Time // newest visit or question; zero: none
	Home, Marked bool
	Asked        bool // the store was told by an answer, and by no roster since
	told         []byte

	there  bool // at headquarters, with leave to be recognised
	person Person
}

// Told reports whether the store's roster has the member.
func (r Regular) Told() bool { return len(r.told) > 0 }

// regulars lists whom a store knows of, and what it may know of them: who is no member any more is there without.
func (d *DB) regulars(ctx context.Context, id string) ([]Regular, error) {
	all, err := list(ctx, d, `SELECT r.member, r.seen, r.home, r.marked, r.asked, r.told, m.body FROM regular AS r LEFT JOIN member AS m ON m.id = r.member
		WHERE r.store = ? ORDER BY r.member`, []any{id}, func(rows *sql.Rows) (Regular, error) {
		r := Regular{Store: id}
		var seen int64
		var body []byte
		if err := rows.Scan(&r.ID, &seen, &r.Home, &r.Marked, &r.Asked, &r.told, &body); err != nil || body == nil {
			return r, err
		}
		r.Seen = at(seen)
		err := json.Unmarshal(body, &r.person.Member)
		r.there = r.person.Allows(member.Recognise)
		return r, err
	})
	if err != nil {
		return nil, err
	}
	tags, err := list(ctx, d, `SELECT t.member, t.hash, t.also, t.lost, t.card FROM member_tag AS t JOIN regular AS r ON r.member = t.member
		WHERE r.store = ? ORDER BY t.member, t.hash`, []any{id}, scanTag)
	if err != nil {
		return nil, err
	}
	for i := range all {
		tags = all[i].person.take(all[i].ID, tags)
	}
	return all, nil
}

// RosterOf is what a store is to know of its regulars: who visited it since a time, whose home it is, or who was marked for it;
// of more than limit, those who came last. The last two are for Change and SaveRoster.
func (d *DB) RosterOf(ctx context.Context, id string, since time.Time, limit int) ([]member.Member, ShopRoster, []Regular, error) {
	now, err := d.ShopRoster(ctx, id) // read first: what changes in between makes another roster
	if err != nil {
		return nil, now, nil, err
	}
	all, err := d.regulars(ctx, id)
	if err != nil {
		return nil, now, nil, err
	}
	others, err := d.others(ctx, "t.member IN (SELECT member FROM regular WHERE store = ?)", id)
	if err != nil {
		return nil, now, nil, err
	}
	was, err := d.formerly(ctx)
	if err != nil {
		return nil, now, nil, err
	}
	members := []member.Member{}
	for _, r := range chosen(all, since, limit) {
		m := r.person.apart(others)
		m.Was = was[r.ID]
		members = append(members, m)
	}
	return members, now, all, nil
}

// chosen are the regulars of a store, in order of their ids.
func chosen(all []Regular, since time.Time, limit int) []Regular {
	some := slices.DeleteFunc(slices.Clone(all), func(r Regular) bool {
		return !r.there || !r.Home && !r.Marked && r.Seen.Before(since)
	})
	if len(some) > limit {
		slices.SortStableFunc(some, func(x, y Regular) int { return y.Seen.Compare(x.Seen) })
		some = some[:limit]
		slices.SortFunc(some, func(x, y Regular) int { return cmp.Compare(x.ID, y.ID) })
	}
	return some
}

// other says of a tag that somebody else has it too: as the whole number of a card, or as a shorter form.
type other struct{ whole, short bool }

// others looks up who else has the tags of some members. which is a condition on member_tag t.
func (d *DB) others(ctx context.Context, which string, args ...any) (map[tag.ID]map[member.ID]other, error) {
	rows, err := list(ctx, d, `SELECT t.member, t.hash, max(1 - o.also), max(o.also) FROM member_tag AS t JOIN member_tag AS o
		ON o.hash = t.hash AND o.member <> t.member WHERE `+which+` GROUP BY t.member, t.hash`, args, func(r *sql.Rows) (struct {
		tagRow
		other
	}, error) {
		var row struct {
			tagRow
			other
		}
		var hash []byte
		err := r.Scan(&row.member, &hash, &row.whole, &row.short)
		copy(row.id[:], hash)
		return row, err
	})
	all := map[tag.ID]map[member.ID]other{}
	for _, r := range rows {
		if all[r.id] == nil {
			all[r.id] = map[member.ID]other{}
		}
		all[r.id][r.member] = r.other
	}
	return all, err
}

// apart is a member as a store knows them that does not know all others: a shorter form that is somebody else's whole number
// is theirs, and of one that somebody else has too it is said that it is nobody's.
func (p Person) apart(others map[tag.ID]map[member.ID]other) member.Member {
	whole := map[tag.ID]bool{}
	for _, id := range p.Tags {
		whole[id] = true
	}
	for _, id := range p.Also {
		whole[id] = whole[id] || others[id][p.ID].whole
	}
	m := p.known(whole)
	m.Tags = slices.DeleteFunc(m.Tags, func(id tag.ID) bool {
		shared := slices.Contains(p.Also, id) && others[id][p.ID].short
		if shared {
			m.Shared = append(m.Shared, id)
		}
		return shared
	})
	for _, id := range m.Shared {
		delete(m.Forms, id)
	}
	if len(m.Forms) == 0 {
		m.Forms = nil
	}
	return m
}

func sumOf(raw []byte) []byte {
	sum := sha256.Sum256(raw)
	return sum[:sumBytes]
}

// Change is what leads from what a store was told last to a roster, and whether there is anything in it. Somebody whom an answer
// told of counts, so that the store knows from when on its roster is the newer word.
func Change(all []Regular, next wire.Roster) (d wire.DeltaBody, any bool) {
	was := map[member.ID]Regular{}
	for _, r := range all {
		was[r.ID] = r
		any = any || r.Asked
	}
	d.Digest = next.Digest()
	for id, raw := range next.All() {
		if !bytes.Equal(was[id].told, sumOf(raw)) {
			d.Changed = append(d.Changed, raw)
		}
		delete(was, id)
	}
	for id, r := range was {
		if r.Told() || r.Asked {
			d.Gone = append(d.Gone, id)
		}
	}
	slices.Sort(d.Gone)
	return d, any || len(d.Changed)+len(d.Gone) > 0
}

// SaveRoster keeps a store's next roster before it hears of it. was is the one before, as RosterOf gave it: ErrChanged if another
// was kept meanwhile. A body of nil only notes that nothing has changed.
func (d *DB) SaveRoster(ctx context.Context, was, next ShopRoster, roster wire.Roster, body []byte, all []Regular) error {
	err := d.do(ctx, func(t *tx) error {
		if err := t.exec("INSERT INTO roster (store) VALUES (?) ON CONFLICT DO NOTHING", was.Store); err != nil {
			return err
		}
		n, err := t.affect(`UPDATE roster SET version = ?, digest = ?, members = ?, key = ?, made_at = ?, made_changes = ?, made_fresh = ?
			WHERE store = ? AND version = ?`, next.Version, next.Digest[:], next.Members, next.Key, ms(next.MadeAt), was.changes, was.fresh, was.Store, was.Version)
		if err != nil || n == 0 {
			return cmp.Or(err, ErrChanged)
		}
		if body == nil {
			return nil
		}
		if err := saveRosterStep(t, next, body); err != nil {
			return err
		}
		return noteTold(t, was.Store, roster, all)
	})
	if err != nil {
		return fmt.Errorf("keep the roster of store %s: %w", was.Store, err)
	}
	return nil
}

func saveRosterStep(t *tx, next ShopRoster, body []byte) error {
	err := t.exec("INSERT INTO roster_step (store, version, digest, body) VALUES (?, ?, ?, ?)", next.Store, next.Version, next.Digest[:], body)
	if err != nil {
		return err
	}
	return t.exec("DELETE FROM roster_step WHERE store = ? AND version <= ?", next.Store, int64(next.Version)-keepSteps)
}

// noteTold keeps what the store is told of each member, and lets go who is not to be known there any more.
func noteTold(t *tx, id string, roster wire.Roster, all []Regular) error {
	told := map[member.ID][]byte{}
	for who, raw := range roster.All() {
		told[who] = sumOf(raw)
	}
	for _, r := range all {
		sum, in := told[r.ID]
		var err error
		switch {
		case in && (r.Asked || !bytes.Equal(sum, r.told)):
			err = t.exec("UPDATE regular SET told = ?, asked = 0 WHERE store = ? AND member = ?", sum, id, string(r.ID))
		case !in && (r.Told() || r.Asked) && (r.Home || r.Marked):
			err = t.exec("UPDATE regular SET told = NULL, asked = 0 WHERE store = ? AND member = ?", id, string(r.ID))
		case !in && (r.Told() || r.Asked):
			err = t.exec("DELETE FROM regular WHERE store = ? AND member = ?", id, string(r.ID))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// RosterSteps lists the versions of a store's roster from one on (inclusive), oldest first.
func (d *DB) RosterSteps(ctx context.Context, id string, from uint64) ([]MembersStep, error) {
	return list(ctx, d, "SELECT version, digest, body FROM roster_step WHERE store = ? AND version >= ? ORDER BY version", []any{id, int64(from)}, scanStep)
}

// HighestRoster is the highest version that any store's own roster has had.
func (d *DB) HighestRoster(ctx context.Context) (uint64, error) {
	var n uint64
	err := d.reader.QueryRowContext(ctx, "SELECT coalesce(max(version), 0) FROM roster").Scan(&n)
	return n, err
}

// visited notes that a member was at a store.
func visited(t *tx, id, who string, when time.Time) error {
	if who == "" { // they were erased since
		return nil
	}
	return knowsOf(t, id, who, when, 0)
}

// knowsOf notes whom a store knows of from now on, and that its roster lacks them if it does.
func knowsOf(t *tx, id, who string, when time.Time, asked int) error {
	err := t.exec(`INSERT INTO regular (store, member, seen, asked) VALUES (?, ?, ?, ?)
		ON CONFLICT (store, member) DO UPDATE SET seen = max(regular.seen, excluded.seen), asked = max(regular.asked, excluded.asked)`, id, who, ms(when), asked)
	if err != nil {
		return err
	}
	return t.exec(`INSERT INTO roster (store, fresh) SELECT store, 1 FROM regular WHERE store = ? AND member = ? AND (told IS NULL OR asked = 1)
		ON CONFLICT (store) DO UPDATE SET fresh = roster.fresh + 1`, id, who)
}

// Answered notes that a store is told of a member in answer to a question: from then on it hears of changes.
func (d *DB) Answered(ctx context.Context, id string, who member.ID, now time.Time) error {
	return d.do(ctx, func(t *tx) error { return knowsOf(t, id, string(who), now, 1) })
}

// Mark makes a member a regular of a store whether they come or not, or no longer.
func (d *DB) Mark(ctx context.Context, id string, who member.ID, marked bool) error {
	err := d.do(ctx, func(t *tx) error {
		if known, err := hasMember(t, string(who)); err != nil || !known {
			return cmp.Or(err, ErrNotFound)
		}
		var there int
		if err := t.row("SELECT count(*) FROM store WHERE id = ?", []any{id}, &there); err != nil || there == 0 {
			return cmp.Or(err, ErrNotFound)
		}
		err := t.exec(`INSERT INTO regular (store, member, marked) VALUES (?, ?, ?)
			ON CONFLICT (store, member) DO UPDATE SET marked = excluded.marked`, id, string(who), marked)
		if err != nil {
			return err
		}
		return touchRoster(t, id)
	})
	if err != nil {
		return fmt.Errorf("mark a member for store %s: %w", id, err)
	}
	return nil
}

func touchRoster(t *tx, id string) error {
	return t.exec("INSERT INTO roster (store, changes) VALUES (?, 1) ON CONFLICT (store) DO UPDATE SET changes = roster.changes + 1", id)
}

// touchMember notes a change for all stores that know of a member, or of somebody who has one of their tags too. Call it before
// and after the change.
func touchMember(t *tx, who string) error {
	return t.exec(`UPDATE roster SET changes = changes + 1 WHERE store IN (SELECT store FROM regular WHERE member = ?)
		OR store IN (SELECT r.store FROM member_tag AS t JOIN member_tag AS o ON o.hash = t.hash JOIN regular AS r ON r.member = o.member WHERE t.member = ?)`, who, who)
}

// touchAllRosters is touchMember for many.
func touchAllRosters(t *tx) error { return t.exec("UPDATE roster SET changes = changes + 1") }

// RegularAt lists the stores that know of a member.
func (d *DB) RegularAt(ctx context.Context, who member.ID) ([]Regular, error) {
	return list(ctx, d, "SELECT store, member, seen, home, marked, asked, told FROM regular WHERE member = ? ORDER BY store", []any{string(who)},
		func(rows *sql.Rows) (Regular, error) {
			var r Regular
			var seen int64
			err := rows.Scan(&r.Store, &r.ID, &seen, &r.Home, &r.Marked, &r.Asked, &r.told)
			r.Seen = at(seen)
			return r, err
		})
}

// Carrier is whose a tag is, as a store is to know them that asks by the forms of its number, longest first. ErrNotFound: nobody's
// who may be recognised. Of a form that two have it is nobody's; a lost card's owner is named, with the card among the lost.
func (d *DB) Carrier(ctx context.Context, forms []tag.ID) (member.Member, error) {
	for _, form := range forms {
		who, err := d.owner(ctx, form)
		if err != nil || who == "" {
			if err != nil {
				return member.Member{}, err
			}
			continue
		}
		p, err := d.Member(ctx, who)
		if errors.Is(err, ErrNotFound) || err == nil && !p.Allows(member.Recognise) {
			return member.Member{}, ErrNotFound
		}
		if err != nil {
			return member.Member{}, err
		}
		others, err := d.others(ctx, "t.member = ?", string(who))
		return p.apart(others), err
	}
	return member.Member{}, ErrNotFound
}

// owner is whose a form of a number is; "" for nobody's. Whose whole number it is goes before whose shorter form.
func (d *DB) owner(ctx context.Context, form tag.ID) (member.ID, error) {
	rows, err := list(ctx, d, "SELECT member, hash, also, lost, card FROM member_tag WHERE hash = ? ORDER BY also LIMIT 3", []any{form[:]}, scanTag)
	if err != nil || len(rows) == 0 {
		return "", err
	}
	if rows[0].also && len(rows) > 1 {
		return "", nil
	}
	return rows[0].member, nil
}

// MembersIn counts all members.
func (d *DB) MembersIn(ctx context.Context) (n int, err error) {
	err = d.reader.QueryRowContext(ctx, "SELECT count(*) FROM member").Scan(&n)
	return n, err
}

// KnownTags lists the tags that stores may ask for: all forms of the numbers of who may be recognised, those of lost cards too,
// but no shorter form that is nobody's. The revision is the members' at which it is so.
func (d *DB) KnownTags(ctx context.Context) ([]tag.ID, int64, error) {
	revision, err := d.Revision(ctx, "members")
	if err != nil {
		return nil, 0, err
	}
	all, err := list(ctx, d, `SELECT t.hash FROM member_tag AS t JOIN member AS m ON m.id = t.member
		WHERE m.body LIKE '%"recognise"%' -- a name cannot hold a quotation mark that JSON does not escape
		GROUP BY t.hash HAVING min(t.also) = 0 OR count(*) = 1`, nil, func(r *sql.Rows) (tag.ID, error) {
		var id tag.ID
		var hash []byte
		err := r.Scan(&hash)
		copy(id[:], hash)
		return id, err
	})
	return all, revision, err
}

// SaveKnown keeps a snapshot of kind known with the files that it names, by their digests. A file of nil is there already.
func (d *DB) SaveKnown(ctx context.Context, p Published, files map[wire.Digest][]byte) error {
	err := d.do(ctx, func(t *tx) error {
		for _, digest := range slices.SortedFunc(maps.Keys(files), func(x, y wire.Digest) int { return slices.Compare(x[:], y[:]) }) {
			if err := keepKnown(t, digest, p.Version, files[digest]); err != nil {
				return err
			}
		}
		if err := t.exec("DELETE FROM known_file WHERE version <= ?", int64(p.Version)-keepPublished); err != nil {
			return err
		}
		return savePublished(t, p)
	})
	if err != nil {
		return fmt.Errorf("keep the known tags %d: %w", p.Version, err)
	}
	return nil
}

func keepKnown(t *tx, digest wire.Digest, version uint64, body []byte) error {
	if body == nil {
		return t.exec("UPDATE known_file SET version = ? WHERE digest = ?", version, digest[:])
	}
	return t.exec(`INSERT INTO known_file (digest, version, body) VALUES (?, ?, ?)
		ON CONFLICT (digest) DO UPDATE SET version = excluded.version`, digest[:], version, body)
}

// KnownFile is a file that a snapshot of kind known names; ErrNotFound if it is not there any more.
func (d *DB) KnownFile(ctx context.Context, digest wire.Digest) ([]byte, error) {
	var body []byte
	err := d.reader.QueryRowContext(ctx, "SELECT body FROM known_file WHERE digest = ?", digest[:]).Scan(&body)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ErrNotFound
	}
	return body, err
}
