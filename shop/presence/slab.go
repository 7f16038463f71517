package presence

import "time"

// slot is one tag in one zone. Slots refer to each other by index, so the garbage collector has nothing to follow.
type slot struct {
	key        key
	prev, next int32
	ear        int32
	present    bool
	hits       uint32
	last       time.Duration              // present: the last strong read; candidate: the last read
	recent     [MaxMinReads]time.Duration // a candidate's last reads that were strong enough to enter
}

// hit notes a read that is strong enough, and tells whether there were enough of them within the window.
func (s *slot) hit(now time.Duration, need int, window time.Duration) bool {
	n := uint32(need)
	s.recent[s.hits%n] = now
	s.hits++
	if s.hits == 2*n {
		s.hits = n // the same place in the ring, and still "at least n"
	}
	return s.hits >= n && now-s.recent[s.hits%n] <= window
}

// slab owns the slots. Slot 0 is none.
type slab struct {
	slots []slot
	free  int32
}

func newSlab() slab { return slab{slots: make([]slot, 1)} }

func (b *slab) at(i int32) *slot { return &b.slots[i] }

func (b *slab) take(k key, now time.Duration) int32 {
	i := b.free
	if i == 0 {
		i = int32(len(b.slots))
		b.slots = append(b.slots, slot{})
	} else {
		b.free = b.slots[i].next
	}
	b.slots[i] = slot{key: k, last: now}
	return i
}

func (b *slab) give(i int32) {
	b.slots[i] = slot{next: b.free}
	b.free = i
}

// list is a doubly linked list of slots. A slot is in one list at a time.
type list struct {
	head, tail int32
	n          int
}

func (l *list) push(b *slab, i int32) {
	s := b.at(i)
	s.prev, s.next = l.tail, 0
	if l.tail != 0 {
		b.at(l.tail).next = i
	} else {
		l.head = i
	}
	l.tail = i
	l.n++
}

func (l *list) remove(b *slab, i int32) {
	s := b.at(i)
	if s.prev != 0 {
		b.at(s.prev).next = s.next
	} else {
		l.head = s.next
	}
	if s.next != 0 {
		b.at(s.next).prev = s.prev
	} else {
		l.tail = s.prev
	}
	s.prev, s.next = 0, 0
	l.n--
}

func (l *list) toBack(b *slab, i int32) {
	if l.tail == i {
		return
	}
	l.remove(b, i)
	l.push(b, i)
}
