package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"foyer/api"
	"foyer/api/serve"
	"foyer/reader"
	"foyer/shop"
	"foyer/shop/presence"
	"foyer/sync/badge"
	"foyer/sync/journal"
	"foyer/sync/vault"
)

// ErrHeld is returned when another foyerd holds the journal.
var ErrHeld = journal.ErrLocked

// Options are what a command line may say.
type Options struct {
	ReadyFile string // written once all is up
	Log       *slog.Logger
	Level     *slog.LevelVar // of Log, for headquarters to change; nil: it cannot

	lines gpio // nothing: the kernel's
	tail  *ring
}

// Ready is what the ready file holds.
type Ready struct {
	Socket string `json:"socket"`
	TCP    string `json:"tcp,omitempty"`
	PID    int    `json:"pid"`
}

func now() time.Time { return time.Now() }

// Level is the log level asked for.
func (c *Config) Level() slog.Level {
	var l slog.Level
	l.UnmarshalText([]byte(c.LogLevel)) // checked when it was read
	return l
}

// Run opens the store and runs it until ctx ends, or, with ErrRestart, until headquarters asks for that.
func Run(ctx context.Context, c *Config, o Options) error {
	tail := &ring{}
	o.Log, o.tail = slog.New(slog.NewMultiHandler(o.Log.Handler(), tail)), tail
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return fmt.Errorf("make the data folder: %w", err)
	}
	j, err := openMemory(filepath.Join(c.Data, "journal.db"), o.Log)
	if err != nil {
		return err
	}
	keys, err := c.openVault(o.Log)
	if err != nil {
		return errors.Join(err, j.Close())
	}
	err = runWith(ctx, c, o, j, keys)
	return errors.Join(err, keys.Close(), j.Close())
}

func runWith(ctx context.Context, c *Config, o Options, j *journal.Journal, keys *vault.Vault) error {
	h, err := build(c, j, keys, o)
	if err != nil {
		return err
	}
	defer h.supply.close() // gives a lock back
	tcp, local, err := h.listen()
	if err != nil {
		return err
	}
	return h.run(ctx, tcp, local, func() error { return writeReady(o.ReadyFile, c, tcp) })
}

// house is a store's parts, connected and not yet running.
type house struct {
	config   *Config
	log      *slog.Logger
	journal  *journal.Journal
	safe     *safe
	ledger   *ledger
	shredder *shredder
	shop     *shop.Shop
	state    *state
	server   *serve.Server
	supply   *supply       // nil without headquarters
	identity *badge.Folder // nil without a badge
	books    *librarian
	signals  *signals
	press    *press
	settings *settings
	camera   *camera
	ring     *ring
	again    atomic.Bool // headquarters asked for a restart
	stop     func(error) // ends all of it
}

func build(c *Config, j *journal.Journal, keys *vault.Vault, o Options) (*house, error) {
	log := o.Log
	kept, err := newSafe(keys, j, log)
	if err != nil {
		return nil, err
	}
	h := &house{config: c, log: log, journal: j, safe: kept, ledger: newLedger(kept, log), ring: o.tail}
	hub := serve.NewHub(serve.HubConfig{Store: api.Text(c.Name.text()), Log: log})
	h.camera = &camera{hub: hub}
	if h.settings, err = newSettings(c, o.Level, j); err != nil {
		return nil, err
	}
	past, err := kept.histories()
	if err != nil {
		return nil, err
	}
	changed, err := kept.marks()
	if err != nil {
		return nil, err
	}
	arrived, err := kept.newcomers()
	if err != nil {
		return nil, err
	}
	if h.books, err = newLibrarian(c, j, log); err != nil {
		return nil, err
	}
	if h.signals, err = newSignals(c, o.lines.orKernel(), log, h.show); err != nil {
		return nil, err
	}
	seen, people := &tally{Screens: faces{hub}}, &crowd{log: log}
	h.shop, err = shop.New(shop.Config{StoreID: c.Store, StoreName: c.Name.text(), Zones: h.books.config.zones(), Histories: past, Marks: changed, Newcomers: arrived,
		Times: shop.Times{Wall: c.Screens.WallGreeting, Kiosk: c.Screens.KioskGreeting, Guest: c.Headquarters.AnswerWithin}, Screens: seen, Ledger: h.ledger,
		Elsewhere: people, Presence: kept.inside(), KeepPresence: h.ledger.keepPresence, Noticed: h.signals.noticed, Log: log})
	if err != nil {
		return nil, err
	}
	people.shop = h.shop
	if h.shredder, err = newShredder(kept, people, log); err != nil {
		return nil, err
	}
	h.state = &state{hub: hub, journal: j, ledger: h.ledger, shop: h.shop, seen: seen, version: version(), readers: map[string]func() reader.Health{},
		notes: map[string]string{}, signals: h.signals, aside: journal.Quarantined(j.Path()), soon: make(chan struct{}, 1)}
	if h.press, err = newPress(c, j, hub, h.state.showSoon, log); err != nil {
		return nil, err
	}
	h.state.press = h.press
	if err := h.addReaders(); err != nil {
		return nil, err
	}
	if h.identity, err = c.openIdentity(); err != nil {
		return nil, err
	}
	if c.Headquarters.Broker != "" || h.identity != nil {
		if h.supply, err = newSupply(c, h.identity, h.shredder, people, (&orders{h, log, h.restart}).doers(), version(), log); err != nil {
			return nil, err
		}
		h.shredder.list = h.supply.down
		h.state.uplink, h.state.line, h.state.down, h.state.online, h.state.orders = h.supply.up, h.supply.line, h.supply.down, h.supply.line.Online, h.supply.orders
	}
	h.wireSettings()
	tokens, err := c.tokens()
	if err != nil {
		return nil, err
	}
	h.server, err = serve.New(serve.Config{Hub: hub, Desk: desk{h.shop}, Cards: newCards(h.shop), Printers: h.press, Guests: guests{h.shop}, Tokens: tokens, Health: h.state.healthy,
		Readers: h.state.readerHealth, Metrics: h.state.metrics, Settings: h.settings.list, Pictures: h.camera, Embed: c.Listen.Embed, Log: log})
	return h, err
}

// wireSettings connects what headquarters may set with where it takes effect, and lets what it has set before take effect.
func (h *house) wireSettings() {
	s := h.settings
	s.greet, s.speak = h.shop.SetTimes, h.state.speak
	if h.supply != nil {
		s.budget = h.supply.up.SetBudget
		if h.supply.packs != nil {
			s.pace = h.supply.packs.SetPace
		}
	}
	s.adopt(s.Now())
}

// restart ends the house so that Run returns ErrRestart.
func (h *house) restart() {
	h.again.Store(true)
	h.stop(nil)
}

func (h *house) addReaders() error {
	h.books.shop, h.books.tell = h.shop, h.state.note
	for _, r := range h.books.config.Readers {
		one, err := newPost(reader.Config{Name: r.Name, Profile: r.profile, Port: r.Port, Secret: h.config.secret, Log: h.log})
		if err != nil {
			return fmt.Errorf("reader %s: %w", r.Name, err)
		}
		h.books.posts[r.Name] = one
		h.state.order = append(h.state.order, r.Name)
		h.state.readers[r.Name] = one.Health
	}
	return nil
}

func (h *house) listen() (tcp, local net.Listener, err error) {
	if local, err = serve.ListenUnix(h.config.Listen.Socket, 0o600); err != nil {
		return nil, nil, err
	}
	if h.config.Listen.TCP == "" {
		return nil, local, nil
	}
	if tcp, err = net.Listen("tcp", h.config.Listen.TCP); err != nil {
		local.Close()
		return nil, nil, fmt.Errorf("listen for the reception page: %w", err)
	}
	if tcp, err = h.config.secure(tcp, h.identity); err != nil {
		local.Close()
		return nil, nil, err
	}
	return tcp, local, nil
}

// run starts everything and ends it in order: what feeds ends before what is fed.
func (h *house) run(ctx context.Context, tcp, local net.Listener, ready func() error) error {
	around, feeders, middle, base := newLevel(ctx), newLevel(ctx), newLevel(context.Background()), newLevel(context.Background())
	stop := context.AfterFunc(ctx, h.ledger.unblock)
	defer stop()
	fail := func(err error) { around.fail(err); feeders.fail(err) }
	h.stop = fail
	base.run("journal", h.journal.Run, fail)
	base.run("ledger", h.ledger.Run, fail)
	if err := h.safe.migrateState(ctx); err != nil && ctx.Err() == nil {
		h.log.Error("what was kept of persons before is not sealed yet; it is tried again at the next start", "err", err)
	}
	if h.supply != nil {
		around.run("downlink", h.supply.down.Run, fail)
		select {
		case <-h.supply.down.Restored():
		case <-around.ctx.Done():
		}
	}
	middle.run("shop", h.shop.Run, fail)
	if h.supply != nil {
		around.run("uplink", h.supply.up.Run, fail)
		around.run("line", h.supply.line.Run, fail)
		around.run("commands", h.supply.orders.Run, fail)
		if h.identity != nil {
			around.run("badge", h.keeper().Run, fail)
		}
		if h.supply.packs != nil {
			around.run("packs", h.supply.packs.Run, fail)
		}
	}
	around.run("shredder", h.shredder.Run, fail)
	for _, p := range h.press.each {
		middle.run("printer", p.spool.Run, fail)
	}
	around.run("state", h.state.Run, fail)
	around.run("doors", func(ctx context.Context) error { return h.server.Run(ctx, tcp, local) }, fail)
	for _, p := range h.books.posts {
		feeders.run("reader", func(ctx context.Context) error { return p.Run(ctx, h.shop.Reads(), h.heard) }, fail)
	}
	around.run("profiles", h.books.Run, fail)
	h.signals.run(func(name string, run func(context.Context) error) { around.run(name, run, fail) })
	if err := ready(); err != nil {
		fail(err)
	}
	err := errors.Join(feeders.wait(), around.wait())
	if err = errors.Join(err, middle.end(), base.end()); err == nil && h.again.Load() {
		return ErrRestart
	}
	return err
}

// heard tells the shop and the faces how a reader does.
func (h *house) heard(health reader.Health) {
	h.shop.ReaderOnline(health.Reader, health.Online, health.Why, health.At)
	h.show()
}

// show lets the faces see how everything does.
func (h *house) show() { h.state.show() }

// level is a set of parts that end together.
type level struct {
	ctx  context.Context
	stop context.CancelCauseFunc
	all  sync.WaitGroup

	mu  sync.Mutex
	err error
}

// newLevel makes a level that ends with ctx or when it is told to.
func newLevel(ctx context.Context) *level {
	l := &level{}
	l.ctx, l.stop = context.WithCancelCause(ctx)
	return l
}

func (l *level) run(name string, run func(context.Context) error, fail func(error)) {
	l.all.Go(func() {
		if err := run(l.ctx); err != nil {
			err = fmt.Errorf("%s: %w", name, err)
			l.mu.Lock()
			l.err = errors.Join(l.err, err)
			l.mu.Unlock()
			fail(err)
		}
	})
}

func (l *level) fail(err error) { l.stop(err) }

// wait waits until the level has ended by itself or by its context.
func (l *level) wait() error {
	<-l.ctx.Done()
	l.all.Wait()
	return l.err
}

// end ends the level.
func (l *level) end() error {
	l.stop(nil)
	return l.wait()
}

func (c *Config) zones() []shop.Zone {
	var out []shop.Zone
	for _, z := range c.Zones {
		out = append(out, shop.Zone{Name: z.Name.text(), Zone: presence.Zone{ID: z.ID, Role: presence.Role(z.Role), Readers: z.Readers,
			Antennas: z.Antennas, Group: z.Group, Report: c.report(z), Tap: z.Tap, MinReads: z.MinReads, Window: z.Window, Dwell: z.Dwell,
			Average: z.Average, Enter: dBm(z.Enter), Leave: dBm(z.Leave), Grace: z.Grace, HoldOff: z.HoldOff, Resistance: dBm(z.Resistance)}})
	}
	return out
}

// report is what a zone's readers tell while a tag stays. Where they differ, the zone is as patient as the one that says
// least needs.
func (c *Config) report(z Zone) presence.Report {
	kinds := map[presence.Report]bool{}
	for _, r := range c.Readers {
		if r.profile != nil && slices.Contains(z.Readers, r.Name) {
			kinds[presence.Report(r.profile.Report)] = true
		}
	}
	for _, k := range []presence.Report{presence.Once, presence.Polled} {
		if kinds[k] {
			return k
		}
	}
	return presence.Continuous
}

func (c *Config) tokens() ([]serve.Token, error) {
	var out []serve.Token
	for role, file := range map[serve.Role]string{serve.ForReception: c.Listen.ReceptionTokenFile, serve.ForScreen: c.Listen.ScreenTokenFile,
		serve.ForMetrics: c.Listen.MetricsTokenFile} {
		if file == "" {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("read the %s token: %w", role, err)
		}
		out = append(out, serve.Token{Role: role, Secret: strings.TrimSpace(string(text))})
	}
	return out, nil
}

// writeReady puts the file there whole or not at all.
func writeReady(path string, c *Config, tcp net.Listener) error {
	if path == "" {
		return nil
	}
	r := Ready{Socket: c.Listen.Socket, PID: os.Getpid()}
	if tcp != nil {
		r.TCP = tcp.Addr().String()
	}
	data, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if err := os.WriteFile(path+".new", data, 0o600); err != nil {
		return fmt.Errorf("write the ready file: %w", err)
	}
	return os.Rename(path+".new", path)
}

// version is the module's version, or the commit it was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return s.Value[:12]
		}
	}
	return info.Main.Version
}
