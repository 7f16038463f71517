package spool

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"foyer/kiosk/printer/post"
)

// disk is what a store keeps of the jobs.
type disk struct {
	jobs map[string]Job
	full bool
}

func (d *disk) keep(jobs ...Job) error {
	if d.full {
		return errors.New("no space left on device")
	}
	for _, j := range jobs {
		if d.jobs[j.Serial] = j; j.Data == nil {
			delete(d.jobs, j.Serial)
		}
	}
	return nil
}

func (d *disk) all() []Job {
	var out []Job
	for _, j := range d.jobs {
		out = append(out, j)
	}
	return out
}

// paper is a printer that does what it is told to, and remembers what came out.
type paper struct {
	next    []post.Result // then Printed
	trouble post.Trouble
	out     []string
	crash   func() // in the middle of the next job
}

func (p *paper) Print(_ context.Context, job []byte) post.Result {
	if p.crash != nil {
		p.crash()
	}
	r := post.Result{Outcome: post.Printed, Sent: len(job)}
	if len(p.next) > 0 {
		r, p.next = p.next[0], p.next[1:]
	}
	if r.Outcome == post.Printed {
		p.out = append(p.out, string(job))
	}
	return r
}

func (p *paper) Ask(context.Context) (post.Trouble, error) { return p.trouble, nil }

func mark(n int) []byte { return fmt.Appendf(nil, "COPY %d ", n) }

// running runs a spool in a bubble until the test ends it.
func running(t *testing.T, d *disk, p *paper) (*Spool, func()) {
	t.Helper()
	s := New(Config{Post: p, Jobs: d.all(), Keep: d.keep, Mark: mark})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); s.Run(ctx) }()
	return s, func() { cancel(); <-done }
}

func state(s *Spool, serial string) State {
	for _, j := range s.Jobs() {
		if j.Serial == serial {
			return j.State
		}
	}
	return "gone"
}

func TestInOrderAndOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, p := &disk{jobs: map[string]Job{}}, &paper{}
		s, stop := running(t, d, p)
		for _, serial := range []string{"a", "b", "b", "c"} {
			if err := s.Add(serial, "test", []byte(serial)); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		if got := strings.Join(p.out, ""); got != "abc" || state(s, "b") != Printed {
			t.Errorf("printed %q", got)
		}
		stop()
	})
}

// A printer in trouble is waited for; nothing is lost and nothing comes twice.
func TestTroubleIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &disk{jobs: map[string]Job{}}
		p := &paper{next: []post.Result{{Outcome: post.Failed, Trouble: post.NoPaper}, {Outcome: post.Failed, Trouble: post.NoPaper}}, trouble: post.NoPaper}
		s, stop := running(t, d, p)
		s.Add("a", "test", []byte("a"))
		s.Add("b", "test", []byte("b"))
		synctest.Wait()
		if trouble, _ := s.Trouble(); trouble != post.NoPaper || state(s, "a") != Queued {
			t.Errorf("%v, %s", trouble, state(s, "a"))
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if got := strings.Join(p.out, ""); got != "ab" {
			t.Errorf("printed %q", got)
		}
		stop()
	})
}

func TestAPersonLooks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &disk{jobs: map[string]Job{}}
		p := &paper{next: []post.Result{{Outcome: post.Unknown}, {Outcome: post.Unknown}, {Outcome: post.Unknown}}}
		s, stop := running(t, d, p)
		for _, serial := range []string{"came", "not", "never mind"} {
			s.Add(serial, "test", []byte(serial))
			time.Sleep(5 * time.Second)
		}
		synctest.Wait()
		for serial, err := range map[string]error{"came": s.Came("came"), "not": s.Again("not"), "never mind": s.Drop("never mind")} {
			if err != nil {
				t.Errorf("%s: %v", serial, err)
			}
		}
		synctest.Wait()
		if got := strings.Join(p.out, ""); got != "COPY 1 not" {
			t.Errorf("printed %q", got)
		}
		for err, want := range map[error]error{s.Came("came"): ErrNotNow, s.Again("no such"): ErrNoJob, s.Drop("came"): ErrNotNow} {
			if !errors.Is(err, want) {
				t.Errorf("got %v, want %v", err, want)
			}
		}
		if err := s.Again("came"); err != nil { // lost it: another
			t.Error(err)
		}
		synctest.Wait()
		if got := p.out[len(p.out)-1]; got != "COPY 1 came" {
			t.Errorf("printed %q", got)
		}
		stop()
	})
}

func TestWhatIsNotKeptIsNotPrinted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, p := &disk{jobs: map[string]Job{}, full: true}, &paper{}
		s, stop := running(t, d, p)
		if err := s.Add("a", "test", []byte("a")); !errors.Is(err, ErrNotKept) {
			t.Errorf("got %v", err)
		}
		d.full = false
		s.Add("b", "test", []byte("b"))
		synctest.Wait()
		d.full = true
		time.Sleep(time.Minute)
		if got := strings.Join(p.out, ""); got != "b" {
			t.Errorf("printed %q", got)
		}
		stop()
	})
}

func TestTooManyWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &disk{jobs: map[string]Job{}}
		s := New(Config{Post: &paper{}, Keep: d.keep, Mark: mark})
		for i := range maxWaiting {
			if err := s.Add(fmt.Sprint(i), "test", []byte("x")); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Add("one more", "test", []byte("x")); !errors.Is(err, ErrFull) {
			t.Errorf("got %v", err)
		}
	})
}

// What is over is kept for a while, so that it may be asked for again, and no longer.
func TestOldJobsAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, p := &disk{jobs: map[string]Job{}}, &paper{}
		s, stop := running(t, d, p)
		for i := range 3 * kept {
			s.Add(fmt.Sprint(i), "test", []byte("x"))
			synctest.Wait()
		}
		if len(s.Jobs()) > kept+1 || len(d.jobs) > kept+1 || len(p.out) != 3*kept {
			t.Errorf("%d jobs in memory, %d on the disk, %d printed", len(s.Jobs()), len(d.jobs), len(p.out))
		}
		stop()
	})
}

// Five hundred days in the life of a printer: it fails at every turn, and foyerd is killed in mid-job. No paper comes out twice
// without COPY, nothing is called printed that was not, nothing is lost.
func TestNothingTwiceNothingLost(t *testing.T) {
	for seed := range uint64(500) {
		synctest.Test(t, func(t *testing.T) { oneLife(t, rand.New(rand.NewPCG(seed, 7))) })
	}
}

var errKilled = errors.New("killed")

func oneLife(t *testing.T, random *rand.Rand) {
	d := &disk{jobs: map[string]Job{}}
	onPaper := map[string]int{} // what really came out, copies apart
	var p *paper
	wanted := 0
	life := func() {
		p = &paper{}
		ctx, kill := context.WithCancelCause(t.Context())
		s := New(Config{Post: fate{p, random, onPaper, kill}, Jobs: d.all(), Keep: func(jobs ...Job) error {
			if ctx.Err() != nil {
				return errKilled // a dead process writes nothing
			}
			return d.keep(jobs...)
		}, Mark: mark})
		done := make(chan struct{})
		go func() { defer close(done); s.Run(ctx) }()
		for range 1 + random.IntN(3) {
			if s.Add(fmt.Sprintf("job %d;", wanted), "test", fmt.Appendf(nil, "job %d;", wanted)) == nil {
				wanted++
			}
		}
		time.Sleep(time.Duration(random.IntN(20)) * time.Second)
		kill(nil)
		<-done
	}
	for range 4 {
		life()
	}
	settle(t, d, onPaper)
	for i := range wanted {
		name := fmt.Sprintf("job %d;", i)
		if onPaper[name] > 1 {
			t.Errorf("%s came out %d times without COPY", name, onPaper[name])
		}
		j, ok := d.jobs[name]
		if !ok || j.State != Printed {
			t.Errorf("%s is %s", name, j.State)
		}
		copies := 0
		for key, n := range onPaper {
			if strings.HasSuffix(key, name) {
				copies += n
			}
		}
		if copies == 0 {
			t.Errorf("%s is called printed and is on no paper", name)
		}
	}
}

// settle has a person answer for what nobody else knows, truthfully, on a printer that is well again.
func settle(t *testing.T, d *disk, onPaper map[string]int) {
	p := &paper{}
	s, stop := running(t, d, p)
	for _, j := range s.Jobs() {
		if j.State != Unknown {
			continue
		}
		whole := string(j.Data)
		for key := range onPaper {
			if strings.HasSuffix(key, j.Serial) {
				whole = key
			}
		}
		if onPaper[whole] > 0 {
			s.Came(j.Serial)
		} else {
			s.Again(j.Serial)
		}
	}
	synctest.Wait()
	stop()
	for _, out := range p.out {
		onPaper[out]++
	}
}

// fate is a printer that may fail in any way, or end the process in the middle.
type fate struct {
	*paper
	random  *rand.Rand
	onPaper map[string]int
	kill    context.CancelCauseFunc
}

func (f fate) Print(ctx context.Context, job []byte) post.Result {
	time.Sleep(time.Duration(f.random.IntN(3000)) * time.Millisecond)
	switch f.random.IntN(6) {
	case 0:
		return post.Result{Outcome: post.Failed, Trouble: post.Trouble(2 + f.random.IntN(7))}
	case 1: // it came out, and nobody said so
		f.onPaper[string(job)]++
		return post.Result{Outcome: post.Unknown, Trouble: post.Silent}
	case 2: // half of it
		return post.Result{Outcome: post.Unknown, Trouble: post.Gone}
	case 3: // killed before or after the paper came out
		if f.random.IntN(2) == 0 {
			f.onPaper[string(job)]++
		}
		f.kill(errKilled)
		return post.Result{Outcome: post.Printed}
	}
	f.onPaper[string(job)]++
	return post.Result{Outcome: post.Printed}
}

func TestJobsComeBackInOrder(t *testing.T) {
	d := &disk{jobs: map[string]Job{"b": {Serial: "b", State: Queued, Order: 2, Data: []byte("b")}, "a": {Serial: "a", State: Sending, Order: 1, Data: []byte("a")}}}
	s := New(Config{Post: &paper{}, Jobs: d.all(), Keep: d.keep, Mark: mark})
	jobs := s.Jobs()
	if !slices.IsSortedFunc(jobs, func(a, b Job) int { return int(a.Order) - int(b.Order) }) || jobs[0].State != Unknown {
		t.Errorf("%+v", jobs)
	}
}
