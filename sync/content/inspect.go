package content

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"foyer/sync/wire"
)

// Held is a release that a folder holds.
type Held struct {
	wire.Release
	Before bool  // the one before that in force
	Err    error // it cannot be read; only Pack is known then
}

// Inspect lists the releases that a folder holds, in force and before. It changes nothing and needs no lock.
func Inspect(dir string) ([]Held, error) {
	packs, err := packsIn(dir)
	if err != nil {
		return nil, fmt.Errorf("look into packs: %w", err)
	}
	var all []Held
	for _, pack := range packs {
		for _, ending := range []string{nowEnding, beforeEnding} {
			r, err := readRelease(dir, pack, ending)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			r.Pack = pack
			all = append(all, Held{r, ending == beforeEnding, err})
		}
	}
	return all, nil
}

// Verify reads a file of a folder whole and compares it with its digest.
func Verify(dir string, f wire.PackFile) error {
	file, err := os.Open(fileIn(dir, f.Digest))
	if err != nil {
		return err
	}
	defer file.Close()
	sum := sha256.New()
	n, err := io.Copy(sum, file)
	if err != nil {
		return err
	}
	if n != f.Size || wire.Digest(sum.Sum(nil)) != f.Digest {
		return fmt.Errorf("%d bytes: %w", n, ErrAltered)
	}
	return nil
}

// Sweep removes files that no release in force or before needs, damaged ones too, and tells how many bytes that were. It fails with
// ErrHeld while a foyerd uses the folder, which sweeps by itself.
func Sweep(dir string) (int64, error) {
	lock, err := takeLock(dir)
	if err != nil {
		return 0, fmt.Errorf("sweep packs: %w", err)
	}
	defer lock.Close()
	damaged := int64(0)
	held, err := Inspect(dir)
	if err != nil {
		return 0, err
	}
	for _, h := range held {
		for _, f := range h.Files {
			if errors.Is(Verify(dir, f), ErrAltered) && os.Remove(fileIn(dir, f.Digest)) == nil {
				damaged += f.Size
			}
		}
	}
	n, err := sweep(dir, nil)
	if err != nil {
		return n + damaged, fmt.Errorf("sweep packs: %w", err)
	}
	return n + damaged, nil
}
