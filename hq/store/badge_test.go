package store

import (
	"errors"
	"testing"
	"time"
)

// Headquarters restored from a backup does not know badges that it gave since: they are taken, unless the store was
// revoked after they were given.
func TestBadgesOfAfterTheBackup(t *testing.T) {
	d := withShops(t, "north")
	unknown := func(serial string, issued time.Time) Badge {
		return Badge{Serial: serial, Store: "north", Issued: issued, Ends: issued.Add(90 * 24 * time.Hour), Until: issued.Add(90 * 24 * time.Hour)}
	}
	admit := func(b Badge) error { return d.Admit(t.Context(), b, noon.Add(time.Hour)) }
	if err := admit(unknown("a1", noon)); err != nil {
		t.Errorf("a badge that the backup lacks: %v", err)
	}
	if err := d.Revoke(t.Context(), "north", noon.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if err := admit(unknown("a2", noon.Add(2*time.Minute))); !errors.Is(err, ErrRevoked) {
		t.Errorf("while the store is shut out: %v", err)
	}
	if err := d.AddCode(t.Context(), "north", "SECRET", noon.Add(2*time.Minute), time.Hour); err != nil {
		t.Fatal(err)
	}
	again := unknown("b1", noon.Add(3*time.Minute))
	if err := d.Redeem(t.Context(), "SECRET", []byte("key"), noon.Add(3*time.Minute), func(string) (Badge, error) { return again, nil }); err != nil {
		t.Fatal(err)
	}
	for serial, tc := range map[string]struct {
		badge Badge
		want  error
	}{
		"given anew":                   {again, nil},
		"known, from before":           {unknown("a1", noon), ErrRevoked},
		"unknown, from before":         {unknown("a3", noon), ErrRevoked},
		"unknown, from after":          {unknown("b2", noon.Add(4*time.Minute)), nil},
		"of a store that nobody added": {Badge{Serial: "c", Store: "south", Issued: noon}, ErrUnknownStore},
	} {
		if err := admit(tc.badge); !errors.Is(err, tc.want) {
			t.Errorf("%s: %v, want %v", serial, err, tc.want)
		}
	}
}

// A badge whose making fails leaves the code unused.
func TestRedeemIsWhole(t *testing.T) {
	d := withShops(t, "north")
	if err := d.AddCode(t.Context(), "north", "SECRET", noon, time.Hour); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken")
	if err := d.Redeem(t.Context(), "SECRET", []byte("one"), noon, func(string) (Badge, error) { return Badge{}, broken }); !errors.Is(err, broken) {
		t.Fatal(err)
	}
	good := func(id string) (Badge, error) {
		return Badge{Serial: "a", Store: id, Issued: noon, Ends: noon.Add(time.Hour), Until: noon.Add(time.Hour)}, nil
	}
	if err := d.Redeem(t.Context(), "SECRET", []byte("two"), noon, good); err != nil {
		t.Errorf("another box after a failure: %v", err)
	}
	if err := d.Redeem(t.Context(), "SECRET", []byte("one"), noon, good); !errors.Is(err, ErrUsedCode) {
		t.Errorf("a third: %v", err)
	}
}
