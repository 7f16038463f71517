package journal

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// BenchmarkAppend measures durable appends of 256 bytes, each writer waiting for its own, beside its peers in the same folder.
// All take turns, a short round each, so that whatever else the machine does falls on all alike. raw is the least that a disk must
// do for one: overwrite 256 bytes and fdatasync. For each, /raw is its appends a second over raw writes a second, both the
// median of their rounds; p99 is over all rounds.
func BenchmarkAppend(b *testing.B) {
	for _, writers := range []int{1, 16, 64, 1024} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			j, _ := run(b, newPath(b), Options{})
			payload := make([]byte, 256)
			raw := &entrant{name: "raw", writers: 1, each: 100, append: rawFile(b, payload)}
			all := []*entrant{
				raw,
				{name: "journal", writers: writers, each: max(4, 100/writers), append: func() error {
					_, err := j.Append(context.Background(), Entry{Lane: "main", Payload: payload})
					return err
				}},
				{name: "sqlite-group", writers: writers, each: max(4, 100/writers), append: sqlite(b, payload, true)},
				{name: "sqlite", writers: min(writers, 64), each: max(2, 100/writers), append: sqlite(b, payload, false)},
				{name: "filestore", writers: min(writers, 64), each: max(1, 32/writers), append: fileStore(b, payload)},
			}
			for b.Loop() {
				for _, e := range all {
					e.round(b)
				}
			}
			b.ReportMetric(0, "ns/op") // a round of all says nothing
			for _, e := range all {
				e.report(b, raw)
			}
		})
	}
}

// BenchmarkAppendAfterDrain is one writer's appends before a backlog of 500,000 and after headquarters has taken it: a file full
// of free pages must not be slower.
func BenchmarkAppendAfterDrain(b *testing.B) {
	j, _ := run(b, newPath(b), Options{})
	one := func() (ratio float64) { // to the raw loop around it: the machine is shared
		var took, raw time.Duration
		for range 20 {
			for _, d := range rawLoop(b, 50) {
				raw += d
			}
			start := time.Now()
			appendFrom(b, j, 1, make([]time.Duration, 50))
			took += time.Since(start)
		}
		return float64(raw) / float64(took)
	}
	for b.Loop() {
		before := one()
		backlog(b, j, 500_000)
		for j.Health().Used > 16<<20 {
			appendFrom(b, j, 1, make([]time.Duration, 100))
		}
		after := one()
		b.ReportMetric(before, "before-to-raw")
		b.ReportMetric(after, "after-to-raw")
		b.ReportMetric(after/before, "after-to-before")
	}
}

// BenchmarkBytesOnDisk is what a record of 256 bytes takes of the file, headers and free pages included, written one by one
// and by 64 writers.
func BenchmarkBytesOnDisk(b *testing.B) {
	for _, writers := range []int{1, 64} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			for b.Loop() {
				j, stop := run(b, newPath(b), Options{})
				appendFrom(b, j, writers, make([]time.Duration, 20_000))
				b.ReportMetric(float64(j.Health().Used)/20_000, "B/record")
				stop()
			}
		})
	}
}

func appendFrom(b *testing.B, j *Journal, writers int, took []time.Duration) {
	var next atomic.Int64
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			payload := make([]byte, 256)
			for i := next.Add(1); i <= int64(len(took)); i = next.Add(1) {
				start := time.Now()
				if _, err := j.Append(context.Background(), Entry{Lane: "main", Payload: payload}); err != nil {
					b.Error(err)
				}
				took[i-1] = time.Since(start)
			}
		})
	}
	wg.Wait()
}

func rawLoop(b *testing.B, n int) []time.Duration {
	f, err := os.Create(filepath.Join(b.TempDir(), "raw"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	payload := make([]byte, 256)
	if _, err := f.Write(make([]byte, n*len(payload))); err != nil {
		b.Fatal(err)
	}
	took := make([]time.Duration, n)
	for i := range took {
		start := time.Now()
		_, err := f.WriteAt(payload, int64(i*len(payload)))
		if err == nil {
			err = syscall.Fdatasync(int(f.Fd()))
		}
		if err != nil {
			b.Fatal(err)
		}
		took[i] = time.Since(start)
	}
	return took
}
