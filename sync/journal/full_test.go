package journal

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// smallDisk mounts a file system of so many bytes that the test may fill, or passes the test over.
func smallDisk(t *testing.T, bytes string) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("foyer-test", dir, "tmpfs", 0, "size="+bytes); err != nil {
		t.Skipf("SKIP SKIP SKIP: a small disk cannot be mounted (needs root): %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// hog takes all the room there is left on the disk; what it returns gives it back.
func hog(t *testing.T, dir string) (release func()) {
	t.Helper()
	path := filepath.Join(dir, "somebody-elses.log")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, size := range []int{64 << 10, 512} {
		for err = nil; err == nil; {
			_, err = f.Write(make([]byte, size))
		}
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	return func() {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAFullDiskKeepsWhatMustBeKeptAndRecovers(t *testing.T) {
	dir := smallDisk(t, "24m")
	path := filepath.Join(dir, "journal.db")
	j, stop := run(t, path, Options{MaxBytes: 64 << 20, Marker: mark})
	if err := j.MoveCursor(t.Context(), "main", "hq", 0); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path + ".reserve"); err != nil || info.Size() != reserveBytes {
		t.Fatalf("reserve: %v, %v", info, err)
	}
	for _, c := range []Class{Statistic, Visit} {
		if _, err := fill(t, j, 8000, c); err != nil {
			t.Fatal(err)
		}
	}
	release := hog(t, dir)
	for _, c := range []Class{Statistic, Visit, Keep} {
		if n, err := fill(t, j, 8000, c); err != nil {
			t.Fatalf("%v: after %d: %v", c, len(n), err)
		}
	}
	h := j.Health()
	if !h.DiskFull || !h.Thinning || h.Thinned[Statistic] == 0 || h.Thinned[Keep] != 0 {
		t.Errorf("the disk is full: %+v", h)
	}
	kept := uint64(8000)
	for {
		n, err := fill(t, j, 4000, Keep)
		kept += uint64(len(n))
		if errors.Is(err, ErrFull) {
			break
		}
		if err != nil || kept > 100_000 {
			t.Fatalf("after %d that must be kept: %v, want %v in the end", kept, err, ErrFull)
		}
	}
	// Full to the last byte, it still takes headquarters' word, a snapshot and the end.
	if err := j.PutSnapshot(t.Context(), "campaigns", 1, make([]byte, 100_000)); err != nil {
		t.Errorf("a snapshot: %v", err)
	}
	if err := j.MoveCursor(t.Context(), "main", "hq", 10); err != nil {
		t.Errorf("a cursor: %v", err)
	}
	before := len(readAll(t, j, "main"))
	stop()
	j, _ = run(t, path, Options{MaxBytes: 64 << 20, Marker: mark})
	if got := len(readAll(t, j, "main")); got != before {
		t.Errorf("after opening again there are %d records, before there were %d", got, before)
	}
	if _, err := fill(t, j, 4000, Keep); !errors.Is(err, ErrFull) && !errors.Is(err, ErrNoSpace) {
		t.Errorf("it was full and is not: %v", err)
	}
	release()
	for range 2 {
		if _, err := fill(t, j, 100, Keep); err != nil {
			t.Fatalf("there is room again: %v", err)
		}
	}
	if h := j.Health(); h.DiskFull || h.Err != nil {
		t.Errorf("there is room again: %+v", h)
	}
	if _, err := os.Stat(path + ".reserve"); err != nil {
		t.Errorf("the reserve is not laid again: %v", err)
	}
	gone := Thinned{}
	for _, r := range readAll(t, j, "main") {
		if len(r.Payload) < 240 {
			gone[Statistic]++
		}
	}
	if h := j.Health(); gone[Statistic]+10 != h.Thinned[Statistic]+h.Thinned[Visit] {
		t.Errorf("%d markers, %v counted", gone[Statistic], h.Thinned)
	}
}

func TestAReadOnlyDiskIsToldAndReadsGoOn(t *testing.T) {
	dir := smallDisk(t, "16m")
	path := filepath.Join(dir, "journal.db")
	j, stop := run(t, path, Options{MaxBytes: 4 << 20})
	appendText(t, j, "main", "before")
	stop()
	readOnly := func(flag uintptr) {
		t.Helper()
		if err := syscall.Mount("foyer-test", dir, "tmpfs", syscall.MS_REMOUNT|flag, "size=16m"); err != nil {
			t.Fatal(err)
		}
	}
	readOnly(syscall.MS_RDONLY)
	j, stop = run(t, path, Options{MaxBytes: 4 << 20})
	if err := j.Health().Err; !errors.Is(err, ErrReadOnly) {
		t.Errorf("health says %v", err)
	}
	for range 2 {
		if _, err := j.Append(t.Context(), Entry{Lane: "main", Payload: []byte("x")}); !errors.Is(err, ErrReadOnly) {
			t.Errorf("an append: %v, want %v", err, ErrReadOnly)
		}
	}
	if records := readAll(t, j, "main"); len(records) != 1 {
		t.Errorf("%d records can be read", len(records))
	}
	if r, err := Inspect(path); err != nil || r.Lanes[0].Records != 1 {
		t.Errorf("looking at it: %+v, %v", r, err)
	}
	readOnly(0) // while it runs
	if got := appendText(t, j, "main", "after"); got != 2 {
		t.Errorf("goes on with %d, want 2", got)
	}
	if err := j.Health().Err; err != nil {
		t.Errorf("health says %v", err)
	}
	stop()
	if _, err := Open(filepath.Join(dir, "nowhere", "journal.db"), Options{}); err == nil {
		t.Error("a journal in no folder was opened")
	}
}
