package store

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"foyer/reader/tag"
	"foyer/shop/member"
	"foyer/sync/wire"
)

func num(n byte) tag.ID { return tag.ID{n, 1} }

// chain is headquarters with two stores, Anna with the card 1 (shorter forms 11 and 21) and 2, and Bo with 3.
type chain struct {
	t   *testing.T
	db  *DB
	seq map[string]uint64
}

func newChain(t *testing.T) *chain {
	c := &chain{t, withShops(t, "a", "b"), map[string]uint64{}}
	all := []member.Purpose{member.Recognise}
	err := c.db.PutMembers(t.Context(), 0, []Person{
		{Member: member.Member{ID: "anna", Tags: []tag.ID{num(1), num(2)}, Forms: member.Forms{num(11): num(1), num(21): num(1)}, Consents: all}, Also: []tag.ID{num(11), num(21)}},
		{Member: member.Member{ID: "bo", Tags: []tag.ID{num(3)}, Consents: all}},
	}, noon)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// tell has a store send one record that happened at a minute past noon.
func (c *chain) tell(store string, minute int, kind wire.Kind, body any) {
	c.t.Helper()
	c.seq[store]++
	when := noon.Add(time.Duration(minute) * time.Minute)
	b := Batch{Store: store, Epoch: "e", Lane: "main", First: c.seq[store], SentAt: when, Received: noon.Add(time.Hour), Records: []wire.Record{wire.NewRecord(kind, when, body)}}
	if s, err := c.db.Ingest(c.t.Context(), b); err != nil || s.New != 1 {
		c.t.Fatalf("%+v, %v", s, err)
	}
}

func (c *chain) change(store string, minute int, kind, who string, marks ...wire.TagMark) {
	c.t.Helper()
	c.tell(store, minute, wire.TagChanged, wire.TagChange{Kind: kind, Member: who, Reason: "lost", By: "Li", Marks: marks})
}

// stands is what the snapshot would make of some tags: "1 carried anna".
func (c *chain) stands(want string) {
	c.t.Helper()
	all, _, err := c.db.Roster(c.t.Context())
	if err != nil {
		c.t.Fatal(err)
	}
	book, err := member.NewBook(all)
	if err != nil {
		c.t.Fatal(err)
	}
	var got []string
	for _, n := range []byte{1, 11, 21, 2, 3, 9} {
		s, m := book.Look(num(n))
		text := s.String()
		if m != nil {
			text += " " + string(m.ID)
		}
		got = append(got, text)
	}
	if text := strings.Join(got, ", "); text != want {
		c.t.Errorf("1, 11, 21, 2, 3 and 9 are\n%s, want\n%s", text, want)
	}
}

func mark(n byte, state string) wire.TagMark { return wire.TagMark{Tag: num(n), State: state} }

func form(n, of byte, state string) wire.TagMark {
	return wire.TagMark{Tag: num(n), State: state, Of: num(of)}
}

func TestCardsAsStoresTellThem(t *testing.T) {
	c := newChain(t)
	c.stands("carried anna, carried anna, carried anna, carried anna, carried bo, unknown")
	c.change("a", 1, "blocked", "anna", mark(1, tagBlocked)) // the store did not know of the forms
	c.stands("blocked anna, blocked anna, blocked anna, carried anna, carried bo, unknown")
	found := mark(1, tagBound)
	found.Found = true
	c.change("b", 2, "bound", "anna", found)
	c.stands("carried anna, carried anna, carried anna, carried anna, carried bo, unknown")
	c.change("b", 3, "replaced", "bo", mark(3, tagBlocked), mark(9, tagBound))
	c.stands("carried anna, carried anna, carried anna, carried anna, blocked bo, carried bo")
	c.change("b", 4, "unbound", "anna", mark(1, tagUnbound))
	c.stands("unknown, unknown, unknown, carried anna, blocked bo, carried bo")
	c.change("a", 5, "bound", "bo", mark(1, tagBound), form(11, 1, tagBound))
	c.stands("carried bo, carried bo, unknown, carried anna, blocked bo, carried bo")
	c.tell("a", 6, wire.BlockedSeen, wire.BlockedTag{Member: "bo", Zone: "door"})
	c.tell("a", 7, wire.BlockedHandled, wire.BlockedTag{Member: "bo", By: "Li", WaitedSeconds: 60})
	got, err := c.db.CardEvents(t.Context(), "bo", 10)
	at := func(m int) time.Time { return noon.Add(time.Duration(m) * time.Minute) }
	want := []CardEvent{
		{Store: "a", Member: "bo", At: at(7), Kind: CardHandled, By: "Li"},
		{Store: "a", Member: "bo", At: at(6), Kind: CardSeen, Zone: "door"},
		{Store: "a", Member: "bo", At: at(5), Kind: "bound", Reason: "lost", By: "Li", Gave: []tag.ID{num(1)}},
		{Store: "b", Member: "bo", At: at(3), Kind: "replaced", Reason: "lost", By: "Li", Gave: []tag.ID{num(9)}, Took: []tag.ID{num(3)}},
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Error(err, diff)
	}
}

// A store's line was down: what it did before another store's word comes after it, and does not undo it.
func TestTheLatestWordOnACardStands(t *testing.T) {
	c := newChain(t)
	c.change("b", 20, "bound", "bo", mark(9, tagBound))
	c.change("a", 10, "bound", "anna", mark(9, tagBound), form(11, 9, tagShared))
	c.stands("carried anna, carried anna, carried anna, carried anna, carried bo, carried bo")
	c.change("a", 15, "blocked", "anna", mark(1, tagBlocked), form(11, 1, tagBlocked), form(21, 1, tagBlocked))
	c.change("b", 12, "unbound", "anna", mark(1, tagUnbound))
	c.stands("blocked anna, blocked anna, blocked anna, carried anna, carried bo, carried bo")
	events, err := c.db.CardEvents(t.Context(), "anna", 10)
	if err != nil || len(events) != 3 || !events[2].Late || events[0].Late || !events[1].Late {
		t.Errorf("events %+v, %v: want the first and the last to have come late", events, err)
	}
	// A clock that runs ahead by a year holds up nothing: no word is later than when it came.
	c.change("a", 525600, "unbound", "bo", mark(9, tagUnbound))
	c.tell("b", 61, wire.TagChanged, wire.TagChange{Kind: "bound", Member: "bo", By: "Li", Marks: []wire.TagMark{mark(9, tagBound)}})
	c.stands("blocked anna, blocked anna, blocked anna, carried anna, carried bo, carried bo")
}

// Whatever a store sends, the snapshot that is made of it passes the check that stores make.
func TestNoStoreBreaksTheSnapshot(t *testing.T) {
	c := newChain(t)
	for n := range byte(60) {
		state := []string{tagBound, tagBlocked, tagShared, "from the future"}[n%4]
		c.change("a", int(n), "bound", "bo", mark(100+n, state), form(170+n, 100+n, state), wire.TagMark{State: state})
		c.change("b", int(n), "blocked", "bo", mark(100+n/2, tagBlocked))
	}
	c.change("a", 61, "bound", "nobody", mark(1, tagBound))
	c.stands("carried anna, carried anna, carried anna, carried anna, carried bo, unknown")
}

// An import gives nobody a card that was reported lost.
func TestAnImportFindsNoLostCard(t *testing.T) {
	c := newChain(t)
	c.change("a", 1, "blocked", "anna", mark(1, tagBlocked))
	p, err := c.db.Member(t.Context(), "anna")
	if err != nil || len(p.Blocked) != 3 || len(p.Tags) != 1 {
		t.Fatalf("%+v, %v", p, err)
	}
	revision, err := c.db.Revision(t.Context(), "members")
	if err != nil {
		t.Fatal(err)
	}
	if err := c.db.PutMembers(t.Context(), revision, []Person{p}, noon); err != nil {
		t.Fatal(err)
	}
	c.stands("blocked anna, blocked anna, blocked anna, carried anna, carried bo, unknown")
	if _, err := c.db.Member(t.Context(), "nobody"); err != ErrNotFound {
		t.Errorf("nobody: %v", err)
	}
}
