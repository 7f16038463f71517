package hq

import (
	"bytes"
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"foyer/hq/store/storetest"
	"foyer/sync/wire"
)

// sharedBroker is one headquarters' line to a broker that several use: all see what is retained there.
type sharedBroker struct {
	*fakeBroker
	together bool
	laid     func(topic string)
}

func (b *sharedBroker) Together() bool { return b.together }
func (b *sharedBroker) Forget()        {}

func (b *sharedBroker) Publish(topic string, retain bool, payload []byte) error {
	if retain {
		b.laid(topic)
		return nil
	}
	if strings.HasSuffix(topic, "/ack") {
		return b.fakeBroker.Publish(topic, false, payload)
	}
	return nil
}

// company is headquarters that share a folder, a database and a broker.
type companyTest struct {
	t        *testing.T
	dir, url string
	mu       sync.Mutex
	laid     map[string]int // by instance and topic
	news     chan struct{}
}

func (c *companyTest) start(instance int, together bool) (h *HQ, send func(string, []byte) error, acks chan wire.Ack, stop func()) {
	c.t.Helper()
	h, err := Open(Config{Dir: c.dir, Chain: "harbour", TagSecret: bytes.Repeat([]byte{7}, 32), Database: c.url, Instance: instance})
	if err != nil {
		c.t.Fatal(err)
	}
	b := &sharedBroker{fakeBroker: newFakeBroker(), together: together}
	b.laid = func(topic string) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.laid[string(rune('0'+instance))+" "+topic]++
		poke(c.news)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	all.Go(func() {
		if err := h.Run(ctx, b); err != nil {
			c.t.Error(err)
		}
	})
	stop = sync.OnceFunc(func() {
		cancel()
		all.Wait()
		if err := h.Close(); err != nil {
			c.t.Error(err)
		}
	})
	c.t.Cleanup(stop)
	return h, <-b.deliver, b.acks, stop
}

// wait returns when an instance has laid something on a topic.
func (c *companyTest) wait(instance, topic string) {
	c.t.Helper()
	limit := time.After(time.Minute)
	for {
		c.mu.Lock()
		n := c.laid[instance+" "+topic]
		c.mu.Unlock()
		if n > 0 {
			return
		}
		select {
		case <-c.news:
		case <-limit:
			c.t.Fatalf("instance %s never laid %s: %v", instance, topic, c.laid)
		}
	}
}

func newCompany(t *testing.T) *companyTest {
	return &companyTest{t: t, dir: t.TempDir(), url: storetest.Postgres(t), laid: map[string]int{}, news: make(chan struct{}, 1)}
}

func visitBatch(t *testing.T, first uint64, n int) []byte {
	t.Helper()
	b := wire.Batch{Epoch: "e", Lane: "main", First: first, SentAt: time.Now()}
	for range n {
		r, err := wire.EncodeRecord(wire.NewRecord(wire.VisitStarted, time.Now(), wire.Visit{Visit: "v", Member: "m"}))
		if err != nil {
			t.Fatal(err)
		}
		b.Records = append(b.Records, r)
	}
	data, err := wire.EncodeBatch(b)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// One of two leads and lays snapshots; the other hears of changes, takes batches, and leads when the first has gone.
func TestOneOfTwoLeads(t *testing.T) {
	c := newCompany(t)
	a, _, _, stopA := c.start(1, true)
	until(t, "the first leads", a.company.Leads)
	b, send, acks, _ := c.start(2, true)
	changed, done := b.Watch()
	defer done()
	if _, err := b.AddStore(t.Context(), "north", "", "North"); err != nil { // asked at the one that does not lead
		t.Fatal(err)
	}
	north := wire.Place{Chain: "harbour", Store: "north"}
	c.wait("1", north.Down(Members))
	for len(changed) > 0 {
		<-changed
	}
	if err := a.SaveCampaign(t.Context(), someCampaign("tea", "true")); err != nil {
		t.Fatal(err)
	}
	select {
	case <-changed:
	case <-time.After(time.Minute):
		t.Error("the other hears of no change")
	}
	if err := send(north.Up("main"), visitBatch(t, 1, 3)); err != nil {
		t.Fatal(err)
	}
	if ack := <-acks; ack.Upto != 3 {
		t.Errorf("the other acknowledges %d, want 3", ack.Upto)
	}
	c.mu.Lock()
	if n := c.laid["2 "+north.Down(Members)]; n != 0 || b.company.Leads() {
		t.Errorf("the other has laid members %d times, leads: %t", n, b.company.Leads())
	}
	c.mu.Unlock()
	stopA()
	c.wait("2", north.Down(Members))
	if !b.company.Leads() {
		t.Error("it lays and does not lead")
	}
}

// A batch that another headquarters' has to come before waits for it; a gap that lasts is told, and after that at once.
func TestABatchThatOvertakesWaits(t *testing.T) {
	c := newCompany(t)
	a, sendA, acksA, _ := c.start(1, true)
	_, sendB, acksB, _ := c.start(2, true)
	if _, err := a.AddStore(t.Context(), "north", "", "North"); err != nil {
		t.Fatal(err)
	}
	up := wire.Place{Chain: "harbour", Store: "north"}.Up("main")
	first, second, fourth := visitBatch(t, 1, 3), visitBatch(t, 4, 3), visitBatch(t, 10, 3)
	var all sync.WaitGroup
	all.Go(func() {
		if err := sendB(up, second); err != nil {
			t.Error(err)
		}
	})
	if err := sendA(up, first); err != nil {
		t.Fatal(err)
	}
	all.Wait()
	if x, y := <-acksA, <-acksB; x.Upto != 3 || y.Upto != 6 {
		t.Errorf("acknowledged up to %d and %d, want 3 and 6", x.Upto, y.Upto)
	}
	for range 2 {
		if err := sendB(up, fourth); err != nil {
			t.Fatal(err)
		}
		if ack := <-acksB; ack.Upto != 6 {
			t.Errorf("with a gap it acknowledges %d, want 6", ack.Upto)
		}
	}
}

// Where the broker gives everything to everybody, the one that leads takes it.
func TestABrokerThatCannotShare(t *testing.T) {
	c := newCompany(t)
	a, sendA, acksA, _ := c.start(1, false)
	until(t, "the first leads", a.company.Leads)
	_, sendB, acksB, _ := c.start(2, false)
	if _, err := a.AddStore(t.Context(), "north", "", "North"); err != nil {
		t.Fatal(err)
	}
	up := wire.Place{Chain: "harbour", Store: "north"}.Up("main")
	for _, send := range []func(string, []byte) error{sendB, sendA} {
		if err := send(up, visitBatch(t, 1, 2)); err != nil {
			t.Fatal(err)
		}
	}
	if ack := <-acksA; ack.Upto != 2 || len(acksB) != 0 {
		t.Errorf("the one that leads acknowledges %d, the other %d times", ack.Upto, len(acksB))
	}
}

// A key that was switched in a shared folder is taken over; one that this folder never heard of is told.
func TestKeysOfACompany(t *testing.T) {
	c := newCompany(t)
	a, _, _, stop := c.start(1, true)
	if _, err := NextSigningKey(c.dir); err != nil {
		t.Fatal(err)
	}
	next, err := SwitchSigningKey(c.dir)
	if err != nil {
		t.Fatal(err)
	}
	until(t, "the database follows the switch", func() bool {
		house, err := a.db.House(t.Context())
		return err == nil && house["signing"] == next
	})
	if _, err := a.db.Settle(t.Context(), "signing", next, "from-elsewhere"); err != nil {
		t.Fatal(err)
	}
	if err := a.sameSigner(t.Context()); err == nil || !strings.Contains(err.Error(), "from-elsewhere") {
		t.Errorf("another's key gives %v", err)
	}
	stop()
	if _, err := Open(Config{Dir: c.dir, Chain: "harbour", Database: c.url}); err == nil || !strings.Contains(err.Error(), "database adopt") {
		t.Errorf("a folder without the key gives %v", err)
	}
	for what, cfg := range map[string]Config{
		"chain":   {Dir: c.dir, Chain: "elsewhere", Database: c.url},
		"tag key": {Dir: c.dir, Chain: "harbour", Database: c.url, TagSecret: bytes.Repeat([]byte{8}, 32)},
	} {
		if _, err := Open(cfg); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("another %s gives %v", what, err)
		}
	}
}

// until looks again and again: what happens is in other goroutines.
func until(t *testing.T, what string, there func() bool) {
	t.Helper()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	limit := time.After(time.Minute)
	for !there() {
		select {
		case <-look.C:
		case <-limit:
			t.Fatalf("waited in vain until %s", what)
		}
	}
}
