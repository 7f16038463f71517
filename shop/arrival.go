package shop

import (
	"log/slog"
	"time"

	"foyer/reader/tag"
	"foyer/shop/greeting"
	"foyer/shop/member"
	"foyer/shop/presence"
	"foyer/shop/visit"
)

// moved takes what presence says.
func (s *Shop) moved(e presence.Event) {
	switch e := e.(type) {
	case presence.Arrived:
		s.arrived(e)
	case presence.Left:
		s.left(e)
	case presence.Moved:
		s.went(e)
	case presence.Passed:
		s.strangers[e.Zone]++
	}
}

func (s *Shop) arrived(e presence.Arrived) {
	if !s.await(e) {
		s.enter(e)
	}
}

// enter takes an arrival when there is nothing more to be known of the tag.
func (s *Shop) enter(e presence.Arrived) {
	m, ok := s.recognise(e.ID, e.Also, e.Zone)
	if !ok {
		s.strangers[e.Zone]++
		return
	}
	s.visit(m, e)
}

func (s *Shop) visit(m *member.Member, e presence.Arrived) {
	if _, here := s.visits.Of(m.ID); !here && s.zones[e.Zone].Role == presence.Exit {
		return // who is first noticed on the way out is let go
	}
	s.visits.Arrive(m.ID, e.ID, e.Zone, e.At, s.visited)
}

// carrier is whose a tag is, by its id or by the shorter form that may be matched. A blocked or disputed tag is nobody's.
func (s *Shop) carrier(id, also tag.ID) (*member.Member, bool) {
	standing, m := s.bindings.Find(id, also)
	return m, standing == member.Carried
}

// went notes a move. The new zone comes first, so that nobody is out of sight on the way.
func (s *Shop) went(e presence.Moved) {
	if _, ok := s.carrier(e.ID, e.Also); ok {
		s.arrived(presence.Arrived{ID: e.ID, Also: e.Also, Zone: e.To, At: e.At, Nth: e.Nth})
	} else {
		s.stray(e.ID, e.To)
		s.strayed(e)
	}
	s.left(presence.Left{ID: e.ID, Zone: e.From, Seen: e.Seen, At: e.At})
}

// left notes a departure from a zone. A visit goes on until the gap has passed, but who went out by the exit is off the
// screens at once.
func (s *Shop) left(e presence.Left) {
	if s.leaves(e) {
		return
	}
	v, gone := s.visits.Leave(e.ID, e.Zone, e.Seen)
	if gone && s.zones[e.Zone].Role == presence.Exit {
		s.depart(v)
	}
}

// visited takes what the book of visits says.
func (s *Shop) visited(e visit.Event) {
	switch e := e.(type) {
	case visit.Started:
		s.begin(e.Visit)
	case visit.Returned:
		s.again(e.Visit, e.Zone)
	case visit.Ended:
		s.depart(e.Visit)
		s.record(e.Seen, VisitEnded{e.ID, e.Member, e.Zone, e.Nth, e.Seen.Sub(e.Start)}, e.Member)
	}
}

// begin greets: first the screens, then the records.
func (s *Shop) begin(v visit.Visit) {
	m, ok := s.book.ByID(v.Member)
	if !ok {
		return
	}
	d := greeting.Decide(s.input(v, m, v.Zone, greeting.Greeted{}))
	if s.quiet {
		d = s.quietly(v, m)
		d.Wall, d.Kiosk = nil, nil
	}
	s.say(v, v.Zone, d)
	c := s.desk.put(v, m, d.Note, s.zoneName(v.Zone))
	c.kioskDone = d.Kiosk != nil
	s.cfg.Screens.Show(CardChanged{c.Card})
	s.note(v, d)
	s.record(s.now, VisitStarted{v.ID, v.Member, v.Zone, v.Nth}, v.Member)
	s.recordDecision(v, v.Zone, d)
}

// again takes somebody's return into a zone in a visit that goes on: the kiosk greets whoever taps, the wall does not.
func (s *Shop) again(v visit.Visit, zone string) {
	m, ok := s.book.ByID(v.Member)
	if !ok {
		return
	}
	c := s.desk.cards[v.ID]
	if c == nil {
		c = s.restore(v, m) // it was finished, and fell off a full desk
	}
	s.keepSeen(v, keepEvery)
	if c.comeBack() {
		s.cfg.Screens.Show(CardChanged{c.Card})
	}
	if s.zones[zone].Role != presence.Kiosk || s.quiet {
		return
	}
	d := greeting.Decide(s.input(v, m, zone, greeting.Greeted{Wall: true, Kiosk: c.kioskDone}))
	c.kioskDone = true
	s.say(v, zone, d)
	s.note(v, d)
	s.recordDecision(v, zone, d)
}

func (s *Shop) say(v visit.Visit, zone string, d greeting.Decision) {
	if d.Wall != nil {
		s.cfg.Screens.Show(Greeted{Wall, zone, v.ID, s.now, s.now.Add(s.greet.Load().Wall), "", *d.Wall})
	}
	if d.Kiosk != nil {
		s.cfg.Screens.Show(Greeted{Kiosk, zone, v.ID, s.now, s.now.Add(s.greet.Load().Kiosk), s.signupOf(v.Member), *d.Kiosk})
	}
}

// note counts the offer towards its cap, if it was chosen by what we know of the person.
func (s *Shop) note(v visit.Visit, d greeting.Decision) {
	if d.Offer != nil && d.Counts {
		s.visits.Offered(v.Member, d.Offer.ID, s.now)
	}
}

func (s *Shop) recordDecision(v visit.Visit, zone string, d greeting.Decision) {
	body := GreetingDecided{Visit: v.ID, Zone: zone, Named: d.Wall != nil && !d.Wall.Neutral, Reasons: d.Reasons}
	if d.Offer != nil {
		body.Campaign = d.Offer.ID
	}
	s.record(s.now, body, v.Member)
}

// record keeps a fact together with a member's history as it is now.
func (s *Shop) record(at time.Time, b Body, who member.ID) {
	s.cfg.Ledger.Record(Fact{At: at, Body: b, State: s.history(who), Of: who}, nil)
}

// depart takes a visit off the screens and marks its card.
func (s *Shop) depart(v visit.Visit) {
	s.cfg.Screens.Show(Left{v.ID, s.now})
	c := s.desk.cards[v.ID]
	if c == nil || !c.Gone.IsZero() {
		return
	}
	c.goAway(v.Seen)
	s.cfg.Screens.Show(CardChanged{c.Card})
}

func (s *Shop) readerChanged(h readerHealth) {
	s.tracker.ReaderOnline(h.name, h.online, h.at)
	if was, known := s.online[h.name]; known && was == h.online {
		return
	}
	s.online[h.name] = h.online
	s.cfg.Ledger.Record(Fact{At: h.at, Body: ReaderChanged{h.name, h.online, h.why}}, nil)
}

// keep records the strangers since the last time, and how long the open visits have been seen: after a power cut, a
// visit is continued if the person was seen within the gap.
func (s *Shop) keep() {
	total := 0
	for _, z := range s.cfg.Zones {
		if n := s.strangers[z.ID]; n > 0 {
			total += n
			s.cfg.Ledger.Record(Fact{At: s.now, Body: StrangersPassed{z.ID, n}}, nil)
		}
	}
	clear(s.strangers)
	if total > 0 {
		s.cfg.Screens.Show(StrangersCounted{s.now, total})
	}
	for _, v := range s.visits.Open() {
		s.keepSeen(v, 0)
	}
	s.keepPresence()
	if n := s.tracker.Counts().Unplaced; n > s.unplaced {
		s.cfg.Log.Warn("reads came from readers that belong to no zone: add them to a zone in the configuration", slog.Uint64("reads", n-s.unplaced))
		s.unplaced = n
	}
}

// keepSeen stores how long a visit has been seen, if that is later by more than some time than what is stored.
func (s *Shop) keepSeen(v visit.Visit, later time.Duration) {
	h := s.visits.History(v.Member)
	c := s.desk.cards[v.ID]
	if c == nil || h.Open == nil || h.Open.Seen.Sub(c.kept) <= later {
		return
	}
	c.kept = h.Open.Seen
	s.cfg.Ledger.Record(Fact{At: s.now, State: &h, Of: v.Member}, nil)
}

// keepPresence hands out who is in the shop, members only: unknown tags are forgotten.
func (s *Shop) keepPresence() {
	if s.cfg.KeepPresence == nil || s.book == nil {
		return
	}
	s.cfg.KeepPresence(s.tracker.Snapshot(s.now, func(st presence.Stay) bool {
		_, ok := s.carrier(st.ID, st.Also)
		return ok
	}))
}

// rejoin puts the tags that were present before a restart back into their visits, with no word to anybody.
func (s *Shop) rejoin() {
	if s.rejoined {
		return
	}
	s.rejoined = true
	for st := range s.tracker.Stays() {
		m, ok := s.carrier(st.ID, st.Also)
		if !ok {
			continue
		}
		if v, open := s.visits.Of(m.ID); open {
			s.visits.Arrive(m.ID, st.ID, st.Zone, v.Seen, func(visit.Event) {})
		}
	}
}
