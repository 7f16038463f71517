package packs

import (
	"archive/zip"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"

	"foyer/sync/wire"
)

// Read keeps all files of a folder or a ZIP file, and lists them by their names. Hidden files are left out; anything that
// is neither file nor folder, leads outside or breaks a limit of package wire is an error that names it.
func (d *Depot) Read(from string) ([]wire.PackFile, error) {
	info, err := os.Stat(from)
	if err != nil {
		return nil, fmt.Errorf("read pack: %w", err)
	}
	var files []wire.PackFile
	if info.IsDir() {
		var root *os.Root
		if root, err = os.OpenRoot(from); err == nil {
			files, err = d.read(root.FS())
			root.Close()
		}
	} else {
		files, err = d.readZip(from)
	}
	if err == nil && len(files) == 0 {
		err = errors.New("there are no files in it")
	}
	if err != nil {
		return nil, fmt.Errorf("read pack %s: %w", from, err)
	}
	return files, nil
}

func (d *Depot) readZip(name string) ([]wire.PackFile, error) {
	z, err := zip.OpenReader(name)
	if err != nil {
		return nil, err
	}
	defer z.Close()
	for _, f := range z.File { // its file system would pass over such names without a word
		if err := wire.CheckPackPath(strings.TrimSuffix(f.Name, "/")); err != nil {
			return nil, err
		}
	}
	return d.read(z)
}

// read walks a file system. What a header says of sizes is not believed: bytes are counted as they come.
func (d *Depot) read(all fs.FS) ([]wire.PackFile, error) {
	var files []wire.PackFile
	left := int64(wire.MaxPackBytes)
	err := fs.WalkDir(all, ".", func(name string, e fs.DirEntry, err error) error {
		switch hidden := strings.HasPrefix(path.Base(name), ".") && name != "."; {
		case err != nil:
			return err
		case hidden && e.IsDir():
			return fs.SkipDir
		case hidden || e.IsDir():
			return nil
		case !e.Type().IsRegular():
			return fmt.Errorf("%s is neither file nor folder", name)
		case len(files) == wire.MaxPackFiles:
			return fmt.Errorf("more than %d files", wire.MaxPackFiles)
		}
		if err := wire.CheckPackPath(name); err != nil {
			return err
		}
		f, err := all.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		digest, size, err := d.put(f, min(wire.MaxPackFile, left))
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		left -= size
		files = append(files, wire.PackFile{Path: name, Size: size, Digest: digest})
		return nil
	})
	return files, err
}
