package daemon

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"foyer/api"
	"foyer/reader/sim"
	"foyer/reader/tag"
)

// journal of what is logged, safe for many goroutines.
type logbook struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logbook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logbook) count(what string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), what)
}

// shopfront is a running foyerd.
type shopfront struct {
	t      *testing.T
	dir    string
	log    *logbook
	client *api.Client
}

// opens runs foyerd with a configuration, until the test ends. change may alter its options.
func opens(t *testing.T, dir, config string, change ...func(*Options)) *shopfront {
	t.Helper()
	return serves(t, dir, config, Run, change...)
}

// serves is opens with something in place of Run.
func serves(t *testing.T, dir, config string, run func(context.Context, *Config, Options) error, change ...func(*Options)) *shopfront {
	t.Helper()
	write(t, dir, "tag.key", tag.NewSecret())
	c, err := LoadToRun(write(t, dir, "foyerd.yaml", config))
	if err != nil {
		t.Fatal(err)
	}
	client, err := api.NewClient("unix://"+c.Listen.Socket, "")
	if err != nil {
		t.Fatal(err)
	}
	s := &shopfront{t: t, dir: dir, log: &logbook{}, client: client}
	o := Options{ReadyFile: filepath.Join(dir, "ready"), Log: slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))}
	os.Remove(o.ReadyFile) // of an earlier run
	for _, f := range change {
		f(&o)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, c, o) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Log(s.log.text.String())
		}
	})
	s.until("it is up", func() bool { _, err := os.Stat(o.ReadyFile); return err == nil })
	s.until("the page shows it", func() bool { return len(s.status().Readers) > 0 })
	return s
}

// until waits for something that other goroutines bring about.
func (s *shopfront) until(what string, so func() bool) {
	s.t.Helper()
	for end := time.Now().Add(time.Minute); !so(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			s.t.Fatalf("waited in vain until %s", what)
		}
	}
}

func (s *shopfront) status() api.Status {
	s.t.Helper()
	snapshot, err := s.client.Snapshot(s.t.Context(), api.Reception)
	if err != nil {
		s.t.Fatal(err)
	}
	return snapshot.Status
}

// notice waits until a page says something of the one reader in both languages; "" is nothing at all.
func (s *shopfront) notice(want string) {
	s.t.Helper()
	s.until("the page says "+want, func() bool {
		n := s.status().Readers[0].Notice
		if want == "" {
			return n == nil
		}
		return strings.Contains(n["en"], want) && strings.Contains(n["zh-CN"], want) && n["en"] != n["zh-CN"]
	})
}

// edit replaces a file in the shop's folder, in two steps as a bad editor would.
func (s *shopfront) edit(name, text string) {
	s.t.Helper()
	write(s.t, s.dir, name, text[:len(text)/2])
	write(s.t, s.dir, name, text)
}

// plays holds a card to a played RDM6300 until the page says that a tag was read since. Its time has no fractions.
func (s *shopfront) plays(port *sim.PTY, crlf bool) {
	s.t.Helper()
	ctx, stop := context.WithCancel(s.t.Context())
	var done sync.WaitGroup
	defer done.Wait()
	defer stop()
	rdm := sim.NewRDM6300(port)
	rdm.CRLF = crlf
	done.Go(func() { rdm.Run(ctx) })
	before := s.status().Readers[0].LastRead
	rdm.Near([5]byte{1, 2, 3, 4, 5})
	s.until("the card is heard", func() bool { return s.status().Readers[0].LastRead.After(before) })
}

func builtinText(t *testing.T, id string) string {
	t.Helper()
	text, err := os.ReadFile("../../firmware-profiles/readers/" + id + ".yaml")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// fobProfile is a profile of an RDM6300 whose frames end in one way only.
func fobProfile(t *testing.T, end string) string {
	head, _, _ := strings.Cut(builtinText(t, "rdm6300"), "examples:")
	return replaced(t, head, `ends: ["03", "0D 0A 03"]`, `ends: ["`+end+`"]`) + `examples:
  - name: a fob
    wire: ["02 30 35 30 30 32 30 37 42 33 32 36 43 ` + end + `"]
    expect: [{tag: "em4100:0500207B32"}]
`
}

// room is a folder for a shop: the name of a socket must be short.
func room(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "foyerd")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func plugged(t *testing.T, dir string) *sim.PTY {
	t.Helper()
	port, err := sim.NewPTY(filepath.Join(dir, "tap"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { port.Close() })
	return port
}

const plain, crlf = "03", "0D 0A 03"

// A profile is edited, broken, mended and lost while the shop is open; the reader is heard after each.
func TestAProfileIsEditedWhileTheShopIsOpen(t *testing.T) {
	t.Parallel() // it waits most of the time
	dir := room(t)
	port := plugged(t, dir)
	write(t, dir, "fob.yaml", fobProfile(t, plain))
	s := opens(t, dir, replaced(t, good, "profile: rdm6300", "profile: fob.yaml", "/dev/serial/by-id/x", port.Path()))
	s.plays(port, false)
	s.notice("")

	s.edit("fob.yaml", fobProfile(t, crlf))
	s.until("the edited profile is in force", func() bool { return s.log.count("another profile is in force") == 1 })
	s.plays(port, true) // the one before would not have understood
	s.notice("")

	broken := replaced(t, fobProfile(t, plain), "payload: 5", "payload: five")
	s.edit("fob.yaml", broken)
	line := 1 + strings.Count(broken[:strings.Index(broken, "payload: five")], "\n")
	s.notice(fmt.Sprintf("fob.yaml:%d: framing.payload: ", line))
	s.plays(port, true)

	s.edit("fob.yaml", replaced(t, fobProfile(t, plain), "em4100:0500207B32", "em4100:0500207B33")) // it is not what its example says
	s.notice("fob.yaml:")
	s.until("the example is told", func() bool { return s.log.count("a fob") > 0 })
	s.plays(port, true)

	s.edit("fob.yaml", fobProfile(t, plain))
	s.notice("")
	s.until("the mended profile is in force", func() bool { return s.log.count("another profile is in force") == 2 })
	s.plays(port, false)

	if err := os.Remove(filepath.Join(dir, "fob.yaml")); err != nil {
		t.Fatal(err)
	}
	s.notice("fob.yaml is gone")
	s.plays(port, false)
	if s.log.count("level=ERROR") > 0 {
		t.Error("an error is logged")
	}
}

// A file in the folder goes before the built-in profile of its id, from when it is there until it is taken away.
func TestAFolderOfProfiles(t *testing.T) {
	t.Parallel() // it waits most of the time
	dir := room(t)
	port := plugged(t, dir)
	if err := os.Mkdir(filepath.Join(dir, "profiles"), 0o700); err != nil {
		t.Fatal(err)
	}
	s := opens(t, dir, replaced(t, good, "readers:\n  -", "profiles: profiles\nreaders:\n  -", "/dev/serial/by-id/x", port.Path()))
	s.plays(port, true)
	file := filepath.Join("profiles", "own.yaml")
	broken := replaced(t, fobProfile(t, plain), "payload: 5", "payload: five")
	s.edit(file, broken) // broken from its first day, and yet it says whose profile it would be
	s.notice("own.yaml:")
	s.plays(port, true)

	s.edit(file, replaced(t, fobProfile(t, plain), "report: continuous", "report: once"))
	s.until("the shop's own profile is in force", func() bool { return s.log.count("report=once") == 1 })
	s.notice("")
	s.plays(port, false)

	s.edit(filepath.Join("profiles", "second.yaml"), fobProfile(t, plain))
	s.notice("own.yaml has the id")
	for _, name := range []string{"own.yaml", "second.yaml"} {
		if err := os.Remove(filepath.Join(dir, "profiles", name)); err != nil {
			t.Fatal(err)
		}
	}
	s.notice("")
	s.until("the built-in profile is in force", func() bool { return s.log.count("file=readers/rdm6300.yaml report=continuous") == 1 })
	s.plays(port, true)
}

// What the reader's zone or port does not allow is refused, with the reason.
func TestAProfileThatDoesNotFit(t *testing.T) {
	t.Parallel() // it waits most of the time
	dir := room(t)
	port := plugged(t, dir)
	write(t, dir, "fob.yaml", fobProfile(t, plain))
	s := opens(t, dir, replaced(t, good, "profile: rdm6300", "profile: fob.yaml", "/dev/serial/by-id/x", port.Path(), "tap: true", "min_reads: 2"))
	s.edit("fob.yaml", replaced(t, fobProfile(t, plain), "report: continuous", "report: once"))
	s.notice("min reads 2")
	s.plays(port, false)
	s.edit("fob.yaml", builtinText(t, "wiegand26"))
	s.notice("does not go with the profile")
	s.plays(port, false)
	s.edit("fob.yaml", fobProfile(t, plain))
	s.notice("")
	if s.log.count("another profile is in force") > 0 {
		t.Error("a profile that does not fit was taken")
	}
}

// A power cut after a bad edit: the shop opens with the profile's last good form. A shop that never had one does not open.
func TestABrokenProfileKeepsNoShopShut(t *testing.T) {
	t.Parallel()
	dir := room(t)
	port := plugged(t, dir)
	write(t, dir, "fob.yaml", fobProfile(t, crlf))
	config := replaced(t, good, "profile: rdm6300", "profile: fob.yaml", "/dev/serial/by-id/x", port.Path())
	t.Run("before", func(t *testing.T) {
		s := opens(t, dir, config)
		s.plays(port, true)
	})
	broken := replaced(t, fobProfile(t, plain), "payload: 5", "payload: five")
	write(t, dir, "fob.yaml", broken)
	t.Run("after", func(t *testing.T) {
		s := opens(t, dir, config)
		s.notice("fob.yaml:")
		s.plays(port, true)
		s.edit("fob.yaml", fobProfile(t, plain))
		s.notice("")
		s.plays(port, false)
	})
	other := room(t)
	write(t, other, "tag.key", tag.NewSecret())
	write(t, other, "fob.yaml", broken)
	c, err := LoadToRun(write(t, other, "foyerd.yaml", config))
	if err != nil {
		t.Fatal(err)
	}
	if err := Run(t.Context(), c, Options{Log: slog.New(slog.DiscardHandler)}); !errors.Is(err, ErrProfile) || !strings.Contains(err.Error(), "fob.yaml:") {
		t.Errorf("got %v, want what is broken", err)
	}
}

func replaced(t *testing.T, text string, pairs ...string) string {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(text, pairs[i]) {
			t.Fatalf("no %q to replace", pairs[i])
		}
		text = strings.ReplaceAll(text, pairs[i], pairs[i+1])
	}
	return text
}
