package daemon

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"foyer/hq"
	"foyer/hq/broker"
	"foyer/hq/store"
	"foyer/reader/tag"
	"foyer/shop"
	"foyer/shop/member"
	"foyer/shop/presence"
	"foyer/sync/journal"
	"foyer/sync/line"
	"foyer/sync/line/linetest"
	"foyer/sync/wire"
)

var chainSecret = bytes.Repeat([]byte{7}, 32)

// chain is headquarters behind a broker, whose clock a test moves.
type chain struct {
	t       testing.TB
	hq      *hq.HQ
	dir     string
	address string
	ahead   atomic.Int64
	stop    func()
}

// eachBroker runs a test with the broker inside headquarters and with Mosquitto.
func eachBroker(t *testing.T, test func(t *testing.T, c *chain)) {
	t.Run("embedded", func(t *testing.T) { test(t, newChain(t, nil)) })
	t.Run("mosquitto", func(t *testing.T) { test(t, newChain(t, linetest.Mosquitto(t))) })
}

func newChain(t testing.TB, outside linetest.Broker) *chain {
	c := &chain{t: t, dir: t.TempDir()}
	if outside != nil {
		c.address = outside.Address()
	} else {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		c.address = l.Addr().String()
		l.Close()
	}
	c.start(outside != nil)
	return c
}

func (c *chain) start(outside bool) {
	var err error
	c.hq, err = hq.Open(hq.Config{Dir: c.dir, Chain: "demo", TagSecret: chainSecret, Regulars: hq.Regulars{Above: -1},
		Now: func() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }})
	if err != nil {
		c.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	var b hq.Broker
	if outside {
		l := line.New(line.Config{URL: "tcp://" + c.address, ClientID: "hq", RetryMin: 5 * time.Millisecond, RetryMax: 50 * time.Millisecond})
		b = broker.NewExternal("demo", l, slog.New(slog.DiscardHandler))
	} else if b, err = broker.Listen(broker.EmbeddedConfig{Chain: "demo", Addr: c.address, Auth: func(string, string) bool { return true }}); err != nil {
		c.t.Fatal(err)
	}
	now := c.hq
	all.Go(func() {
		if err := now.Run(ctx, b); err != nil {
			c.t.Error(err)
		}
	})
	c.stop = sync.OnceFunc(func() {
		cancel()
		all.Wait()
		if err := now.Close(); err != nil {
			c.t.Error(err)
		}
	})
	c.t.Cleanup(c.stop)
	<-c.hq.Ready()
}

func (c *chain) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

func (c *chain) addStore(id string) {
	c.t.Helper()
	_, err := c.hq.AddStore(c.t.Context(), id, "", id)
	c.must(err)
}

// join imports members: id,tags,consents by rows.
func (c *chain) join(rows ...string) {
	c.t.Helper()
	c.ahead.Add(int64(2 * time.Hour)) // what stores hear of once an hour, they hear now
	p, err := c.hq.ImportMembers(c.t.Context(), []byte("id,family,title,language,tags,consents\n"+strings.Join(rows, "\n")+"\n"))
	if err != nil && p != nil {
		err = fmt.Errorf("%w: %+v", err, p.Faults)
	}
	c.must(err)
}

const everything = "recognise|greet_by_name|public_screen"

func row(id, family string, n int) string {
	return fmt.Sprintf("%s,%s,ms,en,uid:%08X,%s", id, family, n, everything)
}

func uid(t testing.TB, n int) tag.ID {
	t.Helper()
	number, err := tag.ParseNumber(fmt.Sprintf("uid:%08X", n))
	if err != nil {
		t.Fatal(err)
	}
	key, err := tag.NewKey(chainSecret)
	if err != nil {
		t.Fatal(err)
	}
	return key.ID(number)
}

// counter is a store with one pad at its counter, from the line to what a screen is told.
type counter struct {
	t       testing.TB
	dir     string
	proxy   *linetest.Proxy
	shop    *shop.Shop
	people  *crowd
	supply  *supply
	events  chan shop.Event
	noticed chan member.Standing
	stop    func()
}

func (c *counter) Show(e shop.Event) {
	switch e.(type) {
	case shop.Greeted, shop.CardChanged:
		c.events <- e
	}
}

// Record implements shop.Ledger.
func (c *counter) Record(f shop.Fact, done func(error)) {
	if done != nil {
		go done(nil)
	}
}

func newCounter(t testing.TB, c *chain) *counter {
	s := &counter{t: t, dir: t.TempDir(), proxy: linetest.NewProxy(t, c.address)}
	write(t, s.dir, "store.token", "a-token")
	write(t, s.dir, "hq.pub", string(readFile(t, c.hq.PublicKeyFile())))
	s.start()
	return s
}

func (s *counter) start() {
	s.t.Helper()
	s.events, s.noticed = make(chan shop.Event, 1000), make(chan member.Standing, 1000)
	config := &Config{Chain: "demo", Store: "north", Data: s.dir}
	config.Headquarters = Headquarters{Broker: s.proxy.URL(), User: "north", PasswordFile: filepath.Join(s.dir, "store.token"), PublicKeyFiles: []string{filepath.Join(s.dir, "hq.pub")}}
	log := slog.New(slog.DiscardHandler)
	j, err := journal.Open(filepath.Join(s.dir, "journal.db"), journal.Options{})
	if err != nil {
		s.t.Fatal(err)
	}
	keys, err := config.openVault(log)
	if err != nil {
		s.t.Fatal(err)
	}
	kept, err := newSafe(keys, j, log)
	if err != nil {
		s.t.Fatal(err)
	}
	s.people = &crowd{log: log}
	s.shop, err = shop.New(shop.Config{StoreID: "north", Screens: s, Ledger: s, Elsewhere: s.people,
		Times:   shop.Times{Guest: patience}, // a loaded machine is no fault of anybody's
		Noticed: func(n shop.Noticed) { s.noticed <- n.Standing },
		Zones:   []shop.Zone{{Zone: presence.Zone{ID: "counter", Role: presence.Counter, Readers: []string{"pad"}, Tap: true}}}})
	if err != nil {
		s.t.Fatal(err)
	}
	s.people.shop = s.shop
	shreds, err := newShredder(kept, s.people, log)
	if err != nil {
		s.t.Fatal(err)
	}
	if s.supply, err = newSupply(config, nil, shreds, s.people, nil, "test", log); err != nil {
		s.t.Fatal(err)
	}
	around, middle, base := newLevel(context.Background()), newLevel(context.Background()), newLevel(context.Background())
	fail := func(err error) { s.t.Error(err) }
	base.run("journal", j.Run, fail)
	around.run("downlink", s.supply.down.Run, fail)
	<-s.supply.down.Restored()
	middle.run("shop", s.shop.Run, fail)
	around.run("line", s.supply.line.Run, fail)
	s.stop = sync.OnceFunc(func() {
		err := errors.Join(around.end(), middle.end(), base.end(), s.supply.close(), keys.Close(), j.Close())
		if err != nil {
			s.t.Error(err)
		}
	})
	s.t.Cleanup(s.stop)
}

func (s *counter) until(what string, there func() bool) {
	s.t.Helper()
	for end := time.Now().Add(2 * patience); !there(); {
		if time.Now().After(end) {
			s.t.Fatalf("waited in vain until %s: %+v", what, s.supply.down.Guesting())
		}
		tick := time.NewTimer(5 * time.Millisecond)
		<-tick.C
	}
}

func (s *counter) tap(id tag.ID) { s.shop.Read(tag.Read{ID: id, At: time.Now(), Reader: "pad"}) }

// is waits for what the shop takes a tag for.
func (s *counter) is(id tag.ID, want member.Standing) {
	s.t.Helper()
	s.tap(id)
	select {
	case got := <-s.noticed:
		if got != want {
			s.t.Fatalf("the tag is %s, want %s: %+v", got, want, s.supply.down.Guesting())
		}
	case <-time.After(2 * patience):
		s.t.Fatalf("nothing becomes of the tag: %+v", s.supply.down.Guesting())
	}
}

// greets waits until the wall has said a name.
func (s *counter) greets(id tag.ID, family string) {
	s.t.Helper()
	s.is(id, member.Carried)
	for {
		select {
		case e := <-s.events:
			if c, ok := e.(shop.CardChanged); ok && strings.Contains(c.Card.Name["en"], family) {
				return
			}
		case <-time.After(patience):
			s.t.Fatalf("%s is not greeted", family)
		}
	}
}

// atHand waits until the store has its roster and a filter.
func (s *counter) atHand(members int) {
	s.t.Helper()
	s.until("the members are at hand", func() bool {
		s.people.mu.Lock()
		defer s.people.mu.Unlock()
		return s.people.atHand.Len() == members && s.supply.down.Guesting().Tags > 0 && s.supply.down.InForce(wire.Campaigns) > 0
	})
}

func readFile(t testing.TB, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// A member of another store walks in and is known; strangers cost nothing; what headquarters says later holds; without it nobody waits.
func TestMembersOfOtherStores(t *testing.T) {
	eachBroker(t, func(t *testing.T, c *chain) {
		c.addStore("north")
		c.addStore("south")
		c.join(row("anna", "Anna", 1), row("bo", "Bo", 2), row("cy", "Cy", 3))
		c.must(c.hq.MarkRegular(t.Context(), "north", "anna", true))
		s := newCounter(t, c)
		s.atHand(1)

		// A thousand strangers pass, and not a byte goes over the line.
		before, passed := s.proxy.Carried(), 0
		for n := 1000; passed < 1000; n++ {
			if id := uid(t, n); !s.supply.down.Maybe(id, tag.ID{}) {
				s.is(id, member.Unknown)
				passed++
			}
		}
		s.greets(uid(t, 1), "Anna")
		if now := s.proxy.Carried(); now != before {
			t.Errorf("%d bytes went over the line for strangers", now-before)
		}

		s.greets(uid(t, 2), "Bo")
		g := s.supply.down.Guesting()
		if g.Asked != 1 || g.Named != 1 || g.Held != 1 {
			t.Errorf("%+v: want one question and one guest", g)
		}
		t.Logf("a question and its answer: %d bytes", s.proxy.Carried()-before)

		// After a restart the guest is at hand without a question.
		s.stop()
		s.start()
		s.atHand(1)
		s.greets(uid(t, 2), "Bo")
		if g := s.supply.down.Guesting(); g.Asked != 0 || g.Held != 1 {
			t.Errorf("after a restart: %+v", g)
		}

		// Within the hour the guest is a regular, and who joined elsewhere is in the filter.
		c.join(row("dee", "Dee", 4))
		s.atHand(2)
		s.until("the guest is among the regulars", func() bool { return s.supply.down.Guesting().Held == 0 })
		s.until("the filter is the next one", func() bool { return s.supply.down.Guesting().Tags == 4 })
		s.greets(uid(t, 4), "Dee")

		// Who does not want to be recognised any more is a stranger at once: the regular, and the guest.
		c.join("bo,Bo,ms,en,uid:00000002,", "dee,Dee,ms,en,uid:00000004,")
		s.until("both are gone", func() bool {
			s.people.mu.Lock()
			defer s.people.mu.Unlock()
			return s.people.atHand.Len() == 1 && len(s.people.guests) == 0
		})

		// Headquarters is away: who is at hand is greeted, who is not is nobody, and nobody waits.
		s.proxy.Down()
		s.until("the line is down", func() bool { up, _ := s.supply.line.Online(); return !up })
		s.is(uid(t, 3), member.Unknown)
		s.proxy.Up()
		s.until("the line is up", func() bool { up, _ := s.supply.line.Online(); return up })
		s.shop.Read(tag.Read{ID: uid(t, 3), At: time.Now().Add(time.Minute), Reader: "pad"}) // seen anew
		s.until("the next sighting is asked for", func() bool { return s.supply.down.Guesting().Held == 1 })
	})
}

// Headquarters is asked and never answers: the time is over, the person is nobody, and others are greeted meanwhile.
func TestHeadquartersSaysNothing(t *testing.T) {
	c := newChain(t, nil)
	c.addStore("north")
	c.join(row("anna", "Anna", 1), row("bo", "Bo", 2))
	c.must(c.hq.MarkRegular(t.Context(), "north", "anna", true))
	s := newCounter(t, c)
	s.atHand(1)
	s.stop()
	s.start()
	s.until("the line is up", func() bool { up, _ := s.supply.line.Online(); return up })
	s.proxy.Silence()
	s.tap(uid(t, 2))
	s.greets(uid(t, 1), "Anna")
	s.until("the question is late", func() bool { return s.supply.down.Guesting().Late == 1 })
}

// A lost card of somebody who is not at hand is told to staff in this store too.
func TestALostCardOfAnotherStore(t *testing.T) {
	c := newChain(t, nil)
	c.addStore("north")
	c.join(row("bo", "Bo", 2))
	people, err := c.hq.DB().Members(t.Context(), "", -1)
	c.must(err)
	people[0].Blocked, people[0].Tags = people[0].Tags, nil
	revision, err := c.hq.DB().Revision(t.Context(), hq.Members)
	c.must(err)
	c.must(c.hq.DB().PutMembers(t.Context(), revision, []store.Person{people[0]}, time.Now()))
	s := newCounter(t, c)
	s.atHand(0)
	s.until("the filter has the lost card", func() bool { return s.supply.down.Maybe(uid(t, 2), tag.ID{}) })
	s.is(uid(t, 2), member.Blocked)
}

// Headquarters, in another life, sends all members to all stores, and takes that back.
func TestFromAllMembersToRegularsAndBack(t *testing.T) {
	c := newChain(t, nil)
	c.addStore("north")
	c.join(row("anna", "Anna", 1), row("bo", "Bo", 2))
	s := newCounter(t, c)
	s.atHand(0)
	regulars := s.supply.down.InForce(wire.Members)
	s.stop()
	c.stop()
	all := func(above int) {
		var err error
		if c.hq, err = hq.Open(hq.Config{Dir: c.dir, Chain: "demo", TagSecret: chainSecret, Regulars: hq.Regulars{Above: above}}); err != nil {
			t.Fatal(err)
		}
		b, err := broker.Listen(broker.EmbeddedConfig{Chain: "demo", Addr: c.address, Auth: func(string, string) bool { return true }})
		c.must(err)
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() { ended <- c.hq.Run(ctx, b) }()
		c.stop = sync.OnceFunc(func() {
			cancel()
			c.must(errors.Join(<-ended, c.hq.Close()))
		})
		t.Cleanup(c.stop)
	}
	all(100)
	s.start()
	s.until("all members are here", func() bool { return s.supply.down.InForce(wire.Members) > regulars })
	whole := s.supply.down.InForce(wire.Members)
	s.until("nobody is asked for any more", func() bool { return !s.supply.down.Maybe(uid(t, 1), tag.ID{}) })
	s.stop()
	c.stop()
	all(1)
	s.start()
	s.until("the regulars are here", func() bool { return s.supply.down.InForce(wire.Members) > whole })
	s.atHand(0)
	if again := s.supply.down.InForce(wire.Members); whole <= regulars || again <= whole {
		t.Errorf("versions %d, %d and %d: want them to grow", regulars, whole, again)
	}
	s.greets(uid(t, 2), "Bo")
}
