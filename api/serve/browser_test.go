package serve_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"foyer/api"
	"foyer/api/serve"
)

// browser starts a headless Chromium of its own and skips, loudly, where there is none.
func browser(t *testing.T) context.Context {
	t.Helper()
	if testing.Short() {
		t.Skip("SKIP: -short leaves out the tests in a real browser")
	}
	path, err := exec.LookPath("chromium")
	if err != nil {
		if path, err = exec.LookPath("google-chrome"); err != nil {
			t.Skip("SKIP: no chromium on this machine, so the reception page was NOT tested (Debian: apt-get install chromium)")
		}
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.UserDataDir(t.TempDir()), chromedp.Env("TZ="+atNoon().String()))
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	return ctx
}

// atNoon is a time zone in which it is about noon now: a page of today shows all of a made-up day at any hour. The names
// of these zones count the other way round (POSIX: west is positive).
func atNoon() *time.Location {
	east := 12 - time.Now().UTC().Hour()
	return time.FixedZone(fmt.Sprintf("Etc/GMT%+d", -east), east*3600)
}

// store is one running server on one address; it can be ended and begun again.
type store struct {
	t     *testing.T
	addr  string
	hub   *serve.Hub
	desk  *desk
	cards *wallets
	press *papers
	guest *guests
	stop  func()

	readers func() []api.ReaderHealth // default: sampleReaders
}

func (s *store) begin() {
	s.t.Helper()
	if s.addr == "" {
		s.addr = "127.0.0.1:0"
	}
	l, err := net.Listen("tcp", s.addr)
	if err != nil {
		s.t.Fatal(err)
	}
	s.addr = l.Addr().String()
	s.hub = serve.NewHub(serve.HubConfig{Store: text("南京路旗舰店", "Nanjing Road flagship"), Location: atNoon()})
	s.desk, s.cards, s.press = newDesk(s.hub), newWallets(s.hub), &papers{}
	s.guest = &guests{}
	if s.readers == nil {
		s.readers = sampleReaders
	}
	server := newServer(s.t, serve.Config{Hub: s.hub, Desk: s.desk, Cards: s.cards, Guests: s.guest, Printers: s.press, Readers: s.readers})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- server.Run(ctx, l, nil) }()
	s.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			s.t.Errorf("server: %v", err)
		}
	})
}

func (s *store) url(path string) string { return "http://" + s.addr + path }

type step = chromedp.Action[chromedp.Void]

func run(t *testing.T, ctx context.Context, steps ...step) {
	t.Helper()
	if err := chromedp.Do(ctx, steps...); err != nil {
		page, _ := chromedp.Run(ctx, chromedp.Evaluate[string](`document.body.innerText`))
		t.Fatalf("%v; the page says:\n%s", err, page)
	}
}

func value[T any](t *testing.T, ctx context.Context, a chromedp.Action[T]) T {
	t.Helper()
	got, err := chromedp.Run(ctx, a)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func script(code string) step { return chromedp.Evaluate[chromedp.Void](code) }

// until waits in the page itself until an expression is true.
func until(expression string) step {
	return chromedp.Poll[chromedp.Void](expression, chromedp.WithPollingInterval(20*time.Millisecond), chromedp.WithPollingTimeout(20*time.Second))
}

func tap(selector string) step {
	return chromedp.Steps(until(`!("settling" in document.getElementById("guests").dataset)`), chromedp.Click(chromedp.CSS(selector)))
}

func has(selector string) step {
	return until(fmt.Sprintf("document.querySelectorAll(%q).length === 1", selector))
}

// The whole way of one guest: the card appears, two taps, it is in the day's list; the store's system restarts and the
// page comes back by itself with each card once.
func TestReceptionPageServesAGuestInTwoTaps(t *testing.T) {
	ctx := browser(t)
	s := &store{t: t}
	s.begin()
	defer func() { s.stop() }()
	run(t, ctx, chromedp.EmulateViewport(820, 1180), chromedp.Navigate(s.url("/login?token="+receptionToken)),
		has(".empty:not([hidden])"), has("#hint:not([hidden])"))
	if address := value(t, ctx, chromedp.Location()); strings.Contains(address, "token") || !strings.HasSuffix(address, "/reception/") {
		t.Errorf("after signing in the address is %s", address)
	}

	run(t, ctx, chromedp.Click(chromedp.CSS("#me")), chromedp.WaitVisible(chromedp.ID("who-name")),
		chromedp.SendKeys(chromedp.ID("who-name"), "Lin"+kb.Enter), until(`document.querySelector("#me .label").textContent === "Lin"`),
		has("#hint[hidden]"))

	cards := sampleDay(time.Now())
	s.desk.arrive(cards[0])
	wang := `.card[data-visit="v-8"]`
	run(t, ctx, has("#waiting "+wang+`[data-level="act"]`), until(`document.body.dataset.chimes === "1"`),
		tap(wang+" .main"), has("#helping "+wang+`[data-state="claimed"]`),
		tap(wang+" .main"), has(`#history li[data-visit="v-8"]`), until(`document.querySelectorAll(".card").length === 0`))
	if got := s.desk.card("v-8").State; got != api.CardServed {
		t.Errorf("after two taps the store says %q", got)
	}

	for _, c := range cards[1:] {
		s.desk.arrive(c)
	}
	run(t, ctx, until(`document.querySelectorAll(".card").length === 4`))
	served := s.desk.card("v-8")
	s.stop()
	run(t, ctx, has("#lost:not([hidden])"))
	s.begin()
	for _, c := range append([]api.Card{served}, cards[1:len(cards)-1]...) { // one card was not remembered
		s.desk.arrive(c)
	}
	run(t, ctx, has("#lost[hidden]"), until(`document.body.dataset.online === "true"`))
	newcomer := cards[1]
	newcomer.Visit, newcomer.Arrived = "v-11", time.Now()
	s.desk.arrive(newcomer)
	run(t, ctx, has("#waiting "+`.card[data-visit="v-11"][data-level="calm"]`))
	visits := value(t, ctx, chromedp.Evaluate[[]string](`[...document.querySelectorAll("[data-visit]")].map((n) => n.dataset.visit).sort()`))
	if got, want := strings.Join(visits, " "), "v-10 v-11 v-4 v-5 v-6 v-7 v-8 v-9"; got != want {
		t.Errorf("after the restart the page shows %s, want %s", got, want)
	}
}

// Somebody else was quicker: the page says so and shows who.
func TestReceptionPageTellsWhoWasQuicker(t *testing.T) {
	ctx := browser(t)
	s := &store{t: t}
	s.begin()
	defer func() { s.stop() }()
	li := sampleDay(time.Now())[1]
	s.desk.arrive(li)
	card := `.card[data-visit="v-9"]`
	run(t, ctx, chromedp.Navigate(s.url("/login?token="+receptionToken)), script(`localStorage.setItem("foyer.desk", "Lin")`),
		has("#waiting "+card))
	s.desk.refuse(api.NewProblem(api.CodeTaken, "Zhou has this guest"))
	run(t, ctx, tap(card+" .main"), has(".toast.bad"))
	s.desk.refuse(nil)
	if err := s.desk.Claim(ctx, "v-9", "Zhou"); err != nil {
		t.Fatal(err)
	}
	run(t, ctx, has("#helping "+card+" .main[hidden]"), until(`document.querySelector(".with").textContent.includes("Zhou")`))
}

// A page that nobody touches hides who is here and tells only how many wait.
func TestReceptionPageRests(t *testing.T) {
	ctx := browser(t)
	s := &store{t: t}
	s.begin()
	defer func() { s.stop() }()
	run(t, ctx, chromedp.Navigate(s.url("/login?token="+receptionToken)), has(".empty:not([hidden])"),
		chromedp.Navigate(s.url("/reception/?rest=1")), has("#rest:not([hidden])"))
	s.desk.arrive(sampleDay(time.Now())[0])
	run(t, ctx, has("#rest.some"))
	seen := value(t, ctx, chromedp.Evaluate[string](`document.body.innerText + document.title`))
	if strings.Contains(seen, "Wang") || !strings.Contains(seen, "1") {
		t.Errorf("the resting page shows %q", seen)
	}
	run(t, ctx, chromedp.Click(chromedp.CSS("#rest")), has("#rest[hidden]"), chromedp.WaitVisible(chromedp.CSS(`.card[data-visit="v-8"]`)))
}

// A reader's row opens to its numbers, and stays open while they and the lines around it change.
func TestReceptionPageTellsOfTheReaders(t *testing.T) {
	ctx := browser(t)
	var frames atomic.Uint64
	s := &store{t: t, readers: func() []api.ReaderHealth {
		all := sampleReaders()
		all[0].Frames = 41 + frames.Add(1)
		return all
	}}
	s.begin()
	defer func() { s.stop() }()
	run(t, ctx, chromedp.Navigate(s.url("/login?token="+receptionToken)), has(".empty:not([hidden])"))
	s.hub.Status(sampleStatus(time.Now(), true))
	const row = `document.querySelectorAll(".reader")[0]`
	run(t, ctx, until(`document.querySelector("#strip .good") !== null`), chromedp.Click(chromedp.CSS("#strip")), until(row+`.checkVisibility() && !`+row+`.open`),
		chromedp.Click(chromedp.CSS(".reader summary")), until(row+`.open && `+row+`.innerText.includes("42")`))
	s.hub.Status(sampleStatus(time.Now(), false))
	run(t, ctx, until(`document.querySelectorAll("#health-list .bad .reader.look").length === 1`),
		until(`Array.from(document.querySelectorAll(".reader[open]")).some((d) => /\b4[3-9]\b/.test(d.innerText))`))
}

// Staff print today's report, and say of a paper that nobody else can tell of that it came out.
func TestReceptionPagePrints(t *testing.T) {
	ctx := browser(t)
	s := &store{t: t}
	s.begin()
	defer func() { s.stop() }()
	run(t, ctx, chromedp.Navigate(s.url("/login?token="+receptionToken)), has(".empty:not([hidden])"), script(`localStorage.setItem("foyer.desk", "Lin")`))
	s.hub.Status(samplePrinters(time.Now()))
	run(t, ctx, until(`document.querySelector("#strip .care") !== null`), chromedp.Click(chromedp.CSS("#strip")), has(".printer .asks"))
	look(t, ctx, "printers")
	run(t, ctx, chromedp.EmulateViewport(1280, 800), chromedp.Click(chromedp.CSS(".printer .asks .main")),
		until(`document.querySelectorAll(".printer > .row button").length === 4`), chromedp.Click(chromedp.CSS(".printer > .row button")), has(".toast:not(.bad)"))
	want := []string{"front desk J1 came", "front desk report zh-CN by Lin"}
	if got := s.press.heard(); !slices.Equal(got, want) {
		t.Errorf("the store was asked %q, want %q", got, want)
	}
}

// samplePrinters is a printer that is well and asks, and one that does not print.
func samplePrinters(now time.Time) api.Status {
	s := sampleStatus(now, true)
	s.Printers = []api.Printer{
		{Name: "front desk", Notice: text("纸卷快用完了，请备好新纸卷。", "The roll is nearly at its end. Have a new one at hand."),
			Ask: []api.Print{{Serial: "J1", What: text("日报", "Daily report"), At: now}}},
		{Name: "kiosk", Problem: text("缺纸。请装入新纸卷，排队的内容会自动打印。", "The roll is out. Put a new one in; what waits is printed by itself."), Waiting: 3},
	}
	return s
}

// The page at three sizes in both languages: nothing overflows, every target can be hit, every text contrasts with
// what is behind it, no word is missing. The pictures are kept with -artifacts.
func TestReceptionPageFitsEverywhere(t *testing.T) {
	ctx := browser(t)
	s := &store{t: t}
	s.begin()
	defer func() { s.stop() }()
	run(t, ctx, chromedp.Navigate(s.url("/login?token="+receptionToken)), has(".empty:not([hidden])"))
	look(t, ctx, "empty")
	for _, c := range sampleDay(time.Now()) {
		s.desk.arrive(c)
	}
	s.hub.Status(sampleStatus(time.Now(), true))
	run(t, ctx, script(`localStorage.setItem("foyer.desk", "Lin")`), chromedp.Reload(),
		until(`document.querySelectorAll(".card").length === 5`))
	look(t, ctx, "busy")
	s.hub.Status(sampleStatus(time.Now(), false))
	run(t, ctx, has(".state.bad"), script(`document.querySelector("details").open = true; document.getElementById("health").showModal()`))
	look(t, ctx, "trouble")
	run(t, ctx, script(`document.getElementById("health").close()`), chromedp.EmulateViewport(1280, 800), chromedp.Click(chromedp.CSS("#strip")),
		until(`document.querySelectorAll(".reader:not([hidden])").length === 2 && document.querySelectorAll(".reader.look").length === 1`),
		script(`document.querySelectorAll(".reader").forEach((d) => { d.open = true })`))
	look(t, ctx, "readers")
	run(t, ctx, script(`document.getElementById("health").close(); document.getElementById("who").showModal()`))
	look(t, ctx, "who")
	s.stop()
	run(t, ctx, has("#lost:not([hidden])"), script(`document.getElementById("who").close()`))
	look(t, ctx, "lost")
	s.begin()
	for _, size := range [][2]int64{{390, 844}, {1280, 800}} {
		run(t, ctx, chromedp.EmulateViewport(size[0], size[1]), chromedp.Navigate(s.url("/login?token=nonsense")), has("form"))
		picture(t, ctx, fmt.Sprintf("login-%d", size[0]))
	}
	run(t, ctx, chromedp.Navigate(s.url("/login?token="+receptionToken)), has(".empty:not([hidden])"))
	s.desk.arrive(sampleDay(time.Now())[0])
	run(t, ctx, chromedp.Navigate(s.url("/reception/?rest=1")), has("#rest.some:not([hidden])"))
	picture(t, ctx, "rest-1280")
}

func look(t *testing.T, ctx context.Context, scene string) {
	for _, lang := range []string{"en", "zh-CN"} {
		for _, size := range [][2]int64{{390, 844}, {820, 1180}, {1280, 800}} {
			name := fmt.Sprintf("%s-%s-%d", scene, lang, size[0])
			run(t, ctx, chromedp.EmulateViewport(size[0], size[1]),
				script(`document.documentElement.lang === "`+lang+`" || document.getElementById("lang").click()`),
				until(`document.documentElement.lang === "`+lang+`"`), until(`document.getAnimations().every((a) => a.playState !== "running" || a.effect.getTiming().iterations === Infinity)`))
			picture(t, ctx, name)
		}
	}
}

// picture inspects what is on the screen and keeps it.
func picture(t *testing.T, ctx context.Context, name string) {
	t.Helper()
	for _, f := range value(t, ctx, chromedp.Evaluate[[]string](inspect)) {
		t.Errorf("%s: %s", name, f)
	}
	if err := os.WriteFile(filepath.Join(t.ArtifactDir(), name+".png"), value(t, ctx, chromedp.FullScreenshot(100)), 0o644); err != nil {
		t.Fatal(err)
	}
}

// inspect measures what it sees: WCAG 2.2 criteria 1.4.3 (contrast, here 4.5 for every size) and 2.5.5 (44 px).
const inspect = `(() => {
  const faults = [];
  const wide = document.scrollingElement.scrollWidth;
  if (wide > innerWidth) faults.push("the page is " + wide + " px wide in a window of " + innerWidth);
  const seen = (n) => n.checkVisibility() && n.getBoundingClientRect().width > 1 && !n.closest(".unseen, .skip");
  for (const b of document.querySelectorAll("button, summary, input")) {
    const r = b.getBoundingClientRect();
    if (seen(b) && (r.width < 44 || r.height < 44)) faults.push("target " + b.textContent + " is " + r.width + "x" + r.height);
    if (seen(b) && b.scrollWidth > b.clientWidth + 1) faults.push("target " + b.textContent + " is cut off");
  }
  const parse = (c) => { const [r, g, b, a = 1] = c.match(/[\d.]+/g).map(Number); return [r, g, b, a]; };
  const light = ([r, g, b]) => { const f = (v) => { v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; };
    return 0.2126 * f(r) + 0.7152 * f(g) + 0.0722 * f(b); };
  const behind = (n) => { for (; n; n = n.parentElement) { const c = parse(getComputedStyle(n).backgroundColor); if (c[3] > 0.99) return c; }
    return [255, 255, 255]; };
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let t = walk.nextNode(); t; t = walk.nextNode()) {
    const n = t.parentElement;
    if (!t.data.trim() || !seen(n) || ["NOSCRIPT", "SCRIPT"].includes(n.tagName)) continue;
    const [a, b] = [light(parse(getComputedStyle(n).color)), light(behind(n))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) faults.push("contrast " + ratio.toFixed(2) + " for " + t.data);
    if (/^[a-z]+(_[a-z]+)+$/.test(t.data.trim()) || /\{[a-z]+\}/.test(t.data)) faults.push("a word is missing: " + t.data);
  }
  return faults;
})()`

// Nothing of the page is loaded from elsewhere, and the browser has nothing to complain of.
func TestReceptionPageKeepsItsPolicy(t *testing.T) {
	s := &store{t: t}
	s.begin()
	defer func() { s.stop() }()
	resp, err := http.Get(s.url("/login"))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	policy := resp.Header.Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"} {
		if !strings.Contains(policy, want) {
			t.Errorf("policy %q lacks %q", policy, want)
		}
	}
	if strings.Contains(policy, "unsafe") {
		t.Errorf("policy %q allows what is unsafe", policy)
	}
}
