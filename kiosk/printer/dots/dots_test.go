package dots

import (
	"bytes"
	"image"
	"image/color"
	"testing"

	"pgregory.net/rapid"
)

func TestColumns(t *testing.T) {
	for s, want := range map[string]int{"": 0, "abc": 3, "优惠券": 6, "10 元": 5, "é": 1, "e\u0301": 1, "“好”": 6, "…": 2, "¥": 1, "👍": 2, "𬭎": 2, "\u200b": 0} {
		if got := Columns(s); got != want {
			t.Errorf("%q takes %d columns, want %d", s, got, want)
		}
	}
}

// Every glyph has the size of its cell, and no two of these look alike.
func TestGlyphs(t *testing.T) {
	seen := map[string]rune{}
	for _, r := range "0OQCGABWMil1优惠券𬭎龑👍ж¥" {
		for _, bold := range []bool{false, true} {
			g := Glyph(r, 12, 24, bold)
			if g.W != 12*Cells(r) || g.H != 24 || g.White() {
				t.Errorf("%q: %d by %d dots", r, g.W, g.H)
			}
			if !bold {
				if other, ok := seen[string(g.Bytes())]; ok {
					t.Errorf("%q looks like %q", r, other)
				}
				seen[string(g.Bytes())] = r
			}
		}
	}
	if !Glyph(' ', 12, 24, false).White() {
		t.Error("a space is not white")
	}
}

func TestAGreyPictureStaysGrey(t *testing.T) {
	img := image.NewGray(image.Rect(0, 0, 640, 200))
	for i := range img.Pix {
		img.Pix[i] = 128
	}
	b, err := Picture(img, 320)
	if err != nil || b.W != 320 || b.H != 100 {
		t.Fatalf("%+v, %v", b, err)
	}
	black := 0
	for y := range b.H {
		for x := range b.W {
			if b.Black(x, y) {
				black++
			}
		}
	}
	if share := float64(black) / float64(b.W*b.H); share < 0.45 || share > 0.55 {
		t.Errorf("%.2f of a half-grey picture is black", share)
	}
	clear := image.NewNRGBA(image.Rect(0, 0, 8, 8)) // all of it transparent
	clear.Set(0, 0, color.Black)
	if b, err = Picture(clear, 8); err != nil || !b.Black(0, 0) || b.Black(7, 7) {
		t.Errorf("what is transparent is not white: %v", err)
	}
}

func TestBitmaps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, h := rapid.IntRange(0, 70).Draw(t, "w"), rapid.IntRange(0, 40).Draw(t, "h")
		b := New(w, h)
		for range rapid.IntRange(0, 30).Draw(t, "dots") {
			b.Set(rapid.IntRange(-5, 80).Draw(t, "x"), rapid.IntRange(-5, 80).Draw(t, "y"))
		}
		again, err := Unpack(w, h, b.Bytes())
		if err != nil || !bytes.Equal(again.Bytes(), b.Bytes()) {
			t.Fatalf("unpacked otherwise: %v", err)
		}
		twice := b.Scale(2, 3)
		copied := New(w, h)
		copied.Draw(b, 0, 0)
		copied.Invert(0, 0, w, h)
		for y := range h {
			for x := range w {
				if b.Black(x, y) == copied.Black(x, y) || b.Black(x, y) != twice.Black(2*x+1, 3*y+2) {
					t.Fatalf("%d, %d differs", x, y)
				}
			}
		}
		copied.Grow(h + 7)
		if copied.H != h+7 || copied.Crop(h, h+7).H != 7 || !copied.Crop(h, h+7).White() {
			t.Fatal("grown otherwise than white")
		}
	})
	if _, err := Unpack(8, 2, []byte{1}); err == nil {
		t.Error("took too few bytes")
	}
}

func BenchmarkGlyphs(b *testing.B) {
	for i := 0; b.Loop(); i++ {
		Glyph('一'+rune(i%4000), 12, 24, false)
	}
}
