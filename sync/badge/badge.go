// Package badge is how a store shows headquarters who it is: a key made on the store's box, and a certificate for it from
// the chain's own authority at headquarters.
//
// In: a ticket (headquarters' address and a one-time code), later the badge itself. Out: files in the store's identity
// folder, and TLS configurations for the broker, for headquarters' door and for the reception page. Times are time.Time.
// The key never leaves the box. It never decides whom headquarters admits (hq does), and signs nothing (hq/ca does).
// Called by internal/daemon and cmd/foyerd at the store, by hq, hq/ca, hq/gate and cmd/foyer-hq at headquarters.
//
// # Names in certificates
//
// A store's certificate has the subject CN={store}, O={chain} and the URI foyer://{chain}/{store}; brokers that know only
// the common name (Mosquitto's use_identity_as_username) find the store there. Headquarters' own has CN=_hq, which no store
// can be called, and the DNS name hq.{chain}.foyer.internal: stores ask for that name whatever address they dial, so
// headquarters may move, sit behind any port forwarding, and needs no public name. The authority's certificate bears name
// constraints: nothing it signs is good for a name out in the world, so a tablet that trusts it risks nothing by that.
//
// # Whose clock
//
// A box without a battery wakes up in 1970, or years ahead. Its clock therefore decides nothing here. Headquarters' certificate is
// judged at the latest moment of which headquarters itself has told (Folder.floor: its answers, and the first day of
// each certificate of its that was good), never by the box's clock: it is refused as expired when it had ended before
// headquarters last spoke. Headquarters judges a store's certificate by headquarters' clock, and renews one that ended
// within the last half year as long as it is the store's newest: a box that was switched off all summer comes back by itself.
package badge

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"foyer/sync/wire"
)

// HQName is the common name of headquarters' certificates. The underscore keeps stores from being called so.
const HQName = "_hq"

// InstanceName is the common name of one of several headquarters that share the work.
func InstanceName(instance int) string {
	if instance <= 1 {
		return HQName
	}
	return HQName + "-" + strconv.Itoa(instance)
}

// Zone is the domain that the authority may sign names of, next to .local and private addresses.
const Zone = "foyer.internal"

// Renewal: a badge is renewed when two thirds of its life are over, and for LateRenewal after its end.
const LateRenewal = 180 * 24 * time.Hour

// SkewTold is how far a box's clock may be off before somebody is told.
const SkewTold = 5 * time.Minute

// ServerName is the name in headquarters' certificate.
func ServerName(chain string) string { return "hq." + chain + "." + Zone }

// URI is the store's name in its certificate.
func URI(p wire.Place) *url.URL { return &url.URL{Scheme: "foyer", Host: p.Chain, Path: "/" + p.Store} }

// PlaceOf reads the store's name from its certificate, which must have been verified.
func PlaceOf(c *x509.Certificate) (wire.Place, error) {
	for _, u := range c.URIs {
		p := wire.Place{Chain: u.Host, Store: strings.TrimPrefix(u.Path, "/")}
		if u.Scheme == "foyer" && p.Check() == nil && u.String() == URI(p).String() && c.Subject.CommonName == p.Store {
			return p, nil
		}
	}
	return wire.Place{}, errors.New("the certificate names no store")
}

// Due is when a certificate is to be renewed.
func Due(c *x509.Certificate) time.Time {
	return c.NotBefore.Add(c.NotAfter.Sub(c.NotBefore) / 3 * 2)
}

// Pin is what a code carries of the authority: the first 10 bytes of the SHA-256 of its public key.
func Pin(authority *x509.Certificate) [pinBytes]byte {
	sum := sha256.Sum256(authority.RawSubjectPublicKeyInfo)
	return [pinBytes]byte(sum[:pinBytes])
}

// EncodeCertificates writes certificates as PEM, in their order.
func EncodeCertificates(all ...*x509.Certificate) string {
	var b strings.Builder
	for _, c := range all {
		pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}) // a Builder takes everything
	}
	return b.String()
}

// maxCertificates is how many certificates are read from one text.
const maxCertificates = 8

// ParseCertificates reads PEM certificates, at least one; other blocks are passed over.
func ParseCertificates(text string) ([]*x509.Certificate, error) {
	var all []*x509.Certificate
	for rest := []byte(text); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("certificate %d: %w", len(all)+1, err)
		}
		if all = append(all, c); len(all) > maxCertificates {
			return nil, fmt.Errorf("more than %d certificates", maxCertificates)
		}
	}
	if len(all) == 0 {
		return nil, errors.New("no certificate in it")
	}
	return all, nil
}
