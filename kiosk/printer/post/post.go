// Package post brings a job to a receipt printer, and says what really became of it.
//
// In: the bytes of a job, the port and the model. Out: a Result: printed, failed or unknown, and why. Waits are time.Duration.
// It never says "printed" because bytes were taken: only when the printer said, after the job, that it had come that far and
// that nothing was wrong. It never sends a job twice. Where nobody can tell, it says unknown: then a person looks.
// Called by internal/daemon and cmd/foyer.
//
// # What counts as printed
//
// A printer that knows process ids (GS ( H) reports that what came before is on the paper. One that knows GS r answers it when
// its turn comes, and a status asked after that must be free of trouble. A printer that answers in real time only (DLE EOT) says how
// it is, not how far it is; one that says nothing, nothing. For those two a person must say whether the paper came out.
package post

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	profiles "foyer/firmware-profiles"
	"foyer/reader/link"
)

// Outcome is what became of a job.
type Outcome uint8

// The outcomes.
const (
	Unknown Outcome = iota // it may be on the paper: a person must look
	Printed                // the printer said so
	Failed                 // it is not on the paper: nothing was sent
)

func (o Outcome) String() string {
	return [...]string{"unknown", "printed", "failed"}[min(o, Failed)]
}

// Result is an outcome with its reason.
type Result struct {
	Outcome Outcome
	Trouble Trouble // the last that was seen; NearEnd with Printed: bring a roll
	Sent    int     // bytes that the line took
	Err     error   // details for the log; nil where Trouble says all
}

// Config of a post. Port and Model must be there.
type Config struct {
	Port  string // tcp://host:9100, a serial port as readers have them, /dev/usb/lp0, cups:queue
	Model *profiles.Printer
	Log   *slog.Logger // nil discards

	Answer   time.Duration // how long an answer may take; 2 s
	Patience time.Duration // how long a printer may stand still in the middle of a job, for a new roll; 2 min
	Stalled  func(Trouble) // told when it stands still, and with Fine when it goes on; may be nil
	open     func(context.Context) (link.Link, error)
}

// Post is made by New. One goroutine uses it at a time.
type Post struct{ c Config }

// New returns a post and opens nothing.
func New(c Config) (*Post, error) {
	if c.Answer <= 0 {
		c.Answer = 2 * time.Second
	}
	if c.Patience <= 0 {
		c.Patience = 2 * time.Minute
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Stalled == nil {
		c.Stalled = func(Trouble) {}
	}
	if c.open == nil {
		if strings.HasPrefix(c.Port, spooler) {
			mute := *c.Model
			mute.Status = profiles.Mute
			c.Model = &mute
		}
		open, err := opener(c.Port, c.Model, c.Stalled)
		if err != nil {
			return nil, err
		}
		c.open = open
	}
	return &Post{c}, nil
}

// Print sends a job and waits for what becomes of it. When ctx ends in the middle, the outcome is unknown.
func (p *Post) Print(ctx context.Context, job []byte) Result {
	l, err := p.c.open(ctx)
	if err != nil {
		return Result{Outcome: Failed, Trouble: Gone, Err: err}
	}
	r := p.printOn(ctx, l, job)
	if err := l.Close(); err != nil && r.Outcome == Unknown && strings.HasPrefix(p.c.Port, spooler) {
		return Result{Outcome: Failed, Trouble: Gone, Err: err} // the spooler did not take it
	}
	return r
}

func (p *Post) printOn(ctx context.Context, l link.Link, job []byte) Result {
	s := &session{c: p.c, l: l}
	if t, err := s.ready(ctx); t.Stops() || err != nil {
		return Result{Outcome: Failed, Trouble: t, Err: err}
	}
	return s.job(ctx, job)
}

// Ask says how the printer is, without printing.
func (p *Post) Ask(ctx context.Context) (Trouble, error) {
	l, err := p.c.open(ctx)
	if err != nil {
		return Gone, err
	}
	defer l.Close()
	s := &session{c: p.c, l: l}
	return s.ready(ctx)
}

// session is one connection.
type session struct {
	c    Config
	l    link.Link
	ear  ear
	sent int
}

// chunk is how much is sent before the printer is listened to again.
const chunk = 1024

// tick is how long one look for answers takes.
const tick = 50 * time.Millisecond

var errEnded = errors.New("ended before the printer had answered")

// ready asks how the printer is, and has it tell by itself from now on.
func (s *session) ready(ctx context.Context) (Trouble, error) {
	if p, ok := s.l.(*lp); ok {
		if t := p.trouble(); t.Stops() {
			return t, nil
		}
	}
	if s.c.Model.Status == profiles.Mute {
		return Fine, nil
	}
	if err := s.ask(); err != nil {
		return Gone, err
	}
	heard, err := s.until(ctx, s.c.Answer, func() bool { return len(s.ear.asked) == 0 })
	switch {
	case err != nil:
		return Gone, err
	case !heard && s.ear.answers == 0 && s.ear.noise > 0:
		return Nonsense, fmt.Errorf("%d bytes that no printer says: is this port a printer's, and its speed right?", s.ear.noise)
	case !heard:
		return Silent, fmt.Errorf("no answer to DLE EOT within %v", s.c.Answer)
	}
	return s.ear.trouble(), nil
}

// ask sends the questions that are answered at once.
func (s *session) ask() error {
	var q []byte
	for n := byte(2); n <= 4; n++ {
		q = append(q, 0x10, 0x04, n)
		s.ear.asked = append(s.ear.asked, n)
	}
	return s.l.Send(q)
}

// until listens until done says so, or for so long.
func (s *session) until(ctx context.Context, long time.Duration, done func() bool) (bool, error) {
	end := time.Now().Add(long)
	var b [256]byte
	for !done() {
		if err := ctx.Err(); err != nil {
			return false, errors.Join(errEnded, err)
		}
		left := time.Until(end)
		if left <= 0 {
			return false, nil
		}
		n, err := s.l.Receive(b[:], min(left, tick))
		s.ear.hear(b[:n])
		if err != nil {
			return done(), err
		}
	}
	return true, nil
}

// job sends the bytes and the question that is answered last.
func (s *session) job(ctx context.Context, job []byte) Result {
	orderly := s.c.Model.Status == profiles.Orderly || s.c.Model.Status == profiles.ProcessID
	if orderly {
		job = append([]byte{0x1D, 'a', 0x0E}, job...) // tell of trouble by itself: paper, errors, being offline
	}
	id := processID()
	var last []byte
	switch s.c.Model.Status {
	case profiles.ProcessID:
		last = append([]byte{0x1D, '(', 'H', 6, 0, 48, 48}, id...)
	case profiles.Orderly:
		last = []byte{0x1D, 'r', 1}
		s.ear.ordered++
	}
	if r, ok := s.send(ctx, append(job, last...)); !ok {
		return r
	}
	if !orderly {
		return s.unconfirmed(ctx)
	}
	return s.confirmed(ctx, id)
}

// processID is four printable bytes that the next job does not have.
func processID() string { return rand.Text()[:4] }

// send sends in pieces, as long as the printer takes them. A line that is stuck is no reason to give up at once: the roll may be out.
func (s *session) send(ctx context.Context, all []byte) (Result, bool) {
	for len(all) > 0 {
		n := min(chunk, len(all))
		if err := ctx.Err(); err != nil {
			return s.unknown(errors.Join(errEnded, err)), false
		}
		if err := s.l.Send(all[:n]); err != nil {
			return s.unknown(fmt.Errorf("after %d bytes: %w", s.sent, err)), false
		}
		s.sent += n
		all = all[n:]
		if _, err := s.until(ctx, time.Millisecond, func() bool { return false }); err != nil {
			return s.unknown(err), false
		}
	}
	return Result{}, true
}

func (s *session) unknown(err error) Result {
	t := s.ear.trouble()
	if !t.Stops() {
		t = Gone
	}
	return Result{Outcome: Unknown, Trouble: t, Sent: s.sent, Err: err}
}

// unconfirmed ends a job on a printer that cannot say how far it is.
func (s *session) unconfirmed(ctx context.Context) Result {
	t, err := s.ready(ctx)
	return Result{Outcome: Unknown, Trouble: t, Sent: s.sent, Err: err}
}

// confirmed waits until the printer has come to the end of the job. While it stands still, somebody is told why.
func (s *session) confirmed(ctx context.Context, id string) Result {
	done := func() bool {
		if s.c.Model.Status == profiles.ProcessID {
			return slices.Contains(s.ear.finished, id)
		}
		return s.ear.ordered == 0
	}
	stalled := Fine
	quiet := time.Now()
	for !done() {
		ok, err := s.until(ctx, s.c.Answer, done)
		if err != nil {
			return s.unknown(err)
		}
		if ok {
			break
		}
		t := s.how(ctx)
		if t != stalled && (t.Stops() || stalled.Stops()) {
			s.c.Stalled(t)
		}
		if stalled = t; time.Since(quiet) > s.c.Patience {
			if !t.Stops() {
				t = Silent
			}
			return Result{Outcome: Unknown, Trouble: t, Sent: s.sent, Err: fmt.Errorf("not confirmed within %v", s.c.Patience)}
		}
	}
	if stalled.Stops() {
		s.c.Stalled(Fine)
	}
	return s.verdict(ctx)
}

// how asks again.
func (s *session) how(ctx context.Context) Trouble {
	s.ear.asked, s.ear.now = nil, [5]byte{}
	if err := s.ask(); err != nil {
		return Gone
	}
	if ok, err := s.until(ctx, s.c.Answer, func() bool { return len(s.ear.asked) == 0 }); err != nil || !ok {
		s.ear.asked = nil
		return worse(s.ear.trouble(), Silent)
	}
	return s.ear.trouble()
}

// verdict is the last look: a printer that has come to the end of the job with trouble may have spoilt it.
func (s *session) verdict(ctx context.Context) Result {
	t := s.how(ctx)
	if t.Stops() {
		return Result{Outcome: Unknown, Trouble: t, Sent: s.sent, Err: fmt.Errorf("confirmed, and then in trouble: %v", t)}
	}
	return Result{Outcome: Printed, Trouble: t, Sent: s.sent}
}
