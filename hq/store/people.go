package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"foyer/reader/tag"
	"foyer/shop/member"
)

// ErrChanged is returned when what an import was checked against is no longer so.
var ErrChanged = errors.New("members have changed since the file was checked: check it again")

// Person is a member at headquarters: Tags are the numbers of their cards, Also the shorter forms of these numbers, and
// Blocked both of the cards that were lost. Forms tells of each shorter form whose it is, where that was noted.
type Person struct {
	member.Member
	Also []tag.ID
}

// PutMembers adds or replaces members, all or none, if the members' revision is still the one they were checked against.
// A tag that belongs to a member outside the list is an error.
func (d *DB) PutMembers(ctx context.Context, revision int64, all []Person, now time.Time) error {
	err := d.do(ctx, func(t *tx) error {
		var have int64
		if err := t.row("SELECT revision FROM content WHERE kind = 'members'", nil, &have); err != nil {
			return err
		}
		if have != revision {
			return ErrChanged
		}
		if err := touchMembers(t, all); err != nil {
			return err
		}
		for _, p := range all { // first all rows and no tags: a tag may move from one member of the list to another
			if err := putMember(t, p.Member, now); err != nil {
				return err
			}
		}
		for _, p := range all {
			if err := putTags(t, p); err != nil {
				return err
			}
		}
		if err := touchMembers(t, all); err != nil {
			return err
		}
		return touch(t, "members")
	})
	if err != nil {
		return fmt.Errorf("store members: %w", err)
	}
	return nil
}

// many is from how many members on it is quicker to look at all stores' rosters than at those of each.
const many = 2000

// touchMembers notes a change of members for the stores that know of them: call it before and after.
func touchMembers(t *tx, all []Person) error {
	if len(all) > many {
		return touchAllRosters(t)
	}
	for _, p := range all {
		if err := touchMember(t, string(p.ID)); err != nil {
			return err
		}
	}
	return nil
}

func putTags(t *tx, p Person) error {
	put := func(id tag.ID, also, lost bool) error {
		card := any(nil)
		if of := p.Forms[id]; !of.IsZero() {
			also, card = true, of[:]
		}
		err := t.exec("INSERT INTO member_tag (hash, member, also, card, lost) VALUES (?, ?, ?, ?, ?)", id[:], string(p.ID), also, card, lost)
		if err != nil {
			return fmt.Errorf("a tag of the list belongs to another member: %w", err)
		}
		return nil
	}
	for i, ids := range [][]tag.ID{p.Tags, p.Also, p.Blocked} {
		for _, id := range ids {
			if err := put(id, i == 1, i == 2); err != nil {
				return err
			}
		}
	}
	return nil
}

func putMember(t *tx, m member.Member, now time.Time) error {
	bare := m
	bare.Tags, bare.Blocked, bare.Forms = nil, nil, nil
	body, err := json.Marshal(bare)
	if err != nil {
		return err
	}
	err = t.exec(`INSERT INTO member (id, body, updated) VALUES (?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET body = excluded.body, updated = excluded.updated`, string(m.ID), string(body), ms(now))
	if err != nil {
		return err
	}
	return t.exec("DELETE FROM member_tag WHERE member = ?", string(m.ID))
}

// touch counts a change of what a kind of snapshot is made of: it is the chain's.
func touch(t *tx, kind string) error {
	if err := t.own(); err != nil {
		return err
	}
	return t.exec("UPDATE content SET revision = revision + 1 WHERE kind = ?", kind)
}

// Revision counts the changes of what a kind of snapshot is made of.
func (d *DB) Revision(ctx context.Context, kind string) (int64, error) {
	var n int64
	err := d.reader.QueryRowContext(ctx, "SELECT revision FROM content WHERE kind = ?", kind).Scan(&n)
	return n, err
}

// Members lists members by ID, from one ID on (exclusive), at most limit; a negative limit is none.
func (d *DB) Members(ctx context.Context, after member.ID, limit int) ([]Person, error) {
	all, err := list(ctx, d, "SELECT body FROM member WHERE id > ? ORDER BY id LIMIT ?", []any{string(after), limited(limit)}, scanPerson)
	if err != nil || len(all) == 0 {
		return all, err
	}
	return all, d.addTags(ctx, all)
}

func scanPerson(r *sql.Rows) (Person, error) {
	var body []byte
	var p Person
	if err := r.Scan(&body); err != nil {
		return p, err
	}
	return p, json.Unmarshal(body, &p.Member)
}

type tagRow struct {
	member member.ID
	id     tag.ID
	also   bool
	lost   bool
	card   tag.ID // of which it is a shorter form, or zero
}

// addTags fills in the tags of members that are sorted by ID.
func (d *DB) addTags(ctx context.Context, all []Person) error {
	tags, err := list(ctx, d, "SELECT member, hash, also, lost, card FROM member_tag WHERE member BETWEEN ? AND ? ORDER BY member, hash",
		[]any{string(all[0].ID), string(all[len(all)-1].ID)}, scanTag)
	if err != nil {
		return err
	}
	for i := range all {
		tags = all[i].take(all[i].ID, tags)
	}
	return nil
}

func scanTag(r *sql.Rows) (tagRow, error) {
	var t tagRow
	var hash, card []byte
	err := r.Scan(&t.member, &hash, &t.also, &t.lost, &card)
	copy(t.id[:], hash)
	copy(t.card[:], card)
	return t, err
}

// take fills in a member's tags from rows that are sorted by member, and returns those that follow.
func (p *Person) take(id member.ID, tags []tagRow) []tagRow {
	for ; len(tags) > 0 && tags[0].member <= id; tags = tags[1:] { // < is of somebody who came or went in between
		if tags[0].member == id {
			p.add(tags[0])
		}
	}
	return tags
}

func (p *Person) add(t tagRow) {
	switch {
	case t.lost:
		p.Blocked = append(p.Blocked, t.id)
	case t.also:
		p.Also = append(p.Also, t.id)
	default:
		p.Tags = append(p.Tags, t.id)
	}
	if t.card.IsZero() {
		return
	}
	if p.Forms == nil {
		p.Forms = member.Forms{}
	}
	p.Forms[t.id] = t.card
}

// Roster is what stores are to know of members, and the revision at which it is so. Who did not allow to be recognised is a
// stranger: no store hears of them. A shorter form of a number that two members share is told of both, so that stores know it
// is nobody's: better a stranger than the wrong name. One that is the whole number of somebody else's card is theirs.
func (d *DB) Roster(ctx context.Context) ([]member.Member, int64, error) {
	revision, err := d.Revision(ctx, "members") // read first: a change in between gives a newer revision and another snapshot
	if err != nil {
		return nil, 0, err
	}
	people, err := d.Members(ctx, "", -1)
	if err != nil {
		return nil, 0, err
	}
	was, err := d.formerly(ctx)
	if err != nil {
		return nil, 0, err
	}
	whole := map[tag.ID]bool{}
	for _, p := range people {
		for _, id := range p.Tags {
			whole[id] = true
		}
	}
	all := []member.Member{}
	for _, p := range people {
		if !p.Allows(member.Recognise) {
			continue
		}
		m := p.known(whole)
		m.Was = was[p.ID]
		all = append(all, m)
	}
	return all, revision, nil
}

// known is a member as stores know them: whole are the numbers of all cards.
func (p Person) known(whole map[tag.ID]bool) member.Member {
	m := p.Member
	m.Forms = member.Forms{}
	form := func(id tag.ID) {
		if of := p.Forms[id]; !of.IsZero() {
			m.Forms[id] = of
		} else if len(p.Tags) == 1 && len(p.Blocked) == 0 { // it was not noted, but there is one card alone
			m.Forms[id] = p.Tags[0]
		}
	}
	for _, id := range p.Blocked {
		if !p.Forms[id].IsZero() {
			form(id)
		}
	}
	m.Tags = slices.Clone(p.Tags)
	for _, id := range p.Also {
		if !whole[id] {
			m.Tags = append(m.Tags, id)
			form(id)
		}
	}
	if len(m.Forms) == 0 {
		m.Forms = nil
	}
	return m
}

// MemberCount counts members: all, and those who gave each consent.
func (d *DB) MemberCount(ctx context.Context) (int, map[member.Purpose]int, error) {
	var n int
	if err := d.reader.QueryRowContext(ctx, "SELECT count(*) FROM member").Scan(&n); err != nil {
		return 0, nil, err
	}
	by := map[member.Purpose]int{}
	_, err := list(ctx, d, d.pick("SELECT c.value, count(*) FROM member, json_each(member.body, '$.consents') AS c GROUP BY c.value",
		`SELECT c.value, count(*) FROM member, json_array_elements_text(CASE json_typeof(member.body::JSON -> 'consents') WHEN 'array'
			THEN member.body::JSON -> 'consents' ELSE '[]' END) AS c(value) GROUP BY c.value`), nil,
		func(r *sql.Rows) (struct{}, error) {
			var p member.Purpose
			var k int
			err := r.Scan(&p, &k)
			by[p] = k
			return struct{}{}, err
		})
	return n, by, err
}
