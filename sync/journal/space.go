package journal

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
)

// reserveBytes is the size of the reserve file: some thousand records, or what a proper end needs.
const reserveBytes = 1 << 20

// space is what the committer knows of the room on the disk.
type space struct {
	reserve string // path of the reserve file
	size    int64  // of the reserve file
	full    bool   // the disk was full, and has not had room since
	ceiling int64  // while full: bytes of the journal that are on the disk already
	bonus   int64  // while full: bytes beyond that for what is Keep
}

func newSpace(path string, max int) space {
	return space{reserve: path + ".reserve", size: min(reserveBytes, int64(max/16))}
}

// isFull reports whether a commit failed because the disk has no room.
func isFull(err error) bool { return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) }

// lay makes the reserve file. What it returns is only for the log: a journal without a reserve works.
func (s *space) lay() error {
	if info, err := os.Stat(s.reserve); err == nil && info.Size() == s.size {
		return nil
	}
	f, err := os.OpenFile(s.reserve, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = io.CopyN(f, zeros{}, s.size) // a hole would reserve nothing
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(fmt.Errorf("make the reserve: %w", err), os.Remove(s.reserve))
	}
	return nil
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

// letGo gives the reserve to the journal. From now on the file is not to grow beyond what it holds on the disk.
func (s *space) letGo(path string) error {
	err := os.Remove(s.reserve)
	s.full, s.bonus = true, s.size/2
	if errors.Is(err, os.ErrNotExist) { // let go before the last end
		err, s.bonus = nil, 0
	}
	var stat syscall.Stat_t
	if e := syscall.Stat(path, &stat); e != nil {
		return errors.Join(err, e)
	}
	s.ceiling = stat.Blocks * 512
	return err
}

// hasRoom reports whether the disk can take the reserve again, and some more.
func (s *space) hasRoom() bool { return s.free() > 4*s.size }

// free is how many bytes the disk has for us; 0 where it does not say.
func (s *space) free() int64 {
	var stat syscall.Statfs_t
	if err := syscall.Statfs(filepath.Dir(s.reserve), &stat); err != nil {
		return 0
	}
	return int64(stat.Bavail) * int64(stat.Bsize)
}

// limit is how many bytes may be in use after a record of the class was added. While the disk is full, what is Keep has
// half of the reserve, and the other half is for cursors and a proper end.
func (j *Journal) limit(c Class) int64 {
	quota := j.quota()
	switch {
	case !j.space.full:
		return quota
	case c == Keep:
		return min(quota, j.space.ceiling+j.space.bonus)
	}
	return min(quota, j.space.ceiling-j.space.ceiling/16)
}

// breathe lays the reserve anew once the disk has room again.
func (j *Journal) breathe() {
	if !j.space.full || !j.space.hasRoom() {
		return
	}
	if err := j.space.lay(); err != nil {
		return // the room was taken in between
	}
	j.space.full = false
	j.log.Info("the disk has room again", "file", j.path)
}

// suffocate is what follows when the disk is found full: the reserve goes.
func (j *Journal) suffocate() {
	if err := j.space.letGo(j.path); err != nil {
		j.log.Warn("the reserve cannot be let go", "file", j.space.reserve, "error", err)
	}
	j.log.Error("the disk is full: statistics and old visits are given up for what must be kept", "file", j.path)
}
