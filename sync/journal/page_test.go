package journal

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	bolt "go.etcd.io/bbolt"
)

// filled returns the bytes of a journal with several levels of pages, small and large buckets.
func filled(t testing.TB) []byte {
	path := newPath(t)
	j, stop := run(t, path, Options{MaxBytes: 4 << 20})
	for i := range 3000 {
		e := Entry{Lane: "main", Payload: fmt.Appendf(nil, "record %d of a long day", i)}
		if i%100 == 0 {
			e.Puts = []Put{{"history", fmt.Sprint("m-", i), []byte("seen")}}
			e.Lane = "cases"
		}
		if err := j.Submit(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.PutSnapshot(t.Context(), "members", 1, make([]byte, 20_000)); err != nil {
		t.Fatal(err)
	}
	stop()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// openBytes writes data to a file and opens it as a journal; what the test is about is that it comes back.
func openBytes(t testing.TB, path string, data []byte) error {
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	_, inspected := Inspect(path)
	j, err := Open(path, Options{MaxBytes: 4 << 20})
	if err != nil {
		return errors.Join(err, inspected)
	}
	for lane := range j.lanes {
		if _, err := j.Read(lane, 1, 0, 0); err != nil {
			inspected = errors.Join(inspected, err)
		}
	}
	return errors.Join(inspected, j.Close())
}

func TestADamagedFileIsToldWithItsNameAndWhatToDo(t *testing.T) {
	good := filled(t)
	path := filepath.Join(t.TempDir(), "store.journal")
	if err := openBytes(t, path, good); err != nil {
		t.Fatalf("undamaged: %v", err)
	}
	zeroed := func(from, to int) []byte {
		bad := append([]byte{}, good...)
		clear(bad[from:to])
		return bad
	}
	for name, bad := range map[string][]byte{
		"no journal":      []byte("this is somebody's shopping list, not a journal"),
		"cut at one page": good[:os.Getpagesize()],
		"cut short":       good[:len(good)/8],
		"both metas":      zeroed(0, 2*os.Getpagesize()),
		"all pages":       zeroed(2*os.Getpagesize(), len(good)),
	} {
		err := openBytes(t, path, bad)
		if !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "move the file aside") {
			t.Errorf("%s: got %v", name, err)
		}
	}
	// The younger meta page lost: the transaction before it is still whole.
	for page := range 2 {
		if err := openBytes(t, path, zeroed(page*os.Getpagesize(), (page+1)*os.Getpagesize())); err != nil && !errors.Is(err, ErrCorrupt) {
			t.Errorf("meta %d lost: %v", page, err)
		}
	}
}

func TestARecordThatTheDiskChangedIsNotBelieved(t *testing.T) {
	good := filled(t)
	at := strings.Index(string(good), "record 1234 of")
	if at < 0 {
		t.Fatal("the record is not in the file")
	}
	good[at] = 'R'
	path := filepath.Join(t.TempDir(), "store.journal")
	if err := openBytes(t, path, good); !errors.Is(err, ErrCorrupt) {
		t.Errorf("opening: got %v", err)
	}
	if _, err := Inspect(path); err == nil || !strings.Contains(err.Error(), "checksum") {
		t.Errorf("inspecting: got %v", err)
	}
}

// Any page may come back from a worn-out card as another page, as noise, or with single bits turned.
func TestRandomDamageNeverEndsTheProcess(t *testing.T) {
	good := filled(t)
	path := filepath.Join(t.TempDir(), "store.journal")
	rounds := 300
	if testing.Short() {
		rounds = 60
	}
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 0))
	seen := 0
	for range rounds {
		bad := append([]byte{}, good...)
		damage(r, bad)
		if err := openBytes(t, path, bad); err != nil {
			if seen++; !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrNewer) {
				t.Fatalf("seed %d: got %v", seed, err)
			}
		}
	}
	if seen == 0 {
		t.Errorf("seed %d: not one of %d damages was seen", seed, rounds)
	}
}

func damage(r *rand.Rand, data []byte) {
	size := os.Getpagesize()
	page := func() []byte { n := r.IntN(len(data) / size / 4); return data[n*size : (n+1)*size] }
	switch r.IntN(4) {
	case 0:
		copy(page(), page())
	case 1:
		p := page()
		for i := range p[:16+r.IntN(size-16)] {
			p[i] = byte(r.Uint32())
		}
	case 2:
		for range 20 {
			page()[r.IntN(size)] ^= 1 << r.IntN(8)
		}
	case 3:
		for range 4 {
			page()[r.IntN(64)] = byte(r.Uint32()) // headers and elements
		}
	}
}

// FuzzPages: whatever the check lets through, bbolt can walk.
func FuzzPages(f *testing.F) {
	small := func() []byte {
		path := newPath(f)
		j, stop := run(f, path, Options{MaxBytes: 1 << 20})
		appendText(f, j, "main", "x")
		stop()
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		return data
	}()
	f.Add(uint32(0), []byte{1, 2, 3})
	f.Add(uint32(3*4096+16), []byte{1, 0, 0, 0, 255, 255, 255, 255})
	f.Fuzz(func(t *testing.T, at uint32, patch []byte) {
		data := append([]byte{}, small...)
		copy(data[int(at)%len(data):], patch)
		if err := openBytes(t, filepath.Join(t.TempDir(), "j"), data); err != nil &&
			!errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrNewer) {
			t.Errorf("got %v", err)
		}
	})
}

// FuzzKeys: what decodes encodes to itself, and a sealed payload opens to itself.
func FuzzKeys(f *testing.F) {
	f.Add([]byte("main\x00hq"))
	f.Add([]byte("members\x00\x00\x00\x00\x00\x00\x00\x00\x09"))
	main := []byte("main")
	f.Add(sealRecord(main, 7, []byte("payload")))
	f.Fuzz(func(t *testing.T, b []byte) {
		if lane, name, err := parseCursorKey(b); err == nil && string(cursorKey(lane, name)) != string(b) {
			t.Errorf("cursor %q %q", lane, name)
		}
		if kind, version, err := parseSnapshotKey(b); err == nil && string(snapshotKey(kind, version)) != string(b) {
			t.Errorf("snapshot %q %d", kind, version)
		}
		if payload, err := openRecord(main, 7, b); err == nil && string(sealRecord(main, 7, payload)[4:]) != string(b[4:]) {
			t.Errorf("record %q", payload)
		}
		if payload, err := openRecord(main, 7, sealRecord(main, 7, b)); err != nil || string(payload) != string(b) {
			t.Errorf("sealed %q opens to %q, %v", b, payload, err)
		}
		if _, err := openRecord(main, 8, sealRecord(main, 7, b)); err == nil {
			t.Errorf("%q opens at another place", b)
		}
		if lane, c, err := parseLogName(b); err == nil && string(logName(lane, c)) != string(b) {
			t.Errorf("log %q %v", lane, c)
		}
		if n, err := parseNumber(b); err == nil && string(number(n)) != string(b) {
			t.Errorf("number %d", n)
		}
	})
}

// The check must agree with bbolt's own about files that are whole.
func TestCheckAcceptsWhatTheDatabaseAccepts(t *testing.T) {
	path := filepath.Join(t.TempDir(), "plain")
	db, err := bolt.Open(path, 0o600, &bolt.Options{PageSize: 8192})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for i := range 300 {
		err := db.Update(func(tx *bolt.Tx) error {
			b, err := tx.CreateBucketIfNotExists(fmt.Append(nil, "bucket ", i%40))
			if err != nil {
				return err
			}
			if _, err := b.CreateBucketIfNotExists([]byte("inner")); err != nil {
				return err
			}
			return b.Put(number(rand.Uint64()), make([]byte, rand.IntN(20_000)))
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := checkPages(f); err != nil {
		t.Error(err)
	}
}
