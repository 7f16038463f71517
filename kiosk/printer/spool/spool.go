// Package spool is what waits to be printed on one printer, and what became of what was.
//
// In: jobs with a serial, and what people say of a job that nobody else can tell about. Out: jobs on a Post, one at a time in the order of
// their coming; each change of a job's state, kept before it takes effect. Times are the caller's.
// It never prints a job twice unless a person asked for it, and then the paper says COPY; it never calls a job printed that the
// printer, or a person, did not call so.
// Called by internal/daemon.
//
//	queued -> sending -> printed
//	   ^         |  \--> unknown -> printed, or queued again as a copy, when a person has looked
//	   \---------/       (also after a crash in mid-job)
//	 nothing was sent: it waits until the printer is well
package spool

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"sync"
	"time"

	"foyer/kiosk/printer/post"
)

// State is where a job stands.
type State string

// The states.
const (
	Queued  State = "queued"
	Sending State = "sending"
	Printed State = "printed"
	Unknown State = "unknown" // a person must look
	Dropped State = "dropped" // a person said that it is not wanted any more
)

// Job is one thing to be printed.
type Job struct {
	Serial string    `json:"serial"`
	What   string    `json:"what"` // a word for people: words/printer.what.{what}
	At     time.Time `json:"at"`
	Data   []byte    `json:"data,omitempty"` // as the printer takes it; dropped with the last of its states
	State  State     `json:"state"`
	Copy   int       `json:"copy,omitempty"` // 0: the first; n: COPY n stands on it
	Order  uint64    `json:"order"`
}

// over reports a job that nothing more can become of by itself.
func (j Job) over() bool { return j.State == Printed || j.State == Dropped }

// Poster brings one job to the printer: post.Post.
type Poster interface {
	Print(ctx context.Context, job []byte) post.Result
	Ask(ctx context.Context) (post.Trouble, error)
}

// Config of a spool. Post, Keep and Mark must be there.
type Config struct {
	Post    Poster
	Jobs    []Job                 // what Keep kept before
	Keep    func(...Job) error    // durable when it returns
	Mark    func(copy int) []byte // what is printed above a copy
	Now     func() time.Time      // nil: time.Now
	Changed func()                // told when Status says something else; may be nil
	Log     *slog.Logger          // nil discards
	Look    time.Duration         // pause before a printer in trouble is looked at again; 3 s
}

// The bounds.
const (
	maxWaiting = 200 // jobs that wait for a printer in trouble
	kept       = 50  // jobs that are over and may be asked for again
)

// Errors that a caller may tell apart with errors.Is.
var (
	ErrFull    = errors.New("too many jobs wait for this printer: put it in order first")
	ErrNoJob   = errors.New("there is no such job")
	ErrNotNow  = errors.New("not in this state")
	ErrNotKept = errors.New("the job could not be kept, so it is not printed")
)

// Spool is safe for concurrent use.
type Spool struct {
	c    Config
	wake chan struct{}

	mu      sync.Mutex
	jobs    []Job // by Order
	next    uint64
	trouble post.Trouble
	detail  error
}

// New takes up what was there. What was being sent when the power went may be on the paper or not: a person must look. It stays
// Sending where it is kept, which means the same there.
func New(c Config) *Spool {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Changed == nil {
		c.Changed = func() {}
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Look <= 0 {
		c.Look = 3 * time.Second
	}
	s := &Spool{c: c, wake: make(chan struct{}, 1), jobs: slices.Clone(c.Jobs)}
	slices.SortFunc(s.jobs, func(a, b Job) int { return int(int64(a.Order) - int64(b.Order)) })
	for i, j := range s.jobs {
		s.next = max(s.next, j.Order+1)
		if j.State == Sending {
			s.jobs[i].State = Unknown
		}
	}
	return s
}

// Add keeps a job and lets it be printed. When it returns nil the job outlives a power cut. A serial that is known already
// changes nothing: whoever asks twice gets one paper.
func (s *Spool) Add(serial, what string, data []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	waiting := 0
	for _, j := range s.jobs {
		if j.Serial == serial {
			return nil
		}
		if !j.over() {
			waiting++
		}
	}
	if waiting >= maxWaiting {
		return ErrFull
	}
	j := Job{Serial: serial, What: what, At: s.c.Now().UTC(), Data: data, State: Queued, Order: s.next}
	if err := s.keep(append(s.forgotten(), j)...); err != nil {
		return err
	}
	s.next++
	s.jobs = append(s.jobs, j)
	s.ring()
	return nil
}

// forgotten are the oldest jobs that are over, beyond what is kept of them: they leave memory, and are handed to Keep without data.
func (s *Spool) forgotten() []Job {
	over := 0
	for _, j := range s.jobs {
		if j.over() {
			over++
		}
	}
	var gone []Job
	s.jobs = slices.DeleteFunc(s.jobs, func(j Job) bool {
		if over < kept || !j.over() {
			return false
		}
		over--
		j.Data = nil
		gone = append(gone, j)
		return true
	})
	return gone
}

func (s *Spool) keep(jobs ...Job) error {
	if err := s.c.Keep(jobs...); err != nil {
		return fmt.Errorf("%w: %w", ErrNotKept, err)
	}
	return nil
}

func (s *Spool) ring() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
	s.c.Changed()
}

// Jobs lists what is there, oldest first, without the data.
func (s *Spool) Jobs() []Job {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := slices.Clone(s.jobs)
	for i := range out {
		out[i].Data = nil
	}
	return out
}

// Trouble is what keeps the printer from printing, as it was seen last, with details for a technician.
func (s *Spool) Trouble() (post.Trouble, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.trouble, s.detail
}

// Stalled notes that the printer stands still in the middle of a job, or goes on.
func (s *Spool) Stalled(t post.Trouble) { s.see(t, nil) }

func (s *Spool) see(t post.Trouble, detail error) {
	s.mu.Lock()
	changed := s.trouble != t
	s.trouble, s.detail = t, detail
	s.mu.Unlock()
	if changed {
		s.c.Changed()
	}
}

// Came is a person's word that an unknown job is on the paper, whole.
func (s *Spool) Came(serial string) error { return s.change(serial, Printed, 0, Unknown) }

// Again has a job printed once more, as a copy: one that did not come out, or that was spoilt or lost since.
func (s *Spool) Again(serial string) error { return s.change(serial, Queued, 1, Unknown, Printed) }

// Drop takes a job back that is not wanted any more.
func (s *Spool) Drop(serial string) error { return s.change(serial, Dropped, 0, Queued, Unknown) }

// change moves a job on, if it is in one of the states.
func (s *Spool) change(serial string, to State, copies int, from ...State) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.jobs, func(j Job) bool { return j.Serial == serial })
	if i < 0 {
		return ErrNoJob
	}
	j := s.jobs[i]
	if !slices.Contains(from, j.State) {
		return fmt.Errorf("%w: it is %s", ErrNotNow, j.State)
	}
	j.State, j.Copy = to, j.Copy+copies
	if copies > 0 {
		j.Order = s.next // behind what waits already
	}
	if err := s.keep(j); err != nil {
		return err
	}
	s.jobs = slices.Delete(s.jobs, i, i+1)
	if copies > 0 {
		s.next++
		s.jobs = append(s.jobs, j)
	} else {
		s.jobs = slices.Insert(s.jobs, i, j)
	}
	s.ring()
	return nil
}

// Run prints until ctx ends. A job that is being printed then is given its time.
func (s *Spool) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		j, ok := s.first()
		if !ok {
			select {
			case <-ctx.Done():
			case <-s.wake:
			}
			continue
		}
		if !s.print(ctx, j) {
			s.pause(ctx)
		}
	}
	return nil
}

// first is the oldest job that waits.
func (s *Spool) first() (Job, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, j := range s.jobs {
		if j.State == Queued {
			return j, true
		}
	}
	return Job{}, false
}

// print sends one job, and reports whether the next may follow at once.
func (s *Spool) print(ctx context.Context, j Job) bool {
	if !s.move(j.Serial, Queued, Sending) {
		return false
	}
	data := j.Data
	if j.Copy > 0 {
		data = slices.Concat(s.c.Mark(j.Copy), data)
	}
	r := s.c.Post.Print(lingering(ctx), data)
	s.see(r.Trouble, r.Err)
	to := map[post.Outcome]State{post.Printed: Printed, post.Failed: Queued, post.Unknown: Unknown}[r.Outcome]
	s.c.Log.Info("a job for the printer", "what", j.What, "copy", j.Copy, "state", string(to), "trouble", r.Trouble.String(), "bytes", strconv.Itoa(r.Sent), "err", r.Err)
	return s.move(j.Serial, Sending, to) && r.Outcome == post.Printed
}

// grace is what a job that is being printed is given when foyerd ends.
const grace = 10 * time.Second

// lingering ends a while after ctx.
func lingering(ctx context.Context) context.Context {
	longer, cancel := context.WithCancel(context.WithoutCancel(ctx))
	context.AfterFunc(ctx, func() { time.AfterFunc(grace, cancel) })
	return longer
}

// move changes a job's state by what the printer did. What the disk does not take stays in memory as it is on the disk: then
// a crash leaves the job where a person looks.
func (s *Spool) move(serial string, from, to State) bool {
	if err := s.change(serial, to, 0, from); err != nil {
		s.c.Log.Error("what became of a job is not kept", "err", err)
		return false
	}
	return true
}

// pause waits a moment and looks how the printer is.
func (s *Spool) pause(ctx context.Context) {
	select {
	case <-ctx.Done():
		return
	case <-time.After(s.c.Look):
	}
	if t, _ := s.Trouble(); t.Stops() {
		s.see(s.c.Post.Ask(ctx))
	}
}
