package serve

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"foyer/api"
)

// ringSize is how many events of a face can be replayed: minutes of a busy door, so that a tablet that slept or
// changed its access point comes back without a new snapshot.
const ringSize = 256

// feed is the numbered past of one face. Its owner, the Hub, guards it.
type feed struct {
	last    uint64
	ring    [ringSize][]byte // the event numbered n, ready for the wire, sits at n % ringSize
	changed chan struct{}    // closed and replaced at each event
}

func newFeed() *feed { return &feed{changed: make(chan struct{})} }

// push appends one event and wakes whoever waits. It never blocks: waiting streams look into the ring by themselves.
func (f *feed) push(kind api.Kind, at time.Time, data []byte) error {
	event, err := json.Marshal(api.Event{ID: f.last + 1, Kind: kind, At: at, Data: data})
	if err != nil {
		return fmt.Errorf("write event %s: %w", kind, err)
	}
	f.last++
	f.ring[f.last%ringSize] = encodeMessage(f.last, string(kind), event)
	close(f.changed)
	f.changed = make(chan struct{})
	return nil
}

// since returns the events after the one numbered after, or false where the ring no longer holds them all, or never did.
func (f *feed) since(after uint64) ([][]byte, bool) {
	if after > f.last || f.last-after > ringSize {
		return nil, false
	}
	missed := make([][]byte, 0, f.last-after)
	for n := after + 1; n <= f.last; n++ {
		missed = append(missed, f.ring[n%ringSize])
	}
	return missed, true
}

// encodeMessage writes one Server-Sent Event. JSON holds no line break outside of strings and escapes those inside, so
// one data line is enough.
func encodeMessage(id uint64, event string, data []byte) []byte {
	var b bytes.Buffer
	if id > 0 {
		fmt.Fprintf(&b, "id: %d\n", id)
	}
	fmt.Fprintf(&b, "event: %s\ndata: %s\n\n", event, data)
	return b.Bytes()
}
