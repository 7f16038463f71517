// Package shop is the one goroutine that owns a store's live state: who is where, whose visit it is, what was said, and
// which card lies at reception.
//
// In: tag reads, readers' health, the members and campaigns in force, what staff do with the cards, finished uses of the
// kiosk. Out: an Event for every change that a screen shows, to Screens; a Fact for everything that happened, to Ledger.
// It never touches a disk, a network or a screen itself, and knows nothing of a tag but its keyed hash.
// Called by internal/daemon, which maps Events to the api and Facts to the journal.
//
// What goes first. A greeting is shown before it is recorded: it never waits for a disk. What staff do is recorded before
// it is shown: Claim, Release, Serve and KioskUsed, and Bind, Replace, Block and Unbind for tags, return when the fact is
// durable. Neither stops the loop; only Ledger.Record may, by pushing back when the journal's queue is full.
//
// Channels, and what happens when one is full: reads (1024) drop the oldest, as a tag is read again in 50 ms; reader
// health (64), requests (16) make the caller wait; a change of members or campaigns wakes the loop (1), the latest wins.
//
// Whom the store does not have at hand, and who may be a member, is asked for at headquarters: an arrival waits half a second for
// the answer, and nothing else waits with it.
//
// Tags that no member carries are counted by zone, once a minute, and forgotten. The last one that was shown at a counter or
// a kiosk is kept in memory for half a minute, so that staff can bind it.
package shop

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"foyer/internal/words"
	"foyer/reader/tag"
	"foyer/shop/binding"
	"foyer/shop/campaign"
	"foyer/shop/greeting"
	"foyer/shop/member"
	"foyer/shop/presence"
	"foyer/shop/visit"
)

// Sizes of the channels.
const (
	readQueue    = 1024
	healthQueue  = 64
	requestQueue = 16
)

const (
	tickEvery = 500 * time.Millisecond
	keepEvery = time.Minute // strangers are counted and open visits kept so often
)

// The defaults of Times.
const (
	DefaultWall  = 12 * time.Second
	DefaultKiosk = 20 * time.Second
	DefaultGuest = 500 * time.Millisecond
)

// Text is one text in every language: "zh-CN", "en".
type Text = map[string]string

// Zone is a zone of the shop with the name that staff know it by.
type Zone struct {
	presence.Zone
	Name Text // none: the word for its role
}

// Times are the durations that a shop may set.
type Times struct {
	Gap   time.Duration // out of sight for longer ends a visit; 0 is visit.DefaultGap
	Wall  time.Duration // a greeting stays on the wall so long; 0 is DefaultWall
	Kiosk time.Duration // and at the kiosk; 0 is DefaultKiosk
	Guest time.Duration // an arrival waits so long for headquarters' word on who it is; 0 is DefaultGuest
}

// Screens shows events. Show is called from the shop's goroutine, in order, and must not block.
type Screens interface {
	Show(Event)
}

// Ledger keeps facts, in order. Record may block to push back. done, unless nil, is called once, from any goroutine, when
// the fact is durable or has failed to be; it does not block. Record is called a last time after Run's context has ended.
type Ledger interface {
	Record(f Fact, done func(error))
}

// Config is what New needs.
type Config struct {
	StoreID   string
	StoreName Text // none: the id
	Zones     []Zone
	Histories []visit.History // as they were stored with the facts
	Marks     []binding.Mark  // as they were stored with TagChanged
	Newcomers []Newcomer      // as they were stored with MemberSignedUp and what followed
	Presence  []byte          // what KeepPresence was given last before the program ended
	Times     Times
	Words     *words.Catalogue // nil: words.Load()
	NewID     func() string    // random visit ids; nil: crypto/rand.Text
	Now       func() time.Time // nil: time.Now
	Location  *time.Location   // of the store; nil: time.Local
	Screens   Screens
	Ledger    Ledger
	Elsewhere Elsewhere // nil: whom the store does not have at hand is a stranger
	// KeepPresence, if given, is handed who is in the shop, once a minute and at the end, from the shop's goroutine.
	KeepPresence func([]byte)
	// Noticed, if given, is told of every tag that arrives in a zone, from the shop's goroutine: it must not block.
	Noticed func(Noticed)
	Log     *slog.Logger // nil: nothing is logged
}

// Shop is a running store. All methods but Run may be called from any goroutine, before, while and after it runs.
type Shop struct {
	cfg       Config
	zones     map[string]Zone
	reads     chan tag.Read
	health    chan readerHealth
	requests  chan request
	wake      chan struct{}
	settled   chan struct{}
	stopped   chan struct{}
	members   atomic.Pointer[member.Book]
	campaigns atomic.Pointer[campaign.Set]
	greet     atomic.Pointer[Times]
	dropped   atomic.Uint64
	here      atomic.Int64 // as of the last tick
	outcomes  outcomes
	live
}

// live is what only Run's goroutine touches.
type live struct {
	tracker   *presence.Tracker
	visits    *visit.Book
	desk      desk
	book      *member.Book
	bindings  *binding.Book
	changing  bool // a tag's change is being recorded
	pad       pad
	counters  map[string]string // reader: the zone in which cards are shown to it
	notes     notes
	waiting   map[tag.ID]*waiting
	quiet     bool // who arrives now is not greeted: the name came too late
	newcomers newcomers
	calling   *call
	set       *campaign.Set
	showcase  showcase
	strangers map[string]int
	online    map[string]bool
	rejoined  bool // the tags present before a restart are back in their visits
	unplaced  uint64
	keepAt    time.Time
	now       time.Time // of what is being handled, in the store's zone
}

type readerHealth struct {
	name   string
	online bool
	why    string
	at     time.Time
}

// New returns a shop that has not begun to run. It reports all faults of the zones at once.
func New(c Config) (*Shop, error) {
	c = c.withDefaults()
	var pc presence.Config
	zones := map[string]Zone{}
	for _, z := range c.Zones {
		if z.Name == nil {
			z.Name = everyLanguage(c.Words, "greeting.zone."+string(z.Role))
		}
		zones[z.ID] = z
		pc.Zones = append(pc.Zones, z.Zone)
	}
	tracker, err := presence.New(pc)
	if err != nil {
		return nil, fmt.Errorf("zones of store %s: %w", c.StoreID, err)
	}
	if len(c.Presence) > 0 {
		if err := tracker.Restore(c.Presence, c.Now(), cmp.Or(c.Times.Gap, visit.DefaultGap)); err != nil {
			c.Log.Warn("who was in the shop before the restart is not known", "err", err)
		}
	}
	arrived := map[member.ID]*Newcomer{}
	for _, n := range c.Newcomers {
		arrived[n.Member.ID] = &n
	}
	s := &Shop{
		cfg: c, zones: zones,
		reads:    make(chan tag.Read, readQueue),
		health:   make(chan readerHealth, healthQueue),
		requests: make(chan request, requestQueue),
		wake:     make(chan struct{}, 1),
		settled:  make(chan struct{}, 1),
		stopped:  make(chan struct{}),
		live: live{
			tracker: tracker, desk: desk{cards: map[string]*entry{}}, strangers: map[string]int{}, online: map[string]bool{}, bindings: binding.New(c.Marks),
			counters: counters(c.Zones), notes: notes{}, waiting: map[tag.ID]*waiting{}, newcomers: newcomers{all: arrived},
			visits: visit.New(visit.Config{Gap: c.Times.Gap, NewID: c.NewID, Histories: c.Histories}),
		},
	}
	s.greet.Store(&c.Times)
	return s, nil
}

func (c Config) withDefaults() Config {
	c.Words = cmp.Or(c.Words, words.Load())
	c.Location = cmp.Or(c.Location, time.Local)
	c.Log = cmp.Or(c.Log, slog.New(slog.DiscardHandler))
	c.Times.Wall = cmp.Or(c.Times.Wall, DefaultWall)
	c.Times.Kiosk = cmp.Or(c.Times.Kiosk, DefaultKiosk)
	c.Times.Guest = cmp.Or(c.Times.Guest, DefaultGuest)
	if c.NewID == nil {
		c.NewID = rand.Text
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if len(c.StoreName) == 0 {
		c.StoreName = Text{words.Fallback: c.StoreID}
	}
	return c
}

func everyLanguage(w *words.Catalogue, key string) Text {
	out := Text{}
	for _, lang := range w.Languages() {
		out[lang] = w.Text(lang, key)
	}
	return out
}

// Reads is where readers send to. Who cannot drop the oldest read of a full channel calls Read.
func (s *Shop) Reads() chan<- tag.Read { return s.reads }

// Read takes one sighting and never blocks: when the queue is full, the oldest read goes.
func (s *Shop) Read(r tag.Read) {
	for {
		select {
		case s.reads <- r:
			return
		default:
		}
		select {
		case <-s.reads:
			s.dropped.Add(1)
		default:
		}
	}
}

// Dropped counts the reads that Read let go.
func (s *Shop) Dropped() uint64 { return s.dropped.Load() }

// Here counts the members who are in the shop.
func (s *Shop) Here() int { return int(s.here.Load()) }

// ReaderOnline tells that a reader came or went, and why in plain words.
func (s *Shop) ReaderOnline(name string, online bool, why string, at time.Time) {
	select {
	case s.health <- readerHealth{name, online, why, at}:
	case <-s.stopped:
	}
}

// SetMembers puts a book in force, from the next read on. Visits of members who are no longer in it end.
func (s *Shop) SetMembers(b *member.Book) {
	s.members.Store(b)
	s.nudge(s.wake)
}

// SetCampaigns puts a set in force, from the next read on.
func (s *Shop) SetCampaigns(c *campaign.Set) {
	s.campaigns.Store(c)
	s.nudge(s.wake)
}

func (s *Shop) nudge(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// SetTimes says how long screens greet, from the next greeting on; 0 is the default of each.
func (s *Shop) SetTimes(wall, kiosk time.Duration) {
	s.greet.Store(&Times{Wall: cmp.Or(wall, DefaultWall), Kiosk: cmp.Or(kiosk, DefaultKiosk)})
}

// Run owns the state until the context ends. It is called once.
func (s *Shop) Run(ctx context.Context) error {
	defer close(s.stopped)
	tick := time.NewTicker(tickEvery)
	defer tick.Stop()
	s.at(s.cfg.Now())
	s.keepAt = s.now.Add(keepEvery)
	s.refresh()
	s.overlay()
	s.showNewcomers()
	for {
		select {
		case <-ctx.Done():
			s.at(s.cfg.Now())
			s.keep()
			return nil
		case r := <-s.reads:
			s.at(r.At)
			s.refresh()
			s.tracker.Read(r, s.moved)
			if zone, shown := s.counters[r.Reader]; shown {
				s.lay(r.ID, r.Also, zone)
			}
		case h := <-s.health:
			s.at(h.at)
			s.readerChanged(h)
		case q := <-s.requests:
			s.at(s.cfg.Now())
			s.refresh()
			q.do(s)
		case <-s.settled:
			s.at(s.cfg.Now())
			s.outcomes.each(func(f func()) { f() })
		case <-s.wake:
			s.at(s.cfg.Now())
			s.refresh()
		case <-s.hurry():
			s.at(s.cfg.Now())
			s.giveUp()
		case <-tick.C:
			s.at(s.cfg.Now())
			s.tick()
		}
	}
}

func (s *Shop) at(t time.Time) { s.now = t.In(s.cfg.Location) }

// tick lets time pass for everything that has a deadline.
func (s *Shop) tick() {
	s.refresh()
	s.tracker.Tick(s.now, s.moved)
	s.visits.Tick(s.now, s.visited)
	s.here.Store(int64(s.visits.Here()))
	s.updateShowcase()
	s.clearPad()
	if !s.now.Before(s.keepAt) {
		s.keepAt = s.now.Add(keepEvery)
		s.keep()
		s.settleNewcomers()
		s.desk.forget(s.now)
	}
}

// outcomes carries what happened to recorded facts back to the loop. It is a list and not a channel because the journal's
// goroutine must never wait for a loop that may be waiting for the journal; each item has a caller who waits for it, so
// there are few.
type outcomes struct {
	mu   sync.Mutex
	list []func()
}

func (o *outcomes) add(f func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.list = append(o.list, f)
}

func (o *outcomes) each(do func(func())) {
	o.mu.Lock()
	list := o.list
	o.list = nil
	o.mu.Unlock()
	for _, f := range list {
		do(f)
	}
}

// input is what greeting.Decide needs to know of one visit now.
func (s *Shop) input(v visit.Visit, m *member.Member, zone string, said greeting.Greeted) greeting.Input {
	return greeting.Input{
		Now: s.now, Role: s.zones[zone].Role, Greeted: said, Visit: v, Member: m, History: s.visits.History(v.Member),
		Campaigns: s.set, Store: s.cfg.StoreID, StoreName: s.cfg.StoreName, Words: s.cfg.Words,
	}
}
