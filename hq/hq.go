// Package hq is headquarters without its pages: it stores what stores tell, acknowledges it, and tells stores who the
// members are and what is to be said.
//
// In: payloads of sync/wire from a broker; members as CSV; campaigns as people write them. Out: acknowledgements, signed
// and versioned snapshots, and rows for the pages. Times are UTC; versions and sequences start at 1.
// It never acknowledges what is not committed, never publishes a campaign that a store would refuse (both compile it with
// shop/campaign), never keeps or logs a raw tag number, never logs a name.
// Called by hq/console and cmd/foyer-hq.
//
// Goroutines of Run: the broker's (they call deliver, which waits for the database's one writer), the publisher, which
// lays the newest snapshots of all kinds before every store whenever something changed, one that looks every second
// whether a command in another process revoked a store or switched the signing key, one that sends stores what they are
// asked to do, one that takes who was erased out of the records of before, and one that keeps company with other headquarters at
// the same database.
//
// # Several headquarters
//
// With PostgreSQL and a broker elsewhere several may share the work. Who does what:
//
//	batches, questions      the broker gives each to one of them (a shared subscription). The row of the store and the watermark
//	                        make one transaction of each batch: none twice, none in a gap. A batch that has overtaken another waits
//	                        for it half a second before a gap is told
//	states of stores        each hears all, for its own pages; that all keep the same row does no harm
//	commands                the one that leads sends them; any may be asked for one, and takes the answer
//	snapshots, heads        the one that leads; versions are keys of rows, so two that both think they lead cannot make one twice,
//	                        and stores refuse what is older than what they have. Who begins to lead lays everything again
//	erasures                any takes one; the one that leads clears the records of before, and lays the list
//	shutting out            each notices by itself; the one that leads clears the topics
//	codes, badges, tokens   any: a code is used up in one transaction of the chain, serial numbers are 128 random bits
//	pages, API              any: what changes at one is told to all others
//	imports                 a checked file waits in the memory of the one that checked it: send both steps to the same one
//	files of packs          each from its own folder: share the folder, or copy packs/ before publishing
//	keys                    each from its own folder; one whose keys are not those of the database does not start
//
// The lead is an advisory lock of PostgreSQL (store.Company): it moves within two seconds of a leader's death.
package hq

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"foyer/hq/ca"
	"foyer/hq/packs"
	"foyer/hq/store"
	"foyer/sync/badge"
	"foyer/sync/wire"
)

// Broker carries payloads. hq/broker has two.
type Broker interface {
	// Run carries until ctx ends. deliver returns once a payload's effect is durable; its error means "send it again".
	Run(ctx context.Context, deliver func(topic string, payload []byte) error) error
	// Publish sends without waiting for receivers. A retained payload reaches also who comes later, and survives the line's end.
	Publish(topic string, retain bool, payload []byte) error
	// Online tells whether payloads can pass, and since when that is so.
	Online() (bool, time.Time)
}

// Config is what headquarters needs. Now defaults to time.Now.
type Config struct {
	Dir       string // data folder, made if it is not there
	Chain     string
	TagSecret []byte        // the chain's tag key, 32 bytes: see tag.ParseSecret. Without it members cannot be imported
	Lease     time.Duration // a store out of touch for longer forgets its members; 0: never
	Regulars  Regulars
	Log       *slog.Logger
	Now       func() time.Time
	Database  string // the URL of a PostgreSQL database; empty: see DatabaseAt
	Instance  int    // among those that share the database, each has its own; 0 is 1
}

// HQ is open headquarters.
type HQ struct {
	cfg        Config
	db         *store.DB
	depot      *packs.Depot
	signer     atomic.Pointer[signer]
	adminToken string
	broker     Broker
	kick       chan struct{} // capacity 1: "look what is to be published"
	asked      chan struct{} // capacity 1: another headquarters says so
	sweep      chan struct{} // capacity 1: "take who was erased out of the records"
	hub        hub
	company    *store.Company
	outside    atomic.Bool // the broker is another's, and so may the database be
	together   atomic.Bool // and it shares out what stores send

	mu        sync.Mutex
	shops     map[string]*presence
	offered   map[string]map[string]uint64 // store, kind: version laid before it
	previews  map[string]*Preview
	badges    badges // has its own lock
	head      headOf
	wholes    map[string]time.Time // store: when it was last sent all members
	headed    map[string]time.Time // store: which head was laid before it
	heads     map[string]headOf    // store: the head of its own roster
	questions map[string]*questioner
	census    census
	filter    filterOf
	problem   string         // why snapshots cannot be published
	ready     chan struct{}  // closed when the first look at what is to be published is over
	gaps      map[string]gap // by store and lane
}

// Open opens the data folder, and makes the database, the signing key and the admin token at the first start.
func Open(cfg Config) (*HQ, error) {
	if err := (wire.Place{Chain: cfg.Chain, Store: "x"}).Check(); err != nil {
		return nil, fmt.Errorf("chain %w", err)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	cfg.Regulars = cfg.Regulars.withDefaults()
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	cfg.Instance = max(cfg.Instance, 1)
	dir, err := filepath.Abs(cfg.Dir)
	if err != nil {
		return nil, fmt.Errorf("open data folder: %w", err)
	}
	if cfg.Dir = dir; os.MkdirAll(dir, 0o700) != nil {
		return nil, fmt.Errorf("open data folder %s: it cannot be made; choose another with --data", dir)
	}
	s, err := openSigner(cfg.Dir)
	if err != nil {
		return nil, err
	}
	token, err := secretFile(filepath.Join(cfg.Dir, adminTokenFile), rand.Text)
	if err != nil {
		return nil, fmt.Errorf("admin token: %w", err)
	}
	if len(token) < 16 {
		return nil, fmt.Errorf("admin token %s: want at least 16 characters", filepath.Join(cfg.Dir, adminTokenFile))
	}
	authority, err := ca.Open(cfg.Dir, cfg.Chain, cfg.Now())
	if err != nil {
		return nil, err
	}
	depot, err := OpenDepot(cfg.Dir)
	if err != nil {
		return nil, err
	}
	if cfg.Database == "" {
		if cfg.Database, err = DatabaseAt(cfg.Dir); err != nil {
			return nil, err
		}
	}
	db, err := store.Open(cfg.Database)
	if err != nil {
		return nil, err
	}
	ctx := context.Background()
	pin := badge.Pin(authority.Certificate())
	company, err := db.Join(ctx, cfg.Instance)
	if err == nil {
		err = settle(ctx, db, cfg, s, hex.EncodeToString(pin[:8]))
	}
	if err != nil {
		if company != nil {
			company.Leave()
		}
		return nil, errors.Join(err, db.Close())
	}
	h := &HQ{
		cfg: cfg, db: db, company: company, gaps: map[string]gap{}, depot: depot, adminToken: token, kick: make(chan struct{}, 1), asked: make(chan struct{}, 1), sweep: make(chan struct{}, 1), ready: make(chan struct{}),
		shops: map[string]*presence{}, offered: map[string]map[string]uint64{}, previews: map[string]*Preview{},
		badges: badges{authority: authority},
		wholes: map[string]time.Time{}, headed: map[string]time.Time{}, heads: map[string]headOf{}, questions: map[string]*questioner{},
	}
	h.signer.Store(&s)
	h.hub.tell = func() { company.Tell(store.Changed) }
	return h, nil
}

// Close commits what waits and closes the database. Run must have returned.
func (h *HQ) Close() error {
	h.company.Leave()
	return h.db.Close()
}

// Run serves stores through the broker until ctx ends.
func (h *HQ) Run(ctx context.Context, b Broker) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	h.mu.Lock()
	h.broker = b
	h.mu.Unlock()
	h.meet(b)
	var all sync.WaitGroup
	var publishing error
	all.Go(func() {
		defer cancel()
		publishing = h.publishLoop(ctx)
	})
	all.Go(func() { h.watch(ctx) })
	all.Go(func() { h.commandLoop(ctx) })
	all.Go(func() { h.keepCompany(ctx) })
	all.Go(func() { h.sweepLoop(ctx) })
	err := b.Run(ctx, func(topic string, payload []byte) error { return h.deliver(ctx, topic, payload) })
	cancel()
	all.Wait()
	return errors.Join(err, publishing)
}

// Ready is closed when snapshots have been laid before all stores for the first time.
func (h *HQ) Ready() <-chan struct{} { return h.ready }

// Auth reports whether token is that of the store: what the embedded broker asks.
func (h *HQ) Auth(id, token string) bool {
	ok, err := h.db.CheckToken(context.Background(), id, token)
	if err != nil {
		h.cfg.Log.Error("a store's token could not be checked", "store", id, "err", err)
	}
	return ok && err == nil
}

// DB is headquarters' database, for pages to read.
func (h *HQ) DB() *store.DB { return h.db }

// Chain is the chain's name.
func (h *HQ) Chain() string { return h.cfg.Chain }

// Now is headquarters' clock.
func (h *HQ) Now() time.Time { return h.cfg.Now() }

// AdminToken opens the console.
func (h *HQ) AdminToken() string { return h.adminToken }

// AdminTokenFile is where the admin token is.
func (h *HQ) AdminTokenFile() string { return filepath.Join(h.cfg.Dir, adminTokenFile) }

// PublicKeyFile is where the stores' copy of the signing key is: see wire.ParsePublicKeys.
func (h *HQ) PublicKeyFile() string { return filepath.Join(h.cfg.Dir, publicFile) }

// PublicKey is the key that stores verify snapshots with, and its id.
func (h *HQ) PublicKey() (id string, key ed25519.PublicKey) {
	s := h.signingNow()
	return s.id, s.key.Public().(ed25519.PublicKey)
}

// Watch returns a channel that gets a value after something changed that pages show, and a function to end it.
func (h *HQ) Watch() (<-chan struct{}, func()) { return h.hub.watch() }
