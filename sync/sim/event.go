package sim

import (
	crand "crypto/rand"
	"fmt"
	"math/rand/v2"
	"time"

	"foyer/sync/wire"
)

// someEvent is what might happen at a store: somebody comes, is greeted, goes. The names are as random as real ones, so that batches
// pack as real ones do.
func someEvent(now time.Time) []byte {
	visit, member := crand.Text(), fmt.Sprintf("m-%016x", rand.Uint64())
	r := wire.NewRecord(wire.VisitStarted, now, wire.Visit{Visit: visit, Member: member, Zone: "door", Nth: 1 + rand.IntN(9)})
	switch rand.IntN(3) {
	case 1:
		r = wire.NewRecord(wire.GreetingDecided, now, wire.Greeting{Visit: visit, Zone: "door", Named: true, Reasons: []wire.Reason{{Yes: true, Code: "wall.named"}, {Code: "kiosk.elsewhere"}}})
	case 2:
		r = wire.NewRecord(wire.VisitEnded, now, wire.Visit{Visit: visit, Member: member, Zone: "door", Nth: 1 + rand.IntN(9), Seconds: rand.IntN(900)})
	}
	payload, err := wire.EncodeRecord(r)
	if err != nil {
		panic(err) // a programmer's error: these always encode
	}
	return payload
}
