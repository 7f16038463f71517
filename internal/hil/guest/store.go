//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"foyer/sync/journal"
	"foyer/sync/line"
	"foyer/sync/uplink"
	"foyer/sync/wire"
)

// journalBytes of a journal that is pruned and used again all the time.
const journalBytes = 8 << 20

// store is a store's memory and its line to headquarters: four writers, each acknowledged record a line "A name ." on the
// console. It goes on for ever, or until each writer has written so many and headquarters has them.
func store(s settings) error {
	j, err := journal.Open(filepath.Join(s.folder, "journal.db"), journal.Options{MaxBytes: journalBytes})
	if err != nil {
		return err
	}
	fmt.Println("OPEN", j.Epoch())
	place := wire.Place{Chain: s.chain, Store: s.store}
	l := line.New(line.Config{URL: s.broker, ClientID: "foyerd-" + s.store, Username: s.store, Password: "secret", RetryMin: 50 * time.Millisecond})
	up := uplink.New(uplink.Config{Place: place, Journal: j, Pipe: l, Version: "1.0"})
	ctx, cancel := context.WithCancel(context.Background())
	var journals, lines, writers sync.WaitGroup
	base, end := context.WithCancel(context.Background())
	journals.Go(func() { err = errors.Join(err, j.Run(base)) })
	lines.Go(func() { l.Run(ctx) })
	lines.Go(func() { up.Run(ctx) })
	var console sync.Mutex
	for w := range 4 {
		writers.Go(func() { write(j, s, w, &console) })
	}
	writers.Wait()
	for st := up.Status(); st.Acked < st.Last; st = up.Status() {
		time.Sleep(100 * time.Millisecond)
	}
	st := up.Status()
	fmt.Printf("RESULT store acked=%d last=%d skew=%v measured=%v why=%q\n", st.Acked, st.Last, st.Skew.Round(time.Minute), st.Measured, st.Why)
	cancel()
	lines.Wait()
	end()
	journals.Wait()
	return errors.Join(err, j.Close())
}

// write appends visits, in all lanes by turns. Their names tell lane, writer and a number that only grows.
func write(j *journal.Journal, s settings, writer int, console *sync.Mutex) {
	for i := 0; i < s.cards || s.cards == 0; i++ {
		lane := (i + writer) % len(wire.Lanes)
		name := fmt.Sprintf("%d%d-%d", lane, writer, int(s.seed)*1_000_000+i)
		payload, err := wire.EncodeRecord(wire.NewRecord(wire.VisitStarted, time.Now(), wire.Visit{Visit: name, Member: "m-1", Nth: 1}))
		if err == nil {
			_, err = j.Append(context.Background(), journal.Entry{Lane: wire.Lanes[lane], Payload: payload})
		}
		console.Lock()
		if err != nil {
			fmt.Println("ERROR", err)
		} else {
			fmt.Println("A", name, ".")
		}
		console.Unlock()
		time.Sleep(s.pause)
	}
}
