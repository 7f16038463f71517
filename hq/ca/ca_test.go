package ca

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"foyer/sync/badge"
	"foyer/sync/wire"
)

var noon = time.Date(2026, 9, 30, 12, 0, 0, 0, time.UTC)

func open1(t *testing.T, dir string) *Authority {
	t.Helper()
	a, err := Open(dir, "harbour", noon)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func request(t testing.TB, form x509.CertificateRequest) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	csr, err := x509.CreateCertificateRequest(rand.Reader, &form, key)
	if err != nil {
		t.Fatal(err)
	}
	return csr
}

var north = wire.Place{Chain: "harbour", Store: "north"}

// The badge is the place's that headquarters says, whatever the request calls itself.
func TestBadge(t *testing.T) {
	a := open1(t, t.TempDir())
	csr := request(t, x509.CertificateRequest{Subject: pkix.Name{CommonName: badge.HQName}, DNSNames: []string{"foyer.local"}, IPAddresses: []net.IP{net.ParseIP("192.168.1.20")}})
	c, err := a.Badge(csr, north, noon)
	if err != nil {
		t.Fatal(err)
	}
	if place, ended, err := a.Verify(c, noon); err != nil || ended || place != north {
		t.Errorf("it is %v, ended %t, %v: want north", place, ended, err)
	}
	if _, ended, err := a.Verify(c, noon.Add(BadgeLife+time.Hour)); err != nil || !ended {
		t.Errorf("after its life: ended %t, %v", ended, err)
	}
	if err := c.VerifyHostname("192.168.1.20"); err != nil {
		t.Error(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(a.Certificate())
	if _, err := c.Verify(x509.VerifyOptions{Roots: roots, DNSName: badge.ServerName("harbour"), CurrentTime: noon}); err == nil {
		t.Error("a store's badge is good for headquarters' name")
	}
	other := open1(t, t.TempDir())
	if _, _, err := other.Verify(c, noon); err == nil {
		t.Error("another authority takes it")
	}
}

func TestRefusedRequests(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, rsaKey)
	if err != nil {
		t.Fatal(err)
	}
	altered := request(t, x509.CertificateRequest{Subject: pkix.Name{CommonName: "north"}})
	altered[len(altered)-3] ^= 1
	for name, csr := range map[string][]byte{
		"empty": nil, "nonsense": []byte("nonsense"), "an RSA key": foreign, "an altered one": altered,
		"a name of the world":  request(t, x509.CertificateRequest{DNSNames: []string{"bank.example"}}),
		"headquarters' name":   request(t, x509.CertificateRequest{DNSNames: []string{badge.ServerName("harbour")}}),
		"any name":             request(t, x509.CertificateRequest{DNSNames: []string{"*.local"}}),
		"an address of others": request(t, x509.CertificateRequest{IPAddresses: []net.IP{net.ParseIP("8.8.8.8")}}),
		"another store's URI":  request(t, x509.CertificateRequest{URIs: []*url.URL{badge.URI(wire.Place{Chain: "harbour", Store: "south"})}}),
		"too many names":       request(t, x509.CertificateRequest{DNSNames: strings.Split(strings.Repeat("a.local ", 16)+"a.local", " ")}),
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := CheckRequest(csr); err == nil {
				t.Error("it passes")
			} else if _, ok := errors.AsType[*RefusedRequest](err); !ok {
				t.Errorf("the error is %v: want a RefusedRequest", err)
			}
		})
	}
}

// The authority's own certificate forbids names of the world: even a headquarters gone mad could sign none that counts.
func TestNameConstraints(t *testing.T) {
	a := open1(t, t.TempDir())
	form := a.form("bank", noon, time.Hour)
	form.DNSNames = []string{"bank.example"}
	form.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	pair, err := a.pair(form)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(a.Certificate())
	if _, err := pair.Leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: "bank.example", CurrentTime: noon}); err == nil {
		t.Error("whoever trusts the authority trusts it for bank.example")
	}
	if pair, err = a.Server(noon, ServerLife, "10.1.2.3", "hq.local"); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{badge.ServerName("harbour"), "10.1.2.3", "hq.local"} {
		if _, err := pair.Leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: name, CurrentTime: noon}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, _, err := a.Verify(pair.Leaf, noon); err == nil {
		t.Error("headquarters' certificate passes as a store's")
	}
}

func TestOpenAgain(t *testing.T) {
	dir := t.TempDir()
	first := open1(t, dir)
	if again := open1(t, dir); !again.Certificate().Equal(first.Certificate()) {
		t.Error("the second start has another authority")
	}
	if _, err := Open(dir, "other", noon); err == nil {
		t.Error("another chain opens it")
	}
	if err := os.Chmod(filepath.Join(dir, KeyFile), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir, "harbour", noon); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("a key that others may read: %v", err)
	}
	os.Chmod(filepath.Join(dir, KeyFile), 0o600)
	os.Remove(filepath.Join(dir, CertificateFile))
	if _, err := Open(dir, "harbour", noon); err == nil || !strings.Contains(err.Error(), "backup") {
		t.Errorf("without its certificate: %v", err)
	}
}

func FuzzCheckRequest(f *testing.F) {
	f.Add(request(f, x509.CertificateRequest{Subject: pkix.Name{CommonName: "north"}, DNSNames: []string{"foyer.local"}}))
	f.Add([]byte{0x30, 0x82, 0x01, 0x00})
	a, err := Open(f.TempDir(), "harbour", noon)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, csr []byte) {
		if _, err := CheckRequest(csr); err != nil {
			if _, ok := errors.AsType[*RefusedRequest](err); !ok {
				t.Errorf("the error is %v: want a RefusedRequest", err)
			}
			return
		}
		c, err := a.Badge(csr, north, noon)
		if err != nil {
			t.Fatalf("a good request is not signed: %v", err)
		}
		if place, _, err := a.Verify(c, noon); err != nil || place != north {
			t.Errorf("its badge is %v, %v", place, err)
		}
	})
}
