package daemon

import (
	"path/filepath"
	"sync"
	"testing"
	"time"

	"foyer/reader/tag"
	"foyer/shop"
	"foyer/shop/binding"
	"foyer/shop/member"
	"foyer/shop/visit"
	"foyer/sync/journal"

	"github.com/google/go-cmp/cmp"
)

// What staff changed of the tags comes back from the journal, until it is settled.
func TestMarksComeBack(t *testing.T) {
	j, err := journal.Open(filepath.Join(t.TempDir(), "journal"), journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() { j.Run(t.Context()) })
	t.Cleanup(func() { running.Wait(); j.Close() })
	kept := newTestSafe(t, j)
	want := binding.Mark{Tag: tag.ID{1, 15: 9}, Member: "m-1", State: binding.IsBlocked, At: time.Date(2026, 6, 14, 12, 0, 0, 0, time.UTC), Over: "m-1"}
	write := func(b shop.Body) []binding.Mark {
		t.Helper()
		e, err := kept.entry(shop.Fact{At: want.At, Body: b})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := j.Append(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		got, err := kept.marks()
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	if diff := cmp.Diff([]binding.Mark{want}, write(shop.TagChanged{Change: binding.Change{Marks: []binding.Mark{want}}})); diff != "" {
		t.Error(diff)
	}
	if got := write(shop.TagsSettled{Tags: []tag.ID{want.Tag}}); len(got) != 0 {
		t.Errorf("settled marks are still there: %v", got)
	}
}

// Who is no member any more leaves no history in the journal's state.
func TestForgottenMembersLeaveNoHistory(t *testing.T) {
	j, err := journal.Open(filepath.Join(t.TempDir(), "journal"), journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() { j.Run(t.Context()) })
	t.Cleanup(func() { running.Wait(); j.Close() })
	kept := newTestSafe(t, j)
	write := func(f shop.Fact, want int) {
		t.Helper()
		e, err := kept.entry(f)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := j.Append(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		if left, err := kept.histories(); err != nil || len(left) != want {
			t.Errorf("%d histories, %v: want %d", len(left), err, want)
		}
	}
	at := time.Date(2026, 6, 14, 12, 0, 0, 0, time.UTC)
	write(shop.Fact{At: at, State: &visit.History{Member: "m-1", Count: 3}, Of: "m-1"}, 1)
	write(shop.Fact{At: at, State: &visit.History{Member: "m-2", Count: 1}, Of: "m-2"}, 2)
	write(shop.Fact{At: at, Body: shop.MembersForgotten{Members: []member.ID{"m-1"}}}, 1)
}
