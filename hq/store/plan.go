package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"foyer/shop/campaign"
)

// State is where a campaign stands.
type State string

// The states of a campaign.
const (
	Draft State = "draft" // never pushed, or not yet
	Live  State = "live"
	Ended State = "ended"
)

// Plan is a campaign at headquarters: as it is written, and as the stores have it.
type Plan struct {
	Campaign campaign.Campaign  // as written
	Live     *campaign.Campaign // as pushed, while it is live
	State    State
	Version  uint64 // the campaigns' snapshot since which the stores have it as Live, or without it when it ended
	Created  time.Time
	Changed  time.Time
	Pushed   time.Time
	Ended    time.Time
}

const planColumns = "SELECT state, body, live, version, created, changed, pushed, ended FROM campaign "

func scanPlan(scan func(...any) error) (Plan, error) {
	var p Plan
	var body string
	var live sql.NullString
	var created, changed, pushed, ended int64
	if err := scan(&p.State, &body, &live, &p.Version, &created, &changed, &pushed, &ended); err != nil {
		return p, err
	}
	p.Created, p.Changed, p.Pushed, p.Ended = at(created), at(changed), at(pushed), at(ended)
	if live.Valid {
		p.Live = new(campaign.Campaign)
		if err := json.Unmarshal([]byte(live.String), p.Live); err != nil {
			return p, err
		}
	}
	return p, json.Unmarshal([]byte(body), &p.Campaign)
}

// Plans lists all campaigns: live ones first, then drafts, then ended ones, newest first.
func (d *DB) Plans(ctx context.Context) ([]Plan, error) {
	return list(ctx, d, planColumns+`ORDER BY CASE state WHEN 'live' THEN 0 WHEN 'draft' THEN 1 ELSE 2 END, changed DESC, id`, nil,
		func(r *sql.Rows) (Plan, error) { return scanPlan(r.Scan) })
}

// Plan returns one campaign.
func (d *DB) Plan(ctx context.Context, id string) (Plan, error) {
	p, err := scanPlan(d.reader.QueryRowContext(ctx, planColumns+"WHERE id = ?", id).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNotFound
	}
	if err != nil {
		return p, fmt.Errorf("campaign %.40q: %w", id, err)
	}
	return p, nil
}

// SavePlan keeps a campaign as written. Stores do not hear of it.
func (d *DB) SavePlan(ctx context.Context, c campaign.Campaign, now time.Time) error {
	return d.do(ctx, func(t *tx) error { return savePlan(t, c, now) })
}

func savePlan(t *tx, c campaign.Campaign, now time.Time) error {
	body, err := json.Marshal(c)
	if err != nil {
		return err
	}
	return t.exec(`INSERT INTO campaign (id, state, body, created, changed) VALUES (?, 'draft', ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET body = excluded.body, changed = excluded.changed`, c.ID, string(body), ms(now), ms(now))
}

// PushPlan makes a campaign live as it is given. Which snapshot carries it is told later, by MarkPublished.
func (d *DB) PushPlan(ctx context.Context, c campaign.Campaign, now time.Time) error {
	return d.do(ctx, func(t *tx) error {
		if err := savePlan(t, c, now); err != nil {
			return err
		}
		err := t.exec("UPDATE campaign SET state = 'live', live = body, version = 0, pushed = ?, ended = 0 WHERE id = ?", ms(now), c.ID)
		if err != nil {
			return err
		}
		return touch(t, "campaigns")
	})
}

// EndPlan takes a campaign off the stores.
func (d *DB) EndPlan(ctx context.Context, id string, now time.Time) error {
	return d.do(ctx, func(t *tx) error {
		n, err := t.affect("UPDATE campaign SET state = 'ended', live = NULL, version = 0, ended = ? WHERE id = ? AND state = 'live'", ms(now), id)
		if err != nil {
			return err
		}
		if n == 0 {
			return fmt.Errorf("campaign %.40q is not live: %w", id, ErrNotFound)
		}
		return touch(t, "campaigns")
	})
}

// LiveCampaigns is what the stores are to have, and the revision at which it is so.
func (d *DB) LiveCampaigns(ctx context.Context) ([]campaign.Campaign, int64, error) {
	revision, err := d.Revision(ctx, "campaigns")
	if err != nil {
		return nil, 0, err
	}
	all, err := list(ctx, d, "SELECT live FROM campaign WHERE live IS NOT NULL ORDER BY id", nil,
		func(r *sql.Rows) (campaign.Campaign, error) {
			var body []byte
			var c campaign.Campaign
			if err := r.Scan(&body); err != nil {
				return c, err
			}
			return c, json.Unmarshal(body, &c)
		})
	return all, revision, err
}
