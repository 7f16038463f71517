package hq

import (
	"testing"
	"time"

	"foyer/sync/wire"
)

// At a broker elsewhere a store that was shut out may still be connected: nothing of it is taken, and members and campaigns are
// off its topics; they come back with a new token.
func TestShutOutAtABrokerElsewhere(t *testing.T) {
	r := start(t, t.TempDir())
	r.add("north")
	retained := func(full bool) {
		t.Helper()
		limit := time.After(patience)
		for {
			r.broker.mu.Lock()
			members, told := r.broker.retained[at("north").Down(Members)]
			r.broker.mu.Unlock()
			if told && (len(members) > 0) == full {
				return
			}
			select {
			case <-r.broker.changed:
			case <-limit:
				t.Fatalf("members on the topic: want %t", full)
			}
		}
	}
	retained(true)
	batch := batchOf(t, 1, wire.NewRecord(wire.VisitStarted, r.Now(), wire.Visit{Visit: "v1", Member: "m-1", Nth: 1}))
	if err := r.Revoke(t.Context(), "north"); err != nil {
		t.Fatal(err)
	}
	retained(false)
	if err := r.send(at("north").Up(wire.MainLane), batch); err != nil {
		t.Fatal(err)
	}
	if len(r.broker.acks) > 0 {
		t.Error("what it sent was acknowledged")
	}
	if _, err := r.NewToken(t.Context(), "north"); err != nil {
		t.Fatal(err)
	}
	retained(true)
	if err := r.send(at("north").Up(wire.MainLane), batch); err != nil {
		t.Fatal(err)
	}
	if ack := <-r.broker.acks; ack.Upto != 1 {
		t.Errorf("the first acknowledgement is %+v", ack)
	}
}
