package journal

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/eclipse/paho.mqtt.golang/packets"
	_ "modernc.org/sqlite" // a peer
)

// entrant is one who takes turns in a benchmark.
type entrant struct {
	name    string
	writers int
	each    int // appends a writer in a round
	append  func() error

	took  []time.Duration
	rates []float64 // appends a second, by round
}

func (e *entrant) round(b *testing.B) {
	took := make([]time.Duration, e.writers*e.each)
	var all sync.WaitGroup
	start := time.Now()
	for w := range e.writers {
		all.Go(func() {
			for i := range e.each {
				began := time.Now()
				if err := e.append(); err != nil {
					b.Error(e.name, err)
				}
				took[w*e.each+i] = time.Since(began)
			}
		})
	}
	all.Wait()
	e.rates = append(e.rates, float64(len(took))/time.Since(start).Seconds())
	e.took = append(e.took, took...)
}

func (e *entrant) report(b *testing.B, raw *entrant) {
	slices.Sort(e.took)
	b.ReportMetric(median(e.rates), e.name+"/s")
	b.ReportMetric(float64(e.took[len(e.took)*99/100].Microseconds()), e.name+"-p99-us")
	if e != raw {
		b.ReportMetric(median(e.rates)/median(raw.rates), e.name+"/raw")
	}
}

func median(of []float64) float64 {
	slices.Sort(of)
	return of[len(of)/2]
}

// rawFile overwrites one place after the other of a small file.
func rawFile(b *testing.B, payload []byte) func() error {
	const places = 4000
	f, err := os.Create(filepath.Join(b.TempDir(), "raw"))
	if err == nil {
		_, err = f.Write(make([]byte, places*len(payload)))
	}
	if err = errors.Join(err, f.Sync()); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { f.Close() })
	i := 0
	return func() error {
		i = (i + 1) % places
		_, err := f.WriteAt(payload, int64(i*len(payload)))
		return errors.Join(err, syscall.Fdatasync(int(f.Fd())))
	}
}

// sqlite is SQLite with a write-ahead log and FULL syncing: a transaction a record, or groups as the journal makes them.
func sqlite(b *testing.B, payload []byte, group bool) func() error {
	db, err := sql.Open("sqlite", "file:"+filepath.Join(b.TempDir(), "peer.db")+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)")
	if err == nil {
		db.SetMaxOpenConns(1)
		_, err = db.Exec("CREATE TABLE log(seq INTEGER PRIMARY KEY, payload BLOB)")
	}
	if err != nil {
		b.Fatal(err)
	}
	queue := make(chan chan error, queueLength)
	var committer sync.WaitGroup
	committer.Go(func() { sqliteCommits(db, queue, payload, group) })
	b.Cleanup(func() {
		close(queue)
		committer.Wait()
		db.Close()
	})
	return func() error {
		done := make(chan error, 1)
		queue <- done
		return <-done
	}
}

func sqliteCommits(db *sql.DB, queue chan chan error, payload []byte, group bool) {
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

// fileStore is what the MQTT library offers for the same purpose, with the two syncs that it leaves out.
func fileStore(b *testing.B, payload []byte) func() error {
	dir := b.TempDir()
	store := mqtt.NewFileStore(dir)
	store.Open()
	b.Cleanup(store.Close)
	var next atomic.Int64
	return func() error {
		key := fmt.Sprint("o.", next.Add(1))
		p := packets.NewControlPacket(packets.Publish).(*packets.PublishPacket)
		p.TopicName, p.Qos, p.Payload = "up", 1, payload
		store.Put(key, p)
		f, err := os.Open(filepath.Join(dir, key+".msg"))
		if err != nil {
			return err
		}
		return errors.Join(f.Sync(), f.Close(), syncFolder(dir))
	}
}
