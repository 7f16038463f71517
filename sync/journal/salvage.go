package journal

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"
)

// Quarantine puts a damaged file aside, so that a new one can be started, and returns its new path.
func Quarantine(path string, at time.Time) (string, error) {
	f, _, err := lockFile(path, syscall.LOCK_EX)
	if err != nil {
		return "", fmt.Errorf("put journal %s aside: %w", path, err)
	}
	aside := path + ".damaged-" + at.UTC().Format("20060102T150405Z")
	if err = os.Rename(path, aside); err == nil {
		err = syncFolder(filepath.Dir(path))
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return "", fmt.Errorf("put journal %s aside: %w", path, err)
	}
	return aside, nil
}

// Quarantined lists the damaged files that lie beside a journal.
func Quarantined(path string) []string {
	aside, err := filepath.Glob(path + ".damaged-*Z")
	if err != nil { // a path that is no pattern
		return nil
	}
	return aside
}

// Salvaged says what became of a damaged journal.
type Salvaged struct {
	Epoch        string // of the damaged file; empty where it could not be read
	DamagedPages int
	Lanes        []SalvagedLane
	Snapshots    int  // put into the new journal
	State        int  // keys likewise
	CursorsKnown bool // false: what headquarters has already could not be told apart, and is sent to it again
}

// SalvagedLane is one lane of it.
type SalvagedLane struct {
	Lane      string
	Recovered int      // records whose checksum is right and that not every reader had
	Had       int      // records that every reader had already: left out
	Lost      []Region // records that were given a number and cannot be found
}

// Region is a range of sequences, both ends included.
type Region struct{ First, Last uint64 }

// Salvage reads what can be read of the damaged journal at old, changing nothing there, and adds it to the journal at into,
// which is made where there is none: records under new numbers of its own, in their old order; the state that it does not
// have; snapshots that are newer than its own. Every record whose checksum is right is found, also where the pages that lead
// to it are gone. lanes are names to try where the file does not say them any more.
func Salvage(ctx context.Context, old, into string, lanes []string, o Options) (*Salvaged, error) {
	f, _, err := lockFile(old, syscall.LOCK_SH)
	if err != nil {
		return nil, fmt.Errorf("salvage journal %s: %w", old, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("salvage journal %s: %w", old, err)
	}
	w := newWreck(f, info.Size(), lanes)
	w.search()
	r, err := w.bring(ctx, into, o)
	if err != nil {
		return r, fmt.Errorf("salvage journal %s into %s: %w", old, into, err)
	}
	return r, nil
}

// wreck is a damaged file and what was found in it.
type wreck struct {
	r         io.ReaderAt
	pageSize  uint64
	pages     uint64
	seen      map[uint64]bool
	damaged   int
	names     []string                     // logName: those found, and those to try
	records   map[string]map[uint64][]byte // by logName and sequence
	last      map[string]uint64            // by lane: the last sequence given out, as far as known
	cursors   map[string]map[string]uint64 // by lane and reader
	given     map[string]uint64            // by logName: the last sequence given up
	state     map[[2]string][]byte
	snapshots map[string]map[uint64][]byte
	epoch     string
}

func newWreck(r io.ReaderAt, size int64, lanes []string) *wreck {
	w := &wreck{r: r, pageSize: uint64(os.Getpagesize()), seen: map[uint64]bool{}, records: map[string]map[uint64][]byte{},
		last: map[string]uint64{}, cursors: map[string]map[string]uint64{}, given: map[string]uint64{}, state: map[[2]string][]byte{},
		snapshots: map[string]map[uint64][]byte{}}
	for _, lane := range lanes {
		w.name(lane)
	}
	if m, err := findMeta(r, size); err == nil {
		w.pageSize = uint64(m.pageSize)
	}
	w.pages = uint64(size) / w.pageSize
	return w
}

// name adds a lane to those that are known.
func (w *wreck) name(lane string) {
	for c := range Class(classes) {
		if name := string(logName(lane, c)); !slices.Contains(w.names, name) {
			w.names = append(w.names, name)
		}
	}
}

// search follows both metas, the younger one first, and then looks into every page that neither led to.
func (w *wreck) search() {
	var metas []meta
	for _, at := range []int64{0, int64(w.pageSize)} {
		if m, err := readMeta(w.r, at); err == nil {
			metas = append(metas, m)
		}
	}
	slices.SortFunc(metas, func(a, b meta) int { return cmp.Compare(b.transaction, a.transaction) })
	for _, m := range metas {
		w.page(m.root, nil, 0)
	}
	for id := uint64(2); id < w.pages; id++ {
		if data, ok := w.read(id); ok && !w.seen[id] && order.Uint16(data[8:]) == leafFlag {
			w.orphans(data)
		}
	}
}

// read reads a page with those that belong to it, if its header is right.
func (w *wreck) read(id uint64) ([]byte, bool) {
	var head [pageHeader]byte
	if id < 2 || id >= w.pages {
		return nil, false
	}
	if _, err := w.r.ReadAt(head[:], int64(id*w.pageSize)); err != nil || order.Uint64(head[:]) != id {
		return nil, false
	}
	overflow := uint64(order.Uint32(head[12:]))
	if overflow >= w.pages-id || overflow > (MaxSnapshot+1<<20)/w.pageSize {
		return nil, false
	}
	data := make([]byte, (overflow+1)*w.pageSize)
	if _, err := w.r.ReadAt(data, int64(id*w.pageSize)); err != nil {
		return nil, false
	}
	return data, true
}

// page goes through a page of the bucket at path, and all below it.
func (w *wreck) page(id uint64, path []string, depth int) {
	if depth > maxDepth || w.seen[id] {
		return
	}
	data, ok := w.read(id)
	if !ok {
		w.damaged++
		return
	}
	w.seen[id] = true
	n := int(order.Uint16(data[10:]))
	switch order.Uint16(data[8:]) {
	case leafFlag:
		w.leaf(data, n, path, depth)
	case branchFlag:
		for i := range n {
			at := pageHeader + i*elementSize
			if at+elementSize > len(data) {
				w.damaged++
				return
			}
			w.page(order.Uint64(data[at+8:]), path, depth+1)
		}
	default:
		w.damaged++
	}
}

func (w *wreck) leaf(data []byte, n int, path []string, depth int) {
	for i := range n {
		k, v, err := element(data, i, n, leafFlag)
		switch {
		case err != nil:
			w.damaged++
			return
		case order.Uint32(data[pageHeader+i*elementSize:])&bucketFlag != 0:
			w.bucket(v, append(slices.Clip(path), string(k)), depth)
		default:
			w.found(path, k, v)
		}
	}
}

func (w *wreck) bucket(v []byte, path []string, depth int) {
	if len(v) < bucketHeader || len(path) > 2 {
		return
	}
	if lane, c, err := parseLogName([]byte(path[len(path)-1])); err == nil && len(path) == 2 && path[0] == string(logBucket) {
		w.name(lane)
		if c == Keep {
			w.last[lane] = max(w.last[lane], order.Uint64(v[8:]))
		}
	}
	if root := order.Uint64(v); root != 0 {
		w.page(root, path, depth+1)
		return
	}
	if inline := v[bucketHeader:]; len(inline) >= pageHeader && order.Uint16(inline[8:]) == leafFlag {
		w.leaf(inline, int(order.Uint16(inline[10:])), path, depth+1)
	}
}

// found takes one key of the bucket at path. The first one found counts: the younger tree was followed first.
func (w *wreck) found(path []string, k, v []byte) {
	switch {
	case len(path) == 2 && path[0] == string(logBucket):
		w.record(path[1], k, v)
	case len(path) == 2 && path[0] == string(stateBucket):
		if at := [2]string{path[1], string(k)}; w.state[at] == nil {
			w.state[at] = append([]byte{}, v...)
		}
	case len(path) != 1:
	case path[0] == string(metaBucket) && string(k) == string(epochKey) && w.epoch == "":
		w.epoch = string(v)
	case path[0] == string(thinnedBucket) && len(v) == 16:
		w.given[string(k)] = max(w.given[string(k)], binary.BigEndian.Uint64(v))
	case path[0] == string(cursorBucket):
		if lane, name, err := parseCursorKey(k); err == nil && len(v) == 8 {
			w.cursor(lane, name, binary.BigEndian.Uint64(v))
		}
	case path[0] == string(snapshotBucket):
		if kind, version, err := parseSnapshotKey(k); err == nil {
			if w.snapshots[kind] == nil {
				w.snapshots[kind] = map[uint64][]byte{}
			}
			w.snapshots[kind][version] = append([]byte{}, v...)
		}
	}
}

func (w *wreck) cursor(lane, name string, at uint64) {
	if w.cursors[lane] == nil {
		w.cursors[lane] = map[string]uint64{}
	}
	w.cursors[lane][name] = max(w.cursors[lane][name], at)
}

// record takes a record if its checksum is right.
func (w *wreck) record(name string, k, v []byte) bool {
	if len(k) != 8 {
		return false
	}
	seq := binary.BigEndian.Uint64(k)
	payload, err := openRecord([]byte(name), seq, v)
	if err != nil {
		return false
	}
	if w.records[name] == nil {
		w.records[name] = map[uint64][]byte{}
	}
	w.records[name][seq] = append([]byte{}, payload...)
	return true
}

// orphans takes the records of a page that nothing leads to. A checksum says which lane a record belongs to; one of format 1 does
// not: it goes to the longest lane.
func (w *wreck) orphans(data []byte) {
	n := int(order.Uint16(data[10:]))
	for i := range n {
		k, v, err := element(data, i, n, leafFlag)
		if err != nil {
			return
		}
		if len(k) != 8 || len(v) < 4 || order.Uint32(data[pageHeader+i*elementSize:])&bucketFlag != 0 {
			continue
		}
		if crc32.Checksum(v[4:], castagnoli) == binary.BigEndian.Uint32(v) {
			w.orphanOfFormat1(k, v)
			continue
		}
		for _, name := range w.names {
			if w.record(name, k, v) {
				break
			}
		}
	}
}

func (w *wreck) orphanOfFormat1(k, v []byte) {
	seq := binary.BigEndian.Uint64(k)
	for name, records := range w.records {
		if there, ok := records[seq]; ok && string(there) == string(v[4:]) && name != "" {
			return // an older copy of it
		}
	}
	best := ""
	for _, name := range w.names {
		if lane, c, err := parseLogName([]byte(name)); err == nil && c == Keep && (best == "" || w.last[lane] > w.last[best]) {
			best = lane
		}
	}
	w.record(best, k, v)
}

// lanes lists the lanes of which there is anything.
func (w *wreck) lanes() []string {
	all := map[string]bool{}
	for lane := range w.last {
		all[lane] = true
	}
	for name := range w.records {
		if lane, _, err := parseLogName([]byte(name)); err == nil {
			all[lane] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}

// bring adds what was found to the journal at into.
func (w *wreck) bring(ctx context.Context, into string, o Options) (*Salvaged, error) {
	j, err := Open(into, o)
	if err != nil {
		return nil, err
	}
	runCtx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- j.Run(runCtx) }()
	in := &sink{journal: j}
	r := &Salvaged{Epoch: w.epoch, DamagedPages: w.damaged, CursorsKnown: true}
	for _, lane := range w.lanes() {
		r.Lanes = append(r.Lanes, w.bringLane(ctx, in, lane))
		r.CursorsKnown = r.CursorsKnown && hasReader(w.cursors[lane])
	}
	err = errors.Join(w.bringState(ctx, in, r), in.wait(), w.bringSnapshots(ctx, j, r))
	stop()
	return r, errors.Join(err, <-ended, j.Close())
}

func (w *wreck) bringLane(ctx context.Context, in *sink, lane string) SalvagedLane {
	l, at := SalvagedLane{Lane: lane}, newLane()
	at.last, at.cursors = w.last[lane], w.cursors[lane]
	class := map[uint64]Class{}
	for c := range Class(classes) {
		at.upto[c] = w.given[string(logName(lane, c))]
		for seq := range w.records[string(logName(lane, c))] {
			class[seq] = c
			at.last = max(at.last, seq)
		}
	}
	low := at.had()
	next := low + 1
	for _, seq := range slices.Sorted(maps.Keys(class)) {
		if seq <= low {
			l.Had++
			continue
		}
		l.miss(next, seq-1, slices.Max(at.upto[:]))
		next = seq + 1
		c := class[seq]
		in.put(ctx, Entry{Lane: lane, Class: c, Payload: w.records[string(logName(lane, c))][seq]})
		l.Recovered++
	}
	l.miss(next, at.last, slices.Max(at.upto[:]))
	return l
}

// sink appends without waiting for each.
type sink struct {
	journal *Journal
	all     sync.WaitGroup
	mu      sync.Mutex
	err     error // the first
}

func (s *sink) put(ctx context.Context, e Entry) {
	s.all.Add(1)
	e.Done = func(_ uint64, err error) {
		defer s.all.Done()
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.err == nil && !errors.Is(err, ErrRefused) {
			s.err = err
		}
	}
	if err := s.journal.Submit(ctx, e); err != nil {
		e.Done(0, err)
	}
}

func (s *sink) wait() error {
	s.all.Wait()
	return s.err
}

// miss notes that records are not there, unless they were given up.
func (l *SalvagedLane) miss(first, last, givenUp uint64) {
	if first = max(first, givenUp+1); first <= last {
		l.Lost = append(l.Lost, Region{first, last})
	}
}

func (w *wreck) bringState(ctx context.Context, in *sink, r *Salvaged) error {
	have := map[string]map[string][]byte{}
	for at, value := range w.state {
		bucket, key := at[0], at[1]
		if have[bucket] == nil {
			var err error
			if have[bucket], err = in.journal.State(bucket); err != nil {
				return err
			}
		}
		if _, there := have[bucket][key]; !there {
			in.put(ctx, Entry{Puts: []Put{{bucket, key, value}}})
			r.State++
		}
	}
	return nil
}

func (w *wreck) bringSnapshots(ctx context.Context, j *Journal, r *Salvaged) error {
	for kind, versions := range w.snapshots {
		for _, version := range slices.Sorted(maps.Keys(versions)) {
			if have, _, ok := j.Snapshot(kind); ok && have >= version {
				continue
			}
			if err := j.PutSnapshot(ctx, kind, version, versions[version]); err != nil {
				return fmt.Errorf("snapshot %s %d: %w", kind, version, err)
			}
			r.Snapshots++
		}
	}
	return nil
}
