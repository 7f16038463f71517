package shape

import (
	"encoding/binary"
	"testing"
	"time"
)

// segment is an IPv4 packet with TCP and so many bytes of a stream, from a sequence number on.
func segment(seq uint32, payload int) []byte {
	p := make([]byte, 40+payload)
	p[0], p[9], p[32] = 4<<4|5, 6, 5<<4
	binary.BigEndian.PutUint16(p[2:], uint16(len(p)))
	binary.BigEndian.PutUint32(p[24:], seq)
	return p
}

func TestTheRateTheDelayAndTheQueue(t *testing.T) {
	w := newWay(Config{Rate: 80_000, Delay: 30 * time.Millisecond, Queue: 250 * time.Millisecond}, 1)
	now := time.Unix(0, 0)
	for i, want := range []time.Duration{130, 230, 330, 0, 0} { // a packet of 1,000 bytes takes 100 ms
		at, ok := w.send(segment(uint32(i)*960, 960), now)
		if ok != (want > 0) || ok && at.Sub(now) != want*time.Millisecond {
			t.Errorf("packet %d arrives after %v, %v: want %d ms", i, at.Sub(now), ok, want)
		}
	}
	if got := w.traffic(); got.Dropped != 2 || got.Bytes != 5000 || got.Payload != 5*960 {
		t.Errorf("%+v", got)
	}
}

func TestLossIsRepeatable(t *testing.T) {
	lost := func(seed uint64) (n int) {
		w := newWay(Config{Loss: 0.01}, seed)
		for range 100_000 {
			w.send(segment(1, 1), time.Unix(0, 0))
		}
		return w.traffic().Lost
	}
	if n := lost(1); n < 850 || n > 1150 || n != lost(1) || n == lost(2) {
		t.Errorf("%d of 100,000 lost, then %d; with another seed %d", n, lost(1), lost(2))
	}
}

func TestWhatIsSentAgainCountsOnce(t *testing.T) {
	w := newWay(Config{}, 1)
	from := uint32(0xffffff00) // over the end of the numbers
	for _, s := range [][2]uint32{{0, 1000}, {1000, 1000}, {0, 1000}, {1500, 1000}} {
		w.send(segment(from+s[0], int(s[1])), time.Unix(1, 0))
	}
	if got := w.traffic(); got.Payload != 2500 || got.Repeated != 1500 {
		t.Errorf("%+v: want 2500 bytes once and 1500 again", got)
	}
}

func FuzzParseTCP(f *testing.F) {
	f.Add(segment(7, 20))
	f.Add([]byte{0x4f})
	f.Fuzz(func(t *testing.T, p []byte) {
		if _, _, n, ok := parseTCP(p); ok && (n < 0 || n > len(p)-40) {
			t.Errorf("%d bytes of payload in a packet of %d", n, len(p))
		}
	})
}
