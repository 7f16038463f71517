package screens

import (
	"sync"
	"testing"

	"fyne.io/fyne/v2/test"

	"foyer/kiosk/demo"
	"foyer/kiosk/demo/library"
	"foyer/kiosk/look"
	"foyer/kiosk/scene"
)

// shipped are the packs of the library, checked as a stranger's are.
var shipped = sync.OnceValue(func() []*demo.Pack {
	var all []*demo.Pack
	for _, name := range library.Names {
		p, err := demo.Open(library.Pack(name), PackRules())
		if err != nil {
			panic(name + ":\n" + err.Error())
		}
		all = append(all, p)
	}
	return all
})

// touring is a way through a pack: numbers let seconds pass, pairs are taps on the stage.
type touring struct {
	pack, name string
	tall, wide []any
}

type at struct{ x, y float32 }

// play follows a way and returns the kiosk's state at its end.
func (s touring) play(t *testing.T, packs []*demo.Pack, lang string, tall bool) scene.Kiosk {
	t.Helper()
	rules := scene.Rules{Languages: []string{"zh-CN", "en"}, Language: lang}
	now := noon
	k, _ := rules.Next(scene.Kiosk{}, opened(0), now)
	k, _ = rules.Next(k, scene.Packs{Packs: packs}, now)
	k, _ = rules.Next(k, tap(scene.Start, s.pack), now)
	if k.Scene != scene.Demo {
		t.Fatalf("%s cannot be played", s.pack)
	}
	steps := s.wide
	if tall {
		steps = s.tall
	}
	var v demo.View
	for _, step := range steps {
		switch step := step.(type) {
		case float64:
			for ; step > 0; step -= 0.5 {
				now = now.Add(500e6)
				k, _ = rules.Next(k, scene.Tick{}, now)
			}
		case at:
			k.Play.Draw(&v, tall, lang)
			target, ok := v.Hit(step.x, step.y)
			if !ok {
				t.Fatalf("%s, %s: nothing to touch at %v in scene %s", s.pack, s.name, step, k.Play.Scene())
			}
			k, _ = rules.Next(k, scene.Finger{Finger: v.Finger(target, demo.Tap, step.x)}, now)
		}
	}
	return k
}

var tours = []touring{
	{"race", "choose", nil, nil},
	{"race", "race", []any{at{300, 600}, 3.0, at{300, 1080}, 8.0}, []any{at{900, 200}, 3.0, at{1200, 300}, 8.0}},
	{"race", "result", []any{at{300, 600}, 3.0, at{300, 1080}, 30.0, at{300, 1250}, 30.0}, []any{at{900, 200}, 33.0, at{1200, 520}, 30.0}},
}

func TestDemoPictures(t *testing.T) {
	test.NewTempApp(t).Settings().SetTheme(look.Theme{Ground: look.Paper})
	packs := shipped()
	for _, form := range forms {
		tall := form.frame.Portrait()
		k := NewKiosk(config(form.frame, nil))
		for _, lang := range []string{"zh-CN", "en"} {
			for _, s := range tours {
				k.Show(s.play(t, packs, lang, tall), noon)
				compare(t, "demo-"+s.pack+"-"+s.name+"-"+form.name+"-"+lang, photograph(k.Root(), form.frame))
			}
		}
	}
}
