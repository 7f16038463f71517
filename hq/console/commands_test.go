package console

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"foyer/hq"
	"foyer/hq/store"
	"foyer/sync/wire"
)

// upload brings a file as a store would, through the door for stores.
func (h *house) upload(shop, command, name string, data []byte) wire.Result {
	h.t.Helper()
	mux := http.NewServeMux()
	mux.Handle("PUT "+wire.ResultPath+"{command}/{name}", h.hq.ResultFiles(func(*http.Request) string { return shop }))
	r := wire.Result{Name: name, Size: int64(len(data)), Digest: sha256.Sum256(data)}
	req := httptest.NewRequest("PUT", wire.ResultPath+command+"/"+name, bytes.NewReader(data))
	req.Header.Set("Content-Digest", r.Digest.ContentDigest())
	w := httptest.NewRecorder()
	if mux.ServeHTTP(w, req); w.Code != http.StatusCreated {
		h.t.Fatalf("upload: %d %s", w.Code, w.Body)
	}
	return r
}

func somePicture(t *testing.T, w, h int) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			img.Set(x, y, color.RGBA{uint8(x * 255 / w), uint8(y * 255 / h), 120, 255})
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// ask does something through the interface and returns the command.
func (h *house) command(shop, body string) apiCommand {
	h.t.Helper()
	status, text := h.ask("POST", "/api/stores/"+shop+"/commands", "application/json", body)
	var c apiCommand
	if err := json.Unmarshal([]byte(text), &c); err != nil || status != http.StatusAccepted {
		h.t.Fatalf("%s: %d %s", body, status, text)
	}
	return c
}

// What tools ask, what is refused, and what stands afterwards: waiting, sent when the store is there, answered, over.
func TestCommandsByAPI(t *testing.T) {
	h := newHouse(t)
	h.addStores()
	for body, want := range map[string]int{`{"do":"dance"}`: 422, `{"do":"config"}`: 422, `{"do":"config","set":{"data":"/"}}`: 422, `{"do":"restart","set":{"log_level":"info"}}`: 422,
		`{"do":"restart","valid":"1000h"}`: 422, `{"do":"restart","valid":"soon"}`: 400, `{"what":1}`: 400, `{"do":"screenshot","screen":"door"}`: 422} {
		if status, text := h.ask("POST", "/api/stores/north/commands", "application/json", body); status != want || !strings.Contains(text, `"detail"`) {
			t.Errorf("%s: %d %s, want %d", body, status, text, want)
		}
	}
	if status, _ := h.ask("POST", "/api/stores/nowhere/commands", "application/json", `{"do":"restart"}`); status != 404 {
		t.Errorf("a store that is none: %d", status)
	}
	waiting := h.command("north", `{"do":"diagnostics","valid":"1h"}`)
	over := h.command("airport", `{"do":"restart","valid":"1m"}`)
	if waiting.State != store.CommandWaiting || !strings.HasPrefix(waiting.By, "admin, 127.0.0.1") {
		t.Errorf("asked: %+v", waiting)
	}
	state := func(id string) (c apiCommand) {
		h.get("/api/commands/"+id, &c)
		return c
	}
	h.visit("north", "v1", "m-1", "door", 1, h.now, "", false) // it is there
	until(t, "the command is sent", func() bool { return state(waiting.ID).State == store.CommandSent })
	h.mu.Lock()
	sent := h.published[wire.Place{Chain: "harbour", Store: "north"}.Down(wire.Commands)]
	h.mu.Unlock()
	if sent == 0 {
		t.Error("nothing was published")
	}
	h.pass(2 * time.Minute)
	until(t, "the other is over", func() bool { return state(over.ID).State == string(wire.IsExpired) })
	data := bytes.Repeat([]byte("diagnostics "), 20_000)
	r := h.upload("north", waiting.ID, "diagnostics.tar.gz", data)
	h.tell("north", wire.CommandDone, h.now, wire.Done{ID: waiting.ID, Do: wire.DoDiagnostics, Outcome: wire.IsDone, Results: []wire.Result{r}})
	if c := state(waiting.ID); c.State != string(wire.IsDone) || len(c.Results) != 1 {
		t.Errorf("answered: %+v", c)
	}
	if status, got := h.ask("GET", "/api/commands/"+waiting.ID+"/results/diagnostics.tar.gz", "", ""); status != 200 || got != string(data) {
		t.Errorf("the file: %d, %d bytes", status, len(got))
	}
	h.tell("airport", wire.CommandDone, h.now, wire.Done{ID: waiting.ID, Do: wire.DoDiagnostics, Outcome: wire.IsFailed}) // another store's word says nothing
	if c := state(waiting.ID); c.State != string(wire.IsDone) {
		t.Errorf("after another store's word: %+v", c)
	}
	for path, want := range map[string]int{"/api/commands/" + waiting.ID + "/results/other.png": 404, "/api/commands/none": 404} {
		if status, _ := h.ask("GET", path, "", ""); status != want {
			t.Errorf("%s: %d", path, status)
		}
	}
}

// A result that nobody asked for, or that is not what it says, is not kept.
func TestResultsAreRefused(t *testing.T) {
	h := newHouse(t)
	h.addStores()
	c := h.command("north", `{"do":"screenshot"}`)
	shop := "north"
	mux := http.NewServeMux()
	mux.Handle("PUT "+wire.ResultPath+"{command}/{name}", h.hq.ResultFiles(func(*http.Request) string { return shop }))
	for name, tc := range map[string]struct {
		shop, path, digest string
		want               int
	}{
		"good":            {"north", c.ID + "/kiosk-1.png", "", 201},
		"again":           {"north", c.ID + "/kiosk-1.png", "", 201},
		"another store's": {"airport", c.ID + "/kiosk-1.png", "", 409},
		"no command":      {"north", "NONE/kiosk-1.png", "", 409},
		"an odd name":     {"north", c.ID + "/..%2Fx", "", 400},
		"altered":         {"north", c.ID + "/kiosk-1.png", "sha-256=:x:", 400},
	} {
		data := []byte("picture")
		r := wire.Result{Digest: sha256.Sum256(data)}
		req := httptest.NewRequest("PUT", wire.ResultPath+tc.path, bytes.NewReader(data))
		if shop = tc.shop; tc.digest == "" {
			tc.digest = r.Digest.ContentDigest()
		}
		req.Header.Set("Content-Digest", tc.digest)
		w := httptest.NewRecorder()
		if mux.ServeHTTP(w, req); w.Code != tc.want {
			t.Errorf("%s: %d %s, want %d", name, w.Code, w.Body, tc.want)
		}
	}
	if _, err := hq.AddCommand(t.Context(), h.hq.DB(), "north", wire.Command{Do: wire.DoRestart}, "x", time.Minute, h.now); err != nil {
		t.Error(err)
	}
}

// A person asks for pictures, confirms, sees the state change by itself and the picture in place; sets a setting wrongly, then rightly.
func TestBrowserAsksAStore(t *testing.T) {
	h := newHouse(t)
	h.addStores()
	h.visit("harbour-1", "v1", "m-1", "door", 1, h.now, "", false)
	ctx := browser(t)
	do(t, ctx, "sign in", size(1280, 900), h.signIn(), chromedp.Navigate(h.web.URL+"/stores/harbour-1?lang=en"), chromedp.WaitVisible(`.asks`))
	do(t, ctx, "ask for pictures", chromedp.Click(`#ask-screenshot summary`), chromedp.WaitVisible(`#ask-screenshot button`))
	shoot(t, ctx, "confirm-en")
	do(t, ctx, "confirm", chromedp.Click(`#ask-screenshot button`), chromedp.WaitVisible(`.commands [data-state=sent]`))
	all, err := h.hq.DB().Commands(t.Context(), "harbour-1", 1)
	if err != nil || len(all) != 1 {
		t.Fatal(all, err)
	}
	id := all[0].ID
	results := []wire.Result{h.upload("harbour-1", id, "kiosk-1.png", somePicture(t, 270, 480)), h.upload("harbour-1", id, "wall-1.png", somePicture(t, 480, 270))}
	h.tell("harbour-1", wire.CommandDone, h.now, wire.Done{ID: id, Do: wire.DoScreenshot, Outcome: wire.IsDone, Results: results})
	do(t, ctx, "the pictures come by themselves", chromedp.WaitVisible(`.commands [data-state=done]`), chromedp.WaitVisible(`.brought img`))
	do(t, ctx, "a wrong value", chromedp.SetValue(`[name="headquarters.budget"]`, "much"), chromedp.Click(`#set`), chromedp.WaitVisible(`#fault`))
	if text := read(t, ctx, chromedp.Text(`#fault`)); !strings.Contains(text, "Budget of the line") || !strings.Contains(text, "20MB/day") {
		t.Errorf("the fault is %q", text)
	}
	shoot(t, ctx, "wrong-setting-en")
	do(t, ctx, "a right one", chromedp.SetValue(`[name="headquarters.budget"]`, "20MB/day"), chromedp.SetValue(`[name="screens.language"]`, "en"),
		chromedp.Click(`#set`), chromedp.WaitVisible(`.commands .change`))
	if all, err = h.hq.DB().Commands(t.Context(), "harbour-1", 1); err != nil || fmt.Sprint(all[0].Set) != "map[headquarters.budget:20MB/day screens.language:en]" {
		t.Errorf("asked is %+v, %v", all[0], err)
	}
	h.tell("harbour-1", wire.CommandDone, h.now, wire.Done{ID: all[0].ID, Do: wire.DoConfig, Outcome: wire.IsDone, Settings: all[0].Set})
	gone := h.command("harbour-1", `{"do":"diagnostics"}`)
	h.tell("harbour-1", wire.CommandDone, h.now, wire.Done{ID: gone.ID, Do: wire.DoDiagnostics, Outcome: wire.IsFailed, Code: wire.NotUploaded, Why: "headquarters does not answer through the broker"})
	h.command("north", `{"do":"restart"}`)
	for _, lang := range []string{"en", "zh-CN"} {
		do(t, ctx, "all of it", chromedp.Navigate(h.web.URL+"/stores/harbour-1?lang="+lang), chromedp.WaitVisible(`.brought img`), chromedp.WaitVisible(`[name="reset.headquarters.budget"]`))
		shoot(t, ctx, "store-"+lang)
		do(t, ctx, "one that is away", chromedp.Navigate(h.web.URL+"/stores/north"), chromedp.WaitVisible(`.commands [data-state=waiting]`))
		shoot(t, ctx, "away-"+lang)
		do(t, ctx, "all stores", chromedp.Navigate(h.web.URL+"/stores"), chromedp.WaitVisible(`.shops`))
		shoot(t, ctx, "stores-"+lang)
	}
	do(t, ctx, "on a phone", size(390, 844), chromedp.Navigate(h.web.URL+"/stores/harbour-1"), chromedp.WaitVisible(`.brought img`))
	shoot(t, ctx, "phone-zh")
}

// until asks again and again what headquarters brings about by itself.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	late := time.After(time.Minute)
	for !ok() {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("waited in vain: %s", what)
		}
	}
}
