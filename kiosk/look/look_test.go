package look

import (
	"image"
	"image/color"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestEveryDrawingDraws(t *testing.T) {
	for _, name := range Drawings() {
		img := Raster(name, 96, 96)
		if ink(img) < 96*96/40 {
			t.Errorf("%s is nearly empty", name)
		}
		if img != Raster(name, 96, 96) {
			t.Errorf("%s is drawn again for the same size", name)
		}
	}
}

func ink(img *image.RGBA) int {
	n := 0
	for i := 3; i < len(img.Pix); i += 4 {
		if img.Pix[i] > 0 {
			n++
		}
	}
	return n
}

func TestMotifs(t *testing.T) {
	for _, art := range []string{"phone", "data", "gift", "music", "video", "home", "star", "cup"} {
		if !HasMotif(art) {
			t.Errorf("no motif for %s", art)
		}
	}
	if got := Motif("no such thing"); got != "motif-star" {
		t.Errorf("an unknown art is drawn as %s", got)
	}
}

func TestHallKeepsItsProportions(t *testing.T) {
	for _, mood := range []Mood{Evening, Feast, Wide} {
		img := Hall{Mood: mood, Centre: 0.5, Base: 0.9, Span: 0.7, Plants: true, Stars: true}.Raster(300, 320)
		light := img.RGBAAt(150, 280)
		if light.R != Cream.R || light.G != Cream.G || light.B != Cream.B {
			t.Errorf("mood %d: no light at the end of the hall, but %v", mood, light)
		}
		if opaque := img.RGBAAt(2, 2).A == 0xFF; opaque == (mood == Wide) {
			t.Errorf("mood %d: ground opaque %v", mood, opaque)
		}
	}
}

func TestConfettiKeepsOffWords(t *testing.T) {
	clear := Box{X: 20, Y: 0, W: 60, H: 60}
	img := Confetti(200, 200, clear)
	for y := range 60 {
		for x := 20; x < 80; x++ {
			if img.RGBAAt(x, y).A > 0 {
				t.Fatalf("a snippet at %d,%d", x, y)
			}
		}
	}
	if ink(img) < 200 {
		t.Error("hardly any confetti")
	}
}

// Words stand on their grounds with a contrast of at least 4.5 to 1.
func TestContrast(t *testing.T) {
	for _, p := range []struct {
		name         string
		text, ground color.NRGBA
	}{
		{"ink on paper", Ink, Paper}, {"slate on paper", Slate, Paper}, {"slate on card", Slate, Card}, {"teal on paper", Teal, Paper},
		{"card on teal", Card, Teal}, {"ink on honey", Ink, Honey}, {"card on night", Card, Night}, {"fog on night", Fog, Night},
		{"fog on deep", Fog, Deep}, {"honey on night", Honey, Night}, {"low teal on mist", TealLow, Mist}, {"card on plum", Card, Plum},
		{"slate on blush", Slate, Blush}, {"slate on mist", Slate, Mist}, {"slate on lilac", Slate, Lilac}, {"slate on cream", Slate, Cream},
		{"teal on cream", Teal, Cream}, {"low teal on lilac", TealLow, Lilac}, {"low teal on blush", TealLow, Blush},
		{"fog on the feast", Fog, rgb(0x66304F)},
	} {
		if c := contrast(p.text, p.ground); c < 4.5 {
			t.Errorf("%s: %.2f", p.name, c)
		}
	}
}

// contrast is the ratio of WCAG 2.2.
func contrast(a, b color.NRGBA) float64 {
	l := func(c color.NRGBA) float64 {
		lin := func(v uint8) float64 {
			s := float64(v) / 255
			if s <= 0.04045 {
				return s / 12.92
			}
			return math.Pow((s+0.055)/1.055, 2.4)
		}
		return 0.2126*lin(c.R) + 0.7152*lin(c.G) + 0.0722*lin(c.B)
	}
	x, y := l(a)+0.05, l(b)+0.05
	return max(x, y) / min(x, y)
}

func TestWrap(t *testing.T) {
	for _, tc := range []struct {
		text  string
		width float32
		want  []string
	}{
		{"上午好，王女士", 7, []string{"上午好，王女士"}},
		{"上午好，王女士", 6, []string{"上午好，", "王女士"}},
		{"上午好，欧阳修远先生", 8, []string{"上午好，", "欧阳修远先生"}},
		{"上午好，阿卜杜热西提·买买提江先生", 11, []string{"上午好，阿卜杜热西提·", "买买提江先生"}},
		{"本周流量自动翻倍", 7, []string{"本周流量", "自动翻倍"}},
		{"他说：“好。”", 5, []string{"他说：", "“好。”"}},
		{"Good morning, Ms Wang", 8, []string{"Good morning,", "Ms Wang"}},
		{"save up to 1,000 today", 6, []string{"save up to", "1,000 today"}},
		{"Featherstone-Haugh", 7, []string{"Featherstone-", "Haugh"}},
		{" 王，王", 2, []string{"王，", "王"}},
	} {
		got, _, torn := Wrap(tc.text, false, tc.width)
		if diff := cmp.Diff(tc.want, got); diff != "" || torn {
			t.Errorf("%q in %g (torn %v):\n%s", tc.text, tc.width, torn, diff)
		}
	}
}

// Whatever a name is made of, what is set fits its place.
func TestSetAlwaysFits(t *testing.T) {
	letters := rapid.SampledFrom([]rune("王欧阳修远，。！？·“”（） abcWXYZ-,.'éŁǚ🎉𠮷\u200d龘"))
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringOfN(letters, 0, 200, -1).Draw(t, "text")
		w, h := float32(rapid.IntRange(60, 900).Draw(t, "w")), float32(rapid.IntRange(20, 300).Draw(t, "h"))
		most := rapid.IntRange(1, 3).Draw(t, "most")
		size, lines := Set(s, rapid.Bool().Draw(t, "heavy"), w, h, most, 1.3, []float32{60, 40, 18})
		if len(lines) > most {
			t.Fatalf("%d lines", len(lines))
		}
		for _, l := range lines {
			if Advance(l, false)*size > w*1.15+size { // bold is at most so much wider; one character always stands
				t.Fatalf("%q at %g in %g", l, size, w)
			}
		}
		if strings.TrimSpace(s) != "" && len(lines) == 0 {
			t.Fatal("nothing is set")
		}
	})
}

func TestCut(t *testing.T) {
	for text, want := range map[string]string{
		"A very long English sentence that never ends": "A very lon...",
		"一句说也说不完的很长很长的话":                               "一句说也…",
	} {
		if _, lines := Set(text, false, 110, 20, 1, 1.3, []float32{20}); lines[0] != want {
			t.Errorf("%q became %q", text, lines[0])
		}
	}
}

func TestFrame(t *testing.T) {
	big, small := NewFrame(1080, 1920, 398), NewFrame(1080, 1920, 120)
	if got := big.Px(Small); math.Abs(float64(got)-29.16) > 0.1 {
		t.Errorf("small text on a large panel: %g px", got)
	}
	if got := small.Px(Small); got != 6.5*9 {
		t.Errorf("small text on a small panel keeps %g px", got)
	}
	if !big.Portrait() || NewFrame(1920, 1080, 0).Portrait() {
		t.Error("which way a panel hangs")
	}
}

func TestCoversAndSource(t *testing.T) {
	if !Covers("上午好，王女士 Ms Wang ★") || Covers("🎉") || Covers("𠮷") {
		t.Error("what the font covers")
	}
	if Source("好", true) != Bold || Source("好", false) != Regular || Source("🎉", true) != nil {
		t.Error("which font draws what")
	}
}

func BenchmarkHall(b *testing.B) {
	h := Hall{Mood: Evening, Centre: 0.5, Base: 0.88, Span: 0.66, Plants: true, Stars: true}
	for b.Loop() {
		img := image.NewRGBA(image.Rect(0, 0, 1080, 1123))
		h.ground(img)
		paint(img, []byte(h.svg(1080, 1123)))
	}
}
