package badge

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"foyer/sync/wire"
)

// Paths of headquarters' door. Enrol needs a code, the others a badge.
const (
	EnrolPath  = "/v1/enrol"  // POST Request -> Grant
	RenewPath  = "/v1/renew"  // POST Request without a code -> Grant
	StatusPath = "/v1/status" // GET -> News
)

// MaxMessage is the longest request or answer, in bytes.
const MaxMessage = 64 << 10

// Request asks for a certificate.
type Request struct {
	V     int       `json:"v"`
	Chain string    `json:"chain"`
	Store string    `json:"store"`
	Code  string    `json:"code,omitempty"` // Code.Secret
	CSR   []byte    `json:"csr"`            // PKCS #10, DER
	Time  time.Time `json:"time"`           // the box's clock
}

// Grant is the answer to a Request.
type Grant struct {
	V           int    `json:"v"`
	Chain       string `json:"chain"`
	Store       string `json:"store"`
	Certificate string `json:"certificate"` // PEM
	Authority   string `json:"authority"`   // PEM
	News
}

// News is what headquarters tells whoever shows a badge.
type News struct {
	Time        time.Time `json:"time"`         // headquarters' clock
	SigningKeys string    `json:"signing_keys"` // as wire.ParsePublicKeys reads them
	Broker      string    `json:"broker"`       // tls://host:port
	Gate        string    `json:"gate"`         // host:port of headquarters' door
}

// Keys are the keys that snapshots may be signed with.
func (n News) Keys() (map[string]ed25519.PublicKey, error) {
	return wire.ParsePublicKeys(n.SigningKeys)
}

// Code words of a Refusal.
const (
	WrongCode  = "wrong_code"
	UsedCode   = "used_code"
	Expired    = "expired_code"
	Elsewhere  = "elsewhere"
	SlowDown   = "slow_down"
	BadRequest = "bad_request"
	Revoked    = "revoked"
	NoBadge    = "no_badge"
	Trouble    = "trouble"
)

// Refusal is why headquarters gives no badge. It travels as application/problem+json.
type Refusal struct {
	Status int       `json:"status"`
	Word   string    `json:"code"`
	Detail string    `json:"detail"`
	Time   time.Time `json:"time"` // headquarters' clock
}

func (r *Refusal) Error() string { return "headquarters refuses: " + r.Detail }

// DecodeRequest reads a request. Whether its code and its CSR are good is hq's and hq/ca's to say.
func DecodeRequest(data []byte) (Request, error) {
	var r Request
	if err := decode(data, &r); err != nil {
		return Request{}, fmt.Errorf("decode request: %w", err)
	}
	if err := (wire.Place{Chain: r.Chain, Store: r.Store}).Check(); err != nil {
		return Request{}, fmt.Errorf("decode request: %w", err)
	}
	if len(r.CSR) == 0 {
		return Request{}, errors.New("decode request: no certificate request in it")
	}
	return r, nil
}

// DecodeNews reads and checks news.
func DecodeNews(data []byte) (News, error) {
	var n News
	err := decode(data, &n)
	if err == nil {
		err = n.check()
	}
	if err != nil {
		return News{}, fmt.Errorf("headquarters' news: %w", err)
	}
	return n, nil
}

func (n News) check() error {
	if _, err := n.Keys(); err != nil {
		return err
	}
	if n.Time.IsZero() || n.Time.Year() > 9999 {
		return errors.New("want headquarters' time")
	}
	return nil
}

// DecodeGrant reads a grant and checks that its certificate is the place's, for the key, from the authority that it brings.
// Whether that authority is the right one is the caller's to say.
func DecodeGrant(data []byte, place wire.Place, key any) (Grant, *Badge, error) {
	var g Grant
	err := decode(data, &g)
	if err == nil {
		err = g.check()
	}
	if err == nil && (wire.Place{Chain: g.Chain, Store: g.Store}) != place {
		err = fmt.Errorf("it is for chain %.40q, store %.40q: this is chain %s, store %s", g.Chain, g.Store, place.Chain, place.Store)
	}
	var b *Badge
	if err == nil {
		b, err = newBadge(place, key, g.Certificate, g.Authority)
	}
	if err != nil {
		return Grant{}, nil, fmt.Errorf("headquarters' grant: %w", err)
	}
	return g, b, nil
}

// decode takes fields that it does not know: a newer headquarters may tell more.
func decode(data []byte, into any) error {
	if len(data) > MaxMessage {
		return fmt.Errorf("%d bytes: want at most %d", len(data), MaxMessage)
	}
	return json.Unmarshal(data, into)
}

// decodeRefusal reads what came with an HTTP status that is no success.
func decodeRefusal(status int, data []byte) *Refusal {
	r := &Refusal{}
	if json.Unmarshal(data, r) != nil || r.Word == "" {
		r = &Refusal{Word: Trouble, Detail: fmt.Sprintf("HTTP status %d: is this headquarters' door for stores?", status)}
	}
	if r.Status = status; len(r.Detail) > 1000 {
		r.Detail = r.Detail[:1000]
	}
	return r
}

// verifyStore checks that a certificate is the place's and signed by the authority, at a time of its own life.
func verifyStore(leaf, authority *x509.Certificate, place wire.Place) error {
	roots := x509.NewCertPool()
	roots.AddCert(authority)
	_, err := leaf.Verify(x509.VerifyOptions{Roots: roots, CurrentTime: leaf.NotBefore, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	if err != nil {
		return err
	}
	named, err := PlaceOf(leaf)
	if err == nil && named != place {
		err = fmt.Errorf("the certificate is that of chain %s, store %s: this is chain %s, store %s", named.Chain, named.Store, place.Chain, place.Store)
	}
	return err
}
