package uplink_test

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"

	"foyer/sync/journal"
	"foyer/sync/line"
	"foyer/sync/line/linetest"
	"foyer/sync/uplink"
	"foyer/sync/wire"
)

// generous is how long a test waits for what must happen. It is only ever waited out by a test that fails.
const generous = 60 * time.Second

var here = wire.Place{Chain: "wanlian", Store: "fuxing-road"}

// background runs something until the test ends or stop is called.
func background(t *testing.T, what string, run func(context.Context) error) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("%s: %v", what, err)
			}
		case <-time.After(generous):
			t.Errorf("%s does not end", what)
		}
	})
	t.Cleanup(stop)
	return stop
}

func newLine(url, id string) *line.Line {
	return line.New(line.Config{URL: url, ClientID: id, RetryMin: 5 * time.Millisecond, RetryMax: 50 * time.Millisecond})
}

// store is one store: journal, line and uplink.
type store struct {
	t       *testing.T
	path    string
	url     string
	journal *journal.Journal
	uplink  *uplink.Uplink
	stop    func()
}

func newStore(t *testing.T, url string) *store {
	s := &store{t: t, path: filepath.Join(t.TempDir(), "store.journal"), url: url}
	s.start()
	return s
}

func (s *store) start() {
	s.t.Helper()
	j, err := journal.Open(s.path, journal.Options{})
	if err != nil {
		s.t.Fatal(err)
	}
	l := newLine(s.url, "store")
	s.journal = j
	s.uplink = uplink.New(uplink.Config{Place: here, Journal: j, Pipe: l, Version: "1.0",
		Patience: 100 * time.Millisecond, MaxPatience: 400 * time.Millisecond, Log: slog.New(slog.DiscardHandler)})
	stopJournal := background(s.t, "journal", j.Run)
	stopUplink := background(s.t, "uplink", s.uplink.Run)
	stopLine := background(s.t, "line", l.Run)
	s.stop = sync.OnceFunc(func() {
		stopUplink()
		stopLine()
		stopJournal()
		if err := j.Close(); err != nil {
			s.t.Error(err)
		}
	})
	s.t.Cleanup(s.stop)
}

func (s *store) append(from, to int) {
	s.t.Helper()
	for i := from; i <= to; i++ {
		e := journal.Entry{Lane: wire.MainLane, Payload: fmt.Appendf(nil, `{"n":%d}`, i)}
		if err := s.journal.Submit(s.t.Context(), e); err != nil {
			s.t.Fatal(err)
		}
	}
	if err := s.journal.Wait(s.t.Context(), wire.MainLane, uint64(to-1)); err != nil {
		s.t.Fatal(err)
	}
}

func awaitCursor(t *testing.T, s *store, n uint64) {
	t.Helper()
	s.until(func() bool { return s.journal.Cursor(wire.MainLane, uplink.CursorName) == n })
}

// until looks again after each commit of the journal, until it sees what it wants.
func (s *store) until(there func() bool) {
	s.t.Helper()
	for end := time.Now().Add(generous); !there(); {
		if time.Now().After(end) {
			s.t.Fatalf("waited in vain: %+v", s.uplink.Status())
		}
		if _, err := s.journal.Append(s.t.Context(), journal.Entry{Puts: []journal.Put{{Bucket: "test", Key: "look"}}}); err != nil {
			s.t.Fatal(err)
		}
	}
}

func TestRecordsArriveAndAreAcknowledged(t *testing.T) {
	linetest.Each(t, func(t *testing.T, b linetest.Broker) {
		hq := newHeadquarters()
		hq.connect(t, b.URL())
		s := newStore(t, b.URL())
		s.append(1, 1234)
		hq.check(t, s, 1234)
		status := s.uplink.Status()
		if status.Acked != 1234 || status.Last != 1234 || status.LastAck.IsZero() || status.Why != "" || status.SentBatches == 0 {
			t.Errorf("status %+v", status)
		}
		if status.Skew < -5*time.Second || status.Skew > 5*time.Second {
			t.Errorf("skew %v on one machine", status.Skew)
		}
		s.append(1235, 1235) // a single one does not wait for company
		hq.check(t, s, 1235)
	})
}

// The whole of it: more than twenty cuts, two broker restarts, one restart of the store; each record once, in order.
func TestNothingIsLostOrDoubledThroughCutsAndRestarts(t *testing.T) {
	linetest.Each(t, func(t *testing.T, b linetest.Broker) {
		const n, cuts = 20_000, 24
		hq := newHeadquarters()
		hq.connect(t, b.URL())
		proxy := linetest.NewProxy(t, b.Address())
		s := newStore(t, proxy.URL())
		epoch := s.journal.Epoch()
		s.append(1, n/2)
		for i := range cuts {
			hq.await(t, epoch, (i+1)*n/2/(cuts+2))
			switch {
			case i%8 == 3:
				b.Stop()
				b.Start()
				fallthrough
			case i%2 == 0:
				proxy.Cut()
			default:
				proxy.CutAfter(10_000 + i*1000) // in the middle of a batch
			}
			s.append(n/2+i*n/2/cuts+1, n/2+(i+1)*n/2/cuts)
			if i == cuts/2 {
				s.stop()
				s.start()
			}
		}
		hq.check(t, s, s.total())
		hq.mu.Lock()
		defer hq.mu.Unlock()
		t.Logf("%d rows, %d duplicates dropped, %d batches behind a gap, %d batches sent since the restart",
			len(hq.rows[epoch]), hq.dups, hq.gaps, s.uplink.Status().SentBatches)
		if len(hq.rows) != 1 {
			t.Errorf("%d epochs, want one", len(hq.rows))
		}
	})
}

func (s *store) total() int { return int(s.journal.Last(wire.MainLane)) }

func TestHeadquartersAwayForTheWholeRun(t *testing.T) {
	linetest.Each(t, func(t *testing.T, b linetest.Broker) {
		s := newStore(t, b.URL())
		s.append(1, 3000)
		// The broker takes everything and nobody is behind it: nothing but questions.
		s.until(func() bool { return s.uplink.Status().SentBatches >= 4 })
		if got := s.journal.Cursor(wire.MainLane, uplink.CursorName); got != 0 {
			t.Fatalf("the cursor is at %d though headquarters never answered", got)
		}
		records, err := s.journal.Read(wire.MainLane, 1, 1, 0)
		if err != nil || len(records) != 1 || records[0].Seq != 1 {
			t.Fatalf("the first record: %v, %v", records, err)
		}
		s.stop()
		s.start()
		hq := newHeadquarters()
		hq.connect(t, b.URL())
		hq.check(t, s, s.total())
	})
}

func TestTheBrokerAwayForTheWholeRun(t *testing.T) {
	b := linetest.Embedded(t)
	b.Stop()
	s := newStore(t, b.URL())
	s.append(1, 500)
	if status := s.uplink.Status(); status.Acked != 0 || status.Last != 500 || status.SentBatches != 0 {
		t.Errorf("status %+v", status)
	}
	b.Start()
	hq := newHeadquarters()
	hq.connect(t, b.URL())
	hq.check(t, s, 500)
}

// A broker that takes batches and dies, loses some, repeats others, and repeats and reorders acknowledgements.
func TestABrokerThatMisbehaves(t *testing.T) {
	hq := newHeadquarters()
	fake := linetest.NewFake(t, func(n int, c *linetest.Conn) {
		if !c.Greet() {
			return
		}
		var old [][]byte
		seen := 0
		for {
			p, ok := c.Next()
			if !ok {
				return
			}
			switch p := p.(type) {
			case *packets.SubscribePacket:
				c.Granted(p, 1)
			case *packets.PublishPacket:
				if !strings.Contains(p.TopicName, "/up/") {
					c.Acknowledge(p)
					continue
				}
				seen++
				if n < 6 && seen > n { // the connection ends with a batch taken and neither acknowledged nor passed on
					return
				}
				c.Acknowledge(p)
				if n < 12 && seen%3 == 2 {
					continue // acknowledged by the broker and lost
				}
				for range 2 {
					answer, err := hq.ingest(p.Payload)
					if err != nil {
						t.Error(err)
						return
					}
					c.Send(here.Ack(), answer)
					old = append(old, answer)
				}
				c.Send(here.Ack(), old[len(old)/2]) // an old one again
				c.Send(here.Ack(), []byte("{}"))
				if n < 12 && seen > 10 {
					return
				}
			}
		}
	})
	s := newStore(t, fake.URL())
	s.append(1, 10_000)
	hq.check(t, s, 10_000)
	hq.mu.Lock()
	defer hq.mu.Unlock()
	if hq.dups == 0 || hq.gaps == 0 {
		t.Errorf("%d duplicates, %d gaps: the test did not do what it is for", hq.dups, hq.gaps)
	}
	if why := s.uplink.Status().Why; why != "" {
		t.Errorf("status says %q", why)
	}
}

func TestAnAcknowledgementBeyondTheJournalBeginsAnEpochAndMovesNothing(t *testing.T) {
	b := linetest.Embedded(t)
	s := newStore(t, b.URL())
	s.append(1, 10)
	stranger := newLine(b.URL(), "stranger")
	up := make(chan struct{}, 1)
	stranger.OnUp(func() { up <- struct{}{} })
	background(t, "stranger", stranger.Run)
	<-up
	for _, a := range []wire.Ack{
		{Epoch: "ANOTHER", Lane: wire.MainLane, Upto: 5},
		{Epoch: s.journal.Epoch(), Lane: "other", Upto: 6},
		{Epoch: s.journal.Epoch(), Lane: wire.MainLane, Upto: 11},
	} {
		a.HQTime = time.Now()
		data, err := wire.EncodeAck(a)
		if err != nil {
			t.Fatal(err)
		}
		if err := stranger.Publish(here.Ack(), true, data); err != nil {
			t.Fatal(err)
		}
	}
	s.until(func() bool { return strings.Contains(s.uplink.Status().Why, "restored from an older image") })
	if got := s.journal.Cursor(wire.MainLane, uplink.CursorName); got != 0 {
		t.Errorf("the cursor went to %d", got)
	}
}

func TestTheStoreSaysThatItIsOnline(t *testing.T) {
	b := linetest.Embedded(t)
	hq := newHeadquarters()
	hq.connect(t, b.URL())
	s := newStore(t, b.URL())
	s.append(1, 1)
	hq.check(t, s, 1)
	hq.mu.Lock()
	defer hq.mu.Unlock()
	if len(hq.states) != 1 || !hq.states[0].Online || hq.states[0].Version != "1.0" {
		t.Errorf("states %+v", hq.states)
	}
}
