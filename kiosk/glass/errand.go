package glass

import (
	"context"
	"crypto/rand"
	"errors"
	"time"

	"foyer/api"
	"foyer/kiosk/scene"
)

// errandTime is how long foyerd may take to answer a person who waits.
const errandTime = 8 * time.Second

// errands brings what a person wants to foyerd, and its answer back.
type errands struct {
	cfg    Config
	random string // random, of this run: forms are numbered anew after a restart
	last   uint64
	line   chan scene.Ask
}

func newErrands(c Config) *errands {
	return &errands{cfg: c, random: rand.Text()[:12], line: make(chan scene.Ask, 4)}
}

// take queues a question that was not taken yet. Only the presenter's goroutine takes.
func (e *errands) take(a scene.Ask) {
	if a.N <= e.last {
		return
	}
	select {
	case e.line <- a:
		e.last = a.N
	default: // the ones before are still on their way: the next tick tries again
	}
}

// run asks until ctx ends.
func (e *errands) run(ctx context.Context, answer func(scene.Answered)) {
	for {
		select {
		case <-ctx.Done():
			return
		case a := <-e.line:
			answer(e.ask(ctx, a))
		}
	}
}

func (e *errands) ask(ctx context.Context, a scene.Ask) scene.Answered {
	ctx, cancel := context.WithTimeout(ctx, errandTime)
	defer cancel()
	out := scene.Answered{N: a.N}
	var err error
	switch {
	case a.Help != nil:
		err = e.cfg.Foyerd.CallStaff(ctx, *a.Help)
	case a.SignUp != nil:
		form := *a.SignUp
		form.Key = e.random + "-" + form.Key
		form.Text = e.cfg.Words.Version(form.Language, "kiosk.join.allow_")
		if form.Consents == nil {
			form.Consents = []string{}
		}
		out.Joined, err = e.cfg.Foyerd.SignUp(ctx, form)
	}
	if err == nil {
		return out
	}
	out.Failed = true
	if p, ok := errors.AsType[*api.Problem](err); ok {
		out.Why = p.Code
	}
	e.cfg.Log.Warn("foyerd did not do what was asked at the kiosk", "code", out.Why)
	return out
}
