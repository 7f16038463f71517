package journal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"os"
)

// The layout of a bbolt file (version 2), as far as it must be right for bbolt not to read outside of its map. All
// numbers are in the machine's byte order.
//
//	page   id 8, flags 2, count 2, overflow 4 (further pages of the same), then its elements, then keys and values
//	meta   after the page's header: magic 4, version 4, page size 4, flags 4, root page 8, sequence 8, free list 8,
//	       pages 8, transaction 8, FNV-1a checksum of all these 8. Pages 0 and 1 are metas; the younger valid one counts.
//	leaf   element: flags 4 (1: the value is a bucket), pos 4 (from the element), key 4, value 4
//	branch element: pos 4, key 4, page 8
//	bucket value: root page 8, sequence 8; root 0: a leaf page follows in the value itself
const (
	pageHeader   = 16
	elementSize  = 16
	bucketHeader = 16
	metaLength   = 64 // from magic to checksum
	boltMagic    = 0xED0CDAED
	boltVersion  = 2
	branchFlag   = 0x01
	leafFlag     = 0x02
	bucketFlag   = 0x01
	maxDepth     = 64 // a tree of this depth could hold no sensible file
)

var order = binary.NativeEndian

// checkPages reports what would make bbolt fail on the file. An empty file is good: it will be made.
func checkPages(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if info.Size() == 0 {
		return nil
	}
	return checkPagesIn(f, info.Size())
}

func checkPagesIn(r io.ReaderAt, size int64) error {
	m, err := findMeta(r, size)
	if err != nil {
		return err
	}
	if m.pages > uint64(size)/uint64(m.pageSize) {
		return fmt.Errorf("it is cut short: %d bytes, should be at least %d pages of %d", size, m.pages, m.pageSize)
	}
	w := walk{r: r, meta: m, seen: make([]bool, m.pages)}
	return w.page(m.root, nil, nil, 0)
}

type meta struct {
	pageSize                 uint32
	root, pages, transaction uint64
}

// findMeta looks for the first meta page, then for the second one at all places where it could be.
func findMeta(r io.ReaderAt, size int64) (meta, error) {
	best, found := meta{}, false
	take := func(at int64, wantSize uint32) {
		m, err := readMeta(r, at)
		if err != nil || wantSize != 0 && m.pageSize != wantSize {
			return
		}
		if !found || m.transaction > best.transaction {
			best, found = m, true
		}
	}
	take(0, 0)
	for at := int64(1024); at <= 1<<16 && at < size; at *= 2 {
		take(at, uint32(at))
	}
	if !found {
		return meta{}, errors.New("it is no journal, or both of its first pages are broken")
	}
	return best, nil
}

func readMeta(r io.ReaderAt, at int64) (meta, error) {
	var page [pageHeader + metaLength]byte
	if _, err := r.ReadAt(page[:], at); err != nil {
		return meta{}, err
	}
	b := page[pageHeader:]
	sum := fnv.New64a()
	sum.Write(b[:metaLength-8])
	m := meta{
		pageSize: order.Uint32(b[8:]), root: order.Uint64(b[16:]),
		pages: order.Uint64(b[40:]), transaction: order.Uint64(b[48:]),
	}
	switch {
	case order.Uint32(b) != boltMagic || order.Uint32(b[4:]) != boltVersion:
		return meta{}, errors.New("no meta page")
	case order.Uint64(b[56:]) != sum.Sum64():
		return meta{}, errors.New("meta page with a wrong checksum")
	case m.pageSize < 1024 || m.pageSize > 1<<16 || m.pageSize&(m.pageSize-1) != 0:
		return meta{}, errors.New("meta page with a wrong page size")
	}
	return m, nil
}

// walk follows every page that the root leads to.
type walk struct {
	r    io.ReaderAt
	meta meta
	seen []bool
}

// page checks one page and all below it. Its keys must be at least low and below high (nil: no bound).
func (w *walk) page(id uint64, low, high []byte, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("page %d: deeper than %d", id, maxDepth)
	}
	data, err := w.read(id)
	if err != nil {
		return fmt.Errorf("page %d: %w", id, err)
	}
	switch order.Uint16(data[8:]) {
	case branchFlag:
		return w.branch(id, data, low, high, depth)
	case leafFlag:
		return w.leaf(id, data, low, high, depth)
	}
	return fmt.Errorf("page %d: neither branch nor leaf", id)
}

func (w *walk) read(id uint64) ([]byte, error) {
	size := uint64(w.meta.pageSize)
	if id < 2 || id >= w.meta.pages {
		return nil, fmt.Errorf("outside of the file's %d pages", w.meta.pages)
	}
	var head [pageHeader]byte
	if _, err := w.r.ReadAt(head[:], int64(id*size)); err != nil {
		return nil, err
	}
	overflow := uint64(order.Uint32(head[12:]))
	if order.Uint64(head[:]) != id || overflow >= w.meta.pages-id {
		return nil, errors.New("its header is wrong")
	}
	for i := id; i <= id+overflow; i++ {
		if w.seen[i] {
			return nil, errors.New("used twice")
		}
		w.seen[i] = true
	}
	data := make([]byte, (overflow+1)*size)
	_, err := w.r.ReadAt(data, int64(id*size))
	return data, err
}

func (w *walk) branch(id uint64, data []byte, low, high []byte, depth int) error {
	n := int(order.Uint16(data[10:]))
	if n == 0 {
		return fmt.Errorf("page %d: a branch without elements", id)
	}
	keys := make([][]byte, n, n+1)
	for i := range n {
		key, _, err := element(data, i, n, branchFlag)
		if err != nil {
			return fmt.Errorf("page %d: %w", id, err)
		}
		keys[i] = key
	}
	if err := inOrder(keys, low, high); err != nil {
		return fmt.Errorf("page %d: %w", id, err)
	}
	keys = append(keys, high)
	for i := range n {
		child := order.Uint64(data[pageHeader+i*elementSize+8:])
		if err := w.page(child, keys[i], keys[i+1], depth+1); err != nil {
			return err
		}
	}
	return nil
}

func (w *walk) leaf(id uint64, data []byte, low, high []byte, depth int) error {
	n := int(order.Uint16(data[10:]))
	keys := make([][]byte, n)
	for i := range n {
		key, value, err := element(data, i, n, leafFlag)
		if err != nil {
			return fmt.Errorf("page %d: %w", id, err)
		}
		keys[i] = key
		if order.Uint32(data[pageHeader+i*elementSize:])&bucketFlag == 0 {
			continue
		}
		if err := w.bucket(id, value, depth); err != nil {
			return err
		}
	}
	if err := inOrder(keys, low, high); err != nil {
		return fmt.Errorf("page %d: %w", id, err)
	}
	return nil
}

// bucket checks a bucket: a tree of its own, or a leaf page inside the value, which holds no further buckets.
func (w *walk) bucket(id uint64, value []byte, depth int) error {
	if len(value) < bucketHeader {
		return fmt.Errorf("page %d: a bucket of %d bytes", id, len(value))
	}
	if root := order.Uint64(value); root != 0 {
		return w.page(root, nil, nil, depth+1)
	}
	inline := value[bucketHeader:]
	if len(inline) < pageHeader || order.Uint16(inline[8:]) != leafFlag {
		return fmt.Errorf("page %d: a small bucket that is no leaf", id)
	}
	n := int(order.Uint16(inline[10:]))
	keys := make([][]byte, n)
	for i := range n {
		key, _, err := element(inline, i, n, leafFlag)
		if err == nil && order.Uint32(inline[pageHeader+i*elementSize:])&bucketFlag != 0 {
			err = errors.New("a bucket inside a small bucket")
		}
		if err != nil {
			return fmt.Errorf("page %d: %w", id, err)
		}
		keys[i] = key
	}
	return inOrder(keys, nil, nil)
}

// element returns the key and value of element i of n, if they lie behind the elements and inside the page.
func element(page []byte, i, n int, kind uint16) (key, value []byte, err error) {
	data := uint64(pageHeader + n*elementSize)
	if data > uint64(len(page)) {
		return nil, nil, fmt.Errorf("%d elements do not fit", n)
	}
	at := uint64(pageHeader + i*elementSize)
	e := page[at:]
	pos, keySize, valueSize := uint64(order.Uint32(e)), uint64(order.Uint32(e[4:])), uint64(0)
	if kind == leafFlag {
		pos, keySize, valueSize = uint64(order.Uint32(e[4:])), uint64(order.Uint32(e[8:])), uint64(order.Uint32(e[12:]))
	}
	from := at + pos
	if keySize == 0 || from < data || from+keySize+valueSize > uint64(len(page)) {
		return nil, nil, fmt.Errorf("element %d lies outside", i)
	}
	return page[from : from+keySize], page[from+keySize : from+keySize+valueSize], nil
}

func inOrder(keys [][]byte, low, high []byte) error {
	for i, key := range keys {
		if i > 0 && bytes.Compare(keys[i-1], key) >= 0 || low != nil && bytes.Compare(key, low) < 0 ||
			high != nil && bytes.Compare(key, high) >= 0 {
			return fmt.Errorf("element %d is out of order", i)
		}
	}
	return nil
}
