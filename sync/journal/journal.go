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
// # The file (format 1)
//
// bbolt, buckets: "meta" (format, epoch, and what it went on from); "log" with one bucket a lane (8-byte big-endian sequence -> CRC-32C and
// payload; the bucket's own sequence is the last one given out); "cursor" (lane 0x00 name -> 8 bytes); "snapshot" (kind 0x00
// version -> data; the two highest versions are kept); "state" with one bucket a name. The epoch is random and made with the
// file: sequences of two epochs have nothing to do with each other.
package journal

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"math/bits"
	"os"
	"sync"

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

// DefaultMaxBytes is the size that a journal may grow to. 256 MiB is some 800,000 records of 256 bytes, seven weeks of a
// busy store without headquarters, and an address range that a 32-bit box can still map whole.
const DefaultMaxBytes = 256 << 20

// Errors that a caller may tell apart with errors.Is.
var (
	ErrLocked  = errors.New("another foyerd holds this journal")
	ErrCorrupt = errors.New("the journal is damaged")
	ErrNewer   = errors.New("the journal was written by a newer foyerd")
	ErrFull    = errors.New("the journal is full")
	ErrStopped = errors.New("the journal has stopped")
	ErrRefused = errors.New("refused by the journal") // the request breaks a rule; repeating it is useless
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
}

// Health is what an operator should know.
type Health struct {
	Err  error // of the last commit; nil when it was good
	Used int64 // bytes of pages in use
	Max  int64 // bytes that Used may reach before appends are refused
}

// Journal is safe for concurrent use.
type Journal struct {
	path     string
	maxBytes int
	log      *slog.Logger
	queue    chan request
	commitTx func(*bolt.Tx) error // the sync; a field so that a test can make it fail

	file sync.RWMutex // guards db: held for reading by each short transaction, for writing by a reopen
	db   *bolt.DB     // nil after a failed reopen

	mu      sync.Mutex // guards what follows
	epoch   string
	origin  Origin
	lanes   map[string]*lane
	changed chan struct{} // closed and replaced at each commit that appended
	health  Health

	gate     sync.Mutex // guards shut and entering
	shut     bool
	entering sync.WaitGroup // submitters between the gate and the queue
	stopping chan struct{}  // closed when Run begins to end
	stopped  chan struct{}  // closed when Run has ended
}

// lane is what memory holds of one log: the first record kept (last+1 when none is), the last, and who has read how far.
type lane struct {
	first, last uint64
	cursors     map[string]uint64
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
// ErrNewer or ErrCorrupt, each with a message for the operator. Nothing is written until Run runs.
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
		changed:  make(chan struct{}),
		stopping: make(chan struct{}),
		stopped:  make(chan struct{}),
	}
	j.health.Max = j.quota()
	if j.db, err = openFile(path, size); err != nil {
		return nil, fmt.Errorf("open journal %s: %w", path, err)
	}
	if err := j.load(); err != nil {
		return nil, errors.Join(fmt.Errorf("open journal %s: %w", path, err), j.db.Close())
	}
	return j, nil
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
