// Package ca is the chain's own certificate authority: it signs the badges of stores and headquarters' own certificates.
//
// In: certificate requests (PKCS #10) and the place that headquarters has decided they are for. Out: X.509 certificates, and a
// list of those that were revoked. Times are the caller's. Names and lives are those that sync/badge documents.
// It never decides who gets a certificate, never remembers whom it gave one to, and never lets its key out of its file.
// Called by hq and cmd/foyer-hq.
package ca

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"foyer/sync/badge"
	"foyer/sync/wire"
)

// Files in headquarters' data folder.
const (
	KeyFile         = "ca.key" // PKCS #8, PEM; mode 0600. Who has it can be any store and headquarters
	CertificateFile = "ca.pem"
)

// Lives of certificates.
const (
	BadgeLife  = 90 * 24 * time.Hour       // renewed after 60 days
	ServerLife = 90 * 24 * time.Hour       // headquarters makes a new one at each start and every 30 days
	HandLife   = 825 * 24 * time.Hour      // of a certificate that a person installs in a broker elsewhere
	ownLife    = 30 * 365 * 24 * time.Hour // of the authority itself
	earlier    = time.Hour                 // certificates begin so long before now, for other clocks at headquarters
	maxNames   = 16                        // in one request
	crlLife    = 10 * 365 * 24 * time.Hour // a broker whose list is too old refuses everybody: it must not run out by itself
)

// Authority signs. Safe for concurrent use.
type Authority struct {
	chain string
	key   *ecdsa.PrivateKey
	cert  *x509.Certificate
}

// Open reads the authority of the data folder, or makes it at the first start.
func Open(dir, chain string, now time.Time) (*Authority, error) {
	a, err := open(dir, chain, now)
	if err != nil {
		return nil, fmt.Errorf("certificate authority: %w", err)
	}
	return a, nil
}

func open(dir, chain string, now time.Time) (*Authority, error) {
	path := filepath.Join(dir, KeyFile)
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return create(dir, chain, now)
	}
	if err != nil {
		return nil, err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%s may be read by others (mode %04o): chmod 600 it, and begin anew with all stores if they did", path, info.Mode().Perm())
	}
	pair, err := tls.LoadX509KeyPair(filepath.Join(dir, CertificateFile), path)
	if err != nil {
		return nil, fmt.Errorf("%w; stores trust this authority, so restore both its files from a backup", err)
	}
	key, ok := pair.PrivateKey.(*ecdsa.PrivateKey)
	if !ok || !pair.Leaf.IsCA || len(pair.Leaf.Subject.Organization) != 1 || pair.Leaf.Subject.Organization[0] != chain {
		return nil, fmt.Errorf("%s is not the authority of chain %s", filepath.Join(dir, CertificateFile), chain)
	}
	return &Authority{chain, key, pair.Leaf}, nil
}

// create writes the certificate first: the key's file is what says that there is an authority.
func create(dir, chain string, now time.Time) (*Authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	form := &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{CommonName: "Foyer " + chain, Organization: []string{chain}},
		NotBefore: now.Add(-earlier), NotAfter: now.Add(ownLife),
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true,
		PermittedDNSDomainsCritical: true, PermittedDNSDomains: []string{badge.Zone, "local"}, PermittedIPRanges: badge.Private(),
	}
	der, err := x509.CreateCertificate(rand.Reader, form, form, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	text, err := encodeKey(key)
	if err != nil {
		return nil, err
	}
	return &Authority{chain, key, cert}, errors.Join(
		write(filepath.Join(dir, CertificateFile), badge.EncodeCertificates(cert), 0o644),
		write(filepath.Join(dir, KeyFile), text, 0o600))
}

// Certificate is the authority's own.
func (a *Authority) Certificate() *x509.Certificate { return a.cert }

// RefusedRequest is why a request is not signed: its sender's fault.
type RefusedRequest struct{ Why string }

func (r *RefusedRequest) Error() string { return "the certificate request is refused: " + r.Why }

// Badge signs a store's request. Of the request it takes the key and the box's names; who the store is the caller says.
func (a *Authority) Badge(csr []byte, place wire.Place, now time.Time) (*x509.Certificate, error) {
	r, err := CheckRequest(csr)
	if err != nil {
		return nil, err
	}
	if place.Chain != a.chain || place.Check() != nil {
		return nil, fmt.Errorf("sign a badge: %v is no place of chain %s", place, a.chain)
	}
	form := a.form(place.Store, now, BadgeLife)
	form.URIs = []*url.URL{badge.URI(place)}
	form.DNSNames, form.IPAddresses = r.DNSNames, r.IPAddresses
	form.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	if len(r.DNSNames)+len(r.IPAddresses) > 0 {
		form.ExtKeyUsage = append(form.ExtKeyUsage, x509.ExtKeyUsageServerAuth)
	}
	return a.sign(form, r.PublicKey)
}

// CheckRequest reads a store's request: its own signature, a P-256 key, and names that a box may have.
func CheckRequest(csr []byte) (*x509.CertificateRequest, error) {
	r, err := x509.ParseCertificateRequest(csr)
	if err != nil {
		return nil, &RefusedRequest{"it cannot be read"}
	}
	key, ok := r.PublicKey.(*ecdsa.PublicKey)
	switch {
	case !ok || key.Curve != elliptic.P256():
		return nil, &RefusedRequest{"its key is not of the sort ECDSA P-256"}
	case r.CheckSignature() != nil:
		return nil, &RefusedRequest{"it is not signed with its key"}
	case len(r.EmailAddresses)+len(r.URIs) > 0:
		return nil, &RefusedRequest{"it asks for names that are no addresses"}
	case len(r.DNSNames)+len(r.IPAddresses) > maxNames:
		return nil, &RefusedRequest{fmt.Sprintf("it asks for more than %d names", maxNames)}
	}
	for _, name := range r.DNSNames {
		if badge.CheckName(name) != nil {
			return nil, &RefusedRequest{fmt.Sprintf("%v", badge.CheckName(name))}
		}
	}
	for _, ip := range r.IPAddresses {
		if badge.CheckName(ip.String()) != nil {
			return nil, &RefusedRequest{fmt.Sprintf("%v", badge.CheckName(ip.String()))}
		}
	}
	return r, nil
}

// Server makes a key and a certificate for headquarters' doors, or for a broker elsewhere. It carries the name that stores ask for, and
// others that are private.
func (a *Authority) Server(now time.Time, life time.Duration, names ...string) (tls.Certificate, error) {
	form := a.form(badge.HQName, now, life)
	form.DNSNames = []string{badge.ServerName(a.chain)}
	form.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	for _, name := range names {
		if err := badge.CheckName(name); err != nil {
			return tls.Certificate{}, &RefusedRequest{err.Error()}
		}
		if ip := net.ParseIP(name); ip != nil {
			form.IPAddresses = append(form.IPAddresses, ip)
		} else {
			form.DNSNames = append(form.DNSNames, name)
		}
	}
	return a.pair(form)
}

// Client makes a key and a certificate with which headquarters itself comes to a broker elsewhere: the first of those that share
// the work, or a further one. A broker throws out the first of two that come with one name.
func (a *Authority) Client(now time.Time, instance int) (tls.Certificate, error) {
	form := a.form(badge.InstanceName(instance), now, ServerLife)
	form.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	return a.pair(form)
}

// IssuedAt is when a certificate was signed.
func IssuedAt(c *x509.Certificate) time.Time { return c.NotBefore.Add(earlier) }

func (a *Authority) form(name string, now time.Time, life time.Duration) *x509.Certificate {
	return &x509.Certificate{SerialNumber: serial(), Subject: pkix.Name{CommonName: name, Organization: []string{a.chain}},
		NotBefore: now.Add(-earlier), NotAfter: now.Add(life), KeyUsage: x509.KeyUsageDigitalSignature, BasicConstraintsValid: true}
}

func (a *Authority) sign(form *x509.Certificate, key any) (*x509.Certificate, error) {
	der, err := x509.CreateCertificate(rand.Reader, form, a.cert, key, a.key)
	if err != nil {
		return nil, fmt.Errorf("sign a certificate: %w", err)
	}
	return x509.ParseCertificate(der)
}

func (a *Authority) pair(form *x509.Certificate) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	leaf, err := a.sign(form, &key.PublicKey)
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.Certificate{Certificate: [][]byte{leaf.Raw, a.cert.Raw}, PrivateKey: key, Leaf: leaf}, nil
}

// Verify checks that a certificate is a badge of this authority and returns whose. now is clipped into its life: whether it
// has ended is the second answer.
func (a *Authority) Verify(c *x509.Certificate, now time.Time) (place wire.Place, ended bool, err error) {
	roots := x509.NewCertPool()
	roots.AddCert(a.cert)
	at := now
	if ended = now.After(c.NotAfter); ended || now.Before(c.NotBefore) {
		at = c.NotAfter
	}
	if _, err := c.Verify(x509.VerifyOptions{Roots: roots, CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}); err != nil {
		return place, ended, err
	}
	place, err = badge.PlaceOf(c)
	return place, ended, err
}

// Revoked is one certificate that is void before its end.
type Revoked struct {
	Serial *big.Int
	At     time.Time
}

// List signs the list of revoked certificates, PEM, for brokers elsewhere. number grows with each list.
func (a *Authority) List(all []Revoked, number int64, now time.Time) (string, error) {
	form := &x509.RevocationList{Number: big.NewInt(number), ThisUpdate: now.Add(-earlier), NextUpdate: now.Add(crlLife)}
	for _, r := range all {
		form.RevokedCertificateEntries = append(form.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: r.Serial, RevocationTime: r.At.UTC()})
	}
	der, err := x509.CreateRevocationList(rand.Reader, form, a.cert, a.key)
	if err != nil {
		return "", fmt.Errorf("sign the list of revoked certificates: %w", err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: der})), nil
}

// EncodePair writes a certificate with its chain, and its key, as PEM.
func EncodePair(pair tls.Certificate) (certificate, key string, err error) {
	var all []*x509.Certificate
	for _, der := range pair.Certificate {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return "", "", err
		}
		all = append(all, c)
	}
	key, err = encodeKey(pair.PrivateKey)
	return badge.EncodeCertificates(all...), key, err
}

func encodeKey(key any) (string, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return "", err
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), nil
}

// serial is 128 random bits, never 0.
func serial() *big.Int {
	n, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		panic(err) // the system's randomness never fails
	}
	return n.SetBit(n, 126, 1)
}

// write puts a new file there whole or not at all.
func write(path, text string, mode fs.FileMode) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // no effect after the rename
	_, err = f.WriteString(text)
	if err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
