package journal

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// TestMain lets the test binary be the process that is killed.
func TestMain(m *testing.M) {
	path := os.Getenv("JOURNAL_TEST_PATH")
	switch os.Getenv("JOURNAL_TEST_CHILD") {
	case "append":
		childAppends(path)
	case "limit":
		if err := childMeetsLimit(path); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func child(t *testing.T, role, path string) *exec.Cmd {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(self)
	c.Env = append(os.Environ(), "JOURNAL_TEST_CHILD="+role, "JOURNAL_TEST_PATH="+path)
	return c
}

// childAppends appends with eight writers until it is killed, and prints what has been acknowledged. A reader's cursor moves along
// and the file is written anew all the time, so that it may die while pruning and at each step of a compaction.
func childAppends(path string) {
	j, err := Open(path, Options{})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	ctx := context.Background()
	go j.Run(ctx)
	var out sync.Mutex
	go func() {
		for j.Compact(ctx) == nil {
		}
	}()
	for w := range 8 {
		go func() {
			for {
				text := fmt.Sprintf("%d:%x", w, rand.Uint64())
				seq, err := j.Append(ctx, Entry{Lane: "main", Payload: []byte(text), Puts: []Put{{"last", fmt.Sprint(w), []byte(text)}}})
				out.Lock()
				if err != nil {
					fmt.Println("fault", err)
				}
				fmt.Println(seq, w, text)
				out.Unlock()
				if seq%16 == 0 && seq > 64 {
					j.MoveCursor(ctx, "main", "hq", seq-64)
				}
			}
		}()
	}
	select {}
}

func TestKilledInTheMiddleItKeepsEveryAcknowledgedRecord(t *testing.T) {
	path := newPath(t)
	rounds := 12
	if testing.Short() {
		rounds = 3
	}
	if n, err := strconv.Atoi(os.Getenv("FOYER_KILLS")); err == nil {
		rounds = n // make bench kills it a thousand times
	}
	var last uint64
	for round := range rounds {
		acked := killAfter(t, path, 1+rand.IntN(400))
		j, stop := run(t, path, Options{})
		checkAcked(t, round, j, acked, last)
		last = j.Last("main")
		stop()
		if report, err := Inspect(path); err != nil {
			t.Fatalf("round %d: %v %+v", round, err, report)
		}
	}
	t.Logf("%d kills, %d records", rounds, last)
}

type ackedRecord struct {
	seq    uint64
	writer int
	text   string
}

// killAfter runs a child on path, and kills it after so many acknowledgements.
func killAfter(t *testing.T, path string, acks int) []ackedRecord {
	c := child(t, "append", path)
	c.Stderr = os.Stderr
	pipe, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	var acked []ackedRecord
	lines := bufio.NewScanner(pipe)
	for lines.Scan() {
		var r ackedRecord
		if _, err := fmt.Sscan(lines.Text(), &r.seq, &r.writer, &r.text); err != nil {
			break // the line that the kill cut
		}
		if acked = append(acked, r); len(acked) == acks {
			if err := c.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	io.Copy(io.Discard, pipe)
	if err := c.Wait(); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Fatalf("child ended with %v after %d acknowledgements", err, len(acked))
	}
	return acked
}

// checkAcked checks that each acknowledged record is there, unless a cursor had allowed to prune it, and each writer's state with it.
func checkAcked(t *testing.T, round int, j *Journal, acked []ackedRecord, before uint64) {
	t.Helper()
	kept := map[uint64]string{}
	first := j.Last("main") + 1
	for _, r := range readAll(t, j, "main") {
		first = min(first, r.Seq)
		kept[r.Seq] = string(r.Payload)
	}
	if got := uint64(len(kept)); got != j.Last("main")+1-first {
		t.Errorf("round %d: %d records from %d to %d", round, got, first, j.Last("main"))
	}
	if first > j.Cursor("main", "hq")+1 {
		t.Errorf("round %d: pruned up to %d, the cursor is at %d", round, first-1, j.Cursor("main", "hq"))
	}
	latest := map[string]ackedRecord{}
	for _, r := range acked {
		if r.seq <= before {
			t.Errorf("round %d: sequence %d was given out a second time", round, r.seq)
		}
		if r.seq >= first && kept[r.seq] != r.text {
			t.Errorf("round %d: record %d is %q, acknowledged was %q", round, r.seq, kept[r.seq], r.text)
		}
		latest[fmt.Sprint(r.writer)] = r
	}
	state, err := j.State("last")
	if err != nil {
		t.Fatal(err)
	}
	for w, r := range latest {
		// A commit later than the last acknowledged one may have come to the disk before the kill.
		if got := string(state[w]); got != r.text && !written(kept, got, r.seq) {
			t.Errorf("round %d: state of writer %s is %q, its last acknowledged record %q", round, w, got, r.text)
		}
	}
}

func written(kept map[uint64]string, text string, after uint64) bool {
	for seq, t := range kept {
		if seq > after && t == text {
			return true
		}
	}
	return false
}

// childMeetsLimit fills the journal until the kernel refuses to let the file grow, then lifts the limit.
func childMeetsLimit(path string) error {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	j, err := Open(path, Options{})
	if err != nil {
		return err
	}
	low := limit
	low.Cur = 5 << 20
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &low); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- j.Run(ctx) }()
	payload := make([]byte, MaxPayload)
	var acked uint64
	for err = nil; err == nil; {
		var seq uint64
		if seq, err = j.Append(ctx, Entry{Lane: "main", Payload: payload}); err == nil {
			acked = seq
		}
		if acked > 200 {
			return errors.New("the limit was never met")
		}
	}
	if j.Health().Err == nil {
		return fmt.Errorf("health is good after %w", err)
	}
	if records, err := j.Read("main", acked, 0, 0); err != nil || len(records) != 1 {
		return fmt.Errorf("record %d: %d records, %w", acked, len(records), err)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	seq, err := j.Append(ctx, Entry{Lane: "main", Payload: payload})
	if err != nil || seq != acked+1 || j.Health().Err != nil {
		return fmt.Errorf("after the limit was lifted: sequence %d, %v, health %v", seq, err, j.Health().Err)
	}
	cancel()
	return errors.Join(<-ended, j.Close())
}

func TestTheDiskRefusesToGrowAndRecovers(t *testing.T) {
	path := newPath(t)
	if out, err := child(t, "limit", path).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if _, err := Inspect(path); err != nil {
		t.Error(err)
	}
}
