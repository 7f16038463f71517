package daemon

import (
	"sync/atomic"
	"time"

	"foyer/internal/prom"
	"foyer/reader"
	"foyer/shop"
)

// tally counts what the shop shows, on its way to the faces. It looks at kinds and numbers alone, never at a person.
type tally struct {
	shop.Screens

	wall, kiosk, strangers atomic.Uint64
}

// Show implements shop.Screens.
func (t *tally) Show(e shop.Event) {
	switch e := e.(type) {
	case shop.Greeted:
		if e.Face == shop.Wall {
			t.wall.Add(1)
		} else {
			t.kiosk.Add(1)
		}
	case shop.StrangersCounted:
		t.strangers.Add(uint64(max(e.Count, 0)))
	}
	t.Screens.Show(e)
}

// metrics writes the page for Prometheus. It holds names of readers, numbers and times of the shop as a whole: nothing
// that tells of one person, and no tag.
func (s *state) metrics(p *prom.Page) {
	readerMetrics(p, s.healths())
	s.shopMetrics(p)
	s.journalMetrics(p)
	s.lineMetrics(p)
	p.Process("foyerd", s.version)
}

// perReader is one number that every reader has.
type perReader struct {
	name, help string
	value      func(reader.Counts) uint64
}

var readerCounters = []perReader{
	{"foyer_reader_frames_total", "Whole frames understood, also those without a tag.", func(c reader.Counts) uint64 { return c.Frames }},
	{"foyer_reader_noise_bytes_total", "Bytes that belong to no frame.", func(c reader.Counts) uint64 { return c.Noise }},
	{"foyer_reader_resyncs_total", "Good frames right after noise or a bad frame.", func(c reader.Counts) uint64 { return c.Resyncs }},
	{"foyer_reader_reads_total", "Tags heard.", func(c reader.Counts) uint64 { return c.Reads }},
	{"foyer_reader_dropped_reads_total", "Tags heard and lost because nobody took them.", func(c reader.Counts) uint64 { return c.Dropped }},
	{"foyer_reader_reopenings_total", "Times the line was opened again.", func(c reader.Counts) uint64 { return c.Reopened() }},
	{"foyer_reader_errors_total", "Complaints of the reader itself.", func(c reader.Counts) uint64 { return c.Errors }},
}

func readerMetrics(p *prom.Page, all []reader.Health) {
	name := func(h reader.Health) prom.Label { return prom.Label{Name: "reader", Value: h.Reader} }
	p.Gauge("foyer_reader_online", "1 while the reader is heard.")
	for _, h := range all {
		p.Flag(h.Online, name(h))
	}
	for _, m := range readerCounters {
		p.Counter(m.name, m.help)
		for _, h := range all {
			p.Value(float64(m.value(h.Counts)), name(h))
		}
	}
	p.Counter("foyer_reader_bad_frames_total", "Frames refused, by kind.")
	for _, h := range all {
		for f, n := range h.Counts.Bad {
			p.Value(float64(n), name(h), prom.Label{Name: "kind", Value: reader.Fault(f).String()})
		}
	}
	p.Gauge("foyer_reader_last_read_timestamp_seconds", "When a tag was last heard; missing while none was.")
	for _, h := range all {
		p.Time(h.Counts.LastRead.Truncate(time.Second), name(h))
	}
}

func (s *state) shopMetrics(p *prom.Page) {
	p.Gauge("foyer_shop_present_members", "Members in the shop now.")
	p.Value(float64(s.shop.Here()))
	p.Counter("foyer_shop_greetings_total", "Greetings shown, by kind of screen.")
	p.Value(float64(s.seen.wall.Load()), prom.Label{Name: "face", Value: "wall"})
	p.Value(float64(s.seen.kiosk.Load()), prom.Label{Name: "face", Value: "kiosk"})
	p.Counter("foyer_shop_strangers_total", "Unknown tags, counted once a minute.")
	p.Value(float64(s.seen.strangers.Load()))
}

func (s *state) journalMetrics(p *prom.Page) {
	health, memory := s.journal.Health(), s.memory()
	p.Gauge("foyer_journal_last_sequence", "Number of the newest record.")
	p.Value(float64(memory.Last))
	p.Gauge("foyer_journal_acked_sequence", "Number up to which headquarters holds every record.")
	p.Value(float64(memory.Acked))
	p.Gauge("foyer_journal_owed_facts", "Facts held in memory because the disk refuses them.")
	p.Value(float64(s.ledger.Owed()))
	p.Gauge("foyer_journal_used_bytes", "Bytes in use.")
	p.Value(float64(health.Used))
	p.Gauge("foyer_journal_max_bytes", "Bytes at which records are refused.")
	p.Value(float64(health.Max))
	p.Gauge("foyer_journal_healthy", "1 while the last write was good.")
	p.Flag(health.Err == nil)
}

// lineMetrics tells of headquarters; a store on its own has none.
func (s *state) lineMetrics(p *prom.Page) {
	if s.line == nil {
		return
	}
	line, up := s.line.Status(), s.uplink.Status()
	p.Gauge("foyer_line_online", "1 while the line to headquarters is up.")
	p.Flag(line.Online)
	p.Counter("foyer_line_connects_total", "Times the line came up.")
	p.Value(float64(line.Connects))
	p.Counter("foyer_uplink_batches_total", "Batches sent, repeated ones included.")
	p.Value(float64(up.SentBatches))
	p.Counter("foyer_commands_total", "Headquarters' commands, by what became of them.")
	c := s.orders.Counts()
	for _, one := range []struct {
		outcome string
		n       uint64
	}{{"done", c.Done}, {"refused", c.Refused}, {"failed", c.Failed}, {"expired", c.Expired}, {"repeated", c.Repeated}, {"unbelieved", c.Unbelieved}} {
		p.Value(float64(one.n), prom.Label{Name: "outcome", Value: one.outcome})
	}
	p.Gauge("foyer_uplink_last_ack_timestamp_seconds", "When headquarters last answered; missing while it never did.")
	p.Time(up.LastAck)
	p.Gauge("foyer_uplink_clock_skew_seconds", "The store's clock minus headquarters'.")
	p.Value(up.Skew.Seconds())
	s.guestMetrics(p)
}

// guestMetrics tells of members whom the store does not have at hand.
func (s *state) guestMetrics(p *prom.Page) {
	g := s.down.Guesting()
	p.Counter("foyer_filter_lookups_total", "Times a tag that nobody at hand has was looked up in the filter of known tags.")
	p.Value(float64(g.Looked))
	p.Counter("foyer_filter_hits_total", "Times the filter had it.")
	p.Value(float64(g.Hits))
	p.Gauge("foyer_filter_version", "Version of the filter in force; 0: none, and nobody is asked for.")
	p.Value(float64(g.Known))
	p.Gauge("foyer_filter_tags", "Tags in the filter.")
	p.Value(float64(g.Tags))
	p.Counter("foyer_filter_fetched_bytes_total", "Bytes of filters fetched.")
	p.Value(float64(g.KnownLen))
	p.Counter("foyer_questions_total", "Questions to headquarters whose a tag is.")
	p.Value(float64(g.Asked))
	p.Counter("foyer_answers_total", "Its answers, by what they say; refused ones are forged or answer no question.")
	for _, kind := range []struct {
		says string
		n    uint64
	}{{"member", g.Named}, {"nobody", g.Nobody}, {"refused", g.Refused}} {
		p.Value(float64(kind.n), prom.Label{Name: "says", Value: kind.says})
	}
	p.Counter("foyer_answers_late_total", "Questions not answered within half a second.")
	p.Value(float64(g.Late))
	p.Gauge("foyer_guests", "Members held whom answers told of.")
	p.Value(float64(g.Held))
}
