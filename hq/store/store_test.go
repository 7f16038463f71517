package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"foyer/hq/store/storetest"
	"foyer/reader/tag"
	"foyer/shop/campaign"
	"foyer/shop/member"
	"foyer/sync/wire"
)

var noon = time.Date(2026, 9, 30, 12, 0, 0, 0, time.UTC)

func open(t testing.TB) *DB {
	t.Helper()
	return reopen(t, storetest.New(t))
}

func reopen(t testing.TB, path string) *DB {
	t.Helper()
	d, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func withShops(t testing.TB, ids ...string) *DB {
	d := open(t)
	for _, id := range ids {
		if _, err := d.AddShop(t.Context(), Shop{ID: id, NameEN: id}, noon); err != nil {
			t.Fatal(err)
		}
	}
	return d
}

// batch carries n visits, from sequence first on.
func batch(store, epoch string, first uint64, n int) Batch {
	b := Batch{Store: store, Epoch: epoch, Lane: "main", First: first, SentAt: noon, Received: noon.Add(time.Second)}
	for i := range n {
		seq := first + uint64(i)
		b.Records = append(b.Records, wire.NewRecord(wire.VisitStarted, noon, wire.Visit{Visit: fmt.Sprintf("%s-%d", epoch, seq), Member: "m-1", Zone: "door", Nth: 1}))
	}
	return b
}

func TestIngest(t *testing.T) {
	type step struct {
		batch Batch
		want  Stored
	}
	for name, steps := range map[string][]step{
		"in order": {
			{batch("a", "e", 1, 3), Stored{Upto: 3, Have: 3, New: 3, First: 1}}, {batch("a", "e", 4, 2), Stored{Upto: 5, Have: 5, New: 2, First: 4}}},
		"the same again": {
			{batch("a", "e", 1, 3), Stored{Upto: 3, Have: 3, New: 3, First: 1}}, {batch("a", "e", 1, 3), Stored{Upto: 3, Have: 3}}},
		"an older one": {
			{batch("a", "e", 1, 5), Stored{Upto: 5, Have: 5, New: 5, First: 1}}, {batch("a", "e", 2, 2), Stored{Upto: 3, Have: 5}}},
		"overlapping": {
			{batch("a", "e", 1, 3), Stored{Upto: 3, Have: 3, New: 3, First: 1}}, {batch("a", "e", 2, 4), Stored{Upto: 5, Have: 5, New: 2, First: 4}}},
		"a gap": {
			{batch("a", "e", 1, 2), Stored{Upto: 2, Have: 2, New: 2, First: 1}}, {batch("a", "e", 4, 2), Stored{Upto: 2, Have: 2}}, {batch("a", "e", 3, 3), Stored{Upto: 5, Have: 5, New: 3, First: 3}}},
		"a gap at the start": {
			{batch("a", "e", 2, 2), Stored{}}},
		"epochs do not touch": {
			{batch("a", "e", 1, 3), Stored{Upto: 3, Have: 3, New: 3, First: 1}}, {batch("a", "f", 1, 1), Stored{Upto: 1, Have: 1, New: 1, First: 1}}, {batch("a", "e", 4, 1), Stored{Upto: 4, Have: 4, New: 1, First: 4}}},
		"stores do not touch": {
			{batch("a", "e", 1, 3), Stored{Upto: 3, Have: 3, New: 3, First: 1}}, {batch("b", "e", 1, 1), Stored{Upto: 1, Have: 1, New: 1, First: 1}}},
	} {
		t.Run(name, func(t *testing.T) {
			d := withShops(t, "a", "b")
			total := 0
			for i, s := range steps {
				got, err := d.Ingest(t.Context(), s.batch)
				if err != nil || got != s.want {
					t.Fatalf("step %d gives %+v, %v: want %+v", i, got, err, s.want)
				}
				total += s.want.New
			}
			if n, err := d.RecordCount(t.Context(), ""); err != nil || n != total {
				t.Errorf("%d records are stored, %v: want %d", n, err, total)
			}
		})
	}
}

func TestIngestRefuses(t *testing.T) {
	d := withShops(t, "a")
	if _, err := d.Ingest(t.Context(), batch("nobody", "e", 1, 1)); !errors.Is(err, ErrUnknownStore) {
		t.Errorf("a store nobody added gives %v, want ErrUnknownStore", err)
	}
	for _, first := range []uint64{0, 1 << 63, ^uint64(0)} {
		b := batch("a", "e", 1, 1)
		b.First = first
		if s, err := d.Ingest(t.Context(), b); err == nil {
			t.Errorf("first sequence %d gives %+v, want an error", first, s)
		}
	}
	if n, _ := d.RecordCount(t.Context(), ""); n != 0 {
		t.Errorf("%d records are stored, want none", n)
	}
}

// A write that fails takes only itself with it, also when it shares its transaction with others.
func TestOneFailureInAGroup(t *testing.T) {
	d := withShops(t, "a")
	boom := errors.New("boom")
	var all sync.WaitGroup
	held, gate := make(chan struct{}), make(chan struct{})
	all.Go(func() { // holds the committer until the others wait together
		d.do(context.Background(), func(*tx) error { close(held); <-gate; return nil })
	})
	<-held
	errs := make([]error, 3)
	for i := range errs {
		all.Go(func() {
			errs[i] = d.do(context.Background(), func(t *tx) error {
				if _, err := ingest(t, batch("a", fmt.Sprint("e", i), 1, 2)); err != nil {
					return err
				}
				if i == 1 {
					return boom
				}
				return nil
			})
		})
	}
	for len(d.writers[0].jobs) < len(errs) {
		runtime.Gosched()
	}
	close(gate)
	all.Wait()
	if errs[0] != nil || !errors.Is(errs[1], boom) || errs[2] != nil {
		t.Fatalf("errors are %v, want only the second", errs)
	}
	for i, want := range []uint64{2, 0, 2} {
		if got, err := d.Watermark(t.Context(), "a", fmt.Sprint("e", i), "main"); err != nil || got != want {
			t.Errorf("epoch e%d is at %d, %v: want %d", i, got, err, want)
		}
	}
	if n, _ := d.RecordCount(t.Context(), ""); n != 4 {
		t.Errorf("%d records are stored, want 4", n)
	}
}

func TestNothingIsThrownAway(t *testing.T) {
	d := withShops(t, "a")
	in := wire.Batch{Epoch: "e", Lane: "main", First: 1, SentAt: noon, Records: []json.RawMessage{
		json.RawMessage(`{"k":"visit.started","at":"2026-09-30T12:00:00Z","b":{"visit":"v","member":"m"}}`),
		json.RawMessage(`"no record"`), json.RawMessage(`{"k":"visit.ended","at":"2026-09-30T12:00:00Z","b":"no visit"}`),
		json.RawMessage(`{"k":"from.the.future","at":"2026-09-30T12:00:00Z","b":{"x":1}}`)}}
	s, err := d.Ingest(t.Context(), NewBatch("a", in, noon))
	if err != nil || s.New != 4 {
		t.Fatalf("%+v, %v: want 4 new rows", s, err)
	}
	rows, err := d.Records(t.Context(), "a", "", 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	var kinds []wire.Kind
	for _, r := range rows {
		kinds = append(kinds, r.Kind)
	}
	if diff := cmp.Diff([]wire.Kind{wire.VisitStarted, Unreadable, wire.VisitEnded, "from.the.future"}, kinds); diff != "" {
		t.Error(diff)
	}
}

func TestVisitsAsRecordsTellThem(t *testing.T) {
	d := withShops(t, "a")
	at := func(s int) time.Time { return noon.Add(time.Duration(s) * time.Second) }
	b := Batch{Store: "a", Epoch: "e", Lane: "main", First: 1, SentAt: noon, Received: at(100), Records: []wire.Record{
		wire.NewRecord(wire.VisitStarted, at(0), wire.Visit{Visit: "v1", Member: "m-1", Zone: "door", Nth: 2}),
		wire.NewRecord(wire.GreetingDecided, at(0), wire.Greeting{Visit: "v1", Named: true, Campaign: "tea"}),
		wire.NewRecord(wire.GreetingDecided, at(1), wire.Greeting{Visit: "v1", Named: false}),
		wire.NewRecord(wire.CardClaimed, at(9), wire.Reception{Visit: "v1", By: "Lin", WaitedSeconds: 9}),
		wire.NewRecord(wire.CardServed, at(60), wire.Reception{Visit: "v1", By: "Lin", WaitedSeconds: 9}),
		wire.NewRecord(wire.VisitEnded, at(90), wire.Visit{Visit: "v1", Member: "m-1", Nth: 2, Seconds: 90}),
		wire.NewRecord(wire.VisitEnded, at(95), wire.Visit{Visit: "v0", Member: "m-2", Nth: 1, Seconds: 200}),
	}}
	if _, err := d.Ingest(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	got, err := d.Visits(t.Context(), "", noon.Add(-time.Hour), 10)
	if err != nil {
		t.Fatal(err)
	}
	want := []Visit{
		{Store: "a", Visit: "v1", Member: "m-1", Zone: "door", Nth: 2, Started: at(0), Ended: at(90), Named: true, Campaign: "tea",
			ClaimedBy: "Lin", ClaimedAt: at(9), ServedAt: at(60), Waited: 9 * time.Second},
		{Store: "a", Visit: "v0", Member: "m-2", Nth: 1, Started: at(-105), Ended: at(95)},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	counts, err := d.Count(t.Context(), noon.Add(-time.Hour))
	if diff := cmp.Diff(Counts{Visits: 2, Named: 1, Offered: 1, Claimed: 1, Waited: 9 * time.Second}, counts); err != nil || diff != "" {
		t.Error(err, diff)
	}
}

func TestTokens(t *testing.T) {
	d := withShops(t)
	token, err := d.AddShop(t.Context(), Shop{ID: "a", NameEN: "A"}, noon)
	if err != nil {
		t.Fatal(err)
	}
	check := func(id, token string, want bool) {
		t.Helper()
		if got, err := d.CheckToken(t.Context(), id, token); err != nil || got != want {
			t.Errorf("CheckToken(%s) = %t, %v: want %t", id, got, err, want)
		}
	}
	check("a", token, true)
	check("a", token+"x", false)
	check("a", "", false)
	check("b", token, false)
	if _, err := d.AddShop(t.Context(), Shop{ID: "a"}, noon); !errors.Is(err, ErrExists) {
		t.Errorf("adding it again gives %v, want ErrExists", err)
	}
	next, err := d.NewToken(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	check("a", token, false)
	check("a", next, true)
	if _, err := d.NewToken(t.Context(), "b"); !errors.Is(err, ErrNotFound) {
		t.Errorf("a new token for nobody gives %v, want ErrNotFound", err)
	}
}

func TestPeople(t *testing.T) {
	d := open(t)
	id := func(n byte) tag.ID { return tag.ID{n, 1} }
	person := func(name string, tags, also []tag.ID, consents ...member.Purpose) Person {
		return Person{Member: member.Member{ID: member.ID(name), Tags: tags, Family: name, Birthday: member.MonthDay{Month: 6, Day: 14}, Consents: consents}, Also: also}
	}
	put := func(revision int64, all ...Person) error { return d.PutMembers(t.Context(), revision, all, noon) }
	anna := person("m-a", []tag.ID{id(1)}, []tag.ID{id(9)}, member.Recognise)
	bob := person("m-b", []tag.ID{id(2)}, []tag.ID{id(8), id(9)}, member.Recognise, member.Marketing)
	quiet := person("m-c", []tag.ID{id(3)}, nil)
	quiet.Consents = []member.Purpose{}
	if err := put(0, anna, bob, quiet); err != nil {
		t.Fatal(err)
	}
	got, err := d.Members(t.Context(), "", -1)
	if diff := cmp.Diff([]Person{anna, bob, quiet}, got); err != nil || diff != "" {
		t.Fatal(err, diff)
	}
	all, revision, err := d.Roster(t.Context())
	if err != nil || revision != 1 {
		t.Fatalf("revision %d, %v: want 1", revision, err)
	}
	bob.Tags, bob.Forms = append(bob.Tags, id(8), id(9)), member.Forms{id(8): id(2), id(9): id(2)} // the 9 is Anna's as well; m-c is a stranger
	anna.Tags, anna.Forms = append(anna.Tags, id(9)), member.Forms{id(9): id(1)}
	if diff := cmp.Diff([]member.Member{anna.Member, bob.Member}, all); diff != "" {
		t.Error(diff)
	}
	if err := put(0, anna); !errors.Is(err, ErrChanged) {
		t.Errorf("an old revision gives %v, want ErrChanged", err)
	}
	if err := put(1, person("m-d", []tag.ID{id(1)}, nil)); err == nil {
		t.Error("a second owner of a tag is stored, want an error")
	}
	if n, by, err := d.MemberCount(t.Context()); err != nil || n != 3 || by[member.Recognise] != 2 || by[member.Marketing] != 1 {
		t.Errorf("%d members with %v, %v: want 3, 2 recognised, 1 marketing", n, by, err)
	}
	anna.Tags, bob.Tags, bob.Also = []tag.ID{id(2)}, []tag.ID{id(1)}, nil // they swap cards
	if err := put(1, anna, bob); err != nil {
		t.Errorf("cards cannot be swapped: %v", err)
	}
}

func TestPlansAndSnapshots(t *testing.T) {
	d := open(t)
	ctx := t.Context()
	c := campaign.Campaign{ID: "tea", Name: "Tea", Audience: "true", Starts: noon, Ends: noon.AddDate(0, 1, 0)}
	if err := d.SavePlan(ctx, c, noon); err != nil {
		t.Fatal(err)
	}
	if live, revision, err := d.LiveCampaigns(ctx); err != nil || len(live) != 0 || revision != 0 {
		t.Fatalf("a draft is live: %v at %d, %v", live, revision, err)
	}
	if err := d.PushPlan(ctx, c, noon); err != nil {
		t.Fatal(err)
	}
	edited := c
	edited.Name = "Tea, edited"
	if err := d.SavePlan(ctx, edited, noon); err != nil {
		t.Fatal(err)
	}
	live, revision, err := d.LiveCampaigns(ctx)
	if diff := cmp.Diff([]campaign.Campaign{c}, live); err != nil || diff != "" || revision != 1 {
		t.Fatal("editing changed what is live", err, diff, revision)
	}
	version := func(want uint64) {
		t.Helper()
		if p, err := d.Plan(ctx, "tea"); err != nil || p.Version != want {
			t.Errorf("the plan is at version %d, %v: want %d", p.Version, err, want)
		}
	}
	publish := func(v uint64, revision int64) {
		t.Helper()
		if err := d.SavePublished(ctx, Published{Kind: "campaigns", Version: v, Revision: revision, Sealed: []byte{1}, MadeAt: noon}); err != nil {
			t.Fatal(err)
		}
	}
	publish(1, 0) // made before the push
	version(0)
	publish(2, 1)
	version(2)
	if err := d.SavePublished(ctx, Published{Kind: "campaigns", Version: 2, Sealed: []byte{2}}); err == nil {
		t.Error("a version is published twice, want an error")
	}
	if err := d.EndPlan(ctx, "tea", noon); err != nil {
		t.Fatal(err)
	}
	publish(3, 2)
	version(3)
	if err := d.EndPlan(ctx, "tea", noon); !errors.Is(err, ErrNotFound) {
		t.Errorf("ending it again gives %v, want ErrNotFound", err)
	}
	if last, err := d.LastPublished(ctx, "campaigns"); err != nil || last.Version != 3 || last.Revision != 2 {
		t.Errorf("newest is %+v, %v: want version 3", last, err)
	}
}

func TestOpenRefusesANewerFile(t *testing.T) {
	path := storetest.New(t)
	d, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	newer := d.pick("PRAGMA user_version = 99", "UPDATE form SET steps = 99")
	if err := d.do(t.Context(), func(t *tx) error { return t.exec(newer) }); err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path); err == nil || !strings.Contains(err.Error(), "99") {
		t.Errorf("a newer file gives %v, want an error that names its form", err)
	}
	if IsURL(path) {
		return
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file has mode %v, %v: want 0600", info.Mode(), err)
	}
}

func TestClosedDatabaseRefuses(t *testing.T) {
	d := withShops(t, "a")
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Ingest(context.Background(), batch("a", "e", 1, 1)); !errors.Is(err, ErrClosed) {
		t.Errorf("ingest after Close gives %v, want ErrClosed", err)
	}
}

func TestAFileIsSoundAndDurable(t *testing.T) {
	d := reopen(t, filepath.Join(t.TempDir(), "hq.db"))
	var n int
	if err := d.reader.QueryRowContext(t.Context(), "PRAGMA user_version").Scan(&n); err != nil || n < 1 {
		t.Fatalf("form %d, %v", n, err)
	}
	var name sql.NullString
	if err := d.reader.QueryRowContext(t.Context(), "PRAGMA integrity_check").Scan(&name); err != nil || name.String != "ok" {
		t.Errorf("integrity: %v, %v", name, err)
	}
	for pragma, want := range map[string]int{"synchronous": 2, "foreign_keys": 1} {
		var got int
		if err := d.do(t.Context(), func(t *tx) error { return t.row("PRAGMA "+pragma, nil, &got) }); err != nil || got != want {
			t.Errorf("%s is %d, %v: want %d", pragma, got, err, want)
		}
	}
}
