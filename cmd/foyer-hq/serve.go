package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"foyer/hq"
	"foyer/hq/broker"
	"foyer/hq/console"
	"foyer/hq/gate"
	"foyer/hq/outlet"
	"foyer/hq/store"
	"foyer/reader/tag"
	"foyer/sync/line"
	"foyer/sync/wire"
)

const defaultData = "/var/lib/foyer-hq"

// grace is how long requests in progress may take once the program is to end.
const grace = 1500 * time.Millisecond

type options struct {
	data, chain, console, mqtt, packs   string
	broker, brokerUser, brokerPassword  string
	tagKey, tlsCert, tlsKey, ready, log string
	stores, mqttTLS, host, storesBroker string
	brokerBadge                         bool
	database, databaseFile, share       string
	instance                            int
	lease                               time.Duration
	above, days                         int
	events                              eventOptions
}

func serveFlags(errs io.Writer) (*flag.FlagSet, *options) {
	f := flag.NewFlagSet("foyer-hq serve", flag.ContinueOnError)
	f.SetOutput(errs)
	o := &options{}
	f.StringVar(&o.data, "data", defaultData, "the data `folder`, made at the first start with database, signing key and admin token")
	f.StringVar(&o.chain, "chain", "", "the chain's `name`: lower-case letters, digits, dashes")
	f.StringVar(&o.console, "console", "127.0.0.1:8080", "where the console listens, `host:port`")
	f.StringVar(&o.stores, "stores", "", "where stores enrol and renew their badges, `host:port`, HTTPS; without it there are no badges")
	f.StringVar(&o.mqttTLS, "mqtt-tls", "", "where the broker inside listens for stores with a badge, `host:port`, TLS")
	f.StringVar(&o.host, "public-host", "", "the `name` or address by which stores reach this machine; default: this machine's name")
	f.StringVar(&o.mqtt, "mqtt", "127.0.0.1:1883", "where the broker inside listens for stores with a token, `host:port`; in clear only on loopback")
	f.StringVar(&o.packs, "packs", "", "where stores fetch the files of content packs, `host:port`; empty: through the broker only")
	f.StringVar(&o.broker, "broker", "", "use the broker at this `URL` (tcp:// or tls://) in place of the one inside")
	f.BoolVar(&o.brokerBadge, "broker-badge", false, "come to that broker with a certificate of headquarters' own authority (foyer-hq broker mosquitto)")
	f.StringVar(&o.storesBroker, "stores-broker", "", "that broker's `URL` as stores reach it; default: as --broker")
	f.StringVar(&o.database, "database", "", "keep the rows in this PostgreSQL database, `URL`, in place of a file in the data folder; written down there")
	f.StringVar(&o.databaseFile, "database-file", "", "the `file` with that URL, where it holds a password")
	f.IntVar(&o.instance, "instance", 1, "the `number` of this foyer-hq among those that share the database, 1 to 8")
	f.StringVar(&o.share, "broker-share", "hq", "the `name` of the shared subscription of foyer-hqs that share a database; none where the broker has no such thing")
	f.StringVar(&o.brokerUser, "broker-user", "", "the account at that broker")
	f.StringVar(&o.brokerPassword, "broker-password-file", "", "the `file` with its password")
	f.StringVar(&o.tagKey, "tag-key-file", "", "the `file` with the chain's tag key (foyer keys new); without it members cannot be imported")
	f.DurationVar(&o.lease, "lease", 30*24*time.Hour, "a store that is out of touch for so `long` forgets its members; 0: never")
	f.IntVar(&o.above, "regulars-above", hq.DefaultRegularsAbove, "above this `number` of members a store is sent its regulars alone and asks for others; 0: always")
	f.IntVar(&o.days, "regular-days", int(hq.DefaultRegularFor/(24*time.Hour)), "somebody is a store's regular for so many `days` after their last visit")
	f.StringVar(&o.events.tokenFile, "events-token-file", "", "let integrators read events at /v1/events of the console with the token in this `file`, made when missing")
	f.StringVar(&o.events.prefix, "events-type", "", "begin the events' types with this `name` in place of com.foyer")
	f.BoolVar(&o.events.members, "events-members", false, "events also tell members' and tags' pseudonyms, and the names that staff sign with")
	f.StringVar(&o.events.hook, "webhook", "", "send all events to this `URL`, in order, each batch until it is taken")
	f.StringVar(&o.events.hookTokenFile, "webhook-token-file", "", "with the token in this `file`")
	f.StringVar(&o.tlsCert, "tls-cert-file", "", "serve console, broker and packs with TLS: the certificate chain, PEM `file`")
	f.StringVar(&o.tlsKey, "tls-key-file", "", "and its key, PEM `file`")
	f.StringVar(&o.ready, "ready-file", "", "write the addresses to this `file`, as JSON, when all is up")
	f.StringVar(&o.log, "log-level", "info", "debug, info, warn or error")
	return f, o
}

func serve(ctx context.Context, args []string, out, errs io.Writer) error {
	f, o := serveFlags(errs)
	words, err := parse(f, args)
	if err != nil {
		return err
	}
	if len(words) > 0 {
		return configError{fmt.Errorf("serve: %q is no flag", words[0])}
	}
	var level slog.Level
	if err := level.UnmarshalText([]byte(o.log)); err != nil {
		return configError{fmt.Errorf("--log-level %q: want debug, info, warn or error", o.log)}
	}
	log := slog.New(slog.NewJSONHandler(errs, &slog.HandlerOptions{Level: level}))
	p, err := open(ctx, o, log)
	if err != nil {
		return err
	}
	return errors.Join(p.run(ctx, out), p.hq.Close())
}

// program is headquarters with its doors open and nobody served yet.
type program struct {
	options *options
	log     *slog.Logger
	hq      *hq.HQ
	broker  hq.Broker
	mqtt    string // where stores connect
	ln      net.Listener
	gate    net.Listener // nil: no door for stores
	packs   net.Listener // nil: none
	tls     *tls.Config
	outlet  *outlet.Outlet // nil: integrators are told nothing
	hook    outlet.Webhook // of the outlet; no URL: none
	stop    context.Context
}

// open does all that can fail for a reason in the configuration.
func open(ctx context.Context, o *options, log *slog.Logger) (_ *program, err error) {
	p := &program{options: o, log: log, stop: ctx}
	var secret []byte
	if o.tagKey != "" {
		if secret, err = readSecret(o.tagKey); err != nil {
			return nil, configError{err}
		}
	}
	url, err := databaseURL("database", o.database, o.databaseFile)
	if err != nil {
		return nil, configError{err}
	}
	if o.instance < 1 || o.instance > store.MaxInstances {
		return nil, configError{fmt.Errorf("--instance %d: want 1 to %d", o.instance, store.MaxInstances)}
	}
	if strings.ContainsAny(o.share, "/+# ") || o.share == "" {
		return nil, configError{fmt.Errorf("--broker-share %q: want a name without / + # and spaces, or none", o.share)}
	}
	if o.lease < 0 || o.lease > 0 && o.lease < time.Hour {
		return nil, configError{fmt.Errorf("--lease %v: want an hour or more, or 0", o.lease)}
	}
	if o.above < 0 || o.above > wire.MaxMembers || o.days < 1 || o.days > 3660 {
		return nil, configError{fmt.Errorf("--regulars-above %d, --regular-days %d: want at most %d members, and 1 to 3660 days", o.above, o.days, wire.MaxMembers)}
	}
	if p.tls, err = certificate(o); err != nil {
		return nil, configError{err}
	}
	if p.hq, err = hq.Open(hq.Config{Dir: o.data, Chain: o.chain, TagSecret: secret, Lease: o.lease, Regulars: o.regulars(), Log: log, Database: url, Instance: o.instance}); err != nil {
		return nil, configError{err}
	}
	if url != "" {
		if err = p.keepDatabase(url); err != nil {
			return nil, configError{errors.Join(err, p.hq.Close())}
		}
	}
	if err = p.openBroker(); err == nil {
		if p.ln, err = net.Listen("tcp", o.console); err != nil {
			err = fmt.Errorf("open console at %s: %w", o.console, err)
		}
	}
	if err == nil {
		if err = p.openGate(); err == nil {
			err = p.openOutlet()
		}
		if err != nil {
			p.ln.Close()
		}
	}
	if err == nil && o.packs != "" {
		if p.packs, err = net.Listen("tcp", o.packs); err != nil {
			err = errors.Join(fmt.Errorf("open packs at %s: %w", o.packs, err), p.ln.Close())
		}
	}
	if err != nil {
		if b, ok := p.broker.(io.Closer); ok {
			b.Close()
		}
		return nil, configError{errors.Join(err, p.hq.Close())}
	}
	if p.tls != nil {
		p.ln = tls.NewListener(p.ln, p.tls)
		if p.packs != nil {
			p.packs = tls.NewListener(p.packs, p.tls)
		}
	}
	return p, nil
}

// keepDatabase writes down where the rows are. A file that was used before is not copied by itself: it may be an old one.
func (p *program) keepDatabase(url string) error {
	file := filepath.Join(p.options.data, hq.DatabaseFile)
	if _, err := os.Stat(file); err == nil {
		stores, err := p.hq.Stores(context.Background())
		if err == nil && len(stores) == 0 {
			p.log.Warn("the PostgreSQL database has no stores and the data folder has a file with rows: foyer-hq database copy moves them", "file", file)
		}
	}
	return hq.KeepDatabase(p.options.data, url)
}

// regulars is what hq takes: it has another word for always.
func (o *options) regulars() hq.Regulars {
	r := hq.Regulars{Above: o.above, For: time.Duration(o.days) * 24 * time.Hour}
	if o.above == 0 {
		r.Above = -1
	}
	return r
}

func readSecret(file string) ([]byte, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read tag key: %w", err)
	}
	secret, err := tag.ParseSecret(string(text))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return secret, nil
}

func certificate(o *options) (*tls.Config, error) {
	if o.tlsCert == "" && o.tlsKey == "" {
		return nil, nil
	}
	cert, err := tls.LoadX509KeyPair(o.tlsCert, o.tlsKey)
	if err != nil {
		return nil, fmt.Errorf("read certificate (--tls-cert-file and --tls-key-file): %w", err)
	}
	return &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}, nil
}

func (p *program) openBroker() error {
	o := p.options
	if o.broker == "" {
		if p.tls == nil && !loopback(o.mqtt) {
			return fmt.Errorf("--mqtt %s: tokens and members would cross the network in clear; open --stores and --mqtt-tls for stores elsewhere, or give --tls-cert-file", o.mqtt)
		}
		b, err := broker.Listen(broker.EmbeddedConfig{Chain: o.chain, Addr: o.mqtt, TLS: p.tls, Auth: p.hq.Auth, Badge: p.badgeDoor(), Log: p.log})
		if err != nil {
			return err
		}
		p.broker, p.mqtt = b, b.Addr()
		return nil
	}
	if err := line.CheckURL(o.broker); err != nil {
		return fmt.Errorf("--broker: %w", err)
	}
	password := ""
	if o.brokerPassword != "" {
		text, err := os.ReadFile(o.brokerPassword)
		if err != nil {
			return fmt.Errorf("read broker password: %w", err)
		}
		password = strings.TrimSpace(string(text))
	}
	var config *tls.Config
	if o.brokerBadge {
		config = p.hq.ClientTLS()
	}
	id := "foyer-hq-" + o.chain
	if o.instance > 1 {
		id += "-" + strconv.Itoa(o.instance)
	}
	l := line.New(line.Config{URL: o.broker, TLS: config, ClientID: id, Username: o.brokerUser, Password: password, Log: p.log})
	outside := broker.NewExternal(o.chain, l, p.log)
	if p.hq.DB().Shared() && o.share != "none" {
		outside.Share(o.share)
	}
	p.broker, p.mqtt = outside, o.broker
	return nil
}

// run serves until ctx ends or a part fails.
func (p *program) run(ctx context.Context, out io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	pages, err := console.New(console.Config{HQ: p.hq, Log: p.log, Stop: ctx})
	if err != nil {
		return err
	}
	web := p.server(p.withEvents(pages))
	var parts sync.WaitGroup
	// No limit for a whole answer: a file takes a slow line an hour. Each write has its own, see hq/packs.
	files := &http.Server{Handler: p.hq.StoreFiles(), ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 16 << 10, ErrorLog: slog.NewLogLogger(p.log.Handler(), slog.LevelDebug)}
	var failed [5]error
	parts.Go(func() { failed[4] = p.tellHook(ctx) })
	if p.gate != nil {
		g := gate.New(p.hq, p.log)
		g.Handle("GET "+wire.PackPath+"{digest}", p.hq.PackFilesBehindGate())
		g.Handle("PUT "+wire.ResultPath+"{command}/{name}", p.hq.ResultFiles(gate.StoreOf))
		door := p.server(g)
		parts.Go(func() {
			defer cancel()
			failed[2] = serveUntil(ctx, door, p.gate)
		})
	}
	if p.packs != nil {
		parts.Go(func() {
			defer cancel()
			if err := files.Serve(p.packs); !errors.Is(err, http.ErrServerClosed) {
				failed[3] = fmt.Errorf("serve packs: %w", err)
			}
		})
	}
	parts.Go(func() {
		defer cancel()
		failed[0] = p.hq.Run(ctx, p.broker)
	})
	parts.Go(func() {
		defer cancel()
		if err := web.Serve(p.ln); !errors.Is(err, http.ErrServerClosed) {
			failed[1] = fmt.Errorf("serve console: %w", err)
		}
	})
	select {
	case <-p.hq.Ready():
		err = p.tell(out)
	case <-ctx.Done():
	}
	if err != nil {
		cancel()
	}
	<-ctx.Done()
	files.Close() // stores go on where they were
	last, done := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer done()
	if web.Shutdown(last) != nil {
		web.Close() // somebody is slow; what they asked for is not worth waiting longer
	}
	parts.Wait()
	return errors.Join(append(failed[:], err)...)
}

func (p *program) server(h http.Handler) *http.Server {
	return &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 2 * time.Minute, WriteTimeout: 2 * time.Minute,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10, ErrorLog: slog.NewLogLogger(p.log.Handler(), slog.LevelDebug)}
}

// tell says where everything is: one line, and the same in the ready file.
func (p *program) tell(out io.Writer) error {
	files := ""
	if p.packs != nil {
		files = p.packs.Addr().String()
	}
	text, err := json.Marshal(struct {
		Console        string `json:"console"`            // host:port
		MQTT           string `json:"mqtt"`               // host:port of the broker inside, or the URL of the one outside
		Stores         string `json:"stores,omitempty"`   // host:port of the door for stores
		MQTTTLS        string `json:"mqtt_tls,omitempty"` // host:port of the broker's door for stores with a badge
		Packs          string `json:"packs,omitempty"`    // host:port
		AdminTokenFile string `json:"admin_token_file"`
		PublicKeyFile  string `json:"public_key_file"`
	}{p.ln.Addr().String(), p.mqtt, p.gateAddr(), p.badgeAddr(), files, p.hq.AdminTokenFile(), p.hq.PublicKeyFile()})
	if err != nil {
		return err
	}
	p.log.Info("headquarters is up", "chain", p.options.chain, "console", p.ln.Addr().String(), "mqtt", p.mqtt)
	fmt.Fprintf(out, "%s\n", text)
	if p.options.ready == "" {
		return nil
	}
	return hq.ReplaceFile(p.options.ready, string(text)+"\n", 0o644)
}
