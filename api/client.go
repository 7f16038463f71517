package api

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	askTimeout  = 10 * time.Second
	maxAnswer   = 16 << 20 // a snapshot: 200 cards of some kilobytes, with much room
	maxComplain = 64 << 10 // a Problem
)

// Client talks to one foyerd. It is safe for many goroutines.
type Client struct {
	base  string
	token string
	http  *http.Client
}

// NewClient prepares a client; it connects only when asked something. The address is "unix:///path/to/socket", where
// the socket's file mode is the guard and the token stays empty, or "http://host:port" with a token.
func NewClient(address, token string) (*Client, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("address of foyerd: %w", err)
	}
	dialer := &net.Dialer{Timeout: 5 * time.Second}
	switch {
	case u.Scheme == "unix" && u.Host == "" && strings.HasPrefix(u.Path, "/"):
		return newClient("http://foyerd", token, func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, "unix", u.Path)
		}), nil
	case (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.Path == strings.Repeat("/", len(u.Path)):
		return newClient(u.Scheme+"://"+u.Host, token, dialer.DialContext), nil
	}
	return nil, fmt.Errorf("address of foyerd %q: want unix:///path/to/socket or http://host:port", address)
}

func newClient(base, token string, dial func(context.Context, string, string) (net.Conn, error)) *Client {
	return &Client{base: base, token: token, http: &http.Client{
		Transport: &http.Transport{
			DialContext: dial, MaxIdleConnsPerHost: 2, IdleConnTimeout: 30 * time.Second,
			TLSHandshakeTimeout: 5 * time.Second,
		},
		// A redirect would carry the token to a place that nobody named.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Snapshot asks for all that a face shows now.
func (c *Client) Snapshot(ctx context.Context, face Face) (Snapshot, error) {
	var s Snapshot
	err := c.ask(ctx, http.MethodGet, "/v1/"+url.PathEscape(string(face))+"/snapshot", nil, &s)
	if err != nil {
		return Snapshot{}, fmt.Errorf("snapshot of %s: %w", face, err)
	}
	return s, nil
}

// Events opens the stream of events after the one numbered after, of that epoch. The caller closes it.
func (c *Client) Events(ctx context.Context, face Face, epoch string, after uint64) (*Stream, error) {
	path := "/v1/" + url.PathEscape(string(face)) + "/events?" +
		url.Values{"epoch": {epoch}, "after": {strconv.FormatUint(after, 10)}}.Encode()
	s, err := openStream(ctx, func(ctx context.Context) (*http.Response, error) {
		return c.do(ctx, http.MethodGet, path, nil)
	})
	if err != nil {
		return nil, fmt.Errorf("events of %s: %w", face, err)
	}
	return s, nil
}

// Claim says that by goes to the visitor. A *Problem with CodeTaken means that somebody was quicker.
func (c *Client) Claim(ctx context.Context, visit, by string) error {
	return c.card(ctx, visit, "claim", by)
}

// Release gives a claimed card back to all.
func (c *Client) Release(ctx context.Context, visit, by string) error {
	return c.card(ctx, visit, "release", by)
}

// Serve says that the visitor has been helped.
func (c *Client) Serve(ctx context.Context, visit, by string) error {
	return c.card(ctx, visit, "serve", by)
}

func (c *Client) card(ctx context.Context, visit, verb, by string) error {
	path := "/v1/reception/cards/" + url.PathEscape(visit) + "/" + verb
	if err := c.ask(ctx, http.MethodPost, path, Claim{By: by}, nil); err != nil {
		return fmt.Errorf("%s card: %w", verb, err)
	}
	return nil
}

// ReportSession tells of one finished use of the kiosk.
func (c *Client) ReportSession(ctx context.Context, s Session) error {
	if err := c.ask(ctx, http.MethodPost, "/v1/kiosk/sessions", s, nil); err != nil {
		return fmt.Errorf("report kiosk session: %w", err)
	}
	return nil
}

// Settings lists what headquarters has set at the store.
func (c *Client) Settings(ctx context.Context) ([]Setting, error) {
	var all []Setting
	if err := c.ask(ctx, http.MethodGet, "/v1/settings", nil, &all); err != nil {
		return nil, fmt.Errorf("settings of headquarters: %w", err)
	}
	return all, nil
}

// SendPicture answers an Order for a picture: a PNG without personal data.
func (c *Client) SendPicture(ctx context.Context, face Face, order string, png []byte) error {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	resp, err := c.send(ctx, http.MethodPut, "/v1/"+url.PathEscape(string(face))+"/pictures/"+url.PathEscape(order), "image/png", bytes.NewReader(png))
	if err != nil {
		return fmt.Errorf("send picture: %w", err)
	}
	return resp.Body.Close()
}

// ReportTried tells of one demo pack that somebody tried.
func (c *Client) ReportTried(ctx context.Context, t Tried) error {
	if err := c.ask(ctx, http.MethodPost, "/v1/kiosk/demos", t, nil); err != nil {
		return fmt.Errorf("report demo: %w", err)
	}
	return nil
}

// ask sends one request and decodes its answer into out, if out is not nil.
func (c *Client) ask(ctx context.Context, method, path string, body, out any) error {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	resp, err := c.do(ctx, method, path, body)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if out == nil {
		_, err := io.Copy(io.Discard, io.LimitReader(resp.Body, maxComplain))
		return err
	}
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil:
		return err
	case len(data) > maxAnswer:
		return fmt.Errorf("answer is longer than %d bytes", maxAnswer)
	}
	return json.Unmarshal(data, out)
}

// do sends one request and returns the answer if it is good, else an error that holds the server's *Problem.
func (c *Client) do(ctx context.Context, method, path string, body any) (*http.Response, error) {
	if body == nil {
		return c.send(ctx, method, path, "", nil)
	}
	data, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	return c.send(ctx, method, path, "application/json", bytes.NewReader(data))
}

// send is do for a body of any kind.
func (c *Client) send(ctx context.Context, method, path, kind string, payload io.Reader) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, payload)
	if err != nil {
		return nil, err
	}
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		// url.Error repeats the address, which names the visit.
		if ue, ok := errors.AsType[*url.Error](err); ok {
			err = ue.Err
		}
		return nil, err
	}
	if resp.StatusCode >= 300 {
		defer resp.Body.Close()
		return nil, problemOf(resp)
	}
	return resp, nil
}

// problemOf reads what the server complains of; an answer that is no Problem still gives its status.
func problemOf(resp *http.Response) *Problem {
	data, _ := io.ReadAll(io.LimitReader(resp.Body, maxComplain))
	var p Problem
	if json.Unmarshal(data, &p) != nil {
		p = Problem{Detail: "the answer does not come from foyerd; check the address"}
	}
	p.Status = resp.StatusCode
	p.Title = cmp.Or(p.Title, http.StatusText(resp.StatusCode))
	return &p
}
