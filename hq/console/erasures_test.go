package console

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// A person is erased on their page in the browser, after the box is ticked; the page of erasures names nobody.
func TestBrowserErases(t *testing.T) {
	h := newHouse(t)
	h.addStores()
	if status, body := h.ask("POST", "/api/members/import", "text/csv", someMembers); status != http.StatusOK {
		t.Fatal(status, body)
	}
	ctx := browser(t)
	do(t, ctx, "the member's page", size(1280, 900), h.signIn(), chromedp.Navigate(h.web.URL+"/members/m-1001?lang=zh-CN"), chromedp.Click(`#erase summary`),
		chromedp.WaitVisible(`#erase .danger`))
	shoot(t, ctx, "member-erase-zh")
	do(t, ctx, "the page again in English", chromedp.Navigate(h.web.URL+"/members/m-1001?lang=en"), chromedp.Click(`#erase summary`), chromedp.WaitVisible(`#erase .danger`))
	shoot(t, ctx, "member-erase-en")
	do(t, ctx, "erase", chromedp.SetValue(`[name=reason]`, "asked by letter"), chromedp.Click(`[name=sure]`), chromedp.Click(`#erase .danger`), chromedp.WaitVisible(`.erasure`))
	shoot(t, ctx, "erasures-en")
	text := read(t, ctx, chromedp.Text(`main`))
	if strings.Contains(text, "m-1001") || !strings.Contains(text, "asked by letter") || !strings.Contains(text, "Erasure 1") {
		t.Errorf("the page says %q", text)
	}
	do(t, ctx, "in Chinese, on a narrow screen", size(390, 844), chromedp.Navigate(h.web.URL+"/erasures?lang=zh-CN"), chromedp.WaitVisible(`.erasure`))
	shoot(t, ctx, "erasures-zh-narrow")
}

func TestErasuresByForm(t *testing.T) {
	h := newHouse(t)
	h.addStores()
	if status, body := h.ask("POST", "/api/members/import", "text/csv", someMembers); status != http.StatusOK {
		t.Fatal(status, body)
	}
	submit := func(path string, form url.Values) (int, string) {
		return h.ask("POST", path+"?lang=en", "application/x-www-form-urlencoded", form.Encode())
	}
	for _, row := range []struct {
		path string
		form url.Values
		code int
		says string
	}{
		{"/members/m-1001/erase", url.Values{}, http.StatusBadRequest, "Tick the box"},
		{"/members/m-1001/erase", url.Values{"sure": {"yes"}, "reason": {strings.Repeat("x", 201)}}, http.StatusBadRequest, "too long"},
		{"/members/m-nobody/erase", url.Values{"sure": {"yes"}}, http.StatusNotFound, ""},
		{"/members/m-1001/erase", url.Values{"sure": {"yes"}}, http.StatusOK, "Erasure 1 has begun"},
	} {
		if code, body := submit(row.path, row.form); code != row.code || !strings.Contains(body, row.says) {
			t.Errorf("%s %v: %d %.300s", row.path, row.form, code, body)
		}
	}
	if code, body := h.ask("GET", "/api/erasures", "", ""); code != http.StatusOK || !strings.Contains(body, `"number":1`) || strings.Contains(body, "m-1001") {
		t.Errorf("the API: %d %s", code, body)
	}
	if code, body := h.ask("GET", "/erasures?lang=zh-CN", "", ""); code != http.StatusOK || !strings.Contains(body, "删除 1") {
		t.Errorf("the page: %d %.300s", code, body)
	}
}
