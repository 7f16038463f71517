package reader

import (
	"context"
	"fmt"
	"time"

	"foyer/firmware-profiles"
	"foyer/reader/frame"
	"foyer/reader/link"
	"foyer/reader/tag"
)

// session is the time from one opening of a serial line to its loss.
type session struct {
	*Reader
	line     link.Link
	profile  *profiles.Profile
	splitter *frame.Splitter
	decoder  *frame.Decoder
	each     func(frame.Frame) // handle, bound once so that no read allocates
	buffer   [1024]byte

	now      time.Time // when the bytes in hand came
	sighting frame.Sighting
	reply    []profiles.Match // what a command waits for; nil = nothing
	answered bool

	restarted bool      // the reader says so: start it anew
	confirm   bool      // a frame came that wants an acknowledgement
	scolded   [256]bool // error codes that were logged already

	base     Counts    // of the Reader before this session
	unheard  int       // bytes since the last good frame
	heard    time.Time // the last good frame, or the last start
	started  time.Time
	polled   time.Time
	turns    int       // polls since the last start
	unsplit  bool      // bytes wait for the rest of their frame
	lastByte time.Time // for unsplit
}

// frames runs one session on an open line.
func (r *Reader) frames(ctx context.Context, l link.Link) error {
	s := &session{
		Reader:   r,
		line:     l,
		profile:  r.config.Profile,
		splitter: frame.New(r.config.Profile),
		decoder:  frame.NewDecoder(r.config.Profile),
	}
	s.each = s.handle
	r.mu.Lock()
	r.health.Counts.Opened++
	s.base = r.health.Counts
	r.mu.Unlock()
	if err := s.start(ctx); err != nil {
		return err
	}
	for ctx.Err() == nil {
		if err := s.turn(ctx); err != nil {
			return err
		}
	}
	s.stop()
	return nil
}

// turn does what is due, then waits for bytes once.
func (s *session) turn(ctx context.Context) error {
	now := time.Now()
	rearm := due(s.started, s.profile.Session.Rearm.Every)
	silence := due(s.heard, s.profile.Session.Rearm.AfterSilence)
	if s.restarted || passed(now, rearm) || passed(now, silence) {
		return s.start(ctx)
	}
	wait := s.longestWait()
	if poll := s.profile.Session.Poll; poll != nil {
		next := due(s.polled, poll.Every)
		if passed(now, next) {
			s.polled = now
			return s.poll(ctx, poll)
		}
		wait = min(wait, next.Sub(now))
	}
	for _, at := range []time.Time{rearm, silence} {
		if !at.IsZero() {
			wait = min(wait, at.Sub(now))
		}
	}
	return s.receive(wait)
}

// poll asks the next antenna, if the profile takes turns with them.
func (s *session) poll(ctx context.Context, poll *profiles.Poll) error {
	turn := s.turns
	s.turns++
	if n := len(poll.Turns); n > 1 || n == 1 && turn == 0 {
		if err := s.command(ctx, poll.Turns[turn%n]); err != nil {
			return err
		}
	}
	return s.command(ctx, poll.Command)
}

// due is when something is to be done again; zero = never.
func due(last time.Time, every time.Duration) time.Time {
	if every <= 0 {
		return time.Time{}
	}
	return last.Add(every)
}

func passed(now, at time.Time) bool { return !at.IsZero() && !now.Before(at) }

// Bytes without one good frame that mean that we do not understand the reader: ten frames or so of any protocol.
// After so long a silence they are forgotten: a motor started, a cable was touched.
const (
	noiseBytes     = 256
	noiseForgotten = 30 * time.Second
)

// receive waits for bytes once and handles all that they complete.
func (s *session) receive(wait time.Duration) error {
	if s.unsplit { // a frame cut short must not wait for the next person's
		wait = min(wait, max(s.profile.Link.ReadTimeout-time.Since(s.lastByte), time.Millisecond))
	}
	n, err := s.line.Receive(s.buffer[:], wait)
	now := time.Now() // the one time that is taken: the last byte has come
	switch {
	case n > 0:
		s.now, s.lastByte, s.unsplit = now, now, true
		s.unheard += n
		s.splitter.Feed(s.buffer[:n], s.each)
	case err != nil:
		return err
	case s.unsplit && now.Sub(s.lastByte) >= s.profile.Link.ReadTimeout:
		s.unsplit = false
		s.splitter.Flush(s.each)
	case s.unheard > 0 && now.Sub(s.lastByte) >= noiseForgotten:
		s.unheard = 0
		s.backFromNoise()
		return nil
	default:
		return nil
	}
	s.tally()
	if s.confirm {
		s.confirm = false
		if err := s.line.Send(s.profile.Session.Confirm.Send); err != nil {
			return fmt.Errorf("acknowledge: %w", err)
		}
	}
	if s.unheard >= noiseBytes {
		s.change(false, WhyNoise, fmt.Sprintf(
			"%d bytes came and no whole frame of the profile %s: are the baud rate and the profile right, and is the wire short?",
			s.unheard, s.profile.ID))
	}
	return nil
}

// handle takes one whole frame.
func (s *session) handle(f frame.Frame) {
	s.unheard = 0
	s.heard = s.now
	if s.reply != nil && frame.Matches(s.reply, f.Payload) {
		s.answered = true
	}
	plan := &s.profile.Session
	if s.reply == nil && frame.Matches(plan.Rearm.On, f.Payload) {
		s.restarted = true
	}
	if plan.Confirm != nil && frame.Matches(plan.Confirm.When, f.Payload) {
		s.confirm = true
	}
	switch m := s.decoder.Decode(f, &s.sighting); m.Kind {
	case frame.Tag:
		for more := true; more; more = s.decoder.More(&s.sighting) {
			s.emit(s.sighting.Number, s.sighting.Also, tag.Read{
				At: s.now, Antenna: s.sighting.Antenna, RSSI: s.sighting.RSSI, HasRSSI: s.sighting.HasRSSI,
			})
		}
	case frame.Error:
		s.complain(m)
	case frame.Unknown, frame.Quiet, frame.Answer, frame.Refused: // counted
	}
	s.backFromNoise()
}

func (s *session) backFromNoise() {
	if s.health.Why == WhyNoise {
		s.change(true, "", "")
	}
}

// complain logs what the reader itself reports, each code once a session: some repeat it ten times a second.
func (s *session) complain(m frame.Meaning) {
	s.mu.Lock()
	s.health.Counts.Errors++
	s.mu.Unlock()
	if !s.scolded[m.Code] {
		s.scolded[m.Code] = true
		s.config.Log.Warn("reader reports an error", "rule", m.Rule, "code", fmt.Sprintf("%02X", m.Code), "means", m.Text)
	}
}

// tally carries the counters over to the Reader's.
func (s *session) tally() {
	split, meant := s.splitter.Counters(), s.decoder.Counters()
	s.mu.Lock()
	defer s.mu.Unlock()
	c := &s.health.Counts
	c.Frames = s.base.Frames + split.Frames - meant.Refused()
	c.Bad = s.base.Bad
	c.Bad.add(split.Bad[:])
	c.Bad.add(meant.Bad[:])
	c.Noise = s.base.Noise + split.Noise
	c.Resyncs = s.base.Resyncs + split.Resyncs
}
