package main

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	profiles "foyer/firmware-profiles"
	"foyer/reader"
	"foyer/reader/sim"
	"foyer/reader/tag"
)

// Whoever has a session or talks all the time can be played; so can those that tell once over a serial line.
func TestEveryProfileHasItsSimulator(t *testing.T) {
	for _, p := range profiles.Builtin() {
		if has := slices.Contains(simulatorNames(), p.ID); has != (p.Kind == profiles.Serial) {
			t.Errorf("%s: simulator %v", p.ID, has)
		}
	}
}

// A real session with each profile hears a tag from its simulator, over a real pseudo-terminal.
func TestSessionsHearTheSimulators(t *testing.T) {
	patient := tapping
	tapping = 100 * time.Millisecond
	t.Cleanup(func() { tapping = patient })
	for _, s := range simulators {
		t.Run(s.profile, func(t *testing.T) {
			t.Parallel()
			p, _ := profiles.Find(s.profile)
			path := filepath.Join(t.TempDir(), "port")
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			ended := make(chan error, 2)
			go func() { ended <- playQuick(ctx, s, path) }()
			r, err := reader.New(reader.Config{Name: "r", Profile: p, Port: path, Secret: make([]byte, 32), Log: slog.New(slog.DiscardHandler)})
			if err != nil {
				t.Fatal(err)
			}
			reads := make(chan tag.Read, 8)
			go func() { ended <- r.Run(ctx, reads, nil) }()
			select {
			case read := <-reads:
				if read.ID.IsZero() {
					t.Error("a read without a tag")
				}
			case <-ctx.Done():
				t.Errorf("heard nothing; %+v", r.Health())
			}
			cancel()
			for range 2 {
				if err := <-ended; err != nil {
					t.Error(err)
				}
			}
		})
	}
}

func playQuick(ctx context.Context, s simulated, path string) error {
	return play(ctx, s, path, nil, -56, io.Discard)
}

func TestSimRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		exit int
		want string
	}{
		"nothing":         {nil, 2, "foyer sim reader PROFILE"},
		"no port":         {[]string{"reader", "pn532"}, 2, "--pty PATH"},
		"no such profile": {[]string{"reader", "wiegand26", "--pty", "x"}, 2, "want one of 7941e"},
		"not hex":         {[]string{"reader", "pn532", "--pty", "x", "--tag", "zz"}, 1, "want hex digits"},
		"half a fob":      {[]string{"reader", "rdm6300", "--pty", filepath.Join(t.TempDir(), "p"), "--tag", "6F00"}, 1, "10 hex digits"},
	} {
		var stdout, stderr bytes.Buffer
		if exit := simCommand(c.args, &stdout, &stderr); exit != c.exit || !strings.Contains(stderr.String(), c.want) {
			t.Errorf("%s: exit %d: %s", name, exit, &stderr)
		}
	}
	if _, err := sim.NewSSIScanner(nil, "", time.Second); err == nil {
		t.Error("an empty code is taken")
	}
}
