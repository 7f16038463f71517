package shop

import (
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"foyer/reader/tag"
	"foyer/shop/binding"
	"foyer/shop/member"
	"foyer/shop/presence"
)

// abroad is headquarters as a test plays it: it answers after a while, or never.
type abroad struct {
	shop  *Shop
	base  []member.Member
	after time.Duration // 0: it cannot be asked
	says  []member.Member

	mu    sync.Mutex
	asked []tag.ID
}

func (a *abroad) Maybe(id, _ tag.ID) bool { return id[15] >= 100 }

func (a *abroad) Ask(id, _ tag.ID, done func()) bool {
	if a.after == 0 {
		return false
	}
	a.mu.Lock()
	a.asked = append(a.asked, id)
	a.mu.Unlock()
	time.AfterFunc(a.after, func() {
		if len(a.says) > 0 {
			a.set(a.says)
		}
		done()
	})
	return true
}

func (a *abroad) set(guests []member.Member) {
	b, err := member.NewBook(a.base)
	if err == nil {
		b, err = b.With(guests)
	}
	if err != nil {
		panic(err)
	}
	a.shop.SetMembers(b)
}

// visiting runs a shop with the members 1 and 2 at hand and a guest with card 100, and tells what happened.
func visiting(t *testing.T, after time.Duration, says []member.Member, play func(s *Shop, noticed *[]string)) (told string, asked int) {
	synctest.Test(t, func(t *testing.T) {
		w, a := &witness{}, &abroad{after: after, says: says, base: crowd(2)}
		var noticed []string
		s := opened(t, w, 2, func(c *Config) {
			c.Elsewhere = a
			c.Noticed = func(n Noticed) { noticed = append(noticed, n.Standing.String()) }
		})
		a.shop = s
		stop := running(t, s)
		synctest.Wait()
		play(s, &noticed)
		time.Sleep(time.Minute) // time for what comes late
		stop()
		told, asked = w.told(), len(a.asked)
	})
	return told, asked
}

func guest() []member.Member {
	g := crowd(100)[99]
	return []member.Member{g}
}

func tap(s *Shop, n int) {
	s.Read(tag.Read{ID: card(n), At: time.Now(), Reader: "pad"})
	synctest.Wait()
}

const greeted = "Greeted Greeted CardChanged VisitStarted GreetingDecided"

func TestAGuestIsGreetedWhenTheAnswerIsInTime(t *testing.T) {
	told, asked := visiting(t, 499*time.Millisecond, guest(), func(s *Shop, noticed *[]string) {
		tap(s, 100)
		tap(s, 1) // who is at hand does not wait
		if len(*noticed) != 1 {
			t.Errorf("before the answer: %v", *noticed)
		}
		time.Sleep(DefaultGuest)
		synctest.Wait()
		if strings.Join(*noticed, " ") != "carried carried" {
			t.Errorf("after the answer: %v", *noticed)
		}
		tap(s, 100) // a guest is at hand from now on
	})
	if asked != 1 || strings.Count(told, greeted) != 2 {
		t.Errorf("asked %d times: %s", asked, told)
	}
}

func TestALateNameIsForReceptionAlone(t *testing.T) {
	told, _ := visiting(t, 501*time.Millisecond, guest(), func(s *Shop, noticed *[]string) {
		tap(s, 100)
		time.Sleep(DefaultGuest)
		synctest.Wait()
		if strings.Join(*noticed, " ") != "unknown" {
			t.Errorf("after half a second: %v", *noticed)
		}
	})
	if strings.Contains(told, "Greeted") || !strings.Contains(told, "CardChanged VisitStarted GreetingDecided") || strings.Contains(told, "Strangers") {
		t.Errorf("%s", told)
	}
	// Also where the card has been taken off the reader long since.
	told, _ = visiting(t, 20*time.Second, guest(), func(s *Shop, _ *[]string) { tap(s, 100) })
	if strings.Contains(told, "Greeted") || !strings.Contains(told, "CardChanged VisitStarted GreetingDecided") {
		t.Errorf("%s", told)
	}
}

func TestNobodyIsAStrangerAfterTheAnswer(t *testing.T) {
	for _, after := range []time.Duration{time.Millisecond, time.Second} {
		told, asked := visiting(t, after, nil, func(s *Shop, _ *[]string) { tap(s, 100) })
		if asked != 1 || strings.Contains(told, "Visit") || !strings.Contains(told, "StrangersPassed") {
			t.Errorf("answered after %v, asked %d times: %s", after, asked, told)
		}
	}
}

// Without a line nothing waits, and a card that may be somebody's is not offered to be given out.
func TestWithoutALine(t *testing.T) {
	told, _ := visiting(t, 0, nil, func(s *Shop, noticed *[]string) {
		tap(s, 100)
		if strings.Join(*noticed, " ") != "unknown" {
			t.Errorf("%v", *noticed)
		}
	})
	if strings.Contains(told, "Visit") || strings.Contains(told, "CardShown") || !strings.Contains(told, "StrangersPassed") {
		t.Errorf("%s", told)
	}
	told, asked := visiting(t, time.Second, nil, func(s *Shop, _ *[]string) { tap(s, 50) })
	if asked != 0 || !strings.Contains(told, "CardShown") {
		t.Errorf("a stranger's card is asked for %d times: %s", asked, told)
	}
}

// A crowd of possible members waits together, and no more than maxWaiting of them.
func TestACrowdWaits(t *testing.T) {
	_, asked := visiting(t, time.Second, nil, func(s *Shop, _ *[]string) {
		for i := range 2 * maxWaiting {
			s.Read(tag.Read{ID: tag.ID{1: byte(i), 15: 100}, At: time.Now(), Reader: "pad"})
		}
		synctest.Wait()
	})
	if asked != maxWaiting {
		t.Errorf("%d are asked for, want %d", asked, maxWaiting)
	}
}

// A card that the store itself took back is a stranger's: nobody is asked.
func TestACardThatWasTakenBackIsNotAskedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, a := &witness{}, &abroad{after: time.Second, base: crowd(2)}
		s := opened(t, w, 2, func(c *Config) {
			c.Elsewhere = a
			c.Marks = []binding.Mark{{Tag: card(100), Member: "secret-member-0", State: binding.IsUnbound, Over: "secret-member-0"}}
			c.Zones = append(c.Zones, Zone{Zone: presence.Zone{ID: "door", Role: presence.Entrance, Readers: []string{"door"}, Tap: true}})
		})
		a.shop = s
		m := crowd(2)
		m[0].Tags = append(m[0].Tags, card(100)) // headquarters has not heard yet
		a.base = m
		a.set(nil)
		stop := running(t, s)
		s.Read(tag.Read{ID: card(100), At: time.Now(), Reader: "door"})
		synctest.Wait()
		stop()
		if len(a.asked) != 0 || strings.Contains(w.told(), "Visit") {
			t.Errorf("asked %d times: %s", len(a.asked), w.told())
		}
	})
}
