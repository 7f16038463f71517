package badge

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"time"

	"foyer/sync/wire"
)

// patience is how long one request to headquarters may take, dialling included: a 3G line that is just waking up.
const patience = 45 * time.Second

// Enrolment is what Enrol needs.
type Enrolment struct {
	Dir    string // the identity folder; made if it is not there
	Place  wire.Place
	Ticket Ticket
	Names  []string // addresses and .local names of this box, for the reception page; may be none
	Again  bool     // although there is a badge
	Now    func() time.Time
}

// Enrolled is what came of it.
type Enrolled struct {
	Badge *Badge
	News  News
	Skew  time.Duration // headquarters' clock minus the box's
}

// ErrEnrolled is returned where there is a badge already.
var ErrEnrolled = errors.New("this store has a badge already (--again replaces it)")

// Enrol makes a key, asks headquarters for a certificate with the ticket's code, and writes both into the folder.
func Enrol(ctx context.Context, e Enrolment) (Enrolled, error) {
	out, err := e.enrol(ctx)
	if err != nil {
		return Enrolled{}, fmt.Errorf("enrol: %w", err)
	}
	return out, nil
}

func (e Enrolment) enrol(ctx context.Context) (Enrolled, error) {
	if _, err := Open(e.Dir, e.Place); err == nil && !e.Again {
		return Enrolled{}, ErrEnrolled
	}
	if err := os.MkdirAll(e.Dir, 0o700); err != nil {
		return Enrolled{}, err
	}
	key, err := pendingKey(e.Dir)
	if err != nil {
		return Enrolled{}, err
	}
	var authority *x509.Certificate
	client := httpClient(pinned(e.Place.Chain, e.Ticket.Code.Pin, &authority))
	now := e.Now()
	data, err := ask(ctx, client, e.Ticket.Address, EnrolPath, e.Place, key, e.Names, e.Ticket.Code.Secret, now)
	if err != nil {
		return Enrolled{}, explain(err, now)
	}
	g, b, err := DecodeGrant(data, e.Place, key)
	if err != nil {
		return Enrolled{}, err
	}
	if authority == nil || !b.Authority.Equal(authority) {
		return Enrolled{}, errors.New("headquarters brings another authority than it showed")
	}
	if g.Gate == "" {
		g.Gate = e.Ticket.Address
	}
	if err := errors.Join(writeNews(e.Dir, g.News), writeBadge(e.Dir, b), dropPendingKey(e.Dir)); err != nil {
		return Enrolled{}, fmt.Errorf("keep the badge: %w", err)
	}
	return Enrolled{b, g.News, g.Time.Sub(now).Round(time.Second)}, nil
}

// explain adds how far the box's clock is off where headquarters told its own: nothing fails by that, but who looks for a
// cause should know.
func explain(err error, now time.Time) error {
	r, ok := errors.AsType[*Refusal](err)
	if !ok || r.Time.IsZero() {
		return err
	}
	if skew := r.Time.Sub(now); skew.Abs() > SkewTold {
		return fmt.Errorf("%w (%s)", err, SkewText(skew))
	}
	return err
}

// SkewText says in words how a box's clock stands to headquarters'.
func SkewText(skew time.Duration) string {
	way := "behind"
	if skew < 0 {
		way = "ahead of"
	}
	span := skew.Abs().Round(time.Minute)
	text := span.String()
	if days := int(span.Hours() / 24); days >= 2 {
		text = fmt.Sprintf("%d days", days)
	}
	return fmt.Sprintf("this box's clock is %s %s headquarters': set it, and see that it is kept (timedatectl set-ntp true)", text, way)
}

func httpClient(config *tls.Config) *http.Client {
	return &http.Client{Timeout: patience, Transport: &http.Transport{
		TLSClientConfig:   config,
		DialContext:       (&net.Dialer{Timeout: patience / 3}).DialContext,
		DisableKeepAlives: true, // one request a day: the next one may have another badge
	}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// ask sends a request for a certificate of the key and returns the answer's body.
func ask(ctx context.Context, client *http.Client, address, path string, place wire.Place, key *ecdsa.PrivateKey, names []string, secret string, now time.Time) ([]byte, error) {
	csr, err := certificateRequest(place, key, names)
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(Request{V: 1, Chain: place.Chain, Store: place.Store, Code: secret, CSR: csr, Time: now.UTC()})
	if err != nil {
		return nil, err
	}
	return call(ctx, client, http.MethodPost, address, path, body)
}

func call(ctx context.Context, client *http.Client, method, address, path string, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, "https://"+address+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask headquarters: %w", err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, MaxMessage+1))
	if err != nil {
		return nil, fmt.Errorf("read headquarters' answer: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return nil, decodeRefusal(resp.StatusCode, data)
	}
	return data, nil
}

// certificateRequest asks for the place's name, which headquarters knows better, and for the box's names.
func certificateRequest(place wire.Place, key *ecdsa.PrivateKey, names []string) ([]byte, error) {
	form := &x509.CertificateRequest{Subject: pkix.Name{CommonName: place.Store, Organization: []string{place.Chain}}}
	for _, name := range names {
		if ip, err := netip.ParseAddr(name); err == nil {
			form.IPAddresses = append(form.IPAddresses, net.IP(ip.Unmap().AsSlice()))
			continue
		}
		form.DNSNames = append(form.DNSNames, name)
	}
	return x509.CreateCertificateRequest(rand.Reader, form, key)
}
