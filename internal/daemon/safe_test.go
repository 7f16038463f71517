package daemon

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"foyer/reader/tag"
	"foyer/shop"
	"foyer/shop/binding"
	"foyer/shop/member"
	"foyer/shop/visit"
	"foyer/sync/journal"
	"foyer/sync/uplink"
	"foyer/sync/vault"
	"foyer/sync/wire"
)

var tenOClock = time.Date(2026, 6, 14, 10, 0, 0, 0, time.UTC)

// running is a safe over a journal that runs, in a folder of its own.
func running(t *testing.T) (s *safe, dir string) {
	t.Helper()
	dir = t.TempDir()
	j, err := journal.Open(filepath.Join(dir, "journal.db"), journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- j.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		<-ended
		j.Close()
	})
	c := &Config{Data: dir}
	v, err := c.openVault(slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { v.Close() })
	if s, err = newSafe(v, j, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	return s, dir
}

func shreds(t *testing.T, s *safe) *shredder {
	t.Helper()
	d, err := newShredder(s, &crowd{}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func (s *safe) keep(t *testing.T, f shop.Fact) {
	t.Helper()
	e, err := s.entry(f)
	if err == nil {
		_, err = s.journal.Append(t.Context(), e)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// inClear lists which of the words stand in a file of the folder.
func inClear(t *testing.T, dir string, words ...string) (found []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		for _, word := range words {
			if bytes.Contains(data, []byte(word)) {
				found = append(found, filepath.Base(path)+": "+word)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// What is written of a person stands nowhere in clear, and comes back.
func TestNothingOfAPersonIsKeptInClear(t *testing.T) {
	s, dir := running(t)
	card := tag.ID{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}
	history := visit.History{Member: "m-unmistakable", Count: 2, FirstAt: tenOClock}
	s.keep(t, shop.Fact{At: tenOClock, Body: shop.VisitStarted{Visit: "visit-unmistakable", Member: "m-unmistakable", Zone: "door", Nth: 2}, State: &history, Of: "m-unmistakable"})
	s.keep(t, shop.Fact{At: tenOClock, Body: shop.KioskUsed{Visit: "visit-unmistakable", Language: "en"}, Of: "m-unmistakable"})
	mark := binding.Mark{Tag: card, Member: "m-unmistakable", State: binding.IsBound, At: tenOClock, Over: "m-other"}
	s.keep(t, shop.Fact{At: tenOClock, Body: shop.TagChanged{Change: binding.Change{Kind: binding.Bound, Member: "m-unmistakable", Marks: []binding.Mark{mark}}}, Of: "m-unmistakable"})
	if found := inClear(t, dir, "unmistakable", "m-other", hex.EncodeToString(card[:]), string(card[:])); len(found) > 0 {
		t.Errorf("in clear: %q", found)
	}
	past, err := s.histories()
	if err != nil || len(past) != 1 || past[0].Count != 2 {
		t.Errorf("histories %+v, %v", past, err)
	}
	marks, err := s.marks()
	if err != nil || len(marks) != 1 || marks[0] != mark {
		t.Errorf("marks %+v, %v", marks, err)
	}
	records, err := s.journal.Read(wire.MainLane, 1, 0, 0)
	if err != nil || len(records) != 1 || !strings.Contains(string(s.open(records[0].Payload)), `"member":"m-unmistakable"`) {
		t.Errorf("records %v, %v", records, err)
	}
	if _, err := s.vault.Erase(func(who string) bool { return who == "m-unmistakable" }); err != nil {
		t.Fatal(err)
	}
	if got := string(s.open(records[0].Payload)); !strings.Contains(got, `{"why":"erased"}`) || strings.Contains(got, "unmistakable") {
		t.Errorf("after the erasure the record goes up as %s", got)
	}
	if err := s.sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, bucket := range []string{historyBucket, markBucket} {
		if left, err := s.journal.State(bucket); err != nil || len(left) != 0 {
			t.Errorf("%s: %d are left, %v", bucket, len(left), err)
		}
	}
}

// Who was erased gets no new key, whatever is still told of them.
func TestWhoWasErasedStaysErased(t *testing.T) {
	s, _ := running(t)
	s.bar(func(who string) bool { return who == "m-gone" })
	_, err := s.entry(shop.Fact{At: tenOClock, Body: shop.VisitEnded{Visit: "v", Member: "m-gone"}, Of: "m-gone"})
	if err != errBarred || s.vault.Has("m-gone") {
		t.Errorf("a fact of somebody who was erased: %v", err)
	}
	s.keep(t, shop.Fact{At: tenOClock, Body: shop.VisitEnded{Visit: "v", Member: "m-here"}, Of: "m-here"})
}

// Who is no member any more keeps a key until their last record has left the journal; who comes back keeps it.
func TestRetiredMembersLoseTheirKey(t *testing.T) {
	s, _ := running(t)
	work := shreds(t, s)
	for _, who := range []member.ID{"m-1", "m-2"} {
		s.keep(t, shop.Fact{At: tenOClock, Body: shop.VisitStarted{Visit: "v", Member: who}, State: &visit.History{Member: who, Count: 1}, Of: who})
	}
	s.keep(t, shop.Fact{At: tenOClock, Body: shop.MembersForgotten{Members: []member.ID{"m-1", "m-2"}}})
	again := func() {
		t.Helper()
		if err := work.work(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	again()
	again()
	if s.vault.Len() < 2 {
		t.Fatal("a key is gone while headquarters does not have the records")
	}
	var err error
	if s, err = newSafe(s.vault, s.journal, s.log); err != nil { // a restart
		t.Fatal(err)
	}
	work.safe = s
	s.keep(t, shop.Fact{At: tenOClock, State: &visit.History{Member: "m-2", Count: 1}, Of: "m-2"})
	if err := s.journal.MoveCursor(t.Context(), wire.MainLane, uplink.KeptCursor, 2); err != nil {
		t.Fatal(err)
	}
	again()
	if s.vault.Has("m-1") || !s.vault.Has("m-2") {
		t.Errorf("m-1 has a key: %v, m-2 has one: %v", s.vault.Has("m-1"), s.vault.Has("m-2"))
	}
	if left, err := s.journal.State(retiredBucket); err != nil || len(left) != 0 || s.vault.Due() {
		t.Errorf("%d are retired, %v, due %v", len(left), err, s.vault.Due())
	}
}

// What was kept in clear before there was a vault is sealed at the first start, records and freed pages included.
func TestAnOldJournalIsSealed(t *testing.T) {
	s, dir := running(t)
	card := tag.ID{9: 9, 15: 1}
	puts := []journal.Put{}
	put := func(bucket, key string, value any) {
		data, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		puts = append(puts, journal.Put{Bucket: bucket, Key: key, Value: data})
	}
	put(historyBucket, "m-unmistakable", visit.History{Member: "m-unmistakable", Count: 4, Open: &visit.Open{Visit: "v-open"}})
	put(markBucket, hex.EncodeToString(card[:]), binding.Mark{Tag: card, Member: "m-unmistakable", State: binding.IsBlocked})
	puts = append(puts, journal.Put{Bucket: presenceBucket, Key: presenceKey, Value: []byte("presence-unmistakable")})
	record := func(kind wire.Kind, body any) {
		payload, err := wire.EncodeRecord(wire.NewRecord(kind, tenOClock, body))
		if err == nil {
			_, err = s.journal.Append(t.Context(), journal.Entry{Lane: wire.LaneOf(kind), Class: classOf(kind), Payload: payload, Puts: puts})
		}
		if err != nil {
			t.Fatal(err)
		}
		puts = nil
	}
	record(wire.VisitStarted, wire.Visit{Visit: "v-1", Member: "m-unmistakable"})
	record(wire.GreetingDecided, wire.Greeting{Visit: "v-1", Zone: "zone-unmistakable"})
	record(wire.BlockedSeen, wire.BlockedTag{Member: "m-unmistakable"})
	record(wire.KioskUsed, wire.Session{Visit: "v-open", Language: "unmistakable"})
	record(wire.ReaderChanged, wire.Reader{Reader: "nobody"})
	if len(inClear(t, dir, "unmistakable")) == 0 {
		t.Fatal("nothing is in clear before")
	}
	if past, err := s.histories(); err != nil || len(past) != 1 || past[0].Count != 4 {
		t.Errorf("before, histories are %+v, %v", past, err)
	}
	if err := s.migrateState(t.Context()); err != nil {
		t.Fatal(err)
	}
	work := shreds(t, s)
	if err := work.work(t.Context()); err != nil {
		t.Fatal(err)
	}
	if found := inClear(t, dir, "unmistakable", hex.EncodeToString(card[:])); len(found) > 0 {
		t.Errorf("still in clear: %q", found)
	}
	past, err := s.histories()
	if err != nil || len(past) != 1 || past[0].Count != 4 {
		t.Errorf("after, histories are %+v, %v", past, err)
	}
	marks, err := s.marks()
	if err != nil || len(marks) != 1 || marks[0].Tag != card || string(s.inside()) != "presence-unmistakable" {
		t.Errorf("after, marks are %+v, %v; inside %q", marks, err, s.inside())
	}
	for lane, want := range map[string]int{wire.MainLane: 2, wire.CaseLane: 1, wire.CountLane: 1} {
		records, err := s.journal.Read(lane, 1, 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		sealed := 0
		for _, r := range records {
			if vault.Sealed(r.Payload) {
				sealed++
			}
			if _, err := wire.DecodeRecord(s.open(r.Payload)); err != nil {
				t.Errorf("lane %s: %v", lane, err)
			}
		}
		if sealed != want {
			t.Errorf("lane %s: %d of %d are sealed, want %d", lane, sealed, len(records), want)
		}
	}
	if err := s.migrateState(t.Context()); err != nil {
		t.Error(err)
	}
	if some, err := s.migrateRecords(t.Context()); some || err != nil {
		t.Errorf("a second time: %v, %v", some, err)
	}
}

// The box key comes from a file that is named, from systemd, or is made; where it was put elsewhere, the old file goes.
func TestWhereTheBoxKeyIs(t *testing.T) {
	log := slog.New(slog.DiscardHandler)
	c := &Config{Data: t.TempDir()}
	openOnce := func(want string) {
		t.Helper()
		v, err := c.openVault(log)
		if want == "" && err == nil {
			err = v.Admit([]string{"m-1"})
			if !v.Has("m-1") || v.Len() != 1 {
				t.Errorf("%d keys", v.Len())
			}
			v.Close()
		}
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("it opens with %v, want %q", err, want)
		}
	}
	openOnce("")
	own := filepath.Join(c.Data, boxFile)
	if info, err := os.Stat(own); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	given := t.TempDir()
	t.Setenv("CREDENTIALS_DIRECTORY", given)
	openOnce("") // systemd has no such credential
	if err := os.WriteFile(filepath.Join(given, credential), bytes.Repeat([]byte{7}, 32), 0o400); err != nil {
		t.Fatal(err)
	}
	openOnce("")
	if _, err := os.Stat(own); !os.IsNotExist(err) {
		t.Errorf("the key of before is still there: %v", err)
	}
	openOnce("")
	c.BoxKeyFile = filepath.Join(t.TempDir(), "usb.key")
	openOnce("put it back") // persons' keys open with another one
	if err := os.WriteFile(c.BoxKeyFile, bytes.Repeat([]byte{8}, 32), 0o600); err != nil {
		t.Fatal(err)
	}
	openOnce("is not the key")
}
