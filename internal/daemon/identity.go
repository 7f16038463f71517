package daemon

import (
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"

	"foyer/internal/strictyaml"
	"foyer/sync/badge"
	"foyer/sync/wire"
)

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func (c *Config) checkListenTLS(doc *strictyaml.Doc) {
	l := c.Listen
	switch {
	case l.TLSCertFile == "" && l.TLSKeyFile == "":
	case l.TLSCertFile == "" || l.TLSKeyFile == "":
		doc.At("listen", "tls_cert_file and tls_key_file belong together")
	default:
		if _, err := tls.LoadX509KeyPair(l.TLSCertFile, l.TLSKeyFile); err != nil {
			doc.At("listen.tls_cert_file", "%v", err)
		}
	}
}

func (c *Config) checkIdentity(doc *strictyaml.Doc) {
	if c.Headquarters.PasswordFile != "" {
		doc.At("headquarters.password_file", "identity and password_file exclude each other: a store with a badge needs no token")
	}
	if c.enrolling {
		return
	}
	_, err := c.openIdentity()
	if errors.Is(err, badge.ErrNotEnrolled) {
		doc.At("headquarters.identity", "there is no badge in %s: get a code from headquarters and run foyerd enrol --config FILE HOST:PORT/CODE", c.Headquarters.Identity)
	} else if err != nil {
		doc.At("headquarters.identity", "%v", err)
	}
}

// openIdentity returns nil where the configuration names no folder.
func (c *Config) openIdentity() (*badge.Folder, error) {
	if c.Headquarters.Identity == "" {
		return nil, nil
	}
	return badge.Open(c.Headquarters.Identity, wire.Place{Chain: c.Chain, Store: c.Store})
}

// Enrol gets the store of a configuration a badge with a ticket from headquarters.
func Enrol(ctx context.Context, path, ticket string, again bool) (badge.Enrolled, error) {
	c, err := load(path, &Config{enrolling: true})
	if err != nil {
		return badge.Enrolled{}, err
	}
	if c.Headquarters.Identity == "" {
		return badge.Enrolled{}, fmt.Errorf("%s: no headquarters.identity: write there the folder that the badge is to be kept in", path)
	}
	t, err := badge.ParseTicket(ticket)
	if err != nil {
		return badge.Enrolled{}, err
	}
	return badge.Enrol(ctx, badge.Enrolment{Dir: c.Headquarters.Identity, Place: wire.Place{Chain: c.Chain, Store: c.Store}, Ticket: t,
		Names: c.boxNames(), Again: again, Now: now})
}

// boxNames are the names under which tablets reach the reception page, if its TLS is that of the badge.
func (c *Config) boxNames() []string {
	host, _, err := net.SplitHostPort(c.Listen.TCP)
	if err != nil || loopback(host) || c.Listen.TLSCertFile != "" {
		return nil
	}
	names := slices.Clone(c.Listen.Names)
	ip, err := netip.ParseAddr(host)
	switch {
	case host == "" || err == nil && ip.IsUnspecified():
		names = append(names, privateAddresses()...)
	case badge.CheckName(host) == nil:
		names = append(names, host)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// privateAddresses are this box's own ones in private networks, for an address that stands for all of them.
func privateAddresses() []string {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	var out []string
	for _, a := range all {
		if n, ok := a.(*net.IPNet); ok && n.IP.IsPrivate() {
			out = append(out, n.IP.String())
		}
	}
	return out
}

// secure puts TLS before the reception page, with the files that the configuration names or, beyond loopback, the badge.
func (c *Config) secure(tcp net.Listener, id *badge.Folder) (net.Listener, error) {
	host, _, _ := net.SplitHostPort(c.Listen.TCP) // checked when it was read
	switch {
	case c.Listen.TLSCertFile != "":
		pair, err := tls.LoadX509KeyPair(c.Listen.TLSCertFile, c.Listen.TLSKeyFile)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("read the reception page's certificate: %w", err), tcp.Close())
		}
		return tls.NewListener(tcp, &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}}), nil
	case loopback(host):
		return tcp, nil
	case id == nil:
		return nil, errors.Join(errors.New("the reception page beyond loopback needs TLS"), tcp.Close())
	}
	return tls.NewListener(tcp, id.Server()), nil
}

// credentials are how the store signs in, and whom it believes.
type credentials struct {
	broker, user, password string
	files                  string // where packs come from unless the configuration says; empty: the broker alone
	tls                    *tls.Config
	keys                   map[string]ed25519.PublicKey
}

// credentials come from the badge, or from the files that the configuration names.
func (c *Config) credentials(id *badge.Folder) (credentials, error) {
	hq := c.Headquarters
	keys, err := publicKeys(hq.PublicKeyFiles)
	if err != nil {
		return credentials{}, err
	}
	if id != nil {
		return c.byBadge(id, keys)
	}
	password, err := os.ReadFile(hq.PasswordFile)
	if err != nil {
		return credentials{}, fmt.Errorf("read headquarters' password: %w", err)
	}
	config, err := authorities(hq.CAFile)
	return credentials{broker: hq.Broker, user: hq.User, password: strings.TrimSpace(string(password)), tls: config, keys: keys}, err
}

func (c *Config) byBadge(id *badge.Folder, keys map[string]ed25519.PublicKey) (credentials, error) {
	news := id.News()
	told, err := news.Keys()
	if err != nil {
		return credentials{}, err
	}
	maps.Copy(keys, told)
	out := credentials{broker: c.Headquarters.Broker, tls: id.Client(), keys: keys}
	if out.broker == "" {
		out.broker = news.Broker
	}
	if news.Gate != "" {
		out.files = "https://" + news.Gate
	}
	if !strings.HasPrefix(out.broker, "tls://") {
		return out, fmt.Errorf("the broker at %q takes no badge: want tls://host:8883", out.broker)
	}
	return out, nil
}

// keeper renews the badge, and hands changed signing keys to the downlink.
func (h *house) keeper() *badge.Keeper {
	return &badge.Keeper{Folder: h.identity, Names: h.config.boxNames(), Now: now, Log: h.log, Heard: func(n badge.News) {
		how, err := h.config.credentials(h.identity)
		if err != nil {
			h.log.Error("headquarters' news are not taken over", "err", err)
			return
		}
		h.supply.down.Trust(how.keys)
		h.supply.orders.Trust(how.keys)
		h.supply.tell(how.broker, h.log)
	}}
}
