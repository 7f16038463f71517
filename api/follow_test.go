package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// script is a server that plays what a test tells it to, one part for each connection.
type script struct {
	mu      sync.Mutex
	epoch   string
	last    uint64
	streams []func(w http.ResponseWriter, r *http.Request, send func(string)) // the last one repeats
	asked   []string
	at      []time.Duration
	began   time.Time
}

func (s *script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	snapshot := strings.HasSuffix(r.URL.Path, "/snapshot")
	what := "snapshot"
	if !snapshot {
		what = fmt.Sprintf("events %s %s", r.FormValue("epoch"), r.FormValue("after"))
	}
	s.asked, s.at = append(s.asked, what), append(s.at, time.Since(s.began))
	play := s.streams[0]
	if !snapshot && len(s.streams) > 1 {
		s.streams = s.streams[1:]
	}
	epoch, last := s.epoch, s.last
	s.mu.Unlock()
	if snapshot {
		_ = json.NewEncoder(w).Encode(Snapshot{Epoch: epoch, Last: last})
		return
	}
	play(w, r, func(text string) {
		_, _ = w.Write([]byte(text))
		_ = http.NewResponseController(w).Flush()
	})
}

func wire(id uint64) string {
	return fmt.Sprintf("id: %d\nevent: status\ndata: {\"id\":%d,\"kind\":\"status\",\"at\":\"2026-06-14T09:00:00Z\",\"data\":{}}\n\n", id, id)
}

const resync = "event: resync\ndata: {}\n\n"

func hold(_ http.ResponseWriter, r *http.Request, send func(string)) {
	beat := time.NewTicker(Heartbeat)
	defer beat.Stop()
	for {
		send(": alive\n\n")
		select {
		case <-r.Context().Done():
			return
		case <-beat.C:
		}
	}
}

// followFor follows a script for some virtual time and returns what was told, in short.
func followFor(t *testing.T, s *script, d time.Duration) (told []string) {
	t.Helper()
	s.began = time.Now()
	c := serveHere(t, s)
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	err := Follow(ctx, c, Wall, func(u Update) {
		switch {
		case u.Snapshot != nil:
			told = append(told, fmt.Sprintf("snapshot %s %d", u.Snapshot.Epoch, u.Snapshot.Last))
		case u.Event != nil:
			told = append(told, fmt.Sprintf("event %d", u.Event.ID))
		case u.Online:
			told = append(told, "back")
		default:
			told = append(told, "lost: "+u.Why.Error())
		}
		if (u.Snapshot != nil || u.Event != nil) && !u.Online {
			t.Error("news came while offline")
		}
	})
	if err != nil {
		t.Errorf("Follow ended with %v", err)
	}
	return told
}

type play = func(w http.ResponseWriter, r *http.Request, send func(string))

// say sends some texts and then keeps the stream alive.
func say(texts ...string) play {
	return func(w http.ResponseWriter, r *http.Request, send func(string)) {
		send(strings.Join(texts, ""))
		hold(w, r, send)
	}
}

// quit sends some texts and ends the stream.
func quit(texts ...string) play {
	return func(_ http.ResponseWriter, _ *http.Request, send func(string)) { send(strings.Join(texts, "")) }
}

func TestFollow(t *testing.T) {
	for name, tc := range map[string]struct {
		streams     []play
		told, asked []string
	}{
		"in order": {
			[]play{say(wire(8), wire(9), ": beat\n\n", wire(10))},
			[]string{"snapshot e 7", "event 8", "event 9", "event 10"},
			[]string{"snapshot", "events e 7"},
		},
		"a repeated event is told once": {
			[]play{say(wire(8), wire(7), wire(8), wire(9))},
			[]string{"snapshot e 7", "event 8", "event 9"},
			[]string{"snapshot", "events e 7"},
		},
		"a gap brings a snapshot": {
			[]play{say(wire(8), wire(10)), hold},
			[]string{"snapshot e 7", "event 8", "snapshot e 7"},
			[]string{"snapshot", "events e 7", "snapshot", "events e 7"},
		},
		"a resync brings a snapshot": {
			[]play{quit(resync), hold},
			[]string{"snapshot e 7", "snapshot e 7"},
			[]string{"snapshot", "events e 7", "snapshot", "events e 7"},
		},
		"a broken stream goes on where it was": {
			[]play{quit(wire(8)), say(wire(9))},
			[]string{"snapshot e 7", "event 8", "lost: unexpected EOF", "back", "event 9"},
			[]string{"snapshot", "events e 7", "events e 8"},
		},
		"rubbish is not told": {
			[]play{say("event: status\ndata: {\"id\":\n\n"), say(wire(8))},
			[]string{"snapshot e 7", `lost: event "status": unexpected end of JSON input`, "back", "event 8"},
			[]string{"snapshot", "events e 7", "events e 7"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &script{epoch: "e", last: 7, streams: tc.streams}
				if d := cmp.Diff(tc.told, followFor(t, s, time.Minute)); d != "" {
					t.Error("told: " + d)
				}
				if d := cmp.Diff(tc.asked, s.asked); d != "" {
					t.Error("asked: " + d)
				}
			})
		})
	}
}

// A server that accepts and then says nothing is dead after Silence, and one with heartbeats is alive for hours.
func TestFollowHearsSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mute := func(_ http.ResponseWriter, r *http.Request, send func(string)) { send(wire(1)); <-r.Context().Done() }
		s := &script{epoch: "e", streams: []play{mute, hold}}
		told := followFor(t, s, 3*time.Hour)
		want := []string{"snapshot e 0", "event 1", "lost: " + ErrSilent.Error(), "back"}
		if d := cmp.Diff(want, told); d != "" {
			t.Error(d)
		}
		if again := s.at[2]; again < Silence || again > Silence+firstWait {
			t.Errorf("it came back after %v, want just over %v", again, Silence)
		}
	})
}

// A server that cannot even send headers is dead after Silence too.
func TestFollowHearsSilenceBeforeTheHeaders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stuck := func(_ http.ResponseWriter, r *http.Request, _ func(string)) { <-r.Context().Done() }
		s := &script{epoch: "e", streams: []play{stuck, hold}}
		want := []string{"snapshot e 0", "lost: events of wall: " + ErrSilent.Error(), "back"}
		if d := cmp.Diff(want, followFor(t, s, time.Minute)); d != "" {
			t.Error(d)
		}
	})
}

// The waits double from 100 ms to 2 s, less a random share of up to a third; a refused token waits longer.
func TestFollowBacksOff(t *testing.T) {
	refuse := func(code Code) play {
		return func(w http.ResponseWriter, _ *http.Request, _ func(string)) {
			p := NewProblem(code, "no")
			w.WriteHeader(p.Status)
			_ = json.NewEncoder(w).Encode(p)
		}
	}
	for name, tc := range map[string]struct {
		stream play
		waits  []time.Duration
	}{
		"busy":           {refuse(CodeBusy), []time.Duration{100, 200, 400, 800, 1600, 2000, 2000, 2000}},
		"a wrong token":  {refuse(CodeSignIn), []time.Duration{10_000, 10_000, 10_000}},
		"resync forever": {quit(resync), []time.Duration{0, 0, 0, 200, 0, 400, 0, 800, 0, 1600, 0, 2000}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &script{epoch: "e", streams: []play{tc.stream}}
				followFor(t, s, 40*time.Second)
				for i, want := range tc.waits {
					want *= time.Millisecond
					from := i + 1
					if name == "resync forever" {
						from = i
					}
					if from+1 >= len(s.at) {
						t.Fatalf("only %d requests: %v", len(s.at), s.at)
					}
					if got := s.at[from+1] - s.at[from]; got > want || got < want*2/3 {
						t.Errorf("wait %d was %v, want %v or up to a third less (%v %v)", i, got, want, s.asked, s.at)
					}
				}
			})
		})
	}
}

// Nobody there at the start: said once, then all as usual.
func TestFollowStartsWithoutAServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClient("http://store", "", (&pipeListener{done: closed()}).dial)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		var told []Update
		if err := Follow(ctx, c, Kiosk, func(u Update) { told = append(told, u) }); err != nil {
			t.Error(err)
		}
		if len(told) != 1 || told[0].Online || told[0].Why == nil {
			t.Errorf("told %+v, want once that it is lost and why", told)
		}
	})
}

func closed() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}

func TestStreamErrorsCanBeToldApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{epoch: "e", streams: []play{quit(resync)}}
		c := serveHere(t, s)
		st, err := c.Events(t.Context(), Wall, "e", 0)
		if err != nil {
			t.Fatal(err)
		}
		defer st.Close()
		if _, err := st.Next(); !errors.Is(err, ErrResync) {
			t.Errorf("got %v, want ErrResync", err)
		}
	})
}
