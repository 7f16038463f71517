package content

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"foyer/sync/wire"
)

const (
	patience = 10 * time.Second // for dialling and TLS
	stall    = time.Minute      // a line on which nothing comes for so long is dead
)

// HTTPConfig says where headquarters serves files and who we are there.
type HTTPConfig struct {
	URL            string      // https://host:8444 or http://
	User, Password string      // none: TLS shows who asks
	TLS            *tls.Config // nil trusts the system's authorities
}

// HTTP is files by range requests.
type HTTP struct {
	c      HTTPConfig
	client *http.Client
}

// CheckURL reports what is wrong with the address of headquarters' files.
func CheckURL(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" {
		return errors.New("want https://host:port, and user and password by their own settings")
	}
	return nil
}

// NewHTTP returns the source. No proxy of the environment is used, and the password follows no redirection.
func NewHTTP(c HTTPConfig) *HTTP {
	c.URL = strings.TrimSuffix(c.URL, "/")
	return &HTTP{c: c, client: &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext: (&net.Dialer{Timeout: patience}).DialContext, TLSClientConfig: c.TLS, TLSHandshakeTimeout: patience,
			DisableCompression: true, MaxResponseHeaderBytes: 16 << 10, MaxIdleConns: 1, IdleConnTimeout: stall,
		},
	}}
}

func (h *HTTP) String() string { return h.c.URL }

// Fetch asks for a range, on the condition that the file is still the same.
func (h *HTTP) Fetch(ctx context.Context, f wire.PackFile, offset, n int64, w io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	dead := time.AfterFunc(stall, cancel)
	defer dead.Stop()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, h.c.URL+wire.PackPath+f.Digest.String(), nil)
	if err != nil {
		return err
	}
	if h.c.User != "" {
		req.SetBasicAuth(h.c.User, h.c.Password)
	}
	req.Header.Set("Range", fmt.Sprintf("bytes=%d-%d", offset, offset+n-1))
	req.Header.Set("If-Range", f.Digest.ETag())
	resp, err := h.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if err := check(resp, f, offset); err != nil {
		return err
	}
	body := &watched{resp.Body, dead}
	if resp.StatusCode == http.StatusOK && offset > 0 { // somebody in between knows no ranges
		if _, err := io.CopyN(io.Discard, body, offset); err != nil {
			return err
		}
	}
	_, err = io.CopyBuffer(w, io.LimitReader(body, n), make([]byte, 32<<10))
	return err
}

// Put brings a file to headquarters. It returns nil once headquarters has it.
func (h *HTTP) Put(ctx context.Context, id string, r wire.Result, data []byte) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	dead := time.AfterFunc(stall, cancel)
	defer dead.Stop()
	body := &moving{bytes.NewReader(data), dead}
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, h.c.URL+wire.ResultPath+id+"/"+r.Name, body)
	if err != nil {
		return err
	}
	if h.c.User != "" {
		req.SetBasicAuth(h.c.User, h.c.Password)
	}
	req.ContentLength = r.Size
	req.Header.Set("Content-Digest", r.Digest.ContentDigest())
	resp, err := h.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusCreated {
		why, _ := io.ReadAll(io.LimitReader(resp.Body, 300))
		return fmt.Errorf("headquarters answers %s: %.300q", resp.Status, why)
	}
	return nil
}

// check says whether the answer is the range that was asked for.
func check(resp *http.Response, f wire.PackFile, offset int64) error {
	switch resp.StatusCode {
	case http.StatusOK:
	case http.StatusPartialContent:
		var from, to, total int64
		if _, err := fmt.Sscanf(resp.Header.Get("Content-Range"), "bytes %d-%d/%d", &from, &to, &total); err != nil || from != offset {
			return fmt.Errorf("headquarters answers another range: %.80q", resp.Header.Get("Content-Range"))
		}
		if total != f.Size {
			return fmt.Errorf("%w: it has %d bytes, want %d", ErrAltered, total, f.Size)
		}
	case http.StatusNotFound:
		return ErrAbsent
	case http.StatusRequestedRangeNotSatisfiable:
		return fmt.Errorf("%w: it is shorter than %d bytes", ErrAltered, f.Size)
	default:
		return fmt.Errorf("headquarters answers %s", resp.Status)
	}
	if tag := resp.Header.Get("ETag"); tag != f.Digest.ETag() {
		return fmt.Errorf("%w: headquarters calls it %.80s", ErrAltered, tag)
	}
	return nil
}

// watched puts the end of patience off at each byte that comes.
type watched struct {
	io.Reader
	dead *time.Timer
}

func (w *watched) Read(p []byte) (int, error) {
	w.dead.Reset(stall)
	n, err := w.Reader.Read(p)
	w.dead.Stop() // while we write, nobody waits for the line
	return n, err
}

// moving is watched for what goes out: the line takes each piece in time.
type moving struct {
	io.Reader
	dead *time.Timer
}

func (m *moving) Read(p []byte) (int, error) {
	m.dead.Reset(stall)
	return m.Reader.Read(p)
}
