package fault

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"foyer/hq"
	"foyer/hq/broker"
	"foyer/hq/store"
	"foyer/hq/store/storetest"
	"foyer/sync/journal"
	"foyer/sync/line"
	"foyer/sync/line/linetest"
	"foyer/sync/uplink"
	"foyer/sync/wire"
)

// generous is how long a test waits for what must happen. It is only ever waited out by a test that fails.
const generous = 90 * time.Second

var here = wire.Place{Chain: "harbour", Store: "north"}

var quiet = slog.New(slog.DiscardHandler)

// background runs something until stop is called or the test ends.
func background(t *testing.T, what string, run func(context.Context) error) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("%s: %v", what, err)
		}
	})
	t.Cleanup(stop)
	return stop
}

func newLine(url, id string) *line.Line {
	return line.New(line.Config{URL: url, ClientID: id, Username: here.Store, Password: "secret", RetryMin: 5 * time.Millisecond, RetryMax: 50 * time.Millisecond})
}

// headquarters is the real one, behind a broker of its own or Mosquitto. It keeps its address over restarts.
type headquarters struct {
	t       *testing.T
	dir     string
	address string
	outside linetest.Broker // nil: the embedded one
	hq      *hq.HQ
	stop    func()
}

// each runs a test with both brokers.
func each(t *testing.T, test func(t *testing.T, h *headquarters)) {
	t.Run("embedded", func(t *testing.T) { test(t, alone(t)) })
	t.Run("mosquitto", func(t *testing.T) {
		b := linetest.Mosquitto(t)
		h := &headquarters{t: t, dir: storetest.Link(t, t.TempDir()), address: b.Address(), outside: b}
		h.start()
		test(t, h)
	})
}

// alone is a headquarters with the embedded broker.
func alone(t *testing.T) *headquarters {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h := &headquarters{t: t, dir: storetest.Link(t, t.TempDir()), address: l.Addr().String()}
	l.Close()
	h.start()
	return h
}

func (h *headquarters) start() {
	h.t.Helper()
	var err error
	if h.hq, err = hq.Open(hq.Config{Dir: h.dir, Chain: here.Chain, TagSecret: bytes.Repeat([]byte{7}, 32), Log: quiet}); err != nil {
		h.t.Fatal(err)
	}
	stores, err := h.hq.Stores(h.t.Context())
	if err == nil && len(stores) == 0 {
		_, err = h.hq.AddStore(h.t.Context(), here.Store, "", "North")
	}
	if err != nil {
		h.t.Fatal(err)
	}
	var b hq.Broker
	if h.outside != nil {
		l := newLine("tcp://"+h.address, "hq")
		b = broker.NewExternal(here.Chain, l, quiet)
	} else if b, err = broker.Listen(broker.EmbeddedConfig{Chain: here.Chain, Addr: h.address, Auth: func(string, string) bool { return true }}); err != nil {
		h.t.Fatal(err)
	}
	now := h.hq
	stopRun := background(h.t, "headquarters", func(ctx context.Context) error { return now.Run(ctx, b) })
	h.stop = sync.OnceFunc(func() {
		stopRun()
		if err := now.Close(); err != nil {
			h.t.Error(err)
		}
	})
	h.t.Cleanup(h.stop)
}

// backup copies the database while headquarters is down, and restore puts it back.
func (h *headquarters) backup() (restore func()) {
	h.stop()
	saved := h.t.TempDir()
	copyFiles(h.t, h.dir, saved)
	restoreRows := func() {}
	if at, err := hq.DatabaseAt(h.dir); err == nil && store.IsURL(at) {
		restoreRows = storetest.Backup(h.t, at)
	}
	h.start()
	return func() {
		h.stop()
		for _, f := range files(h.t, h.dir) {
			os.RemoveAll(filepath.Join(h.dir, f))
		}
		copyFiles(h.t, saved, h.dir)
		restoreRows()
		h.start()
	}
}

func files(t *testing.T, dir string) (names []string) {
	t.Helper()
	all, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range all {
		names = append(names, e.Name())
	}
	return names
}

func copyFiles(t *testing.T, from, to string) {
	t.Helper()
	for _, name := range files(t, from) {
		in, err := os.Open(filepath.Join(from, name))
		if err != nil {
			t.Fatal(err)
		}
		if what, err := in.Stat(); err == nil && what.IsDir() {
			in.Close()
			if err := os.MkdirAll(filepath.Join(to, name), 0o700); err != nil {
				t.Fatal(err)
			}
			copyFiles(t, filepath.Join(from, name), filepath.Join(to, name))
			continue
		}
		out, err := os.OpenFile(filepath.Join(to, name), os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
		if err == nil {
			_, err = io.Copy(out, in)
			in.Close()
			err = firstOf(err, out.Close())
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// box is a store's box: its journal, line and uplink.
type box struct {
	t       *testing.T
	dir     string
	url     string
	broker  string // where url leads when the box hears headquarters
	keep    time.Duration
	journal *journal.Journal
	uplink  *uplink.Uplink
	stop    func()
}

func newBox(t *testing.T, h *headquarters) *box {
	b := &box{t: t, dir: t.TempDir(), url: "tcp://" + h.address}
	b.start()
	return b
}

func (b *box) start() {
	b.t.Helper()
	j, up, l := open(b.t, b.dir, b.url, b.keep)
	b.journal, b.uplink = j, up
	stopJournal := background(b.t, "journal", j.Run)
	stopUplink := background(b.t, "uplink", up.Run)
	stopLine := background(b.t, "line", l.Run)
	b.stop = sync.OnceFunc(func() {
		stopUplink()
		stopLine()
		stopJournal()
		if err := j.Close(); err != nil {
			b.t.Error(err)
		}
	})
	b.t.Cleanup(b.stop)
}

func open(t testing.TB, dir, url string, keep time.Duration) (*journal.Journal, *uplink.Uplink, *line.Line) {
	j, err := journal.Open(filepath.Join(dir, "journal.db"), journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	l := newLine(url, "foyerd-north")
	return j, uplink.New(uplink.Config{Place: here, Journal: j, Pipe: l, Version: "1.0", Patience: 200 * time.Millisecond, MaxPatience: time.Second, Keep: keep}), l
}

// hears starts the box anew, with a line to headquarters or with none.
func (b *box) hears(headquarters bool) {
	b.stop()
	if b.broker == "" {
		b.broker = b.url
	}
	if b.url = b.broker; !headquarters {
		b.url = "tcp://127.0.0.1:1"
	}
	b.start()
}

// image copies the box's disk while it is off; restore puts it back and starts the box.
func (b *box) image() (restore func()) {
	b.stop()
	saved := b.t.TempDir()
	copyFiles(b.t, b.dir, saved)
	b.start()
	return func() {
		b.stop()
		copyFiles(b.t, saved, b.dir)
		b.start()
	}
}

// writes appends visits that started, each with a name of its own.
func (b *box) writes(lane string, names ...string) {
	b.t.Helper()
	for _, name := range names {
		payload, err := wire.EncodeRecord(wire.NewRecord(wire.VisitStarted, time.Now(), wire.Visit{Visit: name, Member: "m-1", Nth: 1}))
		if err == nil {
			_, err = b.journal.Append(b.t.Context(), journal.Entry{Lane: lane, Payload: payload})
		}
		if err != nil {
			b.t.Fatal(err)
		}
	}
}

func numbered(prefix string, from, to int) (names []string) {
	for i := from; i <= to; i++ {
		names = append(names, fmt.Sprint(prefix, i))
	}
	return names
}

// until looks again after each commit of the journal.
func (b *box) until(what string, there func() bool) {
	b.t.Helper()
	for end := time.Now().Add(generous); !there(); {
		if time.Now().After(end) {
			b.t.Fatalf("waited in vain until %s: %+v", what, b.uplink.Status())
		}
		if _, err := b.journal.Append(b.t.Context(), journal.Entry{Puts: []journal.Put{{Bucket: "test", Key: "look"}}}); err != nil {
			b.t.Fatal(err)
		}
	}
}

func (b *box) settled() {
	b.t.Helper()
	b.until("all is acknowledged", func() bool {
		s := b.uplink.Status()
		return s.Acked == s.Last && s.Why == ""
	})
}

// visits is what headquarters stored of a lane, in the order of epochs as they began and of sequences.
func (h *headquarters) visits(lane string, epochs ...string) (names []string) {
	h.t.Helper()
	rows := h.rows()
	for _, epoch := range epochs {
		for _, r := range rows {
			if r.Lane == lane && r.Epoch == epoch {
				record := wire.Record{Kind: r.Kind, At: r.At, Body: r.Body}
				body, err := record.Open()
				if err != nil {
					h.t.Fatal(err)
				}
				names = append(names, body.(*wire.Visit).Visit)
			}
		}
	}
	return names
}

func (h *headquarters) rows() []store.Row {
	h.t.Helper()
	rows, err := h.hq.DB().Records(h.t.Context(), here.Store, "", 0, 10_000_000)
	if err != nil {
		h.t.Fatal(err)
	}
	return rows
}
