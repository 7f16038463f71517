package known

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"testing"

	"foyer/reader/tag"
)

// tags are n of a chain's, by a seed.
func tags(n int, seed uint64) []tag.ID {
	r := rand.New(rand.NewPCG(seed, 1))
	all := make([]tag.ID, n)
	for i := range all {
		binary.BigEndian.PutUint64(all[i][:], r.Uint64())
		binary.BigEndian.PutUint64(all[i][8:], r.Uint64())
	}
	return all
}

func build(t testing.TB, all []tag.ID) *Filter {
	t.Helper()
	f, err := Build(all)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Parse(f.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	return again
}

// Whoever is in it is found, whatever their number, and tags that are there twice do no harm.
func TestEverybodyIsKnown(t *testing.T) {
	for _, n := range []int{0, 1, 2, 3, 4, 5, 10, 100, 1000, 4096, 10_001, 100_000} {
		all := tags(n, uint64(n))
		f := build(t, append(all, all[:n/2]...))
		if f.Len() != n {
			t.Errorf("%d tags count as %d", n, f.Len())
		}
		for _, id := range all {
			if !f.Has(id) {
				t.Fatalf("one of %d tags is not known", n)
			}
		}
	}
}

// A million tags take nine bits each, and of the strangers no more than one in 256 is taken for known.
func TestAMillionTags(t *testing.T) {
	const n = 1_000_000
	all := tags(n, 7)
	f := build(t, all)
	for _, id := range all {
		if !f.Has(id) {
			t.Fatal("a tag is not known")
		}
	}
	if size := len(f.Bytes()); size > n*115/100 {
		t.Errorf("%d bytes for %d tags", size, n)
	}
	wrong := 0
	for _, id := range tags(n, 8) {
		if f.Has(id) {
			wrong++
		}
	}
	if wrong < n/256*9/10 || wrong > n/256*11/10 {
		t.Errorf("%d of %d strangers are taken for known, want one in 256", wrong, n)
	}
	t.Logf("%d bytes for %d tags; %d of as many strangers are taken for known", len(f.Bytes()), n, wrong)
}

func TestAdditions(t *testing.T) {
	all, more := tags(1000, 1), tags(50, 2)
	f := build(t, all)
	var list []byte
	for _, id := range more {
		list = AppendMark(list, id)
	}
	both, err := f.With(list)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range append(all, more...) {
		if !both.Has(id) {
			t.Fatal("a tag is not known")
		}
	}
	if both.Len() != 1050 || f.Len() != 1000 || !bytes.Equal(both.Bytes(), f.Bytes()) {
		t.Errorf("%d and %d tags", both.Len(), f.Len())
	}
	for _, bad := range [][]byte{list[:9], make([]byte, MaxAdditions+MarkBytes)} {
		if _, err := f.With(bad); !errors.Is(err, ErrFormat) {
			t.Errorf("a list of %d bytes: %v", len(bad), err)
		}
	}
	if (*Filter)(nil).Has(all[0]) || f.Has(tag.ID{}) || (*Filter)(nil).Len() != 0 {
		t.Error("nobody is known")
	}
}

func TestBrokenFilters(t *testing.T) {
	good := build(t, tags(100, 3)).Bytes()
	change := func(at int, b byte) []byte {
		bad := bytes.Clone(good)
		bad[at] = b
		return bad
	}
	for name, bad := range map[string][]byte{
		"nothing": nil, "another magic": change(0, 'X'), "a newer format": change(4, 2), "one place less": good[:len(good)-1], "one more": append(bytes.Clone(good), 0),
		"no tags": change(16, 0), "more segments": change(20, 200), "a longer segment": change(21, 30), "none": change(21, 0),
	} {
		if _, err := Parse(bad); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Whatever passes for a filter answers, and is written as it was read.
func FuzzParse(f *testing.F) {
	f.Add(build(f, tags(20, 4)).Bytes(), []byte("12345678"))
	f.Add(build(f, nil).Bytes(), []byte{})
	f.Fuzz(func(t *testing.T, data, list []byte) {
		filter, err := Parse(data)
		if err != nil {
			if !errors.Is(err, ErrFormat) {
				t.Fatal(err)
			}
			return
		}
		if !bytes.Equal(filter.Bytes(), data) {
			t.Fatal("it is written otherwise than it was read")
		}
		if more, err := filter.With(list); err == nil {
			filter = more
		}
		for _, id := range append(tags(20, 4), tag.ID{1}) {
			filter.Has(id)
		}
	})
}

func BenchmarkBuildAMillion(b *testing.B) {
	all := tags(1_000_000, 7)
	var size int
	for b.Loop() {
		size = len(build(b, all).Bytes())
	}
	b.ReportMetric(float64(size)/float64(len(all)), "bytes/tag")
}

func BenchmarkLookUp(b *testing.B) {
	f := build(b, tags(1_000_000, 7))
	strangers := tags(1<<16, 8)
	i := 0
	for b.Loop() {
		f.Has(strangers[i&(1<<16-1)])
		i++
	}
}
