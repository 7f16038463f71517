package shop

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"foyer/reader/tag"
	"foyer/shop/binding"
	"foyer/shop/member"
	"foyer/shop/presence"
	"foyer/shop/proof"
)

// counterman keeps what the desk is told of cards, and the facts.
type counterman struct {
	mu    sync.Mutex
	shown []CardShown
	notes []BlockedSeen
	cards []Card
	facts []Body
}

func (c *counterman) Show(e Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch e := e.(type) {
	case CardShown:
		c.shown = append(c.shown, e)
	case BlockedSeen:
		c.notes = append(c.notes, e)
	case CardChanged:
		c.cards = append(c.cards, e.Card)
	}
}

func (c *counterman) Record(f Fact, done func(error)) {
	c.mu.Lock()
	c.facts = append(c.facts, f.Body)
	c.mu.Unlock()
	if done != nil {
		done(nil)
	}
}

func (c *counterman) last() (CardShown, BlockedSeen) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var s CardShown
	var n BlockedSeen
	if len(c.shown) > 0 {
		s = c.shown[len(c.shown)-1]
	}
	if len(c.notes) > 0 {
		n = c.notes[len(c.notes)-1]
	}
	return s, n
}

// desked is a shop with a pad at the counter, a pad at the kiosk and a door, and three members.
func desked(t *testing.T) (*Shop, *counterman) {
	c := &counterman{}
	return opened(t, &witness{}, 3, func(cfg *Config) {
		cfg.Screens, cfg.Ledger, cfg.NewID = c, c, nil
		cfg.Zones = append(cfg.Zones, Zone{Zone: presence.Zone{ID: "counter", Role: presence.Counter, Readers: []string{"till"}, Tap: true}},
			Zone{Zone: presence.Zone{ID: "door", Role: presence.Entrance, Readers: []string{"gate"}, Tap: true}})
	}), c
}

func heard(s *Shop, reader string, n int) {
	s.Read(tag.Read{ID: card(n), At: time.Now(), Reader: reader})
	synctest.Wait()
}

func TestACardThatWasShownCanBeBoundForHalfAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := desked(t)
		defer running(t, s)()
		heard(s, "gate", 90)
		if shown, _ := c.last(); shown.Key != "" {
			t.Error("a stranger's tag at the door is kept")
		}
		heard(s, "till", 1)
		if shown, _ := c.last(); shown.Key != "" {
			t.Error("a member's own card is offered")
		}
		heard(s, "till", 90)
		first, _ := c.last()
		if first.Key == "" || first.Standing != member.Unknown || first.Until.Sub(first.At) != ShownFor || first.Zone["en"] != "Counter" {
			t.Fatalf("shown: %+v", first)
		}
		for range 10 { // it lies there
			time.Sleep(time.Second)
			heard(s, "till", 90)
		}
		again, _ := c.last()
		if n := len(c.shown); again.Key != first.Key || n > 6 || n < 4 {
			t.Errorf("told %d times, key %s then %s: want one key, every two seconds", n, first.Key, again.Key)
		}
		request := func(key string) (binding.Request, error) {
			return s.Request(t.Context(), binding.Bound, Asked{Member: "secret-member-0", Shown: key, Reason: binding.SecondTag, By: "Li"})
		}
		if r, err := request(again.Key); err != nil || r.Tag != card(90) {
			t.Errorf("%v, %v", r, err)
		}
		if _, err := request("another"); !errors.Is(err, ErrNotShown) {
			t.Errorf("a card that was not shown: %v", err)
		}
		heard(s, "pad", 91)
		if _, err := request(again.Key); !errors.Is(err, ErrNotShown) {
			t.Errorf("the card before the last: %v", err)
		}
		other, _ := c.last()
		time.Sleep(ShownFor + time.Second)
		synctest.Wait()
		if shown, _ := c.last(); shown.Key != "" {
			t.Errorf("after half a minute: %+v", shown)
		}
		if _, err := request(other.Key); !errors.Is(err, ErrNotShown) || !s.pad.id.IsZero() {
			t.Errorf("after half a minute: %v, %v is kept", err, s.pad.id)
		}
	})
}

// Who is given a card that lies on the reader is there: their visit begins. Without a proof, nobody gets one.
func TestACardIsGivenOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := desked(t)
		defer running(t, s)()
		heard(s, "till", 90)
		shown, _ := c.last()
		r, err := s.Request(t.Context(), binding.Bound, Asked{Member: "secret-member-0", Shown: shown.Key, Reason: binding.SecondTag, By: "Li"})
		if err != nil {
			t.Fatal(err)
		}
		other, err := proof.NewGate(proof.Limits{}, nil).Vouch("secret-member-1", "counter", "Li", time.Now())
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range []proof.Proof{{}, other} {
			if err := s.Bind(t.Context(), r, p); !errors.Is(err, ErrUnproved) {
				t.Errorf("without a proof of who this is: %v", err)
			}
		}
		before := vouched(t)
		time.Sleep(proof.Valid + time.Second)
		if err := s.Bind(t.Context(), r, before); !errors.Is(err, ErrUnproved) {
			t.Errorf("with an old proof: %v", err)
		}
		heard(s, "till", 90)
		if err := s.Bind(t.Context(), r, vouched(t)); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if shown, _ := c.last(); shown.Key != "" || len(c.cards) != 1 {
			t.Errorf("afterwards %+v is shown, %d arrivals", shown, len(c.cards))
		}
		i := slices.IndexFunc(c.facts, func(b Body) bool { _, ok := b.(TagChanged); return ok })
		if i < 0 || c.facts[i].(TagChanged).Proved != proof.Staff {
			t.Errorf("the audit is told %+v", c.facts)
		}
		p, held, err := s.Wallet(t.Context(), "secret-member-0")
		if err != nil || len(held) != 2 || p.Cards != 2 || !p.Here || p.Masked != "王**" {
			t.Errorf("wallet %+v %+v, %v", p, held, err)
		}
		here, err := s.Members(t.Context(), "")
		if err != nil || len(here) != 1 || here[0].Member != "secret-member-0" {
			t.Errorf("here: %+v, %v", here, err)
		}
		if all, err := s.Members(t.Context(), "王秘"); err != nil || len(all) != 3 {
			t.Errorf("found: %+v, %v", all, err)
		}
		if _, err := s.Members(t.Context(), strings.Repeat("x", 41)); !errors.Is(err, ErrQuery) {
			t.Errorf("a long query: %v", err)
		}
		if _, _, err := s.Wallet(t.Context(), "nobody"); !errors.Is(err, ErrNoMember) {
			t.Errorf("nobody's cards: %v", err)
		}
	})
}

// A lost card that turns up is one note until somebody says that it was dealt with, and a card of the list is found again.
func TestALostCardTurnsUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := desked(t)
		defer running(t, s)()
		_, held, err := s.Wallet(t.Context(), "secret-member-0")
		if err != nil || len(held) != 1 {
			t.Fatal(held, err)
		}
		asked := Asked{Member: "secret-member-0", Held: held[0].Handle, Reason: binding.Lost, By: "Li"}
		r, err := s.Request(t.Context(), binding.Blocked, asked)
		if err != nil || r.Tag != card(1) {
			t.Fatal(r, err)
		}
		if err := s.Block(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		heard(s, "till", 1)
		shown, first := c.last()
		if first.ID == "" || first.Times != 1 || first.Name["en"] != "Ms Wang" || first.Member != "secret-member-0" || shown.Standing != member.Blocked {
			t.Fatalf("note %+v, shown %+v", first, shown)
		}
		time.Sleep(5 * time.Minute)
		heard(s, "gate", 1)
		if _, n := c.last(); n.ID != first.ID || n.Times != 2 || !n.At.After(first.At) {
			t.Errorf("seen again: %+v", n)
		}
		if err := s.Dismiss(t.Context(), first.ID, ""); !errors.Is(err, ErrBy) {
			t.Errorf("dealt with by nobody: %v", err)
		}
		if err := s.Dismiss(t.Context(), first.ID, "Li"); err != nil {
			t.Error(err)
		}
		if _, n := c.last(); n.By != "Li" {
			t.Errorf("dealt with: %+v", n)
		}
		if err := s.Dismiss(t.Context(), first.ID, "Li"); !errors.Is(err, ErrNoNote) {
			t.Errorf("dealt with twice: %v", err)
		}
		asked.Reason = binding.Found
		if r, err = s.Request(t.Context(), binding.Bound, asked); err != nil {
			t.Fatal(err)
		}
		if err := s.Bind(t.Context(), r, vouched(t)); err != nil {
			t.Error(err)
		}
		asked.Held = "no handle"
		if _, err := s.Request(t.Context(), binding.Unbound, asked); !errors.Is(err, ErrNoHeld) {
			t.Errorf("a card that is not theirs: %v", err)
		}
		for n := range 2 * maxNotes {
			s.notes[card(1000+n)] = &BlockedSeen{At: time.Now()}
			if len(s.notes) > maxNotes {
				s.notes.dropOldest()
			}
		}
		if len(s.notes) != maxNotes {
			t.Errorf("%d notes: want at most %d", len(s.notes), maxNotes)
		}
	})
}

// Who leaves the book is forgotten: their history, and their name on cards and notes.
func TestMembersAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := desked(t)
		stop := running(t, s)
		heard(s, "till", 1)
		heard(s, "till", 2)
		time.Sleep(24 * time.Hour) // the first visit of all is over
		heard(s, "till", 2)
		b, err := member.NewBook(crowd(3)[2:])
		if err != nil {
			t.Fatal(err)
		}
		s.SetMembers(b)
		synctest.Wait()
		stop()
		var gone []member.ID
		for _, f := range c.facts {
			if f, ok := f.(MembersForgotten); ok {
				gone = append(gone, f.Members...)
			}
		}
		if !slices.Equal(gone, []member.ID{"secret-member-0", "secret-member-1"}) {
			t.Errorf("forgotten: %v", gone)
		}
		for _, id := range []member.ID{"secret-member-0", "secret-member-1"} {
			if s.history(id) != nil {
				t.Errorf("a history of %s is left", id)
			}
		}
		for _, e := range s.desk.cards {
			if e.member.Family != "" || e.Name["en"] == "Ms Wang" {
				t.Errorf("a card still says %v", e.Name)
			}
		}
		if _, ok := c.facts[len(c.facts)-1].(MembersForgotten); !ok {
			t.Errorf("after forgetting came %T: it could bring back what was forgotten", c.facts[len(c.facts)-1])
		}
	})
}
