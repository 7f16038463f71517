package presence

import (
	"encoding/binary"
	"math/bits"

	"foyer/reader/tag"
)

// table finds a slot by its mark: open addressing with eight cells in a cache line, at most half full. A tag's id is a
// keyed hash, so nobody outside can choose ids that collide here.
type table struct {
	cells []cell
	shift int
	n     int
}

// cell is empty while at is 0.
type cell struct {
	mark uint32
	at   int32
}

const smallestTable = 64

func newTable() table { return sized(smallestTable) }

func sized(n int) table {
	return table{cells: make([]cell, n), shift: 32 - bits.TrailingZeros(uint(n))}
}

// markOf mixes all of an id: two ids may share one half. The factors are odd and look random, no more is asked of them.
func markOf(id *tag.ID, place int32) uint32 {
	x := binary.LittleEndian.Uint64(id[:8]) + bits.RotateLeft64(binary.LittleEndian.Uint64(id[8:]), 29)*0x9E3779B97F4A7C15
	x = (x ^ x>>32 ^ uint64(place)*0xD6E8FEB86659FD93) * 0xA0761D6478BD642F
	return uint32(x >> 32)
}

// seek returns the next slot with a mark, or 0, and the cell where it is. It begins at home(mark), then at after(cell).
func (t *table) seek(mark, from uint32) (at int32, where uint32) {
	last := uint32(len(t.cells) - 1)
	for i := from & last; ; i = (i + 1) & last {
		c := t.cells[i]
		if c.at == 0 || c.mark == mark {
			return c.at, i
		}
	}
}

func (t *table) home(mark uint32) uint32 { return mark >> t.shift }

func (t *table) put(mark uint32, at int32) {
	if 2*(t.n+1) > len(t.cells) {
		t.grow()
	}
	t.insert(cell{mark, at})
	t.n++
}

func (t *table) insert(c cell) {
	last := uint32(len(t.cells) - 1)
	i := t.home(c.mark)
	for t.cells[i].at != 0 {
		i = (i + 1) & last
	}
	t.cells[i] = c
}

func (t *table) grow() {
	old := *t
	*t = sized(2 * len(old.cells))
	t.n = old.n
	for _, c := range old.cells {
		if c.at != 0 {
			t.insert(c)
		}
	}
}

// remove forgets a slot and closes the gap, so that there are no dead cells to walk over.
func (t *table) remove(mark uint32, at int32) {
	got, i := t.seek(mark, t.home(mark))
	for got != at {
		if got == 0 {
			return
		}
		got, i = t.seek(mark, i+1)
	}
	t.n--
	last := uint32(len(t.cells) - 1)
	for j := (i + 1) & last; t.cells[j].at != 0; j = (j + 1) & last {
		if (j-t.home(t.cells[j].mark))&last >= (j-i)&last {
			t.cells[i] = t.cells[j]
			i = j
		}
	}
	t.cells[i] = cell{}
}
