package broker

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"foyer/sync/line"
	"foyer/sync/line/linetest"
	"foyer/sync/wire"
)

// Two that share are given each batch once between them, and each hears every state.
func TestExternalsShare(t *testing.T) {
	m := linetest.Mosquitto(t)
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	t.Cleanup(func() { cancel(); all.Wait() })
	type got struct {
		who     int
		topic   string
		payload string
	}
	heard := make(chan got, 1000)
	newLine := func(id string) *line.Line {
		l := line.New(line.Config{URL: m.URL(), ClientID: id, RetryMin: 5 * time.Millisecond, RetryMax: 50 * time.Millisecond})
		t.Cleanup(func() {
			if s := l.Status(); s.Online && s.Why != "" {
				t.Errorf("%s: %s", id, s.Why)
			}
		})
		return l
	}
	ups := make(chan struct{}, 10)
	for who := range 2 {
		l := newLine(fmt.Sprint("hq-", who))
		e := NewExternal("harbour", l, nil)
		e.Share("hq")
		l.OnUp(func() { ups <- struct{}{} })
		all.Go(func() {
			e.Run(ctx, func(topic string, payload []byte) error {
				heard <- got{who, topic, string(payload)}
				return nil
			})
		})
	}
	<-ups
	<-ups
	store := newLine("north")
	online := make(chan struct{}, 10)
	store.OnUp(func() { online <- struct{}{} })
	all.Go(func() { store.Run(ctx) })
	<-online
	place := wire.Place{Chain: "harbour", Store: "north"}
	times, states, share := map[string]int{}, map[int]int{}, map[int]int{}
	next := func(what string) {
		t.Helper()
		select {
		case g := <-heard:
			if strings.HasSuffix(g.topic, "/state") {
				states[g.who]++
				return
			}
			times[g.payload]++
			share[g.who]++
		case <-time.After(time.Minute):
			t.Fatalf("%s did not come: %v, states %v", what, share, states)
		}
	}
	const batches = 200
	for n := range batches {
		topic := place.Up("main")
		if n%10 == 0 {
			topic = place.Ask(wire.Members)
		}
		if err := store.Publish(topic, false, fmt.Append(nil, n)); err != nil {
			t.Fatal(err)
		}
		next(fmt.Sprint("batch ", n))
	}
	if err := store.Publish(place.State(), false, []byte("state")); err != nil {
		t.Fatal(err)
	}
	for len(states) < 2 {
		next("the state")
	}
	if len(times) != batches || len(heard) > 0 {
		t.Errorf("%d batches, and %d came again: want %d once each", len(times), len(heard), batches)
	}
	if share[0] == 0 || share[1] == 0 {
		t.Errorf("one does all: %v", share)
	}
}
