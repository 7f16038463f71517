package daemon

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"time"

	"foyer/shop"
	"foyer/shop/campaign"
	"foyer/sync/badge"
	"foyer/sync/command"
	"foyer/sync/content"
	"foyer/sync/downlink"
	"foyer/sync/journal"
	"foyer/sync/line"
	"foyer/sync/uplink"
	"foyer/sync/wire"
)

// filterSpread is within what time the stores of a chain fetch a new filter of known tags, a megabyte for a million.
const filterSpread = time.Hour

// supply is the line to headquarters and what travels on it.
type supply struct {
	broker string
	line   *line.Line
	up     *uplink.Uplink
	down   *downlink.Downlink
	packs  *content.Store // nil where the disk refused; all else goes on

	uploads command.Uploads
	orders  *command.Desk
}

func (s *supply) close() error {
	if s == nil || s.packs == nil {
		return nil
	}
	return s.packs.Close()
}

// newSupply reads keys and password, and connects nothing yet. id is nil for a store with a token.
func newSupply(c *Config, id *badge.Folder, shreds *shredder, people *crowd, do map[wire.Do]func(context.Context, wire.Command) command.Answer,
	version string, log *slog.Logger) (*supply, error) {
	kept, j := shreds.safe, shreds.journal
	place := wire.Place{Chain: c.Chain, Store: c.Store}
	how, err := c.credentials(id)
	if err != nil {
		return nil, err
	}
	l := line.New(line.Config{URL: how.broker, ClientID: "foyerd-" + c.Chain + "-" + c.Store, Username: how.user,
		Password: how.password, TLS: how.tls, Will: will(place, version), Log: log})
	r := reporter{j, log}
	packs := newPacks(c, l, how, r, log)
	people.down = downlink.New(downlink.Config{Place: place, Journal: j, Pipe: l, Keys: how.keys, Report: r.report, Log: log,
		Vault: kept.vault, OldKeyFile: filepath.Join(c.Data, "members.key"), Guests: people.welcome, Spread: filterSpread,
		Ask:   func(what string, payload []byte) error { return l.Publish(place.Ask(what), false, payload) },
		Apply: map[string]func(wire.Snapshot) error{"members": people.apply, "campaigns": applyCampaigns(people.shop), wire.Packs: applyPacks(packs), wire.Erasures: shreds.told}})
	out := &supply{
		broker: how.broker, line: l, packs: packs, uploads: newUploads(c, l, how), down: people.down,
		up: uplink.New(uplink.Config{Place: place, Journal: j, Pipe: l, Version: version, Budget: int64(c.Headquarters.Budget), Traffic: l.Traffic, Held: l.Held,
			Open: kept.open, Guests: guesting(people.down), Log: log}),
	}
	out.orders = command.New(command.Config{Place: place, Journal: j, Pipe: l, Keys: how.keys, Do: do, Report: r.report, Log: log,
		Skew: func() time.Duration { return out.up.Status().Skew }})
	return out, nil
}

// newUploads are the ways by which results of commands go to headquarters: where packs come from, else through the broker.
func newUploads(c *Config, l *line.Line, how credentials) command.Uploads {
	var all command.Uploads
	if to := cmp.Or(c.Headquarters.Packs.URL, how.files); to != "" {
		all = append(all, content.NewHTTP(content.HTTPConfig{URL: to, User: how.user, Password: how.password, TLS: how.tls}))
	}
	return append(all, command.NewBroker(wire.Place{Chain: c.Chain, Store: c.Store}, l))
}

// guesting is what headquarters is told of questions for members.
func guesting(d *downlink.Downlink) func() *wire.GuestState {
	return func() *wire.GuestState {
		g := d.Guesting()
		if g == (downlink.Guesting{}) {
			return nil
		}
		return &wire.GuestState{Held: uint64(g.Held), Asked: g.Asked, Named: g.Named, Late: g.Late, Refused: g.Refused}
	}
}

func publicKeys(files []string) (map[string]ed25519.PublicKey, error) {
	all := map[string]ed25519.PublicKey{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("read headquarters' public key: %w", err)
		}
		keys, err := wire.ParsePublicKeys(string(text))
		if err != nil {
			return nil, fmt.Errorf("read headquarters' public key %s: %w", file, err)
		}
		maps.Copy(all, keys)
	}
	return all, nil
}

func authorities(file string) (*tls.Config, error) {
	if file == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read the broker's authority: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("read the broker's authority %s: no certificate in it", file)
	}
	return &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}, nil
}

// applyCampaigns puts campaigns in force, or says why they break a rule, with the check that headquarters made too.
func applyCampaigns(s *shop.Shop) func(wire.Snapshot) error {
	return func(snapshot wire.Snapshot) error {
		body, err := snapshot.Campaigns()
		if err != nil {
			return err
		}
		set, err := campaign.Compile(body.Campaigns)
		if err != nil {
			return err
		}
		s.SetCampaigns(set)
		return nil
	}
}

// reporter tells headquarters what became of a snapshot, by the journal like everything else.
type reporter struct {
	journal *journal.Journal
	log     *slog.Logger
}

func (r reporter) report(kind wire.Kind, a wire.Applied) {
	payload, err := wire.EncodeRecord(wire.NewRecord(kind, now(), a))
	if err == nil {
		err = r.journal.Submit(context.Background(), journal.Entry{Lane: wire.LaneOf(kind), Payload: payload})
	}
	if err != nil && !errors.Is(err, journal.ErrStopped) {
		r.log.Error("what became of a snapshot is not recorded", "snapshot", a.Snapshot, "version", a.Version, "err", err)
	}
}

func will(place wire.Place, version string) *line.Message {
	return &line.Message{Topic: place.State(), Retained: true, Payload: offline(version)}
}

// offline is what the broker says for us when we have vanished.
func offline(version string) []byte {
	data, err := wire.EncodeState(wire.State{V: wire.Version, At: now(), Version: version})
	if err != nil {
		panic(err) // a programmer's error: a State always encodes
	}
	return data
}

// tell says that the broker is elsewhere now: a line has one broker for its life.
func (s *supply) tell(broker string, log *slog.Logger) {
	if broker != s.broker {
		log.Warn("headquarters' broker is elsewhere now: restart foyerd", "broker", broker, "was", s.broker)
	}
}
