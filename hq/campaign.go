package hq

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"

	"foyer/hq/store"
	"foyer/shop/campaign"
)

// Broken is the error for a campaign that a store would refuse. It carries every fault.
type Broken struct{ Faults []*campaign.Fault }

func (e *Broken) Error() string {
	all := make([]error, len(e.Faults))
	for i, f := range e.Faults {
		all[i] = f
	}
	return errors.Join(all...).Error()
}

// CheckCampaign compiles a campaign together with all that are live, as a store will. It returns a *Broken that
// tells what is wrong with this one; what is wrong with others is another error.
func (h *HQ) CheckCampaign(ctx context.Context, c campaign.Campaign) error {
	live, _, err := h.db.LiveCampaigns(ctx)
	if err != nil {
		return err
	}
	all := []campaign.Campaign{c}
	for _, l := range live {
		if l.ID != c.ID {
			all = append(all, l)
		}
	}
	_, err = campaign.Compile(all)
	if err == nil {
		return nil
	}
	if _, alone := campaign.Compile(all[:1]); alone != nil {
		return broken(alone)
	}
	return fmt.Errorf("with what is live already: %w", err)
}

func broken(err error) error {
	var faults []*campaign.Fault
	many, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return err
	}
	for _, e := range many.Unwrap() {
		if f, ok := errors.AsType[*campaign.Fault](e); ok {
			faults = append(faults, f)
		}
	}
	if len(faults) == 0 {
		return err
	}
	return &Broken{faults}
}

// NewCampaignID makes an id for a campaign that was given none.
func (h *HQ) NewCampaignID() string {
	return "c" + h.cfg.Now().Format("20060102") + "-" + strings.ToLower(rand.Text()[:5])
}

// SaveCampaign checks a campaign and keeps it as written. Stores go on with what was pushed before.
func (h *HQ) SaveCampaign(ctx context.Context, c campaign.Campaign) error {
	if err := h.CheckCampaign(ctx, c); err != nil {
		return err
	}
	if err := h.db.SavePlan(ctx, c, h.cfg.Now()); err != nil {
		return fmt.Errorf("save campaign: %w", err)
	}
	h.hub.changed()
	return nil
}

// PushCampaign checks a campaign as it was saved and sends it to the stores: a new snapshot of all that are live.
func (h *HQ) PushCampaign(ctx context.Context, id string) error {
	p, err := h.db.Plan(ctx, id)
	if err != nil {
		return err
	}
	if err := h.CheckCampaign(ctx, p.Campaign); err != nil {
		return err
	}
	if !p.Campaign.Ends.After(h.cfg.Now()) {
		return &Broken{[]*campaign.Fault{{Campaign: id, Field: "ends", Wrong: "in the past", Want: "a time to come"}}}
	}
	if err := h.db.PushPlan(ctx, p.Campaign, h.cfg.Now()); err != nil {
		return fmt.Errorf("push campaign: %w", err)
	}
	h.cfg.Log.Info("campaign pushed", "campaign", id)
	poke(h.kick)
	h.hub.changed()
	return nil
}

// EndCampaign takes a live campaign off the stores.
func (h *HQ) EndCampaign(ctx context.Context, id string) error {
	if err := h.db.EndPlan(ctx, id, h.cfg.Now()); err != nil {
		return err
	}
	h.cfg.Log.Info("campaign ended", "campaign", id)
	poke(h.kick)
	h.hub.changed()
	return nil
}

// Reach is what one store made of a campaign's push, or of its end.
type Reach struct {
	Store    Store
	Answered bool
	Answer   store.Answer
}

// Reaches tells, for each store, what it made of the campaign as it was last pushed or ended.
func Reaches(p store.Plan, stores []Store) []Reach {
	all := make([]Reach, len(stores))
	for i, s := range stores {
		all[i] = Reach{Store: s}
		all[i].Answer, all[i].Answered = s.Snapshot[Campaigns].Of(p.Version)
	}
	return all
}
