package wire

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func someRelease(change func(*Release)) Release {
	r := Release{Pack: "art", Version: 3, Percent: 10, Stores: []string{"north"},
		Files: []PackFile{{Path: "wall/logo.png", Size: 5, Digest: sha256.Sum256([]byte("hello"))}}}
	if change != nil {
		change(&r)
	}
	return r
}

func TestPacksTravel(t *testing.T) {
	want := PacksBody{Releases: []Release{someRelease(nil)}}
	s, err := NewSnapshot(Packs, "wanlian", 1, noon, want)
	if err != nil {
		t.Fatal(err)
	}
	_, _, trusted := key(1)
	opened, err := Open(seal(t, s, 1), trusted)
	if err != nil {
		t.Fatal(err)
	}
	got, err := opened.Packs()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if _, err := membersSnapshot(t, 1).Packs(); err == nil {
		t.Error("members are packs")
	}
}

func TestReleasesKeepTheRules(t *testing.T) {
	if err := someRelease(nil).Check(); err != nil {
		t.Fatal(err)
	}
	path := func(p string) func(*Release) { return func(r *Release) { r.Files[0].Path = p } }
	for name, spoil := range map[string]func(*Release){
		"no name":        func(r *Release) { r.Pack = "" },
		"odd name":       func(r *Release) { r.Pack = "../x" },
		"version 0":      func(r *Release) { r.Version = 0 },
		"101 percent":    func(r *Release) { r.Percent = 101 },
		"-1 percent":     func(r *Release) { r.Percent = -1 },
		"odd store":      func(r *Release) { r.Stores = []string{"A/B"} },
		"no file":        func(r *Release) { r.Files = nil },
		"too large":      func(r *Release) { r.Files[0].Size = MaxPackFile + 1 },
		"negative":       func(r *Release) { r.Files[0].Size = -1 },
		"outside":        path("../etc/passwd"),
		"absolute":       path("/etc/passwd"),
		"back":           path("a/../../b"),
		"backslash":      path(`a\b`),
		"drive":          path("c:x"),
		"control":        path("a\nb"),
		"not UTF-8":      path("a\xff"),
		"itself":         path("."),
		"long":           path(strings.Repeat("x", MaxPackPath+1)),
		"empty path":     path(""),
		"twice, by case": func(r *Release) { r.Files = append(r.Files, PackFile{Path: "Wall/Logo.png", Size: 1}) },
		"all too large": func(r *Release) {
			for i := range 5 {
				r.Files = append(r.Files, PackFile{Path: fmt.Sprint(i), Size: MaxPackFile})
			}
		},
		"too many": func(r *Release) {
			for i := range MaxPackFiles {
				r.Files = append(r.Files, PackFile{Path: fmt.Sprint(i)})
			}
		},
	} {
		if err := someRelease(spoil).Check(); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	twice := PacksBody{Releases: []Release{someRelease(nil), someRelease(nil)}}
	if err := twice.Check(); err == nil {
		t.Error("one version twice: taken")
	}
}

// A higher percentage takes stores in and puts none out, about as many as it says; another release begins with others.
func TestRolloutWidens(t *testing.T) {
	first := 0
	same := 0
	for i := range 1000 {
		store := fmt.Sprintf("store-%d", i)
		in := false
		for percent := 0; percent <= 100; percent += 10 {
			now := someRelease(func(r *Release) { r.Percent = percent }).For(store)
			if in && !now {
				t.Fatalf("%s is out at %d percent", store, percent)
			}
			if in = now; percent == 0 && in {
				t.Fatalf("%s is in at 0 percent", store)
			}
		}
		if !in {
			t.Fatalf("%s is not in at 100 percent", store)
		}
		a, b := someRelease(nil).For(store), someRelease(func(r *Release) { r.Version++ }).For(store)
		if a {
			first++
		}
		if a && b {
			same++
		}
	}
	if first < 60 || first > 140 {
		t.Errorf("10 percent of 1000 stores are %d", first)
	}
	if same > 40 {
		t.Errorf("%d of the first stores are first again", same)
	}
}

func TestAStoreHasTheNewestReleaseItIsChosenFor(t *testing.T) {
	old := someRelease(func(r *Release) { r.Version, r.Percent = 2, 100 })
	other := someRelease(func(r *Release) { r.Pack, r.Percent, r.Stores = "zoo", 0, []string{"south"} })
	body := PacksBody{Releases: []Release{someRelease(func(r *Release) { r.Percent = 0 }), other, old}}
	for store, want := range map[string]string{"north": "art 3", "south": "art 2 zoo 3", "east": "art 2"} {
		var got []string
		for _, r := range body.For(store) {
			got = append(got, fmt.Sprint(r.Pack, " ", r.Version))
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s has %v, want %s", store, got, want)
		}
	}
}

func TestChunksTravel(t *testing.T) {
	digest := Digest(sha256.Sum256([]byte("hello")))
	for _, want := range []Chunk{{digest, 1, 5, []byte("ell")}, {digest, 7, -1, []byte{}}, {digest, 5, 5, []byte{}}} {
		data, err := EncodeChunk(want)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := DecodeChunk(data); err != nil || cmp.Diff(want, got) != "" {
			t.Errorf("got %v, %v; want %v", got, err, want)
		}
	}
	for _, bad := range []Chunk{{digest, 3, 5, []byte("ell")}, {digest, -1, 5, nil}, {digest, 0, MaxPackFile, make([]byte, MaxChunk+1)}, {digest, 0, -1, []byte("x")}} {
		if _, err := EncodeChunk(bad); err == nil {
			t.Errorf("%d bytes at %d of %d: encoded", len(bad.Data), bad.Offset, bad.Total)
		}
	}
	ask := ChunkAsk{Digest: digest, Offset: 9, Length: 10}
	data, err := EncodeChunkAsk(ask)
	if err != nil {
		t.Fatal(err)
	}
	ask.V = Version
	if got, err := DecodeChunkAsk(data); err != nil || got != ask {
		t.Errorf("got %v, %v", got, err)
	}
	for _, bad := range []string{`{}`, `{"v":1,"sha256":"ABCD","offset":0,"length":1}`, strings.Replace(string(data), `"length":10`, `"length":0`, 1)} {
		if _, err := DecodeChunkAsk([]byte(bad)); err == nil {
			t.Errorf("%s: taken", bad)
		}
	}
}

// FuzzChunk: any bytes give a part of a file or an error; what decodes encodes to itself.
func FuzzChunk(f *testing.F) {
	good, _ := EncodeChunk(Chunk{Offset: 1, Total: 9, Data: []byte("abc")})
	f.Add(good)
	f.Add([]byte(chunkMagic))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := DecodeChunk(data)
		if err != nil {
			return
		}
		if c.Total >= 0 && c.Offset+int64(len(c.Data)) > c.Total || len(c.Data) > MaxChunk {
			t.Fatalf("%d bytes at %d of %d", len(c.Data), c.Offset, c.Total)
		}
		if back, err := EncodeChunk(c); err != nil || !bytes.Equal(back, data) {
			t.Fatalf("encodes to %x, %v", back, err)
		}
	})
}

// FuzzPacks: whatever the body of a snapshot says, what passes the check keeps every limit and names no file outside.
func FuzzPacks(f *testing.F) {
	good, _ := json.Marshal(PacksBody{Releases: []Release{someRelease(nil)}})
	f.Add(good)
	f.Add([]byte(`{"releases":[{"pack":"a","version":1,"files":[{"path":"../x","size":1,"sha256":"00"}]}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := Snapshot{Kind: Packs, Body: data}.Packs()
		if err != nil {
			return
		}
		for _, r := range b.For("north") {
			if r.Bytes() > MaxPackBytes || len(r.Files) > MaxPackFiles {
				t.Fatalf("%d bytes in %d files", r.Bytes(), len(r.Files))
			}
			for _, file := range r.Files {
				if strings.Contains("/"+file.Path+"/", "/../") || strings.HasPrefix(file.Path, "/") {
					t.Fatalf("%q", file.Path)
				}
			}
		}
	})
}
