package fault

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"foyer/hq/store/storetest"
	"foyer/sync/journal"
)

// TestMain lets the test binary be the process under which the power is cut: a file system and who maps its files must not
// share one.
func TestMain(m *testing.M) {
	switch dir := os.Getenv("FAULT_DIR"); os.Getenv("FAULT_CHILD") {
	case "journal":
		writeJournal(dir)
	case "unsynced":
		writeUnsynced(dir)
	case "store":
		writeAndSend(dir, os.Getenv("FAULT_URL"))
	}
	os.Exit(storetest.Run(m))
}

const small = 4 << 20 // bytes of the journal: it is pruned and used again all the time

// writeJournal appends for ever with four writers, and prints what was acknowledged. Refused entries are tried again.
func writeJournal(dir string) {
	j, err := journal.Open(filepath.Join(dir, "journal.db"), journal.Options{MaxBytes: small})
	for err != nil { // a disk that fails now and then
		if os.Getenv("FAULT_TELL") != "" {
			fmt.Fprintln(os.Stderr, err)
		}
		j, err = journal.Open(filepath.Join(dir, "journal.db"), journal.Options{MaxBytes: small})
	}
	ctx := context.Background()
	go j.Run(ctx)
	go func() {
		for {
			j.Compact(ctx) // refused while the disk fails
			time.Sleep(20 * time.Millisecond)
		}
	}()
	var out sync.Mutex
	for w := range 4 {
		go func() {
			for {
				text := fmt.Sprintf("%d-%x", w, rand.Uint64())
				seq, err := j.Append(ctx, journal.Entry{Lane: "main", Payload: []byte(text)})
				if errors.Is(err, journal.ErrStopped) || errors.Is(err, journal.ErrCorrupt) {
					fmt.Fprintln(os.Stderr, "the journal gave up:", err)
					os.Exit(1)
				}
				if err != nil {
					if os.Getenv("FAULT_TELL") != "" {
						fmt.Fprintln(os.Stderr, err)
					}
					continue
				}
				out.Lock()
				fmt.Println(seq, text)
				out.Unlock()
				if seq%20 == 0 && seq > 100 {
					j.MoveCursor(ctx, "main", "hq", seq-100)
				}
			}
		}()
	}
	select {}
}

// writeUnsynced is the control: it acknowledges what it only wrote.
func writeUnsynced(dir string) {
	f, err := os.OpenFile(filepath.Join(dir, "plain"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		os.Exit(1)
	}
	for seq := 1; ; seq++ {
		if _, err := fmt.Fprintln(f, seq); err != nil {
			select {}
		}
		fmt.Println(seq, "plain")
	}
}

// writer is a child that writes until it is killed.
type writer struct {
	t     *testing.T
	cmd   *exec.Cmd
	lines *bufio.Scanner
	acked map[uint64]string
	last  uint64
}

func startWriter(t *testing.T, role, dir string, acked map[uint64]string) *writer {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	w := &writer{t: t, cmd: exec.Command(self), acked: acked}
	w.cmd.Env = append(os.Environ(), "FAULT_CHILD="+role, "FAULT_DIR="+dir)
	w.cmd.Stderr = os.Stderr
	pipe, err := w.cmd.StdoutPipe()
	if err == nil {
		err = w.cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	w.lines = bufio.NewScanner(pipe)
	t.Cleanup(func() { w.cmd.Process.Kill() }) // ended already, but after a failure
	return w
}

// next takes the next acknowledgement.
func (w *writer) next() bool {
	if !w.lines.Scan() {
		return false
	}
	var seq uint64
	var text string
	if n, _ := fmt.Sscan(w.lines.Text(), &seq, &text); n == 2 {
		w.acked[seq], w.last = text, max(w.last, seq)
	}
	return true
}

// until waits for so many acknowledgements.
func (w *writer) until(n int) {
	w.t.Helper()
	for range n {
		if !w.next() {
			w.t.Fatal("the writer ended by itself")
		}
	}
}

// kill ends it, and takes what it had still said.
func (w *writer) kill() {
	if err := w.cmd.Process.Kill(); err != nil {
		w.t.Error(err)
	}
	for w.next() {
	}
	w.cmd.Wait() // killed
}

// missing opens what a cut has left, and names what was acknowledged and is not there. A journal that does not open has
// lost all.
func missing(dir string, acked map[uint64]string, last uint64) error {
	path := filepath.Join(dir, "journal.db")
	kept, first := map[uint64]string{}, last+1
	err := journal.Export(path, func(e journal.Exported) error {
		kept[e.Seq], first = string(e.Payload), min(first, e.Seq)
		return nil
	})
	if err != nil {
		return err
	}
	r, err := journal.Inspect(path)
	if err != nil {
		return err
	}
	for _, l := range r.Lanes {
		first = min(first, l.Cursors["hq"]+1) // what is below may have been pruned
	}
	for seq := first; seq <= last; seq++ {
		if text, ok := acked[seq]; ok && kept[seq] != text {
			return fmt.Errorf("record %d was acknowledged as %q and is %q; the last one was %d", seq, text, kept[seq], last)
		}
	}
	return nil
}

func cuts(few int) int {
	if n, err := strconv.Atoi(os.Getenv("FOYER_CUTS")); err == nil {
		return n
	}
	if testing.Short() {
		return 2
	}
	return few
}

// runLossy cuts the power so often, each time under what the time before has left, and counts the cuts after which something
// was missing.
func runLossy(t *testing.T, rounds int, set func(*disk)) (bad int, why error) {
	t.Helper()
	data, acked, last := map[string][]byte{}, map[uint64]string{}, uint64(0)
	for range rounds {
		d := &disk{}
		set(d)
		dir, unmount := mount(t, d, data)
		w := startWriter(t, "journal", dir, acked)
		w.until(5 + rand.IntN(200))
		d.cut()
		w.kill()
		data, last = d.remains(), max(last, w.last)
		unmount()
		if err := missing(lay(t, data), acked, last); err != nil {
			bad, why = bad+1, err
			data, acked, last = map[string][]byte{}, map[uint64]string{}, 0
		}
	}
	t.Logf("%d cuts, %d records acknowledged, %d times something was missing (%v)", rounds, last, bad, why)
	return bad, why
}

func TestPowerCutOnADiskThatDropsWhatWasNotSynced(t *testing.T) {
	if bad, err := runLossy(t, cuts(8), func(*disk) {}); bad > 0 {
		t.Errorf("%d times something was missing: %v", bad, err)
	}
	for range 20 { // a cut may leave all by chance
		if bad, _ := runLossy(t, 1, func(d *disk) { d.lies = true }); bad > 0 {
			return
		}
	}
	t.Error("the control has lost nothing though nothing was synced: the rig shows nothing")
}

// One in fifteen writes finds the disk full and one in fifteen syncs fails, at every place where the journal writes; then the
// power goes.
func TestADiskThatFailsAtEveryPlace(t *testing.T) {
	if bad, err := runLossy(t, cuts(4), func(d *disk) { d.flaky = 15 }); bad > 0 {
		t.Errorf("%d times something was missing: %v", bad, err)
	}
}

const ext4Shutdown, noLogFlush = 0x8004587d, 2 // _IOR('X', 125, __u32) of ext4, and its flag that drops the log too

// loop mounts an image that holds ext4.
func loop(t *testing.T, image string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if out, err := exec.Command("mount", "-t", "ext4", "-o", "loop", image, dir).CombinedOutput(); err != nil {
		t.Skipf("SKIP SKIP SKIP: ext4 cannot be mounted on a loop device (needs root): %v: %s", err, out)
	}
	return dir
}

func unmount(t *testing.T, dir string) {
	t.Helper()
	var err error
	for range 100 {
		if err = syscall.Unmount(dir, 0); !errors.Is(err, syscall.EBUSY) {
			break
		}
		time.Sleep(50 * time.Millisecond) // the kernel lets a killed process's files go in its own time
	}
	if err != nil {
		t.Error(err)
	}
}

// shutdown throws away what ext4 holds in memory.
func shutdown(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return unix.IoctlSetPointerInt(int(d.Fd()), ext4Shutdown, noLogFlush)
}

func newImage(t *testing.T) string {
	t.Helper()
	image := filepath.Join(t.TempDir(), "image")
	out, err := exec.Command("sh", "-c", "PATH=$PATH:/sbin:/usr/sbin; truncate -s 64M $0 && mkfs.ext4 -q -F $0", image).CombinedOutput()
	if err != nil {
		t.Skipf("SKIP SKIP SKIP: no mkfs.ext4: %v: %s", err, out)
	}
	return image
}

func TestPowerCutOnExt4(t *testing.T) {
	image, acked, last := newImage(t), map[uint64]string{}, uint64(0)
	rounds := cuts(4)
	for round := range rounds {
		dir := loop(t, image)
		w := startWriter(t, "journal", dir, acked)
		w.until(20 + rand.IntN(500))
		if err := shutdown(dir); err != nil {
			w.kill()
			unmount(t, dir)
			t.Skipf("SKIP SKIP SKIP: this kernel's ext4 cannot be shut down: %v", err)
		}
		w.kill()
		unmount(t, dir)
		last = max(last, w.last)
		dir = loop(t, image) // and recovers
		if err := missing(dir, acked, last); err != nil {
			t.Errorf("cut %d: %v", round, err)
		}
		unmount(t, dir)
	}
	t.Logf("%d cuts, %d records acknowledged", rounds, last)
	dir := loop(t, image)
	w := startWriter(t, "unsynced", dir, map[uint64]string{})
	w.until(1000)
	err := shutdown(dir)
	w.kill()
	unmount(t, dir)
	dir = loop(t, image)
	defer unmount(t, dir)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(filepath.Join(dir, "plain"))
	if errors.Is(err, os.ErrNotExist) {
		return // lost with its name
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	plain, err := io.ReadAll(f)
	if n := countLines(plain); err != nil || uint64(n) >= w.last {
		t.Errorf("the control has lost nothing, %d of %d, though nothing was synced: the rig shows nothing (%v)", n, w.last, err)
	}
}

func countLines(b []byte) (n int) {
	for _, c := range b {
		if c == '\n' {
			n++
		}
	}
	return n
}
