package glass

import (
	"context"
	"errors"
	"time"

	"foyer/api"
)

// reporter brings finished sessions and demos (api.Session, api.Tried) to foyerd, in order. While foyerd is away it keeps
// the newest of them.
type reporter struct {
	cfg  Config
	line chan any
	kept func(api.Tried) // told when foyerd has written a demo's end down; may be nil
}

func newReporter(c Config) *reporter {
	return &reporter{cfg: c, line: make(chan any, 256)}
}

// report tells foyerd of one of them.
func (r *reporter) report(ctx context.Context, what any) error {
	t, tried := what.(api.Tried)
	if !tried {
		return r.cfg.Foyerd.ReportSession(ctx, what.(api.Session))
	}
	err := r.cfg.Foyerd.ReportTried(ctx, t)
	if err == nil && r.kept != nil {
		r.kept(t)
	}
	return err
}

// add queues one; with the line full the oldest gives way. Only the presenter's goroutine adds.
func (r *reporter) add(s any) {
	for {
		select {
		case r.line <- s:
			return
		default:
		}
		select {
		case <-r.line:
			r.cfg.Log.Warn("a finished session could not be reported: foyerd has been away for too many of them")
		default:
		}
	}
}

// run sends until ctx ends, and then, for at most a second, what still waits.
func (r *reporter) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			r.last(context.WithoutCancel(ctx))
			return
		case s := <-r.line:
			r.send(ctx, s)
		}
	}
}

// send tries until it succeeds or ctx ends; then the session goes back in the line.
func (r *reporter) send(ctx context.Context, s any) {
	for wait := 250 * time.Millisecond; ; wait = min(2*wait, 10*time.Second) {
		err := r.report(ctx, s)
		if err == nil {
			return
		}
		if refused(err) {
			r.cfg.Log.Warn("foyerd refused a report", "err", err)
			return
		}
		select {
		case <-ctx.Done():
			r.add(s)
			return
		case <-time.After(wait):
		}
	}
}

func (r *reporter) last(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	for {
		select {
		case s := <-r.line:
			if r.report(ctx, s) != nil {
				return
			}
		default:
			return
		}
	}
}

// refused reports whether foyerd understood the report and does not want it: trying again would change nothing.
func refused(err error) bool {
	p, ok := errors.AsType[*api.Problem](err)
	return ok && p.Status >= 400 && p.Status < 500 && p.Status != 401 && p.Status != 403 && p.Status != 429
}
