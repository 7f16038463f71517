package daemon

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"foyer/shop"
	"foyer/sync/journal"
	"foyer/sync/wire"
)

func TestADamagedMemoryGoesAsideAndTheStoreOpens(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.db")
	if err := os.WriteFile(path, []byte("noise"), 0o600); err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	j, err := openMemory(path, log)
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	s := &state{journal: j, ledger: newLedger(newTestSafe(t, j), log), aside: journal.Quarantined(path)}
	for lang, text := range s.memory().Problem {
		if !strings.Contains(text, path+".damaged-") || !strings.Contains(text, "foyer journal salvage") {
			t.Errorf("%s: the page says %q", lang, text)
		}
	}
	if len(s.aside) != 1 {
		t.Errorf("aside lie %q", s.aside)
	}
	if _, err := openMemory(path, log); err == nil {
		t.Error("a journal in use is opened a second time")
	}
}

// What a marker says can be read like any other record, and what was given up is told to the page and to headquarters.
func TestWhatIsGivenUpIsToldByClass(t *testing.T) {
	j, l, _ := begin(t, journal.Options{MaxBytes: 1 << 20, Marker: marker})
	if err := j.MoveCursor(t.Context(), wire.CountLane, "hq", 0); err != nil {
		t.Fatal(err)
	}
	for range 12_000 {
		l.Record(shop.Fact{At: now(), Body: shop.StrangersPassed{Zone: "door", Count: 1}}, nil)
	}
	done := make(chan error, 1)
	l.Record(shop.Fact{At: now(), Body: shop.KioskUsed{Language: "en", End: "idle"}}, func(err error) { done <- err })
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	s := &state{journal: j, ledger: l}
	h := j.Health()
	if h.Thinned[journal.Statistic] == 0 || h.Thinned[journal.Visit] != 0 || !h.Thinning {
		t.Fatalf("%+v", h)
	}
	problem := s.memory().Problem
	for _, lang := range []string{"en", "zh-CN"} {
		if !strings.Contains(problem[lang], "0") || strings.Contains(problem[lang], "{") {
			t.Errorf("%s: the page says %q", lang, problem[lang])
		}
	}
	records, err := j.Read(wire.CountLane, 1, 1, 0)
	if err != nil {
		t.Fatal(err)
	}
	record, err := wire.DecodeRecord(records[0].Payload)
	if err != nil || record.Kind != wire.RecordLost || string(record.Body) != `{"why":"given_up"}` {
		t.Errorf("in place of the first record stands %+v, %v", record, err)
	}
	last := j.Last(wire.CaseLane)
	s.tellGivenUp(h)
	h.Thinning = false // there is room again
	for range 2 {
		s.tellGivenUp(h)
	}
	if err := j.MoveCursor(t.Context(), wire.CaseLane, "hq", last); err != nil {
		t.Fatal(err)
	}
	if got := j.Last(wire.CaseLane); got != last+1 {
		t.Errorf("headquarters is told %d times, want once", got-last)
	}
}
