package console

import (
	"net/http"
	"time"

	"foyer/hq"
	"foyer/hq/store"
	"foyer/shop/campaign"
)

type apiPlan struct {
	Campaign campaign.Campaign  `json:"campaign"`
	Live     *campaign.Campaign `json:"live,omitempty"`
	State    store.State        `json:"state"`
	Version  uint64             `json:"version,omitempty"` // the snapshot of campaigns that brought it, or its end
	Stores   []apiReach         `json:"stores,omitempty"`
}

type apiReach struct {
	Store string `json:"store"`
	State string `json:"state"` // "waiting", "applied", "refused"
	Why   string `json:"why,omitempty"`
}

func newAPIPlan(p store.Plan, stores []hq.Store) apiPlan {
	out := apiPlan{Campaign: p.Campaign, Live: p.Live, State: p.State, Version: p.Version}
	if p.State == store.Draft {
		return out
	}
	for _, reach := range hq.Reaches(p, stores) {
		a := apiReach{Store: reach.Store.ID, State: "waiting"}
		switch {
		case reach.Answered && reach.Answer.Applied:
			a.State = "applied"
		case reach.Answered:
			a.State, a.Why = "refused", reach.Answer.Why
		}
		out.Stores = append(out.Stores, a)
	}
	return out
}

func (c *Console) apiCampaigns(w http.ResponseWriter, r *http.Request) {
	plans, err := c.hq.DB().Plans(r.Context())
	if err != nil {
		c.fail(w, r, err)
		return
	}
	stores, err := c.hq.Stores(r.Context())
	all := make([]apiPlan, len(plans))
	for i, p := range plans {
		all[i] = newAPIPlan(p, stores)
	}
	c.reply(w, r, http.StatusOK, all, err)
}

func (c *Console) apiCampaign(w http.ResponseWriter, r *http.Request) {
	c.replyPlan(w, r, http.StatusOK, r.PathValue("id"), nil)
}

// replyPlan answers with a campaign as it is now, unless what was to be done with it failed.
func (c *Console) replyPlan(w http.ResponseWriter, r *http.Request, status int, id string, err error) {
	if err != nil {
		c.fail(w, r, err)
		return
	}
	p, err := c.hq.DB().Plan(r.Context(), id)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	stores, err := c.hq.Stores(r.Context())
	c.reply(w, r, status, newAPIPlan(p, stores), err)
}

func (c *Console) readCampaign(w http.ResponseWriter, r *http.Request) (campaign.Campaign, bool) {
	var x campaign.Campaign
	ok := readJSON(w, r, maxForm, &x)
	if x.ID == "" {
		x.ID = c.hq.NewCampaignID()
	}
	return x, ok
}

func (c *Console) apiSaveCampaign(w http.ResponseWriter, r *http.Request) {
	if x, ok := c.readCampaign(w, r); ok {
		c.replyPlan(w, r, http.StatusCreated, x.ID, c.hq.SaveCampaign(r.Context(), x))
	}
}

func (c *Console) apiCheckCampaign(w http.ResponseWriter, r *http.Request) {
	if x, ok := c.readCampaign(w, r); ok {
		c.reply(w, r, http.StatusOK, map[string]bool{"ok": true}, c.hq.CheckCampaign(r.Context(), x))
	}
}

func (c *Console) apiPush(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	c.replyPlan(w, r, http.StatusOK, id, c.hq.PushCampaign(r.Context(), id))
}

func (c *Console) apiEnd(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	c.replyPlan(w, r, http.StatusOK, id, c.hq.EndCampaign(r.Context(), id))
}

func (c *Console) apiSnapshots(w http.ResponseWriter, r *http.Request) {
	type snapshot struct {
		Kind    string    `json:"kind"`
		Version uint64    `json:"version"`
		Bytes   int       `json:"bytes"`
		MadeAt  time.Time `json:"made_at"`
	}
	var all []snapshot
	for _, kind := range []string{hq.Members, hq.Campaigns} {
		p, err := c.hq.DB().LastPublished(r.Context(), kind)
		if err != nil {
			c.fail(w, r, err)
			return
		}
		all = append(all, snapshot{kind, p.Version, len(p.Sealed), p.MadeAt})
	}
	answer(w, http.StatusOK, all)
}
