package console

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"foyer/hq"
	"foyer/hq/store"
	"foyer/hq/store/storetest"
	"foyer/shop/campaign"
	"foyer/sync/wire"
)

// house is headquarters with a console, and with a broker that only notes what is published.
type house struct {
	t   *testing.T
	hq  *hq.HQ
	web *httptest.Server
	now time.Time
	seq map[string]uint64

	mu        sync.Mutex
	published map[string]int // payloads by topic
	told      chan struct{}  // one a publication of a snapshot
}

// newHouse opens headquarters on a Wednesday at a quarter past ten.
func newHouse(t *testing.T, regulars ...hq.Regulars) *house {
	h := &house{t: t, now: time.Date(2026, 9, 30, 10, 15, 0, 0, time.UTC), seq: map[string]uint64{}, published: map[string]int{}, told: make(chan struct{}, 1000)}
	var err error
	h.hq, err = hq.Open(hq.Config{Regulars: append(regulars, hq.Regulars{})[0], Dir: storetest.Link(t, t.TempDir()), Chain: "harbour", TagSecret: make([]byte, 32), Log: slog.New(slog.DiscardHandler),
		Now: func() time.Time { h.mu.Lock(); defer h.mu.Unlock(); return h.now }})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	console, err := New(Config{HQ: h.hq, Zone: time.UTC, Stop: ctx})
	if err != nil {
		t.Fatal(err)
	}
	h.web = httptest.NewServer(console)
	var running sync.WaitGroup
	running.Go(func() {
		if err := h.hq.Run(ctx, h); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() {
		stop()
		h.web.Close()
		running.Wait()
		if err := h.hq.Close(); err != nil {
			t.Error(err)
		}
	})
	<-h.hq.Ready()
	return h
}

func (h *house) Run(ctx context.Context, _ func(string, []byte) error) error {
	<-ctx.Done()
	return nil
}

func (h *house) Publish(topic string, retain bool, _ []byte) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.published[topic]++
	if retain {
		h.told <- struct{}{}
	}
	return nil
}

func (h *house) Online() (bool, time.Time) { return true, h.now }

func (h *house) pass(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
}

// tell has a store send one record.
func (h *house) tell(shop string, kind wire.Kind, at time.Time, body any) {
	h.t.Helper()
	h.seq[shop]++
	raw, err := wire.EncodeRecord(wire.NewRecord(kind, at, body))
	if err != nil {
		h.t.Fatal(err)
	}
	b := wire.Batch{Epoch: "e1", Lane: wire.MainLane, First: h.seq[shop], SentAt: h.hq.Now(), Records: []json.RawMessage{raw}}
	payload, err := wire.EncodeBatch(b)
	if err != nil {
		h.t.Fatal(err)
	}
	ack, err := h.hq.Ingest(h.t.Context(), wire.Place{Chain: "harbour", Store: shop}, wire.MainLane, payload)
	if err != nil || ack.Upto != h.seq[shop] {
		h.t.Fatalf("ack %+v, %v: want upto %d", ack, err, h.seq[shop])
	}
}

func (h *house) addStores() {
	h.t.Helper()
	for _, s := range [][3]string{{"harbour-1", "海港一店", "Harbour One"}, {"north", "城北店", "North Gate"}, {"airport", "机场店", "Airport"}} {
		if _, err := h.hq.AddStore(h.t.Context(), s[0], s[1], s[2]); err != nil {
			h.t.Fatal(err)
		}
	}
}

// visit is one member's visit, as far as it has come.
func (h *house) visit(shop, visit, member, zone string, nth int, at time.Time, campaign string, named bool) {
	h.tell(shop, wire.VisitStarted, at, wire.Visit{Visit: visit, Member: member, Zone: zone, Nth: nth})
	h.tell(shop, wire.GreetingDecided, at, wire.Greeting{Visit: visit, Zone: zone, Named: named, Campaign: campaign})
}

func (h *house) answer(shop, kind string, version uint64, code wire.Code, why string) {
	h.t.Helper()
	k := wire.SnapshotApplied
	if code != "" {
		k = wire.SnapshotRefused
	}
	h.tell(shop, k, h.hq.Now(), wire.Applied{Snapshot: kind, Version: version, Code: code, Why: why})
}

// newest waits until the newest snapshot of a kind has the version.
func (h *house) newest(kind string, version uint64) {
	h.t.Helper()
	for {
		p, err := h.hq.DB().LastPublished(h.t.Context(), kind)
		if err != nil {
			h.t.Fatal(err)
		}
		if p.Version >= version {
			return
		}
		select {
		case <-h.told:
		case <-time.After(10 * time.Second):
			h.t.Fatalf("snapshot %s is at version %d, want %d", kind, p.Version, version)
		}
	}
}

const someMembers = "id,family,family_latin,given,title,language,tier,birthday,tags,consents,no_greeting\n" +
	"m-1001,王,Wang,安娜,ms,zh-CN,gold,11-03,0008075634,recognise|greet_by_name|public_screen|marketing,no\n" +
	"m-1002,李,Li,伟,mr,zh-CN,silver,,em4100:62E3086CED,recognise|greet_by_name|marketing,no\n" +
	"m-1003,Miller,,Bob,mr,en,,02-29,uid:04A035B2BC2B80,recognise|greet_by_name|public_screen,no\n" +
	"m-1004,张,Zhang,文,teacher,zh-CN,diamond,,gsrn:952114112345678906,recognise|marketing,yes\n" +
	"m-1005,陈,Chen,晓,ms,zh-CN,silver,,\"200,14706\",recognise,no\n"

func someCampaign() campaign.Campaign {
	return campaign.Campaign{ID: "renew-early", Name: "Renewal, autumn", Audience: "member.days_to_contract_end >= 0 && member.days_to_contract_end <= 30",
		Starts: time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC), Ends: time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC), Priority: 50, PerDay: 1, Art: "phone",
		Content: map[string]campaign.Content{
			"zh-CN": {Title: "提前续约，新机先挑", Text: "合约快到期了？今天续约，先挑新款手机。", Hello: "有一份续约礼遇为您留着", Talk: "合约即将到期：先问用得怎么样，再介绍提前续约可优先选机。"},
			"en":    {Title: "Renew early, pick first", Text: "Renew today and be the first to choose among the new phones.", Hello: "We kept a renewal offer for you", Talk: "The contract ends soon: ask how it has been, then mention choosing a phone before others."},
		}}
}

// busy is a house on an ordinary morning.
func (h *house) busy() {
	h.t.Helper()
	h.addStores()
	if _, err := h.hq.ImportMembers(h.t.Context(), []byte(someMembers)); err != nil {
		h.t.Fatal(err)
	}
	for _, c := range []campaign.Campaign{someCampaign(), everybodyCampaign()} {
		if err := h.hq.SaveCampaign(h.t.Context(), c); err != nil {
			h.t.Fatal(err)
		}
		if err := h.hq.PushCampaign(h.t.Context(), c.ID); err != nil {
			h.t.Fatal(err)
		}
	}
	draft := everybodyCampaign()
	draft.ID, draft.Name, draft.Art = "cup-of-tea", "Tea week", "cup"
	draft.Content = map[string]campaign.Content{"zh-CN": {Title: "请您喝杯茶", Text: "逛累了，就坐下来歇一歇。"}, "en": {Title: "Have a cup of tea", Text: "Tired? Sit down for a while."}}
	if err := h.hq.SaveCampaign(h.t.Context(), draft); err != nil {
		h.t.Fatal(err)
	}
	h.waitPublished()
	h.morning()
}

// waitPublished waits until everything that was pushed is in a snapshot.
func (h *house) waitPublished() {
	h.t.Helper()
	for {
		plans, err := h.hq.DB().Plans(h.t.Context())
		if err != nil {
			h.t.Fatal(err)
		}
		late := 0
		for _, p := range plans {
			if p.State == store.Live && p.Version == 0 {
				late++
			}
		}
		if late == 0 {
			return
		}
		select {
		case <-h.told:
		case <-time.After(10 * time.Second):
			h.t.Fatal("the campaigns were not published")
		}
	}
}

func (h *house) morning() {
	t := h.now
	versions := map[string]uint64{}
	for _, kind := range []string{hq.Members, hq.Campaigns} {
		p, err := h.hq.DB().LastPublished(h.t.Context(), kind)
		if err != nil {
			h.t.Fatal(err)
		}
		versions[kind] = p.Version
	}
	h.answer("harbour-1", hq.Members, versions[hq.Members], "", "")
	h.answer("harbour-1", hq.Campaigns, versions[hq.Campaigns], "", "")
	h.answer("north", hq.Members, versions[hq.Members], "", "")
	h.answer("north", hq.Campaigns, versions[hq.Campaigns], wire.RefusedRules, "campaign renew-early: audience: undefined field 'days_to_contract_end'")
	h.pack()
	h.visit("harbour-1", "v1", "m-1001", "door", 7, t.Add(-52*time.Minute), "renew-early", true)
	h.tell("harbour-1", wire.CardClaimed, t.Add(-52*time.Minute+9*time.Second), wire.Reception{Visit: "v1", By: "Lin", WaitedSeconds: 9})
	h.tell("harbour-1", wire.CardServed, t.Add(-40*time.Minute), wire.Reception{Visit: "v1", By: "Lin", WaitedSeconds: 9})
	h.tell("harbour-1", wire.VisitEnded, t.Add(-38*time.Minute), wire.Visit{Visit: "v1", Member: "m-1001", Nth: 7, Seconds: 840})
	h.visit("north", "v2", "m-1003", "kiosk", 1, t.Add(-25*time.Minute), "mobile-tv", true)
	h.tell("north", wire.VisitEnded, t.Add(-20*time.Minute), wire.Visit{Visit: "v2", Member: "m-1003", Nth: 1, Seconds: 300})
	h.visit("harbour-1", "v3", "m-1002", "door", 3, t.Add(-6*time.Minute), "renew-early", true)
	h.tell("harbour-1", wire.CardClaimed, t.Add(-6*time.Minute+21*time.Second), wire.Reception{Visit: "v3", By: "Lin", WaitedSeconds: 21})
	h.visit("harbour-1", "v4", "m-1004", "door", 41, t.Add(-30*time.Second), "", false)
}

// pack publishes a pack that one store has and another has no room for.
func (h *house) pack() {
	dir := h.t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "logo.svg"), []byte("<svg/>"), 0o600); err != nil {
		h.t.Fatal(err)
	}
	for range 2 {
		if _, err := h.hq.PublishPack(h.t.Context(), dir, wire.Release{Pack: "artwork", Percent: 100}); err != nil {
			h.t.Fatal(err)
		}
	}
	h.answer("harbour-1", wire.PackReport("artwork"), 2, "", "")
	h.answer("north", wire.PackReport("artwork"), 1, "", "")
	h.answer("north", wire.PackReport("artwork"), 2, wire.RefusedDisk, "12 MB are free and 40 MB to come: want to keep 256 MB free")
}

func everybodyCampaign() campaign.Campaign {
	c := someCampaign()
	c.ID, c.Name, c.Audience, c.Art, c.Priority = "mobile-tv", "Mobile TV, for everybody", "true", "video", 10
	c.Content = map[string]campaign.Content{
		"zh-CN": {Title: "掌上电视，试看三天", Text: "三十多个频道随身看，今天在店里就能试。", Talk: "可以请客人在触摸屏上试看掌上电视，三天免费。"},
		"en":    {Title: "Three days of mobile TV", Text: "Over thirty channels in your pocket. Try it here today.", Talk: "Offer a look at mobile TV on the kiosk; three days are free."},
	}
	return c
}

// ask sends a request with the admin's token and returns status and body.
func (h *house) ask(method, path, contentType, body string) (int, string) {
	h.t.Helper()
	req, err := http.NewRequestWithContext(h.t.Context(), method, h.web.URL+path, strings.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+h.hq.AdminToken())
	req.Header.Set("Content-Type", contentType)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		h.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

// get decodes the JSON of a GET.
func (h *house) get(path string, into any) {
	h.t.Helper()
	status, body := h.ask("GET", path, "", "")
	if status != 200 {
		h.t.Fatalf("GET %s: %d %s", path, status, body)
	}
	if err := json.Unmarshal([]byte(body), into); err != nil {
		h.t.Fatal(fmt.Errorf("GET %s: %w in %s", path, err, body))
	}
}
