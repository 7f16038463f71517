package shop

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"foyer/reader/tag"
	"foyer/shop/binding"
	"foyer/shop/member"
	"foyer/shop/proof"
)

// failing is a ledger whose disk refuses changes of tags.
type failing struct{ *witness }

func (f failing) Record(x Fact, done func(error)) {
	if done != nil {
		done(errors.New("disk full"))
	}
}

// vouched is a proof that the first of the crowd is who they are.
func vouched(t *testing.T) proof.Proof {
	t.Helper()
	p, err := proof.NewGate(proof.Limits{}, nil).Vouch("secret-member-0", "counter", "Li", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func read(s *Shop, n int) {
	s.Read(tag.Read{ID: card(n), At: time.Now(), Reader: "pad"})
	synctest.Wait()
}

func counts(w *witness, what string) int { return strings.Count(" "+w.told()+" ", " "+what+" ") }

func TestATagIsBoundBlockedAndFoundAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &witness{}
		s := opened(t, w, 1)
		stop := running(t, s)
		defer stop()
		read(s, 9)
		if n := counts(w, "Greeted"); n != 0 {
			t.Fatal("a stranger is greeted")
		}
		bind := binding.Request{Member: "secret-member-0", Tag: card(10), Reason: binding.SecondTag, By: "Li"}
		if err := s.Bind(t.Context(), bind, vouched(t)); err != nil {
			t.Fatal(err)
		}
		read(s, 10)
		if n := counts(w, "VisitStarted"); n != 1 {
			t.Fatalf("%d visits by the new tag: %s", n, w.told())
		}
		block := binding.Request{Member: "secret-member-0", Tag: card(1), Reason: binding.Lost, By: "Li"}
		if err := s.Block(t.Context(), block); err != nil {
			t.Fatal(err)
		}
		greeted := counts(w, "Greeted")
		read(s, 1)
		if counts(w, "BlockedSeen") != 1 || counts(w, "BlockedTagSeen") != 1 || counts(w, "Greeted") != greeted {
			t.Errorf("a blocked tag: %s", w.told())
		}
		why, _ := IsRefused(s.Block(t.Context(), block))
		if why != binding.NotTheirs {
			t.Errorf("blocked twice: %q", why)
		}
		for name, err := range map[string]error{
			"replaced": s.Replace(t.Context(), binding.Request{Member: "secret-member-0", Tag: card(11), Old: card(10), Reason: binding.Damaged, By: "Li"}, vouched(t)),
			"unbound":  s.Unbind(t.Context(), binding.Request{Member: "secret-member-0", Tag: card(11), Reason: binding.Returned, By: "Li"}),
		} {
			if _, refused := IsRefused(err); err != nil && !refused {
				t.Errorf("%s: %v", name, err)
			}
		}
		if err := s.Bind(t.Context(), binding.Request{Member: "secret-member-0", Tag: card(12), Reason: binding.SecondTag}, vouched(t)); !errors.Is(err, ErrBy) {
			t.Errorf("nobody asks: %v", err)
		}
	})
}

// What the disk refuses does not hold, and a change that is being recorded keeps others out.
func TestATagsChangeIsRecordedFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &witness{}
		s := opened(t, w, 1, func(c *Config) { c.Ledger = failing{w} })
		stop := running(t, s)
		bind := binding.Request{Member: "secret-member-0", Tag: card(10), Reason: binding.SecondTag, By: "Li"}
		if err := s.Bind(t.Context(), bind, vouched(t)); err == nil || !strings.Contains(err.Error(), "disk full") {
			t.Errorf("got %v", err)
		}
		read(s, 10)
		if n := counts(w, "Greeted"); n != 0 {
			t.Error("a tag whose change was not recorded is greeted")
		}
		stop()

		reply := make(chan error, 1)
		s.changing = true
		s.decideTag(bind, (*binding.Book).Bind, proof.Staff, reply)
		if why, _ := IsRefused(<-reply); why != binding.StillGoing {
			t.Errorf("during another change: %q", why)
		}
	})
}

// Marks that were stored hold after a restart, until headquarters says the same.
func TestMarksHoldAfterARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &witness{}
		s := opened(t, w, 1, func(c *Config) {
			c.Marks = []binding.Mark{{Tag: card(1), Member: "secret-member-0", State: binding.IsBlocked, Over: "secret-member-0"}}
		})
		stop := running(t, s)
		defer stop()
		read(s, 1)
		if counts(w, "Greeted") != 0 || counts(w, "BlockedSeen") != 1 || counts(w, "TagsSettled") != 0 {
			t.Errorf("before: %s", w.told())
		}
		ms := crowd(1)
		ms[0].Tags, ms[0].Blocked = nil, []tag.ID{card(1)}
		b, err := member.NewBook(ms)
		if err != nil {
			t.Fatal(err)
		}
		s.SetMembers(b)
		synctest.Wait()
		if counts(w, "TagsSettled") != 1 {
			t.Errorf("after: %s", w.told())
		}
	})
}
