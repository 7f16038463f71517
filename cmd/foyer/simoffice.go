package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"foyer/shop/campaign"
	"foyer/sync/badge"
	"foyer/sync/sim"
	"foyer/sync/wire"
)

// office is headquarters' console as a program uses it.
type office struct{ url, tokenFile, token string }

func (o *office) open() error {
	u, err := url.Parse(o.url)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return fmt.Errorf("--console %.80q: want http://host:port or https://host:port", o.url)
	}
	text, err := os.ReadFile(o.tokenFile)
	if err != nil {
		return fmt.Errorf("--admin-token-file: %w", err)
	}
	o.token = strings.TrimSpace(string(text))
	return nil
}

// refusedBy is an answer that is none.
type refusedBy struct {
	status int
	text   string
}

func (r *refusedBy) Error() string {
	return fmt.Sprintf("headquarters answers %d %s: %.300s", r.status, http.StatusText(r.status), r.text)
}

func (o *office) ask(ctx context.Context, path string, body, into any) error {
	data, err := json.Marshal(body)
	if err != nil {
		return err
	}
	ctx, stop := context.WithTimeout(ctx, time.Minute)
	defer stop()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(o.url, "/")+path, bytes.NewReader(data))
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+o.token)
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if data, err = io.ReadAll(io.LimitReader(answer.Body, 64<<20)); err != nil {
		return err
	}
	if answer.StatusCode >= 300 {
		return &refusedBy{answer.StatusCode, string(data)}
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(data, into)
}

// publish pushes a campaign that is for nobody. end takes it back.
func (o *office) publish(ctx context.Context) (end func(), err error) {
	words := campaign.Content{Title: "Sizing", Text: "Sizing", Talk: "Sizing"}
	c := campaign.Campaign{Name: "Sizing", Audience: "false", Starts: time.Now(), Ends: time.Now().Add(time.Hour), PerDay: 1, Art: campaign.Arts[0],
		Content: map[string]campaign.Content{"en": words, "zh-CN": words}}
	var made struct {
		Campaign struct {
			ID string `json:"id"`
		} `json:"campaign"`
	}
	if err := o.ask(ctx, "/api/campaigns", c, &made); err != nil {
		return nil, fmt.Errorf("write a campaign: %w", err)
	}
	path := "/api/campaigns/" + url.PathEscape(made.Campaign.ID)
	if err := o.ask(ctx, path+"/push", nil, nil); err != nil {
		return nil, fmt.Errorf("publish a campaign: %w", err)
	}
	return func() { o.ask(context.WithoutCancel(ctx), path+"/end", nil, nil) }, nil
}

// enrol opens the badges that are there and gets those that are not.
func (z *sizing) enrol(ctx context.Context) (all []sim.Config, fresh int, err error) {
	all = make([]sim.Config, z.stores+z.stalled)
	var next, got atomic.Int64
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var clerks sync.WaitGroup
	for range 8 {
		clerks.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(all) && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				made := false
				var err error
				if all[i], made, err = z.one(ctx, fmt.Sprintf("sim-%04d", i+1)); err != nil {
					stop(err) // the first of them is told
					return
				}
				if made {
					got.Add(1)
				}
			}
		})
	}
	clerks.Wait()
	return all, int(got.Load()), context.Cause(ctx)
}

// one is a store with its badge.
func (z *sizing) one(ctx context.Context, name string) (c sim.Config, fresh bool, err error) {
	place := wire.Place{Chain: z.chain, Store: name}
	dir := filepath.Join(z.dir, name)
	folder, err := badge.Open(dir, place)
	if errors.Is(err, badge.ErrNotEnrolled) {
		fresh = true
		if err = z.getBadge(ctx, place, dir); err == nil {
			folder, err = badge.Open(dir, place)
		}
	}
	if err != nil {
		return c, fresh, fmt.Errorf("store %s: %w", name, err)
	}
	news := folder.News()
	keys, err := news.Keys()
	return sim.Config{Place: place, Broker: news.Broker, TLS: folder.Client(), Keys: keys}, fresh, err
}

func (z *sizing) getBadge(ctx context.Context, place wire.Place, dir string) error {
	err := z.office.ask(ctx, "/api/stores", map[string]string{"id": place.Store, "name_en": place.Store, "name_zh": place.Store}, nil)
	if r := (*refusedBy)(nil); err != nil && !(errors.As(err, &r) && r.status == http.StatusConflict) {
		return err // a conflict says that it is there already
	}
	var given struct {
		Ticket string `json:"ticket"`
	}
	if err := z.office.ask(ctx, "/api/stores/"+place.Store+"/enrol", nil, &given); err != nil {
		return err
	}
	ticket, err := badge.ParseTicket(given.Ticket)
	if err != nil {
		return err
	}
	_, err = badge.Enrol(ctx, badge.Enrolment{Dir: dir, Place: place, Ticket: ticket, Now: time.Now})
	return err
}
