package store

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"foyer/shop/member"
	"foyer/sync/wire"
)

func signing(id, phone string, consents ...string) wire.SignUp {
	return wire.SignUp{Signup: "s-" + id, Member: id, Phone: phone, Family: "王", Given: "伟", Title: "ms", Language: "zh-CN", Consents: consents, Text: "zh-CN-1"}
}

func (c *chain) member(id string) (Person, bool) {
	c.t.Helper()
	p, err := c.db.Member(c.t.Context(), member.ID(id))
	if err != nil && !errors.Is(err, ErrNotFound) {
		c.t.Fatal(err)
	}
	return p, err == nil
}

// carry holds whose some cards are against what the snapshot would make of them.
func (c *chain) carry(want map[byte]member.ID) {
	c.t.Helper()
	all, _, err := c.db.Roster(c.t.Context())
	if err != nil {
		c.t.Fatal(err)
	}
	book, err := member.NewBook(all)
	if err != nil {
		c.t.Fatal(err)
	}
	for n, id := range want {
		if m, ok := book.ByTag(num(n)); !ok || m.ID != id {
			c.t.Errorf("card %d: %v, want %s's", n, m, id)
		}
	}
}

func TestSomebodyJoinsAtAStore(t *testing.T) {
	c := newChain(t)
	before, _ := c.db.Revision(t.Context(), "members")
	c.tell("a", 1, wire.MemberSignedUp, signing("m-x", "13812345678", "recognise", "marketing"))
	p, ok := c.member("m-x")
	if !ok || p.Family != "王" || !p.Allows(member.Marketing) || p.Allows(member.PublicScreen) || p.ConsentText != "zh-CN-1" {
		t.Fatalf("%+v", p)
	}
	if after, _ := c.db.Revision(t.Context(), "members"); after == before {
		t.Error("stores are not told")
	}
	contact, err := c.db.Contact(t.Context(), "m-x")
	if err != nil || contact.Masked != "138****5678" || contact.Store != "a" || !contact.Confirmed.IsZero() {
		t.Errorf("%+v %v", contact, err)
	}
	words, err := c.db.ConsentWords(t.Context(), "m-x", 100)
	if err != nil || len(words) != len(member.Purposes) || !words[0].Given || words[1].Given || words[0].Wording != "zh-CN-1" {
		t.Errorf("%+v %v", words, err)
	}
	c.tell("a", 2, wire.MemberConfirmed, wire.Confirmed{Member: "m-x", By: "Li"})
	if contact, _ = c.db.Contact(t.Context(), "m-x"); contact.ConfirmedBy != "Li" {
		t.Errorf("%+v", contact)
	}
	c.change("a", 3, "bound", "m-x", wire.TagMark{Tag: num(9), State: "bound"})
	c.carry(map[byte]member.ID{9: "m-x"})
}

func TestOneNumberIsOnePersonOnceItIsConfirmed(t *testing.T) {
	c := newChain(t)
	c.tell("a", 1, wire.MemberSignedUp, signing("m-first", "13812345678", "recognise"))
	c.tell("a", 2, wire.MemberConfirmed, wire.Confirmed{Member: "m-first", By: "Li"})
	c.change("a", 3, "bound", "m-first", wire.TagMark{Tag: num(8), State: "bound"})
	c.tell("b", 10, wire.MemberSignedUp, signing("m-second", "13812345678", "recognise", "greet_by_name"))
	c.tell("b", 11, wire.VisitStarted, wire.Visit{Visit: "v1", Member: "m-second", Nth: 1})
	c.change("b", 12, "bound", "m-second", wire.TagMark{Tag: num(9), State: "bound"})
	c.carry(map[byte]member.ID{8: "m-first", 9: "m-second"}) // whoever writes somebody's number is not yet them
	c.tell("b", 13, wire.MemberConfirmed, wire.Confirmed{Member: "m-second", By: "Bo"})
	c.carry(map[byte]member.ID{8: "m-first", 9: "m-first"})
	if _, there := c.member("m-second"); there {
		t.Error("the same person is there twice")
	}
	if p, _ := c.member("m-first"); !p.Allows(member.GreetByName) {
		t.Error("the latest word on consents does not stand")
	}
	all, _, err := c.db.Roster(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range all {
		if m.ID == "m-first" && cmp.Diff([]member.ID{"m-second"}, m.Was) != "" {
			t.Errorf("the store is not told whom its newcomer has become: %v", m.Was)
		}
	}
	own, _, _, err := c.db.RosterOf(t.Context(), "b", noon.Add(-time.Hour), 10)
	if err != nil || len(own) != 1 || own[0].ID != "m-first" || len(own[0].Was) != 1 {
		t.Errorf("what a store with its own roster is told: %+v %v", own, err)
	}
	// What the store goes on telling under the old name is the member's.
	c.tell("b", 20, wire.VisitStarted, wire.Visit{Visit: "v2", Member: "m-second", Nth: 2})
	c.change("b", 21, "bound", "m-second", wire.TagMark{Tag: num(7), State: "bound"})
	c.carry(map[byte]member.ID{7: "m-first"})
	visits, err := c.db.Visits(t.Context(), "", noon, 10)
	if err != nil || len(visits) != 2 || visits[0].Member != "m-first" || visits[1].Member != "m-first" {
		t.Errorf("%+v %v", visits, err)
	}
	c.tell("b", 30, wire.MemberSignedUp, signing("m-second", "13812345678", "recognise"))
	if _, there := c.member("m-second"); there {
		t.Error("a sign-up that is told again made somebody anew")
	}
}

func TestASignUpThatMakesNoMemberIsKeptAsARecord(t *testing.T) {
	c := newChain(t)
	for i, spoil := range []func(*wire.SignUp){
		func(s *wire.SignUp) { s.Member = "no id!" },
		func(s *wire.SignUp) { s.Phone = "12" },
		func(s *wire.SignUp) { s.Consents = []string{"everything"} },
		func(s *wire.SignUp) { s.Member = "anna"; s.Family = "thief" },
	} {
		s := signing("m-x", "13812345678", "recognise")
		spoil(&s)
		c.tell("a", i+1, wire.MemberSignedUp, s)
	}
	if _, there := c.member("m-x"); there {
		t.Error("a broken sign-up made a member")
	}
	if p, _ := c.member("anna"); p.Family == "thief" {
		t.Error("a sign-up overwrote a member")
	}
	c.tell("a", 9, wire.MemberConfirmed, wire.Confirmed{Member: "nobody", By: "Li"})
}
