package journal

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	_ "modernc.org/sqlite" // the peer
)

// BenchmarkAppend measures durable appends of 256 bytes, each writer waiting for its own. Beside it, in the same run and folder,
// goes the least that a disk must do for one: overwrite 256 bytes and fdatasync. ratio-to-raw is appends a second
// over raw writes a second.
func BenchmarkAppend(b *testing.B) {
	for _, writers := range []int{1, 16, 64, 1024} {
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

// BenchmarkSQLite is the peer: the same records into SQLite with a write-ahead log and FULL syncing, one transaction each, or in
// groups as the journal makes them.
func BenchmarkSQLite(b *testing.B) {
	for _, group := range []bool{false, true} {
		for _, writers := range []int{1, 16, 64, 1024} {
			b.Run(fmt.Sprintf("group=%v/writers=%d", group, writers), func(b *testing.B) {
				raw := rawLoop(b, 500)
				db, err := sql.Open("sqlite", "file:"+filepath.Join(b.TempDir(), "peer.db")+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)")
				if err != nil {
					b.Fatal(err)
				}
				defer db.Close()
				db.SetMaxOpenConns(1)
				if _, err := db.Exec("CREATE TABLE log(seq INTEGER PRIMARY KEY, payload BLOB)"); err != nil {
					b.Fatal(err)
				}
				queue := make(chan chan error, queueLength)
				go peerCommits(db, queue, group)
				took := make([]time.Duration, b.N)
				b.ResetTimer()
				peerWriters(b, queue, writers, took)
				b.StopTimer()
				close(queue)
				report(b, took, slices.Concat(raw, rawLoop(b, 500)))
			})
		}
	}
}

func peerCommits(db *sql.DB, queue chan chan error, group bool) {
	payload := make([]byte, 256)
	for first := range queue {
		waiting := []chan error{first}
		for group && len(waiting) < queueLength && len(queue) > 0 {
			waiting = append(waiting, <-queue)
		}
		tx, err := db.Begin()
		for range waiting {
			if err == nil {
				_, err = tx.Exec("INSERT INTO log(payload) VALUES (?)", payload)
			}
		}
		if err == nil {
			err = tx.Commit()
		}
		for _, done := range waiting {
			done <- err
		}
	}
}

func peerWriters(b *testing.B, queue chan chan error, writers int, took []time.Duration) {
	var next atomic.Int64
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			done := make(chan error, 1)
			for i := next.Add(1); i <= int64(len(took)); i = next.Add(1) {
				start := time.Now()
				queue <- done
				if err := <-done; err != nil {
					b.Error(err)
				}
				took[i-1] = time.Since(start)
			}
		})
	}
	wg.Wait()
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
