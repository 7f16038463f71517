package hq

import (
	"errors"
	"strings"
	"testing"
	"time"

	"foyer/hq/store"
	"foyer/shop/campaign"
	"foyer/shop/member"
	"foyer/sync/wire"
)

func someCampaign(id, rule string) campaign.Campaign {
	start := time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)
	return campaign.Campaign{ID: id, Name: "Tea", Audience: rule, Starts: start, Ends: start.AddDate(0, 3, 0), Art: "cup",
		Content: map[string]campaign.Content{"zh-CN": {Title: "请您喝杯茶", Text: "歇一歇。"}, "en": {Title: "Have some tea", Text: "Rest a while."}}}
}

// Members and campaigns reach every store, signed, with versions that only grow, also over a restart.
func TestPublishes(t *testing.T) {
	dir := t.TempDir()
	r := start(t, dir)
	r.add("a")
	if s := r.snapshot("a", Members, 1); s.Store != "" || s.Chain != "harbour" {
		t.Errorf("the snapshot is for %q of %q", s.Store, s.Chain)
	}
	if _, err := r.ImportMembers(t.Context(), []byte("id,family,tags,consents\nm-1,王,uid:04A035B2,recognise\nm-2,李,uid:04A035B3,\n")); err != nil {
		t.Fatal(err)
	}
	body, err := r.snapshot("a", Members, 2).Members()
	if err != nil || len(body.Members) != 1 || body.Members[0].ID != "m-1" || len(body.Members[0].Tags) != 1 {
		t.Fatalf("the snapshot has %+v, %v: want m-1 alone, who may be recognised", body.Members, err)
	}
	if err := r.SaveCampaign(t.Context(), someCampaign("tea", "true")); err != nil {
		t.Fatal(err)
	}
	if err := r.PushCampaign(t.Context(), "tea"); err != nil {
		t.Fatal(err)
	}
	if all, err := r.snapshot("a", Campaigns, 2).Campaigns(); err != nil || len(all.Campaigns) != 1 {
		t.Fatalf("the snapshot has %+v, %v: want one campaign", all, err)
	}
	r.stop()
	again := start(t, dir)
	if s := again.snapshot("a", Campaigns, 2); s.Version != 2 {
		t.Errorf("after a restart the campaigns are version %d, want 2 again: nothing changed", s.Version)
	}
	again.add("b") // a new store is told at once
	again.snapshot("b", Members, 2)
	if err := again.EndCampaign(t.Context(), "tea"); err != nil {
		t.Fatal(err)
	}
	if all, err := again.snapshot("b", Campaigns, 3).Campaigns(); err != nil || len(all.Campaigns) != 0 {
		t.Errorf("after its end the snapshot has %+v, %v", all, err)
	}
}

// A change that was stored and not yet published when headquarters died is published when it is back.
func TestPublishesAfterACrash(t *testing.T) {
	dir := t.TempDir()
	r := start(t, dir)
	r.add("a")
	r.snapshot("a", Members, 1)
	r.stop()
	at, err := DatabaseAt(dir)
	if err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(at)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.PutMembers(t.Context(), 0, []store.Person{{Member: member.Member{ID: "m-1", Consents: []member.Purpose{member.Recognise}}}}, time.Now()); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if body, err := start(t, dir).snapshot("a", Members, 2).Members(); err != nil || len(body.Members) != 1 {
		t.Errorf("%+v, %v: want the member", body, err)
	}
}

func TestBrokenCampaigns(t *testing.T) {
	r := start(t, t.TempDir())
	r.add("a")
	good := someCampaign("tea", "true")
	if err := r.SaveCampaign(t.Context(), good); err != nil {
		t.Fatal(err)
	}
	if err := r.PushCampaign(t.Context(), "tea"); err != nil {
		t.Fatal(err)
	}
	before := r.snapshot("a", Campaigns, 2)
	bad := someCampaign("tea", "member.teir == 'gold'")
	b, ok := errors.AsType[*Broken](r.SaveCampaign(t.Context(), bad))
	if !ok || len(b.Faults) != 1 || b.Faults[0].Field != "audience" || !strings.Contains(b.Faults[0].Wrong, "teir") {
		t.Fatalf("a broken rule gives %v, want a fault of the audience that names it", b)
	}
	if p, err := r.DB().Plan(t.Context(), "tea"); err != nil || p.Campaign.Audience != "true" || p.Live.Audience != "true" {
		t.Errorf("the plan is %+v, %v: want the old one", p, err)
	}
	if after := r.snapshot("a", Campaigns, 2); after.Version != before.Version {
		t.Errorf("a broken campaign was published")
	}
	old := someCampaign("old", "true")
	old.Ends = old.Starts.AddDate(0, 0, 1)
	if err := r.SaveCampaign(t.Context(), old); err != nil {
		t.Fatal(err)
	}
	if b, ok := errors.AsType[*Broken](r.PushCampaign(t.Context(), "old")); !ok || b.Faults[0].Field != "ends" {
		t.Errorf("pushing what is over gives %v, want a fault of its end", b)
	}
	if err := r.PushCampaign(t.Context(), "nothing"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("pushing nothing gives %v, want ErrNotFound", err)
	}
}

func TestWhoAppliedIt(t *testing.T) {
	r := start(t, t.TempDir())
	for _, s := range []string{"a", "b", "c"} {
		r.add(s)
	}
	if err := r.SaveCampaign(t.Context(), someCampaign("tea", "true")); err != nil {
		t.Fatal(err)
	}
	if err := r.PushCampaign(t.Context(), "tea"); err != nil {
		t.Fatal(err)
	}
	r.snapshot("a", Campaigns, 2)
	say := func(store string, seq uint64, kind wire.Kind, a wire.Applied) {
		t.Helper()
		if err := r.send(at(store).Up("main"), batchOf(t, seq, wire.NewRecord(kind, r.Now(), a))); err != nil {
			t.Fatal(err)
		}
	}
	say("a", 1, wire.SnapshotApplied, wire.Applied{Snapshot: Campaigns, Version: 1})
	say("a", 2, wire.SnapshotApplied, wire.Applied{Snapshot: Campaigns, Version: 2})
	say("b", 1, wire.SnapshotApplied, wire.Applied{Snapshot: Campaigns, Version: 1})
	say("b", 2, wire.SnapshotRefused, wire.Applied{Snapshot: Campaigns, Version: 2, Code: wire.RefusedRules, Why: "no such field"})
	stores, err := r.Stores(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	p, err := r.DB().Plan(t.Context(), "tea")
	if err != nil {
		t.Fatal(err)
	}
	reaches := Reaches(p, stores)
	if a := reaches[0]; !a.Answered || !a.Answer.Applied {
		t.Errorf("a: %+v, want applied", a.Answer)
	}
	if b := reaches[1]; !b.Answered || b.Answer.Applied || b.Answer.Why != "no such field" || b.Answer.Code != wire.RefusedRules {
		t.Errorf("b: %+v, want refused with why", b.Answer)
	}
	if c := reaches[2]; c.Answered {
		t.Errorf("c: %+v, want no answer", c.Answer)
	}
	if s := stores[1].Snapshot[Campaigns]; s.Applied != 1 || s.Refused != 2 || s.Newest != 2 {
		t.Errorf("b stands at %+v, want 1 in force and 2 refused", s)
	}
}
