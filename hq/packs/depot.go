// Package packs keeps the files of content packs at headquarters, each once, by its SHA-256, and serves them to stores.
//
// In: a folder or a ZIP file. Out: the list of files for a wire.Release; ranges of files over HTTP; parts of them for the broker.
// It never decides who gets what, never follows a name out of the folder or archive that it reads, and never serves
// anybody whom Auth does not know.
// Called by hq and cmd/foyer-hq.
package packs

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"foyer/sync/wire"
)

// Depot is a folder of files named by their digests.
type Depot struct{ dir string }

// Open opens the folder, made if it is not there.
func Open(dir string) (*Depot, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open packs: %w", err)
	}
	return &Depot{dir}, nil
}

func (d *Depot) path(digest wire.Digest) string {
	name := digest.String()
	return filepath.Join(d.dir, name[:2], name)
}

// File opens a file; fs.ErrNotExist if it is not here.
func (d *Depot) File(digest wire.Digest) (*os.File, error) { return os.Open(d.path(digest)) }

// Part answers a store's request that came through the broker.
func (d *Depot) Part(a wire.ChunkAsk) (wire.Chunk, error) {
	none := wire.Chunk{Digest: a.Digest, Offset: a.Offset, Total: -1}
	f, err := d.File(a.Digest)
	if errors.Is(err, fs.ErrNotExist) {
		return none, nil
	}
	if err != nil {
		return none, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return none, err
	}
	c := wire.Chunk{Digest: a.Digest, Offset: min(a.Offset, info.Size()), Total: info.Size()}
	c.Data = make([]byte, min(int64(a.Length), info.Size()-c.Offset))
	_, err = io.ReadFull(io.NewSectionReader(f, c.Offset, int64(len(c.Data))), c.Data)
	return c, err
}

// put keeps what r gives, at most limit bytes, durably and whole or not at all.
func (d *Depot) put(r io.Reader, limit int64) (digest wire.Digest, size int64, err error) {
	f, err := os.CreateTemp(d.dir, ".new.*")
	if err != nil {
		return digest, 0, err
	}
	defer os.Remove(f.Name()) // no effect after the rename
	defer f.Close()
	sum := sha256.New()
	size, err = io.Copy(io.MultiWriter(f, sum), io.LimitReader(r, limit+1))
	if err == nil && size > limit {
		err = fmt.Errorf("it has more than %d bytes", limit)
	}
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return digest, 0, err
	}
	sum.Sum(digest[:0])
	return digest, size, d.keep(f.Name(), d.path(digest))
}

func (d *Depot) keep(from, to string) error {
	if _, err := os.Stat(to); err == nil { // some pack has it already, or had it: as old as that it might be swept
		return os.Chtimes(to, time.Time{}, time.Now())
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return err
	}
	return os.Rename(from, to)
}

// Sweep removes files that nobody keeps and that were there before a time: a pack that is just being published has no
// release yet. It tells how many bytes that were.
func (d *Depot) Sweep(keep map[wire.Digest]bool, before time.Time) (int64, error) {
	kept := map[string]bool{}
	for digest := range keep {
		kept[digest.String()] = true
	}
	freed := int64(0)
	err := filepath.WalkDir(d.dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || kept[e.Name()] {
			return err
		}
		info, err := e.Info()
		if err != nil || !info.ModTime().Before(before) {
			return err
		}
		freed += info.Size()
		return os.Remove(path)
	})
	if err != nil {
		return freed, fmt.Errorf("sweep packs: %w", err)
	}
	return freed, nil
}
