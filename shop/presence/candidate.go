package presence

import (
	"time"

	"foyer/reader/tag"
)

// candidate is a tag that was heard in a zone and is not present in it. Slots refer to each other by index, so the garbage
// collector has nothing to follow.
type candidate struct {
	id         tag.ID
	zone       int32
	prev, next int32
	hits       uint32
	last       time.Duration              // the last read
	streak     time.Duration              // when the reads began that are strong enough and no further apart than Window
	recent     [MaxMinReads]time.Duration // the last reads that were strong enough
	mean       mean
}

// hit notes a read that is strong enough, and tells whether the tag has arrived by it.
func (c *candidate) hit(now time.Duration, z *area) bool {
	n := uint32(z.MinReads)
	if c.hits == 0 || now-c.recent[(c.hits-1)%n] > z.Window {
		c.streak = now
	}
	c.recent[c.hits%n] = now
	c.hits++
	if c.hits == 2*n {
		c.hits = n // the same place in the ring, and still "at least n"
	}
	return c.hits >= n && now-c.recent[c.hits%n] <= z.Window && now-c.streak >= z.Dwell
}

// candidates owns the candidates of all zones. Slot 0 is none.
type candidates struct {
	index table
	slots []candidate
	free  int32
}

func newCandidates() candidates { return candidates{index: newTable(), slots: make([]candidate, 1)} }

func (s *candidates) at(i int32) *candidate { return &s.slots[i] }

func (s *candidates) find(id *tag.ID, zone int32) int32 {
	mark := markOf(id, zone)
	i, cell := s.index.seek(mark, s.index.home(mark))
	for i != 0 && (s.slots[i].id != *id || s.slots[i].zone != zone) {
		i, cell = s.index.seek(mark, cell+1)
	}
	return i
}

func (s *candidates) take(id tag.ID, zone int32, now time.Duration) int32 {
	i := s.free
	if i == 0 {
		i = int32(len(s.slots))
		s.slots = append(s.slots, candidate{})
	} else {
		s.free = s.slots[i].next
	}
	s.slots[i] = candidate{id: id, zone: zone, last: now}
	s.index.put(markOf(&id, zone), i)
	return i
}

func (s *candidates) give(i int32) {
	c := &s.slots[i]
	s.index.remove(markOf(&c.id, c.zone), i)
	*c = candidate{next: s.free}
	s.free = i
}

// queue is a zone's candidates in order of their last read.
type queue struct {
	head, tail int32
	n          int
}

func (q *queue) push(s *candidates, i int32) {
	c := s.at(i)
	c.prev, c.next = q.tail, 0
	if q.tail != 0 {
		s.at(q.tail).next = i
	} else {
		q.head = i
	}
	q.tail = i
	q.n++
}

func (q *queue) remove(s *candidates, i int32) {
	c := s.at(i)
	if c.prev != 0 {
		s.at(c.prev).next = c.next
	} else {
		q.head = c.next
	}
	if c.next != 0 {
		s.at(c.next).prev = c.prev
	} else {
		q.tail = c.prev
	}
	c.prev, c.next = 0, 0
	q.n--
}

func (q *queue) toBack(s *candidates, i int32) {
	if q.tail != i {
		q.remove(s, i)
		q.push(s, i)
	}
}
