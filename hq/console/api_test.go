package console

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"
)

// What tools do: the whole way by JSON.
func TestAPI(t *testing.T) {
	h := newHouse(t)
	var added struct{ ID, Token string }
	status, body := h.ask("POST", "/api/stores", "application/json", `{"id":"north","name_en":"North","name_zh":"城北店"}`)
	if json.Unmarshal([]byte(body), &added); status != 201 || !h.hq.Auth("north", added.Token) {
		t.Fatalf("adding a store: %d %s", status, body)
	}
	for path, want := range map[string]int{
		"POST /api/stores {\"id\":\"north\",\"name_en\":\"N\"}": 409, "POST /api/stores {\"id\":\"NO\"}": 422, "POST /api/stores {": 400, "POST /api/stores {\"idd\":1}": 400,
		"GET /api/visits?since=x ": 400, "GET /api/visits?limit=0 ": 400, "GET /api/records?from=x ": 400, "GET /api/nothing ": 404, "POST /api/campaigns/none/push ": 404,
	} {
		parts := strings.SplitN(path, " ", 3)
		if status, body := h.ask(parts[0], parts[1], "application/json", parts[2]); status != want || !strings.Contains(body, `"detail"`) {
			t.Errorf("%s: %d %s, want %d with a detail", path, status, body, want)
		}
	}
	if status, body := h.ask("POST", "/api/members/import?dry=1", "text/csv", someMembers); status != 200 || !strings.Contains(body, `"new":5`) {
		t.Fatalf("a dry run: %d %s", status, body)
	}
	if status, body := h.ask("POST", "/api/members/import", "text/csv", "id,tags\nm-1,nonsense\n"); status != 422 || !strings.Contains(body, `"line":2`) || strings.Contains(body, "nonsense") {
		t.Errorf("a fault: %d %s: want 422 with its line and no value", status, body)
	}
	if status, body := h.ask("POST", "/api/members/import", "text/csv", someMembers); status != 200 {
		t.Fatalf("import: %d %s", status, body)
	}
	var members []apiMember
	if h.get("/api/members?limit=2", &members); len(members) != 2 || members[0].Masked != "王**" {
		t.Errorf("members are %+v", members)
	}
	c := someCampaign()
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	if status, body := h.ask("POST", "/api/campaigns", "application/json", string(text)); status != 201 {
		t.Fatalf("write: %d %s", status, body)
	}
	if status, body := h.ask("POST", "/api/campaigns/renew-early/push", "", ""); status != 200 || !strings.Contains(body, `"state":"live"`) {
		t.Fatalf("push: %d %s", status, body)
	}
	c.Audience = "member.nothing"
	text, _ = json.Marshal(c)
	for _, path := range []string{"/api/campaigns", "/api/campaigns/check"} {
		if status, body := h.ask("POST", path, "application/json", string(text)); status != 422 || !strings.Contains(body, `"field":"audience"`) {
			t.Errorf("a broken rule to %s: %d %s", path, status, body)
		}
	}
	h.waitPublished()
	var plan apiPlan
	h.get("/api/campaigns/renew-early", &plan)
	h.answer("north", "campaigns", plan.Version, "rules", "because")
	if h.get("/api/campaigns/renew-early", &plan); len(plan.Stores) != 1 || plan.Stores[0].State != "refused" || plan.Stores[0].Why != "because" {
		t.Errorf("the campaign is %+v, want refused because", plan)
	}
	h.answer("north", "campaigns", plan.Version, "", "")
	var stores []apiStore
	if h.get("/api/stores", &stores); len(stores) != 1 || stores[0].Applied[1].State != "applied" || stores[0].Applied[0].State != "waiting" || *stores[0].SkewMS != 0 {
		t.Errorf("the stores are %+v", stores)
	}
	h.visit("north", "v1", "m-1001", "door", 1, h.now, "renew-early", true)
	var visits []apiVisit
	if h.get("/api/visits?store=north&since=2026-09-30T00:00:00Z", &visits); len(visits) != 1 || visits[0].Member != "m-1001" || !visits[0].Named {
		t.Errorf("the visits are %+v", visits)
	}
	var rows []map[string]any
	if h.get("/api/records?store=north&kind=visit.started", &rows); len(rows) != 1 {
		t.Errorf("the records are %+v", rows)
	}
	var count map[string]int
	if h.get("/api/records/count?store=north", &count); count["count"] != 4 {
		t.Errorf("the count is %v, want 4", count)
	}
	if status, body := h.ask("POST", "/api/campaigns/renew-early/end", "", ""); status != 200 || !strings.Contains(body, `"state":"ended"`) {
		t.Errorf("end: %d %s", status, body)
	}
}

func TestEvents(t *testing.T) {
	h := newHouse(t)
	h.addStores()
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
	defer stop()
	req, err := http.NewRequestWithContext(ctx, "GET", h.web.URL+"/api/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+h.hq.AdminToken())
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	until := func(want string) {
		t.Helper()
		for lines.Scan() {
			if lines.Text() == want {
				return
			}
		}
		t.Fatalf("the stream ended before %q: %v", want, lines.Err())
	}
	until("event: hello")
	h.visit("north", "v1", "m-1", "door", 1, h.now, "", false)
	until("event: change")
}
