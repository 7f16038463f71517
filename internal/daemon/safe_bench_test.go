package daemon

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync/atomic"
	"testing"

	"foyer/shop"
	"foyer/shop/member"
	"foyer/sync/journal"
)

// Appends of 64 writers, with what is of a person in clear and sealed. Each of a hundred members has a key already.
func BenchmarkAppendOfPersons(b *testing.B) {
	for _, how := range []string{"clear", "sealed"} {
		b.Run(how, func(b *testing.B) {
			j, err := journal.Open(filepath.Join(b.TempDir(), "journal.db"), journal.Options{})
			if err != nil {
				b.Fatal(err)
			}
			ctx, stop := context.WithCancel(context.Background())
			ended := make(chan error)
			go func() { ended <- j.Run(ctx) }()
			c := &Config{Data: b.TempDir()}
			v, err := c.openVault(slog.New(slog.DiscardHandler))
			if err != nil {
				b.Fatal(err)
			}
			s, err := newSafe(v, j, slog.New(slog.DiscardHandler))
			if err != nil {
				b.Fatal(err)
			}
			entry := s.entry
			if how == "clear" {
				entry = entryOf
			}
			var people []string
			for i := range 100 {
				people = append(people, fmt.Sprintf("m-%016x", i))
			}
			if err := v.Admit(people); err != nil {
				b.Fatal(err)
			}
			var n atomic.Int64
			b.SetParallelism(32)
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					who := member.ID(people[n.Add(1)%100])
					e, err := entry(shop.Fact{At: tenOClock, Body: shop.VisitStarted{Visit: "ABCDEFGHIJKLMNOPQRSTUVWXYZ", Member: who, Zone: "door", Nth: 3}, Of: who})
					if err == nil {
						_, err = j.Append(b.Context(), e)
					}
					if err != nil {
						b.Error(err)
					}
				}
			})
			b.StopTimer()
			stop()
			<-ended
			j.Close()
			v.Close()
		})
	}
}
