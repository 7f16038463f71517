package journal

import (
	"context"
	"runtime"
	"slices"
)

const (
	maxGroupBytes = 4 << 20 // of payloads in one transaction: more would only make the first wait longer
	maxPrune      = 512     // records in one transaction: some 25 KB written
)

// Run commits until ctx ends, then commits what was submitted before, and returns nil. It returns an error only when this
// process can no longer use the file. It must be called once.
func (j *Journal) Run(ctx context.Context) error {
	defer close(j.stopped)
	if err := j.space.lay(); isFull(err) {
		j.suffocate()
	} else if err != nil {
		j.log.Warn("no reserve for a full disk", "file", j.space.reserve, "error", err)
	}
	defer j.dropCompact()
	for company := false; ; {
		group, open := j.next(ctx, company)
		if !open {
			return j.finish()
		}
		company = len(group) > 1
		if err := j.commit(j.takeCompact(group)); err != nil {
			return j.abandon(err)
		}
		j.compactIfDue()
	}
}

// next waits for work. An empty group means that nothing waits but there is something to prune. With company, those that the
// last commit has just answered get the chance to be among the group; a writer who is alone is not kept waiting for others.
func (j *Journal) next(ctx context.Context, company bool) (group []request, open bool) {
	var prune chan struct{} // never blocks when there is something to prune
	if j.pruneDue() {
		prune = make(chan struct{})
		close(prune)
	}
	for {
		select {
		case r := <-j.queue: // before pruning; it came while the last ones were written
			runtime.Gosched()
			return j.gather(r), true
		default:
		}
		select {
		case r := <-j.queue:
			if company {
				runtime.Gosched()
			}
			return j.gather(r), true
		case <-prune:
			return nil, true
		case err := <-j.copied():
			j.endCompact(err)
		case <-ctx.Done():
			return nil, false
		}
	}
}

// copied is where the end of the copying is told; nil while nothing is copied.
func (j *Journal) copied() <-chan error {
	if j.rewrite == nil {
		return nil
	}
	return j.rewrite.ready
}

// takeCompact begins what was asked for, and returns the other requests.
func (j *Journal) takeCompact(group []request) []request {
	return slices.DeleteFunc(group, func(r request) bool {
		if r.kind != compactFile {
			return false
		}
		if err := j.beginCompact(r.done); err != nil {
			r.answer(0, err)
		}
		return true
	})
}

// gather takes what waits.
func (j *Journal) gather(first request) []request {
	group := []request{first}
	size := len(first.payload)
	for len(group) < queueLength && size < maxGroupBytes {
		select {
		case r := <-j.queue:
			group = append(group, r)
			size += len(r.payload)
		default:
			return group
		}
	}
	return group
}

// finish commits what got through the gate before it was shut.
func (j *Journal) finish() error {
	quiet := j.quiet()
	for {
		select {
		case r := <-j.queue:
			if err := j.commit(j.takeCompact(j.gather(r))); err != nil {
				return j.abandon(err)
			}
		case <-quiet:
			if len(j.queue) == 0 {
				return nil
			}
		}
	}
}

// abandon tells everybody who waits that the file is lost to this process.
func (j *Journal) abandon(err error) error {
	quiet := j.quiet()
	for {
		select {
		case r := <-j.queue:
			r.answer(0, err)
		case <-quiet:
			if len(j.queue) == 0 {
				return err
			}
		}
	}
}

// quiet shuts the gate; the channel is closed when nobody is left between the gate and the queue.
func (j *Journal) quiet() <-chan struct{} {
	j.shutGate()
	quiet := make(chan struct{})
	go func() {
		j.entering.Wait()
		close(quiet)
	}()
	return quiet
}

func (r request) answer(seq uint64, err error) {
	if r.done != nil {
		r.done(seq, err)
	}
}
