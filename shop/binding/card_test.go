package binding

import (
	"testing"

	"foyer/reader/tag"
	"foyer/shop/member"
)

// One fob of three numbers is one card: it is listed once, lost as a whole, found as a whole; and the other card stays.
func TestACardIsAllFormsOfItsNumber(t *testing.T) {
	b := New(nil)
	anna := member.Member{ID: "anna", Tags: []tag.ID{card(1), card(11), card(21), card(2)}, Forms: member.Forms{card(11): card(1), card(21): card(1)}}
	b.SetRoster(roster(t, anna))
	wallet := func(want ...Card) {
		t.Helper()
		got := b.Cards("anna")
		if len(got) != len(want) {
			t.Fatalf("cards %v, want %v", got, want)
		}
		for i := range got {
			if got[i].Tag != want[i].Tag || got[i].Lost != want[i].Lost {
				t.Errorf("card %d: %v, want %v", i+1, got[i], want[i])
			}
		}
	}
	all := func(want string) {
		t.Helper()
		for _, n := range []int{1, 11, 21} {
			if got := stands(b, n, 0); got != want {
				t.Errorf("form %d is %s, want %s", n, got, want)
			}
		}
	}
	do := func(k Kind, r Request) Change {
		t.Helper()
		r.Member, r.By = "anna", "a"
		c, err := b.ask(k, r, noon)
		if err != nil {
			t.Fatal(err)
		}
		b.Apply(c)
		return c
	}
	wallet(Card{Tag: card(1)}, Card{Tag: card(2)})
	if c := do(Blocked, Request{Tag: card(1), Reason: Lost}); len(c.Marks) != 3 {
		t.Errorf("%d marks, want one a form", len(c.Marks))
	}
	wallet(Card{Tag: card(1), Lost: true}, Card{Tag: card(2)})
	all("blocked anna")

	heard := anna
	heard.Tags, heard.Blocked = []tag.ID{card(2)}, []tag.ID{card(1), card(11), card(21)}
	if settled := b.SetRoster(roster(t, heard)); len(settled) != 3 {
		t.Errorf("settled %v", settled)
	}
	all("blocked anna")
	do(Bound, Request{Tag: card(1), Reason: Found})
	all("carried anna")
	wallet(Card{Tag: card(1)}, Card{Tag: card(2)})
	if settled := b.SetRoster(roster(t, heard)); len(settled) != 0 {
		t.Errorf("headquarters has not heard, and yet %v is settled", settled)
	}
	if settled := b.SetRoster(roster(t, anna)); len(settled) != 3 || len(b.Marks()) != 0 {
		t.Errorf("settled %v, left %v", settled, b.Marks())
	}
	do(Unbound, Request{Tag: card(1), Reason: Returned})
	all("unknown")
	wallet(Card{Tag: card(2)})
}

// A shorter form of which headquarters knows that two members have it does not stay this member's at the store.
func TestHeadquartersSaysWhoseAShorterFormIs(t *testing.T) {
	b := house(t)
	c, err := b.Bind(Request{Member: "fay", Tag: card(9), Also: card(19), Reason: NewMember, By: "a"}, noon)
	if err != nil {
		t.Fatal(err)
	}
	b.Apply(c)
	if got := stands(b, 19, 0); got != "carried fay" {
		t.Fatal(got)
	}
	b.SetRoster(roster(t, member.Member{ID: "fay", Tags: []tag.ID{card(9), card(19)}}, member.Member{ID: "gil", Tags: []tag.ID{card(29), card(19)}}))
	if got := stands(b, 19, 0) + " " + stands(b, 9, 19); got != "clashing carried fay" || len(b.Marks()) != 0 {
		t.Errorf("%s, left %v", got, b.Marks())
	}
}

// Two stores gave one card to two members while the line was down: headquarters' word ends it.
func TestTwoStoresGaveOneCard(t *testing.T) {
	b := house(t)
	c, err := b.Bind(Request{Member: "fay", Tag: card(9), Reason: NewMember, By: "a"}, noon)
	if err != nil {
		t.Fatal(err)
	}
	b.Apply(c)
	b.SetRoster(roster(t, member.Member{ID: "bo", Tags: []tag.ID{card(9)}}, member.Member{ID: "fay"}))
	if got := stands(b, 9, 0); got != "carried bo" || len(b.Marks()) != 0 {
		t.Errorf("%s, left %v", got, b.Marks())
	}
}

func TestLabelsAreStableAndTellNothing(t *testing.T) {
	seen := map[string]bool{}
	for n := range 200 {
		id := tag.ID{14: byte(n)}
		label := Label(id)
		if label != Label(id) || len(label) != 6 || len(Handle(id)) != 16 || seen[label] {
			t.Errorf("label %q, handle %q of %d", label, Handle(id), n)
		}
		seen[label] = true
	}
}
