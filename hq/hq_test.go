package hq

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"foyer/hq/store"
	"foyer/hq/store/storetest"
	"foyer/sync/wire"
)

const patience = 15 * time.Second

// fakeBroker hands over what a test sends, and keeps what is published.
type fakeBroker struct {
	deliver chan func(topic string, payload []byte) error

	mu       sync.Mutex
	retained map[string][]byte
	acks     chan wire.Ack
	changed  chan struct{}
}

func newFakeBroker() *fakeBroker {
	return &fakeBroker{deliver: make(chan func(string, []byte) error, 1), retained: map[string][]byte{}, acks: make(chan wire.Ack, 100), changed: make(chan struct{}, 100)}
}

func (b *fakeBroker) Run(ctx context.Context, deliver func(string, []byte) error) error {
	b.deliver <- deliver
	<-ctx.Done()
	return nil
}

func (b *fakeBroker) Publish(topic string, retain bool, payload []byte) error {
	if !retain {
		ack, err := wire.DecodeAck(payload)
		if err != nil {
			return err
		}
		b.acks <- ack
		return nil
	}
	b.mu.Lock()
	b.retained[topic] = payload
	b.mu.Unlock()
	b.changed <- struct{}{}
	return nil
}

func (b *fakeBroker) Online() (bool, time.Time) { return true, time.Time{} }

// running is headquarters at work.
type running struct {
	*HQ
	t      *testing.T
	broker *fakeBroker
	send   func(topic string, payload []byte) error
	log    *bytes.Buffer
	stop   func()
}

func start(t *testing.T, dir string) *running {
	t.Helper()
	r := &running{t: t, broker: newFakeBroker(), log: &bytes.Buffer{}}
	var err error
	r.HQ, err = Open(Config{Dir: storetest.Link(t, dir), Chain: "harbour", TagSecret: bytes.Repeat([]byte{7}, 32), Log: slog.New(slog.NewTextHandler(r.log, nil)),
		Now: func() time.Time { return time.Date(2026, 9, 30, 12, 0, 0, 0, time.UTC) }})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	all.Go(func() {
		if err := r.Run(ctx, r.broker); err != nil {
			t.Error(err)
		}
	})
	r.stop = sync.OnceFunc(func() {
		cancel()
		all.Wait()
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(r.stop)
	r.send = <-r.broker.deliver
	<-r.Ready()
	return r
}

func at(store string) wire.Place { return wire.Place{Chain: "harbour", Store: store} }

func (r *running) add(store string) {
	r.t.Helper()
	if _, err := r.AddStore(r.t.Context(), store, "", store); err != nil {
		r.t.Fatal(err)
	}
}

func batchOf(t *testing.T, first uint64, records ...wire.Record) []byte {
	t.Helper()
	b := wire.Batch{Epoch: "e", Lane: wire.MainLane, First: first, SentAt: time.Date(2026, 9, 30, 11, 59, 58, 0, time.UTC)}
	for _, r := range records {
		raw, err := wire.EncodeRecord(r)
		if err != nil {
			t.Fatal(err)
		}
		b.Records = append(b.Records, raw)
	}
	data, err := wire.EncodeBatch(b)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func visitRecord(visit string) wire.Record {
	return wire.NewRecord(wire.VisitStarted, time.Date(2026, 9, 30, 11, 59, 0, 0, time.UTC), wire.Visit{Visit: visit, Member: "m-1", Nth: 1})
}

// snapshot waits until a store's retained snapshot of a kind has a version, and opens it.
func (r *running) snapshot(store, kind string, version uint64) wire.Snapshot {
	r.t.Helper()
	id, key := r.PublicKey()
	for {
		r.broker.mu.Lock()
		sealed := r.broker.retained[at(store).Down(kind)]
		r.broker.mu.Unlock()
		if sealed != nil {
			s, err := wire.Open(sealed, map[string]ed25519.PublicKey{id: key})
			if err != nil {
				r.t.Fatal(err)
			}
			if s.Version >= version {
				return s
			}
		}
		select {
		case <-r.broker.changed:
		case <-time.After(patience):
			r.t.Fatalf("no snapshot of %s at version %d", kind, version)
		}
	}
}

func TestAcknowledgesWhatIsStored(t *testing.T) {
	r := start(t, t.TempDir())
	r.add("a")
	for i, step := range []struct {
		first uint64
		upto  uint64
	}{{1, 1}, {1, 1}, {3, 1}, {2, 2}, {3, 3}} {
		if err := r.send(at("a").Up("main"), batchOf(t, step.first, visitRecord("v"+string(rune('0'+step.first))))); err != nil {
			t.Fatal(err)
		}
		if ack := <-r.broker.acks; ack.Upto != step.upto || ack.Epoch != "e" || ack.Lane != "main" {
			t.Errorf("step %d is acknowledged with %+v, want upto %d", i, ack, step.upto)
		}
	}
	visits, err := r.DB().Visits(t.Context(), "a", time.Time{}, 10)
	if err != nil || len(visits) != 3 {
		t.Errorf("%d visits, %v: want 3", len(visits), err)
	}
	stores, err := r.Stores(t.Context())
	if err != nil || stores[0].Line != Online || stores[0].Skew != 2*time.Second || stores[0].Behind != time.Minute {
		t.Errorf("the store is %+v, %v: want online, 2 s of skew, a minute behind", stores, err)
	}
}

// What is wrong in itself is not asked for again, is noted with the store, and is not acknowledged.
func TestBadPayloads(t *testing.T) {
	r := start(t, t.TempDir())
	r.add("a")
	for _, m := range []struct{ topic, payload string }{
		{at("a").Up("main"), "no batch"}, {at("a").Up("main"), `{"v":1}`}, {at("a").Up("other"), string(batchOf(t, 1, visitRecord("v")))},
		{at("nobody").Up("main"), string(batchOf(t, 1, visitRecord("v")))}, {at("a").State(), "no state"}, {at("a").State(), ""},
		{"edge/v1/elsewhere/a/up/main", "x"}, {"nonsense", "x"}, {at("a").Ack(), "x"},
	} {
		if err := r.send(m.topic, []byte(m.payload)); err != nil {
			t.Errorf("%s gives %v, want no error: it will not get better", m.topic, err)
		}
	}
	if len(r.broker.acks) > 0 {
		t.Errorf("%d acknowledgements were sent, want none", len(r.broker.acks))
	}
	stores, err := r.Stores(t.Context())
	if err != nil || stores[0].Bad != 4 || stores[0].LastBad == "" {
		t.Errorf("the store is %+v, %v: want 4 bad payloads, told", stores[0], err)
	}
}

func TestStateOfALine(t *testing.T) {
	r := start(t, t.TempDir())
	r.add("a")
	line := func(want Line) {
		t.Helper()
		if s, err := r.Stores(t.Context()); err != nil || s[0].Line != want {
			t.Fatalf("the line is %s, %v: want %s", s[0].Line, err, want)
		}
	}
	say := func(online bool) {
		t.Helper()
		b, err := wire.EncodeState(wire.State{Online: online, At: r.Now(), Version: "1.2"})
		if err != nil {
			t.Fatal(err)
		}
		if err := r.send(at("a").State(), b); err != nil {
			t.Fatal(err)
		}
	}
	line(Unheard)
	say(true)
	line(Online)
	say(false)
	line(Offline)
	say(true)
	if s, _ := r.Stores(t.Context()); s[0].Version != "1.2" || !s[0].LastSeen.Equal(r.Now()) {
		t.Errorf("version %q, last seen %v", s[0].Version, s[0].LastSeen)
	}
}

func TestPreviewsWorkOnce(t *testing.T) {
	r := start(t, t.TempDir())
	check := func(file string) *Preview {
		t.Helper()
		p, err := r.CheckMembers(t.Context(), []byte(file))
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	first, second := check("id,family\nm-1,王\n"), check("id,family\nm-2,李\n")
	if n, _, _ := r.DB().MemberCount(t.Context()); n != 0 {
		t.Fatalf("checking stored %d members", n)
	}
	if _, err := r.ApplyMembers(t.Context(), first.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := r.ApplyMembers(t.Context(), first.ID); !errors.Is(err, ErrGone) {
		t.Errorf("the second time gives %v, want ErrGone", err)
	}
	if _, err := r.ApplyMembers(t.Context(), second.ID); !errors.Is(err, store.ErrChanged) {
		t.Errorf("a check from before gives %v, want ErrChanged", err)
	}
	if p := check("id\n1\n"); p.ID != "" {
		t.Error("a file with faults can be applied")
	}
}

func TestFilesOfTheFolder(t *testing.T) {
	dir := t.TempDir()
	open := func() (*HQ, error) { return Open(Config{Dir: storetest.Link(t, dir), Chain: "harbour"}) }
	h, err := open()
	if err != nil {
		t.Fatal(err)
	}
	id, key := h.PublicKey()
	text, err := os.ReadFile(h.PublicKeyFile())
	if err != nil {
		t.Fatal(err)
	}
	keys, err := wire.ParsePublicKeys(string(text))
	if err != nil || !keys[id].Equal(key) {
		t.Errorf("the public key's file has %v, %v", keys, err)
	}
	token := h.AdminToken()
	h.Close()
	database := DatabaseFile
	if storetest.OnPostgres() {
		database = LinkFile
	}
	for _, name := range []string{database, signingFile, adminTokenFile} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v: want mode 0600", name, info.Mode(), err)
		}
	}
	h, err = open()
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := h.PublicKey(); again != id || h.AdminToken() != token {
		t.Error("a second start has another key or token")
	}
	h.Close()
	for name, break_ := range map[string]func(path string) error{
		"readable by all": func(p string) error { return os.Chmod(p, 0o644) },
		"cut short":       func(p string) error { return os.WriteFile(p, []byte("foyer-ed25519-private AAAA\n"), 0o600) },
	} {
		path := filepath.Join(dir, signingFile)
		if err := break_(path); err != nil {
			t.Fatal(err)
		}
		os.Chmod(path, map[string]os.FileMode{"readable by all": 0o644, "cut short": 0o600}[name])
		if _, err := open(); err == nil || !strings.Contains(err.Error(), signingFile) {
			t.Errorf("a key file %s gives %v, want an error that names it", name, err)
		}
	}
	if _, err := Open(Config{Dir: t.TempDir(), Chain: "Not A Name"}); err == nil {
		t.Error("a chain's name with spaces is taken")
	}
}

// The log names no member, no tag and no token.
func TestLogIsDiscreet(t *testing.T) {
	r := start(t, t.TempDir())
	token, err := r.AddStore(t.Context(), "a", "", "A")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.ImportMembers(t.Context(), []byte("id,family,tags,consents\nm-secret,王,0008075634,recognise\n")); err != nil {
		t.Fatal(err)
	}
	r.snapshot("a", Members, 2)
	r.send(at("a").Up("main"), batchOf(t, 1, wire.Record{Kind: wire.VisitStarted, At: r.Now(), Body: json.RawMessage(`{"visit":"v","member":"m-secret"}`)}))
	r.send(at("a").Up("main"), []byte(`{"member":"m-secret"}`))
	r.stop()
	for _, secret := range []string{"m-secret", "王", "8075634", token, r.AdminToken()} {
		if strings.Contains(r.log.String(), secret) {
			t.Errorf("the log tells %q:\n%s", secret, r.log.String())
		}
	}
}

func FuzzDeliver(f *testing.F) {
	h, err := Open(Config{Dir: storetest.Link(f, f.TempDir()), Chain: "harbour"})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { h.Close() })
	h.broker = newFakeBroker()
	if _, err := h.AddStore(f.Context(), "a", "", "A"); err != nil {
		f.Fatal(err)
	}
	f.Add("edge/v1/harbour/a/up/main", []byte(`{"v":1,"epoch":"e","lane":"main","first":1,"sent_at":"2026-09-30T12:00:00Z","records":[{"k":"x","at":"2026-09-30T12:00:00Z","b":1}]}`))
	f.Add("edge/v1/harbour/a/state", []byte(`{"v":1,"online":true,"at":"2026-09-30T12:00:00Z"}`))
	f.Fuzz(func(t *testing.T, topic string, payload []byte) {
		if err := h.deliver(t.Context(), topic, payload); err != nil {
			t.Fatalf("%v: bytes alone must never make a store send again", err)
		}
		for b := h.broker.(*fakeBroker); len(b.acks) > 0; {
			<-b.acks
		}
		if _, err := h.Stores(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
}

// A store that has just come, or remembers something else, is told what is stored, never more than it knew.
func TestAStoresStateIsAnsweredWithWhatIsStored(t *testing.T) {
	r := start(t, t.TempDir())
	r.add("a")
	for i := range 3 {
		if err := r.send(at("a").Up("main"), batchOf(t, uint64(i+1), visitRecord(string(rune('u'+i))))); err != nil {
			t.Fatal(err)
		}
		<-r.broker.acks
	}
	for i, tc := range []struct {
		acked, last uint64
		want        *wire.Ack // nil: none
	}{
		{3, 5, nil}, // online by its records already, and in step
		{2, 5, &wire.Ack{Upto: 2, Have: new(uint64(3))}}, // an answer was lost
		{5, 9, &wire.Ack{Upto: 3, Have: new(uint64(3))}}, // headquarters has forgotten
		{1, 2, &wire.Ack{Upto: 1, Have: new(uint64(3))}}, // the store has
	} {
		state, err := wire.EncodeState(wire.State{Online: true, At: r.Now(), Epoch: "e", Lanes: []wire.LaneState{{Lane: "main", Last: tc.last, Acked: tc.acked, Oldest: r.Now(), Waits: true}}})
		if err != nil {
			t.Fatal(err)
		}
		if err := r.send(at("a").State(), state); err != nil {
			t.Fatal(err)
		}
		if tc.want == nil {
			if n := len(r.broker.acks); n > 0 {
				t.Errorf("case %d: %d answers, want none", i, n)
			}
			continue
		}
		if got := <-r.broker.acks; got.Upto != tc.want.Upto || got.Watermark() != *tc.want.Have || got.Takes != wire.BatchCompact || got.Lane != "main" {
			t.Errorf("case %d: %+v, want %+v", i, got, *tc.want)
		}
	}
	stores, err := r.Stores(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if m := stores[0].Memory; m.Waiting() != 0 || !m.Oldest().IsZero() || len(m.Lanes) != 1 || m.Lanes[0].Stored != 3 {
		t.Errorf("memory %+v", m)
	}
	more, err := wire.EncodeState(wire.State{Online: true, At: r.Now(), Epoch: "e", Lanes: []wire.LaneState{{Lane: "main", Last: 10, Acked: 3, Oldest: r.Now(), Waits: true}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.send(at("a").State(), more); err != nil {
		t.Fatal(err)
	}
	stores, err = r.Stores(t.Context())
	if m := stores[0].Memory; err != nil || m.Waiting() != 7 || !m.Oldest().Equal(r.Now()) || !m.Held() {
		t.Errorf("memory %+v, %v: want 7 that wait, held back", m, err)
	}
}
