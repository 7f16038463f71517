package uplink_test

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"foyer/sync/journal"
	"foyer/sync/line"
	"foyer/sync/uplink"
	"foyer/sync/wire"
)

// desk is a pipe whose other end a test holds, with a headquarters that takes everything in order.
type desk struct {
	mu    sync.Mutex
	sent  []wire.Batch
	said  []wire.State
	bytes int64
	each  int64 // bytes that a batch costs
	takes int
	mute  bool
	there bool // the line is up
	ack   func(string, []byte)
	onUp  func()
}

func (d *desk) up() {
	d.mu.Lock()
	d.there = true
	d.mu.Unlock()
	d.onUp()
}

func (d *desk) Subscribe(_ string, fn func(string, []byte)) { d.ack = fn }
func (d *desk) OnUp(fn func())                              { d.onUp = fn }

func (d *desk) Publish(topic string, _ bool, payload []byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.there {
		return line.ErrOffline
	}
	if topic == here.State() {
		s, err := wire.DecodeState(payload)
		d.said = append(d.said, s)
		return err
	}
	b, err := wire.DecodeBatch(payload)
	if err != nil {
		return err
	}
	d.sent = append(d.sent, b)
	if d.bytes += d.each; d.mute {
		return nil
	}
	a, err := wire.EncodeAck(wire.Ack{Epoch: b.Epoch, Lane: b.Lane, Upto: b.Last(), HQTime: time.Now(), Takes: d.takes})
	d.ack("", a)
	return err
}

func (d *desk) traffic() int64 { d.mu.Lock(); defer d.mu.Unlock(); return d.bytes }

// lanesSent are the lanes of the batches since the last call, runs of one lane told once.
func (d *desk) lanesSent() (lanes []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, b := range d.sent {
		lanes = append(lanes, b.Lane)
	}
	d.sent = nil
	return slices.Compact(lanes)
}

// classes are what the stories write in each lane.
var classes = map[string]journal.Class{wire.MainLane: journal.Visit, wire.CountLane: journal.Statistic}

// inBubble runs an uplink in virtual time.
func inBubble(t *testing.T, budget int64, story func(d *desk, u *uplink.Uplink, write func(lane string, n int))) {
	inBubbleWith(t, journal.Options{}, budget, func(d *desk, u *uplink.Uplink, _ *journal.Journal, write func(string, int)) { story(d, u, write) })
}

func inBubbleWith(t *testing.T, o journal.Options, budget int64, story func(d *desk, u *uplink.Uplink, j *journal.Journal, write func(lane string, n int))) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		j, err := journal.Open(filepath.Join(dir, "journal.db"), o)
		if err != nil {
			t.Fatal(err)
		}
		d := &desk{takes: wire.BatchCompact}
		u := uplink.New(uplink.Config{Place: here, Journal: j, Pipe: d, Version: "1.0", Budget: budget, Traffic: d.traffic, Log: slog.New(slog.DiscardHandler)})
		ctx, cancel := context.WithCancel(context.Background())
		base, end := context.WithCancel(context.Background())
		var all, journals sync.WaitGroup
		journals.Go(func() { j.Run(base) })
		all.Go(func() {
			if err := u.Run(ctx); err != nil {
				t.Error(err)
			}
		})
		story(d, u, j, func(lane string, n int) {
			for i := range n {
				payload := fmt.Appendf(nil, `{"k":"visit.started","at":"2026-06-14T12:00:00Z","b":{"n":%d}}`, i)
				if _, err := j.Append(base, journal.Entry{Lane: lane, Class: classes[lane], Payload: payload}); err != nil {
					t.Fatal(err)
				}
			}
		})
		cancel()
		all.Wait()
		end()
		journals.Wait()
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestWhatPeopleWereGivenGoesFirst(t *testing.T) {
	inBubble(t, 0, func(d *desk, u *uplink.Uplink, write func(string, int)) {
		write(wire.CountLane, 600)
		write(wire.MainLane, 600)
		write(wire.CaseLane, 600)
		d.up()
		time.Sleep(time.Second)
		got := d.lanesSent()
		want := []string{wire.CaseLane, wire.MainLane, wire.CountLane} // a question each, and then the backlogs in their order
		if !slices.Equal(got, append(want, want...)) {
			t.Errorf("sent in the order %v", got)
		}
		if s := u.Status(); s.Acked != 1800 || s.Last != 1800 || !s.Oldest().IsZero() || s.Lanes[0].Lane != wire.CaseLane {
			t.Errorf("status %+v", s)
		}
	})
}

func TestALaneThatGetsNoAnswerHoldsNobodyUp(t *testing.T) {
	inBubble(t, 0, func(d *desk, u *uplink.Uplink, write func(string, int)) {
		d.up()
		write(wire.CaseLane, 1)
		time.Sleep(time.Second)
		d.mu.Lock()
		d.mute = true
		d.mu.Unlock()
		write(wire.CaseLane, 5000)
		time.Sleep(3 * time.Second) // the window is full, and then nothing but questions
		d.lanesSent()
		write(wire.MainLane, 10)
		time.Sleep(time.Second)
		if got := d.lanesSent(); !slices.Contains(got, wire.MainLane) {
			t.Errorf("sent %v", got)
		}
	})
}

func TestAMeteredLineWaitsForTomorrow(t *testing.T) {
	inBubble(t, 1_000_000, func(d *desk, u *uplink.Uplink, write func(string, int)) {
		d.up()
		d.each = 100_000
		day := func(want ...string) {
			t.Helper()
			write(wire.CaseLane, 1)
			write(wire.MainLane, 1)
			write(wire.CountLane, 1)
			time.Sleep(2 * time.Minute)
			if got := d.lanesSent(); !slices.Equal(got, want) {
				t.Errorf("at %d bytes: sent %v, want %v", u.Status().Spent, got, want)
			}
		}
		time.Sleep(time.Minute)
		// The lanes' first records are questions and go at once; later ones wait for company, the numbers longest.
		day(wire.CaseLane, wire.MainLane, wire.CountLane)
		day(wire.CaseLane, wire.MainLane, wire.CountLane)
		day(wire.CaseLane, wire.MainLane) // 60 % are spent: numbers wait
		day(wire.CaseLane)                // 90 %: visits, too
		day(wire.CaseLane)                // beyond the budget, and still
		s := u.Status()
		if !s.Lanes[1].Waits || !s.Lanes[2].Waits || s.Lanes[0].Waits || s.Spent != 1_000_000 || s.Lanes[1].Depth() != 2 || s.Lanes[2].Depth() != 3 {
			t.Errorf("status %+v", s)
		}
		time.Sleep(24 * time.Hour)
		if s := u.Status(); s.Acked != s.Last || s.Lanes[1].Waits || s.Spent != 200_000 {
			t.Errorf("the day after: %+v", s)
		}
		d.mu.Lock()
		defer d.mu.Unlock()
		if last := d.said[len(d.said)-1]; last.Budget != 1_000_000 || len(last.Lanes) != 3 || last.Lanes[0].Last != 5 || last.SkewMS == nil {
			t.Errorf("headquarters was told %+v", last)
		}
		if n := len(d.said); n < 4*24 || n > 4*26 {
			t.Errorf("%d states in a day: want one in a quarter of an hour", n)
		}
	})
}

func TestAHeadquartersOfVersionOneIsUnderstood(t *testing.T) {
	inBubble(t, 0, func(d *desk, u *uplink.Uplink, write func(string, int)) {
		d.takes = 0
		write(wire.MainLane, 600)
		d.up()
		time.Sleep(time.Second)
		d.mu.Lock()
		defer d.mu.Unlock()
		for _, b := range d.sent {
			if b.V != wire.BatchJSON {
				t.Errorf("batch from %d on in version %d", b.First, b.V)
			}
		}
		if s := u.Status(); s.Acked != 600 || len(d.sent) > 8 {
			t.Errorf("%d batches, status %+v", len(d.sent), s)
		}
	})
}

// first is the first record of a lane that is still in the journal.
func first(t *testing.T, j *journal.Journal, lane string) uint64 {
	records, err := j.Read(lane, 1, 1, 0)
	if err != nil {
		t.Fatal(err)
	}
	if len(records) == 0 {
		return j.Last(lane) + 1
	}
	return records[0].Seq
}

// What headquarters has is kept for three days; less when the journal is over half full, so that nothing that it lacks is given up
// while something that it has is kept.
func TestWhatHeadquartersHasIsKeptUntilThereIsNoRoom(t *testing.T) {
	marker := func(string, uint64, journal.Why) []byte {
		return []byte(`{"k":"record.lost","at":"2026-06-14T12:00:00Z","b":{"why":"given_up"}}`)
	}
	inBubbleWith(t, journal.Options{MaxBytes: 1 << 20, Marker: marker}, 0, func(d *desk, u *uplink.Uplink, j *journal.Journal, write func(string, int)) {
		fill := func() {
			for range 20 {
				for lane, class := range classes {
					payload := fmt.Appendf(nil, `{"k":"visit.started","at":"2026-06-14T12:00:00Z","b":{"x":"%s"}}`, strings.Repeat("x", 1000))
					if _, err := j.Append(context.Background(), journal.Entry{Lane: lane, Class: class, Payload: payload}); err != nil {
						t.Fatal(err)
					}
				}
			}
			time.Sleep(time.Minute)
		}
		d.up()
		write(wire.MainLane, 300)
		write(wire.CountLane, 300)
		time.Sleep(71 * time.Hour)
		if got := first(t, j, wire.MainLane); got != 1 || u.Status().Acked != 600 {
			t.Errorf("after 71 hours the journal begins at %d, status %+v", got, u.Status())
		}
		time.Sleep(4 * time.Hour)
		write(wire.MainLane, 1) // pruning goes with a commit
		if got := first(t, j, wire.MainLane); got < 300 {
			t.Errorf("after 75 hours the journal begins at %d", got)
		}
		for range 80 { // several times what it holds
			fill()
		}
		h := j.Health()
		if h.Thinned != (journal.Thinned{}) || h.Used > h.Max*3/4 {
			t.Errorf("given up though headquarters has it all: %+v", h)
		}
		if got := j.Cursor(wire.MainLane, uplink.KeptCursor); got < 600 {
			t.Errorf("kept from %d on, in a journal that is over half full", got)
		}
		d.mu.Lock()
		d.there = false
		d.mu.Unlock()
		before := u.Status().Acked
		for range 20 {
			fill()
		}
		s, given := u.Status(), j.Health().Thinned
		if s.Acked != before || given[journal.Statistic] == 0 || s.GivenUp.Statistics != given[journal.Statistic] || s.GivenUp.Visits != given[journal.Visit] {
			t.Errorf("given up %v, status %+v", given, s)
		}
		for _, l := range s.Lanes {
			if got := j.Cursor(l.Lane, uplink.KeptCursor); got != l.Acked {
				t.Errorf("lane %s keeps from %d on, though %d are acknowledged and records are given up", l.Lane, got, l.Acked)
			}
		}
		d.up()
		time.Sleep(time.Hour)
		d.mu.Lock()
		defer d.mu.Unlock()
		last := d.said[len(d.said)-1]
		if last.Given == nil || *last.Given != u.Status().GivenUp || u.Status().Acked != u.Status().Last || u.Status().Lost() != 0 { // a marker stands in each place
			t.Errorf("headquarters was told %+v of %+v", last.Given, u.Status())
		}
	})
}
