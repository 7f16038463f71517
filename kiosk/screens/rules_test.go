package screens

import (
	"fmt"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/test"

	"foyer/internal/words"
	"foyer/kiosk/look"
	"foyer/kiosk/scene"
)

// panels are real ones: 32 inch standing and lying, 24 and 21.5 inch, and 16:10.
var panels = []look.Frame{
	look.NewFrame(1080, 1920, 398), look.NewFrame(1920, 1080, 708), look.NewFrame(1080, 1920, 299),
	look.NewFrame(1080, 1920, 268), look.NewFrame(1920, 1080, 476), look.NewFrame(1200, 1920, 300),
}

// placed is an object and where it is on the screen.
type placed struct {
	fyne.CanvasObject
	box look.Box
}

// seen lists the objects of a tree that show, or all of them.
func seen(o fyne.CanvasObject, at fyne.Position, hidden bool) []placed {
	if !o.Visible() && !hidden {
		return nil
	}
	at = at.Add(o.Position())
	list := []placed{{o, look.Box{X: at.X, Y: at.Y, W: o.Size().Width, H: o.Size().Height}}}
	var inside []fyne.CanvasObject
	switch o := o.(type) {
	case *fyne.Container:
		inside = o.Objects
	case *pad:
		inside = []fyne.CanvasObject{o.content}
	}
	for _, child := range inside {
		list = append(list, seen(child, at, hidden)...)
	}
	return list
}

// everyScene draws every story on every panel in both languages.
func everyScene(t *testing.T, check func(t *testing.T, f look.Frame, root fyne.CanvasObject)) {
	test.NewTempApp(t).Settings().SetTheme(look.Theme{Ground: look.Paper})
	for _, f := range panels {
		k, w := NewKiosk(config(f, nil)), NewWall(config(f, nil))
		for _, lang := range []string{"zh-CN", "en"} {
			for _, s := range kioskStories(lang) {
				state, now := s.kiosk()
				k.Show(state, now)
				t.Run(fmt.Sprintf("kiosk %s %s %.0fx%.0f %.0fmm", s.name, lang, f.W, f.H, f.W/f.MM), func(t *testing.T) { check(t, f, k.Root()) })
			}
			for _, s := range wallStories(lang) {
				state, now := s.wall()
				w.Show(state, now)
				t.Run(fmt.Sprintf("wall %s %s %.0fx%.0f %.0fmm", s.name, lang, f.W, f.H, f.W/f.MM), func(t *testing.T) { check(t, f, w.Root()) })
			}
		}
	}
}

// A finger is 20 mm wide and lands 6 mm beside where it was meant to; arms do not reach the top of a standing panel.
func TestEveryTargetSuitsAFinger(t *testing.T) {
	everyScene(t, func(t *testing.T, f look.Frame, root fyne.CanvasObject) {
		targets := touchable(root, f)
		for i, a := range targets {
			name := a.CanvasObject.(*pad).label
			least, apart := float32(look.TargetMM), float32(look.GapMM)
			if a.CanvasObject.(*pad).dense {
				least = look.KeyMM
			}
			if side := min(a.box.W, a.box.H); side < least*f.MM-0.5 {
				t.Errorf("%q is %.1f mm", name, side/f.MM)
			}
			if a.box.X < 0 || a.box.Y < 0 || a.box.Right() > f.W+0.5 || a.box.Bottom() > f.H+0.5 {
				t.Errorf("%q leaves the screen: %+v", name, a.box)
			}
			if f.Portrait() && a.box.Y < f.H*0.25 {
				t.Errorf("%q is too high up to reach", name)
			}
			for _, b := range targets[i+1:] {
				if apart = look.GapMM; a.CanvasObject.(*pad).dense && b.CanvasObject.(*pad).dense {
					apart = look.KeyGapMM
				}
				if gap := apartBy(a.box, b.box); gap < apart*f.MM-0.5 {
					t.Errorf("%q and %q are %.1f mm apart", name, b.CanvasObject.(*pad).label, gap/f.MM)
				}
			}
		}
	})
}

// touchable lists the pads that a finger can reach: not the grounds, and nothing below a ground.
func touchable(root fyne.CanvasObject, f look.Frame) []placed {
	var list []placed
	for _, o := range seen(root, fyne.Position{}, false) {
		if _, ok := o.CanvasObject.(*pad); ok {
			if o.box.W >= f.W {
				list = nil
				continue
			}
			list = append(list, o)
		}
	}
	return list
}

func apartBy(a, b look.Box) float32 {
	dx := max(a.X-b.Right(), b.X-a.Right())
	dy := max(a.Y-b.Bottom(), b.Y-a.Bottom())
	return max(dx, dy)
}

// Without a graphics chip a rectangle over the whole screen costs half of the frames.
func TestNoRectangleCoversTheScreen(t *testing.T) {
	everyScene(t, func(t *testing.T, f look.Frame, root fyne.CanvasObject) {
		for _, o := range seen(root, fyne.Position{}, true) {
			switch o.CanvasObject.(type) {
			case *canvas.Rectangle, *canvas.Image:
				if o.box.W*o.box.H > 0.9*f.W*f.H {
					t.Errorf("%T covers %.0f x %.0f", o.CanvasObject, o.box.W, o.box.H)
				}
			}
		}
	})
}

// No text leaves its place or the screen, by Fyne's own measure of it, and none lies on another.
func TestNoTextIsClipped(t *testing.T) {
	everyScene(t, func(t *testing.T, f look.Frame, root fyne.CanvasObject) {
		var texts []placed
		for _, o := range seen(root, fyne.Position{}, false) {
			text, ok := o.CanvasObject.(*canvas.Text)
			if !ok || text.Text == "" {
				continue
			}
			if w := text.MinSize().Width; w > o.box.W*1.02+1 {
				t.Errorf("%q is %.0f wide in a place of %.0f", text.Text, w, o.box.W)
			}
			ink := inkOf(o, text)
			if ink.X < 0 || ink.Y < 0 || ink.Right() > f.W || ink.Bottom() > f.H {
				t.Errorf("%q leaves the screen: %+v", text.Text, ink)
			}
			texts = append(texts, placed{text, ink})
		}
		if !strings.Contains(t.Name(), "idle") && !strings.Contains(t.Name(), "notice") { // a sheet and a notice lie over words on purpose
			overlaps(t, texts)
		}
	})
}

// inkOf is where the characters of a line of text are.
func inkOf(o placed, text *canvas.Text) look.Box {
	w := text.MinSize().Width
	x := o.box.X
	switch text.Alignment {
	case fyne.TextAlignCenter:
		x += (o.box.W - w) / 2
	case fyne.TextAlignTrailing:
		x += o.box.W - w
	}
	baseline := o.box.Y + text.TextSize*look.Ascent
	return look.Box{X: x, Y: baseline - text.TextSize*0.78, W: w, H: text.TextSize * 0.86}
}

func overlaps(t *testing.T, texts []placed) {
	t.Helper()
	for i, a := range texts {
		for _, b := range texts[i+1:] {
			if apartBy(a.box, b.box) < 0 {
				t.Errorf("%q lies on %q", a.CanvasObject.(*canvas.Text).Text, b.CanvasObject.(*canvas.Text).Text)
			}
		}
	}
}

// Chinese must be right on a box without any system font: all that we say is in our own.
func TestEveryCharacterIsInOurFont(t *testing.T) {
	c := words.Load()
	for _, lang := range c.Languages() {
		for _, section := range []string{"common.", "kiosk.", "greeting."} {
			for _, key := range c.Keys(lang, section) {
				if s := c.Text(lang, key); !look.Covers(s) {
					t.Errorf("%s %s: %q has a character that the font lacks", lang, key, s)
				}
			}
		}
	}
	for _, name := range []string{"王", "欧阳修远", "诸葛亶喆", "阿卜杜热西提·买买提江", "㛃", "䶮", "犇骉", "Lindqvist", "Øster", "Müller", "lǚ ǎn yī", "★ → ¥"} {
		if !look.Covers(name) {
			t.Errorf("%q has a character that the font lacks", name)
		}
	}
}

// After a session no object, shown or hidden, holds a word of the person.
func TestScreensForget(t *testing.T) {
	test.NewTempApp(t)
	for _, f := range panels[:2] {
		k := NewKiosk(config(f, nil))
		enter := tap(scene.Enter, "")
		for _, way := range [][]any{
			{birthday("zh-CN")}, {birthday("zh-CN"), enter}, {birthday("en"), enter, tap(scene.Open, "gift")},
			{birthday("en"), enter, tap(scene.Turn, ""), scene.Greeted{Greeting: rare}},
		} {
			s := script{lang: "zh-CN", in: append([]any{opened(1, 2)}, way...)}
			state, now := s.kiosk()
			k.Show(state, now)
			s.in = append(s.in, scene.Departed{Visit: "v6"}, tap(scene.Finish, ""))
			state, now = s.kiosk()
			k.Show(state, now)
			for _, o := range seen(k.Root(), fyne.Position{}, true) {
				if text, ok := o.CanvasObject.(*canvas.Text); ok && names(text.Text) {
					t.Errorf("still says %q", text.Text)
				}
			}
		}
	}
}

func names(s string) bool {
	for _, word := range []string{"王", "Wang", "生日", "birthday", "诸葛", "Zhuge", "新机", "Trade"} {
		if strings.Contains(s, word) {
			return true
		}
	}
	return false
}

// Fyne keeps each new object for a minute, so scenes are drawn with the same ones for ever.
func TestObjectsAreReused(t *testing.T) {
	test.NewTempApp(t)
	f := panels[0]
	k, w := NewKiosk(config(f, nil)), NewWall(config(f, nil))
	before := len(seen(k.Root(), fyne.Position{}, true)) + len(seen(w.Root(), fyne.Position{}, true))
	for range 3 {
		for _, s := range kioskStories("en") {
			state, now := s.kiosk()
			k.Show(state, now)
		}
		for _, s := range wallStories("en") {
			state, now := s.wall()
			w.Show(state, now)
		}
	}
	if after := len(seen(k.Root(), fyne.Position{}, true)) + len(seen(w.Root(), fyne.Position{}, true)); after != before {
		t.Errorf("%d objects became %d", before, after)
	}
}

// The pads say what they were made to say.
func TestTouches(t *testing.T) {
	test.NewTempApp(t)
	for _, tc := range []struct {
		story string
		pad   string
		want  scene.Touch
	}{
		{"attract", "browse", scene.Touch{Act: scene.Enter}},
		{"attract", "language", scene.Touch{Act: scene.Speak, Arg: "en"}},
		{"attract", "teaser", scene.Touch{Act: scene.Open, Arg: "phone"}},
		{"greet", "enter", scene.Touch{Act: scene.Enter}},
		{"greet", "later", scene.Touch{Act: scene.Finish}},
		{"home", "offer", scene.Touch{Act: scene.Open, Arg: "phone"}},
		{"home-many", "more", scene.Touch{Act: scene.Turn}},
		{"home", "finish", scene.Touch{Act: scene.Finish}},
		{"detail", "back", scene.Touch{Act: scene.Back}},
		{"idle", "more", scene.Touch{Act: scene.More}},
		{"idle", "done", scene.Touch{Act: scene.Finish}},
	} {
		var got []scene.Touch
		f := panels[0]
		k := NewKiosk(config(f, func(in scene.Touch) { got = append(got, in) }))
		for _, s := range kioskStories("zh-CN") {
			if s.name == tc.story {
				state, now := s.kiosk()
				k.Show(state, now)
			}
		}
		for _, o := range touchable(k.Root(), f) {
			if p := o.CanvasObject.(*pad); p.label == tc.pad {
				test.Tap(p)
				break
			}
		}
		if len(got) != 1 || got[0] != tc.want {
			t.Errorf("%s, %s: got %v, want %v", tc.story, tc.pad, got, tc.want)
		}
	}
}

// A finger is seen at once, and its trace goes when it slides off.
func TestPadsShowTheFinger(t *testing.T) {
	test.NewTempApp(t)
	p := newPad("x", look.Box{W: 80, H: 80}, 8, func() {})
	p.MouseDown(nil)
	if !p.press.Visible() {
		t.Error("the press is not seen")
	}
	p.MouseOut()
	if p.press.Visible() {
		t.Error("the press stays after the finger slid off")
	}
}
