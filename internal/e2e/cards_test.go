package e2e

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	"foyer/api"
	"foyer/hq"
	"foyer/hq/broker"
	"foyer/internal/daemon"
	"foyer/reader/sim"
	"foyer/reader/tag"
	"foyer/sync/journal"
)

// The cards of this story, as a 125 kHz reader at the counter hears them.
var (
	annasCard = [5]byte{0x6F, 0x00, 0x7B, 0x39, 0x72}
	newCard   = [5]byte{0x62, 0xE3, 0x08, 0x6C, 0xED}
)

// chain is headquarters with its broker and two stores, each a whole foyerd with a reader on a pty.
type chain struct {
	t      *testing.T
	dir    string
	hq     *hq.HQ
	broker *broker.Embedded
	stores map[string]*branch
	via    func(store string) string // the broker as the store dials it; nil: itself
	bin    string                    // the program that a store runs; empty: it runs in the test
	log    *slog.Logger
	out    io.Writer // where bin says what it has to say
}

// branch is one store of it.
type branch struct {
	name   string
	pty    *sim.PTY
	reader *sim.RDM6300
	api    *api.Client
	data   string
	stop   func()
}

func newChain(t *testing.T) *chain {
	t.Helper()
	c := newHead(t, slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})))
	c.members("recognise|greet_by_name|public_screen")
	for _, name := range []string{"first", "second"} {
		c.open(name)
	}
	return c
}

// newHead is headquarters alone.
func newHead(t *testing.T, log *slog.Logger) *chain {
	t.Helper()
	c := &chain{t: t, dir: t.TempDir(), stores: map[string]*branch{}, log: log}
	key := tag.NewSecret()
	must(t, os.WriteFile(filepath.Join(c.dir, "tag.key"), []byte(key), 0o600))
	secret, err := tag.ParseSecret(key)
	must(t, err)
	c.hq, err = hq.Open(hq.Config{Dir: filepath.Join(c.dir, "hq"), Chain: "demo", TagSecret: secret, Log: log})
	must(t, err)
	c.broker, err = broker.Listen(broker.EmbeddedConfig{Chain: "demo", Addr: "127.0.0.1:0", Auth: c.hq.Auth, Log: log})
	must(t, err)
	run(t, "headquarters", func(ctx context.Context) error { return errors.Join(c.hq.Run(ctx, c.broker), c.hq.Close()) })
	return c
}

func (c *chain) members(consents string) {
	c.t.Helper()
	sheet := "id,family,given,title,tags,consents\nm-anna,王,安娜,ms,6F007B3972," + consents + "\n"
	_, err := c.hq.ImportMembers(c.t.Context(), []byte(sheet))
	must(c.t, err)
}

// run keeps a part going until the test ends, or its stop is called; it must end well.
func run(t *testing.T, what string, part func(context.Context) error) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	all.Go(func() {
		if err := part(ctx); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	})
	stop = sync.OnceFunc(func() { cancel(); all.Wait() })
	t.Cleanup(stop)
	return stop
}

func (c *chain) open(name string) {
	c.t.Helper()
	b := &branch{name: name, data: filepath.Join(c.dir, name)}
	token, err := c.hq.AddStore(c.t.Context(), name, name, name)
	must(c.t, err)
	must(c.t, os.WriteFile(b.data+".token", []byte(token), 0o600))
	b.pty, err = sim.NewPTY(b.data + ".tty")
	must(c.t, err)
	c.t.Cleanup(func() { b.pty.Close() })
	b.reader = sim.NewRDM6300(b.pty)
	run(c.t, "the reader of "+name, b.reader.Run)
	url := c.broker.URL()
	if c.via != nil {
		url = c.via(name)
	}
	config := fmt.Sprintf(`chain: demo
store: %[1]s
name: {en: %[1]s, zh-CN: %[1]s}
data: %[1]s
tag_key_file: tag.key
listen: {socket: %[1]s.sock}
headquarters: {broker: %[2]q, password_file: %[1]s.token, public_key_files: [%[3]q]}
readers: [{name: pad, profile: rdm6300, port: %[4]q}]
zones: [{id: counter, name: {en: Counter, zh-CN: 柜台}, role: counter, readers: [pad], tap: true, grace: 500ms}]
`, name, url, c.hq.PublicKeyFile(), b.pty.Path())
	must(c.t, os.WriteFile(b.data+".yaml", []byte(config), 0o600))
	b.api, err = api.NewClient("unix://"+b.data+".sock", "")
	must(c.t, err)
	c.stores[name] = b
	c.start(b)
}

// start runs a store that is there, for the first time or again.
func (c *chain) start(b *branch) {
	c.t.Helper()
	if c.bin != "" {
		c.startProgram(b)
		return
	}
	parsed, err := daemon.LoadConfig(b.data + ".yaml")
	must(c.t, err)
	b.stop = run(c.t, "the store "+b.name, func(ctx context.Context) error {
		return daemon.Run(ctx, parsed, daemon.Options{Log: c.log})
	})
}

// startProgram is start with the program as it is delivered. stop kills it without warning.
func (c *chain) startProgram(b *branch) {
	c.t.Helper()
	cmd := exec.Command(c.bin, "--config", b.data+".yaml")
	cmd.Stderr = c.out
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	must(c.t, cmd.Start())
	b.stop = sync.OnceFunc(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	c.t.Cleanup(b.stop)
}

// hold lays a card on the reader until the store's snapshot shows what is wanted.
func (b *branch) hold(t *testing.T, card [5]byte, what string, want func(api.Snapshot) bool) api.Snapshot {
	t.Helper()
	b.reader.Near(card)
	defer b.reader.Away()
	return b.wait(t, what, want)
}

func (b *branch) wait(t *testing.T, what string, want func(api.Snapshot) bool) (s api.Snapshot) {
	t.Helper()
	waitUntil(t, b.name+": "+what, func() (err error) {
		if s, err = b.api.Snapshot(t.Context(), api.Reception); err == nil && !want(s) {
			err = fmt.Errorf("cards %d, shown %v, notices %d", len(s.Cards), s.Shown, len(s.Notices))
		}
		return err
	})
	return s
}

// cards waits until the store tells so many of Anna's cards, and so many of them lost.
func (b *branch) cards(t *testing.T, held, lost int) (w api.Wallet) {
	t.Helper()
	waitUntil(t, fmt.Sprintf("%s has %d cards of Anna's, %d of them lost", b.name, held, lost), func() (err error) {
		w, err = b.api.Wallet(t.Context(), "m-anna")
		n := 0
		for _, h := range w.Held {
			if h.Lost {
				n++
			}
		}
		if err == nil && (len(w.Held) != held || n != lost) {
			err = fmt.Errorf("%d cards, %d of them lost", len(w.Held), n)
		}
		return err
	})
	return w
}

// A card is reported lost in one store and refused in the other; a new one is given out there and greets in the first; and
// when the member wants to be recognised no more, the stores forget their visits.
func TestALostCardIsLostEverywhere(t *testing.T) {
	c := newChain(t)
	first, second := c.stores["first"], c.stores["second"]
	here := func(s api.Snapshot) bool { return len(s.Cards) == 1 }
	first.cards(t, 1, 0)
	lost := second.cards(t, 1, 0).Held[0]
	first.hold(t, annasCard, "Anna is noticed", here)

	must(t, first.api.ChangeCard(t.Context(), "m-anna", api.BlockCard, api.CardChange{By: "Li", Reason: "lost", Card: lost.ID}))
	second.cards(t, 1, 1)
	s := second.hold(t, annasCard, "the lost card is noticed", func(s api.Snapshot) bool { return len(s.Notices) == 1 })
	if n := s.Notices[0]; len(s.Cards) != 0 || n.Member != "m-anna" || n.Name["en"] != "Ms Wang" {
		t.Errorf("with the lost card: %d arrivals, notice %+v", len(s.Cards), n)
	}
	must(t, second.api.Dismiss(t.Context(), s.Notices[0].ID, "Zhou"))

	s = second.hold(t, newCard, "the new card is offered", func(s api.Snapshot) bool { return s.Shown != nil && s.Shown.Standing == "unknown" })
	bind := api.CardChange{By: "Zhou", Reason: "second_tag", Shown: s.Shown.Key}
	if p, ok := errors.AsType[*api.Problem](second.api.ChangeCard(t.Context(), "m-anna", api.BindCard, bind)); !ok || p.Code != api.CodeUnproved {
		t.Errorf("a card is given to who was not made sure of: %v", p)
	}
	bind.Vouched = true
	must(t, second.api.ChangeCard(t.Context(), "m-anna", api.BindCard, bind))
	second.hold(t, newCard, "Anna is noticed by her new card", here)
	first.cards(t, 2, 1)

	waitUntil(t, "headquarters has the whole story", func() error {
		events, err := c.hq.DB().CardEvents(t.Context(), "m-anna", 10)
		kinds := map[string]string{}
		for _, e := range events {
			kinds[e.Kind] = e.Store + " " + e.By + " " + e.Proved
		}
		want := map[string]string{"blocked": "first Li ", "seen": "second  ", "handled": "second Zhou ", "bound": "second Zhou staff"}
		if err == nil && fmt.Sprint(kinds) != fmt.Sprint(want) {
			err = fmt.Errorf("it has %v, want %v", kinds, want)
		}
		return err
	})

	c.members("marketing")
	for _, b := range c.stores {
		waitUntil(t, b.name+" has forgotten Anna", func() error {
			if _, err := b.api.Wallet(t.Context(), "m-anna"); err == nil {
				return errors.New("her cards are told")
			}
			s, err := b.api.Snapshot(t.Context(), api.Reception)
			for _, card := range s.Cards {
				if card.Name["en"] == "Ms Wang" {
					err = errors.New("her name stands on a card")
				}
			}
			return err
		})
		b.stop()
		if state := histories(t, filepath.Join(b.data, "journal.db")); len(state) != 0 {
			t.Errorf("%s keeps %d histories", b.name, len(state))
		}
	}
}

// histories is what a store that has ended keeps of its members' visits.
func histories(t *testing.T, path string) map[string][]byte {
	t.Helper()
	j, err := journal.Open(path, journal.Options{})
	must(t, err)
	defer j.Close()
	state, err := j.State("history")
	must(t, err)
	return state
}
