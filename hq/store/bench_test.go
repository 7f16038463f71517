package store

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"foyer/hq/store/storetest"
)

// BenchmarkDurable stores batches of visits, each durable before the next of its store is sent: the rows, what they say of visits and
// the watermark. stores is how many send at the same time. Beside it what PostgreSQL itself can take: the rows alone, with the
// same syncing, by unnest and by COPY.
func BenchmarkDurable(b *testing.B) {
	shared := storetest.Durable(b)
	file := filepath.Join(b.TempDir(), "hq.db")
	for _, at := range []struct{ name, where string }{{"sqlite", file}, {"postgres", shared}} {
		d := reopen(b, at.where)
		for _, size := range []int{250, 1000} {
			for _, stores := range []int{1, 4} {
				b.Run(fmt.Sprintf("%s/batch=%d/stores=%d", at.name, size, stores), func(b *testing.B) { durable(b, d, size, stores) })
			}
		}
	}
	for _, way := range []struct {
		name string
		put  func(context.Context, pgx.Tx, rawRows) error
	}{{"raw-unnest", putUnnest}, {"raw-copy", putCopy}} {
		for _, size := range []int{250, 1000} {
			for _, conns := range []int{1, 4} {
				b.Run(fmt.Sprintf("%s/batch=%d/conns=%d", way.name, size, conns), func(b *testing.B) { raw(b, shared, size, conns, way.put) })
			}
		}
	}
}

var benched atomic.Int64 // each run has stores of its own

func durable(b *testing.B, d *DB, size, stores int) {
	ids := make([]string, stores)
	for i := range ids {
		ids[i] = fmt.Sprint("b", benched.Add(1))
		if _, err := d.AddShop(b.Context(), Shop{ID: ids[i]}, noon); err != nil {
			b.Fatal(err)
		}
	}
	inTurn(b, stores, size, func(who, n int) error {
		_, err := d.Ingest(b.Context(), batch(ids[who], "e", uint64(n*size)+1, size))
		return err
	})
}

// inTurn gives b.N batches to some senders, each of which sends one after the other.
func inTurn(b *testing.B, senders, size int, send func(who, n int) error) {
	b.ResetTimer()
	var left atomic.Int64
	left.Store(int64(b.N))
	var all sync.WaitGroup
	for who := range senders {
		all.Go(func() {
			for n := 0; left.Add(-1) >= 0; n++ {
				if err := send(who, n); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	b.ReportMetric(float64(b.N*size)/b.Elapsed().Seconds(), "events/s")
}

// rawRows are the columns of records.
type rawRows struct {
	lane   string
	seqs   []int64
	bodies [][]byte
}

func raw(b *testing.B, url string, size, conns int, put func(context.Context, pgx.Tx, rawRows) error) {
	ctx := b.Context()
	lines := make([]*pgx.Conn, conns)
	for i := range lines {
		var err error
		if lines[i], err = pgx.Connect(ctx, url); err != nil {
			b.Fatal(err)
		}
		defer lines[i].Close(ctx)
	}
	_, err := lines[0].Exec(ctx, "DROP TABLE IF EXISTS raw; CREATE TABLE raw (lane TEXT, seq BIGINT, kind TEXT, at BIGINT, body BYTEA, PRIMARY KEY (lane, seq))")
	if err != nil {
		b.Fatal(err)
	}
	bodies := make([][]byte, size)
	for i, r := range batch("x", "e", 1, size).Records {
		bodies[i] = r.Body
	}
	inTurn(b, conns, size, func(who, n int) error {
		rows := rawRows{lane: fmt.Sprint(who), bodies: bodies}
		for i := range size {
			rows.seqs = append(rows.seqs, int64(n*size+i))
		}
		return pgx.BeginFunc(ctx, lines[who], func(t pgx.Tx) error { return put(ctx, t, rows) })
	})
}

func putUnnest(ctx context.Context, t pgx.Tx, r rawRows) error {
	_, err := t.Exec(ctx, `INSERT INTO raw SELECT $1, u.seq, 'visit.started', 0, u.body FROM unnest($2::BIGINT[], $3::BYTEA[]) AS u(seq, body)
		ON CONFLICT DO NOTHING`, r.lane, r.seqs, r.bodies)
	return err
}

func putCopy(ctx context.Context, t pgx.Tx, r rawRows) error {
	_, err := t.CopyFrom(ctx, pgx.Identifier{"raw"}, []string{"lane", "seq", "kind", "at", "body"},
		pgx.CopyFromSlice(len(r.seqs), func(i int) ([]any, error) {
			return []any{r.lane, r.seqs[i], "visit.started", int64(0), r.bodies[i]}, nil
		}))
	return err
}
