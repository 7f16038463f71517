package console

import (
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"foyer/api"
	"foyer/hq"
	"foyer/hq/store"
	"foyer/internal/words"
	"foyer/shop/binding"
	"foyer/shop/campaign"
	"foyer/shop/proof"
	"foyer/sync/wire"
)

// browserLike is a client with cookies that does not follow redirects by itself.
func (h *house) browserLike() *http.Client {
	jar, err := cookiejar.New(nil)
	if err != nil {
		h.t.Fatal(err)
	}
	return &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

func (h *house) do(c *http.Client, req *http.Request) (*http.Response, string) {
	h.t.Helper()
	resp, err := c.Do(req)
	if err != nil {
		h.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	return resp, string(body)
}

func (h *house) request(method, path string, form url.Values) *http.Request {
	h.t.Helper()
	req, err := http.NewRequestWithContext(h.t.Context(), method, h.web.URL+path, strings.NewReader(form.Encode()))
	if err != nil {
		h.t.Fatal(err)
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return req
}

func TestDoor(t *testing.T) {
	h := newHouse(t)
	c := h.browserLike()
	for _, path := range []string{"/", "/stores", "/members", "/campaigns", "/nowhere", "/members/template.csv"} {
		if resp, _ := h.do(c, h.request("GET", path, nil)); resp.StatusCode != http.StatusSeeOther || resp.Header.Get("Location") != "/login" {
			t.Errorf("GET %s without a session: %s to %s, want the login page", path, resp.Status, resp.Header.Get("Location"))
		}
	}
	for _, r := range [][2]string{{"GET", "/api/stores"}, {"GET", "/api/events"}, {"GET", "/events"}, {"GET", "/parts/overview"}, {"POST", "/stores"}, {"POST", "/api/campaigns"}, {"POST", "/logout"}} {
		resp, body := h.do(c, h.request(r[0], r[1], nil))
		var p api.Problem
		if resp.StatusCode != http.StatusUnauthorized || json.Unmarshal([]byte(body), &p) != nil || p.Detail == "" {
			t.Errorf("%s %s without a session: %s %s, want 401 with a problem", r[0], r[1], resp.Status, body)
		}
	}
	if resp, _ := h.do(c, h.request("POST", "/login", url.Values{"token": {"wrong"}})); resp.StatusCode != http.StatusForbidden {
		t.Errorf("a wrong token: %s, want 403", resp.Status)
	}
	resp, _ := h.do(c, h.request("POST", "/login", url.Values{"token": {h.hq.AdminToken()}}))
	if resp.StatusCode != http.StatusSeeOther || len(resp.Cookies()) != 1 {
		t.Fatalf("the right token: %s with %v", resp.Status, resp.Cookies())
	}
	if k := resp.Cookies()[0]; !k.HttpOnly || k.SameSite != http.SameSiteStrictMode || k.Path != "/" || strings.Contains(k.Value, h.hq.AdminToken()) {
		t.Errorf("the cookie is %v", k)
	}
	resp, body := h.do(c, h.request("GET", "/", nil))
	if resp.StatusCode != 200 || !strings.Contains(body, "</html>") {
		t.Fatalf("the overview: %s", resp.Status)
	}
	if csp := resp.Header.Get("Content-Security-Policy"); strings.Contains(csp, "unsafe") || !strings.Contains(csp, "frame-ancestors 'none'") {
		t.Errorf("the policy is %q", csp)
	}
	foreign := h.request("POST", "/stores", url.Values{"id": {"x"}, "name_en": {"X"}})
	foreign.Header.Set("Sec-Fetch-Site", "cross-site")
	if resp, _ := h.do(c, foreign); resp.StatusCode != http.StatusForbidden {
		t.Errorf("a form on another site: %s, want 403", resp.Status)
	}
	h.pass(sessionTime + time.Second)
	if resp, _ := h.do(c, h.request("GET", "/", nil)); resp.StatusCode != http.StatusSeeOther {
		t.Errorf("after its time the session gives %s", resp.Status)
	}
}

func TestLogout(t *testing.T) {
	h := newHouse(t)
	c := h.browserLike()
	if resp, _ := h.do(c, h.request("GET", "/login?token="+h.hq.AdminToken(), nil)); resp.StatusCode != http.StatusSeeOther || resp.Header.Get("Location") != "/" {
		t.Fatalf("a link with the token: %s to %s, want the overview", resp.Status, resp.Header.Get("Location"))
	}
	at, _ := url.Parse(h.web.URL)
	kept := c.Jar.Cookies(at)
	h.do(c, h.request("POST", "/logout", url.Values{}))
	c.Jar.SetCookies(at, kept) // somebody kept the cookie
	if resp, _ := h.do(c, h.request("GET", "/", nil)); resp.StatusCode != http.StatusSeeOther {
		t.Errorf("after signing out the old cookie gives %s", resp.Status)
	}
}

func TestLoginIsSlowAfterWrongTokens(t *testing.T) {
	h := newHouse(t)
	c := h.browserLike()
	for range tries {
		h.do(c, h.request("POST", "/login", url.Values{"token": {"wrong"}}))
	}
	right := func() *http.Response {
		resp, _ := h.do(c, h.request("POST", "/login", url.Values{"token": {h.hq.AdminToken()}}))
		return resp
	}
	if resp := right(); resp.StatusCode != http.StatusTooManyRequests || resp.Header.Get("Retry-After") == "" {
		t.Errorf("after %d wrong tokens the right one gives %s, want 429", tries, resp.Status)
	}
	if status, _ := h.ask("GET", "/api/stores", "", ""); status != http.StatusUnauthorized {
		t.Errorf("meanwhile a tool with the right token gets %d, want 401", status)
	}
	h.pass(tryTime)
	if resp := right(); resp.StatusCode != http.StatusSeeOther {
		t.Errorf("a minute later it gives %s", resp.Status)
	}
}

var untranslated = regexp.MustCompile(`console\.[a-z_]+\.|%!|ZgotmplZ|&#34;[A-Z]`)

func TestEveryPageInEveryLanguage(t *testing.T) {
	h := newHouse(t)
	h.busy()
	for _, lang := range words.Load().Languages() {
		for _, path := range []string{"/", "/stores", "/members", "/members/m-1001", "/campaigns", "/campaigns/new", "/campaigns/renew-early", "/campaigns/cup-of-tea",
			"/parts/overview", "/parts/stores", "/parts/campaigns", "/parts/campaigns/mobile-tv"} {
			status, body := h.ask("GET", path+"?lang="+lang, "", "")
			if status != 200 {
				t.Errorf("GET %s in %s: %d %s", path, lang, status, body)
			}
			if hit := untranslated.FindString(body); hit != "" {
				t.Errorf("GET %s in %s has %q", path, lang, hit)
			}
			for _, secret := range []string{"安娜", "Anna", "8075634", "11-03"} {
				if strings.Contains(body, secret) {
					t.Errorf("GET %s tells %q of a member", path, secret)
				}
			}
		}
	}
	if status, _ := h.ask("GET", "/campaigns/nothing", "", ""); status != 404 {
		t.Errorf("a campaign that is not there: %d, want 404", status)
	}
}

// What a store has told of its memory stands on the stores page, whatever of it there is.
func TestTheStoresPageTellsOfAStoresMemory(t *testing.T) {
	h := newHouse(t)
	h.busy()
	state := wire.State{V: wire.Version, Online: true, At: h.now, Epoch: "e1", Budget: 20_000_000, Spent: 12_300_000, Given: &wire.GivenUp{Visits: 310, Statistics: 4217},
		Lanes: []wire.LaneState{{Lane: wire.CaseLane}, {Lane: wire.MainLane, Last: 12_345, Oldest: h.now.Add(-time.Hour)}, {Lane: wire.CountLane, Last: 77, Waits: true}}}
	if err := h.hq.DB().KeepState(t.Context(), "airport", state); err != nil {
		t.Fatal(err)
	}
	for lang, want := range map[string][]string{
		"en":    {"gave up 310 visits and 4,217 counts", "records wait at the store", "12.3 of 20.0 MB", "Given and owed"},
		"zh-CN": {"已舍弃 310 条到店记录和 4,217 条统计", "条记录留在店里", "12.3 / 20.0 MB", "权益与待办"},
	} {
		_, body := h.ask("GET", "/stores?lang="+lang, "", "")
		for _, text := range want {
			if !strings.Contains(body, text) {
				t.Errorf("the page in %s does not say %q", lang, text)
			}
		}
		if hit := untranslated.FindString(body); hit != "" {
			t.Errorf("the page in %s has %q", lang, hit)
		}
	}
}

// The pages have a sentence for every fault, variable, purpose and recipe that there is.
func TestEveryKeyHasWords(t *testing.T) {
	keys := []string{}
	for _, code := range []hq.FaultCode{hq.FaultTooBig, hq.FaultTooManyRows, hq.FaultEmpty, hq.FaultEncoding, hq.FaultUTF16, hq.FaultQuote, hq.FaultColumn,
		hq.FaultColumnTwice, hq.FaultColumnNeeded, hq.FaultWidth, hq.FaultNobody, hq.FaultTwice, hq.FaultID, hq.FaultText, hq.FaultTitle, hq.FaultLanguage,
		hq.FaultTier, hq.FaultMonthDay, hq.FaultDate, hq.FaultTag, hq.FaultTagMany, hq.FaultTagSheet, hq.FaultTagTaken, hq.FaultTagsOfTwo, hq.FaultConsent, hq.FaultYesNo, hq.FaultErased} {
		keys = append(keys, "fault."+string(code))
	}
	for _, v := range campaign.Variables() {
		keys = append(keys, "var."+v.Name)
	}
	for _, r := range recipes {
		keys = append(keys, "campaign.recipe."+r.Key)
	}
	for _, a := range campaign.Arts {
		keys = append(keys, "campaign.arts."+a)
	}
	for _, k := range []binding.Kind{binding.Bound, binding.Replaced, binding.Blocked, binding.Unbound} {
		keys = append(keys, "card.kind."+string(k))
		for _, why := range binding.Reasons(k) {
			keys = append(keys, "card.reason."+string(why))
		}
	}
	for _, m := range []proof.Method{proof.PIN, proof.LastDigits, proof.Staff} {
		keys = append(keys, "card.proved."+string(m))
	}
	keys = append(keys, "card.kind."+store.CardSeen, "card.kind."+store.CardHandled)
	for _, c := range hq.Columns {
		keys = append(keys, "member.column."+c)
	}
	for _, lang := range words.Load().Languages() {
		for _, k := range keys {
			if !words.Load().Has(lang, "console."+k) {
				t.Errorf("%s.yaml lacks console.%s", lang, k)
			}
		}
	}
	for _, r := range recipes {
		c := someCampaign()
		c.Audience = r.Rule
		if _, err := campaign.Compile([]campaign.Campaign{c}); err != nil {
			t.Errorf("the recipe %s does not work: %v", r.Key, err)
		}
	}
}

func TestLanguage(t *testing.T) {
	h := newHouse(t)
	for accept, want := range map[string]string{"zh-CN,zh;q=0.9": "zh-CN", "zh-TW": "zh-CN", "en-GB,zh;q=0.5": "en", "fr": "en", "": "en", "fr, zh;q=0.3": "zh-CN"} {
		req := h.request("GET", "/login", nil)
		req.Header.Set("Accept-Language", accept)
		if _, body := h.do(h.browserLike(), req); !strings.Contains(body, `<html lang="`+want+`">`) {
			t.Errorf("Accept-Language %q does not give %s", accept, want)
		}
	}
	c := h.browserLike()
	h.do(c, h.request("GET", "/login?lang=zh-CN", nil))
	if _, body := h.do(c, h.request("GET", "/login", nil)); !strings.Contains(body, `lang="zh-CN"`) {
		t.Error("the language is not remembered")
	}
}

func TestStoresByForm(t *testing.T) {
	h := newHouse(t)
	post := func(form string) (int, string) {
		return h.ask("POST", "/stores", "application/x-www-form-urlencoded", form)
	}
	status, body := post("id=north&name_en=North")
	token := regexp.MustCompile(`<code id="token">([A-Z2-7]+)</code>`).FindStringSubmatch(body)
	if status != http.StatusCreated || token == nil || !h.hq.Auth("north", token[1]) {
		t.Fatalf("adding a store: %d, token %v: want one that opens", status, token)
	}
	if _, body := h.ask("GET", "/stores", "", ""); strings.Contains(body, token[1]) {
		t.Error("the token is shown a second time")
	}
	for form, want := range map[string]int{"id=north&name_en=N": 409, "id=North&name_en=N": 422, "id=&name_en=N": 422, "id=x": 422, "id=x&name_en=" + strings.Repeat("n", 61): 422} {
		if status, body := post(form); status != want || !strings.Contains(body, `class="fault"`) {
			t.Errorf("adding %s: %d, want %d with a fault", form, status, want)
		}
	}
	if status, body := h.ask("POST", "/stores/north/token", "", ""); status != 200 || !strings.Contains(body, `id="token"`) || h.hq.Auth("north", token[1]) {
		t.Errorf("a new token: %d: want it shown and the old one void", status)
	}
	if status, _ := h.ask("POST", "/stores/nobody/token", "", ""); status != 404 {
		t.Errorf("a new token for nobody: %d, want 404", status)
	}
}

func (h *house) uploadFile(data string) (int, string) {
	h.t.Helper()
	var b strings.Builder
	form := multipart.NewWriter(&b)
	part, err := form.CreateFormFile("file", "members.csv")
	if err != nil {
		h.t.Fatal(err)
	}
	io.WriteString(part, data)
	form.Close()
	return h.ask("POST", "/members/check", form.FormDataContentType(), b.String())
}

func TestMembersByForm(t *testing.T) {
	h := newHouse(t)
	if status, body := h.uploadFile("id,phone\nm-1,13800138000\n"); status != 422 || !strings.Contains(body, "phone") || strings.Contains(body, "13800138000") {
		t.Errorf("a file with a fault: %d: want 422 that names the column and no value", status)
	}
	if status, _ := h.uploadFile(strings.Repeat("x", hq.MaxImportBytes+1<<17)); status != 400 {
		t.Errorf("a file too large: %d, want 400", status)
	}
	if status, _ := h.ask("POST", "/members/check", "text/plain", "x"); status != 400 {
		t.Errorf("no file: %d, want 400", status)
	}
	_, body := h.uploadFile(someMembers)
	id := regexp.MustCompile(`name="preview" value="([A-Z2-7]+)"`).FindStringSubmatch(body)
	if id == nil {
		t.Fatal("no preview to apply")
	}
	apply := func() int {
		status, _ := h.ask("POST", "/members/apply", "application/x-www-form-urlencoded", "preview="+id[1])
		return status
	}
	if first, second := apply(), apply(); first != 200 || second != 409 {
		t.Errorf("applying twice: %d and %d, want 200 and 409", first, second)
	}
	if status, body := h.ask("GET", "/members/template.csv", "", ""); status != 200 || !strings.HasPrefix(body, "\uFEFFid,family,") {
		t.Errorf("the template: %d %q", status, body)
	}
}

func formOfTea(change map[string]string) string {
	v := url.Values{"name": {"Tea"}, "audience": {"true"}, "starts": {"2026-09-30T09:00"}, "ends": {"2026-10-30T09:00"}, "priority": {"10"}, "per_day": {"1"}, "art": {"cup"},
		"zh-CN.title": {"请您喝杯茶"}, "zh-CN.text": {"歇一歇。"}, "en.title": {"Have some tea"}, "en.text": {"Rest a while."}}
	for k, x := range change {
		v.Set(k, x)
	}
	return v.Encode()
}

func TestCampaignFaultsStandByTheirFields(t *testing.T) {
	h := newHouse(t)
	for _, tc := range []struct{ field, name, value string }{
		{"audience", "audience", `member.teir == "gold"`}, {"audience", "audience", ""}, {"name", "name", ""}, {"starts", "starts", "soon"}, {"ends", "ends", ""},
		{"ends", "ends", "2026-09-01T00:00"}, {"priority", "priority", "high"}, {"per_day", "per_day", "99"}, {"art", "art", "cat"},
		{"content.en.title", "en.title", strings.Repeat("x", 25)}, {"content.zh-CN.text", "zh-CN.text", "{phone}"}, {"content.*.talk", "en.talk", "Only in English"},
	} {
		status, body := h.ask("POST", "/campaigns/check", "application/x-www-form-urlencoded", formOfTea(map[string]string{tc.name: tc.value}))
		var got struct {
			Faults map[string][]string `json:"faults"`
		}
		if err := json.Unmarshal([]byte(body), &got); err != nil || status != 200 || len(got.Faults[tc.field]) == 0 {
			t.Errorf("%s = %q: %d %s, want a fault by %s", tc.name, tc.value, status, body, tc.field)
		}
		for _, do := range []string{"save", "push"} {
			if status, body := h.ask("POST", "/campaigns", "application/x-www-form-urlencoded", formOfTea(map[string]string{tc.name: tc.value, "do": do})); status != 422 || !strings.Contains(body, `class="fault"`) {
				t.Errorf("%s = %q: to %s it gives %d, want 422 with the fault", tc.name, tc.value, do, status)
			}
		}
	}
	if status, body := h.ask("POST", "/campaigns/check", "application/x-www-form-urlencoded", formOfTea(nil)); status != 200 || body != "{\"faults\":{}}\n" {
		t.Errorf("a good one: %d %s", status, body)
	}
	if plans, err := h.hq.DB().Plans(t.Context()); err != nil || len(plans) != 0 {
		t.Errorf("%d campaigns were kept, %v: want none", len(plans), err)
	}
}

func TestNumbers(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1000: "-1,000", -100: "-100"} {
		if got := number(n); got != want {
			t.Errorf("number(%d) = %s, want %s", n, got, want)
		}
	}
	if fmt.Sprint(shortID("m-1234567890ab")) != "m-12345678…" {
		t.Error(shortID("m-1234567890ab"))
	}
}
