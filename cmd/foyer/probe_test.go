package main

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	profiles "foyer/firmware-profiles"
	"foyer/reader/sim"
)

// asks lists the profiles that have a question.
func asks(profile string) bool {
	p, ok := profiles.Find(profile)
	return ok && p.Probe != nil
}

// Every reader that can be asked is found by its question, with no tag near it, and is not taken for another.
func TestProbeAsks(t *testing.T) {
	for _, s := range simulators {
		if !asks(s.profile) {
			continue
		}
		t.Run(s.profile, func(t *testing.T) {
			t.Parallel()
			port := plug(t, t.TempDir(), "usb-reader", func(p *sim.PTY) runner {
				d, err := s.make(p, nil, -50)
				if err != nil {
					t.Fatal(err)
				}
				return d
			})
			got, code := probe(t, prober{listen: 100 * time.Millisecond}, port)
			f := got["usb-reader"]
			if code != 0 || f.State != "fits" || f.Profile != s.profile || !strings.Contains(f.Why, "answers") {
				t.Errorf("exit %d, %+v", code, f)
			}
		})
	}
}

// Every serial profile can be found: by its question, or by listening.
func TestEverySerialProfileHasASimulator(t *testing.T) {
	for _, p := range profiles.Builtin() {
		if p.Kind == profiles.Serial && !slices.Contains(simulatorNames(), p.ID) {
			t.Errorf("%s is played by nobody", p.ID)
		}
	}
}

// A reader that only talks is found when somebody shows it a card at the prober's word.
func TestProbeWaitsForACard(t *testing.T) {
	patient := tapping
	tapping = 50 * time.Millisecond
	t.Cleanup(func() { tapping = patient })
	for _, s := range simulators {
		if asks(s.profile) {
			continue
		}
		t.Run(s.profile, func(t *testing.T) {
			t.Parallel()
			shown := make(chan struct{})
			path := plug(t, t.TempDir(), "usb-reader", func(p *sim.PTY) runner {
				tags, err := s.tags(nil)
				if err != nil {
					t.Fatal(err)
				}
				d, err := s.make(p, tags, -50)
				if err != nil {
					t.Fatal(err)
				}
				return later{d, shown}
			})
			f := found{Port: path, Kind: "serial"}
			show := sync.OnceFunc(func() { close(shown) })
			prober{listen: 30 * time.Millisecond, listenOnly: true, card: 30 * time.Second, ask: func(string) { show() }}.look(t.Context(), &f)
			if f.State != "fits" || f.Profile != s.profile || strings.Contains(f.Why, "9521") {
				t.Errorf("%+v", f)
			}
		})
	}
}

// later is a reader to which a card is shown when asked for.
type later struct {
	runner
	shown <-chan struct{}
}

func (l later) Run(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case <-l.shown:
		return l.runner.Run(ctx)
	}
}

// What talks without being shown anything is no scanner, although its lines are text; nobody is asked for a card then.
func TestProbeTakesNoModemForAScanner(t *testing.T) {
	port := plug(t, t.TempDir(), "usb-modem", func(p *sim.PTY) runner { return babble{p} })
	f := found{Port: port, Kind: "serial"}
	asked := false
	prober{listen: 100 * time.Millisecond, listenOnly: true, card: 10 * time.Second, ask: func(string) { asked = true }}.look(t.Context(), &f)
	if f.State != "unclear" || f.Profile != "" || asked {
		t.Errorf("asked %v, %+v", asked, f)
	}
}

// Where two profiles fit equally well, neither is named.
func TestProbeDoesNotGuess(t *testing.T) {
	f := found{Tried: []tried{{Profile: "a", Bytes: 9, Frames: 2}, {Profile: "b", Bytes: 9, Frames: 2}, {Profile: "c", Bytes: 9, Frames: 1}}}
	f.judge()
	if f.State != "unclear" || f.Profile != "" || !strings.Contains(f.Why, "a and b") {
		t.Errorf("%+v", f)
	}
	f.Tried = append(f.Tried, tried{Profile: "c", Answered: true})
	f.judge()
	if f.State != "fits" || f.Profile != "c" {
		t.Errorf("%+v", f)
	}
}
