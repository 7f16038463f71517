package journal

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	bolt "go.etcd.io/bbolt"
)

func TestASecondOneIsToldWhoHoldsTheFile(t *testing.T) {
	path := newPath(t)
	run(t, path, Options{})
	_, err := Open(path, Options{})
	if !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "foyerd") {
		t.Errorf("got %v, want the file named and who holds it", err)
	}
	if _, err := Inspect(path); !errors.Is(err, ErrLocked) {
		t.Errorf("inspect: %v", err)
	}
}

func TestNewFileIsForItsOwnerOnly(t *testing.T) {
	path := newPath(t)
	run(t, path, Options{})
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v; want 0600", info.Mode(), err)
	}
	if _, err := Open(filepath.Join(path+"-no", "such"), Options{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no folder: %v", err)
	}
}

func TestANewerFormatIsRefused(t *testing.T) {
	path := newPath(t)
	_, stop := run(t, path, Options{})
	stop()
	db, err := bolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bolt.Tx) error { return tx.Bucket(metaBucket).Put(formatKey, []byte("3")) })
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	_, err = Open(path, Options{})
	if !errors.Is(err, ErrNewer) || !strings.Contains(err.Error(), "format is 3") {
		t.Errorf("got %v", err)
	}
}

func TestInspectCountsWithoutChanging(t *testing.T) {
	path := newPath(t)
	j, stop := run(t, path, Options{})
	for range 5 {
		appendText(t, j, "main", "12345678")
	}
	if err := j.MoveCursor(t.Context(), "main", "hq", 2); err != nil {
		t.Fatal(err)
	}
	if err := j.PutSnapshot(t.Context(), "members", 4, []byte("xyz")); err != nil {
		t.Fatal(err)
	}
	if _, err := j.Append(t.Context(), Entry{Puts: []Put{{"history", "m", []byte("v")}}}); err != nil {
		t.Fatal(err)
	}
	epoch := j.Epoch()
	stop()
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Inspect(path)
	if err != nil {
		t.Fatal(err)
	}
	want := &Report{
		Format: "2", Epoch: epoch, FileBytes: int64(len(before)),
		Lanes:     []LaneReport{{Lane: "main", First: 3, Last: 5, Records: 3, Bytes: 24, Cursors: map[string]uint64{"hq": 2}}},
		Snapshots: []SnapshotReport{{"members", 4, 3}},
		State:     []StateReport{{"history", 1, 2}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if after, _ := os.ReadFile(path); string(after) != string(before) {
		t.Error("inspecting changed the file")
	}
}

func TestSizes(t *testing.T) {
	for wanted, want := range map[int64]int{0: DefaultMaxBytes, 1: 1 << 20, 1 << 20: 1 << 20, 3 << 20: 4 << 20, 1 << 30: 1 << 30} {
		if got, err := mapSize(wanted); err != nil || got != want {
			t.Errorf("%d: got %d, %v; want %d", wanted, got, err, want)
		}
	}
	for _, bad := range []int64{-1, 1<<30 + 1} {
		if _, err := Open(newPath(t), Options{MaxBytes: bad}); err == nil {
			t.Errorf("%d bytes are accepted", bad)
		}
	}
}
