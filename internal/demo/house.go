package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"foyer/api"
	"foyer/internal/screen"
	"foyer/reader/tag"
)

// Config says how the house is built. Zero fields have the defaults named.
type Config struct {
	Bin      string        // folder of foyerd, foyer-hq, foyer-kiosk
	Dir      string        // folder of all data; kept between runs
	Page     string        // address of the control page; default 127.0.0.1:0
	Lang     string        // what the screens speak first; default zh-CN
	Broker   *Broker       // an outside broker; nil: the one inside foyer-hq
	Blind    bool          // no screens
	Greeting time.Duration // how long the screens speak to one person; 0: the product's default
	Window   bool          // windows on $DISPLAY in place of displays of their own
	Log      *slog.Logger  // default: nothing
}

// Broker is an MQTT broker that somebody else runs.
type Broker struct {
	URL                string // tcp://host:port
	HQUser, HQPassword string // for headquarters
	StorePassword      string // for the store, whose user name is its own
}

// StoreName is the demo's store on the wire, of the chain "demo".
const StoreName, chainName = "demo-store", "demo"

// House is a running chain of one store.
type House struct {
	cfg        Config
	wire       *Wire
	hq, store  *Process
	screens    []*Process
	tap, door  *played
	glass      map[string]*glass
	displays   []*screen.Xvfb
	doors      [3]string      // reception, console and broker: the same after a program was killed, as in a real house
	pages      []net.Listener // control page, reception's frame, console's frame
	tagsAway   sync.WaitGroup
	ctx        context.Context // of Run: what buttons start ends with it
	hqReady    string          // paths of ready files
	storeReady string
}

// Start builds the house and waits until all of it is up. Run must follow; ctx ends everything.
func Start(ctx context.Context, cfg Config) (*House, error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Page == "" {
		cfg.Page = "127.0.0.1:0"
	}
	if cfg.Lang == "" {
		cfg.Lang = "zh-CN"
	}
	var err error
	if cfg.Dir, err = filepath.Abs(cfg.Dir); err != nil {
		return nil, err
	}
	h := &House{cfg: cfg, ctx: ctx, glass: map[string]*glass{},
		hqReady: filepath.Join(cfg.Dir, "hq.ready"), storeReady: filepath.Join(cfg.Dir, "store.ready")}
	return h, h.prepare()
}

// path is a file or folder of the house.
func (h *House) path(parts ...string) string {
	return filepath.Join(append([]string{h.cfg.Dir}, parts...)...)
}

func (h *House) bin(name string) string { return filepath.Join(h.cfg.Bin, name) }

// prepare makes what must be there before the first program starts.
func (h *House) prepare() error {
	for _, dir := range []string{h.cfg.Dir, h.path("hq"), h.path("store")} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("make the demo's folder: %w", err)
		}
	}
	for _, stale := range []string{h.hqReady, h.storeReady} {
		os.Remove(stale) // of a run that was killed
	}
	if err := h.keep("tag.key", tag.NewSecret); err != nil {
		return err
	}
	for _, name := range []string{"reception.token", "screen.token"} {
		if err := h.keep(name, token); err != nil {
			return err
		}
	}
	if err := h.chooseDoors(); err != nil {
		return err
	}
	wire, err := NewWire(h.brokerAddr)
	if err != nil {
		return err
	}
	h.wire = wire
	if h.tap, err = newTap(h.path("tap"), h.cfg.Log); err != nil {
		return err
	}
	if h.door, err = newDoor(h.path("door"), h.cfg.Log); err != nil {
		return err
	}
	for _, addr := range []string{h.cfg.Page, "127.0.0.1:0", "127.0.0.1:0"} {
		ln, err := net.Listen("tcp", addr)
		if err != nil {
			return fmt.Errorf("open the demo's page: %w", err)
		}
		h.pages = append(h.pages, ln)
	}
	return nil
}

// chooseDoors finds free ports. Nobody else is told of them, so that they are free still when the programs open them.
func (h *House) chooseDoors() error {
	for i := range h.doors {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return fmt.Errorf("find a free port: %w", err)
		}
		defer ln.Close()
		h.doors[i] = ln.Addr().String()
	}
	return nil
}

// keep makes a secret file once and leaves it as it is afterwards.
func (h *House) keep(name string, make func() string) error {
	f, err := os.OpenFile(h.path(name), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, os.ErrExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("make %s: %w", name, err)
	}
	_, err = io.WriteString(f, make())
	return errors.Join(err, f.Close())
}

// Run keeps the house until ctx ends, then ends every program of it. ready is called once all is up.
func (h *House) Run(ready func()) error {
	ctx, stop := context.WithCancelCause(h.ctx)
	defer stop(nil)
	var all sync.WaitGroup
	keep := func(what string, run func(context.Context) error) {
		all.Go(func() {
			if err := run(ctx); err != nil && ctx.Err() == nil {
				stop(fmt.Errorf("%s: %w", what, err))
			}
		})
	}
	keep("wire", h.wire.Run)
	keep("tap reader", h.tap.run)
	keep("door reader", h.door.run)
	err := h.up(ctx, keep)
	if err == nil {
		ready()
		<-ctx.Done()
		if err = context.Cause(ctx); errors.Is(err, context.Canceled) {
			err = nil
		}
	}
	stop(nil)
	all.Wait()
	h.tagsAway.Wait()
	h.close()
	return err
}

// up starts one program after the other, each when what it needs is there.
func (h *House) up(ctx context.Context, keep func(string, func(context.Context) error)) error {
	h.hq = h.headquarters()
	keep("foyer-hq", h.hq.Run)
	if err := h.waitFor(ctx, "headquarters", func() error { _, err := h.hqInfo(); return err }); err != nil {
		return err
	}
	if err := h.enrol(ctx); err != nil {
		return err
	}
	h.store = h.daemon()
	keep("foyerd", h.store.Run)
	if err := h.waitFor(ctx, "the store", func() error { _, err := h.storeInfo(); return err }); err != nil {
		return err
	}
	if !h.cfg.Blind {
		if err := h.screensUp(ctx, keep); err != nil {
			return err
		}
	}
	h.serve(keep)
	return h.waitFor(ctx, "the first snapshot from headquarters", h.supplied)
}

// waitFor asks until the answer is yes. A program that is not up in half a minute will not come.
func (h *House) waitFor(ctx context.Context, what string, ask func() error) error {
	ctx, stop := context.WithTimeout(ctx, 30*time.Second)
	defer stop()
	for {
		err := ask()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for %s: %w (its log is in %s)", what, err, h.cfg.Dir)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (h *House) close() {
	for _, g := range h.glass {
		g.close()
	}
	for _, d := range h.displays {
		d.Close()
	}
	for _, ln := range h.pages {
		ln.Close()
	}
	h.tap.pty.Close()
	h.door.pty.Close()
}

// serve opens the control page and the two frames.
func (h *House) serve(keep func(string, func(context.Context) error)) {
	origin := h.origin()
	handlers := []http.Handler{
		h.page(),
		frame(func() (string, string) { info, _ := h.storeInfo(); return info.TCP, h.read("reception.token") }, origin),
		frame(func() (string, string) { info, _ := h.hqInfo(); return info.Console, readFile(info.AdminTokenFile) }, origin),
	}
	for i, handler := range handlers {
		srv := &http.Server{Handler: handler, ReadHeaderTimeout: timeout}
		keep("page", func(ctx context.Context) error {
			stop := context.AfterFunc(ctx, func() { srv.Close() })
			defer stop()
			if err := srv.Serve(h.pages[i]); !errors.Is(err, http.ErrServerClosed) {
				return err
			}
			return nil
		})
	}
}

// PageURL is the control page.
func (h *House) PageURL() string { return h.origin() + "/" }

// Display is where a screen (kiosk, wall) can be looked at; empty when it has no display of its own.
func (h *House) Display(name string) string {
	if g, ok := h.glass[name]; ok && g.title == "" {
		return g.display
	}
	return ""
}

// TapWire is the card reader's end of its serial line: what is written there, foyerd reads.
func (h *House) TapWire() io.Writer { return h.tap.pty }

// ReceptionLogin is the address that opens the product's own reception page, without the demo between.
func (h *House) ReceptionLogin() string {
	info, _ := h.storeInfo()
	return "http://" + info.TCP + "/login?token=" + h.read("reception.token")
}

// ConsoleLogin is the address that opens the console, without the demo between.
func (h *House) ConsoleLogin() string {
	info, _ := h.hqInfo()
	return h.ConsolePage("/login?token=" + readFile(info.AdminTokenFile))
}

// ConsolePage is a page of the console, for who has come in already.
func (h *House) ConsolePage(page string) string {
	info, _ := h.hqInfo()
	return "http://" + info.Console + page
}

func (h *House) receptionURL() string { return "http://" + h.pages[1].Addr().String() + "/reception/" }

func (h *House) consoleURL() string { return "http://" + h.pages[2].Addr().String() + "/" }

func (h *House) origin() string { return "http://" + h.pages[0].Addr().String() }

// Status is what the store says of itself; the zero Status while it is down.
func (h *House) Status() api.Status {
	s, err := h.Snapshot(api.Wall)
	if err != nil {
		return api.Status{}
	}
	return s.Status
}

// Snapshot is what a face of the store shows.
func (h *House) Snapshot(face api.Face) (api.Snapshot, error) {
	ctx, stop := context.WithTimeout(h.ctx, timeout)
	defer stop()
	c, err := api.NewClient("unix://"+h.path("store", "foyerd.sock"), "")
	if err != nil {
		return api.Snapshot{}, err
	}
	return c.Snapshot(ctx, face)
}

// hqInfo is what foyer-hq writes when it is up.
type hqInfo struct {
	Console        string `json:"console"`
	MQTT           string `json:"mqtt"`
	AdminTokenFile string `json:"admin_token_file"`
	PublicKeyFile  string `json:"public_key_file"`
}

func (h *House) hqInfo() (hqInfo, error) { return readJSON[hqInfo](h.hqReady) }

// storeInfo is what foyerd writes when it is up.
type storeInfo struct {
	TCP string `json:"tcp"`
}

func (h *House) storeInfo() (storeInfo, error) { return readJSON[storeInfo](h.storeReady) }

func readJSON[T any](path string) (T, error) {
	var v T
	data, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(data, &v)
	}
	return v, err
}
