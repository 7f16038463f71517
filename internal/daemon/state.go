package daemon

import (
	"context"
	"errors"
	"sync"
	"time"

	"foyer/api"
	"foyer/api/serve"
	"foyer/internal/words"
	"foyer/reader"
	"foyer/sync/journal"
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
	uplink  *uplink.Uplink // nil without headquarters
	online  func() (bool, time.Time)

	mu      sync.Mutex
	order   []string
	readers map[string]func() reader.Health
}

// Run shows the state until ctx ends. Readers' changes are shown at once by show.
func (s *state) Run(ctx context.Context) error {
	tick := time.NewTicker(statePause)
	defer tick.Stop()
	for {
		s.show()
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (s *state) show() { s.hub.Status(s.now()) }

func (s *state) now() api.Status {
	status := api.Status{Journal: s.memory()}
	if s.online != nil {
		status.HQ.Online, status.HQ.Since = s.online()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, name := range s.order {
		h := s.readers[name]()
		r := api.Reader{Name: name, Online: h.Online, LastRead: h.Counts.LastRead.Truncate(time.Second)}
		if !h.Online {
			r.Problem = said("reader.why." + h.Why)
		}
		status.Readers = append(status.Readers, r)
	}
	return status
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
	if err := s.journal.Health().Err; err != nil || s.ledger.Owed() > 0 {
		j.Problem = said("memory.trouble")
		if errors.Is(err, journal.ErrFull) {
			j.Problem = said("memory.full")
		}
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

// said is a text in every language.
func said(key string) api.Text {
	c := words.Load()
	text := api.Text{}
	for _, lang := range c.Languages() {
		text[lang] = c.Text(lang, key)
	}
	return text
}
