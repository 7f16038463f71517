package binding

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"foyer/reader/tag"
	"foyer/shop/member"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var noon = time.Date(2026, 6, 14, 12, 0, 0, 0, time.UTC)

func card(n int) tag.ID {
	if n == 0 {
		return tag.ID{}
	}
	return tag.ID{15: byte(n)}
}

func roster(t interface{ Fatal(...any) }, members ...member.Member) *member.Book {
	for i := range members {
		members[i].Consents = append(members[i].Consents, member.Recognise)
	}
	b, err := member.NewBook(members)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// house is Anna with the cards 1 and 2, Bo with 3, Cy with 4 lost, Di and Ed with 5 between them; Fay has none.
func house(t interface{ Fatal(...any) }) *Book {
	b := New(nil)
	b.SetRoster(roster(t,
		member.Member{ID: "anna", Tags: []tag.ID{card(1), card(2)}},
		member.Member{ID: "bo", Tags: []tag.ID{card(3)}},
		member.Member{ID: "cy", Blocked: []tag.ID{card(4)}},
		member.Member{ID: "di", Tags: []tag.ID{card(5)}},
		member.Member{ID: "ed", Tags: []tag.ID{card(5)}},
		member.Member{ID: "fay"},
	))
	return b
}

func why(err error) Why {
	if r, ok := errors.AsType[*Refused](err); ok {
		return r.Why
	}
	return ""
}

// stands is a tag's standing and whose it is, like "carried anna".
func stands(b *Book, id, also int) string {
	standing, m := b.Find(card(id), card(also))
	if m == nil {
		return standing.String()
	}
	return standing.String() + " " + string(m.ID)
}

type step struct {
	do   Kind
	r    Request
	want Why
	then map[int]string // standing by card
}

func (b *Book) ask(k Kind, r Request, now time.Time) (Change, error) {
	return map[Kind]func(Request, time.Time) (Change, error){Bound: b.Bind, Replaced: b.Replace, Blocked: b.Block, Unbound: b.Unbind}[k](r, now)
}

func TestTagLife(t *testing.T) {
	for name, steps := range map[string][]step{
		"a first card": {
			{Bound, Request{Member: "fay", Tag: card(9), Reason: NewMember}, "", map[int]string{9: "carried fay"}},
			{Bound, Request{Member: "fay", Tag: card(9), Reason: SecondTag}, Theirs, nil},
			{Bound, Request{Member: "anna", Tag: card(9), Reason: SecondTag}, Taken, nil},
		},
		"who cannot have it": {
			{Bound, Request{Member: "nobody", Tag: card(9), Reason: NewMember}, NoMember, nil},
			{Bound, Request{Member: "fay", Reason: NewMember}, NoTag, nil},
			{Bound, Request{Member: "fay", Tag: card(1), Reason: NewMember}, Taken, map[int]string{1: "carried anna"}},
			{Bound, Request{Member: "fay", Tag: card(4), Reason: NewMember}, IsLost, map[int]string{4: "blocked cy"}},
			{Bound, Request{Member: "fay", Tag: card(4), Reason: Found}, IsLost, nil},
			{Bound, Request{Member: "cy", Tag: card(4), Reason: NewMember}, IsLost, nil},
			{Bound, Request{Member: "fay", Tag: card(5), Reason: NewMember}, Clashes, map[int]string{5: "clashing"}},
			{Bound, Request{Member: "fay", Tag: card(9), Reason: Found}, NotTheirs, map[int]string{9: "unknown"}},
			{Bound, Request{Member: "fay", Tag: card(9), Reason: Lost}, BadReason, nil},
			{Bound, Request{Member: "fay", Tag: card(9), Reason: NewMember, By: "-"}, NoName, nil},
		},
		"lost and found": {
			{Blocked, Request{Member: "anna", Tag: card(1), Reason: Lost}, "", map[int]string{1: "blocked anna", 2: "carried anna"}},
			{Blocked, Request{Member: "anna", Tag: card(1), Reason: Lost}, NotTheirs, nil},
			{Bound, Request{Member: "bo", Tag: card(1), Reason: SecondTag}, IsLost, nil},
			{Bound, Request{Member: "anna", Tag: card(1), Reason: Found}, "", map[int]string{1: "carried anna"}},
			{Bound, Request{Member: "cy", Tag: card(4), Reason: Found}, "", map[int]string{4: "carried cy"}},
		},
		"a lost card whose number nobody has": {
			{Blocked, Request{Member: "anna", Reason: Stolen}, "", map[int]string{1: "blocked anna", 2: "blocked anna"}},
			{Blocked, Request{Member: "fay", Reason: Stolen}, NotTheirs, nil},
			{Blocked, Request{Member: "anna", Tag: card(3), Reason: Lost}, NotTheirs, map[int]string{3: "carried bo"}},
			{Blocked, Request{Member: "bo", Tag: card(3), Reason: Asked}, BadReason, nil},
		},
		"a new card for a lost one": {
			{Replaced, Request{Member: "anna", Tag: card(9), Old: card(1), Reason: Lost}, "", map[int]string{9: "carried anna", 1: "blocked anna", 2: "carried anna"}},
			{Replaced, Request{Member: "anna", Tag: card(8), Reason: Stolen}, "", map[int]string{8: "carried anna", 9: "blocked anna", 1: "blocked anna", 2: "blocked anna"}},
		},
		"a new card for a broken one": {
			{Replaced, Request{Member: "bo", Tag: card(9), Old: card(3), Reason: Damaged}, "", map[int]string{9: "carried bo", 3: "unknown"}},
			{Replaced, Request{Member: "bo", Tag: card(9), Old: card(9), Reason: Damaged}, SameTag, nil},
			{Replaced, Request{Member: "bo", Tag: card(1), Old: card(9), Reason: Damaged}, Taken, map[int]string{9: "carried bo"}},
			{Replaced, Request{Member: "bo", Tag: card(8), Old: card(1), Reason: Damaged}, NotTheirs, map[int]string{8: "unknown"}},
			{Replaced, Request{Member: "bo", Old: card(9), Reason: Damaged}, NoTag, map[int]string{9: "carried bo"}},
		},
		"taken back": {
			{Unbound, Request{Member: "anna", Tag: card(1), Reason: Returned}, "", map[int]string{1: "unknown", 2: "carried anna"}},
			{Bound, Request{Member: "bo", Tag: card(1), Reason: SecondTag}, "", map[int]string{1: "carried bo"}},
			{Unbound, Request{Member: "anna", Tag: card(1), Reason: Returned}, NotTheirs, nil},
			{Unbound, Request{Member: "bo", Reason: Asked}, "", map[int]string{1: "unknown", 3: "unknown"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := house(t)
			for i, s := range steps {
				switch s.r.By {
				case "":
					s.r.By = "小李"
				case "-":
					s.r.By = ""
				}
				before := b.Marks()
				c, err := b.ask(s.do, s.r, noon)
				if why(err) != s.want || (err == nil) != (s.want == "") {
					t.Fatalf("step %d: %v, want %q", i+1, err, s.want)
				}
				if diff := cmp.Diff(before, b.Marks()); diff != "" {
					t.Fatalf("step %d: asking changed something: %s", i+1, diff)
				}
				b.Apply(c)
				if err == nil && (c.Kind != s.do || c.By != "小李" || c.Reason != s.r.Reason || c.Member != s.r.Member || !c.At.Equal(noon) || c.Clash) {
					t.Errorf("step %d: the audit is told %+v", i+1, c)
				}
				for n, want := range s.then {
					if got := stands(b, n, 0); got != want {
						t.Errorf("step %d: card %d is %s, want %s", i+1, n, got, want)
					}
				}
			}
		})
	}
}

// The shorter form goes with its card, and matches nobody where another member has it too.
func TestShorterForms(t *testing.T) {
	b := house(t)
	apply := func(c Change, err error) Change {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		b.Apply(c)
		return c
	}
	apply(b.Bind(Request{Member: "fay", Tag: card(9), Also: card(19), Reason: NewMember, By: "a"}, noon))
	if got := stands(b, 19, 0) + ", " + stands(b, 29, 19); got != "carried fay, carried fay" {
		t.Errorf("the shorter form is %s", got)
	}
	if c := apply(b.Bind(Request{Member: "bo", Tag: card(8), Also: card(19), Reason: SecondTag, By: "a"}, noon)); !c.Clash {
		t.Error("a clash is not told")
	}
	if got := stands(b, 19, 0) + ", " + stands(b, 8, 19) + ", " + stands(b, 9, 19); got != "clashing, carried bo, carried fay" {
		t.Errorf("after the clash: %s", got)
	}
	if c := apply(b.Bind(Request{Member: "bo", Tag: card(7), Also: card(4), Reason: SecondTag, By: "a"}, noon)); !c.Clash || stands(b, 4, 0) != "blocked cy" {
		t.Errorf("a blocked number became %s", stands(b, 4, 0))
	}
	apply(b.Bind(Request{Member: "fay", Tag: card(6), Also: card(16), Reason: SecondTag, By: "a"}, noon))
	apply(b.Unbind(Request{Member: "fay", Tag: card(6), Reason: Damaged, By: "a"}, noon))
	if got := stands(b, 6, 16) + ", " + stands(b, 16, 0); got != "unknown, unknown" {
		t.Errorf("the shorter form outlives its card: %s", got)
	}
	// A card that was taken back does not become somebody's by its shorter form in headquarters' book.
	apply(b.Unbind(Request{Member: "anna", Tag: card(1), Reason: Returned, By: "a"}, noon))
	if got := stands(b, 1, 2); got != "unknown" {
		t.Errorf("the card that was taken back is %s", got)
	}
}

func TestHeadquartersCatchesUp(t *testing.T) {
	b := house(t)
	for _, r := range []struct {
		k Kind
		r Request
	}{
		{Bound, Request{Member: "fay", Tag: card(9), Also: card(19), Reason: NewMember}},
		{Blocked, Request{Member: "anna", Tag: card(1), Reason: Lost}},
		{Unbound, Request{Member: "bo", Tag: card(3), Reason: Asked}},
		{Bound, Request{Member: "cy", Tag: card(4), Reason: Found}},
	} {
		r.r.By = "a"
		c, err := b.ask(r.k, r.r, noon)
		if err != nil {
			t.Fatal(err)
		}
		b.Apply(c)
	}
	want := "carried fay blocked anna unknown carried cy"
	now := func() string {
		return stands(b, 9, 0) + " " + stands(b, 1, 0) + " " + stands(b, 3, 0) + " " + stands(b, 4, 0)
	}
	if got := now(); got != want {
		t.Fatal(got)
	}
	old := roster(t, member.Member{ID: "anna", Tags: []tag.ID{card(1), card(2)}}, member.Member{ID: "bo", Tags: []tag.ID{card(3)}}, member.Member{ID: "cy", Blocked: []tag.ID{card(4)}}, member.Member{ID: "fay"})
	if settled := b.SetRoster(old); len(settled) != 0 || now() != want {
		t.Errorf("an old book undoes what the store did: %v, %s", settled, now())
	}
	fresh := roster(t, member.Member{ID: "anna", Tags: []tag.ID{card(2)}, Blocked: []tag.ID{card(1)}}, member.Member{ID: "bo"}, member.Member{ID: "cy", Tags: []tag.ID{card(4)}}, member.Member{ID: "fay", Tags: []tag.ID{card(9), card(19)}})
	if settled := b.SetRoster(fresh); len(settled) != 5 || len(b.Marks()) != 0 || now() != want {
		t.Errorf("settled %v, left %v, %s", settled, b.Marks(), now())
	}
}

func TestMarksOfWhoLeftAreForgotten(t *testing.T) {
	b := house(t)
	c, err := b.Block(Request{Member: "anna", Reason: Lost, By: "a"}, noon)
	if err != nil {
		t.Fatal(err)
	}
	b.Apply(c)
	if settled := b.SetRoster(nil); len(settled) != 0 || stands(b, 1, 0) != "blocked" {
		t.Errorf("without a book: %v, %s", settled, stands(b, 1, 0))
	}
	if settled := b.SetRoster(roster(t, member.Member{ID: "bo"})); len(settled) != 2 || stands(b, 1, 0) != "unknown" {
		t.Errorf("after Anna left: %v, %s", settled, stands(b, 1, 0))
	}
}

func TestAMemberHasNoMoreTagsThanOneMay(t *testing.T) {
	b := house(t)
	for i := range member.MaxTags + 1 {
		c, err := b.Bind(Request{Member: "fay", Tag: card(50 + i), Reason: SecondTag, By: "a"}, noon)
		if want := map[bool]Why{true: Many}[i == member.MaxTags]; why(err) != want {
			t.Fatalf("tag %d: %v", i+1, err)
		}
		b.Apply(c)
	}
	if _, err := b.Replace(Request{Member: "fay", Tag: card(99), Old: card(50), Reason: Damaged, By: "a"}, noon); err != nil {
		t.Errorf("one for another: %v", err)
	}
}

func TestEveryKindHasReasons(t *testing.T) {
	for _, k := range []Kind{Bound, Replaced, Blocked, Unbound} {
		if len(Reasons(k)) == 0 {
			t.Errorf("%s has no reason", k)
		}
	}
}

// A card that went from Anna to Bo and was taken back does not become Anna's again by an old book.
func TestAnOldBookGivesNothingBack(t *testing.T) {
	b := house(t)
	for _, r := range []struct {
		k Kind
		r Request
	}{
		{Unbound, Request{Member: "anna", Tag: card(1), Reason: Returned, By: "a"}},
		{Bound, Request{Member: "bo", Tag: card(1), Reason: SecondTag, By: "a"}},
		{Unbound, Request{Member: "bo", Tag: card(1), Reason: Returned, By: "a"}},
	} {
		c, err := b.ask(r.k, r.r, noon)
		if err != nil {
			t.Fatal(err)
		}
		b.Apply(c)
	}
	for range 2 {
		if settled := b.SetRoster(b.roster); len(settled) != 0 || stands(b, 1, 0) != "unknown" {
			t.Fatalf("%v, card 1 is %s", settled, stands(b, 1, 0))
		}
	}
	b.SetRoster(roster(t, member.Member{ID: "anna"}, member.Member{ID: "bo"}, member.Member{ID: "fay", Tags: []tag.ID{card(1)}}))
	if got := stands(b, 1, 0); got != "carried fay" {
		t.Errorf("headquarters gave it to Fay, but it is %s", got)
	}
}

// Whatever is asked in whatever order: a lost tag is nobody's until its own member has found it, and what was stored
// gives the same book again.
func TestAnyLife(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := house(t)
		lost := map[int]member.ID{4: "cy"}
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			k := rapid.SampledFrom([]Kind{Bound, Replaced, Blocked, Unbound}).Draw(t, "kind")
			r := Request{
				Member: rapid.SampledFrom([]member.ID{"anna", "bo", "cy", "fay"}).Draw(t, "member"), By: "a",
				Tag: card(rapid.IntRange(0, 9).Draw(t, "tag")), Also: card(rapid.SampledFrom([]int{0, 0, 7, 8, 9}).Draw(t, "also")),
				Old: card(rapid.IntRange(0, 9).Draw(t, "old")), Reason: rapid.SampledFrom(Reasons(k)).Draw(t, "reason"),
			}
			c, err := b.ask(k, r, noon)
			if err != nil {
				continue
			}
			for _, m := range c.Marks {
				n := int(m.Tag[15])
				if who, was := lost[n]; was && !(m.Found && who == c.Member) {
					t.Fatalf("%+v changes card %d, which %s lost", c, n, who)
				}
				delete(lost, n)
				if m.State == IsBlocked {
					lost[n] = c.Member
				}
			}
			b.Apply(c)
			b.SetRoster(b.roster) // headquarters has not heard yet
			for n, who := range lost {
				if got := stands(b, n, 0); got != fmt.Sprintf("blocked %s", who) {
					t.Fatalf("after %+v: card %d, lost by %s, is %s", c, n, who, got)
				}
			}
			again := stored(t, b)
			for n := range 10 {
				if x, y := stands(b, n, 0), stands(again, n, 0); x != y {
					t.Fatalf("card %d: %s, from what was stored %s", n, x, y)
				}
			}
		}
	})
}

// stored is the book after a restart.
func stored(t *rapid.T, b *Book) *Book {
	text, err := json.Marshal(b.Marks())
	if err != nil {
		t.Fatal(err)
	}
	var marks []Mark
	if err := json.Unmarshal(text, &marks); err != nil {
		t.Fatal(err)
	}
	again := New(marks)
	again.SetRoster(b.roster)
	return again
}
