package shop

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"foyer/reader/tag"
	"foyer/shop/binding"
	"foyer/shop/presence"
)

// A lamp beside a reader is told of a member, of a stranger and of a lost tag, wherever they come or go, and of nobody's name.
func TestEveryArrivalIsNoticed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told []string
		s := opened(t, &witness{}, 1, func(c *Config) {
			c.Zones = append(c.Zones, Zone{Zone: presence.Zone{ID: "till", Role: presence.Counter, Readers: []string{"till"}, Tap: true, Group: "hall"}})
			c.Zones[0].Group = "hall"
			c.Marks = []binding.Mark{{Tag: card(7), Member: "secret-member-0", State: binding.IsBlocked}}
			c.Noticed = func(n Noticed) { told = append(told, fmt.Sprint(n.Zone, " ", n.Standing)) }
		})
		stop := running(t, s)
		defer stop()
		for _, n := range []int{1, 5, 7, 1} { // the last is there already
			read(s, n)
		}
		for _, n := range []int{1, 5, 7} {
			s.Read(tag.Read{ID: card(n), At: time.Now(), Reader: "till"})
			synctest.Wait()
		}
		want := "desk carried, desk unknown, desk blocked, till carried, till unknown, till blocked"
		if got := strings.Join(told, ", "); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	})
}

// Zones are retuned while the shop runs; what would be other zones is refused, and nothing changes.
func TestRetuneWhileOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &witness{}
		s := opened(t, w, 1, func(c *Config) { c.Zones[0].Tap = false })
		stop := running(t, s)
		defer stop()
		zones := []Zone{s.cfg.Zones[0]}
		zones[0].Report = presence.Once
		if err := s.Retune(t.Context(), zones); err != nil {
			t.Fatal(err)
		}
		read(s, 1)
		if counts(w, "VisitStarted") != 1 {
			t.Errorf("one read of a reader that tells of a tag once: %s", w.told())
		}
		zones[0].Readers = []string{"another"}
		if err := s.Retune(t.Context(), zones); err == nil {
			t.Error("other zones were taken")
		}
	})
}
