package serve_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"foyer/api"
	"foyer/api/serve"
)

// wallets keeps members' cards by the simplest rules. It is serve.Cards.
type wallets struct {
	mu      sync.Mutex
	hub     *serve.Hub
	people  []api.Wallet
	shown   api.Shown
	notices map[string]api.Notice
	asked   []string // verb, reason, name: what was done
	fail    error
}

func newWallets(hub *serve.Hub) *wallets {
	return &wallets{hub: hub, notices: map[string]api.Notice{}, people: []api.Wallet{
		{Person: api.Person{Member: "m-1001", Name: text("王女士", "Ms Wang"), Masked: "王**", TierName: text("金卡会员", "Gold"), Here: true},
			Held: []api.Held{{ID: "c1", Label: "K7P-3M"}, {ID: "c2", Label: "X4R-9D", Lost: true, At: time.Now().Add(-26 * time.Hour)}}},
		{Person: api.Person{Member: "m-1002", Name: text("李先生", "Mr Li"), Masked: "李**", Here: true}},
		{Person: api.Person{Member: "m-1003", Name: text("Miller 先生", "Mr Miller"), Masked: "M*** B***"}, Held: []api.Held{{ID: "c5", Label: "W3T-7H"}, {ID: "c6", Label: "N9F-4J"}}},
	}}
}

func (w *wallets) show(s api.Shown) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.shown = s
	w.hub.Shown(s)
}

func (w *wallets) notice(n api.Notice) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.notices[n.ID] = n
	w.hub.Notice(n)
}

func (w *wallets) refuse(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fail = err
}

func (w *wallets) done() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Join(w.asked, "; ")
}

func (w *wallets) Search(_ context.Context, query string) ([]api.Person, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var found []api.Person
	for _, p := range w.people {
		if query == "" && p.Here || query != "" && strings.Contains(strings.ToLower(p.Name["en"]+p.Name["zh-CN"]), strings.ToLower(query)) {
			p.Person.Cards = len(p.Held)
			found = append(found, p.Person)
		}
	}
	return found, w.fail
}

func (w *wallets) find(who string) *api.Wallet {
	if i := slices.IndexFunc(w.people, func(p api.Wallet) bool { return p.Member == who }); i >= 0 {
		return &w.people[i]
	}
	return nil
}

func (w *wallets) Wallet(_ context.Context, who string) (api.Wallet, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	p := w.find(who)
	if p == nil {
		return api.Wallet{}, api.NewProblem(api.CodeNoMember, "no such member")
	}
	out := *p
	out.Held = slices.Clone(p.Held)
	return out, nil
}

func (w *wallets) ChangeCard(_ context.Context, who string, verb api.CardVerb, c api.CardChange) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	p := w.find(who)
	switch {
	case w.fail != nil:
		return w.fail
	case p == nil:
		return api.NewProblem(api.CodeNoMember, "no such member")
	case (verb == api.BindCard || verb == api.ReplaceCard) && !c.Vouched:
		return api.NewProblem(api.CodeUnproved, "say that you made sure")
	case c.Shown != "" && c.Shown != w.shown.Key:
		return api.NewProblem(api.CodeNotShown, "show it again")
	}
	for i := range p.Held {
		if h := &p.Held[i]; c.Card == "" && verb == api.BlockCard || h.ID == c.Card {
			h.Lost, h.At = verb == api.BlockCard || verb == api.ReplaceCard, time.Now()
		}
	}
	if verb == api.UnbindCard {
		p.Held = slices.DeleteFunc(p.Held, func(h api.Held) bool { return h.ID == c.Card })
	}
	if c.Shown != "" {
		p.Held = append(p.Held, api.Held{ID: c.Shown, Label: "T6V-4C", At: time.Now()})
		w.shown = api.Shown{}
		w.hub.Shown(w.shown)
	}
	w.asked = append(w.asked, fmt.Sprintf("%s %s %s by %s", who, verb, c.Reason, c.By))
	return nil
}

func (w *wallets) Dismiss(_ context.Context, notice, by string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	n, ok := w.notices[notice]
	if !ok {
		return api.NewProblem(api.CodeNotFound, "no such notice")
	}
	n.By = by
	w.hub.Notice(n)
	w.asked = append(w.asked, notice+" dealt with by "+by)
	return nil
}

func aShown() api.Shown {
	return api.Shown{Key: "k1", Zone: text("柜台", "Counter"), At: time.Now(), Until: time.Now().Add(time.Hour), Standing: "unknown"}
}

func aNotice() api.Notice {
	return api.Notice{ID: "n1", At: time.Now().Add(-20 * time.Second), Zone: text("正门", "Front door"), Member: "m-1001", Name: text("王女士", "Ms Wang"), Times: 2}
}

// What is asked of cards reaches whoever knows them, and refusals come back by their code.
func TestCardsOverTheWire(t *testing.T) {
	hub := serve.NewHub(serve.HubConfig{})
	cards := newWallets(hub)
	c, err := api.NewClient("http://"+listen(t, newServer(t, serve.Config{Hub: hub, Cards: cards})), receptionToken)
	if err != nil {
		t.Fatal(err)
	}
	refused := func(err error, want api.Code) {
		t.Helper()
		if p, ok := errors.AsType[*api.Problem](err); !ok || p.Code != want || p.Status >= 500 {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	found, err := c.SearchMembers(t.Context(), " wang ")
	if err != nil || len(found) != 1 || found[0].Member != "m-1001" {
		t.Errorf("found %v, %v", found, err)
	}
	if found, err := c.SearchMembers(t.Context(), "nobody"); err != nil || found == nil || len(found) != 0 {
		t.Errorf("nobody is %v, %v: want an empty list", found, err)
	}
	_, err = c.SearchMembers(t.Context(), strings.Repeat("x", 41))
	refused(err, api.CodeInvalid)
	_, err = c.Wallet(t.Context(), "m-9")
	refused(err, api.CodeNoMember)
	cards.show(aShown())
	cards.notice(aNotice())
	s, err := c.Snapshot(t.Context(), api.Reception)
	if err != nil || s.Shown == nil || s.Shown.Key != "k1" || len(s.Notices) != 1 {
		t.Errorf("the snapshot shows %v, %v, %v", s.Shown, s.Notices, err)
	}
	bind := api.CardChange{By: " Lin ", Reason: "second_tag", Shown: "k1"}
	refused(c.ChangeCard(t.Context(), "m-1001", api.BindCard, bind), api.CodeUnproved)
	bind.Vouched = true
	refused(c.ChangeCard(t.Context(), "m-1001", "eat", bind), api.CodeNotFound)
	refused(c.ChangeCard(t.Context(), "m-1001", api.BindCard, api.CardChange{Reason: "second_tag"}), api.CodeInvalid)
	refused(c.ChangeCard(t.Context(), "m-1001", api.BindCard, api.CardChange{By: "Lin", Card: "a\nb"}), api.CodeInvalid)
	if err := c.ChangeCard(t.Context(), "m-1001", api.BindCard, bind); err != nil {
		t.Error(err)
	}
	if err := c.Dismiss(t.Context(), "n1", "Lin"); err != nil {
		t.Error(err)
	}
	refused(c.Dismiss(t.Context(), "n7", "Lin"), api.CodeNotFound)
	if got, want := cards.done(), "m-1001 bind second_tag by Lin; n1 dealt with by Lin"; got != want {
		t.Errorf("done: %s, want %s", got, want)
	}
	if s, err = c.Snapshot(t.Context(), api.Reception); err != nil || s.Shown != nil || len(s.Notices) != 0 {
		t.Errorf("afterwards the snapshot shows %v, %v, %v", s.Shown, s.Notices, err)
	}
}

// A card that was shown long ago is in no snapshot, and no public screen ever hears of cards.
func TestCardsAreForReceptionAlone(t *testing.T) {
	hub := serve.NewHub(serve.HubConfig{})
	s := newServer(t, serve.Config{Hub: hub, Cards: newWallets(hub)})
	old := aShown()
	old.Until = time.Now().Add(-time.Second)
	hub.Shown(old)
	hub.Notice(aNotice())
	if snap, _ := hub.Snapshot(api.Reception); snap.Shown != nil || len(snap.Notices) != 1 {
		t.Errorf("reception: %+v", snap)
	}
	for _, face := range []api.Face{api.Wall, api.Kiosk} {
		if snap, _ := hub.Snapshot(face); snap.Shown != nil || snap.Notices != nil || snap.Last != 0 {
			t.Errorf("%s: %+v", face, snap)
		}
	}
	for _, path := range []string{"POST /v1/reception/members/search", "GET /v1/reception/members/m-1001/cards",
		"POST /v1/reception/members/m-1001/cards/bind", "POST /v1/reception/notices/n1/dismiss"} {
		method, address, _ := strings.Cut(path, " ")
		for token, want := range map[string]int{"": 401, screenToken: 403} {
			if w := call(s, method, address, token, ""); w.Code != want || strings.Contains(w.Body.String(), "Wang") {
				t.Errorf("%s with token %.6q: %d, want %d", path, token, w.Code, want)
			}
		}
	}
}

// Reception gives out a card, reports one lost, and gets it back, with the keyboard alone where a keyboard is.
func TestReceptionPageChangesCards(t *testing.T) {
	ctx := browser(t)
	s := &store{t: t}
	s.begin()
	defer func() { s.stop() }()
	run(t, ctx, chromedp.EmulateViewport(820, 1180), chromedp.Navigate(s.url("/login?token="+receptionToken)), has(".empty:not([hidden])"),
		script(`localStorage.setItem("foyer.desk", "Lin")`), chromedp.Reload(), has(".empty:not([hidden])"))

	s.cards.show(aShown())
	run(t, ctx, has("#shown:not([hidden])"), chromedp.Click(chromedp.CSS("#shown-give")), has("#cards[open]"), until(`document.querySelectorAll(".person").length === 2`),
		until(`document.activeElement.id === "cards-query"`), chromedp.SendKeys(chromedp.CSS("#cards-query"), "mill"), until(`document.querySelectorAll(".person").length === 1`),
		chromedp.SendKeys(chromedp.CSS("#cards-query"), kb.Tab+kb.Enter), until(`document.querySelectorAll(".held li").length === 2`))
	run(t, ctx, press("#cards-body .row .main"), has("form.task"), has(".lies.there"),
		chromedp.Click(chromedp.CSS("form.task [type=submit]")), has("form.task [name=vouched]:invalid")) // without the tick, nothing is sent
	run(t, ctx, chromedp.Click(chromedp.CSS(".vouch")), chromedp.Click(chromedp.CSS("form.task [type=submit]")),
		until(`document.querySelectorAll(".held li").length === 3`), has("#shown[hidden]"))

	run(t, ctx, press(`[data-card="c5"] .does button`), has("form.task"), chromedp.Click(chromedp.CSS(`.choice:has([value="stolen"])`)))
	s.cards.refuse(api.NewProblem(api.CodeCardGone, "gone"))
	run(t, ctx, chromedp.Click(chromedp.CSS("form.task [type=submit]")), has("form.task .fault:not([hidden])"))
	s.cards.refuse(nil)
	run(t, ctx, chromedp.Click(chromedp.CSS("form.task [type=submit]")), has(`[data-card="c5"].lost-card`),
		press(`[data-card="c5"] .does button`), chromedp.Click(chromedp.CSS(".vouch")), chromedp.Click(chromedp.CSS("form.task [type=submit]")),
		has(`[data-card="c5"]:not(.lost-card)`))
	if got, want := s.cards.done(), "m-1003 bind second_tag by Lin; m-1003 block stolen by Lin; m-1003 bind found by Lin"; got != want {
		t.Errorf("done: %s, want %s", got, want)
	}
	run(t, ctx, chromedp.SendKeys(chromedp.CSS("#cards-close"), kb.Escape), has("#cards:not([open])"))
}

func press(selector string) step { return chromedp.Click(chromedp.CSS(selector)) }

// A lost card that turns up cannot be missed, also on a page that rests; and it stays until somebody says by name that it
// was dealt with.
func TestReceptionPageTellsOfALostCard(t *testing.T) {
	ctx := browser(t)
	s := &store{t: t}
	s.begin()
	defer func() { s.stop() }()
	run(t, ctx, chromedp.Navigate(s.url("/login?token="+receptionToken)), has(".empty:not([hidden])"),
		chromedp.Navigate(s.url("/reception/?rest=1")), has("#rest:not([hidden])"))
	s.cards.notice(aNotice())
	run(t, ctx, has("#rest-alarm:not([hidden])"))
	if seen := value(t, ctx, chromedp.Evaluate[string](`document.body.innerText + document.title`)); strings.Contains(seen, "Wang") {
		t.Errorf("the resting page shows %q", seen)
	}
	run(t, ctx, chromedp.Navigate(s.url("/reception/")), has(`[data-notice="n1"]`), has(`[data-notice="n1"] .main`),
		press(`[data-notice="n1"] .main`), chromedp.WaitVisible(chromedp.ID("who-name")), chromedp.SendKeys(chromedp.ID("who-name"), "Lin"+kb.Enter),
		until(`document.querySelectorAll(".notice").length === 0`))
	if got := s.cards.done(); got != "n1 dealt with by Lin" {
		t.Errorf("done: %s", got)
	}
	s.cards.notice(aNotice())
	run(t, ctx, press(`[data-notice="n1"] .quieter`), has("#cards[open]"), has(`[data-card="c2"].lost-card`))
}

// The panel and the notes at three sizes in both languages, as TestReceptionPageFitsEverywhere looks at the rest.
func TestCardsFitEverywhere(t *testing.T) {
	ctx := browser(t)
	s := &store{t: t}
	s.begin()
	defer func() { s.stop() }()
	run(t, ctx, chromedp.EmulateViewport(1280, 800), chromedp.Navigate(s.url("/login?token="+receptionToken)), has(".empty:not([hidden])"),
		script(`localStorage.setItem("foyer.desk", "Lin")`), chromedp.Reload(), has(".empty:not([hidden])"))
	s.desk.arrive(sampleDay(time.Now())[0])
	s.cards.notice(aNotice())
	s.cards.show(aShown())
	run(t, ctx, has(".card"), has(".notice"), has("#shown:not([hidden])"))
	look(t, ctx, "notice")
	run(t, ctx, script(`document.getElementById("cards-open").click()`), until(`document.querySelectorAll(".person").length === 2`))
	look(t, ctx, "cards-find")
	run(t, ctx, script(`document.querySelector("[data-member=m-1001]").click()`), until(`document.querySelectorAll(".held li").length === 2`))
	look(t, ctx, "cards-wallet")
	run(t, ctx, script(`document.querySelector("[data-card=c1] .does button:nth-child(2)").click()`), has("form.task"))
	look(t, ctx, "cards-replace")
	run(t, ctx, script(`document.querySelector("form.task .quieter").click(); document.querySelector("[data-card=c1] .does button").click()`), has("form.task"))
	look(t, ctx, "cards-block")
}
