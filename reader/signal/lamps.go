package signal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"
)

// Event is what a pattern answers to.
type Event string

// The events.
const (
	Known   Event = "known"   // a member's tag
	Unknown Event = "unknown" // a tag that nobody has
	Refused Event = "refused" // a tag that is blocked, or a card that could not be read
)

// Events lists them, for whoever checks a configuration.
func Events() []Event { return []Event{Known, Unknown, Refused} }

// Switch is one output that is open.
type Switch interface {
	Set(on bool) error
	Close() error
}

// Config is the lamps of one door.
type Config struct {
	Outputs  map[string]func() (Switch, error) // by name; each opens the output, off
	Patterns map[Event]Pattern                 // an event without one shows nothing
	Tell     func(output string, err error)    // is told on Run's goroutine when an output fails, and, with nil, when it works again; nil is fine
	Log      *slog.Logger
}

// Lamps plays patterns on outputs.
type Lamps struct {
	config Config
	events chan Event
	open   map[string]Switch
	on     map[string]bool
	broken map[string]bool // told already
}

// queued is how many events may wait: more than one tap at a time is nothing that a lamp could show.
const queued = 4

// lookAfter is how often outputs that rest are looked at: one that failed is opened again, one whose chip has gone is noticed.
const lookAfter = 5 * time.Second

// NewLamps checks a configuration. It opens nothing.
func NewLamps(c Config) (*Lamps, error) {
	if c.Log == nil {
		return nil, errors.New("lamps: log is needed")
	}
	var faults []error
	for event, pattern := range c.Patterns {
		if !slices.Contains(Events(), event) {
			faults = append(faults, fmt.Errorf("lamps: no event %q, want one of %v", event, Events()))
		}
		for _, t := range pattern {
			if c.Outputs[t.Output] == nil {
				faults = append(faults, fmt.Errorf("lamps: pattern of %q: no output %q, there are %v",
					event, t.Output, slices.Sorted(maps.Keys(c.Outputs))))
			}
		}
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	return &Lamps{
		config: c,
		events: make(chan Event, queued),
		open:   map[string]Switch{},
		on:     map[string]bool{},
		broken: map[string]bool{},
	}, nil
}

// Signal shows an event. It never waits; while many wait already, it is dropped.
func (l *Lamps) Signal(e Event) {
	select {
	case l.events <- e:
	default:
	}
}

// Run shows events until ctx ends. Then all outputs are off and closed. It is run once.
func (l *Lamps) Run(ctx context.Context) error {
	defer l.close()
	l.openAll()
	var p player
	timer := time.NewTimer(0)
	defer timer.Stop()
	look := time.NewTicker(lookAfter)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case e := <-l.events:
			p.play(l.config.Patterns[e], time.Now())
		case <-timer.C:
		case <-look.C:
			l.look()
		}
		now := time.Now()
		if next := p.each(now, l.set); !next.IsZero() {
			timer.Reset(next.Sub(now))
		}
	}
}

// openAll opens every output at once, so that a mistake in a name is told at the start and not at the first visitor.
func (l *Lamps) openAll() {
	for output := range l.config.Outputs {
		l.opened(output)
	}
}

// look opens what is not open, and switches off what is off: that fails where the chip has gone.
func (l *Lamps) look() {
	for output := range l.config.Outputs {
		if s := l.opened(output); s != nil && !l.on[output] {
			l.check(output, s.Set(false))
		}
	}
}

// opened returns an output, opening it if need be, or nil.
func (l *Lamps) opened(output string) Switch {
	if s := l.open[output]; s != nil {
		return s
	}
	s, err := l.config.Outputs[output]()
	if err != nil {
		l.tell(output, err)
		return nil
	}
	if l.broken[output] {
		l.config.Log.Info("output works again", "output", output)
		l.inform(output, nil)
	}
	l.broken[output] = false
	l.open[output], l.on[output] = s, false
	return s
}

// set switches an output if it is not so already.
func (l *Lamps) set(output string, on bool) {
	s := l.opened(output)
	if s == nil || l.on[output] == on {
		return
	}
	if l.check(output, s.Set(on)) {
		l.on[output] = on
	}
}

// check gives an output up that could not be switched, and reports whether it could.
func (l *Lamps) check(output string, err error) bool {
	if err == nil {
		return true
	}
	l.tell(output, err)
	_ = l.open[output].Close() // it is broken already
	delete(l.open, output)
	return false
}

// tell tells of the first of a row of failures.
func (l *Lamps) tell(output string, err error) {
	if !l.broken[output] {
		l.config.Log.Warn("output does not work", "output", output, "err", err)
		l.inform(output, err)
	}
	l.broken[output] = true
}

func (l *Lamps) inform(output string, err error) {
	if l.config.Tell != nil {
		l.config.Tell(output, err)
	}
}

func (l *Lamps) close() {
	for output, s := range l.open {
		if err := errors.Join(s.Set(false), s.Close()); err != nil {
			l.tell(output, err)
		}
	}
	clear(l.open)
}
