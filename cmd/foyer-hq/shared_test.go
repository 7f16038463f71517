package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"foyer/hq/store"
	"foyer/hq/store/storetest"
	"foyer/sync/journal"
	"foyer/sync/line"
	"foyer/sync/line/linetest"
	"foyer/sync/uplink"
	"foyer/sync/wire"
)

// TestMain lets the test binary be foyer-hq itself, so that one can be killed.
func TestMain(m *testing.M) {
	if os.Getenv("FOYER_HQ_ITSELF") != "" {
		main()
	}
	os.Exit(storetest.Run(m))
}

// patient is how long a test waits for what must happen. It is only ever waited out by a test that fails.
const patient = 90 * time.Second

// itself is a foyer-hq in a process of its own.
type itself struct {
	t       *testing.T
	data    string
	cmd     *exec.Cmd
	log     bytes.Buffer
	console string
}

func newItself(t *testing.T, data string, args ...string) *itself {
	t.Helper()
	p := &itself{t: t, data: data}
	p.cmd = exec.Command(os.Args[0], append([]string{"serve", "--data", data, "--chain", "harbour", "--console", "127.0.0.1:0"}, args...)...)
	p.cmd.Env = append(os.Environ(), "FOYER_HQ_ITSELF=1")
	p.cmd.Stderr = &p.log
	out, err := p.cmd.StdoutPipe()
	if err == nil {
		err = p.cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	var up struct{ Console string }
	text, err := bufio.NewReader(out).ReadBytes('\n')
	if err != nil || json.Unmarshal(text, &up) != nil {
		p.kill()
		t.Fatalf("foyer-hq does not come up: %v: %s", err, p.log.String())
	}
	p.console = "http://" + up.Console
	return p
}

// kill ends it without a warning.
func (p *itself) kill() {
	if p.cmd.ProcessState == nil {
		p.cmd.Process.Kill()
		p.cmd.Wait()
	}
}

func (p *itself) request(method, path, body string) *http.Response {
	p.t.Helper()
	token, err := os.ReadFile(filepath.Join(p.data, "admin.token"))
	if err != nil {
		p.t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(p.t.Context(), method, p.console+path, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	return answer
}

func (p *itself) ask(method, path, body string, want int) string {
	p.t.Helper()
	answer := p.request(method, path, body)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != want {
		p.t.Fatalf("%s %s gives %d, %v: %s", method, path, answer.StatusCode, err, text)
	}
	return string(text)
}

// sharing is a broker and a database that headquarters share.
type sharing struct {
	t    *testing.T
	url  string // of the broker
	rows string // URL of the database
	file string // with it
}

func newSharing(t *testing.T) *sharing {
	s := &sharing{t: t, url: linetest.Mosquitto(t).URL(), rows: storetest.Postgres(t), file: filepath.Join(t.TempDir(), "database")}
	if err := os.WriteFile(s.file, []byte(s.rows+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *sharing) start(data string, instance int) *itself {
	s.t.Helper()
	return newItself(s.t, data, "--broker", s.url, "--database-file", s.file, "--instance", fmt.Sprint(instance), "--log-level", "info")
}

// copySecrets makes a data folder for another headquarters of the same chain.
func copySecrets(t *testing.T, from, to string) {
	t.Helper()
	if err := os.MkdirAll(to, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"signing.key", "signing.pub", "ca.key", "ca.pem", "admin.token"} {
		text, err := os.ReadFile(filepath.Join(from, name))
		if err == nil {
			err = os.WriteFile(filepath.Join(to, name), text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// newShop is a store's journal, uplink and line, which run until the test ends.
func (s *sharing) newShop(id string) (*journal.Journal, *uplink.Uplink) {
	s.t.Helper()
	j, err := journal.Open(filepath.Join(s.t.TempDir(), "journal.db"), journal.Options{})
	if err != nil {
		s.t.Fatal(err)
	}
	l := line.New(line.Config{URL: s.url, ClientID: "foyerd-" + id, Username: id, RetryMin: 5 * time.Millisecond, RetryMax: 50 * time.Millisecond})
	u := uplink.New(uplink.Config{Place: wire.Place{Chain: "harbour", Store: id}, Journal: j, Pipe: l, Version: "1.0", Patience: time.Second, MaxPatience: 2 * time.Second})
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	all.Go(func() { l.Run(ctx) })
	all.Go(func() { u.Run(ctx) })
	journalCtx, stop := context.WithCancel(context.Background())
	var last sync.WaitGroup
	last.Go(func() { j.Run(journalCtx) })
	s.t.Cleanup(func() {
		cancel()
		all.Wait()
		stop()
		last.Wait()
		j.Close()
	})
	return j, u
}

func write(t *testing.T, j *journal.Journal, lane, name string) {
	payload, err := wire.EncodeRecord(wire.NewRecord(wire.VisitStarted, time.Now(), wire.Visit{Visit: name, Member: "m-1", Nth: 1}))
	if err == nil {
		_, err = j.Append(t.Context(), journal.Entry{Lane: lane, Payload: payload})
	}
	if err != nil {
		t.Error(err)
	}
}

// Two headquarters share a broker and a database. The one that leads is killed in the middle of what six stores tell: each record is
// there once and in order, the other goes on alone with pages and the lead, and a third that comes shares the work again.
func TestTwoHeadquartersAndOneIsKilled(t *testing.T) {
	s := newSharing(t)
	dir := t.TempDir()
	first := s.start(filepath.Join(dir, "a"), 1)
	copySecrets(t, first.data, filepath.Join(dir, "b"))
	second := s.start(filepath.Join(dir, "b"), 2)

	events := second.request("GET", "/api/events", "")
	defer events.Body.Close()
	told := bufio.NewScanner(events.Body)
	for told.Scan() && told.Text() != "event: hello" {
	}
	shops := []string{"s1", "s2", "s3", "s4", "s5", "s6"}
	first.ask("POST", "/api/stores", `{"id": "s1", "name_en": "s1"}`, http.StatusCreated)
	for told.Scan() && told.Text() != "event: change" { // made at the first, told at the second
	}
	if told.Err() != nil {
		t.Fatal(told.Err())
	}
	for _, id := range shops[1:] {
		second.ask("POST", "/api/stores", `{"id": "`+id+`", "name_en": "`+id+`"}`, http.StatusCreated)
	}

	const each = 600
	var writers sync.WaitGroup
	uplinks := map[string]*uplink.Uplink{}
	epochs := map[string]string{}
	halfway := make(chan struct{}, len(shops))
	for _, id := range shops {
		j, u := s.newShop(id)
		uplinks[id], epochs[id] = u, j.Epoch()
		writers.Go(func() {
			for n := range each {
				write(t, j, wire.Lanes[n%len(wire.Lanes)], fmt.Sprintf("%s-%04d", id, n))
				if n == each/2 {
					halfway <- struct{}{}
				}
			}
		})
	}
	for range shops {
		<-halfway
	}
	first.kill()
	writers.Wait()
	for id, u := range uplinks {
		s.until("store "+id+" is acknowledged", func() bool { st := u.Status(); return st.Acked == st.Last && st.Why == "" })
	}
	db, err := store.Open(s.rows)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, id := range shops {
		s.inOrder(db, id, epochs[id], each)
	}
	if text := second.ask("GET", "/api/records/count", "", http.StatusOK); !strings.Contains(text, fmt.Sprint(each*len(shops))) {
		t.Errorf("the other's API counts %s, want %d", text, each*len(shops))
	}
	// The lead has moved: a store that is added now is laid its snapshots.
	arrived := s.snapshots("s7")
	second.ask("POST", "/api/stores", `{"id": "s7", "name_en": "s7"}`, http.StatusCreated)
	select {
	case <-arrived:
	case <-time.After(patient):
		t.Fatalf("nobody lays snapshots before a new store: %s", second.log.String())
	}
	s.start(filepath.Join(dir, "a"), 1) // the killed one comes back with its folder, its number is free
	j, u := s.newShop("s7")
	for n := range 50 {
		write(t, j, wire.Lanes[0], fmt.Sprint("late-", n))
	}
	s.until("the new store is acknowledged", func() bool { st := u.Status(); return st.Acked == st.Last && st.Last >= 50 })
}

// until looks again and again: what happens is in other processes.
func (s *sharing) until(what string, there func() bool) {
	s.t.Helper()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	limit := time.After(patient)
	for !there() {
		select {
		case <-look.C:
		case <-limit:
			s.t.Fatalf("waited in vain until %s", what)
		}
	}
}

// inOrder makes sure that a store's records are there once each, by lane without a gap and in the order of their writing.
func (s *sharing) inOrder(db *store.DB, id, epoch string, want int) {
	s.t.Helper()
	rows, err := db.Records(s.t.Context(), id, wire.VisitStarted, 0, 100_000)
	if err != nil {
		s.t.Fatal(err)
	}
	names := map[string][]string{}
	for _, r := range rows {
		body, err := wire.Record{Kind: r.Kind, At: r.At, Body: r.Body}.Open()
		if err != nil || r.Epoch != epoch {
			s.t.Fatalf("store %s: epoch %s, %v", id, r.Epoch, err)
		}
		names[r.Lane] = append(names[r.Lane], body.(*wire.Visit).Visit)
		if r.Seq != uint64(len(names[r.Lane])) {
			s.t.Fatalf("store %s, lane %s: record %d has sequence %d", id, r.Lane, len(names[r.Lane]), r.Seq)
		}
	}
	total := 0
	for lane, all := range names {
		total += len(all)
		if !slices.IsSorted(all) || len(slices.Compact(slices.Clone(all))) != len(all) {
			s.t.Errorf("store %s, lane %s is not in order, each once", id, lane)
		}
	}
	if total != want {
		s.t.Errorf("store %s has %d records, want %d", id, total, want)
	}
	visits, err := db.Visits(s.t.Context(), id, time.Time{}, 100_000)
	if err != nil || len(visits) != want {
		s.t.Errorf("store %s has %d visits, %v: want %d", id, len(visits), err, want)
	}
}

// snapshots gets a value when members are laid before a store.
func (s *sharing) snapshots(id string) <-chan struct{} {
	arrived := make(chan struct{}, 1)
	l := line.New(line.Config{URL: s.url, ClientID: "looker", RetryMin: 5 * time.Millisecond})
	l.Subscribe(wire.Place{Chain: "harbour", Store: id}.Down(wire.Members), func(string, []byte) {
		select {
		case arrived <- struct{}{}:
		default:
		}
	})
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	all.Go(func() { l.Run(ctx) })
	s.t.Cleanup(func() { cancel(); all.Wait() })
	return arrived
}

// Who does not belong is refused at the start, in words that say what to do.
func TestSharedDatabaseRefuses(t *testing.T) {
	s := newSharing(t)
	dir := t.TempDir()
	first := s.start(filepath.Join(dir, "a"), 1)
	copySecrets(t, first.data, filepath.Join(dir, "b"))
	serve := func(data string, more ...string) []string {
		return append([]string{"serve", "--data", data, "--chain", "harbour", "--console", "127.0.0.1:0", "--broker", s.url, "--database-file", s.file}, more...)
	}
	for what, tc := range map[string]struct {
		args []string
		code int
		says string
	}{
		"another folder":    {serve(filepath.Join(dir, "c"), "--instance", "2"), exitConfig, "another data folder"},
		"the same number":   {serve(filepath.Join(dir, "b")), exitConfig, "--instance"},
		"no such number":    {serve(filepath.Join(dir, "b"), "--instance", "9"), exitConfig, "want 1 to 8"},
		"no name":           {serve(filepath.Join(dir, "b"), "--broker-share", "a/b"), exitConfig, "--broker-share"},
		"both":              {serve(filepath.Join(dir, "b"), "--database", s.rows), exitConfig, "one of them"},
		"no URL":            {[]string{"serve", "--data", dir, "--chain", "harbour", "--database", "hq.db"}, exitConfig, "want postgres://"},
		"no file":           {[]string{"serve", "--data", dir, "--chain", "harbour", "--database-file", dir + "/nowhere"}, exitConfig, "no such file"},
		"database":          {[]string{"database"}, exitUsage, "copy or adopt"},
		"copy":              {[]string{"database", "copy"}, exitUsage, "--to"},
		"copy of nothing":   {[]string{"database", "copy", "--from", dir + "/nowhere", "--to-file", s.file}, exitConfig, "no such file"},
		"adopt with a file": {[]string{"database", "adopt", "--data", dir}, exitConfig, "is a file"},
	} {
		var out, errs bytes.Buffer
		if code := run(t.Context(), tc.args, &out, &errs); code != tc.code || !strings.Contains(errs.String(), tc.says) {
			t.Errorf("%s: code %d, says %q: want %d and %q", what, code, errs.String(), tc.code, tc.says)
		}
		if _, password, _ := strings.Cut(s.rows, "foyer:"); strings.Contains(errs.String(), strings.SplitN(password, "@", 2)[0]) {
			t.Errorf("%s: the password is told", what)
		}
	}
	first.kill()
	cli := func(args ...string) {
		t.Helper()
		var out, errs bytes.Buffer
		if code := run(t.Context(), args, &out, &errs); code != 0 {
			t.Fatalf("%v: %d %s", args, code, errs.String())
		}
	}
	cli("database", "adopt", "--data", first.data)
	adopted := s.start(filepath.Join(dir, "c"), 1)
	cli("store", "add", "later", "--data", adopted.data, "--token-file", filepath.Join(dir, "token")) // it finds the database by itself
	if text := adopted.ask("GET", "/api/stores", "", http.StatusOK); !strings.Contains(text, "later") {
		t.Errorf("stores: %s", text)
	}
}

// A chain begins with a file and goes on in PostgreSQL, as the README says.
func TestMoveToPostgres(t *testing.T) {
	s := newSharing(t)
	data := filepath.Join(t.TempDir(), "hq")
	before := newItself(t, data, "--broker", s.url)
	before.ask("POST", "/api/stores", `{"id": "s1", "name_en": "s1"}`, http.StatusCreated)
	j, u := s.newShop("s1")
	for n := range 40 {
		write(t, j, wire.Lanes[0], fmt.Sprintf("v-%03d", n))
	}
	s.until("the store is acknowledged", func() bool { st := u.Status(); return st.Acked == st.Last && st.Last >= 40 })
	before.kill()
	var out, errs bytes.Buffer
	if code := run(t.Context(), []string{"database", "copy", "--from", filepath.Join(data, "hq.db"), "--to-file", s.file}, &out, &errs); code != 0 ||
		!strings.Contains(out.String(), "record") || !strings.Contains(errs.String(), "--database-file") {
		t.Fatalf("copy: %d, %s, %s", code, out.String(), errs.String())
	}
	after := s.start(data, 1)
	for n := range 40 {
		write(t, j, wire.Lanes[0], fmt.Sprintf("w-%03d", n))
	}
	s.until("the store is acknowledged again", func() bool { st := u.Status(); return st.Acked == st.Last && st.Last >= 80 })
	if text := after.ask("GET", "/api/records/count", "", http.StatusOK); !strings.Contains(text, "80") {
		t.Errorf("the API counts %s, want 80", text)
	}
}
