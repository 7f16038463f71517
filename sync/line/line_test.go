package line

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"

	"foyer/sync/line/linetest"
)

// generous is how long a test waits for what must happen. It is only ever waited out by a test that fails.
const generous = 30 * time.Second

// quick is a line whose tries follow each other fast.
func quick(url, id string) Config {
	return Config{URL: url, ClientID: id, RetryMin: 5 * time.Millisecond, RetryMax: 50 * time.Millisecond}
}

// run runs a line until the test ends or stop is called; up gets a value each time it came up.
func run(t *testing.T, l *Line) (up <-chan struct{}, stop func()) {
	t.Helper()
	ups := make(chan struct{}, 1000)
	l.OnUp(func() { ups <- struct{}{} })
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- l.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := await(t, ended, "the end of Run"); err != nil {
			t.Errorf("run: %v", err)
		}
	})
	t.Cleanup(stop)
	return ups, stop
}

func await[T any](t *testing.T, c <-chan T, what string) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(generous):
		t.Fatalf("waited %v for %s", generous, what)
	}
	return v
}

// collect subscribes and passes messages on as "topic payload".
func collect(l *Line, filter string) <-chan string {
	c := make(chan string, 10_000)
	l.Subscribe(filter, func(topic string, payload []byte) { c <- topic + " " + string(payload) })
	return c
}

func publish(t *testing.T, l *Line, topic, text string) {
	t.Helper()
	if err := l.Publish(topic, false, []byte(text)); err != nil {
		t.Fatal(err)
	}
}

func TestMessagesPassInBothDirectionsAndAgainAfterARestart(t *testing.T) {
	linetest.Each(t, func(t *testing.T, b linetest.Broker) {
		store, hq := New(quick(b.URL(), "store")), New(quick(b.URL(), "hq"))
		down, up := collect(store, "edge/+/down/#"), collect(hq, "edge/+/up")
		storeUp, _ := run(t, store)
		hqUp, _ := run(t, hq)
		for round := range 3 {
			await(t, storeUp, "the store's line")
			await(t, hqUp, "headquarters' line")
			publish(t, store, "edge/s1/up", fmt.Sprint("visit ", round))
			publish(t, hq, "edge/s1/down/members", fmt.Sprint("members ", round))
			if got, want := await(t, up, "a visit"), fmt.Sprint("edge/s1/up visit ", round); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
			if got, want := await(t, down, "members"), fmt.Sprint("edge/s1/down/members members ", round); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
			if online, _ := store.Online(); !online {
				t.Error("the store does not know that it is online")
			}
			if round < 2 {
				b.Stop()
				b.Start()
			}
		}
		if n := store.Status().Connects; n != 3 {
			t.Errorf("came up %d times, want 3", n)
		}
	})
}

func TestTheWillSpeaksWhenTheLineIsCutAndWhenItIsPutDown(t *testing.T) {
	linetest.Each(t, func(t *testing.T, b linetest.Broker) {
		watcher := New(quick(b.URL(), "watcher"))
		states := collect(watcher, "state")
		watcherUp, _ := run(t, watcher)
		await(t, watcherUp, "the watcher's line")

		proxy := linetest.NewProxy(t, b.Address())
		c := quick(proxy.URL(), "store")
		c.Will = &Message{Topic: "state", Payload: []byte("offline"), Retained: true}
		store := New(c)
		store.OnUp(func() { store.Publish("state", true, []byte("online")) })
		_, stop := run(t, store)
		last := ""
		for _, want := range []string{"online", "offline", "online", "offline"} {
			got := await(t, states, want)
			if got == last { // a broker that sends what is retained after its SUBACK may say the first word twice
				got = await(t, states, want)
			}
			if last = got; got != "state "+want {
				t.Fatalf("got %q, want %q", got, want)
			}
			switch {
			case want == "offline": // only now: a broker may say a will of the old connection after the new one's first word
				proxy.Up()
			case store.Status().Connects == 1:
				proxy.Down()
			default:
				go stop()
			}
		}
	})
}

func TestOfflineNothingIsTakenAndNothingIsKept(t *testing.T) {
	var mu sync.Mutex
	var got []string
	seen := make(chan struct{}, 10)
	fake := linetest.NewFake(t, func(n int, c *linetest.Conn) {
		if !c.Greet() {
			return
		}
		if n == 0 { // accepts a message and dies before its PUBACK
			c.Next()
			seen <- struct{}{}
			return
		}
		c.Polite(func(p *packets.PublishPacket) {
			mu.Lock()
			got = append(got, string(p.Payload))
			mu.Unlock()
			seen <- struct{}{}
		})
	})
	l := New(quick(fake.URL(), "store"))
	if err := l.Publish("up", false, []byte("too early")); !errors.Is(err, ErrOffline) {
		t.Errorf("before the first connection: %v", err)
	}
	up, _ := run(t, l)
	await(t, up, "the line")
	if err := l.Publish("up", false, []byte("lost")); err != nil && !errors.Is(err, ErrOffline) { // it dies while we still send
		t.Fatal(err)
	}
	await(t, seen, "the message that is lost")
	await(t, up, "the line again")
	publish(t, l, "up", "second")
	await(t, seen, "the second message")
	mu.Lock()
	defer mu.Unlock()
	if len(got) != 1 || got[0] != "second" {
		t.Errorf("the new connection carried %q, want only the second message", got)
	}
}

func TestARefusedSubscriptionIsToldAndAskedAgain(t *testing.T) {
	asked := make(chan string, 100)
	fake := linetest.NewFake(t, func(n int, c *linetest.Conn) {
		c.Greet()
		allowed := byte(0x80)
		for {
			p, ok := c.Next()
			if !ok {
				return
			}
			if s, ok := p.(*packets.SubscribePacket); ok {
				asked <- s.Topics[0]
				if s.Topics[0] == "free" {
					c.Granted(s, 1)
					continue
				}
				c.Granted(s, allowed)
				allowed = 0
				if len(asked) == 0 {
					continue
				}
			}
		}
	})
	l := New(quick(fake.URL(), "store-7"))
	collect(l, "free")
	collect(l, "secret")
	up, _ := run(t, l)
	await(t, up, "the line")
	if why := l.Status().Why; !strings.Contains(why, "secret") || !strings.Contains(why, "store-7") {
		t.Errorf("status says %q", why)
	}
	if online, _ := l.Online(); !online {
		t.Error("one refused subscription took the line down")
	}
	for _, want := range []string{"free", "secret", "secret"} {
		if got := await(t, asked, "a subscription"); got != want {
			t.Errorf("asked for %q, want %q", got, want)
		}
	}
	publish(t, l, "x", "still alive")
}

func TestASlowSubscriberHoldsUpTheLineAndLosesNothing(t *testing.T) {
	const n = 10 * inboxLength
	sent := make(chan struct{})
	fake := linetest.NewFake(t, func(_ int, c *linetest.Conn) {
		c.Greet()
		p, _ := c.Next()
		c.Granted(p.(*packets.SubscribePacket), 1)
		for i := range n {
			c.Send("down", fmt.Append(nil, i))
		}
		close(sent)
		c.Polite(func(*packets.PublishPacket) {})
	})
	l := New(quick(fake.URL(), "store"))
	order := make(chan string, n)
	l.Subscribe("down", func(_ string, payload []byte) {
		if len(order) == 0 {
			<-sent // the first one waits until all have been sent
		}
		// Publishing from a subscriber must not lock the line up.
		if err := l.Publish("up", false, payload); err != nil && !errors.Is(err, ErrOffline) {
			t.Error(err)
		}
		order <- string(payload)
	})
	run(t, l)
	for i := range n {
		if got := await(t, order, "a message"); got != fmt.Sprint(i) {
			t.Fatalf("got message %s, want %d", got, i)
		}
	}
}

func TestABrokerThatAcknowledgesNothingIsNotFedForEver(t *testing.T) {
	fake := linetest.NewFake(t, func(_ int, c *linetest.Conn) {
		c.Greet()
		io.Copy(io.Discard, c)
	})
	l := New(quick(fake.URL(), "store"))
	up, _ := run(t, l)
	await(t, up, "the line")
	var err error
	n := 0
	for ; err == nil; n++ {
		err = l.Publish("up", false, []byte("x"))
	}
	if !errors.Is(err, ErrBusy) || n != maxUnacked+1 {
		t.Errorf("message %d: %v", n, err)
	}
	s := l.now.Load()
	s.mu.Lock()
	s.oldest = 0 // as if two keep-alives had passed
	s.mu.Unlock()
	if err := l.Publish("up", false, []byte("x")); !errors.Is(err, ErrOffline) || !strings.Contains(err.Error(), "not acknowledged") {
		t.Errorf("a silent broker: %v", err)
	}
	await(t, up, "a new connection")
	publish(t, l, "up", "x")
}

func TestPacketsBeyondTheLimitEndTheConnection(t *testing.T) {
	fake := linetest.NewFake(t, func(n int, c *linetest.Conn) {
		c.Greet()
		if n == 0 {
			c.Write([]byte{0x30, 0xff, 0xff, 0xff, 0x7f}) // announces 256 MiB
		}
		c.Polite(func(*packets.PublishPacket) {})
	})
	c := quick(fake.URL(), "store")
	c.MaxPacket = 1000
	l := New(c)
	up, _ := run(t, l)
	await(t, up, "the line")
	await(t, up, "the line again")
}

func TestADeadLineIsNoticed(t *testing.T) {
	b := linetest.Embedded(t)
	proxy := linetest.NewProxy(t, b.Address())
	c := quick(proxy.URL(), "store")
	c.KeepAlive = time.Second
	l := New(c)
	up, _ := run(t, l)
	await(t, up, "the line")
	proxy.Silence()
	await(t, up, "the line after the silence")
}

func TestABrokerThatSaysNoIsAskedAgain(t *testing.T) {
	tries := make(chan int, 100)
	fake := linetest.NewFake(t, func(n int, c *linetest.Conn) {
		tries <- n
		c.Next()
		ack := packets.NewControlPacket(packets.Connack).(*packets.ConnackPacket)
		if n < 3 {
			ack.ReturnCode = packets.ErrRefusedBadUsernameOrPassword
			ack.Write(c)
			return
		}
		ack.Write(c)
		c.Polite(func(*packets.PublishPacket) {})
	})
	l := New(quick(fake.URL(), "store"))
	up, _ := run(t, l)
	await(t, up, "the line")
	if got := len(tries); got != 4 {
		t.Errorf("%d tries, want 4", got)
	}
}

func TestStoppingDoesNotWaitForASilentBroker(t *testing.T) {
	connected := make(chan struct{}, 10)
	fake := linetest.NewFake(t, func(_ int, c *linetest.Conn) {
		connected <- struct{}{}
		io.Copy(io.Discard, c) // never a CONNACK
	})
	l := New(quick(fake.URL(), "store"))
	_, stop := run(t, l)
	await(t, connected, "the connection")
	began := time.Now()
	stop()
	if took := time.Since(began); took > patience/2 {
		t.Errorf("stopping took %v", took)
	}
}
