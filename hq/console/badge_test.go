package console

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"foyer/hq"
	"foyer/sync/badge"
)

// withDoor is a house at which stores can enrol.
func withDoor(t *testing.T) *house {
	h := newHouse(t)
	if err := h.hq.SetDoors(hq.Doors{Gate: "hq.example.net:8444", Broker: "tls://hq.example.net:8883"}); err != nil {
		t.Fatal(err)
	}
	h.addStores()
	return h
}

// post sends a tool's request and decodes the answer.
func (h *house) post(path string, into any) int {
	h.t.Helper()
	req, err := http.NewRequest("POST", h.web.URL+path, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+h.hq.AdminToken())
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		h.t.Fatal(err)
	}
	defer resp.Body.Close()
	if into != nil {
		if err := json.NewDecoder(resp.Body).Decode(into); err != nil {
			h.t.Fatal(err)
		}
	}
	return resp.StatusCode
}

func TestAPIEnrolAndRevoke(t *testing.T) {
	h := withDoor(t)
	var made struct{ ID, Ticket string }
	if status := h.post("/api/stores/north/enrol", &made); status != 200 || made.ID != "north" {
		t.Fatalf("a code is answered %d %+v", status, made)
	}
	ticket, err := badge.ParseTicket(made.Ticket)
	if err != nil || ticket.Address != "hq.example.net:8444" || ticket.Code.Pin != badge.Pin(h.hq.Authority().Certificate()) {
		t.Errorf("the ticket is %s, %v", made.Ticket, err)
	}
	state := func() hq.BadgeState {
		views, err := h.hq.BadgeViews(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return views["north"].State
	}
	if got := state(); got != hq.BadgeCode {
		t.Errorf("the store is shown as %q, want a code", got)
	}
	if status := h.post("/api/stores/north/revoke", nil); status != 200 || state() != hq.BadgeRevoked {
		t.Errorf("shutting out is answered %d, and the store is shown as %q", status, state())
	}
	for _, path := range []string{"/api/stores/nowhere/enrol", "/api/stores/nowhere/revoke"} {
		if status := h.post(path, nil); status != 404 {
			t.Errorf("%s is answered %d, want 404", path, status)
		}
	}
	if status := newHouse(t).post("/api/stores/north/enrol", nil); status != 409 {
		t.Errorf("without a door a code is answered %d, want 409", status)
	}
}

// A person adds a store and gets its code, makes another, and shuts the store out.
func TestBrowserEnrolsAndShutsOut(t *testing.T) {
	h := withDoor(t)
	ctx := browser(t)
	for _, lang := range []string{"en", "zh-CN"} {
		id := "new-" + strings.ToLower(lang)
		do(t, ctx, "add a store", size(1280, 900), h.signIn(), chromedp.Navigate(h.web.URL+"/stores?lang="+lang),
			chromedp.SetValue(`[name=id]`, id), chromedp.SetValue(`[name=name_zh]`, "新店"), chromedp.Click(`.row-form .primary`), chromedp.WaitVisible(`#ticket`))
		text := read(t, ctx, chromedp.Text(`#ticket`))
		if ticket, err := badge.ParseTicket(text[strings.LastIndex(text, " ")+1:]); err != nil || ticket.Address != "hq.example.net:8444" {
			t.Errorf("the page shows %q: %v", text, err)
		}
		shoot(t, ctx, "code-"+lang)
		row := `form[action="/stores/` + id + `/revoke"]`
		do(t, ctx, "open", chromedp.Evaluate[chromedp.Void](`document.querySelectorAll('details').forEach(d => d.open = true)`), chromedp.WaitVisible(row))
		shoot(t, ctx, "ask-"+lang)
		do(t, ctx, "shut it out", chromedp.Click(row+` button`), chromedp.WaitVisible(`.notice.warn`), chromedp.WaitNotPresent(row))
		if !h.hq.Barred(id) {
			t.Error("the store is not shut out")
		}
		shoot(t, ctx, "out-"+lang)
	}
	do(t, ctx, "in a hand", size(390, 900), chromedp.Navigate(h.web.URL+"/stores"))
	if out := read(t, ctx, chromedp.Evaluate[int](`document.documentElement.scrollWidth - document.documentElement.clientWidth`)); out > 0 {
		t.Errorf("the page sticks out by %d px", out)
	}
}
