package store

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"foyer/hq/store/storetest"
	"foyer/shop/member"
	"foyer/sync/wire"
)

// Killed without warning in the middle of batches, it holds every batch it acknowledged, whole, and never half of one.
func TestKilledInTheMiddle(t *testing.T) {
	if path := os.Getenv("FOYER_STORE_VICTIM"); path != "" {
		victim(path)
	}
	path := storetest.New(t)
	acked := uint64(0)
	for round := range 3 {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKilledInTheMiddle$")
		cmd.Env = append(os.Environ(), "FOYER_STORE_VICTIM="+path)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for n := 0; n < 40+13*round && lines.Scan(); n++ {
			if acked, err = strconv.ParseUint(lines.Text(), 10, 64); err != nil {
				t.Fatalf("the victim says %q", lines.Text())
			}
		}
		cmd.Process.Kill()
		cmd.Wait()
		d := reopen(t, path)
		upto, err := d.Watermark(t.Context(), "a", "e", "main")
		if err != nil || upto < acked {
			t.Fatalf("watermark %d, %v: want at least the acknowledged %d", upto, err, acked)
		}
		if n, err := d.RecordCount(t.Context(), "a"); err != nil || uint64(n) != upto {
			t.Fatalf("%d records, %v: want as many as the watermark, %d", n, err, upto)
		}
		var visits uint64
		if err := d.reader.QueryRowContext(t.Context(), "SELECT count(*) FROM visit").Scan(&visits); err != nil || visits != upto {
			t.Fatalf("%d visits, %v: want %d", visits, err, upto)
		}
		d.Close()
	}
}

// victim ingests from where it is and says each watermark it was given, until it is killed.
func victim(path string) {
	d, err := Open(path)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	ctx := context.Background()
	d.AddShop(ctx, Shop{ID: "a"}, noon)
	upto, _ := d.Watermark(ctx, "a", "e", "main")
	for {
		s, err := d.Ingest(ctx, batch("a", "e", upto+1, 7))
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		upto = s.Upto
		fmt.Println(upto)
	}
}

// Whatever bytes a batch's records are, they are stored, every one.
func FuzzIngest(f *testing.F) {
	d := withShops(f, "a")
	f.Add([]byte(`{"k":"visit.started","at":"2026-09-30T12:00:00Z","b":{"visit":"v","member":"m","nth":3}}`))
	f.Add([]byte(`{"k":"snapshot.refused","at":"0000-01-01T00:00:00Z","b":{"snapshot":"members","version":18446744073709551615}}`))
	f.Add([]byte(`{"k":"tag.changed","at":"2026-09-30T12:00:00Z","b":{"kind":"bound","member":"m","by":"Li","marks":[{"tag":"01000000000000000000000000000000","state":"blocked","of":"02000000000000000000000000000000"}]}}`))
	f.Add([]byte(`{"k":"tag.blocked.seen","at":"2026-09-30T12:00:00Z","b":{"member":"m","zone":"\u0000"}}`))
	f.Add([]byte("\xff\x00"))
	if err := d.PutMembers(f.Context(), 0, []Person{{Member: member.Member{ID: "m", Consents: []member.Purpose{member.Recognise}}}}, noon); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		upto, err := d.Watermark(t.Context(), "a", "e", "main")
		if err != nil {
			t.Fatal(err)
		}
		in := wire.Batch{Epoch: "e", Lane: "main", First: upto + 1, SentAt: noon, Records: []json.RawMessage{raw}}
		s, err := d.Ingest(t.Context(), NewBatch("a", in, noon))
		if err != nil || s.New != 1 || s.Upto != upto+1 {
			t.Fatalf("%+v, %v: want one new row at %d", s, err, upto+1)
		}
		if _, err := d.Records(t.Context(), "a", "", s.Upto, 1); err != nil {
			t.Fatal(err)
		}
		if _, err := d.Answers(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := d.CardEvents(t.Context(), "m", 10); err != nil {
			t.Fatal(err)
		}
		all, _, err := d.Roster(t.Context())
		if err == nil {
			err = member.Check(all)
		}
		if err != nil {
			t.Fatalf("a store's record breaks the members' snapshot: %v", err)
		}
	})
}

func BenchmarkIngest(b *testing.B) {
	for _, size := range []int{1, 50, 200} {
		b.Run(fmt.Sprintf("records=%d", size), func(b *testing.B) {
			d := withShops(b, "a")
			next := uint64(1)
			for b.Loop() {
				if _, err := d.Ingest(b.Context(), batch("a", "e", next, size)); err != nil {
					b.Fatal(err)
				}
				next += uint64(size)
			}
			b.ReportMetric(float64(next-1)/b.Elapsed().Seconds(), "records/s")
		})
	}
}
