package store

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"foyer/reader/tag"
	"foyer/shop/member"
	"foyer/sync/wire"
)

// lifeOf is what a store tells of a member with an unmistakable pseudonym.
func lifeOf(who string) []wire.Record {
	visit := fmt.Sprint("v-", len(who))
	return []wire.Record{
		wire.NewRecord(wire.VisitStarted, noon, wire.Visit{Visit: visit, Member: who, Zone: "door", Nth: 1}),
		wire.NewRecord(wire.GreetingDecided, noon, wire.Greeting{Visit: visit, Zone: "door", Named: true}),
		wire.NewRecord(wire.TagChanged, noon, wire.TagChange{Kind: "bound", Member: who, By: "Li", Marks: []wire.TagMark{{Tag: tag.ID{1, 2, 3}, State: "bound"}}}),
		wire.NewRecord(wire.BlockedSeen, noon, wire.BlockedTag{Zone: "door", Member: who}),
		wire.NewRecord(wire.VisitEnded, noon, wire.Visit{Visit: visit, Member: who, Zone: "door", Nth: 1, Seconds: 60}),
	}
}

func tell(t testing.TB, d *DB, first uint64, records ...wire.Record) Stored {
	t.Helper()
	s, err := d.Ingest(t.Context(), Batch{Store: "a", Epoch: "e", Lane: "main", First: first, SentAt: noon, Received: noon, Records: records})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// files is everything that stands in the database's folder.
func files(t testing.TB, path string) []byte {
	t.Helper()
	var all []byte
	names, err := filepath.Glob(path + "*")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, data...)
	}
	return all
}

func TestErasedIsGoneFromEveryTable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hq.db")
	d := reopen(t, path)
	if _, err := d.AddShop(t.Context(), Shop{ID: "a", NameEN: "A"}, noon.Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	const who = "m-unmistakable"
	people := []Person{
		{Member: member.Member{ID: who, Family: "欧阳不会错", Given: "Unmistakable", Tags: []tag.ID{{7, 7, 7}}, Consents: []member.Purpose{member.Recognise}}},
		{Member: member.Member{ID: "m-bob", Family: "Bob", Tags: []tag.ID{{8}}, Consents: []member.Purpose{}}},
	}
	if err := d.PutMembers(t.Context(), 0, people, noon); err != nil {
		t.Fatal(err)
	}
	records := append(lifeOf(who), lifeOf("m-bob")...)
	tell(t, d, 1, records...)
	if err := d.SavePublished(t.Context(), Published{Kind: "members", Version: 1, Revision: 1, Sealed: []byte("sealed: unmistakable"), MadeAt: noon,
		Step: &MembersStep{Version: 1, Body: []byte("unmistakable")}}); err != nil {
		t.Fatal(err)
	}
	before, err := d.Count(t.Context(), noon.Add(-time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	number, err := d.EraseMember(t.Context(), who, "asked by letter", noon)
	if err != nil || number != 1 {
		t.Fatalf("erasure %d, %v", number, err)
	}
	if n, err := d.SweepErasures(t.Context()); err != nil || n != 1 {
		t.Fatalf("swept %d, %v", n, err)
	}
	if found := files(t, path); bytes.Contains(found, []byte("nmistakable")) || bytes.Contains(found, []byte("欧阳不会错")) || bytes.Contains(found, []byte{7, 7, 7, 0, 0, 0}) {
		t.Error("the person is still in a file of the database")
	}
	after, err := d.Count(t.Context(), noon.Add(-time.Hour))
	if err != nil || after != before {
		t.Errorf("counts were %+v, are %+v, %v: want the visits to count on", before, after, err)
	}
	if _, err := d.Member(t.Context(), who); !errors.Is(err, ErrNotFound) {
		t.Errorf("the member: %v", err)
	}
	if visits, err := d.Visits(t.Context(), "", noon.Add(-time.Hour), 10); err != nil || len(visits) != 2 {
		t.Errorf("%d visits, %v", len(visits), err)
	}
	if events, err := d.CardEvents(t.Context(), "m-bob", 10); err != nil || len(events) != 2 {
		t.Errorf("Bob has %d events of cards, %v: want his own", len(events), err)
	}
	// What comes late, or again, brings nobody back, and is still the same record.
	if s := tell(t, d, 1, records...); s.Fork || s.Upto != 10 || s.New != 0 {
		t.Errorf("the same records again: %+v", s)
	}
	late := wire.NewRecord(wire.VisitStarted, noon, wire.Visit{Visit: "v-late", Member: who, Zone: "door", Nth: 2})
	if s := tell(t, d, 11, late, lifeOf(who)[2]); s.New != 2 {
		t.Errorf("late records: %+v", s)
	}
	if s := tell(t, d, 11, late); s.Fork || s.New != 0 {
		t.Errorf("a late record again: %+v", s)
	}
	if bytes.Contains(files(t, path), []byte("nmistakable")) {
		t.Error("a late record brought the person back")
	}
	if number, err := d.EraseMember(t.Context(), who, "", noon); err != nil || number != 1 {
		t.Errorf("erased again: %d, %v", number, err)
	}
	if _, err := d.EraseMember(t.Context(), "m-nobody", "", noon); !errors.Is(err, ErrNotFound) {
		t.Errorf("nobody: %v", err)
	}
	if gone, err := d.Erased(t.Context(), []member.ID{who, "m-bob"}); err != nil || len(gone) != 1 || !gone[who] {
		t.Errorf("erased are %v, %v", gone, err)
	}
	tell(t, d, 13, wire.NewRecord(wire.MemberErased, noon, wire.EraseReceipt{Erasure: 1}), wire.NewRecord(wire.MemberErased, noon, wire.EraseReceipt{Erasure: 99}))
	all, err := d.Erasures(t.Context())
	if err != nil || len(all) != 1 || !all[0].Swept || !all[0].Receipts["a"].Equal(noon) || all[0].Reason != "asked by letter" {
		t.Errorf("erasures %+v, %v", all, err)
	}
	body, revision, err := d.ErasuresBody(t.Context(), func(Erasure) bool { return true })
	if err != nil || revision != 1 || len(body.Erasures) != 1 || !body.Match(0)(who) || body.Match(0)("m-bob") || body.Match(1) != nil {
		t.Errorf("stores are told %+v of revision %d, %v", body, revision, err)
	}
}

// Records that stand there from before are cleared in pages, and a sweep that was cut off is done by the next one.
func TestSweepOfManyRecords(t *testing.T) {
	d := withShops(t, "a")
	for first := uint64(1); first < 5000; first += 250 {
		b := batch("a", "e", first, 250) // all of m-1
		if _, err := d.Ingest(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := d.EraseMember(t.Context(), "m-1", "", noon); err != nil {
		t.Fatal(err)
	}
	all, err := d.Erasures(t.Context())
	if err != nil || all[0].Swept {
		t.Fatalf("%+v, %v: want an erasure that is not swept", all, err)
	}
	if n, err := d.SweepErasures(t.Context()); n != 1 || err != nil {
		t.Errorf("swept %d, %v", n, err)
	}
	if n, err := d.SweepErasures(t.Context()); n != 0 || err != nil {
		t.Errorf("and again %d, %v", n, err)
	}
	rows, err := d.Records(t.Context(), "a", "", 1, 10_000)
	if err != nil || len(rows) != 5000 {
		t.Fatalf("%d records, %v", len(rows), err)
	}
	for _, r := range rows {
		if strings.Contains(string(r.Body), "m-1") {
			t.Fatalf("record %d is %s", r.Seq, r.Body)
		}
	}
}

// Every column that holds a member is known to an erasure.
func TestErasureKnowsEveryTable(t *testing.T) {
	d := open(t)
	if d.dialect != sqlite {
		t.Skip("both databases have the same tables")
	}
	known := map[string]bool{"erasure": true}
	for _, e := range erasedFrom {
		known[e.table] = true
	}
	tables, err := list(t.Context(), d, "SELECT m.name FROM sqlite_master AS m, pragma_table_info(m.name) AS c WHERE m.type = 'table' AND (c.name = 'member' OR c.name LIKE 'member\\_%' ESCAPE '\\')",
		nil, func(r *sql.Rows) (string, error) {
			var name string
			err := r.Scan(&name)
			return name, err
		})
	if err != nil || len(tables) < 3 {
		t.Fatalf("%v, %v", tables, err)
	}
	for _, name := range tables {
		if !known[name] {
			t.Errorf("table %s has a column for a member: say in erasedFrom what becomes of it when one is erased", name)
		}
	}
}

func FuzzScrub(f *testing.F) {
	for _, r := range lifeOf("m-1") {
		f.Add([]byte(r.Body))
	}
	f.Add([]byte(`{"a":[{"member":"m-1","tag":1}],"member":7}`))
	s := newScrub([]string{"m-1"})
	f.Fuzz(func(t *testing.T, body []byte) {
		clean, did := s.body(body)
		if !did {
			return
		}
		again, twice := s.body(clean)
		if twice || !bytes.Equal(again, clean) || !json.Valid(clean) {
			t.Fatalf("%q became %q, then %q", body, clean, again)
		}
	})
}
