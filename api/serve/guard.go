package serve

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"foyer/api"
)

// Role is what a token opens.
type Role string

// The roles.
const (
	ForReception Role = "reception" // the reception page and its cards: staff only
	ForScreen    Role = "screen"    // wall and kiosk: what the public may see
	ForMetrics   Role = "metrics"   // /metrics and nothing else
)

// minSecret is the shortest token that is taken: shorter ones can be guessed.
const minSecret = 16

// cookieLife is how long a tablet stays signed in without being used.
const cookieLife = 30 * 24 * time.Hour

// Token is one secret and what it opens.
type Token struct {
	Role   Role
	Secret string
}

// roles is what one request may do.
type roles struct{ reception, screen, metrics bool }

var everything = roles{reception: true, screen: true, metrics: true}

func (r roles) sees(face api.Face) bool {
	if face == api.Reception {
		return r.reception
	}
	return public(face) && r.screen
}

func (r roles) none() bool { return r == roles{} }

// guard knows the tokens. A cookie is derived from its token: it outlives a restart, ends with its token, and does not
// hold it. Its name is derived too, since browsers share cookies between all ports of a host.
type guard struct {
	keys  []key
	fails *limiter
	now   func() time.Time
}

type key struct {
	role   Role
	secret []byte
	sum    [sha256.Size]byte
	cookie string
}

func newGuard(tokens []Token, now func() time.Time) (*guard, error) {
	g := &guard{fails: newLimiter(), now: now}
	var faults []error
	for i, t := range tokens {
		switch {
		case t.Role != ForReception && t.Role != ForScreen && t.Role != ForMetrics:
			faults = append(faults, fmt.Errorf("token %d: role %q is not known; use %q, %q or %q", i+1, t.Role, ForReception, ForScreen, ForMetrics))
		case len(t.Secret) < minSecret:
			faults = append(faults, fmt.Errorf("token %d (%s): has %d characters; use %d or more", i+1, t.Role, len(t.Secret), minSecret))
		}
		k := key{role: t.Role, secret: []byte(t.Secret), sum: sha256.Sum256([]byte(t.Secret))}
		k.cookie = "foyer_" + hex.EncodeToString(k.mac("cookie name"))[:12]
		g.keys = append(g.keys, k)
	}
	return g, errors.Join(faults...)
}

func (k key) mac(text string) []byte {
	m := hmac.New(sha256.New, k.secret)
	m.Write([]byte(text))
	return m.Sum(nil)
}

func (k key) sign(expiry string) string {
	return base64.RawURLEncoding.EncodeToString(k.mac("session " + string(k.role) + " " + expiry))
}

// identify says what a request may do by its bearer token or its cookies. No credential at all is no failure; a wrong
// one is counted, and after too many from one address not even a right one is looked at for a while.
func (g *guard) identify(r *http.Request) (roles, *api.Problem) {
	header := r.Header.Get("Authorization")
	if header == "" {
		return g.byCookie(r), nil
	}
	secret, ok := strings.CutPrefix(header, "Bearer ")
	if !ok {
		return roles{}, api.NewProblem(api.CodeSignIn, "the Authorization header must be: Bearer TOKEN")
	}
	k, p := g.byToken(secret, address(r))
	if p != nil {
		return roles{}, p
	}
	return grant(roles{}, k.role), nil
}

func (g *guard) byToken(secret, from string) (*key, *api.Problem) {
	if wait := g.fails.wait(from, g.now()); wait > 0 {
		return nil, api.NewProblem(api.CodeSlowDown,
			fmt.Sprintf("too many wrong tokens came from this address; try again in %d seconds", int(wait/time.Second)+1))
	}
	sum := sha256.Sum256([]byte(secret))
	var found *key
	for i := range g.keys { // all of them, always: the time taken must not tell which one came close
		if subtle.ConstantTimeCompare(sum[:], g.keys[i].sum[:]) == 1 {
			found = &g.keys[i]
		}
	}
	if found == nil {
		g.fails.fail(from, g.now())
		return nil, api.NewProblem(api.CodeSignIn, "this token is not known here; take it from foyerd's configuration")
	}
	return found, nil
}

func (g *guard) byCookie(r *http.Request) roles {
	var got roles
	for _, k := range g.keys {
		if c, err := r.Cookie(k.cookie); err == nil && k.accepts(c.Value, g.now()) {
			got = grant(got, k.role)
		}
	}
	return got
}

func (k key) accepts(value string, now time.Time) bool {
	expiry, signature, _ := strings.Cut(value, ".")
	if subtle.ConstantTimeCompare([]byte(signature), []byte(k.sign(expiry))) != 1 {
		return false
	}
	at, err := strconv.ParseInt(expiry, 10, 64)
	return err == nil && now.Before(time.Unix(at, 0))
}

func grant(r roles, role Role) roles {
	switch role {
	case ForReception:
		r.reception = true
	case ForScreen:
		r.screen = true
	case ForMetrics:
		r.metrics = true
	}
	return r
}

// signIn puts the cookie of k into the answer.
func (g *guard) signIn(w http.ResponseWriter, r *http.Request, k *key) {
	expiry := strconv.FormatInt(g.now().Add(cookieLife).Unix(), 10)
	http.SetCookie(w, &http.Cookie{
		Name: k.cookie, Value: expiry + "." + k.sign(expiry), Path: "/", MaxAge: int(cookieLife / time.Second),
		HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: r.TLS != nil,
	})
}

// renew gives a browser that is signed in a fresh cookie, so that a page in use never has to sign in again.
func (g *guard) renew(w http.ResponseWriter, r *http.Request) {
	for i, k := range g.keys {
		if c, err := r.Cookie(k.cookie); err == nil && k.accepts(c.Value, g.now()) {
			g.signIn(w, r, &g.keys[i])
		}
	}
}
