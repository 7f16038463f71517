package store

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"foyer/shop/member"
	"foyer/sync/wire"
)

// Contact is how a member who joined at a store may be reached, as far as a page may show it.
type Contact struct {
	Store       string
	At          time.Time
	Masked      string    // "138****5678"
	Confirmed   time.Time // zero: nobody has made sure of the number
	ConfirmedBy string
}

// ConsentWord is one yes or no, with the words that it was given to.
type ConsentWord struct {
	Purpose member.Purpose
	Given   bool
	At      time.Time
	Wording string
	Store   string
}

// signedUp makes somebody a member who became one at a store. The store's word is checked as a file's would be; what does not
// make a member is kept as a record alone.
func signedUp(t *tx, store string, when time.Time, s wire.SignUp) error {
	m := member.Member{ID: member.ID(s.Member), Family: s.Family, Given: s.Given, Title: member.Title(s.Title), Language: s.Language,
		Since: when, ConsentText: s.Text, Consents: []member.Purpose{}}
	for _, c := range s.Consents {
		m.Consents = append(m.Consents, member.Purpose(c))
	}
	if member.Check([]member.Member{m}) != nil || !member.ValidPhone(s.Phone) {
		return nil
	}
	if known, err := hasMember(t, s.Member); err != nil || known {
		return err
	}
	if now, err := calledNow(t, s.Member); err != nil || now != s.Member {
		return err
	}
	if err := putMember(t, m, when); err != nil {
		return err
	}
	phone, err := phoneHash(t, s.Phone)
	if err != nil {
		return err
	}
	if err := t.exec("INSERT INTO contact (member, store, at, phone, masked) VALUES (?, ?, ?, ?, ?)",
		s.Member, store, ms(when), phone, member.MaskPhone(s.Phone)); err != nil {
		return err
	}
	for _, p := range member.Purposes {
		if err := t.exec("INSERT INTO consent_word (member, purpose, given, at, wording, store) VALUES (?, ?, ?, ?, ?, ?)",
			s.Member, string(p), slices.Contains(m.Consents, p), ms(when), clip(s.Text), store); err != nil {
			return err
		}
	}
	if err := visited(t, store, s.Member, when); err != nil { // the store is to be told of them, wherever members go
		return err
	}
	return touch(t, "members")
}

// phoneHash tells two numbers apart without saying them.
func phoneHash(t *tx, phone string) ([]byte, error) {
	fresh := make([]byte, 32)
	rand.Read(fresh) // never fails
	if err := t.exec("INSERT INTO phone_key (id, value) VALUES (1, ?) ON CONFLICT (id) DO NOTHING", fresh); err != nil {
		return nil, err
	}
	var key []byte
	if err := t.row("SELECT value FROM phone_key WHERE id = 1", nil, &key); err != nil {
		return nil, err
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(phone))
	return mac.Sum(nil), nil
}

// confirmed notes that staff made sure of a number. Where another member's number is the same, and was made sure of, the two
// are one person: the one who was there first. Before that nobody may be taken for somebody by writing their number.
func confirmed(t *tx, when time.Time, c wire.Confirmed) error {
	n, err := t.affect("UPDATE contact SET confirmed = ?, confirmed_by = ? WHERE member = ? AND confirmed = 0", ms(when), clip(c.By), c.Member)
	if err != nil || n == 0 {
		return err
	}
	var first string
	err = t.row(`SELECT o.member FROM contact AS n JOIN contact AS o ON o.phone = n.phone WHERE n.member = ? AND o.member <> n.member
		AND o.confirmed > 0 ORDER BY o.at, o.member LIMIT 1`, []any{c.Member}, &first)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil
	case err != nil:
		return err
	}
	return join(t, c.Member, first, when)
}

// join makes a newcomer the member who they already were: their latest word on consents and language stands, their cards are
// the member's, and what stores go on telling of them under the other name is the member's too.
func join(t *tx, who, first string, when time.Time) error {
	fresh, err := bareMember(t, who)
	if err != nil {
		return err
	}
	m, err := bareMember(t, first)
	if err != nil {
		return err
	}
	m.Consents, m.ConsentText, m.Language = fresh.Consents, fresh.ConsentText, fresh.Language
	if m.Family == "" && m.Given == "" {
		m.Family, m.Given, m.Title = fresh.Family, fresh.Given, fresh.Title
	}
	body, err := json.Marshal(m)
	if err != nil {
		return err
	}
	if err := touchMember(t, who); err != nil {
		return err
	}
	if err := moveCards(t, who, first); err != nil {
		return err
	}
	steps := []struct {
		query string
		args  []any
	}{
		{"UPDATE member SET body = ?, updated = ? WHERE id = ?", []any{string(body), ms(when), first}},
		{"UPDATE member_was SET member = ? WHERE member = ?", []any{first, who}},
		{"INSERT INTO member_was (was, member, at) VALUES (?, ?, ?)", []any{who, first, ms(when)}},
		{"UPDATE visit SET member = ? WHERE member = ?", []any{first, who}},
		{"UPDATE card_event SET member = ? WHERE member = ?", []any{first, who}},
		{"UPDATE consent_word SET member = ? WHERE member = ?", []any{first, who}},
		{`INSERT INTO regular (store, member, seen) SELECT store, ?, seen FROM regular WHERE member = ?
			ON CONFLICT (store, member) DO UPDATE SET seen = max(regular.seen, excluded.seen)`, []any{first, who}},
		{"DELETE FROM contact WHERE member = ?", []any{who}},
		{"DELETE FROM member WHERE id = ?", []any{who}},
	}
	for _, s := range steps {
		if err := t.exec(s.query, s.args...); err != nil {
			return err
		}
	}
	if err := touchMember(t, first); err != nil {
		return err
	}
	return touch(t, "members")
}

// moveCards gives a newcomer's cards to the member they are. Where that would be more than anybody may have, they stay nobody's.
func moveCards(t *tx, who, first string) error {
	var together int
	if err := t.row("SELECT count(*) FROM member_tag WHERE member IN (?, ?)", []any{who, first}, &together); err != nil {
		return err
	}
	if together > member.MaxTags {
		return nil
	}
	if err := t.exec("DELETE FROM member_tag WHERE member = ? AND hash IN (SELECT hash FROM member_tag WHERE member = ?)", who, first); err != nil {
		return err
	}
	return t.exec("UPDATE member_tag SET member = ? WHERE member = ?", first, who)
}

// bareMember is a member without cards.
func bareMember(t *tx, id string) (member.Member, error) {
	var body []byte
	var m member.Member
	if err := t.row("SELECT body FROM member WHERE id = ?", []any{id}, &body); err != nil {
		return m, err
	}
	return m, json.Unmarshal(body, &m)
}

// calledNow is the member's name today: a store may not have heard that it has changed.
func calledNow(t *tx, id string) (string, error) {
	var now string
	err := t.row("SELECT member FROM member_was WHERE was = ?", []any{id}, &now)
	if errors.Is(err, sql.ErrNoRows) {
		return id, nil
	}
	return now, err
}

// formerly lists what stores called members before, the newest names only: as many as a snapshot may hold.
func (d *DB) formerly(ctx context.Context) (map[member.ID][]member.ID, error) {
	was := map[member.ID][]member.ID{}
	_, err := list(ctx, d, "SELECT member, was FROM member_was ORDER BY at DESC, was", nil, func(r *sql.Rows) (struct{}, error) {
		var now, before member.ID
		err := r.Scan(&now, &before)
		if len(was[now]) < member.MaxWas {
			was[now] = append(was[now], before)
		}
		return struct{}{}, err
	})
	return was, err
}

// Contact tells how a member joined; ErrNotFound for who did not do so at a store.
func (d *DB) Contact(ctx context.Context, id member.ID) (Contact, error) {
	all, err := list(ctx, d, "SELECT store, at, masked, confirmed, confirmed_by FROM contact WHERE member = ?", []any{string(id)}, func(r *sql.Rows) (Contact, error) {
		var c Contact
		var joined, sure int64
		err := r.Scan(&c.Store, &joined, &c.Masked, &sure, &c.ConfirmedBy)
		c.At, c.Confirmed = at(joined), at(sure)
		return c, err
	})
	if err == nil && len(all) == 0 {
		return Contact{}, ErrNotFound
	}
	if err != nil {
		return Contact{}, err
	}
	return all[0], nil
}

// ConsentWords lists a member's words on what is allowed, newest first.
func (d *DB) ConsentWords(ctx context.Context, id member.ID, limit int) ([]ConsentWord, error) {
	return list(ctx, d, "SELECT purpose, given, at, wording, store FROM consent_word WHERE member = ? ORDER BY at DESC, id LIMIT ?",
		[]any{string(id), limit}, func(r *sql.Rows) (ConsentWord, error) {
			var c ConsentWord
			var when int64
			err := r.Scan(&c.Purpose, &c.Given, &when, &c.Wording, &c.Store)
			c.At = at(when)
			return c, err
		})
}
