package command

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"foyer/sync/journal"
	"foyer/sync/wire"
)

var here = wire.Place{Chain: "wanlian", Store: "fuxing-road"}

func key(n byte) (id string, private ed25519.PrivateKey) {
	private = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{n}, ed25519.SeedSize))
	return wire.KeyID(private.Public().(ed25519.PublicKey)), private
}

// pipe is a line that carries what the test puts in.
type pipe struct {
	fns  map[string]func(string, []byte)
	sent chan []byte
}

func newPipe() *pipe {
	return &pipe{map[string]func(string, []byte){}, make(chan []byte, 1000)}
}

func (p *pipe) Subscribe(filter string, fn func(string, []byte)) { p.fns[filter] = fn }

func (p *pipe) Publish(_ string, _ bool, payload []byte) error {
	p.sent <- payload
	return nil
}

func (p *pipe) bring(sealed []byte) {
	p.fns[here.Down(wire.Commands)](here.Down(wire.Commands), sealed)
}

// box is a store's desk on a journal that outlives it.
type box struct {
	t       *testing.T
	path    string
	skew    time.Duration
	pipe    *pipe
	desk    *Desk
	did     []string // ids, in order
	reports []string
	journal *journal.Journal
	stop    func()
}

func newBox(t *testing.T) *box {
	b := &box{t: t, path: filepath.Join(t.TempDir(), "journal.db")}
	b.start()
	t.Cleanup(func() { b.stop() })
	return b
}

// start runs a journal and a desk. Stop ends both.
func (b *box) start() {
	b.t.Helper()
	j, err := journal.Open(b.path, journal.Options{})
	if err != nil {
		b.t.Fatal(err)
	}
	id, private := key(1)
	b.pipe, b.journal = newPipe(), j
	do := func(_ context.Context, c wire.Command) Answer {
		b.did = append(b.did, c.ID)
		if c.Do == wire.DoConfig {
			return Answer{Outcome: wire.IsDone, Puts: []journal.Put{{Bucket: "settings", Key: "x", Value: []byte(c.Set["x"])}}}
		}
		return Answer{Outcome: wire.IsDone, Why: "well"}
	}
	b.desk = New(Config{Place: here, Journal: j, Pipe: b.pipe, Keys: map[string]ed25519.PublicKey{id: private.Public().(ed25519.PublicKey)},
		Do:     map[wire.Do]func(context.Context, wire.Command) Answer{wire.DoResync: do, wire.DoConfig: do},
		Skew:   func() time.Duration { return b.skew },
		Report: func(_ wire.Kind, a wire.Applied) { b.reports = append(b.reports, string(a.Code)) }})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 2)
	go func() { ended <- j.Run(ctx) }()
	deskCtx, stopDesk := context.WithCancel(context.Background())
	deskEnded := make(chan error, 1)
	go func() { deskEnded <- b.desk.Run(deskCtx) }()
	stopped := false
	b.stop = func() {
		if stopped {
			return
		}
		stopped = true
		stopDesk()
		if err := <-deskEnded; err != nil {
			b.t.Error(err)
		}
		cancel()
		if err := errors.Join(<-ended, j.Close()); err != nil {
			b.t.Error(err)
		}
	}
}

// command is one for this store, good for an hour. Its number is its id's.
func (b *box) command(n int, change func(*wire.Command)) wire.Command {
	now := time.Now()
	c := wire.Command{ID: fmt.Sprintf("C%d", n), Do: wire.DoResync, Number: uint64(n), MadeAt: now, Expires: now.Add(time.Hour)}
	if change != nil {
		change(&c)
	}
	return c
}

func sealed(t *testing.T, c wire.Command, by byte, to wire.Place) []byte {
	t.Helper()
	id, private := key(by)
	data, err := c.Seal(to, id, private)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// send brings a command and waits until the desk has nothing more to do.
func (b *box) send(c wire.Command) {
	b.t.Helper()
	b.pipe.bring(sealed(b.t, c, 1, here))
	b.settle()
}

// settle waits until all goroutines of the bubble rest; what they wait for is a disk, so several times.
func (b *box) settle() {
	for range 50 {
		synctest.Wait()
		time.Sleep(time.Millisecond)
	}
}

// answers are what the journal says, "C1 done".
func (b *box) answers() []string {
	b.t.Helper()
	var records []journal.Record
	for {
		more, err := b.journal.Read(wire.CaseLane, uint64(len(records)+1), 1000, 1<<20)
		if err != nil {
			b.t.Fatal(err)
		}
		if len(more) == 0 {
			break
		}
		records = append(records, more...)
	}
	var all []string
	for _, r := range records {
		rec, err := wire.DecodeRecord(r.Payload)
		if err != nil {
			b.t.Fatal(err)
		}
		var d wire.Done
		if err := json.Unmarshal(rec.Body, &d); err != nil {
			b.t.Fatal(err)
		}
		all = append(all, strings.TrimSpace(fmt.Sprintf("%s %s %s", d.ID, d.Outcome, d.Code)))
	}
	return all
}

func (b *box) want(what string, did []string, answers ...string) {
	b.t.Helper()
	if got := b.answers(); !slices.Equal(b.did, did) || !slices.Equal(got, answers) {
		b.t.Errorf("%s: done %v, answered %q; want %v and %q", what, b.did, got, did, answers)
	}
}

// Once, in time, and answered: also when it comes again, after a restart, and when this box's clock is two days off.
func TestOnceAndInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBox(t)
		defer b.stop()
		first := b.command(1, nil)
		b.send(first)
		b.send(first)
		b.want("twice at once", []string{"C1"}, "C1 done")
		time.Sleep(2 * time.Minute)
		b.send(first)
		b.want("again, later", []string{"C1"}, "C1 done", "C1 done")
		late := b.command(2, nil)
		time.Sleep(time.Hour)
		b.send(late)
		b.want("too late", []string{"C1"}, "C1 done", "C1 done", "C2 expired")
		b.stop()
		b.start()
		b.send(first)
		b.send(late)
		b.want("after a restart", []string{"C1"}, "C1 done", "C1 done", "C2 expired", "C1 done", "C2 expired")
		b.skew = 48 * time.Hour
		ahead := b.command(3, func(c *wire.Command) { c.MadeAt, c.Expires = c.MadeAt.Add(-b.skew), c.Expires.Add(-b.skew) })
		b.send(ahead)
		if b.skew = -48 * time.Hour; len(b.did) != 2 {
			t.Errorf("with a clock two days ahead, done are %v", b.did)
		}
		behind := b.command(4, func(c *wire.Command) { c.MadeAt = c.MadeAt.Add(-time.Hour); c.Expires = time.Now().Add(47 * time.Hour) })
		if b.send(behind); len(b.did) != 2 {
			t.Errorf("with a clock two days behind, something that is over was done: %v", b.did)
		}
		b.skew = 0
		b.send(b.command(5, func(c *wire.Command) { c.Do = "dance" }))
		if got := b.answers(); got[len(got)-1] != "C5 refused unknown" {
			t.Errorf("the answers are %q", got)
		}
	})
}

// What is not headquarters' word to this store changes nothing, and is told once.
func TestNotBelieved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBox(t)
		defer b.stop()
		good := sealed(t, b.command(1, nil), 1, here)
		forged := bytes.Clone(good)
		forged[len(forged)-9] ^= 1
		whole, err := wire.NewSnapshot(wire.Commands, here.Chain, 9, time.Now(), b.command(9, nil))
		if err != nil {
			t.Fatal(err)
		}
		id, private := key(1)
		toAll, err := wire.Seal(whole, id, private)
		if err != nil {
			t.Fatal(err)
		}
		for _, data := range [][]byte{forged, forged, sealed(t, b.command(1, nil), 2, here), sealed(t, b.command(1, nil), 1, wire.Place{Chain: here.Chain, Store: "north"}),
			toAll, good[:40], nil, bytes.Repeat([]byte("x"), wire.MaxCommand+1)} {
			b.pipe.bring(data)
			b.settle()
		}
		if want := []string{"forged", "key", "elsewhere", "elsewhere", "format", "too_large"}; !slices.Equal(b.reports, want) {
			t.Errorf("reported are %v, want %v", b.reports, want)
		}
		b.want("nothing that is believed", nil)
		if c := b.desk.Counts(); c.Unbelieved != 8 {
			t.Errorf("counted are %+v", c)
		}
		b.pipe.bring(good)
		b.settle()
		b.want("the true one", []string{"C1"}, "C1 done")
	})
}

// Many commands: the last ones are known one by one, older ones by their number, over a restart too.
func TestOldOnesAreKnownByTheirNumber(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBox(t)
		defer b.stop()
		first := b.command(1, nil)
		for n := 1; n <= remembered+10; n++ {
			b.pipe.bring(sealed(t, b.command(n, nil), 1, here))
			b.settle()
		}
		if len(b.did) != remembered+10 || b.desk.floor != 10 || len(b.desk.did) != remembered {
			t.Fatalf("done %d, floor %d, %d remembered", len(b.did), b.desk.floor, len(b.desk.did))
		}
		b.stop()
		b.start()
		b.send(first)
		if got := b.answers(); len(b.did) != remembered+10 || got[len(got)-1] != "C1 refused old" {
			t.Errorf("done %d, the last answer is %q", len(b.did), got[len(got)-1])
		}
		state, err := b.journal.State(bucket)
		if err != nil || len(state) != remembered+1 {
			t.Errorf("%d keys are kept, %v", len(state), err)
		}
	})
}

// Power lost at any moment: what a command changes, its answer, and that it was done are there together or not at all.
func TestAllOrNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBox(t)
		defer b.stop()
		c := b.command(1, func(c *wire.Command) { c.Do, c.Set = wire.DoConfig, map[string]string{"x": "y"} })
		for range 3 {
			b.pipe.bring(sealed(t, c, 1, here))
			synctest.Wait()
			b.stop() // wherever it is; headquarters sends it again
			b.start()
			state, err := b.journal.State("settings")
			if err != nil {
				t.Fatal(err)
			}
			if answered, changed := len(b.answers()) > 0, string(state["x"]) == "y"; answered != changed {
				t.Fatalf("answered %v, changed %v", answered, changed)
			}
		}
		b.send(c)
		if got := slices.Collect(maps.Keys(b.desk.did)); !slices.Equal(got, []string{"C1"}) {
			t.Errorf("remembered are %v", got)
		}
	})
}

// A file goes through the broker part by part, though parts and answers are lost.
func TestBrokerUpload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipe()
		up := NewBroker(here, p)
		data := bytes.Repeat([]byte("0123456789"), 3*wire.MaxResultPart/20)
		r := wire.Result{Name: "diagnostics.tar.gz", Size: int64(len(data))}
		ended := make(chan error, 1)
		go func() { ended <- up.Put(t.Context(), "C1", r, data) }()
		var got []byte
		for lost := true; int64(len(got)) < r.Size; lost = !lost {
			part, err := wire.DecodeResultPart(<-p.sent)
			if err != nil {
				t.Fatal(err)
			}
			if lost {
				continue
			}
			if part.Offset == int64(len(got)) {
				got = append(got, part.Data...)
			}
			answer, err := wire.EncodeResultTaken(wire.ResultTaken{ID: "C1", Name: r.Name, Have: int64(len(got))})
			if err != nil {
				t.Fatal(err)
			}
			p.fns[here.Down(wire.ResultTopic)]("", answer)
		}
		if err := <-ended; err != nil || !bytes.Equal(got, data) {
			t.Errorf("%d of %d bytes, %v", len(got), len(data), err)
		}
		go func() { ended <- Uploads{up}.Put(t.Context(), "C2", r, data) }()
		<-p.sent
		no, err := wire.EncodeResultTaken(wire.ResultTaken{ID: "C2", Name: r.Name, No: "nobody waits for it"})
		if err != nil {
			t.Fatal(err)
		}
		p.fns[here.Down(wire.ResultTopic)]("", no)
		if err := <-ended; !errors.Is(err, errUnwanted) {
			t.Errorf("headquarters says no: %v", err)
		}
	})
}
