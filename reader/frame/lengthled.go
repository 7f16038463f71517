package frame

import "foyer/firmware-profiles"

// lengthLed: a length field says where the frame ends. Start and end bytes occur in the data and prove nothing alone.
type lengthLed struct {
	start  []byte
	next   [256]bool // what may follow the start
	length profiles.Length
	check  profiles.CheckKind
	end    []byte
	least  int
	header int // bytes up to the end of the length field
}

func newLengthLed(f *profiles.Framing) *lengthLed {
	l := &lengthLed{start: f.Start, length: *f.Length, check: f.Check, least: f.Shortest()}
	l.header = len(f.Start) + f.Length.At + f.Length.Size
	if len(f.Ends) > 0 {
		l.end = f.Ends[0]
	}
	for _, b := range f.Next {
		l.next[b[0]] = true
	}
	if len(f.Next) == 0 {
		for i := range l.next {
			l.next[i] = true
		}
	}
	return l
}

func (l *lengthLed) try(b []byte, last bool) attempt {
	whole, possible := prefix(b, l.start)
	if !possible || whole && len(b) > len(l.start) && !l.next[b[len(l.start)]] {
		return attempt{noStart: true}
	}
	if len(b) < l.header {
		return attempt{noStart: last} // too little to call it a frame
	}
	total := l.length.TotalLength(len(l.start), b)
	switch {
	case total < l.least || total > l.length.Max:
		return attempt{size: l.header, bad: Length}
	case len(b) < total && last:
		return attempt{size: len(b), bad: Cut}
	case len(b) < total:
		return attempt{}
	}
	body := b[:total-len(l.end)]
	if string(b[len(body):total]) != string(l.end) {
		return attempt{size: total, bad: End}
	}
	payload, check := body[len(l.start):len(body)-1], body[len(body)-1]
	if l.check.Of(payload) != check {
		return attempt{size: total, bad: Checksum}
	}
	return attempt{size: total, payload: payload}
}
