package daemon

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"foyer/hq"
	"foyer/hq/broker"
	"foyer/hq/gate"
	"foyer/hq/store"
	"foyer/hq/store/storetest"
	"foyer/reader/tag"
	"foyer/sync/badge"
	"foyer/sync/wire"
)

// patience is how long a test waits for what must come.
const patience = 30 * time.Second

// office is a whole headquarters on this machine: database, broker with a door for badges, door for stores.
type office struct {
	t   *testing.T
	dir string
	hq  *hq.HQ
}

func newOffice(t *testing.T) *office {
	o := &office{t: t, dir: storetest.Link(t, t.TempDir())}
	var err error
	if o.hq, err = hq.Open(hq.Config{Dir: o.dir, Chain: "demo", TagSecret: make([]byte, 32)}); err != nil {
		t.Fatal(err)
	}
	b, err := broker.Listen(broker.EmbeddedConfig{Chain: "demo", Auth: o.hq.Auth, Badge: &broker.BadgeConfig{Addr: "127.0.0.1:0",
		TLS: o.hq.ServerTLS(), Admit: o.hq.Admit, Barred: o.hq.Barred}})
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := o.hq.SetDoors(hq.Doors{Gate: ln.Addr().String(), Broker: "tls://" + b.BadgeAddr()}); err != nil {
		t.Fatal(err)
	}
	door := &http.Server{Handler: gate.New(o.hq, nil), ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { door.Serve(tls.NewListener(ln, o.hq.ServerTLS())) })
	running.Go(func() {
		if err := o.hq.Run(ctx, b); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() {
		stop()
		door.Close()
		running.Wait()
		if err := o.hq.Close(); err != nil {
			t.Error(err)
		}
	})
	<-o.hq.Ready()
	if _, err := o.hq.AddStore(t.Context(), "store-1", "", "Store"); err != nil {
		t.Fatal(err)
	}
	return o
}

// enrol writes a store's configuration and enrols it. Its path is returned.
func (o *office) enrol(listen string) string {
	o.t.Helper()
	dir := o.t.TempDir()
	write(o.t, dir, "tag.key", tag.NewSecret())
	write(o.t, dir, "reception.token", "a-token-for-reception")
	text := strings.Replace(good, "listen: {socket: foyerd.sock}", "listen: {socket: foyerd.sock, reception_token_file: reception.token"+listen+"}\nheadquarters: {identity: identity}", 1)
	path := write(o.t, dir, "foyerd.yaml", strings.Replace(text, "  - {name: tap, profile: rdm6300, port: /dev/serial/by-id/x}", "  - {name: tap, profile: rdm6300, port: \"tcp://127.0.0.1:1\"}", 1))
	if _, err := LoadConfig(path); err == nil || !strings.Contains(err.Error(), "foyerd enrol") {
		o.t.Fatalf("without a badge the configuration says %v: want it to name foyerd enrol", err)
	}
	ticket, err := o.hq.NewTicket(o.t.Context(), "store-1")
	if err != nil {
		o.t.Fatal(err)
	}
	if _, err := Enrol(o.t.Context(), path, ticket.String(), false); err != nil {
		o.t.Fatal(err)
	}
	return path
}

// run runs a store until the test ends or stop is called, and waits until it is up.
func (o *office) run(path string) (ready Ready, stop func()) {
	o.t.Helper()
	c, err := LoadConfig(path)
	if err != nil {
		o.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	file := filepath.Join(filepath.Dir(path), "ready.json")
	os.Remove(file)
	ended := make(chan error, 1)
	go func() { ended <- Run(ctx, c, Options{ReadyFile: file, Log: slog.New(slog.DiscardHandler)}) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			o.t.Error(err)
		}
	})
	o.t.Cleanup(stop)
	o.until("the store is up", func() bool {
		text, err := os.ReadFile(file)
		return err == nil && json.Unmarshal(text, &ready) == nil
	})
	return ready, stop
}

func (o *office) until(what string, so func() bool) {
	o.t.Helper()
	for began := time.Now(); !so(); time.Sleep(20 * time.Millisecond) {
		if time.Since(began) > patience {
			o.t.Fatalf("never: %s", what)
		}
	}
}

func (o *office) line() hq.Line {
	o.t.Helper()
	all, err := o.hq.Stores(o.t.Context())
	if err != nil {
		o.t.Fatal(err)
	}
	return all[0].Line
}

// applied is the newest version of a kind that the store told it applied.
func (o *office) applied(kind string) uint64 {
	o.t.Helper()
	all, err := o.hq.Stores(o.t.Context())
	if err != nil {
		o.t.Fatal(err)
	}
	return all[0].Snapshot[kind].Applied
}

// A store lives by its badge alone: it comes in, its records arrive, snapshots reach it; revoked, it is out at once and
// works on; enrolled anew while it runs, it comes back by itself.
func TestLivesByItsBadge(t *testing.T) {
	o := newOffice(t)
	path := o.enrol("")
	o.run(path)
	o.until("the store is online and tells that it applied", func() bool { return o.line() == hq.Online && o.applied(hq.Members) == 1 })
	if err := o.hq.Revoke(t.Context(), "store-1"); err != nil {
		t.Fatal(err)
	}
	o.until("the store is out", func() bool { return o.line() == hq.Offline })
	ticket, err := o.hq.NewTicket(t.Context(), "store-1")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Enrol(t.Context(), path, ticket.String(), true); err != nil {
		t.Fatal(err)
	}
	o.until("the store is back", func() bool { return o.line() == hq.Online })
}

// Another process revokes, as foyer-hq store revoke does.
func TestRevokedByAnotherProcess(t *testing.T) {
	o := newOffice(t)
	o.run(o.enrol(""))
	o.until("the store is online", func() bool { return o.line() == hq.Online })
	at, err := hq.DatabaseAt(o.dir)
	if err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(at)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Revoke(t.Context(), "store-1", time.Now()); err != nil {
		t.Fatal(err)
	}
	o.until("the store is out", func() bool { return o.line() == hq.Offline })
}

// The signing key changes under a store that runs and one that was away: both end with what the new key signed.
func TestSigningKeyChanges(t *testing.T) {
	for name, away := range map[string]bool{"while it runs": false, "while it is away": true} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t)
			path := o.enrol("")
			_, stop := o.run(path)
			o.until("the first snapshots are applied", func() bool { return o.applied(hq.Members) == 1 && o.applied(hq.Campaigns) == 1 })
			if away {
				stop()
			}
			before, _ := o.hq.PublicKey()
			if _, err := hq.NextSigningKey(o.dir); err != nil {
				t.Fatal(err)
			}
			if !away {
				o.hear(path) // what a running store does once a day
			}
			next, err := hq.SwitchSigningKey(o.dir)
			if err != nil {
				t.Fatal(err)
			}
			o.until("headquarters signs with the next key", func() bool { id, _ := o.hq.PublicKey(); return id == next })
			if away {
				o.until("everything is signed anew", func() bool {
					p, err := o.hq.DB().LastPublished(t.Context(), hq.Campaigns)
					return err == nil && p.Version == 2
				})
				if late, err := hq.BehindSigning(t.Context(), o.hq.DB(), before); err != nil || len(late) != 1 {
					t.Errorf("behind are %v, %v: want the store that is away", late, err)
				}
				if err := hq.DropSigningKey(o.dir, before); err != nil { // by force
					t.Fatal(err)
				}
				_, stop = o.run(path)
				o.hear(path)
			}
			o.until("what the new key signed is applied", func() bool { return o.applied(hq.Members) == 2 && o.applied(hq.Campaigns) == 2 })
			if late, err := hq.BehindSigning(t.Context(), o.hq.DB(), before); err != nil || len(late) != 0 {
				t.Errorf("behind are %v, %v: want none", late, err)
			}
			if !away {
				if err := hq.DropSigningKey(o.dir, before); err != nil {
					t.Fatal(err)
				}
			}
			stop()
			_, _ = o.run(path) // what the journal kept is good without the old key
			o.until("the store is online again", func() bool { return o.line() == hq.Online })
			if keys, err := hq.SigningKeys(o.dir); err != nil || len(keys) != 1 || keys[0] != (hq.SigningKey{ID: next, State: "signs"}) {
				t.Errorf("the keys are %v, %v: want the new one alone", keys, err)
			}
		})
	}
}

// hear asks headquarters for news now, in place of tomorrow; the store that runs looks into its folder by itself.
func (o *office) hear(path string) {
	o.t.Helper()
	c, err := LoadConfig(path)
	if err != nil {
		o.t.Fatal(err)
	}
	id, err := c.openIdentity()
	if err != nil {
		o.t.Fatal(err)
	}
	if err := (&badge.Keeper{Folder: id}).Visit(o.t.Context()); err != nil {
		o.t.Fatal(err)
	}
}

// Beyond loopback the reception page is there with TLS alone: good for who trusts the chain's authority, by the box's address.
func TestReceptionBeyondLoopback(t *testing.T) {
	o := newOffice(t)
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(free.Addr().String())
	free.Close()
	ready, _ := o.run(o.enrol(fmt.Sprintf(`, tcp: "0.0.0.0:%s", names: [127.0.0.1, foyer.local]`, port)))
	if !strings.HasSuffix(ready.TCP, ":"+port) {
		t.Fatalf("it listens on %s", ready.TCP)
	}
	roots := x509.NewCertPool()
	roots.AddCert(o.hq.Authority().Certificate())
	get := func(url, name string, roots *x509.CertPool) (int, string, error) {
		client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: name}, DisableKeepAlives: true}}
		resp, err := client.Get(url)
		if err != nil {
			return 0, "", err
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		return resp.StatusCode, string(text), err
	}
	for _, name := range []string{"", "foyer.local"} {
		if status, _, err := get("https://127.0.0.1:"+port+"/healthz", name, roots); err != nil || status != 200 {
			t.Errorf("with the authority, name %q: %d, %v", name, status, err)
		}
	}
	if _, _, err := get("https://127.0.0.1:"+port+"/healthz", "", x509.NewCertPool()); err == nil {
		t.Error("who does not trust the authority gets the page")
	}
	if status, text, err := get("http://127.0.0.1:"+port+"/healthz", "", nil); err == nil && status == 200 {
		t.Errorf("in clear it answers %q", text)
	}
}

func TestIdentityConfig(t *testing.T) {
	o := newOffice(t)
	path := o.enrol("")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct{ old, new, want string }{
		"another store":         {"store: store-1", "store: store-2", "store store-1"},
		"token and badge":       {"{identity: identity}", "{identity: identity, password_file: tag.key}", "exclude each other"},
		"a name of the world":   {"foyerd.sock,", "foyerd.sock, tcp: \"10.0.0.1:1\", names: [shop.example],", "ends in .local"},
		"a certificate, no key": {"foyerd.sock,", "foyerd.sock, tcp: \"10.0.0.1:1\", tls_cert_file: tag.key,", "belong together"},
		"no certificate in it":  {"foyerd.sock,", "foyerd.sock, tcp: \"10.0.0.1:1\", tls_cert_file: tag.key, tls_key_file: tag.key,", "tls_cert_file"},
	} {
		t.Run(name, func(t *testing.T) {
			changed := strings.Replace(string(text), tc.old, tc.new, 1)
			if changed == string(text) {
				t.Fatal("the case changes nothing")
			}
			_, err := LoadConfig(write(t, filepath.Dir(path), "changed.yaml", changed))
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want a message with %q", err, tc.want)
			}
		})
	}
	if err := os.Chmod(filepath.Join(filepath.Dir(path), "identity", "badge.pem"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadConfig(path); err == nil || !strings.Contains(err.Error(), "may be read by others") {
		t.Errorf("a key that others may read: %v", err)
	}
	if _, err := badge.Open(t.TempDir(), wire.Place{Chain: "demo", Store: "store-1"}); !errors.Is(err, badge.ErrNotEnrolled) {
		t.Errorf("an empty folder: %v", err)
	}
}
