package frame

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"foyer/firmware-profiles"
)

func TestBuiltinExamples(t *testing.T) {
	for _, p := range profiles.Builtin() {
		t.Run(p.ID, func(t *testing.T) {
			if err := CheckExamples(p); err != nil {
				t.Error(err)
			}
		})
	}
}

// An example that comes out otherwise than written is told with its line.
func TestWrongExample(t *testing.T) {
	p := *find(t, "wiegand34")
	p.Examples = []profiles.Example{
		{Name: "a", Bits: p.Examples[0].Bits, Expect: []profiles.Expect{{Tag: "em4100-32:007B3972", Also: "em4100-24:7B3972"}}},
		{Name: "b", Bits: p.Examples[0].Bits, Expect: []profiles.Expect{{Tag: "em4100-32:007B3973"}}, Line: 40},
		{Name: "c", Bits: "01", Line: 44},
	}
	err := CheckExamples(&p)
	want := "readers/wiegand34.yaml:40: example \"b\": got [tag em4100-32:007B3972 also em4100-24:7B3972], want [tag em4100-32:007B3973]\n" +
		"readers/wiegand34.yaml:44: example \"c\": got [bad bit_count_mismatch], want nothing"
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

// FuzzProfile: whatever profile passes the check can be compiled and played.
func FuzzProfile(f *testing.F) {
	files, err := filepath.Glob("../../firmware-profiles/readers/*.yaml")
	if err != nil || len(files) == 0 {
		f.Fatal("no profiles", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data, []byte("\xBB\x02\x22\x00\x11"))
	}
	f.Fuzz(func(t *testing.T, data, wire []byte) {
		p, err := profiles.Parse("f.yaml", data)
		if err != nil {
			return
		}
		if err := CheckExamples(p); err != nil && !strings.HasPrefix(err.Error(), "f.yaml:") {
			t.Fatal(err)
		}
		if p.Kind != profiles.Serial {
			return
		}
		s, d := New(p), NewDecoder(p)
		each := func(f Frame) {
			var seen Sighting
			if m := d.Decode(f, &seen); (m.Kind == Tag) == seen.Number.IsZero() {
				t.Fatalf("%+v with number %v", m, seen.Number)
			}
		}
		s.Feed(wire, each)
		s.Flush(each)
		if s.n != 0 {
			t.Fatalf("%d bytes left", s.n)
		}
	})
}
