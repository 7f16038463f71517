package content

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"foyer/sync/wire"
)

const (
	filesDir     = "files"
	partsDir     = "parts"
	forceDir     = "force"
	nowEnding    = ".json"
	beforeEnding = ".before"
	newEnding    = ".new" // on its way to a rename
	lockFile     = "lock"
	maxForce     = 1 << 20 // bytes of a release's file
)

// ErrHeld is returned while another program owns the folder.
var ErrHeld = errors.New("a foyerd uses these packs")

func (s *Store) path(parts ...string) string {
	return filepath.Join(append([]string{s.c.Dir}, parts...)...)
}

func (s *Store) file(d wire.Digest) string { return fileIn(s.c.Dir, d) }
func (s *Store) part(d wire.Digest) string { return s.path(partsDir, d.String()) }

func fileIn(dir string, d wire.Digest) string {
	name := d.String()
	return filepath.Join(dir, filesDir, name[:2], name)
}

// takeLock keeps two programs from sweeping each other's files away. It ends with the process that holds it.
func takeLock(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, lockFile), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		return nil, ErrHeld
	}
	return f, nil
}

// packsIn lists the packs that have a release in force, or had one before.
func packsIn(dir string) ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(dir, forceDir))
	if err != nil {
		return nil, err
	}
	var packs []string
	for _, e := range entries {
		name := e.Name()
		if pack := strings.TrimSuffix(strings.TrimSuffix(name, nowEnding), beforeEnding); pack != name && !slices.Contains(packs, pack) {
			packs = append(packs, pack)
		}
	}
	return packs, nil
}

// readRelease reads a pointer and checks it as if it had come over the line.
func readRelease(dir, pack, ending string) (wire.Release, error) {
	path := filepath.Join(dir, forceDir, pack+ending)
	info, err := os.Stat(path)
	if err != nil {
		return wire.Release{}, err
	}
	if info.Size() > maxForce {
		return wire.Release{}, fmt.Errorf("%s has %d bytes: want at most %d", path, info.Size(), maxForce)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return wire.Release{}, err
	}
	var r wire.Release
	if err := json.Unmarshal(data, &r); err != nil {
		return wire.Release{}, fmt.Errorf("%s: %w", path, err)
	}
	if err := r.Check(); err != nil {
		return wire.Release{}, fmt.Errorf("%s: %w", path, err)
	}
	if r.Pack != pack {
		return wire.Release{}, fmt.Errorf("%s is of pack %s", path, r.Pack)
	}
	return r, nil
}

// switchTo puts a release, all of whose files are whole, into force: what was in force is kept as the one before, then one
// rename does it.
func (s *Store) switchTo(r wire.Release) error {
	s.mu.Lock()
	now, have := s.force[r.Pack]
	s.mu.Unlock()
	if have && now.Version != r.Version {
		if err := s.write(r.Pack+beforeEnding, now); err != nil {
			return err
		}
	}
	if err := s.write(r.Pack+nowEnding, r); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.force[r.Pack] = r
	return nil
}

// write replaces a pointer, durably.
func (s *Store) write(name string, r wire.Release) error {
	data, err := json.Marshal(r)
	if err != nil {
		return err
	}
	path := s.path(forceDir, name)
	f, err := os.OpenFile(path+newEnding, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(path+newEnding, path); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

// drop takes a pack away that headquarters wants here no more.
func (s *Store) drop(pack string) {
	s.mu.Lock()
	delete(s.force, pack)
	s.mu.Unlock()
	for _, ending := range []string{nowEnding, beforeEnding} {
		if err := os.Remove(s.path(forceDir, pack+ending)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			s.c.Log.Error("a pack cannot be taken away", "pack", pack, "error", err)
			return
		}
	}
	if err := syncFolder(s.path(forceDir)); err != nil {
		s.c.Log.Error("a pack cannot be taken away", "pack", pack, "error", err)
		return
	}
	delete(s.said, pack)
	s.c.Log.Info("pack taken away", "pack", pack)
	s.c.Report(wire.SnapshotApplied, wire.Applied{Snapshot: wire.PackReport(pack)})
}

// sweep removes files that no release needs: neither those in force and before, nor those that are wanted. Before
// headquarters' word is known nothing is swept.
func (s *Store) sweep() {
	if !s.know {
		return
	}
	n, err := sweep(s.c.Dir, s.todo)
	if err != nil {
		s.c.Log.Error("old files of packs cannot be removed", "error", err)
	}
	if n > 0 {
		s.c.Log.Info("old files of packs removed", "bytes", n)
	}
}

// sweep removes what no release needs, and tells how many bytes that were.
func sweep(dir string, wanted []wire.Release) (int64, error) {
	keep, err := needed(dir)
	if err != nil {
		return 0, err
	}
	coming := map[string]bool{}
	for _, r := range wanted {
		for _, f := range r.Files {
			keep[f.Digest.String()], coming[f.Digest.String()] = true, true
		}
	}
	freed := int64(0)
	err = errors.Join(
		eachFile(filepath.Join(dir, partsDir), func(path string, info fs.FileInfo) error {
			return removeUnless(coming, path, info, &freed)
		}),
		eachFile(filepath.Join(dir, filesDir), func(path string, info fs.FileInfo) error {
			return removeUnless(keep, path, info, &freed)
		}))
	return freed, err
}

func removeUnless(keep map[string]bool, path string, info fs.FileInfo, freed *int64) error {
	if keep[info.Name()] {
		return nil
	}
	*freed += info.Size()
	return os.Remove(path)
}

// needed are the names of all files of releases in force and before. A pointer that cannot be read may need any: an error.
func needed(dir string) (map[string]bool, error) {
	keep := map[string]bool{}
	packs, err := packsIn(dir)
	if err != nil {
		return nil, err
	}
	for _, pack := range packs {
		for _, ending := range []string{nowEnding, beforeEnding} {
			r, err := readRelease(dir, pack, ending)
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				continue // damaged: it can never come into force again
			}
			for _, f := range r.Files {
				keep[f.Digest.String()] = true
			}
		}
	}
	return keep, nil
}

func eachFile(dir string, do func(string, fs.FileInfo) error) error {
	return filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		return do(path, info)
	})
}

// room reports, as an error, a disk on which so many more bytes would touch the reserve.
func (s *Store) room(more int64) error {
	var at syscall.Statfs_t
	if err := syscall.Statfs(s.c.Dir, &at); err != nil {
		return fmt.Errorf("look at the disk: %w", err)
	}
	free := int64(at.Bavail) * int64(at.Bsize)
	if free-more < s.c.Reserve {
		return fmt.Errorf("%d MB are free and %d MB to come: want to keep %d MB free", free>>20, more>>20, s.c.Reserve>>20)
	}
	return nil
}

// syncFolder makes names durable.
func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
