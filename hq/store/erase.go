package store

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"foyer/shop/member"
	"foyer/sync/wire"
)

// MaxReason is the longest reason of an erasure, in bytes.
const MaxReason = 200

// Erasure is one person who was erased.
type Erasure struct {
	Number   uint64
	At       time.Time
	Reason   string
	Swept    bool                 // the pseudonym is out of the last record
	Receipts map[string]time.Time // store -> when it said that nothing is left there
}

// erasedFrom says what becomes of the rows that are of a person. Every table with a column for a member has a line here.
var erasedFrom = []struct{ table, sql string }{
	{"member_tag", "DELETE FROM member_tag WHERE member = ?"},
	{"member", "DELETE FROM member WHERE id = ?"},
	{"visit", "UPDATE visit SET member = '' WHERE member = ?"}, // the visit counts on, and is nobody's
	{"card_event", "DELETE FROM card_event WHERE member = ?"},
	{"regular", "DELETE FROM regular WHERE member = ?"},
	{"contact", "DELETE FROM contact WHERE member = ?"},
	{"member_was", "DELETE FROM member_was WHERE member = ?"},
	{"consent_word", "UPDATE consent_word SET member = '' WHERE member = ?"}, // that it was given counts on
}

// EraseMember takes a person out of every table but the records, and notes that they were erased, all at once. SweepErasures takes
// them out of the records. Who was erased already keeps the number of then; ErrNotFound for who never was there.
func (d *DB) EraseMember(ctx context.Context, id member.ID, reason string, now time.Time) (number uint64, err error) {
	err = d.do(ctx, func(t *tx) (err error) {
		number, err = eraseMember(t, string(id), reason, now)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("erase a member: %w", err)
	}
	return number, nil
}

func eraseMember(t *tx, id, reason string, now time.Time) (uint64, error) {
	salt, err := saltOf(t)
	if err != nil {
		return 0, err
	}
	who := salt.Of(id)
	var number uint64
	err = t.row("SELECT number FROM erasure WHERE who = ?", []any{who[:]}, &number)
	if !errors.Is(err, sql.ErrNoRows) {
		return number, err
	}
	var known int
	err = t.row(`SELECT (SELECT count(*) FROM member WHERE id = ?) + (SELECT count(*) FROM visit WHERE member = ?) +
		(SELECT count(*) FROM card_event WHERE member = ?)`, []any{id, id, id}, &known)
	if err == nil && known == 0 {
		err = ErrNotFound
	}
	if err == nil {
		err = t.row("SELECT coalesce(max(number), 0) + 1 FROM erasure", nil, &number)
	}
	if err != nil {
		return 0, err
	}
	var was []string // what stores called the same person before
	err = t.rows("SELECT was FROM member_was WHERE member = ?", []any{id}, func(scan func(...any) error) error {
		var name string
		err := scan(&name)
		was = append(was, name)
		return err
	})
	if err == nil {
		err = erased(t, number, who, id, reason, now)
	}
	for i, name := range was {
		if err == nil {
			err = erased(t, number+1+uint64(i), salt.Of(name), name, reason, now)
		}
	}
	return number, err
}

func erased(t *tx, number uint64, who wire.Erased, id, reason string, now time.Time) error {
	err := t.exec("INSERT INTO erasure (number, who, member, at, reason) VALUES (?, ?, ?, ?, ?)", int64(number), who[:], id, ms(now), clip(reason))
	if err != nil {
		return err
	}
	if err := t.exec("DELETE FROM tag_word WHERE hash IN (SELECT hash FROM member_tag WHERE member = ?)", id); err != nil {
		return err
	}
	// A store's own members, and what leads to them: the next ones it is sent whole, for a change would name the person.
	if err := touchMember(t, id); err != nil {
		return err
	}
	if err := t.exec("DELETE FROM roster_step WHERE store IN (SELECT store FROM regular WHERE member = ?)", id); err != nil {
		return err
	}
	for _, from := range erasedFrom {
		if err := t.exec(from.sql, id); err != nil {
			return fmt.Errorf("%s: %w", from.table, err)
		}
	}
	// What stores were sent holds the person, and so would a change that leads from it: the next ones are sent all members.
	for _, err := range []error{t.exec("DELETE FROM members_delta"), t.exec("UPDATE published SET sealed = ? WHERE kind = 'members'", []byte{}),
		touch(t, "members"), touch(t, wire.Erasures)} {
		if err != nil {
			return err
		}
	}
	return nil
}

// saltOf is the chain's salt, made at the first erasure.
func saltOf(t *tx) (wire.Salt, error) {
	salt, err := readSalt(func(dest ...any) error { return t.row("SELECT salt FROM erasure_salt", nil, dest...) })
	if !errors.Is(err, sql.ErrNoRows) {
		return salt, err
	}
	rand.Read(salt[:])
	return salt, t.exec("INSERT INTO erasure_salt (salt) VALUES (?)", salt[:])
}

func readSalt(scan func(...any) error) (wire.Salt, error) {
	var raw []byte
	if err := scan(&raw); err != nil {
		return wire.Salt{}, err
	}
	if len(raw) != wire.SaltBytes {
		return wire.Salt{}, errors.New("the salt of erasures is damaged")
	}
	return wire.Salt(raw), nil
}

// Erased reports which of these members were erased.
func (d *DB) Erased(ctx context.Context, ids []member.ID) (map[member.ID]bool, error) {
	salt, err := readSalt(d.reader.QueryRowContext(ctx, "SELECT salt FROM erasure_salt").Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	gone, err := list(ctx, d, "SELECT who FROM erasure", nil, scanErased)
	if err != nil {
		return nil, err
	}
	all := make(map[wire.Erased]bool, len(gone))
	for _, who := range gone {
		all[who] = true
	}
	found := map[member.ID]bool{}
	for _, id := range ids {
		if all[salt.Of(string(id))] {
			found[id] = true
		}
	}
	return found, nil
}

func scanErased(r *sql.Rows) (wire.Erased, error) {
	var raw []byte
	if err := r.Scan(&raw); err != nil || len(raw) != len(wire.Erased{}) {
		return wire.Erased{}, errors.Join(err, fmt.Errorf("an erasure is damaged: %d bytes", len(raw)))
	}
	return wire.Erased(raw), nil
}

// Erasures lists all erasures with the stores' receipts, newest first.
func (d *DB) Erasures(ctx context.Context) ([]Erasure, error) {
	all, err := list(ctx, d, "SELECT number, at, reason, member FROM erasure ORDER BY number DESC", nil, func(r *sql.Rows) (Erasure, error) {
		e := Erasure{Receipts: map[string]time.Time{}}
		var when int64
		var left string
		err := r.Scan(&e.Number, &when, &e.Reason, &left)
		e.At, e.Swept = at(when), left == ""
		return e, err
	})
	if err != nil {
		return nil, err
	}
	byNumber := map[uint64]Erasure{}
	for _, e := range all {
		byNumber[e.Number] = e
	}
	type receipt struct {
		number uint64
		store  string
		at     int64
	}
	receipts, err := list(ctx, d, "SELECT number, store, at FROM erasure_receipt", nil, func(r *sql.Rows) (receipt, error) {
		var one receipt
		err := r.Scan(&one.number, &one.store, &one.at)
		return one, err
	})
	for _, r := range receipts {
		if e, known := byNumber[r.number]; known {
			e.Receipts[r.store] = at(r.at)
		}
	}
	return all, err
}

// ErasuresBody is what stores are to be told: the erasures that keep, and the revision at which it is so.
func (d *DB) ErasuresBody(ctx context.Context, keep func(Erasure) bool) (wire.ErasuresBody, int64, error) {
	body := wire.ErasuresBody{Erasures: []wire.Erasure{}}
	revision, err := d.Revision(ctx, wire.Erasures)
	if err != nil || revision == 0 {
		return body, revision, err
	}
	all, err := d.Erasures(ctx)
	if err != nil {
		return body, 0, err
	}
	kept := map[uint64]bool{}
	for _, e := range all {
		kept[e.Number] = len(kept) < wire.MaxErasures && keep(e)
	}
	if body.Salt, err = readSalt(d.reader.QueryRowContext(ctx, "SELECT salt FROM erasure_salt").Scan); err != nil {
		return body, 0, err
	}
	_, err = list(ctx, d, "SELECT number, who FROM erasure ORDER BY number", nil, func(r *sql.Rows) (struct{}, error) {
		var e wire.Erasure
		var raw []byte
		err := r.Scan(&e.Number, &raw)
		if copy(e.Who[:], raw); kept[e.Number] {
			body.Erasures = append(body.Erasures, e)
		}
		return struct{}{}, err
	})
	return body, revision, err
}

// sweepPage is how many records are looked through, and changed, at once.
const sweepPage = 2000

// SweepErasures takes those who were erased out of the records that were stored before, and then out of the file's free space. It
// goes on where it was cut off, and returns how many erasures it ended.
func (d *DB) SweepErasures(ctx context.Context) (int, error) {
	type task struct {
		number uint64
		member string
	}
	tasks, err := list(ctx, d, "SELECT number, member FROM erasure WHERE member <> '' ORDER BY number", nil, func(r *sql.Rows) (task, error) {
		var one task
		err := r.Scan(&one.number, &one.member)
		return one, err
	})
	if err != nil || len(tasks) == 0 {
		return 0, err
	}
	var who []string
	for _, t := range tasks {
		who = append(who, t.member)
	}
	if err := d.sweepRecords(ctx, newScrub(who)); err != nil {
		return 0, fmt.Errorf("take who was erased out of the records: %w", err)
	}
	for _, t := range tasks {
		err := d.do(ctx, func(x *tx) error {
			// Why a store refused something may name a member.
			if err := x.exec("UPDATE applied SET why = '' WHERE lower(why) LIKE lower(?)", "%"+t.member+"%"); err != nil {
				return err
			}
			return x.exec("UPDATE erasure SET member = '' WHERE number = ?", int64(t.number))
		})
		if err != nil {
			return 0, err
		}
	}
	if d.tidy == nil { // PostgreSQL cleans up by itself
		return len(tasks), nil
	}
	return len(tasks), d.tidy(ctx)
}

func (d *DB) sweepRecords(ctx context.Context, s scrub) error {
	at := recordPlace{}
	for {
		page, err := list(ctx, d, `SELECT store, epoch, lane, seq, body FROM record WHERE (store, epoch, lane, seq) > (?, ?, ?, ?)
			ORDER BY store, epoch, lane, seq LIMIT ?`, []any{at.store, at.epoch, at.lane, at.seq, sweepPage}, func(r *sql.Rows) (recordPlace, error) {
			var p recordPlace
			err := r.Scan(&p.store, &p.epoch, &p.lane, &p.seq, &p.body)
			return p, err
		})
		if err != nil || len(page) == 0 {
			return err
		}
		at = page[len(page)-1]
		changed := page[:0:0]
		for _, p := range page {
			if body, did := s.body(p.body); did {
				p.body = body
				changed = append(changed, p)
			}
		}
		if len(changed) == 0 {
			continue
		}
		err = d.do(ctx, func(t *tx) error {
			for _, p := range changed {
				err := t.exec("UPDATE record SET body = ? WHERE store = ? AND epoch = ? AND lane = ? AND seq = ?", p.body, p.store, p.epoch, p.lane, p.seq)
				if err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
}

type recordPlace struct {
	store, epoch, lane string
	seq                int64
	body               []byte
}

// scrub takes members out of records. The same record always becomes the same.
type scrub struct {
	is  func(member string) bool
	any bool
}

func newScrub(members []string) scrub {
	gone := map[string]bool{}
	for _, m := range members {
		gone[m] = true
	}
	return scrub{func(m string) bool { return gone[m] }, len(gone) > 0}
}

// scrubIn asks the database who was erased.
func scrubIn(t *tx) (scrub, error) {
	salt, err := readSalt(func(dest ...any) error { return t.row("SELECT salt FROM erasure_salt", nil, dest...) })
	if errors.Is(err, sql.ErrNoRows) {
		return scrub{}, nil
	}
	if err != nil {
		return scrub{}, err
	}
	answers := map[string]bool{}
	return scrub{any: true, is: func(m string) bool {
		gone, asked := answers[m]
		if !asked {
			who, n := salt.Of(m), 0
			gone = t.row("SELECT count(*) FROM erasure WHERE who = ?", []any{who[:]}, &n) == nil && n > 0
			answers[m] = gone
		}
		return gone
	}}, nil
}

var namesMember = []byte(`"member"`)

// body takes the members out of a record's body, and with each what says which cards were theirs.
func (s scrub) body(body []byte) (clean []byte, did bool) {
	if !s.any || !bytes.Contains(body, namesMember) {
		return body, false
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil || !s.value(v) {
		return body, false
	}
	clean, err := json.Marshal(v)
	return clean, err == nil
}

// keptOfErased is what stays of a record that was of a person: that it happened.
var keptOfErased = map[string]bool{"member": true, "visit": true, "zone": true, "nth": true, "seconds": true, "kind": true, "reason": true, "by": true,
	"proved": true, "waited_seconds": true, "clash": true, "purpose": true, "given": true}

func (s scrub) value(v any) (did bool) {
	switch v := v.(type) {
	case []any:
		for _, one := range v {
			did = s.value(one) || did
		}
	case map[string]any:
		if m, ok := v["member"].(string); ok && m != "" && s.is(m) {
			v["member"], did = "", true
			for key := range v {
				if !keptOfErased[key] {
					delete(v, key)
				}
			}
		}
		for _, one := range v {
			did = s.value(one) || did
		}
	}
	return did
}

// records scrubs the records of a batch.
func (s scrub) records(all []wire.Record) []wire.Record {
	if !s.any {
		return all
	}
	out := make([]wire.Record, len(all))
	for i, r := range all {
		if body, did := s.body(r.Body); did {
			r.Body = body
		}
		out[i] = r
	}
	return out
}

func erasureReceipt(t *tx, store string, when time.Time, r wire.EraseReceipt) error {
	return t.exec("INSERT INTO erasure_receipt (number, store, at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", int64(min(r.Erasure, 1<<62)), store, ms(when))
}

// vacuumAbove is the size in bytes of a file that is not written anew after an erasure: that would keep stores waiting for long.
// What is deleted is overwritten in any case; what is left are copies that were made while rows moved.
const vacuumAbove = 256 << 20

// tidySQLite takes what was deleted out of the file's free space, and out of the log beside it.
func tidySQLite(ctx context.Context, path string) error {
	db, err := dial(path, 1)
	if err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err == nil && info.Size() <= vacuumAbove {
		_, err = db.ExecContext(ctx, "VACUUM")
	}
	if err == nil {
		_, err = db.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)")
	}
	if err = errors.Join(err, db.Close()); err != nil {
		return fmt.Errorf("take what was erased out of the free space of %s: %w", path, err)
	}
	return nil
}
