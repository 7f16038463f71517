package profiles

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the expected messages anew")

func TestBuiltin(t *testing.T) {
	all := Builtin()
	var ids []string
	for _, p := range all {
		ids = append(ids, p.ID)
		if p.File != "readers/"+p.ID+".yaml" {
			t.Errorf("%s is in the file %s", p.ID, p.File)
		}
		if p.About.Title.In("en") == p.About.Title.In("zh-CN") {
			t.Errorf("%s has one title for both languages", p.ID)
		}
		if found, ok := Find(p.ID); !ok || found != p {
			t.Errorf("%s is not found", p.ID)
		}
	}
	if !slices.IsSorted(ids) || slices.Contains(ids, "") {
		t.Errorf("ids %q", ids)
	}
	if _, ok := Find("no-such"); ok {
		t.Error("a profile that is not there is found")
	}
}

func TestDefaults(t *testing.T) {
	p, ok := Find("wiegand26")
	if !ok || p.Wiegand.Parity[1].Over != 0x1FFE000 {
		t.Errorf("got %+v", p)
	}
	data := readBad(t, "command-with-wrong-check.yaml")
	p, err := Parse("x.yaml", []byte(strings.Replace(data, "00 29 7E", "00 28 7E", 1)))
	if err != nil {
		t.Fatal(err)
	}
	if p.Link.Serial != (SerialLine{115200, 8, NoParity, 1}) || p.Link.ReadTimeout != 100*time.Millisecond ||
		p.Framing.Length.Order != Big || p.Session.Start[0].Within != 500*time.Millisecond || p.Examples[0].Line != 29 {
		t.Errorf("got %+v, %+v, %+v, line %d", p.Link, p.Framing.Length, p.Session.Start, p.Examples[0].Line)
	}
}

func readBad(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "bad", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// Each file under testdata/bad has one thing wrong, or a few, and the message that a technician sees beside it.
func TestBadProfiles(t *testing.T) {
	files, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("no files", err)
	}
	for _, file := range files {
		name := filepath.Base(file)
		t.Run(name, func(t *testing.T) {
			p, err := Parse(name, []byte(readBad(t, name)))
			if err == nil || p != nil {
				t.Fatal("taken for good")
			}
			wantFile := strings.TrimSuffix(name, ".yaml") + ".want"
			if *update {
				if err := os.WriteFile(filepath.Join("testdata", "bad", wantFile), []byte(err.Error()+"\n"), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(readBad(t, wantFile), err.Error()+"\n"); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestTotalLength(t *testing.T) {
	for name, c := range map[string]struct {
		length Length
		head   []byte
		want   int
	}{
		"big":      {Length{At: 1, Size: 2, Order: Big, Add: 4}, []byte{0xBB, 0, 1, 2}, 0x106},
		"little":   {Length{At: 1, Size: 2, Order: Little, Add: 4}, []byte{0xBB, 0, 1, 2}, 0x205},
		"one byte": {Length{At: 0, Size: 1, Add: 2}, []byte{0xA0, 4}, 6},
		"too few":  {Length{At: 1, Size: 2, Add: 4}, []byte{0xBB, 0, 1}, 0},
	} {
		if got := c.length.TotalLength(1, c.head); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

// FuzzParse: a profile is good, or every fault has a file; never a panic.
func FuzzParse(f *testing.F) {
	for _, glob := range []string{"readers/*.yaml", "testdata/bad/*.yaml"} {
		files, err := filepath.Glob(glob)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := Parse("f.yaml", data)
		if (err == nil) == (p == nil) {
			t.Fatalf("got %v, %v", p, err)
		}
		if err == nil {
			if p.Framing != nil && (p.Framing.Shortest() > p.Framing.Longest() || p.Framing.Longest() > maxFrame) {
				t.Fatalf("frames of %d to %d bytes", p.Framing.Shortest(), p.Framing.Longest())
			}
			return
		}
		for line := range strings.Lines(err.Error()) {
			if !strings.HasPrefix(line, "f.yaml:") {
				t.Fatalf("no file in %q", line)
			}
		}
	})
}
