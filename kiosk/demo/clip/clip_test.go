package clip

import (
	"os"
	"testing"
	"time"
)

func film(t testing.TB) []byte {
	t.Helper()
	data, err := os.ReadFile("../library/tv/clips/nature.mpg")
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestAClip(t *testing.T) {
	w, h, fps, seconds, err := Probe(film(t))
	if err != nil || w != 640 || h != 360 || fps != 25 || seconds < 5.9 || seconds > 6.1 {
		t.Fatalf("%d x %d at %v for %v s: %v", w, h, fps, seconds, err)
	}
	c, err := Open(film(t))
	if err != nil {
		t.Fatal(err)
	}
	first, _, err := c.At(0)
	if err != nil || first == nil {
		t.Fatalf("no first picture: %v", err)
	}
	if again, _, _ := c.At(10 * time.Millisecond); again != nil {
		t.Error("a new picture before it is due")
	}
	late, dropped, err := c.At(time.Second)
	if err != nil || late == nil || dropped != 24 {
		t.Errorf("after a second %d were dropped, %v", dropped, err)
	}
	if late == first {
		t.Error("a picture that is on the glass was painted over")
	}
	for at := time.Second; !c.Over(); at += time.Second {
		if _, _, err := c.At(at); err != nil {
			t.Fatal(err)
		}
		if at > time.Minute {
			t.Fatal("it never ends")
		}
	}
	if err := c.Again(); err != nil {
		t.Fatal(err)
	}
	if img, _, err := c.At(0); img == nil || err != nil {
		t.Errorf("it does not begin again: %v", err)
	}
}

func TestBadClips(t *testing.T) {
	for name, data := range map[string][]byte{"nothing": nil, "text": []byte("this is no clip, and it is longer than thirty-two bytes"), "a head alone": film(t)[:60]} {
		if _, err := Open(data); err == nil {
			if _, _, _, _, err := Probe(data); err == nil {
				t.Errorf("%s was taken", name)
			}
		}
	}
	for n := 100; n < 40_000; n += 1777 { // torn anywhere
		Probe(film(t)[:n])
	}
}

func FuzzClip(f *testing.F) {
	f.Add(film(f)[:20_000])
	f.Add([]byte{0, 0, 1, 0xBA})
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := Open(data)
		if err != nil {
			return
		}
		for i := range 3 {
			c.At(time.Duration(i) * 100 * time.Millisecond)
		}
	})
}

// One picture decoded and painted: 640 x 360. What a clip of 30 pictures a second may take is 33 ms for each.
func BenchmarkPicture(b *testing.B) {
	data := film(b)
	c, err := Open(data)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for at := time.Duration(0); b.Loop(); at += 40 * time.Millisecond {
		img, _, err := c.At(at)
		if err != nil {
			b.Fatal(err)
		}
		if img == nil {
			if err := c.Again(); err != nil {
				b.Fatal(err)
			}
			at = 0
		}
	}
}
