package console

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

type step = chromedp.Action[chromedp.Void]

// browser opens a fresh Chromium, or skips the test aloud where there is none.
func browser(t *testing.T) context.Context {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if p, err := exec.LookPath(name); err == nil {
			path = p
			break
		}
	}
	if path == "" {
		t.Skip("SKIP: no Chromium on this machine (apt install chromium): the console's pages were not tried in a browser")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-background-networking", true))
	ctx, stop := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(stop)
	ctx, stopTab := chromedp.NewContext(ctx)
	t.Cleanup(stopTab)
	if err := chromedp.Do(ctx); err != nil { // starts the browser, whose life must not hang on a step's deadline
		t.Fatalf("start %s: %v", path, err)
	}
	ctx, stopTime := context.WithTimeout(ctx, 90*time.Second)
	t.Cleanup(stopTime)
	return ctx
}

// do runs steps and, if one fails, keeps a picture of what was there.
func do(t *testing.T, ctx context.Context, what string, steps ...step) {
	t.Helper()
	if err := chromedp.Do(ctx, steps...); err != nil {
		shoot(t, ctx, "failed")
		t.Fatalf("%s: %v", what, err)
	}
}

// read returns what a step gives.
func read[T any](t *testing.T, ctx context.Context, from chromedp.Action[T]) T {
	t.Helper()
	v, err := chromedp.Run(ctx, from)
	if err != nil {
		shoot(t, ctx, "failed")
		t.Fatal(err)
	}
	return v
}

// shoot keeps a picture of the whole page with the test's artifacts (go test -artifacts).
func shoot(t *testing.T, ctx context.Context, name string) {
	t.Helper()
	short, stop := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer stop()
	png, err := chromedp.Run(short, chromedp.FullScreenshot(100))
	if err != nil {
		t.Logf("no picture %s: %v", name, err)
		return
	}
	if err := os.WriteFile(filepath.Join(t.ArtifactDir(), name+".png"), png, 0o644); err != nil {
		t.Error(err)
	}
}

func (h *house) signIn() step {
	return chromedp.Navigate(h.web.URL + "/login?token=" + h.hq.AdminToken())
}

func size(width, height int64) step { return chromedp.EmulateViewport(width, height) }

// A person imports members, writes a campaign whose rule is broken, is told where, mends it and pushes it.
func TestBrowserImportsAndPushes(t *testing.T) {
	h := newHouse(t)
	h.addStores()
	ctx := browser(t)
	file := filepath.Join(t.TempDir(), "members.csv")
	if err := os.WriteFile(file, []byte(someMembers), 0o600); err != nil {
		t.Fatal(err)
	}
	do(t, ctx, "sign in", size(1280, 900), h.signIn())
	if where := read(t, ctx, chromedp.Location()); where != h.web.URL+"/" {
		t.Fatalf("after signing in the address is %s: want no token in it", where)
	}
	do(t, ctx, "import members", chromedp.Navigate(h.web.URL+"/members?lang=en"),
		chromedp.SetUploadFiles(`input[name=file]`, []string{file}), chromedp.Click(`.drop .primary`),
		chromedp.WaitVisible(`#apply`))
	shoot(t, ctx, "import-preview")
	do(t, ctx, "apply the import", chromedp.Click(`#apply`), chromedp.WaitVisible(`.notice.good`))
	if count := read(t, ctx, chromedp.Text(`[data-count=members]`)); count != "5" {
		t.Fatalf("the page counts %q members, want 5", count)
	}
	set := func(name, value string) step { return chromedp.SetValue(`[name="`+name+`"]`, value) }
	do(t, ctx, "write a campaign", chromedp.Navigate(h.web.URL+"/campaigns/new"),
		set("name", "Tea week"), set("zh-CN.title", "请您喝杯茶"), set("zh-CN.text", "逛累了就坐下歇歇。"),
		set("en.title", "Have a cup of tea"), set("en.text", "Sit down for a while."),
		set("starts", "2026-09-30T09:00"), set("ends", "2026-10-30T09:00"),
		set("audience", `member.teir == "gold"`), chromedp.Click(`#push`), chromedp.WaitVisible(`[data-field=audience] .fault`))
	if fault := read(t, ctx, chromedp.Text(`[data-field=audience] .fault`)); !strings.Contains(fault, "teir") {
		t.Fatalf("the fault by the rule is %q: want it to name the field", fault)
	}
	shoot(t, ctx, "broken-rule")
	if plans, err := h.hq.DB().Plans(t.Context()); err != nil || len(plans) != 0 {
		t.Fatalf("a broken campaign was kept: %v, %v", plans, err)
	}
	do(t, ctx, "check and push", set("audience", `member.tier == "gold"`), chromedp.Click(`#check`),
		chromedp.WaitVisible(`.check-result.good`), chromedp.WaitNotPresent(`[data-field=audience] .fault`),
		chromedp.Click(`#push`), chromedp.WaitVisible(`#flash`))
	h.newest("campaigns", 2)
	h.answer("north", "campaigns", 2, "", "")
	do(t, ctx, "see who applied it", chromedp.WaitVisible(`tr[data-store=north] .pill.good`))
	shoot(t, ctx, "pushed")
	live, _, err := h.hq.DB().LiveCampaigns(t.Context())
	if err != nil || len(live) != 1 || live[0].Audience != `member.tier == "gold"` {
		t.Fatalf("live are %+v, %v: want the mended campaign", live, err)
	}
}

// A visit that comes in while the overview is open appears by itself.
func TestBrowserSeesVisitsAsTheyCome(t *testing.T) {
	h := newHouse(t)
	h.addStores()
	ctx := browser(t)
	do(t, ctx, "open the overview", size(1280, 900), h.signIn(), chromedp.WaitVisible(`.empty`))
	shoot(t, ctx, "nobody-yet")
	h.visit("north", "v1", "m-1", "door", 2, h.now, "", true)
	do(t, ctx, "see the visit", chromedp.WaitVisible(`li.fresh[data-key="north/v1"]`))
	if count := read(t, ctx, chromedp.Text(`[data-count=visits]`)); count != "1" {
		t.Errorf("the page counts %q visits, want 1", count)
	}
}

// Every page stands in both languages on a desk and in a hand: nothing sticks out sideways, no text is missing.
func TestBrowserEveryPage(t *testing.T) {
	h := newHouse(t)
	h.busy()
	ctx := browser(t)
	look := func(name, path string) {
		for _, lang := range []string{"en", "zh-CN"} {
			for at, width := range map[string]int64{"desk": 1280, "hand": 390} {
				do(t, ctx, name, size(width, 900), chromedp.Navigate(h.web.URL+path+"?lang="+lang))
				if out := read(t, ctx, chromedp.Evaluate[int](`document.documentElement.scrollWidth - document.documentElement.clientWidth`)); out > 0 {
					t.Errorf("%s in %s at %d px sticks out by %d px", name, lang, width, out)
				}
				if text := read(t, ctx, chromedp.Evaluate[string](`document.title + document.body.innerText`)); strings.Contains(text, "console.") {
					t.Errorf("%s in %s lacks a text: %s", name, lang, text)
				}
				shoot(t, ctx, name+"-"+lang+"-"+at)
			}
		}
	}
	h.cards()
	look("login", "/login")
	do(t, ctx, "sign in", h.signIn())
	for name, path := range map[string]string{"overview": "/", "stores": "/stores", "members": "/members", "member": "/members/m-1001", "campaigns": "/campaigns", "campaign": "/campaigns/renew-early", "lost": "/nowhere"} {
		look(name, path)
	}
}
