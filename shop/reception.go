package shop

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
	"unicode"
	"unicode/utf8"

	"foyer/shop/member"
)

// What may be wrong with a request. Errors that carry who has the card are *AlreadyClaimed and *AlreadyServed.
var (
	ErrNoCard     = errors.New("there is no such card: it may be from an earlier day")
	ErrGone       = errors.New("the customer has left before anybody claimed the card")
	ErrNotClaimed = errors.New("nobody has claimed the card")
	ErrBy         = errors.New("by: want the name of who acts, 1 to 40 characters")
	ErrSession    = errors.New("kiosk session")
	ErrStopped    = errors.New("the store's program is stopping: try again in a moment")
)

// AlreadyClaimed says that somebody else has the card.
type AlreadyClaimed struct{ By string }

func (e *AlreadyClaimed) Error() string { return fmt.Sprintf("already claimed by %s", e.By) }

// AlreadyServed says that the customer was served already.
type AlreadyServed struct{ By string }

func (e *AlreadyServed) Error() string { return fmt.Sprintf("already served by %s", e.By) }

// request is one thing to be done in the loop for a caller who waits. Its reply has room for one answer.
type request struct {
	do    func(*Shop)
	reply chan error
}

// Claim takes a card on for a member of staff. The first one wins; who claims again what is theirs is told nil. It
// returns when the claim is durable. Its errors are ErrNoCard, ErrGone, ErrBy, ErrStopped, *AlreadyClaimed and
// *AlreadyServed, the journal's, or the context's: then the outcome shows on the card.
func (s *Shop) Claim(ctx context.Context, visit, by string) error {
	return s.attend(ctx, visit, by, claim)
}

// Release gives a card back. Only who claimed it may; ErrNotClaimed if nobody did. Otherwise as Claim.
func (s *Shop) Release(ctx context.Context, visit, by string) error {
	return s.attend(ctx, visit, by, release)
}

// Serve marks the customer as served, by who claimed the card, or by anybody while nobody has. Otherwise as Claim.
func (s *Shop) Serve(ctx context.Context, visit, by string) error {
	return s.attend(ctx, visit, by, serve)
}

// action is what staff do with a card.
type action int

const (
	claim action = iota
	release
	serve
)

func (s *Shop) attend(ctx context.Context, visit, by string, a action) error {
	if !shortText(by, 40) {
		return ErrBy
	}
	reply := make(chan error, 1)
	return s.ask(ctx, request{reply: reply, do: func(s *Shop) { s.act(visit, by, a, reply) }})
}

func shortText(s string, most int) bool {
	n := utf8.RuneCountInString(s)
	if !utf8.ValidString(s) || n == 0 || n > most {
		return false
	}
	for _, r := range s {
		if unicode.IsControl(r) {
			return false
		}
	}
	return true
}

func (s *Shop) ask(ctx context.Context, q request) error {
	select {
	case s.requests <- q:
	case <-ctx.Done():
		return ctx.Err()
	case <-s.stopped:
		return ErrStopped
	}
	select {
	case err := <-q.reply:
		return err
	case <-ctx.Done():
		return ctx.Err()
	case <-s.stopped:
	}
	select {
	case err := <-q.reply: // it was answered just before the end
		return err
	default:
		return ErrStopped
	}
}

// pending is an action between its recording and its showing, and everybody who waits for it.
type pending struct {
	by      string
	action  action
	at      time.Time
	waiters []chan error
}

func (s *Shop) act(visit, by string, a action, reply chan error) {
	c := s.desk.cards[visit]
	if c == nil {
		reply <- ErrNoCard
		return
	}
	if p := c.pending; p != nil {
		if p.by == by && p.action == a {
			p.waiters = append(p.waiters, reply)
		} else {
			reply <- &AlreadyClaimed{p.by}
		}
		return
	}
	done, err := c.may(by, a)
	if err != nil || done {
		reply <- err
		return
	}
	p := &pending{by: by, action: a, at: s.now, waiters: []chan error{reply}}
	c.pending = p
	s.keepAttendance(c, c.after(p))
	s.cfg.Ledger.Record(Fact{At: s.now, Body: c.body(p), State: s.history(c.member.ID), Of: c.member.ID}, func(err error) {
		s.outcomes.add(func() { s.finish(c, p, err) })
		s.nudge(s.settled)
	})
}

// may tells whether an action is allowed, or is done already.
func (c *entry) may(by string, a action) (done bool, err error) {
	switch {
	case c.State == StateServed && c.By == by && a != release:
		return true, nil
	case c.State == StateServed:
		return false, &AlreadyServed{c.By}
	case c.State == StateClaimed && c.By != by:
		return false, &AlreadyClaimed{c.By}
	case c.State == StateClaimed:
		return a == claim, nil
	case a == release:
		return false, ErrNotClaimed
	case c.State == StateLeft:
		return false, ErrGone
	}
	return false, nil
}

// after is the card as it will be once the action is durable.
func (c *entry) after(p *pending) Card {
	n := c.Card
	switch p.action {
	case claim:
		n.State, n.By, n.ClaimedAt = StateClaimed, p.by, p.at
	case serve:
		if n.State != StateClaimed {
			n.ClaimedAt = p.at
		}
		n.State, n.By, n.ServedAt = StateServed, p.by, p.at
	case release:
		n.State, n.By, n.ClaimedAt = StateNew, "", time.Time{}
		if !n.Gone.IsZero() {
			n.State = StateLeft
		}
	}
	return n
}

func (c *entry) body(p *pending) Body {
	a := Attended{Visit: c.Visit, By: p.by, Waited: p.at.Sub(c.Arrived)}
	switch p.action {
	case claim:
		return CardClaimed(a)
	case release:
		return CardReleased(a)
	}
	return CardServed(a)
}

// keepAttendance puts who attends to an open visit into its history, so that a restart does not forget it.
func (s *Shop) keepAttendance(c *entry, n Card) {
	if v, open := s.visits.Of(c.member.ID); open && v.ID == c.Visit {
		s.visits.Attend(c.member.ID, n.By, n.ClaimedAt, n.ServedAt)
	}
}

// finish shows what is durable, or undoes what is not, and answers who waited.
func (s *Shop) finish(c *entry, p *pending, err error) {
	c.pending = nil
	if err == nil {
		c.Card = c.after(p)
		s.cfg.Screens.Show(CardChanged{c.Card})
	} else {
		err = fmt.Errorf("record the card's change: %w", err)
		s.keepAttendance(c, c.Card)
	}
	for _, w := range p.waiters {
		w <- err
	}
}

// Session is one finished use of the kiosk.
type Session struct {
	Visit    string // "" for a walk-in
	Language string
	Started  time.Time
	Ended    time.Time
	Taps     int
	End      string // "idle" or "closed"
}

// maxSession and maxTaps are more than anybody stands at a kiosk.
const (
	maxSession = 24 * time.Hour
	maxTaps    = 100_000
)

// KioskUsed records one use of the kiosk and returns when it is durable. An error that is ErrSession says what is wrong
// with the session.
func (s *Shop) KioskUsed(ctx context.Context, u Session) error {
	if err := s.checkSession(u); err != nil {
		return err
	}
	reply := make(chan error, 1)
	body := KioskUsed{u.Visit, u.Language, u.Ended.Sub(u.Started), u.Taps, u.End}
	return s.ask(ctx, request{reply: reply, do: func(s *Shop) {
		s.cfg.Ledger.Record(Fact{At: s.now, Body: body, Of: s.whose(u.Visit)}, func(err error) { reply <- err })
	}})
}

// whose is the member of a visit whose card is still there; empty: nobody's.
func (s *Shop) whose(visit string) member.ID {
	if c := s.desk.cards[visit]; c != nil {
		return c.member.ID
	}
	return ""
}

// DemoTried records one demo that somebody tried and returns when it is durable. An error that is ErrSession says what is
// wrong with it.
func (s *Shop) DemoTried(ctx context.Context, t DemoTried) error {
	switch {
	case t.Visit != "" && !shortText(t.Visit, 64):
		return fmt.Errorf("%w: visit: want a visit's id or nothing", ErrSession)
	case t.Language == "" || !s.cfg.Words.Has(t.Language, "greeting.guest"):
		return fmt.Errorf("%w: language %.20q: want one of %q", ErrSession, t.Language, s.cfg.Words.Languages())
	case !shortText(t.Pack, 32) || t.Version < 1 || t.Reward != "" && !shortText(t.Reward, 32):
		return fmt.Errorf("%w: want a pack's name, its version and perhaps its reward", ErrSession)
	case t.Took < 0 || t.Took > maxSession || t.Score < 0:
		return fmt.Errorf("%w: want a play of at most a day, and a score that is not negative", ErrSession)
	case !slices.Contains([]string{"done", "won", "lost", "left"}, t.End):
		return fmt.Errorf("%w: end %.20q: want done, won, lost or left", ErrSession, t.End)
	}
	reply := make(chan error, 1)
	return s.ask(ctx, request{reply: reply, do: func(s *Shop) {
		s.cfg.Ledger.Record(Fact{At: s.now, Body: t, Of: s.whose(t.Visit)}, func(err error) { reply <- err })
	}})
}

func (s *Shop) checkSession(u Session) error {
	used := u.Ended.Sub(u.Started)
	switch {
	case u.Visit != "" && !shortText(u.Visit, 64):
		return fmt.Errorf("%w: visit: want a visit's id or nothing", ErrSession)
	case u.Language == "" || !s.cfg.Words.Has(u.Language, "greeting.guest"):
		return fmt.Errorf("%w: language %.20q: want one of %q", ErrSession, u.Language, s.cfg.Words.Languages())
	case u.Started.IsZero() || used < 0 || used > maxSession:
		return fmt.Errorf("%w: started and ended: want two times at most a day apart", ErrSession)
	case u.Taps < 0 || u.Taps > maxTaps:
		return fmt.Errorf("%w: taps %d: want 0 to %d", ErrSession, u.Taps, maxTaps)
	case !knownEnd(u.End):
		return fmt.Errorf("%w: end %.20q: want one of %q", ErrSession, u.End, ends)
	}
	return nil
}
