package console

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"foyer/hq"
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

// Where stores have their regulars alone, the pages tell who knows whom and what was asked, and staff mark a member for a store.
func TestPagesTellWhatStoresKnowOfMembers(t *testing.T) {
	h := newHouse(t, hq.Regulars{Above: -1})
	h.addStores()
	if _, err := h.hq.ImportMembers(t.Context(), []byte("id,family,tags,consents\nm-1,王,uid:04A035B2,recognise\n")); err != nil {
		t.Fatal(err)
	}
	for _, form := range []struct {
		path, body string
		want       int
	}{{"m-1", "store=harbour-1", 303}, {"m-1", "store=nowhere", 404}, {"m-2", "store=harbour-1", 404}, {"m-1", "store=airport", 303}, {"m-1", "store=airport&marked=no", 303}} {
		if status, body := h.ask("POST", "/members/"+form.path+"/regular", "application/x-www-form-urlencoded", form.body); status != form.want && !(form.want == 303 && status == 200) {
			t.Errorf("%s of %s: %d %.200s, want %d", form.body, form.path, status, body, form.want)
		}
	}
	state, err := wire.EncodeState(wire.State{Online: true, At: h.now, Version: "1", Epoch: "E", Guests: &wire.GuestState{Held: 3, Asked: 40, Named: 30, Late: 2, Refused: 1}})
	if err != nil {
		t.Fatal(err)
	}
	decoded, err := wire.DecodeState(state)
	if err == nil {
		err = h.hq.DB().KeepState(t.Context(), "harbour-1", decoded)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, lang := range []string{"en", "zh-CN"} {
		for path, wants := range map[string][]string{"/stores": {map[string]string{"en": "regulars; a filter of", "zh-CN": "位常客"}[lang], map[string]string{"en": "3 guests, 2 answers later", "zh-CN": "临时会员 3 位"}[lang]},
			"/members/m-1": {map[string]string{"en": "No longer mark", "zh-CN": "取消标记"}[lang], `value="airport"`}} {
			status, body := h.ask("GET", path+"?lang="+lang, "", "")
			if status != 200 || untranslated.MatchString(body) {
				t.Errorf("%s in %s: %d, %s", path, lang, status, untranslated.FindString(body))
			}
			for _, want := range wants {
				if !strings.Contains(body, want) {
					t.Errorf("%s in %s lacks %q", path, lang, want)
				}
			}
		}
	}
}
