// Package journal is the one file in which a store remembers: what happened, how far each reader of it has come, the
// last good snapshots from headquarters, and the small state that must survive a restart.
//
// In: entries (opaque bytes, with state to be kept in the same moment), cursor moves, snapshots. Out: sequence numbers
// (from 1, contiguous in each lane) once the bytes are on the disk; copies of records; sizes in bytes.
// It never knows what its bytes mean, never reads a clock, never holds a read open while somebody else works, and never
// answers before fdatasync has.
// Called by internal/daemon (records), sync/uplink (reads, cursor "hq"), sync/downlink (snapshots), cmd/foyer (inspection).
//
// # How it writes
//
// One goroutine (Run) owns all writing. It takes everything that waits in a channel of 1,024 requests, writes it in one
// bbolt transaction, syncs, and answers each one; there is no timer. A full channel makes submitters wait: the
// journal pushes back, it drops nothing. Records at or below the lowest cursor of a lane are pruned by the same goroutine,
// at most 512 in one transaction.
//
// A file never shrinks by itself. When it is large and mostly free it is written anew beside the old one while writers go on,
// and the committer switches; until the new name is durable nothing is acknowledged into it.
//
// After a failed commit the file is read from the disk again: what the kernel holds of it may never have come there.
//
// # What is given up when there is no room
//
// At the quota, or when the disk is full, the oldest statistics are given up first, then the oldest visits; never what is
// Keep: that is refused, which its writer is told. What was given up is counted by class, and its numbers are not used
// again: Read gives a marker for each. A reserve file beside the journal is let go when the disk is full, so that what must
// be kept, cursors and a proper end still have room; it is made anew when the disk has room again.
//
// # The file (format 2)
//
// bbolt, buckets: "meta" (format, epoch, and what it went on from: see Origin); "log" with one bucket a lane and class (lane, then a byte 1 for visits and 2 for
// statistics; 8-byte big-endian sequence -> CRC-32C of place and payload, payload; the sequence of the lane's first bucket is
// the last one given out); "thinned" (the same names -> last sequence given up, how many); "cursor" (lane 0x00 name -> 8 bytes);
// "snapshot" (kind 0x00 version -> data; the two highest versions are kept); "state" with one bucket a name. The epoch is
// random and made with the file: sequences of two epochs have nothing to do with each other.
//
// Format 1 had no classes, and its checksum covered the payload alone. Its records are read where they are.
package journal

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"math/bits"
	"os"
	"strings"
	"sync"
	"syscall"

	bolt "go.etcd.io/bbolt"
)

// Limits of what may be put in.
const (
	MaxPayload  = 64 << 10 // bytes of one record
	MaxValue    = 1 << 20  // bytes of one state value
	MaxSnapshot = 16 << 20 // bytes of one snapshot
	MaxKey      = 256      // bytes of a state key
	MaxName     = 64       // bytes of a lane, cursor, snapshot kind or state bucket
	MaxRead     = 256      // records of one Read: a read must not keep the file's old pages from being used again
)

// KeptSuffix ends the name of a cursor that trails the one of the same name without it: what lies between was read, and is
// kept in case it is asked for again.
const KeptSuffix = "-kept"

// DefaultMaxBytes is the size that a journal may grow to. 256 MiB is some 800,000 records of 256 bytes, seven weeks of a
// busy store without headquarters, and an address range that a 32-bit box can still map whole.
const DefaultMaxBytes = 256 << 20

// Errors that a caller may tell apart with errors.Is.
var (
	ErrLocked  = errors.New("another foyerd holds this journal")
	ErrCorrupt = errors.New("the journal is damaged")
	ErrNewer   = errors.New("the journal was written by a newer foyerd")
	ErrFull    = errors.New("the journal is full")
	ErrNoSpace = errors.New("the disk is full")
	// ErrReadOnly is what a disk says that was mounted so, or that the kernel has made so after a fault.
	ErrReadOnly = errors.New("the disk is read-only")
	ErrStopped  = errors.New("the journal has stopped")
	ErrRefused  = errors.New("refused by the journal") // the request breaks a rule; repeating it is useless
)

// Put sets a value of the store's state. A nil Value deletes.
type Put struct {
	Bucket, Key string
	Value       []byte
}

// Entry is one thing to remember, all or nothing: a record and the state that goes with it. Its bytes must not be changed
// after they have been handed over.
type Entry struct {
	Lane    string
	Class   Class  // of the record; what must never be given up is the zero value
	Payload []byte // nil: only Puts, and no sequence is used
	Puts    []Put
	Done    func(seq uint64, err error) // optional; called once by the committer after the sync; must not block
}

// Record is an entry's payload with its place in the lane.
type Record struct {
	Seq     uint64
	Payload []byte
}

// Options tune a journal. The zero value is good.
type Options struct {
	MaxBytes int64        // rounded up to a power of two, 1 MiB to 1 GiB; 0 is DefaultMaxBytes
	Log      *slog.Logger // nil discards

	// Marker is what Read gives in place of a record that is not there any more, so that a reader finds every number in
	// its order. Nil: Read passes over what was given up, and fails at what is damaged.
	Marker func(lane string, seq uint64, why Why) []byte
}

// Health is what an operator should know.
type Health struct {
	Err      error   // of the last commit; nil when it was good
	Used     int64   // bytes of pages in use
	Max      int64   // bytes that Used may reach before records are given up or refused
	DiskFull bool    // the disk has no room for the file to grow
	Thinning bool    // records were given up for room, and there is still little
	Thinned  Thinned // records given up since the file was made
	Damaged  uint64  // records found damaged since the start
}

// Journal is safe for concurrent use.
type Journal struct {
	path     string
	maxBytes int
	log      *slog.Logger
	queue    chan request
	commitTx func(*bolt.Tx) error // the sync; a field so that a test can make it fail
	marker   func(lane string, seq uint64, why Why) []byte
	space    space // the committer's own
	size     int64 // bytes of all pages, free ones included, before the last commit; the committer's own

	rewrite      *rewrite // while the file is written anew; the committer's own, its changes are guarded by mu
	compactPause int      // commits until it is tried again; the committer's own

	file sync.RWMutex // guards db: held for reading by each short transaction, for writing by a reopen
	db   *bolt.DB     // nil after a failed reopen

	mu      sync.Mutex // guards what follows
	epoch   string
	origin  Origin
	lanes   map[string]*lane
	changed chan struct{}     // closed and replaced at each commit that appended
	told    map[string]uint64 // by lane: the last record that was told to be damaged
	health  Health

	gate     sync.Mutex // guards shut and entering
	shut     bool
	entering sync.WaitGroup // submitters between the gate and the queue
	stopping chan struct{}  // closed when Run begins to end
	stopped  chan struct{}  // closed when Run has ended
}

// lane is what memory holds of one log: where the records of each class begin, the last one, and who has read how far.
type lane struct {
	last    uint64
	firsts  [classes]uint64 // the first record kept of each class; 0: none is
	upto    [classes]uint64 // the last one of each class that was given up
	thinned Thinned
	highest uint64 // only while reading the file: the last one found
	cursors map[string]uint64
}

func newLane() *lane { return &lane{cursors: map[string]uint64{}} }

// first is the first record kept; last+1 when none is.
func (l *lane) first() uint64 {
	first := l.last + 1
	for _, at := range l.firsts {
		if at > 0 {
			first = min(first, at)
		}
	}
	return first
}

// had is the sequence up to which nothing is missed by anybody: cursors that only keep do not count.
func (l *lane) had() uint64 {
	if !hasReader(l.cursors) {
		return l.lowest()
	}
	low := l.last
	for name, at := range l.cursors {
		if !strings.HasSuffix(name, KeptSuffix) {
			low = min(low, at)
		}
	}
	return low
}

// hasReader reports whether one of the cursors does more than keep.
func hasReader(cursors map[string]uint64) bool {
	for name := range cursors {
		if !strings.HasSuffix(name, KeptSuffix) {
			return true
		}
	}
	return false
}

// lowest is the sequence that every reader of the lane is past. Without a reader it is 0: nothing may be pruned.
func (l *lane) lowest() uint64 {
	if len(l.cursors) == 0 {
		return 0
	}
	low := l.last
	for _, at := range l.cursors {
		low = min(low, at)
	}
	return low
}

// Open opens the journal at path, making it (mode 0600) where there is none. Its folder must exist. It fails with ErrLocked,
// ErrNewer or ErrCorrupt, each with a message for the operator. No record is written until Run runs. One on a disk that is
// read-only is opened for reading: everything is refused with ErrReadOnly until the disk can be written again.
func Open(path string, o Options) (*Journal, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	size, err := mapSize(o.MaxBytes)
	if err != nil {
		return nil, fmt.Errorf("open journal %s: %w", path, err)
	}
	j := &Journal{
		path: path, maxBytes: size, log: o.Log,
		queue:    make(chan request, queueLength),
		commitTx: (*bolt.Tx).Commit,
		marker:   o.Marker,
		space:    newSpace(path, size),
		changed:  make(chan struct{}),
		told:     map[string]uint64{},
		stopping: make(chan struct{}),
		stopped:  make(chan struct{}),
	}
	j.health.Max = j.quota()
	if err := j.openFirst(); err != nil {
		return nil, fmt.Errorf("open journal %s: %w", path, err)
	}
	if err := removeIfThere(compactPath(path)); err != nil { // of a compaction that a crash ended
		o.Log.Warn("what a compaction left cannot be deleted", "file", compactPath(path), "error", err)
	}
	if err := j.load(); err != nil {
		return nil, errors.Join(fmt.Errorf("open journal %s: %w", path, err), j.db.Close())
	}
	return j, nil
}

// openFirst opens the file, for reading alone where the disk takes nothing.
func (j *Journal) openFirst() (err error) {
	if j.db, err = openFile(j.path, j.maxBytes); !errors.Is(err, syscall.EROFS) {
		return err
	}
	j.health.Err = fmt.Errorf("%w: %w", ErrReadOnly, err)
	if j.db, err = openToRead(j.path); err != nil {
		return errors.Join(j.health.Err, err)
	}
	j.log.Error("the disk is read-only: nothing is written until that changes", "file", j.path)
	return nil
}

// mapSize is the power of two that the file is mapped with from the beginning: a map that grew would wait for all readers
// (bbolt), and a maximum that is no power of two would be reached at the one below it.
func mapSize(wanted int64) (int, error) {
	if wanted == 0 {
		wanted = DefaultMaxBytes
	}
	if wanted < 1 || wanted > 1<<30 {
		return 0, fmt.Errorf("size of %d bytes: want at most %d (1 GiB)", wanted, 1<<30)
	}
	return 1 << bits.Len64(uint64(max(wanted, 1<<20)-1)), nil
}

// quota is the size at which appends are refused. What lies above it is kept for cursor moves, pruning and snapshots,
// which a full journal needs to become less full.
func (j *Journal) quota() int64 { return int64(j.maxBytes - j.maxBytes/16 - j.maxBytes/growthSteps) }

// load reads the epoch and the lanes into memory, and makes them in a new file.
func (j *Journal) load() error {
	if err := prepare(j.db, rand.Text()); err != nil {
		return err
	}
	err := view(j.db, func(tx *bolt.Tx) error {
		b := tx.Bucket(metaBucket)
		j.epoch, j.origin = string(b.Get(epochKey)), Origin{From: string(b.Get(fromKey)), Bases: map[string]uint64{}}
		c := b.Cursor()
		for k, v := c.Seek(basePrefix); bytes.HasPrefix(k, basePrefix); k, v = c.Next() {
			n, err := parseNumber(v)
			if err != nil {
				return damaged(err)
			}
			j.origin.Bases[string(k[len(basePrefix):])] = n
		}
		return nil
	})
	return errors.Join(err, j.reload())
}

// reload makes the lanes in memory what the file says: after opening, and after a reopening.
func (j *Journal) reload() error {
	lanes := map[string]*lane{}
	err := view(j.db, func(tx *bolt.Tx) error { return readLanes(tx, lanes) })
	if err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lanes = lanes
	j.health.Thinned = Thinned{}
	for _, l := range lanes {
		j.health.Thinned.add(l.thinned)
	}
	return nil
}

// Close closes the file. End Run first: what is still queued is not written.
func (j *Journal) Close() error {
	j.shutGate()
	j.file.Lock()
	defer j.file.Unlock()
	if j.db == nil {
		return nil
	}
	err := closeFile(j.db)
	j.db = nil
	return err
}

// Epoch is the random name made with the file, or by Fork since.
func (j *Journal) Epoch() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.epoch
}

// Path is the file.
func (j *Journal) Path() string { return j.path }

// Last is the last durable sequence of a lane; 0 before the first.
func (j *Journal) Last(lane string) uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	if l := j.lanes[lane]; l != nil {
		return l.last
	}
	return 0
}

// Cursor is how far the reader of that name has come; 0 before its first move.
func (j *Journal) Cursor(lane, name string) uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	if l := j.lanes[lane]; l != nil {
		return l.cursors[name]
	}
	return 0
}

// Health reports how the last commit went and how full the file is.
func (j *Journal) Health() Health {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.health
}

// syncFolder makes a new file's name durable: its bytes being on the disk is not enough.
func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
