package badge

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"time"
)

// Client is TLS towards headquarters and its broker: shows the badge of the moment, trusts the chain's authority alone.
func (f *Folder) Client() *tls.Config {
	return &tls.Config{
		MinVersion:         tls.VersionTLS12,
		ServerName:         ServerName(f.place.Chain),
		InsecureSkipVerify: true, // VerifyConnection verifies, by headquarters' time in place of the box's
		VerifyConnection:   f.verify,
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			return &f.Badge().pair, nil
		},
	}
}

// Server is TLS for the reception page: the badge again, if headquarters signed it for names.
func (f *Folder) Server() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		return &f.Badge().pair, nil
	}}
}

func (f *Folder) verify(s tls.ConnectionState) error {
	f.mu.Lock()
	authority, floor := f.badge.Authority, f.floor
	f.mu.Unlock()
	leaf, err := verifyHQ(s.PeerCertificates, authority, ServerName(f.place.Chain), floor)
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.floor = latest(f.floor, leaf.NotBefore)
	return nil
}

// verifyHQ checks headquarters' certificate at the latest moment that is certain: see the package comment.
func verifyHQ(chain []*x509.Certificate, authority *x509.Certificate, name string, floor time.Time) (*x509.Certificate, error) {
	if len(chain) == 0 {
		return nil, errors.New("headquarters shows no certificate")
	}
	leaf, roots := chain[0], x509.NewCertPool()
	roots.AddCert(authority)
	at := latest(floor, leaf.NotBefore, authority.NotBefore)
	_, err := leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: name, CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}})
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok && invalid.Reason == x509.Expired {
		return nil, fmt.Errorf("the certificate of whoever answers as headquarters ended on %s, and headquarters was heard on %s: an old copy answers",
			leaf.NotAfter.Format(time.DateOnly), floor.Format(time.DateOnly))
	}
	if err != nil {
		return nil, fmt.Errorf("whoever answers is not headquarters of this chain: %w", err)
	}
	return leaf, nil
}

// pinned is TLS to a headquarters of which only the pin is known. authority is set once it has been found.
func pinned(chain string, pin [pinBytes]byte, authority **x509.Certificate) *tls.Config {
	return &tls.Config{
		MinVersion:         tls.VersionTLS12,
		ServerName:         ServerName(chain),
		InsecureSkipVerify: true, // VerifyConnection verifies by the pin
		VerifyConnection: func(s tls.ConnectionState) error {
			for _, c := range s.PeerCertificates {
				if c.IsCA && Pin(c) == pin {
					*authority = c
					_, err := verifyHQ(s.PeerCertificates, c, ServerName(chain), time.Time{})
					return err
				}
			}
			return errors.New("whoever answers is not the headquarters that made this code: check the address and the code; nothing was told to it")
		},
	}
}
