package daemon

import (
	"crypto/ed25519"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"foyer/sync/journal"
	"foyer/sync/wire"
)

// A box whose memory card has become read-only opens its shop, says what is wrong, holds what happens, and writes it as soon
// as it can, without a restart.
func TestAReadOnlyDiskKeepsNoShopShut(t *testing.T) {
	dir := room(t)
	data := filepath.Join(dir, "data")
	if err := os.Mkdir(data, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("foyer-test", data, "tmpfs", 0, "size=64m"); err != nil {
		t.Skipf("SKIP SKIP SKIP: a disk cannot be mounted (needs root): %v", err)
	}
	t.Cleanup(func() { syscall.Unmount(data, syscall.MNT_DETACH) })
	disk := func(flag uintptr) {
		t.Helper()
		if err := syscall.Mount("foyer-test", data, "tmpfs", syscall.MS_REMOUNT|flag, "size=64m"); err != nil {
			t.Fatal(err)
		}
	}
	public, _, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, "hq.pub", wire.FormatPublicKey(public))
	write(t, dir, "store-1.token", "secret")
	port := plugged(t, dir)
	config := replaced(t, good, "/dev/serial/by-id/x", port.Path()) +
		"headquarters: {broker: 'tcp://127.0.0.1:1', password_file: store-1.token, public_key_files: [hq.pub]}\n"
	var before uint64
	t.Run("a good day", func(t *testing.T) {
		s := opens(t, dir, config)
		s.plays(port, false)
		s.until("it is written", func() bool { before = s.status().Journal.Last; return before > 0 })
	})
	disk(syscall.MS_RDONLY)
	s := opens(t, dir, config)
	s.plays(port, false)
	s.until("the page says what is wrong", func() bool {
		p := s.status().Journal.Problem
		return strings.Contains(p["en"], "read-only") && strings.Contains(p["zh-CN"], "只读")
	})
	s.until("what happens is held", func() bool { return s.log.count("it is held in memory") == 1 })
	disk(0)
	s.until("it is written", func() bool { st := s.status().Journal; return st.Problem == nil && st.Last > before })
	if _, err := journal.Inspect(filepath.Join(data, "journal.db")); !errors.Is(err, journal.ErrLocked) {
		t.Errorf("it does not hold its journal: %v", err)
	}
}
