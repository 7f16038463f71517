package console

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"foyer/hq"
	"foyer/hq/store"
	"foyer/shop/campaign"
	"foyer/shop/member"
	"foyer/sync/wire"
)

type planRow struct {
	store.Plan
	Title                     string
	Public                    bool
	Edited                    bool // what is written differs from what is live
	Over                      bool // live, and its time is over
	Applied, Refused, Waiting int
}

type campaignsView struct {
	Plans []planRow
	Flash string // key of a text
}

func (c *Console) campaigns(w http.ResponseWriter, r *http.Request) {
	rows, err := c.planRows(r.Context(), c.language(w, r))
	if err != nil {
		c.broken(w, r, err)
		return
	}
	c.render(w, r, http.StatusOK, "campaigns", campaignsView{Plans: rows})
}

func (c *Console) campaignsPart(w http.ResponseWriter, r *http.Request) {
	rows, err := c.planRows(r.Context(), c.language(w, r))
	if err != nil {
		c.broken(w, r, err)
		return
	}
	c.part(w, r, "campaigns", campaignsView{Plans: rows})
}

func (c *Console) planRows(ctx context.Context, lang string) ([]planRow, error) {
	plans, err := c.hq.DB().Plans(ctx)
	if err != nil {
		return nil, err
	}
	stores, err := c.hq.Stores(ctx)
	rows := make([]planRow, len(plans))
	for i, p := range plans {
		rows[i] = c.planRow(p, stores, lang)
	}
	return rows, err
}

func (c *Console) planRow(p store.Plan, stores []hq.Store, lang string) planRow {
	row := planRow{Plan: p, Title: p.Campaign.Content[lang].Title, Public: p.Campaign.Audience == "true"}
	row.Over = p.State == store.Live && !p.Live.Ends.After(c.hq.Now())
	row.Edited = p.State == store.Live && !same(*p.Live, p.Campaign)
	if p.State == store.Draft {
		return row
	}
	for _, reach := range hq.Reaches(p, stores) {
		switch {
		case !reach.Answered:
			row.Waiting++
		case reach.Answer.Applied:
			row.Applied++
		default:
			row.Refused++
		}
	}
	return row
}

// editView is the editor.
type editView struct {
	Form    campaignForm
	Plan    *planRow // nil for a new one
	Reach   []reachRow
	Faults  map[string][]string // by field
	Flash   string
	Stores  []hq.Store
	Arts    []string
	Vars    []campaign.Variable
	Recipes []recipe
	Names   map[string]string // an example name, by language
	Zone    string
}

type reachRow struct {
	hq.Reach
	Why string
}

// recipe is a rule that people often want, one touch away.
type recipe struct{ Key, Rule string }

var recipes = []recipe{
	{"everybody", "true"},
	{"gold", `member.tier in ["gold", "diamond"]`},
	{"contract", "member.days_to_contract_end >= 0 && member.days_to_contract_end <= 30"},
	{"birthday", "member.birthday_today"},
	{"first", "member.nth_visit == 1"},
	{"back", "member.days_since_last_visit > 60"},
}

func (c *Console) newCampaign(w http.ResponseWriter, r *http.Request) {
	start := c.hq.Now().In(c.zone).Truncate(time.Hour)
	f := campaignForm{Starts: start.Format(formTime), Ends: start.AddDate(0, 1, 0).Format(formTime), Priority: "10", PerDay: "1",
		Art: campaign.Arts[0], Audience: "true", Content: map[string]campaign.Content{}}
	c.showEditor(w, r, http.StatusOK, editView{Form: f})
}

func (c *Console) editCampaign(w http.ResponseWriter, r *http.Request) {
	p, err := c.hq.DB().Plan(r.Context(), r.PathValue("id"))
	if errors.Is(err, store.ErrNotFound) {
		c.notFound(w, r)
		return
	}
	if err != nil {
		c.broken(w, r, err)
		return
	}
	flash := r.URL.Query().Get("done")
	if !slices.Contains([]string{"saved", "pushed", "ended"}, flash) {
		flash = ""
	}
	c.showEditor(w, r, http.StatusOK, editView{Form: c.formOf(p.Campaign), Flash: flash})
}

func (c *Console) showEditor(w http.ResponseWriter, r *http.Request, status int, v editView) {
	lang := c.language(w, r)
	if err := c.fillEditor(r.Context(), lang, &v); err != nil {
		c.broken(w, r, err)
		return
	}
	c.render(w, r, status, "campaign", v)
}

func (c *Console) fillEditor(ctx context.Context, lang string, v *editView) error {
	stores, err := c.hq.Stores(ctx)
	if err != nil {
		return err
	}
	v.Stores, v.Arts, v.Vars, v.Recipes, v.Zone = stores, campaign.Arts, campaign.Variables(), recipes, c.hq.Now().In(c.zone).Format("MST (UTC-07:00)")
	example := member.Member{Family: "王", FamilyLatin: "Wang", Title: member.Ms}
	v.Names, _ = example.Public(c.words)
	if v.Form.ID == "" {
		return nil
	}
	p, err := c.hq.DB().Plan(ctx, v.Form.ID)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	row := c.planRow(p, stores, lang)
	v.Plan, v.Reach = &row, c.reachRows(p, stores, lang)
	return err
}

func (c *Console) reachRows(p store.Plan, stores []hq.Store, lang string) []reachRow {
	if p.State == store.Draft {
		return nil
	}
	var rows []reachRow
	for _, reach := range hq.Reaches(p, stores) {
		rows = append(rows, reachRow{reach, c.refusal(lang, reach.Answer.Code, reach.Answer.Why)})
	}
	return rows
}

// refusal says why a store refused: in words where the code is known, with the store's own details behind.
func (c *Console) refusal(lang string, code wire.Code, why string) string {
	key := "sync.refused." + string(code)
	if code == "" || !c.words.Has(lang, key) {
		return why
	}
	if why == "" {
		return c.words.Text(lang, key)
	}
	return c.words.Text(lang, key) + " (" + why + ")"
}

func (c *Console) reachPart(w http.ResponseWriter, r *http.Request) {
	v := editView{Form: campaignForm{ID: r.PathValue("id")}}
	if err := c.fillEditor(r.Context(), c.language(w, r), &v); err != nil {
		c.broken(w, r, err)
		return
	}
	c.part(w, r, "reach", v)
}

// saveCampaign keeps what was written, and with "do=push" sends it to the stores. What a store would refuse is neither.
func (c *Console) saveCampaign(w http.ResponseWriter, r *http.Request) {
	f, written, faults := c.readForm(w, r)
	if f.ID == "" {
		written.ID = c.hq.NewCampaignID()
	}
	if len(faults) == 0 {
		err := c.hq.SaveCampaign(r.Context(), written)
		if err == nil && f.Do == "push" {
			err = c.hq.PushCampaign(r.Context(), written.ID)
		}
		if err == nil {
			done := "saved"
			if f.Do == "push" {
				done = "pushed"
			}
			http.Redirect(w, r, "/campaigns/"+written.ID+"?done="+done, http.StatusSeeOther)
			return
		}
		if faults = c.sayFaults(c.language(w, r), err); faults == nil {
			c.broken(w, r, err)
			return
		}
	}
	c.showEditor(w, r, http.StatusUnprocessableEntity, editView{Form: f, Faults: faults})
}

// checkCampaign answers the editor's check with the faults by field, as JSON.
func (c *Console) checkCampaign(w http.ResponseWriter, r *http.Request) {
	f, written, faults := c.readForm(w, r)
	if f.ID == "" {
		written.ID = c.hq.NewCampaignID()
	}
	if len(faults) == 0 {
		if err := c.hq.CheckCampaign(r.Context(), written); err != nil {
			if faults = c.sayFaults(c.language(w, r), err); faults == nil {
				c.broken(w, r, err)
				return
			}
		}
	}
	if faults == nil {
		faults = map[string][]string{}
	}
	answer(w, http.StatusOK, map[string]any{"faults": faults})
}

func (c *Console) endCampaign(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	err := c.hq.EndCampaign(r.Context(), id)
	if errors.Is(err, store.ErrNotFound) {
		c.notFound(w, r)
		return
	}
	if err != nil {
		c.broken(w, r, err)
		return
	}
	http.Redirect(w, r, "/campaigns/"+id+"?done=ended", http.StatusSeeOther)
}
