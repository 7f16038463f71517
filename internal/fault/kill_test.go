package fault

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"foyer/sync/journal"
	"foyer/sync/wire"
)

// kills is how often a store is killed: a few times, or FOYER_KILLS.
func kills(t *testing.T) int {
	n, err := strconv.Atoi("0" + os.Getenv("FOYER_KILLS"))
	if err != nil {
		t.Fatal(err)
	}
	if testing.Short() {
		return max(n, 2)
	}
	return max(n, 6)
}

// A store is killed without warning again and again, at random points, with four writers and the uplink at work. What was
// acknowledged to a writer is at headquarters, each record once, each lane in the order of its writing.
func TestAStoreKilledAgainAndAgain(t *testing.T) {
	if dir := os.Getenv("FOYER_VICTIM"); dir != "" {
		victim(dir, os.Getenv("FOYER_VICTIM_URL"))
	}
	each(t, func(t *testing.T, h *headquarters) {
		r := rand.New(rand.NewPCG(4, 2026))
		dir := t.TempDir()
		acked := map[string][]string{} // by writer, in the order of writing
		for range kills(t) {
			live(t, dir, h.address, acked, 20+r.IntN(400), time.Duration(r.IntN(3000))*time.Microsecond)
		}
		b := &box{t: t, dir: dir, url: "tcp://" + h.address}
		b.start()
		b.settled()
		total := arrived(t, h, b.journal.Epoch(), acked, b.journal.Last)
		t.Logf("%d kills, %d records", kills(t), total)
	})
}

// arrived checks what headquarters has of an epoch: each number that the journal gave out, and what was acknowledged to a writer once
// and in the order of its writing. Names begin with the place of the lane and the writer; acked is by these two letters.
func arrived(t *testing.T, h *headquarters, epoch string, acked map[string][]string, last func(lane string) uint64) (total int) {
	t.Helper()
	for i, lane := range wire.Lanes {
		at := h.visits(lane, epoch)
		if total += len(at); uint64(len(at)) != last(lane) {
			t.Errorf("lane %s: headquarters has %d records, the journal gave out %d numbers", lane, len(at), last(lane))
		}
		seen, place := map[string]bool{}, map[string]int{}
		for n, name := range at {
			if seen[name] {
				t.Fatalf("%s is there twice", name)
			}
			seen[name], place[name] = true, n
		}
		for writer, names := range acked {
			if !strings.HasPrefix(writer, fmt.Sprint(i)) {
				continue
			}
			for n, name := range names {
				if !seen[name] {
					t.Fatalf("%s was acknowledged to its writer and is not at headquarters", name)
				}
				if n > 0 && place[name] < place[names[n-1]] {
					t.Fatalf("%s comes before %s", name, names[n-1])
				}
			}
		}
	}
	return total
}

// live runs a store until it has said so many times that a record is durable, and a little longer.
func live(t *testing.T, dir, address string, acked map[string][]string, n int, longer time.Duration) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestAStoreKilledAgainAndAgain$")
	cmd.Env = append(os.Environ(), "FOYER_VICTIM="+dir, "FOYER_VICTIM_URL=tcp://"+address)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for i := 0; lines.Scan(); i++ {
		if i == n {
			time.AfterFunc(longer, func() { cmd.Process.Kill() })
		}
		writer, _, ok := strings.Cut(lines.Text(), "-")
		if !ok || len(writer) != 2 {
			t.Fatalf("the victim says %q", lines.Text())
		}
		acked[writer] = append(acked[writer], lines.Text())
	}
	cmd.Wait()
}

// victim writes and sends until it is killed. Each line is one record that the journal has acknowledged: lane, writer, a number.
func victim(dir, url string) {
	j, up, l := open(&testing.B{}, dir, url, 0)
	ctx := context.Background()
	go j.Run(ctx)
	go up.Run(ctx)
	go l.Run(ctx)
	var mu sync.Mutex
	for w := range 4 {
		go func() {
			for n := time.Now().UnixNano(); ; n++ {
				lane := int(n) % len(wire.Lanes)
				name := fmt.Sprintf("%d%d-%d", lane, w, n)
				payload, err := wire.EncodeRecord(wire.NewRecord(wire.VisitStarted, time.Now(), wire.Visit{Visit: name, Member: "m-1", Nth: 1}))
				if err == nil {
					_, err = j.Append(ctx, journal.Entry{Lane: wire.Lanes[lane], Payload: payload})
				}
				if err != nil {
					os.Stderr.WriteString(err.Error() + "\n")
					os.Exit(3)
				}
				mu.Lock()
				os.Stdout.WriteString(name + "\n")
				mu.Unlock()
			}
		}()
	}
	select {}
}
