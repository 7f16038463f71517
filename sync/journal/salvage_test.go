package journal

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// wreckage is a journal's bytes with records of three classes, of which headquarters has the first hundred; they are kept.
func wreckage(t testing.TB) []byte {
	path := newPath(t)
	j, stop := run(t, path, Options{MaxBytes: 4 << 20})
	for i := range 2000 {
		e := Entry{Lane: "main", Class: Class(i % classes), Payload: fmt.Appendf(nil, "record %05d", i+1)}
		if i%100 == 0 {
			e.Puts = []Put{{"history", fmt.Sprint("m-", i), []byte("seen")}}
		}
		if err := j.Submit(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(j.PutSnapshot(t.Context(), "members", 7, []byte("all")), j.MoveCursor(t.Context(), "main", "hq-kept", 0), j.MoveCursor(t.Context(), "main", "hq", 100)); err != nil {
		t.Fatal(err)
	}
	stop()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func salvage(t testing.TB, data []byte) (*Salvaged, map[string]bool) {
	t.Helper()
	old, into := filepath.Join(t.TempDir(), "old"), newPath(t)
	if err := os.WriteFile(old, data, 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := Salvage(t.Context(), old, into, []string{"main"}, Options{MaxBytes: 4 << 20})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{}
	err = Export(into, func(e Exported) error {
		if want := fmt.Sprintf("%v %s", e.Class, e.Payload); got[want] {
			t.Errorf("%s is there twice", want)
		} else {
			got[want] = true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if after, _ := os.ReadFile(old); !bytes.Equal(after, data) {
		t.Error("salvaging changed the damaged file")
	}
	return r, got
}

func TestSalvageOfAWholeFileBringsWhatHeadquartersDoesNotHave(t *testing.T) {
	r, got := salvage(t, wreckage(t))
	l := r.Lanes[0]
	if len(got) != 1900 || l.Recovered != 1900 || len(l.Lost) != 0 || !r.CursorsKnown || r.State != 20 || r.Snapshots != 1 || r.DamagedPages != 0 {
		t.Errorf("%d records: %+v", len(got), r)
	}
}

// Whatever is damaged, each record whose own page is whole comes back, in the class that it had.
func TestSalvageFindsEveryRecordThatIsWhole(t *testing.T) {
	good := wreckage(t)
	size := os.Getpagesize()
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	for round := range 40 {
		bad := append([]byte{}, good...)
		if round == 0 {
			clear(bad[:2*size]) // both metas
		}
		for range round {
			page := random.IntN(len(bad)/size) * size
			clear(bad[page : page+size])
		}
		r, got := salvage(t, bad)
		for i := 101; i <= 2000; i++ {
			text := fmt.Sprintf("record %05d", i)
			if want := fmt.Sprintf("%v %s", Class((i-1)%classes), text); bytes.Contains(bad, []byte(text)) && !got[want] {
				t.Fatalf("seed %d, round %d: %s is in the damaged file and was not found: %+v", seed, round, want, r)
			}
		}
		lost := 0
		for _, region := range r.Lanes[0].Lost {
			lost += int(region.Last - region.First + 1)
		}
		if r.CursorsKnown && r.Lanes[0].Recovered+lost > 1900 {
			t.Errorf("seed %d, round %d: %+v", seed, round, r)
		}
	}
}

func TestSalvageAddsToTheJournalThatTookOver(t *testing.T) {
	old := filepath.Join(t.TempDir(), "old")
	if err := os.WriteFile(old, wreckage(t), 0o600); err != nil {
		t.Fatal(err)
	}
	path := newPath(t)
	j, stop := run(t, path, Options{})
	appendText(t, j, "main", "since then")
	if _, err := j.Append(t.Context(), Entry{Puts: []Put{{"history", "m-100", []byte("newer")}}}); err != nil {
		t.Fatal(err)
	}
	if err := j.PutSnapshot(t.Context(), "members", 8, []byte("newer")); err != nil {
		t.Fatal(err)
	}
	stop()
	r, err := Salvage(t.Context(), old, path, nil, Options{})
	if err != nil || r.Snapshots != 0 || r.State != 19 {
		t.Errorf("%+v, %v", r, err)
	}
	j, _ = run(t, path, Options{})
	records := readAll(t, j, "main")
	if len(records) != 1901 || string(records[0].Payload) != "since then" || string(records[1].Payload) != "record 00101" {
		t.Errorf("%d records, first %s, %s", len(records), records[0].Payload, records[1].Payload)
	}
	if state, err := j.State("history"); err != nil || string(state["m-100"]) != "newer" || string(state["m-200"]) != "seen" {
		t.Errorf("state: %q, %v", state, err)
	}
}

func TestSalvageOfFormat1(t *testing.T) {
	old := filepath.Join(t.TempDir(), "old")
	unpack(t, "testdata/format1.journal.gz", old)
	r, err := Salvage(t.Context(), old, newPath(t), nil, Options{})
	if err != nil || len(r.Lanes) != 2 || r.Lanes[0].Recovered != 5 || r.Lanes[1].Recovered != 260 || len(r.Lanes[1].Lost) != 0 {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestADamagedFileGoesAside(t *testing.T) {
	path := newPath(t)
	if err := os.WriteFile(path, []byte("this is no journal"), 0o600); err != nil {
		t.Fatal(err)
	}
	aside, err := Quarantine(path, time.Date(2026, 6, 14, 12, 0, 0, 0, time.UTC))
	if err != nil || aside != path+".damaged-20260614T120000Z" {
		t.Fatalf("%s, %v", aside, err)
	}
	if got := Quarantined(path); len(got) != 1 || got[0] != aside {
		t.Errorf("beside it lie %q", got)
	}
	j, _ := run(t, path, Options{})
	if got := appendText(t, j, "main", "anew"); got != 1 {
		t.Errorf("a new one begins with %d", got)
	}
	if _, err := Quarantine(path, time.Now()); !errors.Is(err, ErrLocked) {
		t.Errorf("one that is in use: %v", err)
	}
}

func FuzzSalvage(f *testing.F) {
	small := wreckage(f)[:64<<10]
	f.Add(uint32(0), []byte{1, 2, 3})
	f.Add(uint32(3*4096+8), []byte{1, 0, 255, 255, 255, 255, 255, 255})
	f.Fuzz(func(t *testing.T, at uint32, patch []byte) {
		data := append([]byte{}, small...)
		copy(data[int(at)%len(data):], patch)
		salvage(t, data)
	})
}
