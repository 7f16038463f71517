package fault

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"foyer/sync/journal"
	"foyer/sync/wire"
)

// writeAndSend is a store: four writers, each of which tells what was acknowledged ("A name") and what was refused ("E why"), and
// the uplink; now and then how the journal says it is ("H why").
func writeAndSend(dir, url string) {
	j, up, l := open(&testing.B{}, dir, url, 0)
	ctx := context.Background()
	go j.Run(ctx)
	go l.Run(ctx)
	var out sync.Mutex
	say := func(what string, about any) {
		out.Lock()
		fmt.Println(what, strings.ReplaceAll(fmt.Sprint(about), "\n", " "))
		out.Unlock()
	}
	go func() { say("ENDED", up.Run(ctx)) }()
	for w := range 4 {
		go func() {
			for n := 0; ; n++ {
				lane := (n + w) % len(wire.Lanes)
				name := fmt.Sprintf("%d%d-%d", lane, w, n)
				payload, err := wire.EncodeRecord(wire.NewRecord(wire.VisitStarted, time.Now(), wire.Visit{Visit: name, Member: "m-1", Nth: 1}))
				if err == nil {
					_, err = j.Append(ctx, journal.Entry{Lane: wire.Lanes[lane], Payload: payload})
				}
				if err == nil {
					say("A", name)
				} else {
					say("E", err)
					say("H", j.Health().Err)
				}
				time.Sleep(time.Millisecond) // no test waits for it: it keeps a refusing disk from drowning us in words
			}
		}()
	}
	select {}
}

// sick is a store whose disk is being broken.
type sick struct {
	t     *testing.T
	disk  *disk
	lines chan string
	acked map[string][]string
	seen  []string
}

// until takes lines until one begins so and contains that.
func (s *sick) until(kind, contains string) {
	s.t.Helper()
	for end := time.After(generous); ; {
		select {
		case line, ok := <-s.lines:
			if !ok || strings.HasPrefix(line, "ENDED") {
				s.t.Fatalf("the store ended while we waited for %s %q: %q", kind, contains, s.seen)
			}
			what, about, _ := strings.Cut(line, " ")
			if what == "A" {
				s.acked[about[:2]] = append(s.acked[about[:2]], about)
			} else if s.seen = append(s.seen, line); len(s.seen) > 20 {
				s.seen = s.seen[1:]
			}
			if what == kind && strings.Contains(about, contains) {
				return
			}
		case <-end:
			s.t.Fatalf("waited in vain for %s %q: %q", kind, contains, s.seen)
		}
	}
}

func (s *sick) has(set func(*disk)) {
	s.disk.mu.Lock()
	defer s.disk.mu.Unlock()
	s.disk.slow, s.disk.bad, s.disk.refuse = 0, 0, 0
	set(s.disk)
}

// A store's disk is slow, fails at each sync, is full, is read-only, each in turn and healed in between, with writers and the
// uplink at work. The store lives on without a restart, says what is wrong while it is, and headquarters has in the end what was
// acknowledged, once, in order.
func TestADiskThatIsSlowFailsAndHeals(t *testing.T) {
	h := alone(t)
	s := &sick{t: t, disk: &disk{}, lines: make(chan string, 100_000), acked: map[string][]string{}}
	dir, unmount := mount(t, s.disk, nil)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "FAULT_CHILD=store", "FAULT_DIR="+dir, "FAULT_URL=tcp://"+h.address)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill() })
	go func() {
		for lines := bufio.NewScanner(out); lines.Scan(); {
			s.lines <- lines.Text()
		}
		close(s.lines)
	}()
	for _, fault := range []struct {
		name string
		set  func(*disk)
		says string // by the journal's health; empty: it works
	}{
		{"every sync takes 400 ms", func(d *disk) { d.slow = 400 * time.Millisecond }, ""},
		{"every sync fails", func(d *disk) { d.bad = syscall.EIO }, "input/output error"},
		{"full", func(d *disk) { d.refuse = syscall.ENOSPC }, journal.ErrNoSpace.Error()},
		{"read-only", func(d *disk) { d.refuse = syscall.EROFS }, journal.ErrReadOnly.Error()},
		{"every write fails", func(d *disk) { d.refuse = syscall.EIO }, "input/output error"},
	} {
		s.has(func(*disk) {})
		for range 60 {
			s.until("A", "")
		}
		s.has(fault.set)
		if fault.says == "" {
			for range 12 {
				s.until("A", "")
			}
			continue
		}
		for range 5 {
			s.until("H", fault.says)
		}
		before := len(s.acked["00"])
		s.has(func(*disk) {})
		for len(s.acked["00"]) < before+5 {
			s.until("A", "")
		}
		t.Logf("%s: the store said %q, and went on when it was over", fault.name, fault.says)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Error(err)
	}
	for line := range s.lines {
		if what, about, _ := strings.Cut(line, " "); what == "A" {
			s.acked[about[:2]] = append(s.acked[about[:2]], about)
		}
	}
	cmd.Wait() // killed
	left := s.disk.remains()
	unmount()
	b := &box{t: t, dir: lay(t, left), url: "tcp://" + h.address}
	b.start()
	b.settled()
	total := arrived(t, h, b.journal.Epoch(), s.acked, b.journal.Last)
	t.Logf("%d records at headquarters", total)
}
