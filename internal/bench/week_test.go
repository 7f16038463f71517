package bench

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/hex"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"testing"
	"time"

	"foyer/sync/journal"
	"foyer/sync/wire"
)

// aWeek is how many records a busy store makes in seven days.
const aWeek = 100_000

const dayFile = "../../sync/wire/testdata/day.jsonl.gz" // 3,360 records, made by the rules of package shop

// event is a record and when it happened.
type event struct {
	at      time.Time
	lane    string
	class   journal.Class
	payload []byte
}

// records are a store's last seven days: four or five of the day's crowds at once, each of other people with other visits.
func records(t testing.TB, want int) []event {
	t.Helper()
	day := readDay(t)
	seed := rand.NewChaCha8([32]byte{7})
	began := time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, -7)
	var all []event
	for crowd := 0; len(all) < want; crowd++ {
		shift := began.AddDate(0, 0, crowd%7).Sub(day[0].at.Truncate(24 * time.Hour)).Truncate(time.Millisecond)
		shift += time.Duration(crowd) * 7919 * time.Millisecond // two crowds never do the same in the same moment
		others := strangers(seed)
		for _, e := range day {
			r, err := wire.DecodeRecord(others(e.payload))
			if err != nil {
				t.Fatal(err)
			}
			if r.At = r.At.Add(shift); r.At.After(time.Now()) {
				r.At = r.At.AddDate(0, 0, -7)
			}
			payload, err := wire.EncodeRecord(r)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, event{r.At, wire.LaneOf(r.Kind), journal.Class(wire.WorthOf(r.Kind)), payload})
		}
	}
	slices.SortStableFunc(all, func(a, b event) int { return a.at.Compare(b.at) })
	return all[:want]
}

func readDay(t testing.TB) (day []event) {
	t.Helper()
	f, err := os.Open(dayFile)
	must(t, err)
	defer f.Close()
	z, err := gzip.NewReader(f)
	must(t, err)
	for lines := bufio.NewScanner(z); lines.Scan(); {
		r, err := wire.DecodeRecord(lines.Bytes())
		must(t, err)
		day = append(day, event{at: r.At, payload: bytes.Clone(lines.Bytes())})
	}
	return day
}

var names = regexp.MustCompile(`"[A-Z2-7]{26}"|"m-[0-9a-f]{16}"`)

// strangers gives every visit and member of a record another name, the same one each time.
func strangers(seed *rand.ChaCha8) func([]byte) []byte {
	const base32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567" // as crypto/rand.Text
	r, known := rand.New(seed), map[string][]byte{}
	return func(record []byte) []byte {
		return names.ReplaceAllFunc(record, func(old []byte) []byte {
			if known[string(old)] == nil {
				name := []byte(`"m-` + hex.EncodeToString(binary64(r.Uint64())) + `"`)
				if old[1] != 'm' {
					name = bytes.Clone(old)
					for i := 1; i <= 26; i++ {
						name[i] = base32[r.IntN(32)]
					}
				}
				known[string(old)] = name
			}
			return known[string(old)]
		})
	}
}

func binary64(n uint64) []byte {
	var b [8]byte
	for i := range b {
		b[i] = byte(n >> (8 * i))
	}
	return b[:]
}

// remember writes records into a journal that nobody has open.
func remember(t testing.TB, path string, all []event) {
	t.Helper()
	j, err := journal.Open(path, journal.Options{})
	must(t, err)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- j.Run(ctx) }()
	write(t, j, all)
	stop()
	must(t, <-ended)
	must(t, j.Close())
}

// write returns when all is on the disk.
func write(t testing.TB, j *journal.Journal, all []event) {
	t.Helper()
	for _, e := range all[:len(all)-1] {
		must(t, j.Submit(t.Context(), journal.Entry{Lane: e.lane, Class: e.class, Payload: e.payload}))
	}
	last := all[len(all)-1]
	_, err := j.Append(t.Context(), journal.Entry{Lane: last.lane, Class: last.class, Payload: last.payload})
	must(t, err)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
