// Package content keeps a store's content packs: files that headquarters publishes, each known by its SHA-256.
//
// In: verified snapshots of wire.Packs, and bytes of files from Sources. Out: files for whoever opens them by pack and
// path, and a report of each release that came into force or was refused. Sizes are bytes, rates bytes a second.
// It never shows a file that is not whole and proven by its digest, never puts half a release into force, never takes away
// the release in force before the next one is whole, and never fills the disk below its reserve.
// Called by internal/daemon; cmd/foyer looks into its folder with Inspect and Sweep.
//
// # On disk
//
//	files/ab/abcd...     a whole file, named by its digest; packs share it
//	parts/abcd...        a file on its way, continued after any interruption
//	force/PACK.json      the release in force, replaced by one rename
//	force/PACK.before    the one before it, the last good one should that be damaged
//	lock                 held by the foyerd that owns the folder
//
// # Goroutines
//
// Run's own does all the fetching, one file at a time. Apply hands it what is wanted through a channel of one; the latest wins.
package content

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"sync"
	"time"

	"foyer/sync/setting"
	"foyer/sync/wire"
)

// DefaultRetry is the pause after a break; without a byte in between it doubles.
const DefaultRetry = time.Second

// DefaultReserve is how many bytes of the disk are left to the journal and to the rest of the box.
const DefaultReserve = 256 << 20

const (
	piece      = 1 << 20          // bytes asked for at once: between two pieces the hours, the rate and the source may change
	againAfter = 30 * time.Minute // a refused release is tried again: a disk is cleaned up, headquarters finds its file
	lineDead   = 5 * time.Minute  // the longest rest of a source that gives nothing
	patient    = 2                // failures in a row after which the next source is asked
)

// Errors of sources, next to those of the line.
var (
	ErrAbsent  = errors.New("headquarters has no such file")
	ErrAltered = errors.New("the file is not what its digest says")
)

// Source brings a part of a file.
type Source interface {
	// Fetch writes at most n bytes of f from offset on to w. Whatever it has written stays written, also when it fails.
	Fetch(ctx context.Context, f wire.PackFile, offset, n int64, w io.Writer) error
	// String names it for a log.
	String() string
}

// Config of a store of packs. Dir, Store and Sources must be there.
type Config struct {
	Dir     string   // made when missing
	Store   string   // the store's name, by which releases choose it
	Sources []Source // the first is liked best; the next is asked while it gives nothing
	Report  func(kind wire.Kind, a wire.Applied)
	Rate    int64          // 0: as fast as the line
	Quiet   setting.Window // zero: at any hour. A release marked Now does not wait for it
	Reserve int64          // 0: DefaultReserve
	Retry   time.Duration  // 0: DefaultRetry
	Log     *slog.Logger
}

// Store is made by Open and run once.
type Store struct {
	c      Config
	lock   *os.File
	wanted chan []wire.Release
	paced  chan struct{} // capacity 1: the pace has changed

	mu    sync.Mutex
	force map[string]wire.Release // by pack; all files of it are whole
	pace  pace

	// Run's own.
	todo    []wire.Release
	know    bool                 // whether todo was ever said: before that nothing is taken away
	later   map[string]time.Time // by pack: a refused release rests until then
	said    map[string]string    // by pack: what was reported last
	sources []*source
}

// pace is how fast and when files come; it may change while they do.
type pace struct {
	rate  int64
	quiet setting.Window
}

// SetPace replaces Config.Rate and Config.Quiet.
func (s *Store) SetPace(rate int64, quiet setting.Window) {
	s.mu.Lock()
	s.pace = pace{rate, quiet}
	s.mu.Unlock()
	select {
	case s.paced <- struct{}{}:
	default:
	}
}

func (s *Store) paceNow() pace {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pace
}

// source is a Source and how it did lately.
type source struct {
	Source
	failures int // in a row, without a byte
	rest     time.Time
}

// Open takes the folder over and puts in force what is whole in it.
func Open(c Config) (*Store, error) {
	if c.Report == nil {
		c.Report = func(wire.Kind, wire.Applied) {}
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	c.Reserve, c.Retry = cmp.Or(c.Reserve, DefaultReserve), cmp.Or(c.Retry, DefaultRetry)
	s := &Store{c: c, wanted: make(chan []wire.Release, 1), force: map[string]wire.Release{}, later: map[string]time.Time{}, said: map[string]string{},
		paced: make(chan struct{}, 1), pace: pace{c.Rate, c.Quiet}}
	for _, from := range c.Sources {
		s.sources = append(s.sources, &source{Source: from})
	}
	for _, dir := range []string{filesDir, partsDir, forceDir} {
		if err := os.MkdirAll(s.path(dir), 0o700); err != nil {
			return nil, fmt.Errorf("open packs: %w", err)
		}
	}
	var err error
	if s.lock, err = takeLock(c.Dir); err != nil {
		return nil, fmt.Errorf("open packs %s: %w", c.Dir, err)
	}
	if err := s.restore(); err != nil {
		return nil, errors.Join(fmt.Errorf("open packs %s: %w", c.Dir, err), s.Close())
	}
	return s, nil
}

// Close gives the folder back. Run must have ended.
func (s *Store) Close() error { return s.lock.Close() }

// restore reads what was in force. A release with a missing file gives way to the one before it, or to none.
func (s *Store) restore() error {
	packs, err := packsIn(s.c.Dir)
	if err != nil {
		return err
	}
	for _, pack := range packs {
		for _, ending := range []string{nowEnding, beforeEnding} {
			r, err := readRelease(s.c.Dir, pack, ending)
			if err == nil {
				err = s.whole(r)
			}
			if err == nil {
				s.force[pack] = r
				break
			}
			if !errors.Is(err, fs.ErrNotExist) || ending == nowEnding {
				s.c.Log.Warn("a pack is damaged", "pack", pack, "file", pack+ending, "error", err)
			}
		}
	}
	return nil
}

// whole looks at sizes only: every file was proven before it got its name, and reading all of them would hold up the start.
func (s *Store) whole(r wire.Release) error {
	for _, f := range r.Files {
		info, err := os.Stat(s.file(f.Digest))
		if err != nil {
			return err
		}
		if info.Size() != f.Size {
			return fmt.Errorf("%s has %d bytes, want %d", info.Name(), info.Size(), f.Size)
		}
	}
	return nil
}

// Apply takes a verified snapshot of packs, or says why it breaks a rule. The files come later, in Run.
func (s *Store) Apply(snapshot wire.Snapshot) error {
	body, err := snapshot.Packs()
	if err != nil {
		return err
	}
	for {
		select {
		case s.wanted <- body.For(s.c.Store):
			return nil
		case <-s.wanted: // what nobody looked at yet is out of date
		}
	}
}

// Open opens a file of the release in force. Its bytes stay readable as long as it is open, whatever comes into force.
func (s *Store) Open(pack, path string) (*os.File, error) {
	s.mu.Lock()
	r, ok := s.force[pack]
	s.mu.Unlock()
	if ok {
		for _, f := range r.Files {
			if f.Path == path {
				return os.Open(s.file(f.Digest))
			}
		}
	}
	return nil, &fs.PathError{Op: "open", Path: pack + "/" + path, Err: fs.ErrNotExist}
}

// InForce lists the releases in force, sorted by pack.
func (s *Store) InForce() []wire.Release {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]wire.Release, 0, len(s.force))
	for _, r := range s.force {
		all = append(all, r)
	}
	slices.SortFunc(all, func(x, y wire.Release) int { return cmp.Compare(x.Pack, y.Pack) })
	return all
}

// Proof is what Prove found.
type Proof struct {
	Releases, Files, Damaged int
	Bytes                    int64
}

// Prove reads every file in force and compares it with its digest. A release with a file that is damaged is out of force until
// that is fetched again.
func (s *Store) Prove(ctx context.Context) (p Proof, err error) {
	for _, r := range s.InForce() {
		p.Releases++
		whole := true
		for _, f := range r.Files {
			if err := ctx.Err(); err != nil {
				return p, err
			}
			p.Files++
			p.Bytes += f.Size
			if err := Verify(s.c.Dir, f); err != nil {
				s.c.Log.Warn("a file of a pack is damaged and is fetched again", "pack", r.Pack, "file", f.Digest.String(), "error", err)
				if err := os.Remove(s.file(f.Digest)); err != nil && !errors.Is(err, fs.ErrNotExist) {
					return p, err
				}
				p.Damaged++
				whole = false
			}
		}
		if !whole {
			s.mu.Lock()
			delete(s.force, r.Pack)
			s.mu.Unlock()
		}
	}
	select {
	case s.paced <- struct{}{}: // Run looks at what it has
	default:
	}
	return p, nil
}

// Run fetches what Apply says until ctx ends; then it returns nil.
func (s *Store) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		next := s.work(ctx)
		timer := time.NewTimer(next)
		select {
		case <-ctx.Done():
		case <-timer.C:
		case <-s.paced:
		case s.todo = <-s.wanted:
			s.take()
		}
		timer.Stop()
	}
	return nil
}

// take makes room for news: what was refused is tried at once, and what is no longer wanted goes.
func (s *Store) take() {
	s.know = true
	clear(s.later)
	for _, r := range s.InForce() {
		if !slices.ContainsFunc(s.todo, func(w wire.Release) bool { return w.Pack == r.Pack }) {
			s.drop(r.Pack)
		}
	}
	s.sweep()
}

// forever is how long Run waits when there is nothing to do before Apply.
const forever = 24 * time.Hour

// work brings every wanted release into force as far as that goes now, and says when to come again.
func (s *Store) work(ctx context.Context) time.Duration {
	next := forever
	for _, r := range s.todo {
		if s.has(r) {
			s.tell(r, nil)
			continue
		}
		wait := time.Until(s.later[r.Pack])
		if wait <= 0 && !r.Now {
			wait = s.paceNow().quiet.Until(time.Now())
		}
		if wait <= 0 {
			wait = s.try(ctx, r)
		}
		if ctx.Err() != nil || len(s.wanted) > 0 {
			return 0
		}
		next = min(next, wait)
	}
	return next
}

// try brings one release into force, or says when to come again.
func (s *Store) try(ctx context.Context, r wire.Release) time.Duration {
	err := s.bring(ctx, r)
	switch {
	case err == nil:
		s.tell(r, nil)
		s.sweep()
		return forever
	case ctx.Err() != nil || errors.Is(err, errNews):
		return 0
	case errors.Is(err, errHours):
		return s.paceNow().quiet.Until(time.Now())
	}
	s.tell(r, err)
	s.later[r.Pack] = time.Now().Add(againAfter)
	return againAfter
}

func (s *Store) has(r wire.Release) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	now, ok := s.force[r.Pack]
	return ok && now.Version == r.Version && slices.Equal(now.Files, r.Files)
}

// tell reports what became of a release, once.
func (s *Store) tell(r wire.Release, err error) {
	a := wire.Applied{Snapshot: wire.PackReport(r.Pack), Version: r.Version}
	kind := wire.SnapshotApplied
	if err != nil {
		kind, a.Code, a.Why = wire.SnapshotRefused, codeOf(err), err.Error()
	}
	what := fmt.Sprint(kind, a)
	if s.said[r.Pack] == what {
		return
	}
	s.said[r.Pack] = what
	if err == nil {
		s.c.Log.Info("pack in force", "pack", r.Pack, "version", r.Version, "files", len(r.Files), "bytes", r.Bytes())
	} else {
		s.c.Log.Warn("pack refused; it is tried again later", "pack", r.Pack, "version", r.Version, "code", a.Code, "error", err)
	}
	s.c.Report(kind, a)
}

func codeOf(err error) wire.Code {
	switch {
	case errors.Is(err, ErrAltered):
		return wire.RefusedDigest
	case errors.Is(err, ErrAbsent):
		return wire.RefusedAbsent
	}
	return wire.RefusedDisk
}
