package link

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"
)

// openTLS opens "tls://host:port". Readers mostly show a certificate of their own making, so a port may say whom to believe:
// "?ca=FILE" names a PEM file of who signed it, "?pin=HEX" is the SHA-256 of the reader's one certificate. Without either
// the system's authorities decide. There is no way to believe anybody.
func openTLS(ctx context.Context, port string, s Settings) (Link, error) {
	u, err := url.Parse(port)
	if err != nil || u.Hostname() == "" || u.Port() == "" || u.Path != "" {
		return nil, &OpenError{Port: port, Kind: ErrBadPort, Hint: tlsHelp, Err: err}
	}
	config, err := trust(u)
	if err != nil {
		return nil, &OpenError{Port: port, Kind: ErrBadPort, Hint: err.Error() + "; " + tlsHelp, Err: err}
	}
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	dialer := tls.Dialer{NetDialer: &net.Dialer{KeepAliveConfig: keepAlive}, Config: config}
	conn, err := dialer.DialContext(ctx, "tcp", u.Host)
	if err != nil {
		return nil, &OpenError{Port: port, Kind: ErrNoAnswer, Hint: tlsHint(err), Err: err}
	}
	return &line{stream: conn, sendTimeout: s.SendTimeout}, nil
}

const tlsHelp = `want "tls://host:port", "tls://host:port?ca=FILE" or "tls://host:port?pin=SHA256"`

// tlsHint tells a certificate that is not believed from a reader that is not there.
func tlsHint(err error) string {
	if seen, ok := errors.AsType[*tls.CertificateVerificationError](err); ok && len(seen.UnverifiedCertificates) > 0 {
		return fmt.Sprintf("the reader's certificate is not believed: %v; if it is the right reader, add ?pin=%s", seen.Err, pinOf(seen.UnverifiedCertificates[0]))
	}
	if errors.Is(err, errPin) {
		return err.Error()
	}
	return "is it switched on, does it speak TLS, and are address and port right?"
}

var errPin = errors.New("the certificate is another than the one that the port names")

func trust(u *url.URL) (*tls.Config, error) {
	config := &tls.Config{ServerName: u.Hostname(), MinVersion: tls.VersionTLS12}
	query := u.Query()
	for key := range query {
		if key != "ca" && key != "pin" {
			return nil, fmt.Errorf("no setting %.20q", key)
		}
	}
	if file := query.Get("ca"); file != "" {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("read authority: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("%s holds no certificate", file)
		}
	}
	if pin := strings.ToLower(query.Get("pin")); pin != "" {
		if raw, err := hex.DecodeString(pin); err != nil || len(raw) != sha256.Size {
			return nil, errors.New("a pin is 64 hex digits")
		}
		// The pin takes the place of the chain: it names this one certificate, whoever signed it and however long ago.
		config.InsecureSkipVerify = true
		config.VerifyConnection = func(state tls.ConnectionState) error {
			if pinOf(state.PeerCertificates[0]) != pin {
				return fmt.Errorf("%w: it is %s", errPin, pinOf(state.PeerCertificates[0]))
			}
			return nil
		}
	}
	return config, nil
}

func pinOf(c *x509.Certificate) string {
	sum := sha256.Sum256(c.Raw)
	return hex.EncodeToString(sum[:])
}

// Holder names another process that has the device at path open, or "". It opens nothing, and sees what the user may see.
func Holder(path string) string { return holder(path) }
