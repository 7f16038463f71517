package frame

import (
	"bytes"

	"foyer/firmware-profiles"
)

// minBuffer is what a port gives in one read at most, so that a read is rarely handled in pieces.
const minBuffer = 1024

// Splitter cuts a stream of bytes into frames.
type Splitter struct {
	// OnFault, if set, is told of every frame refused, in stream order with the frames.
	OnFault func(Fault)

	try      func(b []byte, last bool) attempt // looks for a frame at the start of b
	silence  func()                            // forgets what try keeps from call to call; nil for most
	start    []byte
	buf      []byte // what is not yet decided: buf[:n]
	n        int
	base     int64 // offset of buf[0] in the stream
	refused  int64 // offset up to which a refusal was told already
	lost     bool  // something else came since the last good frame
	counters Counters
}

// attempt is what a try found at a start.
type attempt struct {
	size    int    // bytes that a good frame takes, or that a refused one covers; 0: more bytes are needed
	payload []byte // of a good frame
	bad     Bad
	noStart bool // no frame begins here at all; size, if any, is how much that is certain of
	drop    bool // refused, and nothing inside it can be a frame
	idle    bool // size bytes that mean nothing and are no noise either
}

// New returns a splitter for what the reader sends, by a serial profile. It panics for a profile without framing, which
// profiles.Parse refuses.
func New(p *profiles.Profile) *Splitter { return newSplitter(*p.Framing) }

// NewSent returns a splitter for what we send to the reader: a tool shows both sides of a recording.
func NewSent(p *profiles.Profile) *Splitter {
	f := *p.Framing
	if f.Length != nil {
		f.Length = new(f.Length.OfSent())
	}
	return newSplitter(f)
}

func newSplitter(f profiles.Framing) *Splitter {
	s := &Splitter{start: f.Start, buf: make([]byte, max(minBuffer, 2*f.Longest()))}
	switch f.Kind {
	case profiles.LengthLed:
		s.try = newLengthLed(&f).try
	case profiles.TextLine:
		line := newTextLine(&f)
		s.try, s.silence = line.try, line.silence
	case profiles.CodeFrame:
		s.start, s.try = []byte{0}, pn532Framing
	default:
		s.try = newDelimited(&f).try
	}
	return s
}

// Feed takes bytes as they came and gives every frame that they complete to yield, in order.
func (s *Splitter) Feed(p []byte, yield func(Frame)) {
	for len(p) > 0 {
		n := copy(s.buf[s.n:], p)
		s.n += n
		p = p[n:]
		s.drain(yield, false)
	}
}

// Flush gives up what is incomplete: call it when the line has been silent for the profile's read timeout. Frames hidden
// behind a false start come out here.
func (s *Splitter) Flush(yield func(Frame)) {
	if s.n > 0 {
		s.drain(yield, true)
	}
	if s.silence != nil {
		s.silence()
	}
}

// Counters returns the counts so far.
func (s *Splitter) Counters() Counters { return s.counters }

// drain decides as much of the buffer as can be decided, and all of it if last.
func (s *Splitter) drain(yield func(Frame), last bool) {
	i := 0
	for i < s.n {
		if gap := s.gap(i); gap > 0 {
			s.skip(i, gap)
			i += gap
			continue
		}
		a := s.try(s.buf[i:s.n], last)
		switch {
		case a.idle:
			i += a.size
		case a.size == 0 && !a.noStart:
			s.keep(i)
			return
		case a.bad == Good && !a.noStart:
			s.good(i, a, yield)
			i += a.size
		default:
			s.refuse(i, a)
			step := 1
			if a.drop || a.noStart && a.bad == Good {
				step = max(1, a.size)
			}
			s.skip(i, step)
			i += step
		}
	}
	s.keep(i)
}

// gap counts the bytes from i on that cannot begin a frame.
func (s *Splitter) gap(i int) int {
	if len(s.start) == 0 || s.buf[i] == s.start[0] {
		return 0
	}
	if gap := bytes.IndexByte(s.buf[i:s.n], s.start[0]); gap >= 0 {
		return gap
	}
	return s.n - i
}

// keep moves what is undecided to the front.
func (s *Splitter) keep(i int) {
	if i < s.n {
		copy(s.buf, s.buf[i:s.n])
	}
	s.n -= i
	s.base += int64(i)
}

func (s *Splitter) good(i int, a attempt, yield func(Frame)) {
	s.counters.Frames++
	if s.lost {
		s.counters.Resyncs++
		s.lost = false
	}
	offset := s.base + int64(i)
	s.refused = offset + int64(a.size)
	yield(Frame{Raw: s.buf[i : i+a.size : i+a.size], Payload: a.payload, Offset: offset})
}

// refuse tells of a bad frame at i, unless it lies inside one that was told already.
func (s *Splitter) refuse(i int, a attempt) {
	offset := s.base + int64(i)
	if a.noStart || offset < s.refused {
		return
	}
	s.counters.Bad[a.bad]++
	s.refused = offset + int64(a.size)
	if s.OnFault != nil {
		s.OnFault(Fault{Bad: a.bad, Raw: s.buf[i : i+a.size : i+a.size], Offset: offset})
	}
}

// skip passes over n bytes that begin no frame.
func (s *Splitter) skip(i, n int) {
	s.lost = true
	from := max(s.base+int64(i), s.refused)
	if to := s.base + int64(i+n); to > from {
		s.counters.Noise += uint64(to - from)
	}
}

// prefix tells how far b begins with start: wholly, so far as there are bytes, or not.
func prefix(b, start []byte) (whole, possible bool) {
	if len(start) == 1 && len(b) > 0 { // nearly always
		return b[0] == start[0], b[0] == start[0]
	}
	n := min(len(b), len(start))
	return n == len(start) && string(b[:n]) == string(start), string(b[:n]) == string(start[:n])
}
