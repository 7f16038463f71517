package scene

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"foyer/api"
)

func playWall(steps ...any) Wall {
	var w Wall
	now := start
	for _, s := range steps {
		var in Input = Tick{}
		switch s := s.(type) {
		case time.Duration:
			now = now.Add(s)
		case Input:
			in = s
		}
		w = rules.NextWall(w, in, now)
	}
	return w
}

func TestWallFlows(t *testing.T) {
	for _, tc := range []struct {
		name   string
		steps  []any
		guests []string
		offer  string
	}{
		{"nothing known yet", nil, nil, ""},
		{"calm", []any{whole()}, nil, "both"},
		{"the page turns", []any{whole(), 9 * time.Second}, nil, "all"},
		{"and turns round", []any{whole(), 9 * time.Second, 9 * time.Second}, nil, "both"},
		{"fewer offers than before", []any{whole(), 9 * time.Second, Showcase{[]api.Offer{offer("one")}}}, nil, "one"},
		{"one", []any{whole(), Greeted{anna()}}, []string{"anna"}, "both"},
		{"two share it", []any{whole(), Greeted{anna()}, Greeted{wang()}}, []string{"anna", "wang"}, "both"},
		{"each until its time", []any{whole(), Greeted{anna()}, Greeted{wang()}, 20 * time.Second}, []string{"wang"}, "all"},
		{"news of one", []any{whole(), Greeted{anna()}, Greeted{wang()}, Greeted{anna()}}, []string{"anna", "wang"}, "both"},
		{"left", []any{whole(), Greeted{anna()}, Departed{"anna"}}, nil, "both"},
		{"a snapshot is the truth", []any{whole(), Greeted{anna()}, whole(wang())}, []string{"wang"}, "both"},
		{"foyerd away: calm goes on", []any{whole(), Lost{}, time.Minute}, nil, "all"},
		{"a finger means nothing", []any{whole(), Greeted{anna()}, touch(Finish)}, []string{"anna"}, "both"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := playWall(tc.steps...)
			var guests []string
			for _, g := range w.Guests {
				guests = append(guests, g.Visit)
			}
			showing, _ := w.Showing()
			if diff := cmp.Diff(tc.guests, guests); diff != "" || showing.Campaign != tc.offer {
				t.Errorf("showing %q, guests (-want +got):\n%s", showing.Campaign, diff)
			}
		})
	}
}

func TestWallProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var w Wall
		now := start
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 60_000).Draw(t, "ms")) * time.Millisecond)
			before := slices.Clone(w.Guests)
			next := rules.NextWall(w, inputs().Draw(t, "input"), now)
			if !cmp.Equal(before, w.Guests) && len(before) > 0 {
				t.Fatal("the reducer changed what it was given")
			}
			w = next
			seen := map[string]bool{}
			for _, g := range w.Guests {
				if seen[g.Visit] || !now.Before(g.Until) || g.Until.Sub(now) > time.Minute {
					t.Fatalf("guests %+v at %v", w.Guests, now)
				}
				seen[g.Visit] = true
			}
			if len(w.Guests) > waiting {
				t.Fatal("the wall fills without bound")
			}
		}
		if w = rules.NextWall(w, Tick{}, now.Add(time.Minute)); len(w.Guests) > 0 {
			t.Fatal("a name stays on the wall")
		}
	})
}
