package store

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"foyer/hq/store/storetest"
	"foyer/reader/tag"
	"foyer/shop/member"
	"foyer/sync/wire"
)

func TestCopy(t *testing.T) {
	file := filepath.Join(t.TempDir(), "hq.db")
	d := reopen(t, file)
	if _, err := d.AddShop(t.Context(), Shop{ID: "a", NameZH: "北店"}, noon); err != nil {
		t.Fatal(err)
	}
	people := []Person{{Member: member.Member{ID: "m", Family: "王", Tags: []tag.ID{{1}, {2}}, Consents: []member.Purpose{member.Recognise}}}}
	if err := d.PutMembers(t.Context(), 0, people, noon); err != nil {
		t.Fatal(err)
	}
	b := batch("a", "e", 1, 300)
	b.Records[7] = wire.Record{Kind: Unreadable, At: noon, Body: []byte{0, 0xff}}
	b.Records[8] = wire.NewRecord(wire.TagChanged, noon, wire.TagChange{Kind: "bound", Member: "m", By: "Li", Marks: []wire.TagMark{{Tag: tag.ID{3}, State: tagBound}}})
	if _, err := d.Ingest(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	if err := d.SavePublished(t.Context(), Published{Kind: wire.Members, Version: 1, Sealed: []byte{1}, MadeAt: noon, Step: &MembersStep{Version: 1, Body: []byte{}}}); err != nil {
		t.Fatal(err)
	}
	if err := d.do(t.Context(), func(t *tx) error { // as an older program let it in
		return t.exec("UPDATE visit SET zone = 'a' || char(0) || 'b' WHERE visit = 'e-3'")
	}); err != nil {
		t.Fatal(err)
	}
	url := storetest.Postgres(t)
	done, err := Copy(t.Context(), file, url)
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]int64{}
	for _, c := range done {
		counts[c.Table] = c.Rows
	}
	for table, want := range map[string]int64{"store": 1, "record": 300, "visit": 298, "member": 1, "member_tag": 3, "card_event": 1, "watermark": 1} {
		if counts[table] != want {
			t.Errorf("%s has %d rows, want %d", table, counts[table], want)
		}
	}
	to := reopen(t, url)
	for what, read := range map[string]func(*DB) (any, error){
		"people":  func(d *DB) (any, error) { return d.Members(t.Context(), "", -1) },
		"records": func(d *DB) (any, error) { return d.Records(t.Context(), "a", "", 0, 1000) },
		"shops":   func(d *DB) (any, error) { return d.Shops(t.Context()) },
		"cards":   func(d *DB) (any, error) { return d.CardEvents(t.Context(), "m", 10) },
		"lanes":   func(d *DB) (any, error) { return d.Lanes(t.Context()) },
		"content": func(d *DB) (any, error) { return d.Revision(t.Context(), wire.Members) },
	} {
		want, err1 := read(d)
		got, err2 := read(to)
		if diff := cmp.Diff(want, got); err1 != nil || err2 != nil || diff != "" {
			t.Errorf("%s: %v, %v, %s", what, err1, err2, diff)
		}
	}
	// It goes on where the file ended, also with what counts by itself.
	next := batch("a", "e", 301, 1)
	next.Records[0] = b.Records[8]
	if s, err := to.Ingest(t.Context(), next); err != nil || s.New != 1 {
		t.Errorf("the next batch gives %+v, %v", s, err)
	}
	if _, err := Copy(t.Context(), file, url); !errors.Is(err, ErrNotEmpty) {
		t.Errorf("a second copy gives %v, want ErrNotEmpty", err)
	}
}

func TestCopyRefuses(t *testing.T) {
	if _, err := Copy(t.Context(), t.TempDir(), storetest.Postgres(t)); err == nil {
		t.Error("a folder is copied")
	}
	file := filepath.Join(t.TempDir(), "hq.db")
	reopen(t, file)
	if _, err := Copy(t.Context(), file, "postgres://x:hidden@127.0.0.1:1/x"); err == nil || strings.Contains(err.Error(), "hidden") {
		t.Errorf("no server gives %v", err)
	}
}
