package downlink

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"foyer/shop/campaign"
	"foyer/shop/member"
	"foyer/sync/journal"
	"foyer/sync/line"
	"foyer/sync/line/linetest"
	"foyer/sync/wire"
)

// generous is how long a test waits for what must happen. It is only ever waited out by a test that fails.
const generous = 30 * time.Second

var (
	here = wire.Place{Chain: "wanlian", Store: "fuxing-road"}
	noon = time.Date(2026, 6, 14, 12, 0, 0, 0, time.UTC)
)

func key(n byte) (id string, private ed25519.PrivateKey) {
	private = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{n}, ed25519.SeedSize))
	return wire.KeyID(private.Public().(ed25519.PublicKey)), private
}

func trusted(ns ...byte) map[string]ed25519.PublicKey {
	keys := map[string]ed25519.PublicKey{}
	for _, n := range ns {
		id, private := key(n)
		keys[id] = private.Public().(ed25519.PublicKey)
	}
	return keys
}

// members is a snapshot with one member, sealed with key 1.
func members(t *testing.T, version uint64, family string) []byte {
	t.Helper()
	return seal(t, 1, wire.Members, version, wire.MembersBody{Members: []member.Member{{ID: "m-1", Family: family}}}, nil)
}

func seal(t *testing.T, n byte, kind string, version uint64, body any, change func(*wire.Snapshot)) []byte {
	t.Helper()
	s, err := wire.NewSnapshot(kind, here.Chain, version, noon, body)
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(&s)
	}
	id, private := key(n)
	sealed, err := wire.Seal(s, id, private)
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

// pipe is a line that carries what the test puts in.
type pipe map[string]func(string, []byte)

func (p pipe) Subscribe(filter string, fn func(string, []byte)) { p[filter] = fn }

func (p pipe) send(kind string, sealed []byte) { p[here.Down(kind)](here.Down(kind), sealed) }

// store is a store's downlink with what it applied and reported.
type store struct {
	t       *testing.T
	journal *journal.Journal
	pipe    pipe
	keys    map[string]ed25519.PublicKey
	broken  string // a family name that the rules refuse
	down    *Downlink
	reports chan string

	mu      sync.Mutex
	applied []string
}

func openJournal(t *testing.T, path string, o journal.Options) (j *journal.Journal, stop func()) {
	j, err := journal.Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	stopRun := background(t, "journal", j.Run)
	return j, sync.OnceFunc(func() {
		stopRun()
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	})
}

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

// open makes a store's downlink that does not run yet.
func open(t *testing.T, j *journal.Journal, to Pipe, change func(*store)) *store {
	s := &store{t: t, journal: j, keys: trusted(1), reports: make(chan string, 100)}
	s.pipe, _ = to.(pipe)
	if change != nil {
		change(s)
	}
	s.down = New(Config{
		Place: here, Journal: j, Pipe: to, Keys: s.keys,
		Apply: map[string]func(wire.Snapshot) error{wire.Members: s.applyMembers, wire.Campaigns: s.applyCampaigns},
		Report: func(kind wire.Kind, a wire.Applied) {
			s.reports <- strings.TrimSpace(fmt.Sprintf("%s %s %d %s", kind, a.Snapshot, a.Version, a.Code))
		},
	})
	return s
}

func (s *store) applyMembers(snapshot wire.Snapshot) error {
	body, err := snapshot.Members()
	if err != nil {
		return err
	}
	family := body.Members[0].Family
	if family == s.broken {
		return errors.New("member 1: the family name is refused by the test")
	}
	s.note(fmt.Sprint("members ", snapshot.Version, " ", family))
	return nil
}

func (s *store) applyCampaigns(snapshot wire.Snapshot) error {
	body, err := snapshot.Campaigns()
	if err != nil {
		return err
	}
	s.note(fmt.Sprint("campaigns ", snapshot.Version, " ", len(body.Campaigns)))
	return nil
}

func (s *store) note(what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.applied = append(s.applied, what)
}

func (s *store) wantReport(want string) {
	s.t.Helper()
	select {
	case got := <-s.reports:
		if got != want {
			s.t.Errorf("reported %q, want %q", got, want)
		}
	case <-time.After(generous):
		s.t.Fatalf("waited for the report %q", want)
	}
}

func (s *store) wantApplied(want ...string) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if diff := cmp.Diff(want, s.applied); diff != "" {
		s.t.Error(diff)
	}
}

func TestSnapshotsComeIntoForceThroughARealBroker(t *testing.T) {
	linetest.Each(t, func(t *testing.T, b linetest.Broker) {
		path := filepath.Join(t.TempDir(), "store.journal")
		newLine := func(id string) *line.Line {
			return line.New(line.Config{URL: b.URL(), ClientID: id, RetryMin: 5 * time.Millisecond, RetryMax: 50 * time.Millisecond})
		}
		hq := newLine("hq")
		hqUp := make(chan struct{}, 10)
		hq.OnUp(func() { hqUp <- struct{}{} })
		background(t, "headquarters", hq.Run)
		<-hqUp
		publish := func(kind string, sealed []byte) {
			t.Helper()
			if err := hq.Publish(here.Down(kind), true, sealed); err != nil {
				t.Fatal(err)
			}
		}
		publish(wire.Members, members(t, 1, "陈")) // before the store is there: the broker keeps it

		j, stopJournal := openJournal(t, path, journal.Options{})
		l := newLine("store")
		s := open(t, j, l, nil)
		stopLine, stopDown := background(t, "line", l.Run), background(t, "downlink", s.down.Run)
		s.wantReport("snapshot.applied members 1")
		publish(wire.Campaigns, seal(t, 1, wire.Campaigns, 7, wire.CampaignsBody{Campaigns: []campaign.Campaign{{ID: "june"}}}, nil))
		s.wantReport("snapshot.applied campaigns 7")
		publish(wire.Members, members(t, 2, "李"))
		s.wantReport("snapshot.applied members 2")
		s.wantApplied("members 1 陈", "campaigns 7 1", "members 2 李")
		stopDown()
		stopLine()
		stopJournal()

		// Headquarters and the broker are away: what was good is in force, and nothing is reported.
		b.Stop()
		j, stopJournal = openJournal(t, path, journal.Options{})
		defer stopJournal()
		l = newLine("store")
		s = open(t, j, l, nil)
		background(t, "line", l.Run)
		background(t, "downlink", s.down.Run)
		b.Start() // it has forgotten what it kept
		<-hqUp
		publish(wire.Members, members(t, 1, "陈"))
		s.wantReport("snapshot.refused members 1 older")
		s.wantApplied("campaigns 7 1", "members 2 李")
		if got := s.down.InForce(wire.Members); got != 2 {
			t.Errorf("version %d is in force", got)
		}
	})
}

func TestWhatIsRefusedAndWhy(t *testing.T) {
	j, _ := openJournal(t, filepath.Join(t.TempDir(), "j"), journal.Options{})
	s := open(t, j, pipe{}, func(s *store) { s.broken = "Broken" })
	background(t, "downlink", s.down.Run)
	good := members(t, 5, "陈")
	s.pipe.send(wire.Members, good)
	s.wantReport("snapshot.applied members 5")

	forged := bytes.Clone(good)
	forged[len(forged)-1] ^= 1
	body := wire.MembersBody{Members: []member.Member{{ID: "m-1", Family: "王"}}}
	for _, tc := range []struct {
		name   string
		sealed []byte
		want   string
	}{
		{"garbage", []byte("hello"), "members 0 format"},
		{"forged", forged, "members 0 forged"},
		{"a key that is not trusted", seal(t, 2, wire.Members, 6, body, nil), "members 0 key"},
		{"too large", make([]byte, wire.MaxSealed+1), "members 0 too_large"},
		{"older", members(t, 4, "王"), "members 4 older"},
		{"altered", members(t, 5, "王"), "members 5 altered"},
		{"another chain", seal(t, 1, wire.Members, 6, body, func(s *wire.Snapshot) { s.Chain = "other" }), "members 6 elsewhere"},
		{"another store", seal(t, 1, wire.Members, 6, body, func(s *wire.Snapshot) { s.Store = "other" }), "members 6 elsewhere"},
		{"another kind", seal(t, 1, wire.Campaigns, 6, wire.CampaignsBody{}, nil), "members 6 elsewhere"},
		{"against the rules", members(t, 6, "Broken"), "members 6 rules"},
		{"no members in it", seal(t, 1, wire.Members, 6, []int{1}, nil), "members 6 rules"},
	} {
		s.pipe.send(wire.Members, tc.sealed)
		s.pipe.send(wire.Members, tc.sealed) // the same once more is not reported
		s.pipe.send(wire.Members, good)      // the one in force is silent
		s.wantReport("snapshot.refused " + tc.want)
	}
	s.pipe.send(wire.Members, members(t, 6, "李"))
	s.wantReport("snapshot.applied members 6")
	s.wantApplied("members 5 陈", "members 6 李")
	if v, kept, ok := j.Snapshot(wire.Members); v != 6 || !ok || !bytes.Equal(kept, members(t, 6, "李")) {
		t.Errorf("kept is version %d, %v", v, ok)
	}
}

func TestForThisStoreAloneIsForThisStore(t *testing.T) {
	j, _ := openJournal(t, filepath.Join(t.TempDir(), "j"), journal.Options{})
	s := open(t, j, pipe{}, nil)
	background(t, "downlink", s.down.Run)
	body := wire.MembersBody{Members: []member.Member{{ID: "m-1", Family: "陈"}}}
	s.pipe.send(wire.Members, seal(t, 1, wire.Members, 1, body, func(s *wire.Snapshot) { s.Store = here.Store }))
	s.wantReport("snapshot.applied members 1")
}

func TestVersionsNeverGoBackOverRestarts(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j")
	for round := range uint64(5) {
		j, stopJournal := openJournal(t, path, journal.Options{})
		s := open(t, j, pipe{}, nil)
		stop := background(t, "downlink", s.down.Run)
		if round > 0 {
			s.pipe.send(wire.Members, members(t, 10*round-1, "old"))
			s.wantReport(fmt.Sprintf("snapshot.refused members %d older", 10*round-1))
			s.pipe.send(wire.Members, members(t, 10*round, "good"))
		}
		s.pipe.send(wire.Members, members(t, 10*(round+1), "good"))
		s.wantReport(fmt.Sprintf("snapshot.applied members %d", 10*(round+1)))
		stop()
		want := []string{fmt.Sprintf("members %d good", 10*(round+1))}
		if round > 0 {
			want = append([]string{fmt.Sprintf("members %d good", 10*round)}, want...)
		}
		s.wantApplied(want...)
		stopJournal()
	}
}

func TestWhatWasKeptAndIsNoLongerGoodGivesWayToTheOneBefore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j")
	j, stopJournal := openJournal(t, path, journal.Options{})
	s := open(t, j, pipe{}, nil)
	stop := background(t, "downlink", s.down.Run)
	for v, family := range []string{"陈", "李"} {
		s.pipe.send(wire.Members, members(t, uint64(v+1), family))
		s.wantReport(fmt.Sprintf("snapshot.applied members %d", v+1))
	}
	stop()
	stopJournal()

	j, stopJournal = openJournal(t, path, journal.Options{})
	s = open(t, j, pipe{}, func(s *store) { s.broken = "李" }) // the rules have become stricter
	stop = background(t, "downlink", s.down.Run)
	s.wantReport("snapshot.refused members 2 not_kept")
	s.pipe.send(wire.Members, members(t, 1, "陈")) // what is in force now is older, and yet not welcome again
	s.wantReport("snapshot.refused members 1 older")
	s.pipe.send(wire.Members, members(t, 3, "王"))
	s.wantReport("snapshot.applied members 3")
	s.wantApplied("members 1 陈", "members 3 王")
	stop()
	stopJournal()

	j, stopJournal = openJournal(t, path, journal.Options{})
	defer stopJournal()
	s = open(t, j, pipe{}, func(s *store) { s.keys = trusted(2) }) // the key is trusted no more
	background(t, "downlink", s.down.Run)
	s.wantReport("snapshot.refused members 3 not_kept")
	s.wantReport("snapshot.refused members 2 not_kept")
	if got := s.down.InForce(wire.Members); got != 0 {
		t.Errorf("version %d is in force", got)
	}
	s.wantApplied()
}

func TestAGoodOneThatCannotBeKeptIsNeitherReportedNorForgotten(t *testing.T) {
	j, _ := openJournal(t, filepath.Join(t.TempDir(), "j"), journal.Options{MaxBytes: 1 << 20})
	s := open(t, j, pipe{}, nil)
	noise := make([]byte, 2<<20)
	rand.Read(noise)
	huge := members(t, 2, base64.StdEncoding.EncodeToString(noise))
	if err := s.down.receive(t.Context(), message{wire.Members, members(t, 1, "陈")}); err != nil {
		t.Fatal(err)
	}
	s.wantReport("snapshot.applied members 1")
	if err := s.down.receive(t.Context(), message{wire.Members, huge}); !errors.Is(err, errNotKept) || !errors.Is(err, journal.ErrFull) {
		t.Errorf("got %v", err)
	}
	if len(s.reports) != 0 || s.down.InForce(wire.Members) != 1 {
		t.Errorf("%d reports, version %d", len(s.reports), s.down.InForce(wire.Members))
	}
	if v, _, _ := j.Snapshot(wire.Members); v != 1 {
		t.Errorf("the journal has version %d", v)
	}
}

func TestAfterTheEndTheLineIsNotHeldUp(t *testing.T) {
	j, _ := openJournal(t, filepath.Join(t.TempDir(), "j"), journal.Options{})
	s := open(t, j, pipe{}, nil)
	background(t, "downlink", s.down.Run)()
	for range 3 * inboxLength {
		s.pipe.send(wire.Members, []byte("late"))
	}
}

func TestLongReasonsAreShortened(t *testing.T) {
	if got := []rune(shorten(strings.Repeat("因", 5000))); len(got) != 1003 {
		t.Errorf("%d characters", len(got))
	}
	if got := shorten("short"); got != "short" {
		t.Error(got)
	}
}
