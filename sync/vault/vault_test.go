package vault

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

type rig struct {
	*Vault
	path string
	box  Box
}

func open(t testing.TB) *rig {
	t.Helper()
	dir := t.TempDir()
	box, err := MakeBox(filepath.Join(dir, "box.key"))
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{path: filepath.Join(dir, "persons.keys"), box: box}
	r.again(t)
	t.Cleanup(func() {
		if r.Vault != nil {
			r.Close()
		}
	})
	return r
}

// again opens the file as a restart does.
func (r *rig) again(t testing.TB) {
	t.Helper()
	if r.Vault != nil {
		r.Close()
	}
	var err error
	if r.Vault, err = Open(r.path, nil, r.box); err != nil {
		t.Fatal(err)
	}
}

func (r *rig) seal(t testing.TB, who, what string) []byte {
	t.Helper()
	sealed, err := r.Seal(who, "record", []byte(what))
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

func only(who string) func(string) bool { return func(p string) bool { return p == who } }

func (r *rig) erase(t testing.TB, who string) {
	t.Helper()
	if n, err := r.Erase(only(who)); err != nil || n != 1 {
		t.Fatalf("erased %d, %v", n, err)
	}
}

func (r *rig) bytes(t testing.TB) []byte {
	t.Helper()
	data, err := os.ReadFile(r.path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestSealsAndOpensOverARestart(t *testing.T) {
	r := open(t)
	anna, bob := r.seal(t, "m-anna", "anna was here"), r.seal(t, "m-bob", "bob was here")
	if bytes.Contains(anna, []byte("anna")) || len(anna) != len("anna was here")+Overhead || !Sealed(anna) {
		t.Errorf("sealed: %q", anna)
	}
	name, err := r.Name("m-anna", "history", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.again(t)
	for want, sealed := range map[string][]byte{"anna was here": anna, "bob was here": bob} {
		if got, err := r.Open("record", sealed); err != nil || string(got) != want {
			t.Errorf("opens as %q, %v", got, err)
		}
	}
	if again, err := r.Name("m-anna", "history", nil); err != nil || again != name || strings.Contains(name, "anna") {
		t.Errorf("name %q, then %q, %v", name, again, err)
	}
	if other, _ := r.Name("m-bob", "history", nil); other == name {
		t.Error("two persons have one name")
	}
	if _, err := r.Open("state", anna); !errors.Is(err, ErrDamaged) {
		t.Errorf("for another purpose it opens: %v", err)
	}
	if data := r.bytes(t); bytes.Contains(data, []byte("anna")) || len(data) != slotsAt+2*slotBytes {
		t.Errorf("the file has %d bytes, or names somebody", len(data))
	}
}

func TestErasedIsGoneForGood(t *testing.T) {
	r := open(t)
	anna, bob := r.seal(t, "m-anna", "anna was here"), r.seal(t, "m-bob", "bob was here")
	before := r.bytes(t)
	r.erase(t, "m-anna")
	if !r.Due() {
		t.Error("the file need not be written anew")
	}
	check := func(when string) {
		t.Helper()
		if _, err := r.Open("record", anna); !errors.Is(err, ErrErased) {
			t.Errorf("%s: anna opens: %v", when, err)
		}
		if got, err := r.Open("record", bob); err != nil || string(got) != "bob was here" {
			t.Errorf("%s: bob opens as %q, %v", when, got, err)
		}
	}
	check("at once")
	slot := before[slotsAt : slotsAt+slotBytes]
	if other := before[slotsAt+slotBytes:]; bytes.Contains(r.bytes(t), slot) && bytes.Contains(r.bytes(t), other) {
		t.Error("both slots are still there")
	}
	r.again(t)
	check("after a restart")
	if !r.Due() {
		t.Error("after a restart it is forgotten that the file is to be written anew")
	}
	if err := r.Rotate(); err != nil {
		t.Fatal(err)
	}
	check("after it was written anew")
	if r.Due() || len(r.bytes(t)) != slotsAt+slotBytes {
		t.Errorf("due %v, %d bytes", r.Due(), len(r.bytes(t)))
	}
	if bytes.Contains(r.bytes(t), before[slotsAt:slotsAt+nonceBytes]) {
		t.Error("a slot of the old file is in the new one")
	}
	r.again(t)
	check("and a restart")
	if again := r.seal(t, "m-anna", "somebody of that name"); bytes.Equal(again[2:10], anna[2:10]) {
		t.Error("a new key has the id of the erased one")
	}
	check("and a new key of that name")
}

func TestAFreedSlotIsUsedAgain(t *testing.T) {
	r := open(t)
	for i := range 5 {
		r.seal(t, fmt.Sprint("m-", i), "x")
	}
	r.erase(t, "m-2")
	r.again(t)
	r.seal(t, "m-9", "x")
	if n := len(r.bytes(t)); n != slotsAt+5*slotBytes {
		t.Errorf("%d bytes, want five slots", n)
	}
	r.again(t)
	if r.Len() != 5 || !r.Has("m-9") || r.Has("m-2") {
		t.Errorf("%d keys", r.Len())
	}
}

func TestBoxKey(t *testing.T) {
	r := open(t)
	anna := r.seal(t, "m-anna", "anna was here")
	other, err := MakeBox(filepath.Join(filepath.Dir(r.path), "other.key"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(r.path, nil, other); !errors.Is(err, ErrWrongBox) {
		t.Errorf("another box key: %v", err)
	}
	r.Close()
	if r.Vault, err = Open(r.path, nil, other, r.box); err != nil { // the key was put elsewhere
		t.Fatal(err)
	}
	r.box = other
	r.again(t)
	if got, err := r.Open("record", anna); err != nil || string(got) != "anna was here" {
		t.Errorf("under the new box key: %q, %v", got, err)
	}
	for text, want := range map[string]string{"short": "5 bytes", strings.Repeat("x", 5000): "want 32"} {
		path := filepath.Join(t.TempDir(), "box")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadBox(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.10q: %v", text, err)
		}
	}
	if _, err := MakeBox(other.From); err == nil {
		t.Error("a box key is made over another")
	}
}

func TestDamage(t *testing.T) {
	r := open(t)
	anna, bob := r.seal(t, "m-anna", "a"), r.seal(t, "m-bob", "b")
	r.Close()
	whole := r.bytes(t)
	with := func(change func(data []byte) []byte) error {
		if err := os.WriteFile(r.path, change(bytes.Clone(whole)), 0o600); err != nil {
			t.Fatal(err)
		}
		var err error
		r.Vault, err = Open(r.path, nil, r.box)
		return err
	}
	if err := with(func(d []byte) []byte { d[20] ^= 1; return d }); err != nil {
		t.Errorf("the second header: %v", err)
	}
	r.Close()
	if err := with(func(d []byte) []byte { d[20] ^= 1; d[sector+20] ^= 1; return d }); !errors.Is(err, ErrDamaged) {
		t.Errorf("no header: %v", err)
	}
	r.Vault = nil
	if err := with(func(d []byte) []byte { d[slotsAt+40] ^= 1; return d }); err != nil {
		t.Errorf("a slot: %v", err)
	}
	if _, err := r.Open("record", anna); !errors.Is(err, ErrErased) {
		t.Errorf("a damaged key opens: %v", err)
	}
	if _, err := r.Open("record", bob); err != nil {
		t.Errorf("the other key: %v", err)
	}
	r.Close()
	if err := with(func(d []byte) []byte { return d[:len(d)-100] }); err != nil || r.Len() != 1 {
		t.Errorf("a cut slot: %v", err)
	}
	r.Close()
	if err := with(func(d []byte) []byte { return nil }); !errors.Is(err, ErrDamaged) {
		t.Errorf("an empty file: %v", err)
	}
}

// Whatever a crash of a rotation leaves behind, the next start has every key and no old file.
func TestCrashesOfARotation(t *testing.T) {
	old := func(t *testing.T) (*rig, []byte, []byte) {
		r := open(t)
		anna, bob := r.seal(t, "m-anna", "anna"), r.seal(t, "m-bob", "bob")
		r.erase(t, "m-anna")
		return r, anna, bob
	}
	for name, crash := range map[string]func(t *testing.T, r *rig) error{
		"a half-written new file": func(t *testing.T, r *rig) error { return os.WriteFile(newName(r.path), []byte("FYPK"), 0o600) },
		"linked, not renamed":     func(t *testing.T, r *rig) error { return os.Link(r.path, oldName(r.path)) },
		"renamed, not overwritten": func(t *testing.T, r *rig) error {
			return errors.Join(os.Link(r.path, oldName(r.path)), func() error {
				f, err := create(r.path, r.box, 9, []*key{r.people["m-bob"]})
				return errors.Join(err, f.close(), publish(r.path))
			}())
		},
	} {
		t.Run(name, func(t *testing.T) {
			r, anna, bob := old(t)
			if err := crash(t, r); err != nil {
				t.Fatal(err)
			}
			r.again(t)
			if got, err := r.Open("record", bob); err != nil || string(got) != "bob" {
				t.Errorf("bob: %q, %v", got, err)
			}
			if _, err := r.Open("record", anna); !errors.Is(err, ErrErased) {
				t.Errorf("anna: %v", err)
			}
			entries, err := os.ReadDir(filepath.Dir(r.path))
			if err != nil || len(entries) != 2 {
				t.Errorf("%v, %v: want the box key and the keys", entries, err)
			}
		})
	}
}

func TestADiskThatRefuses(t *testing.T) {
	r := open(t)
	bob := r.seal(t, "m-bob", "bob")
	refused := errors.New("refused")
	good := r.file.syncFile
	r.file.syncFile = func(*os.File) error { return refused }
	if _, err := r.Seal("m-anna", "record", nil); !errors.Is(err, refused) || r.Has("m-anna") {
		t.Errorf("sealed though the key is not kept: %v", err)
	}
	if _, err := r.Erase(only("m-bob")); !errors.Is(err, refused) {
		t.Errorf("erased: %v", err)
	}
	if _, err := r.Open("record", bob); err != nil {
		t.Errorf("after an erasure that failed: %v", err)
	}
	r.file.syncFile = good
	r.erase(t, "m-bob")
	r.seal(t, "m-anna", "x")
	if err := r.Admit([]string{""}); !errors.Is(err, ErrName) {
		t.Errorf("a person without a name: %v", err)
	}
	if err := r.Admit([]string{strings.Repeat("x", MaxPerson+1)}); !errors.Is(err, ErrName) {
		t.Errorf("a long name: %v", err)
	}
}

func TestManyAtOnce(t *testing.T) {
	r := open(t)
	var names []string
	for i := range 1000 {
		names = append(names, fmt.Sprint("m-", i%700)) // some twice
	}
	syncs := 0
	good := r.file.syncFile
	r.file.syncFile = func(f *os.File) error { syncs++; return good(f) }
	if err := r.Admit(names); err != nil || r.Len() != 700 || syncs != 1 {
		t.Errorf("%d keys by %d syncs, %v", r.Len(), syncs, err)
	}
	n, err := r.Erase(func(p string) bool { return len(p) == 3 })
	if err != nil || n != 10 {
		t.Errorf("%d erased, %v", n, err)
	}
	r.again(t)
	if r.Len() != 690 {
		t.Errorf("%d keys", r.Len())
	}
}

// Keys are made, erased and rotated while others seal and open.
func TestTogether(t *testing.T) {
	r := open(t)
	bob := r.seal(t, "m-bob", "bob")
	done := make(chan error)
	go func() {
		var err error
		for i := range 30 {
			who := fmt.Sprint("m-", i)
			_, sealing := r.Seal(who, "record", nil)
			_, erasing := r.Erase(only(who))
			err = errors.Join(err, sealing, erasing, r.Rotate())
		}
		done <- err
	}()
	for range 2000 {
		if _, err := r.Open("record", bob); err != nil {
			t.Fatal(err)
		}
		r.seal(t, "m-bob", "bob")
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func FuzzFile(f *testing.F) {
	dir := f.TempDir()
	box, err := MakeBox(filepath.Join(dir, "box.key"))
	if err != nil {
		f.Fatal(err)
	}
	path := filepath.Join(dir, "persons.keys")
	v, err := Open(path, nil, box)
	if err != nil {
		f.Fatal(err)
	}
	if err := v.Admit([]string{"m-anna", "m-bob"}); err != nil {
		f.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add(data[:slotsAt+10])
	f.Add([]byte(fileMagic))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := parse(data, []Box{box})
		if err != nil {
			if len(c.keys) > 0 {
				t.Fatal("keys of a file that is refused")
			}
			return
		}
		if len(c.keys)+len(c.free) != c.slots || c.slots > len(data)/slotBytes {
			t.Fatalf("%d keys and %d free slots of %d in %d bytes", len(c.keys), len(c.free), c.slots, len(data))
		}
	})
}

func FuzzSealed(f *testing.F) {
	r := open(f)
	good := r.seal(f, "m-anna", "anna was here")
	f.Add(good)
	f.Add(good[:Overhead])
	f.Add([]byte{mark0, mark1})
	f.Fuzz(func(t *testing.T, data []byte) {
		plain, err := r.Open("record", data)
		if err == nil && (!bytes.Equal(data, good) || string(plain) != "anna was here") {
			t.Fatalf("%x opens as %q", data, plain)
		}
	})
}

func BenchmarkSeal(b *testing.B) {
	r := open(b)
	payload := bytes.Repeat([]byte("x"), 160) // a visit's record
	r.seal(b, "m-anna", "x")
	b.SetBytes(int64(len(payload)))
	for b.Loop() {
		if _, err := r.Seal("m-anna", "record", payload); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpen(b *testing.B) {
	r := open(b)
	sealed := r.seal(b, "m-anna", strings.Repeat("x", 160))
	b.SetBytes(160)
	for b.Loop() {
		if _, err := r.Open("record", sealed); err != nil {
			b.Fatal(err)
		}
	}
}

// A person who is new costs one sync.
func BenchmarkNewPerson(b *testing.B) {
	r := open(b)
	for i := 0; b.Loop(); i++ {
		if _, err := r.Seal(fmt.Sprint("m-", i), "record", nil); err != nil {
			b.Fatal(err)
		}
	}
}

// An erasure among 10,000 persons, with the file written anew.
func BenchmarkErase(b *testing.B) {
	r := open(b)
	var names []string
	for i := range 10_000 {
		names = append(names, fmt.Sprintf("m-%016x", rand.Uint64()+uint64(i)))
	}
	if err := r.Admit(names); err != nil {
		b.Fatal(err)
	}
	for i := 0; b.Loop(); i++ {
		if _, err := r.Erase(only(names[i%len(names)])); err != nil {
			b.Fatal(err)
		}
		if err := r.Rotate(); err != nil {
			b.Fatal(err)
		}
	}
}
