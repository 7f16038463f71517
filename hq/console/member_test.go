package console

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"foyer/reader/tag"
	"foyer/shop/binding"
	"foyer/sync/wire"
)

// cards has stores change the cards of m-1001: one was lost and replaced, and turned up elsewhere.
func (h *house) cards() (lost, fresh string) {
	h.t.Helper()
	p, err := h.hq.DB().Member(h.t.Context(), "m-1001")
	if err != nil || len(p.Tags) != 1 {
		h.t.Fatal(p.Tags, err)
	}
	old, next, t := p.Tags[0], tag.ID{7: 7}, h.now
	h.tell("north", wire.TagChanged, t.Add(-50*time.Minute), wire.TagChange{Kind: "blocked", Member: "m-1001", Reason: "stolen", By: "Zhou", Marks: []wire.TagMark{{Tag: old, State: "blocked"}}})
	h.tell("harbour-1", wire.TagChanged, t.Add(-30*time.Minute), wire.TagChange{Kind: "bound", Member: "m-1001", Reason: "second_tag", By: "Lin", Proved: "staff", Marks: []wire.TagMark{{Tag: next, State: "bound"}}})
	h.tell("harbour-1", wire.TagChanged, t.Add(-55*time.Minute), wire.TagChange{Kind: "unbound", Member: "m-1001", Reason: "asked", By: "Lin", Marks: []wire.TagMark{{Tag: old, State: "unbound"}}})
	h.tell("airport", wire.BlockedSeen, t.Add(-5*time.Minute), wire.BlockedTag{Member: "m-1001", Zone: "door"})
	h.tell("airport", wire.BlockedHandled, t.Add(-4*time.Minute), wire.BlockedTag{Member: "m-1001", By: "Xu", WaitedSeconds: 60})
	h.tell("airport", wire.TagChanged, t.Add(-3*time.Minute), wire.TagChange{Kind: "<polished>", Member: "m-1001", Reason: "<dull>", By: "Xu"})
	return binding.Label(old), binding.Label(next)
}

func TestMemberPageTellsTheLifeOfCards(t *testing.T) {
	h := newHouse(t)
	h.busy()
	lost, fresh := h.cards()
	for _, lang := range []string{"en", "zh-CN"} {
		status, body := h.ask("GET", "/members/m-1001?lang="+lang, "", "")
		if status != 200 || untranslated.MatchString(body) || strings.Contains(body, "安娜") {
			t.Errorf("%d, in %s: %s", status, lang, untranslated.FindString(body))
		}
		for _, want := range []string{lost, fresh, "王**", "&lt;polished&gt;"} {
			if !strings.Contains(body, want) {
				t.Errorf("the page in %s lacks %q", lang, want)
			}
		}
	}
	_, body := h.ask("GET", "/api/members/m-1001/cards", "", "")
	var got apiCards
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for _, e := range got.Events {
		kinds = append(kinds, e.Kind)
	}
	if text := strings.Join(kinds, " "); text != "<polished> handled seen bound blocked unbound" || !got.Events[5].Late || len(got.Cards) != 2 {
		t.Errorf("told: %s, %+v", text, got)
	}
	for _, path := range []string{"/members/nobody", "/api/members/nobody/cards"} {
		if status, _ := h.ask("GET", path, "", ""); status != 404 {
			t.Errorf("%s: %d", path, status)
		}
	}
}
