package serve

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"foyer/api"
	"foyer/internal/prom"
	"foyer/internal/words"
)

// Desk is whoever decides about cards and hears about the kiosk's use. Its errors reach the person who asked when they
// are, or wrap, an *api.Problem (api.NewProblem with CodeTaken, CodeOver, CodeNotYours, CodeNotFound, CodeInvalid,
// CodeBusy); any other error is logged and answered as CodeInternal.
type Desk interface {
	Claim(ctx context.Context, visit, by string) error
	Release(ctx context.Context, visit, by string) error
	Serve(ctx context.Context, visit, by string) error
	KioskUsed(ctx context.Context, s api.Session) error
	DemoTried(ctx context.Context, t api.Tried) error
}

// Pictures takes pictures of screens. False: nobody waits for one of this order.
type Pictures interface {
	Take(face api.Face, order string, png []byte) bool
}

// Config is what a Server is made from. Hub and Desk are needed.
type Config struct {
	Hub        *Hub
	Desk       Desk
	Cards      Cards                       // none: nothing can be asked of members' cards
	Printers   Printers                    // none: nothing can be printed
	Guests     Guests                      // none: nobody can sign up or call at the kiosk
	Tokens     []Token                     // for TCP; none means that TCP lets nobody in
	Health     func(context.Context) error // for /healthz: nil is well, an error is shown; default: always well
	Readers    func() []api.ReaderHealth   // for GET /v1/reception/readers; default: none
	Metrics    func(*prom.Page)            // for GET /metrics, no personal data ever; default: an empty page
	Settings   func() []api.Setting        // for GET /v1/settings; default: none
	Pictures   Pictures                    // takes what screens were asked for; none: nobody asked
	Embed      []string                    // origins ("http://127.0.0.1:8080") whose pages may frame the reception page
	Words      *words.Catalogue            // default: words.Load()
	MaxStreams int                         // event streams at once on each door; default 64
	MaxConns   int                         // connections at once on each door; default 256
	Now        func() time.Time            // default: time.Now
	Log        *slog.Logger                // default: none
}

// Server answers on both doors. As an http.Handler it is the guarded one.
type Server struct {
	hub      *Hub
	desk     Desk
	cards    Cards
	printers Printers
	guests   Guests
	guard    *guard
	health   func(context.Context) error

	readerHealth func() []api.ReaderHealth
	settings     func() []api.Setting
	pictures     Pictures
	writeMetrics func(*prom.Page)

	page     *page
	maxConns int
	log      *slog.Logger
	guarded  http.Handler
	trusted  http.Handler
}

// New prepares a server. All faults of the configuration are told at once.
func New(c Config) (*Server, error) {
	s := &Server{hub: c.Hub, desk: c.Desk, cards: c.Cards, printers: c.Printers, guests: c.Guests, health: c.Health, readerHealth: c.Readers, writeMetrics: c.Metrics, settings: c.Settings, pictures: c.Pictures,
		maxConns: orDefault(c.MaxConns, 256), log: c.Log}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Words == nil {
		c.Words = words.Load()
	}
	if s.health == nil {
		s.health = func(context.Context) error { return nil }
	}
	if s.readerHealth == nil {
		s.readerHealth = func() []api.ReaderHealth { return nil }
	}
	if s.settings == nil {
		s.settings = func() []api.Setting { return nil }
	}
	if s.writeMetrics == nil {
		s.writeMetrics = func(*prom.Page) {}
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	var faults []error
	if s.hub == nil || s.desk == nil {
		faults = append(faults, errors.New("a server needs a hub and a desk"))
	}
	var err error
	if s.guard, err = newGuard(c.Tokens, c.Now); err != nil {
		faults = append(faults, err)
	}
	if s.page, err = newPage(c.Words, c.Embed); err != nil {
		faults = append(faults, err)
	}
	if err := errors.Join(faults...); err != nil {
		return nil, fmt.Errorf("prepare the store's server: %w", err)
	}
	streams := orDefault(c.MaxStreams, 64)
	s.guarded = s.door(s.guard.identify, newGate(streams))
	s.trusted = s.door(func(*http.Request) (roles, *api.Problem) { return everything, nil }, newGate(streams))
	return s, nil
}

func orDefault(n, otherwise int) int {
	if n <= 0 {
		return otherwise
	}
	return n
}

// ServeHTTP is the guarded door: every face needs a token or a cookie.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.guarded.ServeHTTP(w, r) }

// Local is the door without tokens, for the unix socket whose file mode is the guard.
func (s *Server) Local() http.Handler { return s.trusted }
