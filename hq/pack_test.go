package hq

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"foyer/hq/store"
	"foyer/hq/store/storetest"
	"foyer/sync/wire"
)

func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// A pack reaches the stores that it is for, wider and wider, and goes back when it is withdrawn.
func TestPacksArePublished(t *testing.T) {
	r := start(t, t.TempDir())
	r.add("a")
	r.add("b")
	one, two := folder(t, map[string]string{"x": "one"}), folder(t, map[string]string{"x": "two"})
	publish := func(from string, release wire.Release) {
		t.Helper()
		if _, err := r.PublishPack(t.Context(), from, release); err != nil {
			t.Fatal(err)
		}
	}
	wanted := func(version uint64, store string) uint64 {
		t.Helper()
		body, err := r.snapshot("a", Packs, version).Packs()
		if err != nil {
			t.Fatal(err)
		}
		all := body.For(store)
		if len(all) != 1 {
			t.Fatalf("%s is to have %v", store, all)
		}
		return all[0].Version
	}
	publish(one, wire.Release{Pack: "art", Percent: 100})
	if a, b := wanted(1, "a"), wanted(1, "b"); a != 1 || b != 1 {
		t.Errorf("a is to have %d, b %d", a, b)
	}
	publish(two, wire.Release{Pack: "art", Stores: []string{"a"}})
	if a, b := wanted(2, "a"), wanted(2, "b"); a != 2 || b != 1 {
		t.Errorf("a is to have %d, b %d: want the newer one at a alone", a, b)
	}
	if err := r.WidenPack(t.Context(), "art", 2, 100, nil); err != nil {
		t.Fatal(err)
	}
	if b := wanted(3, "b"); b != 2 {
		t.Errorf("widened, b is to have %d", b)
	}
	if err := r.WidenPack(t.Context(), "art", 2, 50, nil); !errors.Is(err, store.ErrNarrower) {
		t.Errorf("narrowed: %v", err)
	}
	if err := r.WithdrawPack(t.Context(), "art", 2); err != nil {
		t.Fatal(err)
	}
	if a, b := wanted(4, "a"), wanted(4, "b"); a != 1 || b != 1 {
		t.Errorf("withdrawn, a is to have %d, b %d", a, b)
	}
	if err := r.WithdrawPack(t.Context(), "art", 2); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("withdrawn twice: %v", err)
	}
	publish(two, wire.Release{Pack: "art", Percent: 100})
	if a := wanted(5, "a"); a != 3 {
		t.Errorf("a version came back under the number %d", a)
	}
	for name, bad := range map[string]wire.Release{
		"no name": {Percent: 100}, "no store": {Pack: "art", Stores: []string{"nowhere"}}, "percent": {Pack: "art", Percent: 101},
	} {
		_, err := r.PublishPack(t.Context(), one, bad)
		if _, ok := errors.AsType[*PackRefused](err); !ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What no live release needs goes a day later; what is live or new stays.
func TestOldFilesAreSwept(t *testing.T) {
	r := start(t, t.TempDir())
	for _, text := range []string{"old", "live"} {
		if _, err := r.PublishPack(t.Context(), folder(t, map[string]string{"x": text}), wire.Release{Pack: "art", Percent: 100}); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.WithdrawPack(t.Context(), "art", 1); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		later time.Duration
		want  int64
	}{{time.Hour, 0}, {25 * time.Hour, 3}, {50 * time.Hour, 0}} {
		if n, err := SweepPacks(t.Context(), r.DB(), r.depot, time.Now().Add(tc.later)); err != nil || n != tc.want {
			t.Errorf("after %v it removes %d bytes, %v; want %d", tc.later, n, err, tc.want)
		}
	}
	all, err := r.DB().Releases(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if f, err := r.depot.File(all[0].Files[0].Digest); err != nil {
		t.Error(err)
	} else {
		f.Close()
	}
}

// Whoever publishes beside a running headquarters is heard too, and 64 live releases are enough.
func TestReleasesAreBounded(t *testing.T) {
	dir := t.TempDir()
	at, err := DatabaseAt(storetest.Link(t, dir))
	if err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(at)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	depot, err := OpenDepot(dir)
	if err != nil {
		t.Fatal(err)
	}
	from := folder(t, map[string]string{"x": "one"})
	for i := range wire.MaxReleases + 1 {
		_, err = PublishPack(t.Context(), db, depot, from, wire.Release{Pack: "art", Percent: 1}, time.Now())
		if (err == nil) != (i < wire.MaxReleases) {
			t.Fatalf("release %d: %v", i+1, err)
		}
	}
	if !strings.Contains(err.Error(), "withdraw one") {
		t.Error(err)
	}
}

func TestWhatStoresMadeOfPacks(t *testing.T) {
	minute := func(n int) time.Time { return time.Date(2026, 9, 30, 12, n, 0, 0, time.UTC) }
	answer := func(pack string, version uint64, applied bool, at int) store.Answer {
		return store.Answer{Store: "a", Kind: wire.PackReport(pack), Version: version, Applied: applied, Code: map[bool]wire.Code{false: wire.RefusedDisk}[applied], At: minute(at)}
	}
	got := packStandings([]store.Answer{
		answer("back", 3, true, 1), answer("back", 2, true, 5), // withdrawn: the lower one is in force
		answer("gone", 3, true, 1), answer("gone", 0, true, 2),
		answer("no", 4, false, 3), answer("no", 3, true, 1),
		answer("later", 4, false, 1), answer("later", 4, true, 2),
		answer("old", 1, true, 1),
		{Store: "b", Kind: wire.PackReport("back"), Version: 9, Applied: true, At: minute(9)},
		{Store: "a", Kind: Members, Version: 9, Applied: true, At: minute(9)},
	}, "a", []wire.Release{{Pack: "back", Version: 2}, {Pack: "later", Version: 4}, {Pack: "new", Version: 1}, {Pack: "no", Version: 4}})
	want := []PackStanding{
		{Pack: "back", Wanted: 2, InForce: 2, At: minute(5)},
		{Pack: "later", Wanted: 4, InForce: 4, At: minute(2)},
		{Pack: "new", Wanted: 1},
		{Pack: "no", Wanted: 4, InForce: 3, Refused: true, Code: wire.RefusedDisk, At: minute(3)},
		{Pack: "old", InForce: 1, At: minute(1)},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
