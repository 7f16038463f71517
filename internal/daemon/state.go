package daemon

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"time"

	"foyer/api"
	"foyer/api/serve"
	"foyer/internal/words"
	"foyer/reader"
	"foyer/shop"
	"foyer/sync/command"
	"foyer/sync/downlink"
	"foyer/sync/journal"
	"foyer/sync/line"
	"foyer/sync/uplink"
	"foyer/sync/wire"
)

// statePause is how often numbers that change all the time are told to the faces.
const statePause = 2 * time.Second

// A clock that is further off than this is a fault; what is shown of it changes in steps.
const (
	maxSkew  = 2 * time.Minute
	skewStep = 100 * time.Millisecond
)

// state gathers the health of the parts and shows it on the hub.
type state struct {
	hub     *serve.Hub
	journal *journal.Journal
	ledger  *ledger
	shop    *shop.Shop
	seen    *tally
	version string
	uplink  *uplink.Uplink // nil without headquarters
	orders  *command.Desk  // likewise
	line    *line.Line     // likewise
	down    *downlink.Downlink
	online  func() (bool, time.Time)
	signals *signals
	press   *press
	soon    chan struct{} // capacity 1: something has changed that is shown at once

	mu      sync.Mutex
	order   []string
	aside   []string        // damaged journals that nobody has salvaged yet
	given   journal.Thinned // what headquarters was told of
	readers map[string]func() reader.Health
	notes   map[string]string // by reader: what is wrong with its new profile
	tongue  string            // of screens while nobody in particular is there
}

// Run shows the state until ctx ends. Readers' changes are shown at once by show.
func (s *state) Run(ctx context.Context) error {
	tick := time.NewTicker(statePause)
	defer tick.Stop()
	for {
		s.show()
		s.tellGivenUp(s.journal.Health())
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-s.soon:
		}
	}
}

// showSoon has the state shown by Run: whoever calls may hold what is to be shown.
func (s *state) showSoon() {
	select {
	case s.soon <- struct{}{}:
	default:
	}
}

func (s *state) show() { s.hub.Status(s.now()) }

func (s *state) now() api.Status {
	status := api.Status{Journal: s.memory()}
	if s.online != nil {
		status.HQ.Online, status.HQ.Since = s.online()
	}
	status.Outputs, status.Doors = s.signals.status(now())
	status.Printers = s.press.status()
	s.mu.Lock()
	defer s.mu.Unlock()
	status.Language = s.tongue
	for _, name := range s.order {
		h := s.readers[name]()
		r := api.Reader{Name: name, Online: h.Online, LastRead: h.Counts.LastRead.Truncate(time.Second)}
		if !h.Online {
			r.Problem = said("reader.why." + h.Why)
		}
		if fault := s.notes[name]; fault != "" {
			r.Notice = said("reader.notice.profile", "fault", fault)
		}
		status.Readers = append(status.Readers, r)
	}
	return status
}

// speak says which language the screens have while nobody in particular is there.
func (s *state) speak(language string) {
	s.mu.Lock()
	s.tongue = language
	s.mu.Unlock()
	s.show()
}

func (s *state) memory() api.Journal {
	var j api.Journal
	if s.uplink != nil {
		j = s.way(s.uplink.Status())
	} else {
		for _, lane := range wire.Lanes {
			j.Last += s.journal.Last(lane)
		}
	}
	h := s.journal.Health()
	switch {
	case errors.Is(h.Err, journal.ErrFull), errors.Is(h.Err, journal.ErrNoSpace):
		j.Problem = said("memory.full")
	case errors.Is(h.Err, journal.ErrReadOnly):
		j.Problem = said("memory.readonly")
	case h.Err != nil, s.ledger.Owed() > 0:
		j.Problem = said("memory.trouble")
	case len(s.aside) > 0:
		j.Problem = said("memory.replaced", "file", s.aside[0])
	case h.DiskFull, h.Thinning:
		j.Problem = said("memory.thinning", "visits", strconv.FormatUint(h.Thinned[journal.Visit], 10),
			"statistics", strconv.FormatUint(h.Thinned[journal.Statistic], 10))
	}
	return j
}

// way is how what waits for headquarters stands.
func (s *state) way(u uplink.Status) api.Journal {
	j := api.Journal{Last: u.Last, Acked: u.Acked, Oldest: u.Oldest().Truncate(time.Second), LastAck: u.LastAck.Truncate(time.Second), Lost: u.Lost(), Spent: u.Spent, Budget: u.Budget}
	if u.Measured {
		j.SkewMS = new(u.Skew.Round(skewStep).Milliseconds())
	}
	for _, l := range u.Lanes {
		j.Lanes = append(j.Lanes, api.Lane{Lane: l.Lane, Last: l.Last, Acked: l.Acked, Oldest: l.Oldest.Truncate(time.Second), Waits: l.Waits})
	}
	switch {
	case u.Lost() > 0:
		j.Problem = said("memory.lost")
	case u.Measured && u.Skew.Abs() > maxSkew:
		j.Problem = said("memory.clock")
	}
	return j
}

// healthy is what /healthz asks: nil, or what a person must look at.
func (s *state) healthy(context.Context) error {
	if err := s.journal.Health().Err; err != nil {
		return err
	}
	return nil
}

// note keeps what is wrong with a reader's new profile, "" if nothing is, and shows it.
func (s *state) note(reader, fault string) {
	s.mu.Lock()
	s.notes[reader] = fault
	s.mu.Unlock()
	s.show()
}

// said is a text in every language. pairs fill its marks.
func said(key string, pairs ...string) api.Text {
	c := words.Load()
	text := api.Text{}
	for _, lang := range c.Languages() {
		text[lang] = c.Text(lang, key, pairs...)
	}
	return text
}
