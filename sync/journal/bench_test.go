package journal

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// BenchmarkAppend measures durable appends of 256 bytes, each writer waiting for its own. Beside it, in the same run and folder,
// goes the least that a disk must do for one: overwrite 256 bytes and fdatasync. ratio-to-raw is appends a second
// over raw writes a second.
func BenchmarkAppend(b *testing.B) {
	for _, writers := range []int{1, 16, 64} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			raw := rawLoop(b, 500)
			j, _ := run(b, newPath(b), Options{})
			took := make([]time.Duration, b.N)
			b.ResetTimer()
			appendFrom(b, j, writers, took)
			b.StopTimer()
			raw = slices.Concat(raw, rawLoop(b, 500)) // before and after: the machine is shared
			report(b, took, raw)
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

func report(b *testing.B, took, raw []time.Duration) {
	var sum time.Duration
	for _, d := range raw {
		sum += d
	}
	rawPerSecond := float64(len(raw)) / sum.Seconds()
	perSecond := float64(b.N) / b.Elapsed().Seconds()
	slices.Sort(took)
	slices.Sort(raw)
	b.ReportMetric(perSecond, "appends/s")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-us")
	b.ReportMetric(rawPerSecond, "raw/s")
	b.ReportMetric(float64(raw[len(raw)*99/100].Microseconds()), "raw-p99-us")
	b.ReportMetric(perSecond/rawPerSecond, "ratio-to-raw")
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
