package frame

import "foyer/firmware-profiles"

// lengthLed: a length field says where the frame ends. Start and end bytes occur in the data and prove nothing alone.
type lengthLed struct {
	start  []byte
	next   [256]bool // what may stand at nextAt
	nextAt int       // in the frame
	length profiles.Length
	check  profiles.CheckKind
	tail   int // bytes of the check
	end    []byte
	least  int
	header int // bytes up to the end of the length field
}

func newLengthLed(f *profiles.Framing) *lengthLed {
	l := &lengthLed{start: f.Start, length: *f.Length, check: f.Check, least: f.Shortest(), nextAt: len(f.Start) + f.NextAt}
	l.tail = f.Check.Size()
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
	if !possible || whole && len(b) > l.nextAt && !l.next[b[l.nextAt]] {
		return attempt{noStart: true}
	}
	if len(b) < l.header {
		return attempt{noStart: last} // too little to call it a frame
	}
	total := l.length.TotalLength(len(l.start), b)
	switch {
	case total < l.least || total > l.length.Max:
		// Without start bytes this is no frame with a wrong length: it is no frame.
		return attempt{size: l.header, bad: Length, noStart: len(l.start) == 0}
	case len(b) <= l.nextAt: // too little to tell
		return attempt{noStart: last}
	case len(b) < total && last:
		return attempt{size: len(b), bad: Cut}
	case len(b) < total:
		return attempt{}
	}
	body := b[:total-len(l.end)]
	if len(l.end) > 0 && string(b[len(body):total]) != string(l.end) {
		return attempt{size: total, bad: End}
	}
	body, check := body[:len(body)-l.tail], body[len(body)-l.tail:]
	if l.check.Of(body, len(l.start)) != l.check.Read(check) {
		return attempt{size: total, bad: Checksum}
	}
	return attempt{size: total, payload: body[len(l.start):]}
}
