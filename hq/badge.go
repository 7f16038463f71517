package hq

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"sync"
	"time"

	"foyer/hq/ca"
	"foyer/hq/store"
	"foyer/sync/badge"
	"foyer/sync/wire"
)

// Files in the data folder that this file keeps.
const (
	doorsFile   = "doors.json" // Doors, for commands that run beside the server
	RevokedFile = "crl.pem"    // revoked badges, for brokers elsewhere
)

// CodeLife is how long a one-time code is good unless somebody says otherwise.
const CodeLife = 24 * time.Hour

// watchPause is how often headquarters looks for what commands in other processes have done: revoked a store, switched a key.
const watchPause = time.Second

// remake is how often headquarters makes itself a new certificate.
const remake = 30 * 24 * time.Hour

// ErrNoDoor is returned where no store can enrol: headquarters was never started with a door for stores.
var ErrNoDoor = errors.New("headquarters has no door for stores: start foyer-hq serve with --stores once")

// Doors is where stores find headquarters.
type Doors struct {
	Gate   string `json:"gate"`   // host:port for HTTPS
	Broker string `json:"broker"` // tls://host:port
}

// badges is what HQ remembers about stores' badges, guarded by mu.
type badges struct {
	authority *ca.Authority

	mu     sync.Mutex
	doors  Doors
	barred map[string]time.Time
	listed string // what RevokedFile was made from
	own    tls.Certificate
	ownAt  time.Time
}

// SetDoors says where stores find headquarters, and writes it down for commands.
func (h *HQ) SetDoors(d Doors) error {
	h.badges.mu.Lock()
	h.badges.doors = d
	h.badges.mu.Unlock()
	data, err := json.Marshal(d)
	if err != nil {
		return err
	}
	return ReplaceFile(filepath.Join(h.cfg.Dir, doorsFile), string(data)+"\n", 0o644)
}

// IssueTicket opens a one-time code for a store. dir is headquarters' data folder; the server may run or not.
func IssueTicket(ctx context.Context, db *store.DB, dir, id string, now time.Time, life time.Duration) (badge.Ticket, error) {
	text, err := os.ReadFile(filepath.Join(dir, doorsFile))
	var doors Doors
	if err != nil || json.Unmarshal(text, &doors) != nil || doors.Gate == "" {
		return badge.Ticket{}, ErrNoDoor
	}
	text, err = os.ReadFile(filepath.Join(dir, ca.CertificateFile))
	if err != nil {
		return badge.Ticket{}, fmt.Errorf("certificate authority: %w", err)
	}
	authority, err := badge.ParseCertificates(string(text))
	if err != nil {
		return badge.Ticket{}, fmt.Errorf("certificate authority: %w", err)
	}
	t := badge.Ticket{Address: doors.Gate, Code: badge.NewCode(badge.Pin(authority[0]))}
	return t, db.AddCode(ctx, id, t.Code.Secret, now, life)
}

// NewTicket opens a one-time code for a store. An open one of the store is void.
func (h *HQ) NewTicket(ctx context.Context, id string) (badge.Ticket, error) {
	t, err := IssueTicket(ctx, h.db, h.cfg.Dir, id, h.cfg.Now(), CodeLife)
	if err == nil {
		h.cfg.Log.Info("enrolment code made", "store", id, "valid", CodeLife)
		h.hub.changed()
	}
	return t, err
}

// HasDoor reports whether stores can enrol here.
func (h *HQ) HasDoor() bool {
	h.badges.mu.Lock()
	defer h.badges.mu.Unlock()
	return h.badges.doors.Gate != ""
}

// Enrol gives a badge for a one-time code. What is the asker's fault is a *badge.Refusal or a *ca.RefusedRequest.
func (h *HQ) Enrol(ctx context.Context, r badge.Request) (badge.Grant, error) {
	request, err := ca.CheckRequest(r.CSR) // before the code is used up
	if err != nil {
		return badge.Grant{}, err
	}
	asked := wire.Place{Chain: r.Chain, Store: r.Store}
	key := sha256.Sum256(request.RawSubjectPublicKeyInfo)
	var leaf *x509.Certificate
	now := h.cfg.Now()
	err = h.db.Redeem(ctx, r.Code, key[:], now, func(id string) (store.Badge, error) {
		if place := (wire.Place{Chain: h.cfg.Chain, Store: id}); place != asked {
			return store.Badge{}, refusal(badge.Elsewhere, "the code is for chain %s, store %s; this box is configured as chain %s, store %s: mend foyerd.yaml or take the other code",
				place.Chain, place.Store, asked.Chain, asked.Store)
		}
		var err error
		leaf, err = h.badges.authority.Badge(r.CSR, asked, now)
		return badgeOf(leaf, asked.Store, now), err
	})
	if err != nil {
		return badge.Grant{}, explainCode(err)
	}
	h.cfg.Log.Info("store enrolled", "store", asked.Store, "until", leaf.NotAfter, "box_clock_behind", now.Sub(r.Time).Round(time.Second))
	h.unbar(asked.Store)
	h.hub.changed()
	return h.grant(asked, leaf)
}

func explainCode(err error) error {
	switch {
	case errors.Is(err, store.ErrWrongCode):
		return refusal(badge.WrongCode, "it knows no such code: a newer code of the store makes the older ones void; ask for a new one")
	case errors.Is(err, store.ErrUsedCode):
		return refusal(badge.UsedCode, "the code was used already: ask for a new one, and if nobody of yours used it have the store revoked")
	case errors.Is(err, store.ErrExpiredCode):
		return refusal(badge.Expired, "the code has expired: ask for a new one (foyer-hq store enrol)")
	}
	return err
}

func refusal(word, format string, args ...any) *badge.Refusal {
	return &badge.Refusal{Word: word, Detail: fmt.Sprintf(format, args...)}
}

func badgeOf(c *x509.Certificate, id string, issued time.Time) store.Badge {
	if c == nil {
		return store.Badge{}
	}
	return store.Badge{Serial: serialOf(c), Store: id, Issued: issued, Ends: c.NotAfter, Until: c.NotAfter}
}

func serialOf(c *x509.Certificate) string { return hex.EncodeToString(c.SerialNumber.Bytes()) }

// Renew gives a store that shows its badge another one, for another key. A badge that has ended is good for that, for
// badge.LateRenewal.
func (h *HQ) Renew(ctx context.Context, shown *x509.Certificate, r badge.Request) (badge.Grant, error) {
	place, err := h.recognise(ctx, shown, true)
	if err != nil {
		return badge.Grant{}, err
	}
	request, err := ca.CheckRequest(r.CSR)
	if err != nil {
		return badge.Grant{}, err
	}
	if string(request.RawSubjectPublicKeyInfo) == string(shown.RawSubjectPublicKeyInfo) {
		return badge.Grant{}, refusal(badge.BadRequest, "a renewal needs a new key")
	}
	now := h.cfg.Now()
	leaf, err := h.badges.authority.Badge(r.CSR, place, now)
	if err != nil {
		return badge.Grant{}, err
	}
	if err := h.db.KeepBadge(ctx, badgeOf(leaf, place.Store, now)); err != nil {
		return badge.Grant{}, err
	}
	h.cfg.Log.Info("badge renewed", "store", place.Store, "until", leaf.NotAfter)
	h.hub.changed()
	return h.grant(place, leaf)
}

// Status tells news to a store that shows its badge, ended or not.
func (h *HQ) Status(ctx context.Context, shown *x509.Certificate) (badge.News, error) {
	if _, err := h.recognise(ctx, shown, true); err != nil {
		return badge.News{}, err
	}
	return h.news()
}

// Admit reports whose badge it is that a connection to the broker shows, if it opens: what brokers ask.
func (h *HQ) Admit(shown *x509.Certificate) (id string, err error) {
	place, err := h.recognise(context.Background(), shown, false)
	return place.Store, err
}

// recognise says whose badge it is. Its refusals are *badge.Refusal.
func (h *HQ) recognise(ctx context.Context, shown *x509.Certificate, late bool) (wire.Place, error) {
	if shown == nil {
		return wire.Place{}, refusal(badge.NoBadge, "no certificate was shown: enrol this store (foyerd enrol)")
	}
	now := h.cfg.Now()
	place, ended, err := h.badges.authority.Verify(shown, now)
	if err != nil || place.Chain != h.cfg.Chain {
		return place, refusal(badge.NoBadge, "the certificate is not of this chain's authority: enrol this store (foyerd enrol)")
	}
	if ended && (!late || now.Sub(shown.NotAfter) > badge.LateRenewal) {
		return place, refusal(badge.NoBadge, "the badge of store %s ended on %s: foyerd renews it by itself within %d days, later enrol the store anew",
			place.Store, shown.NotAfter.Format(time.DateOnly), int(badge.LateRenewal.Hours()/24))
	}
	err = h.db.Admit(ctx, badgeOf(shown, place.Store, ca.IssuedAt(shown)), now)
	switch {
	case errors.Is(err, store.ErrRevoked):
		return place, refusal(badge.Revoked, "store %s was revoked: whoever runs headquarters can give a new code (foyer-hq store enrol)", place.Store)
	case errors.Is(err, store.ErrSuperseded):
		return place, refusal(badge.Revoked, "store %s has had a newer badge for more than %d days; this box was put back to an older state: enrol it anew",
			place.Store, int(store.Handover.Hours()/24))
	case errors.Is(err, store.ErrUnknownStore):
		return place, refusal(badge.NoBadge, "headquarters has no store %s: add it, then enrol it anew", place.Store)
	}
	return place, err
}

func (h *HQ) grant(place wire.Place, leaf *x509.Certificate) (badge.Grant, error) {
	n, err := h.news()
	return badge.Grant{V: 1, Chain: place.Chain, Store: place.Store, Certificate: badge.EncodeCertificates(leaf),
		Authority: badge.EncodeCertificates(h.badges.authority.Certificate()), News: n}, err
}

func (h *HQ) news() (badge.News, error) {
	keys, err := os.ReadFile(h.PublicKeyFile())
	if err != nil {
		return badge.News{}, fmt.Errorf("read signing keys: %w", err)
	}
	h.badges.mu.Lock()
	defer h.badges.mu.Unlock()
	return badge.News{Time: h.cfg.Now().UTC(), SigningKeys: string(keys), Broker: h.badges.doors.Broker, Gate: h.badges.doors.Gate}, nil
}

// Authority signs for this chain.
func (h *HQ) Authority() *ca.Authority { return h.badges.authority }

// ServerTLS is TLS for headquarters' own doors. It asks for a badge and leaves to the door what to do without.
func (h *HQ) ServerTLS() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, ClientAuth: tls.RequestClientCert,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return h.ownCertificate() }}
}

// ownCertificate is remade in time, so that a server that runs for years is never out of date.
func (h *HQ) ownCertificate() (*tls.Certificate, error) {
	h.badges.mu.Lock()
	defer h.badges.mu.Unlock()
	now := h.cfg.Now()
	if age := now.Sub(h.badges.ownAt); h.badges.own.Leaf == nil || age > remake || age < 0 {
		pair, err := h.badges.authority.Server(now, ca.ServerLife)
		if err != nil {
			return nil, err
		}
		h.badges.own, h.badges.ownAt = pair, now
	}
	return &h.badges.own, nil
}

// ClientTLS is TLS towards a broker elsewhere that takes this authority's certificates: see hq/broker/BROKERS.md.
func (h *HQ) ClientTLS() *tls.Config {
	roots := x509.NewCertPool()
	roots.AddCert(h.badges.authority.Certificate())
	return &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots, ServerName: badge.ServerName(h.cfg.Chain),
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			pair, err := h.badges.authority.Client(h.cfg.Now(), h.cfg.Instance)
			return &pair, err
		}}
}

// Revoke shuts a store out at once and for the future: its badges, its open code and its token are void.
func (h *HQ) Revoke(ctx context.Context, id string) error {
	if err := h.db.Revoke(ctx, id, h.cfg.Now()); err != nil {
		return err
	}
	h.hub.changed()
	return h.lookAtBadges(ctx)
}

// Barred reports whether a store was revoked.
func (h *HQ) Barred(id string) bool {
	h.badges.mu.Lock()
	defer h.badges.mu.Unlock()
	_, barred := h.badges.barred[id]
	return barred
}

// unbar lets a store be sent snapshots again.
func (h *HQ) unbar(id string) {
	h.badges.mu.Lock()
	delete(h.badges.barred, id)
	h.badges.mu.Unlock()
	poke(h.kick)
}

// watch notices what commands in other processes have done, until ctx ends.
func (h *HQ) watch(ctx context.Context) {
	tick := time.NewTicker(watchPause)
	defer tick.Stop()
	said := ""
	for {
		err := errors.Join(h.lookAtBadges(ctx), h.reloadSigner(), h.sameSigner(ctx))
		if err != nil && ctx.Err() == nil && err.Error() != said {
			said = err.Error()
			h.cfg.Log.Error("headquarters cannot look after badges and keys; trying again", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// dropper is a broker that can end a store's connections.
type dropper interface{ Drop(store string) }

// lookAtBadges ends the connections of stores that were revoked since the last look, and keeps the list for other brokers.
func (h *HQ) lookAtBadges(ctx context.Context) error {
	barred, err := h.db.Barred(ctx)
	if err != nil {
		return err
	}
	h.badges.mu.Lock()
	before := h.badges.barred
	h.badges.barred = barred
	h.badges.mu.Unlock()
	for id, at := range barred {
		if !before[id].Equal(at) {
			h.cfg.Log.Warn("a store is shut out", "store", id, "since", at)
			h.shutOut(id)
			h.hub.changed()
		}
	}
	for id := range before {
		if barred[id].IsZero() {
			poke(h.kick) // it was given a new token: it is sent snapshots again
		}
	}
	return h.writeRevoked(ctx)
}

// shutOut ends a store's connections, and takes members and campaigns off its topics: a broker elsewhere may know it still.
func (h *HQ) shutOut(id string) {
	h.mu.Lock()
	b := h.broker
	delete(h.offered, id)
	h.mu.Unlock()
	if b == nil {
		return // Run has not begun: nobody is connected
	}
	if d, ok := b.(dropper); ok {
		d.Drop(id)
	}
	if !h.leads() {
		return
	}
	for _, kind := range append([]string{wire.MembersHead, wire.Known}, kinds...) {
		if err := b.Publish((wire.Place{Chain: h.cfg.Chain, Store: id}).Down(kind), true, nil); err != nil {
			h.cfg.Log.Warn("a snapshot stays on the topic of a store that was shut out", "store", id, "kind", kind, "err", err)
		}
	}
}

// writeRevoked writes the list of revoked badges when it has changed.
func (h *HQ) writeRevoked(ctx context.Context) error {
	now := h.cfg.Now()
	void, err := h.db.VoidBadges(ctx, now)
	if err != nil {
		return err
	}
	list, from := []ca.Revoked{}, ""
	for _, b := range void {
		n, ok := new(big.Int).SetString(b.Serial, 16)
		if !ok {
			continue
		}
		at := b.Revoked
		if at.IsZero() {
			at = b.Until
		}
		list, from = append(list, ca.Revoked{Serial: n, At: at}), from+b.Serial+" "
	}
	path := filepath.Join(h.cfg.Dir, RevokedFile)
	h.badges.mu.Lock()
	defer h.badges.mu.Unlock()
	if _, err := os.Stat(path); err == nil && h.badges.listed == from+"." {
		return nil
	}
	text, err := h.badges.authority.List(list, now.UnixMilli(), now)
	if err != nil {
		return err
	}
	if err := ReplaceFile(path, text, 0o644); err != nil {
		return err
	}
	h.badges.listed = from + "."
	return nil
}

// BadgeState is how a store stands to its badge.
type BadgeState string

// The states.
const (
	BadgeNone    BadgeState = "none"    // never enrolled
	BadgeCode    BadgeState = "code"    // a one-time code is open
	BadgeGood    BadgeState = "good"    //
	BadgeEnded   BadgeState = "ended"   // it was not renewed
	BadgeRevoked BadgeState = "revoked" // shut out
)

// BadgeView is a store's badge as the fleet page shows it.
type BadgeView struct {
	State BadgeState
	At    time.Time // code: it expires; good, ended: the badge's end; revoked: since
}

// BadgeViews tells how stores stand to their badges; a store that is not in it has none.
func (h *HQ) BadgeViews(ctx context.Context) (map[string]BadgeView, error) {
	now := h.cfg.Now()
	badges, err := h.db.Badges(ctx)
	if err != nil {
		return nil, err
	}
	barred, err := h.db.Barred(ctx)
	if err != nil {
		return nil, err
	}
	open, err := h.db.OpenCodes(ctx, now)
	all := map[string]BadgeView{}
	for id, b := range badges {
		state := BadgeGood
		if now.After(b.Ends) {
			state = BadgeEnded
		}
		if b.Revoked.IsZero() {
			all[id] = BadgeView{state, b.Ends}
		}
	}
	for id, at := range barred {
		all[id] = BadgeView{BadgeRevoked, at}
	}
	for id, at := range open {
		all[id] = BadgeView{BadgeCode, at}
	}
	return all, err
}
