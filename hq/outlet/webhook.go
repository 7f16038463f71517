package outlet

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"foyer/sync/wire"
)

const (
	hookBatch    = 100
	hookPatience = 30 * time.Second
	hookFirst    = time.Second // between tries; it doubles
	hookLast     = 5 * time.Minute
)

// Webhook is one address that is told of everything.
type Webhook struct {
	URL   string // https://, or http:// on loopback
	Token string // sent as Authorization: Bearer; none: no header
	Now   func() time.Time
	Leads func() bool // whether it is ours to tell; nil: it is
}

// CheckHook reports what is wrong with the address of a webhook: what happened in stores does not cross a network in clear.
func CheckHook(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" {
		return fmt.Errorf("%.80q: want an address like https://example.net/foyer, with the token in its own file", text)
	}
	if name := u.Hostname(); u.Scheme != "https" && !(u.Scheme == "http" && (name == "localhost" || name == "127.0.0.1" || name == "::1")) {
		return fmt.Errorf("%.80q: want https, or http on this machine", text)
	}
	return nil
}

// RunWebhook tells until ctx ends. Of several headquarters the one that leads tells; when the lead moves a batch may be told twice.
func (o *Outlet) RunWebhook(ctx context.Context, hook Webhook) error {
	client := &http.Client{Timeout: hookPatience, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	name := "webhook " + hook.URL
	pause, told := time.Duration(0), ""
	for ctx.Err() == nil {
		if hook.Leads != nil && !hook.Leads() {
			select {
			case <-ctx.Done():
			case <-time.After(look):
			}
			continue
		}
		err := o.tell(ctx, client, hook, name)
		if err == nil {
			if pause > 0 {
				o.c.Log.Info("the webhook takes events again")
			}
			pause, told = 0, ""
			continue
		}
		pause = min(max(hookFirst, 2*pause), hookLast)
		if slow, ok := errors.AsType[*refused](err); ok {
			pause = min(max(pause, slow.wait), hookLast)
		}
		if ctx.Err() == nil && told != err.Error() {
			told = err.Error()
			o.c.Log.Warn("the webhook was not told; trying again", "err", err, "next_try", pause)
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
	return nil
}

// refused is an answer that is not 2xx.
type refused struct {
	status int
	wait   time.Duration // that it asks for
}

func (r *refused) Error() string {
	return fmt.Sprintf("the webhook answers %d %s", r.status, http.StatusText(r.status))
}

// tell sends the next batch, or waits a while for one.
func (o *Outlet) tell(ctx context.Context, client *http.Client, hook Webhook, name string) error {
	after, err := o.c.Feed.Outlet(ctx, name)
	if err != nil {
		return err
	}
	told, upto, err := o.next(ctx, after, hookBatch, maxWait)
	if err != nil {
		return err
	}
	if len(told) > 0 {
		if err := post(ctx, client, hook, o.events(told)); err != nil {
			return err
		}
	}
	if upto == after {
		return nil
	}
	return o.c.Feed.MoveOutlet(ctx, name, upto, hook.Now())
}

func post(ctx context.Context, client *http.Client, hook Webhook, events []wire.CloudEvent) error {
	data, err := json.Marshal(events)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, hook.URL, bytes.NewReader(data))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", wire.CloudEventBatchType+"; charset=utf-8")
	if hook.Token != "" {
		req.Header.Set("Authorization", "Bearer "+hook.Token)
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10)) // so that the connection is used again
	if resp.StatusCode/100 == 2 {
		return nil
	}
	seconds, _ := strconv.Atoi(resp.Header.Get("Retry-After"))
	return &refused{resp.StatusCode, time.Duration(max(0, min(seconds, 3600))) * time.Second}
}
