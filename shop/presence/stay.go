package presence

import (
	"time"

	"foyer/reader/tag"
)

// stay is a tag that is present: what a read touches, in one cache line.
type stay struct {
	id    tag.ID
	last  time.Duration // the last read at Leave or stronger
	heard time.Duration // the last read of any strength in its zone
	mean  mean
	zone  int16
	ear   int16 // the reader of the last read at Leave or stronger
}

// record is what a read does not touch.
type record struct {
	also  tag.ID
	since time.Duration
	nth   uint64
	next  int32 // of a free slot
}

// stays owns the present tags of all groups. Slot 0 is none.
type stays struct {
	index   table
	slots   []stay
	records []record
	free    int32
	n       int
}

func newStays() stays {
	return stays{index: newTable(), slots: make([]stay, 1), records: make([]record, 1)}
}

func (s *stays) find(id *tag.ID, group int32, zones []area) int32 {
	mark := markOf(id, group)
	i, cell := s.index.seek(mark, s.index.home(mark))
	for i != 0 && (s.slots[i].id != *id || zones[s.slots[i].zone].group != group) {
		i, cell = s.index.seek(mark, cell+1)
	}
	return i
}

func (s *stays) take(group int32, one stay, r record) int32 {
	i := s.free
	if i == 0 {
		i = int32(len(s.slots))
		s.slots, s.records = append(s.slots, stay{}), append(s.records, record{})
	} else {
		s.free = s.records[i].next
	}
	s.slots[i], s.records[i] = one, r
	s.index.put(markOf(&one.id, group), i)
	s.n++
	return i
}

func (s *stays) give(i, group int32) {
	s.index.remove(markOf(&s.slots[i].id, group), i)
	s.slots[i], s.records[i] = stay{}, record{next: s.free}
	s.free = i
	s.n--
}

// due is when a stay is looked at again. It is never later than the stay's end, and earlier if the tag was read since: a
// read does not touch it.
type due struct {
	at   time.Duration
	stay int32
}

// dues is a heap, the earliest first. Each stay is in it once.
type dues []due

func (h *dues) push(d due) {
	*h = append(*h, d)
	s := *h
	for i := len(s) - 1; i > 0; {
		up := (i - 1) / 2
		if s[up].at <= s[i].at {
			return
		}
		s[up], s[i] = s[i], s[up]
		i = up
	}
}

// delay moves the first one to a later time.
func (h dues) delay(at time.Duration) {
	h[0].at = at
	h.sink(0)
}

func (h *dues) pop() {
	s := *h
	last := len(s) - 1
	s[0] = s[last]
	*h = s[:last]
	h.sink(0)
}

func (h dues) sink(i int) {
	for {
		down := 2*i + 1
		if down >= len(h) {
			return
		}
		if down+1 < len(h) && h[down+1].at < h[down].at {
			down++
		}
		if h[i].at <= h[down].at {
			return
		}
		h[i], h[down] = h[down], h[i]
		i = down
	}
}

func (h dues) order() {
	for i := len(h)/2 - 1; i >= 0; i-- {
		h.sink(i)
	}
}
