package shape

import (
	"encoding/binary"
	"net/netip"
	"time"
)

// Traffic is what one direction was given to carry.
type Traffic struct {
	Packets, Bytes int       // with IP and TCP headers
	Payload        int       // bytes of TCP streams, each counted once
	Repeated       int       // bytes of TCP streams that were sent again
	Lost, Dropped  int       // packets: by chance, for want of room in the queue
	First          time.Time // of TCP's packets; zero: there were none
}

// flow is one direction of a TCP connection.
type flow struct{ from, to netip.AddrPort }

// reach is how far a flow has come: the highest sequence number, and that there is one.
type reach struct {
	next  uint32
	known bool
}

func (w *way) traffic() Traffic {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.count
}

// note counts a packet. RFC 791 section 3.1 and RFC 9293 section 3.1 say where things are; what is neither IPv4 nor TCP has bytes only.
func (w *way) note(p []byte, now time.Time) {
	w.count.Packets, w.count.Bytes = w.count.Packets+1, w.count.Bytes+len(p)
	f, seq, payload, ok := parseTCP(p)
	if ok && w.count.First.IsZero() {
		w.count.First = now
	}
	if !ok || payload == 0 {
		return
	}
	r := w.flows[f]
	fresh := payload
	if r.known {
		fresh = max(0, min(payload, int(int32(seq+uint32(payload)-r.next)))) // sequence numbers wrap around
	}
	w.count.Payload, w.count.Repeated = w.count.Payload+fresh, w.count.Repeated+payload-fresh
	if fresh > 0 {
		w.flows[f] = reach{seq + uint32(payload), true}
	}
}

// parseTCP takes the head of an IPv4 packet with TCP apart.
func parseTCP(p []byte) (f flow, seq uint32, payload int, ok bool) {
	if len(p) < 20 || p[0]>>4 != 4 || p[9] != 6 {
		return flow{}, 0, 0, false
	}
	head, total := int(p[0]&15)*4, int(binary.BigEndian.Uint16(p[2:]))
	if head < 20 || total > len(p) || total < head+20 {
		return flow{}, 0, 0, false
	}
	t := p[head:total]
	data := int(t[12]>>4) * 4
	if data < 20 || data > len(t) {
		return flow{}, 0, 0, false
	}
	address := func(at, port int) netip.AddrPort {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(p[at:at+4])), binary.BigEndian.Uint16(t[port:]))
	}
	return flow{address(12, 0), address(16, 2)}, binary.BigEndian.Uint32(t[4:]), len(t) - data, true
}
