package glass

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"foyer/api"
	"foyer/internal/words"
	"foyer/kiosk/scene"
)

// desk is a foyerd that answers as it is told.
type desk struct {
	mu      sync.Mutex
	answers []error // one a call; then nil
	got     []int
}

func (d *desk) Follow(context.Context, api.Face, func(api.Update)) error { return nil }

func (d *desk) ReportTried(context.Context, api.Tried) error { return nil }

func (d *desk) ReportSession(_ context.Context, s api.Session) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.answers) > 0 {
		err := d.answers[0]
		d.answers = d.answers[1:]
		if err != nil {
			return err
		}
	}
	d.got = append(d.got, s.Taps)
	return nil
}

func (d *desk) SendPicture(context.Context, api.Face, string, []byte) error { return nil }

func (d *desk) SignUp(_ context.Context, s api.SignUp) (api.Joined, error) {
	if s.Phone == "" || s.Text == "" {
		return api.Joined{}, &api.Problem{Status: 400, Code: api.CodeInvalid}
	}
	return api.Joined{Code: "4821"}, nil
}

func (d *desk) CallStaff(context.Context, api.Help) error { return errors.New("away") }

func TestErrands(t *testing.T) {
	e := newErrands(Config{Foyerd: &desk{}, Words: words.Load(), Log: slog.New(slog.DiscardHandler)})
	ctx, cancel := context.WithCancel(t.Context())
	answers := make(chan scene.Answered, 8)
	e.take(scene.Ask{})
	e.take(scene.Ask{N: 1, Help: &api.Help{}})
	e.take(scene.Ask{N: 1, Help: &api.Help{}}) // the same question, drawn again
	e.take(scene.Ask{N: 2, SignUp: &api.SignUp{Phone: "1", Language: "en"}})
	e.take(scene.Ask{N: 3, SignUp: &api.SignUp{}})
	var group sync.WaitGroup
	group.Go(func() { e.run(ctx, func(a scene.Answered) { answers <- a }) })
	want := []scene.Answered{{N: 1, Failed: true}, {N: 2, Joined: api.Joined{Code: "4821"}}, {N: 3, Failed: true, Why: api.CodeInvalid}}
	for _, w := range want {
		if d := cmp.Diff(w, <-answers); d != "" {
			t.Error(d)
		}
	}
	cancel()
	group.Wait()
	if len(answers) > 0 {
		t.Error("a question was asked twice")
	}
}

func TestReporter(t *testing.T) {
	away := errors.New("away")
	for _, tc := range []struct {
		name    string
		answers []error
		want    []int
	}{
		{"all well", nil, []int{1, 2, 3}},
		{"away for a while: in order, none lost", []error{away, away, away, nil, away}, []int{1, 2, 3}},
		{"one refused: the others go on", []error{nil, &api.Problem{Status: 422}}, []int{1, 3}},
		{"a wrong token may be mended", []error{&api.Problem{Status: 401}}, []int{1, 2, 3}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := &desk{answers: tc.answers}
				r := newReporter(Config{Foyerd: d, Log: slog.New(slog.DiscardHandler)})
				ctx, cancel := context.WithCancel(t.Context())
				for n := range 3 {
					r.add(api.Session{Taps: n + 1})
				}
				done := make(chan struct{})
				go func() { r.run(ctx); close(done) }()
				time.Sleep(time.Minute) // virtual
				cancel()
				<-done
				if diff := cmp.Diff(tc.want, d.got); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

func TestReporterSendsTheLastOnesWhenItEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &desk{}
		r := newReporter(Config{Foyerd: d, Log: slog.New(slog.DiscardHandler)})
		r.add(api.Session{Taps: 7})
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		r.run(ctx)
		if diff := cmp.Diff([]int{7}, d.got); diff != "" {
			t.Error(diff)
		}
	})
}

func TestPulse(t *testing.T) {
	for _, tc := range []struct {
		name   string
		frozen int // from which beat on no frame is painted
		after  time.Duration
		hung   bool
	}{
		{"painting", 1 << 30, 10 * time.Minute, false},
		{"frozen, two beats", 3, 49 * time.Second, false},
		{"frozen, three beats", 3, 51 * time.Second, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var beats int
				frame := func() uint64 { beats++; return uint64(min(beats, tc.frozen)) }
				hung := false
				ctx, cancel := context.WithTimeout(t.Context(), tc.after)
				defer cancel()
				pulse(ctx, frame, Config{Log: slog.New(slog.DiscardHandler), Exit: func(code int) { hung = code == 70 }})
				if hung != tc.hung {
					t.Errorf("hung %v", hung)
				}
			})
		})
	}
}

func TestInputsOfUpdates(t *testing.T) {
	for _, tc := range []struct {
		name string
		u    api.Update
		want scene.Input
	}{
		{"lost", api.Update{}, scene.Lost{}},
		{"found", api.Update{Online: true}, scene.Found{}},
		{"snapshot", api.Update{Online: true, Snapshot: &api.Snapshot{Epoch: "e"}}, scene.Snapshot{Snapshot: api.Snapshot{Epoch: "e"}}},
		{"event", api.Update{Online: true, Event: &api.Event{Kind: api.Departed, Data: []byte(`{"visit":"v"}`)}}, scene.Departed{Visit: "v"}},
	} {
		got, err := input(tc.u)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%s: %s", tc.name, diff)
		}
	}
}

// A presenter that is never asked to draw still takes every input, and one that has ended blocks nobody.
func TestPresenterNeverBlocksFoyerdForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPresenter(Config{Face: api.Kiosk, Log: slog.New(slog.DiscardHandler)}, &sync.WaitGroup{})
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		for range 1000 {
			p.update(ctx, api.Update{Online: true})
			p.touch(scene.Touch{})
		}
	})
}
