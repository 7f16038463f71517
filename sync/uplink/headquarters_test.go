package uplink_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"foyer/sync/line"
	"foyer/sync/wire"
)

// headquarters keeps what real ones keep: rows and a watermark for each epoch, and acknowledges the watermark.
type headquarters struct {
	mu       sync.Mutex
	rows     map[string][]string // by epoch, in the order of arrival
	dups     int
	gaps     int
	states   []wire.State
	progress chan struct{} // poked at each stored batch
}

func newHeadquarters() *headquarters {
	return &headquarters{rows: map[string][]string{}, progress: make(chan struct{}, 1)}
}

// ingest stores what follows on what it has, and returns the acknowledgement.
func (h *headquarters) ingest(payload []byte) ([]byte, error) {
	b, err := wire.DecodeBatch(payload)
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	has := uint64(len(h.rows[b.Epoch]))
	if b.First > has+1 {
		h.gaps++
	} else {
		for i, r := range b.Records {
			if b.First+uint64(i) <= has {
				h.dups++
				continue
			}
			h.rows[b.Epoch] = append(h.rows[b.Epoch], string(r))
		}
		select {
		case h.progress <- struct{}{}:
		default:
		}
	}
	return wire.EncodeAck(wire.Ack{Epoch: b.Epoch, Lane: b.Lane, Upto: uint64(len(h.rows[b.Epoch])), HQTime: time.Now().UTC(), Takes: wire.BatchCompact})
}

// connect lets it work through a broker.
func (h *headquarters) connect(t *testing.T, url string) (l *line.Line, stop func()) {
	l = newLine(url, "hq")
	l.Subscribe("edge/v1/+/+/up/+", func(topic string, payload []byte) {
		p, _, err := wire.ParseTopic(topic)
		if err != nil {
			t.Error(err)
			return
		}
		answer, err := h.ingest(payload)
		if err != nil {
			t.Error(err)
			return
		}
		l.Publish(p.Ack(), false, answer)
	})
	l.Subscribe("edge/v1/+/+/state", func(_ string, payload []byte) {
		s, err := wire.DecodeState(payload)
		if err != nil {
			t.Error(err)
		}
		h.mu.Lock()
		h.states = append(h.states, s)
		h.mu.Unlock()
	})
	return l, background(t, "headquarters", l.Run)
}

func (h *headquarters) count(epoch string) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.rows[epoch])
}

// await waits until it has n records.
func (h *headquarters) await(t *testing.T, epoch string, n int) {
	t.Helper()
	end := time.After(generous)
	for h.count(epoch) < n {
		select {
		case <-h.progress:
		case <-end:
			t.Fatalf("headquarters has %d of %d records", h.count(epoch), n)
		}
	}
}

// check checks that it has 1 to n, each once, in order, and that the store knows.
func (h *headquarters) check(t *testing.T, s *store, n int) {
	t.Helper()
	h.await(t, s.journal.Epoch(), n)
	h.mu.Lock()
	rows := h.rows[s.journal.Epoch()]
	if len(rows) != n {
		t.Errorf("headquarters has %d rows, want %d", len(rows), n)
	}
	for i, row := range rows {
		if want := fmt.Sprintf(`{"n":%d}`, i+1); row != want {
			t.Fatalf("row %d is %s, want %s", i+1, row, want)
		}
	}
	h.mu.Unlock()
	awaitCursor(t, s, uint64(n))
}
