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

// tours are the scenes of the library that are worth a picture, and the way to them.
var tours = []touring{
	{"race", "choose", nil, nil},
	{"race", "race", []any{at{300, 600}, 3.0, at{300, 1080}, 8.0}, []any{at{900, 200}, 3.0, at{1200, 300}, 8.0}},
	{"race", "result", []any{at{300, 600}, 30.0, at{300, 1250}, 30.0}, []any{at{900, 200}, 33.0, at{1200, 520}, 30.0}},
	{"tv", "watch", []any{2.0}, []any{2.0}},
	{"tv", "stalled", []any{at{700, 1235}, at{600, 950}, 5.0}, []any{at{1370, 745}, at{1100, 450}, 5.0}},
	{"music", "band", []any{at{500, 880}, at{800, 880}, at{200, 1150}, 3.0}, []any{at{1150, 200}, at{1390, 200}, at{900, 500}, 3.0}},
	{"call", "ring", []any{1.0}, []any{1.0}},
	{"call", "talk", []any{at{700, 1200}, 2.0, at{380, 1250}, 1.0, at{845, 1250}, 0.5}, []any{at{640, 650}, 2.0, at{1350, 480}, 1.0, at{1350, 690}, 0.5}},
	{"call", "end", []any{at{700, 1200}, 30.0, at{500, 1450}, 1.0}, []any{at{640, 650}, 30.0, at{1100, 880}, 1.0}},
	{"pay", "choose", nil, nil},
	{"pay", "tap", []any{at{500, 600}, 0.5}, []any{at{1000, 200}, 0.5}},
	{"pay", "pin", []any{at{500, 600}, at{500, 1100}, 2.0, at{240, 700}, at{500, 700}}, []any{at{1000, 200}, at{1100, 800}, 2.0, at{860, 160}, at{1100, 160}}},
	{"pay", "done", []any{at{500, 600}, at{500, 1100}, 2.0, at{240, 700}, at{240, 700}, at{240, 700}, at{240, 700}, 2.0},
		[]any{at{1000, 200}, at{1100, 800}, 2.0, at{860, 160}, at{860, 160}, at{860, 160}, at{860, 160}, 2.0}},
	{"map", "choose", nil, nil},
	{"map", "walk", []any{at{500, 600}, at{320, 1040}, 1.0}, []any{at{1000, 200}, at{314, 682}, 1.0}},
	{"map", "there", []any{at{500, 1300}, at{140, 860}, 1.0, at{140, 680}, 1.0, at{320, 680}, 2.0}, []any{at{1000, 800}, at{130, 498}, 1.0, at{130, 314}, 1.0, at{314, 314}, 2.0}},
	{"paper", "page", []any{1.0}, []any{1.0}},
	{"paper", "read", []any{at{700, 1320}, 1.0, at{500, 700}, 1.0}, []any{at{1340, 640}, 1.0, at{400, 700}, 1.0}},
	{"paper", "share", []any{at{500, 700}, at{700, 1270}, at{200, 600}, 2.0}, []any{at{400, 700}, at{1300, 750}, at{800, 400}, 2.0}},
	{"plan", "plan", []any{1.0}, []any{1.0}},
	{"plan", "large", []any{at{850, 840}, at{850, 840}, at{850, 840}, at{600, 1100}, at{600, 1380}, 1.0}, []any{at{630, 340}, at{630, 340}, at{630, 340}, at{450, 600}, at{450, 860}, 1.0}},
	{"catch", "start", nil, nil},
	{"catch", "play", []any{at{500, 1160}, 1.0}, []any{at{300, 640}, 1.0}},
	{"tower", "start", nil, nil},
	{"tower", "play", []any{at{500, 1160}, 1.0}, []any{at{300, 640}, 1.0}},
}

func TestDemoPictures(t *testing.T) {
	test.NewTempApp(t).Settings().SetTheme(look.Theme{Ground: look.Paper})
	packs := shipped()
	for _, form := range forms {
		tall := form.frame.Portrait()
		k := NewKiosk(config(form.frame, nil))
		langs := map[bool][]string{true: {"zh-CN"}, false: {"en"}}[tall] // each language once keeps the folder small
		for _, lang := range langs {
			for _, s := range tours {
				state := s.play(t, packs, lang, tall)
				k.Show(state, noon)
				k.Roll(state.Play.Pack)
				compare(t, "demo-"+s.pack+"-"+s.name+"-"+form.name+"-"+lang, photograph(k.Root(), form.frame))
			}
		}
	}
}
