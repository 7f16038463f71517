package badge

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Rhythm of a Keeper.
const (
	DefaultEvery = 24 * time.Hour  // between two questions to headquarters: about 4 kB each
	DefaultFirst = time.Minute     // the first comes at a random moment of it: a chain after a power cut
	retryMin     = time.Minute     // after a failure, doubling ...
	retryMax     = time.Hour       // ... up to
	glance       = 5 * time.Second // between two looks whether somebody enrolled the store anew
	told         = 24 * time.Hour  // the same trouble is logged again after
)

// Keeper keeps a badge young and the news fresh. Its zero fields have the defaults above.
type Keeper struct {
	Folder *Folder
	Names  []string   // of this box, as for Enrolment
	Heard  func(News) // called when headquarters' news differ from those before; nil for nobody
	Every  time.Duration
	First  time.Duration
	Glance time.Duration
	Now    func() time.Time
	Log    *slog.Logger

	trouble string
	since   time.Time
}

// Run asks headquarters once a day until ctx ends, and renews the badge when two thirds of its life are over by
// headquarters' clock. It returns nil; what goes wrong is logged and tried again.
func (k *Keeper) Run(ctx context.Context) error {
	k.defaults()
	look := time.NewTicker(k.Glance)
	defer look.Stop()
	retry := retryMin
	next := time.After(rand.N(k.First + 1))
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-look.C:
			if !k.glance() {
				continue
			}
		case <-next:
		}
		err := k.Visit(ctx)
		if ctx.Err() != nil {
			return nil
		}
		k.note(err)
		if err == nil {
			retry, next = retryMin, time.After(k.Every)
			continue
		}
		next = time.After(retry/2 + rand.N(retry))
		retry = min(2*retry, retryMax)
	}
}

func (k *Keeper) defaults() {
	for _, d := range []struct {
		field     *time.Duration
		otherwise time.Duration
	}{{&k.Every, DefaultEvery}, {&k.First, DefaultFirst}, {&k.Glance, glance}} {
		if *d.field <= 0 {
			*d.field = d.otherwise
		}
	}
	if k.Now == nil {
		k.Now = time.Now
	}
	if k.Log == nil {
		k.Log = slog.New(slog.DiscardHandler)
	}
	if k.Heard == nil {
		k.Heard = func(News) {}
	}
}

// glance reports whether somebody changed the folder.
func (k *Keeper) glance() bool {
	changed, err := k.Folder.Reload()
	if changed && err == nil {
		k.Log.Info("the identity folder was changed", "badge_until", k.Folder.Badge().Leaf.NotAfter)
		k.Heard(k.Folder.News())
	}
	return changed && err == nil
}

// Visit asks headquarters for news once, and renews the badge if it is time.
func (k *Keeper) Visit(ctx context.Context) error {
	k.defaults()
	f := k.Folder
	before := f.News()
	data, err := call(ctx, httpClient(f.Client()), http.MethodGet, before.Gate, StatusPath, nil)
	if err != nil {
		return err
	}
	n, err := DecodeNews(data)
	if err != nil {
		return err
	}
	if skew := n.Time.Sub(k.Now()); skew.Abs() > SkewTold {
		k.Log.Warn("the clock is wrong", "error", SkewText(skew.Round(time.Second)))
	}
	if n.Gate == "" {
		n.Gate = before.Gate
	}
	if err := f.hear(n); err != nil {
		return fmt.Errorf("keep headquarters' news: %w", err)
	}
	if n.SigningKeys != before.SigningKeys || n.Broker != before.Broker {
		k.Log.Info("headquarters told other signing keys or another broker")
		k.Heard(n)
	}
	if leaf := f.Badge().Leaf; f.Floor().Before(Due(leaf)) && sameNames(leaf, k.Names) {
		return nil
	}
	return k.renew(ctx)
}

// renew gets a certificate for a new key, makes it the one of now, and shows it once: headquarters then ends the old one.
func (k *Keeper) renew(ctx context.Context) error {
	f := k.Folder
	key, err := pendingKey(f.dir)
	if err != nil {
		return fmt.Errorf("renew the badge: %w", err)
	}
	data, err := ask(ctx, httpClient(f.Client()), f.News().Gate, RenewPath, f.place, key, k.Names, "", k.Now())
	if err != nil {
		return fmt.Errorf("renew the badge: %w", err)
	}
	_, b, err := DecodeGrant(data, f.place, key)
	if err == nil && !bytes.Equal(b.Authority.Raw, f.Badge().Authority.Raw) {
		err = errors.New("headquarters has another authority now: enrol the store anew")
	}
	if err == nil {
		err = f.put(b)
	}
	if err == nil {
		err = dropPendingKey(f.dir)
	}
	if err != nil {
		return fmt.Errorf("renew the badge: %w", err)
	}
	k.Log.Info("the badge was renewed", "until", b.Leaf.NotAfter)
	_, err = call(ctx, httpClient(f.Client()), http.MethodGet, f.News().Gate, StatusPath, nil)
	return err
}

// sameNames reports whether a certificate is good for the names that the box has now.
func sameNames(c *x509.Certificate, names []string) bool {
	if len(names) == 0 {
		return true
	}
	for _, name := range names {
		if c.VerifyHostname(strings.Trim(name, "[]")) != nil {
			return false
		}
	}
	return true
}

// note logs trouble once, again when it changes, and once a day.
func (k *Keeper) note(err error) {
	now := time.Now()
	if err == nil {
		if k.trouble != "" {
			k.Log.Info("headquarters answers again")
		}
		k.trouble = ""
		return
	}
	if k.trouble == err.Error() && now.Sub(k.since) < told {
		return
	}
	k.trouble, k.since = err.Error(), now
	if r, ok := errors.AsType[*Refusal](err); ok && slices.Contains([]string{Revoked, NoBadge}, r.Word) {
		k.Log.Error("headquarters does not know this store any more: enrol it anew (foyerd enrol --again)", "error", err)
		return
	}
	k.Log.Warn("headquarters' door does not answer; trying again", "error", err)
}
