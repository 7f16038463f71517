package screens

import (
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/test"

	"foyer/kiosk/look"
)

// people are called so in the stories.
var people = []string{"王", "Wang", "Lindqvist", "欧阳", "Ouyang", "买买提江", "Featherstone", "诸葛", "Zhuge"}

// texts are all that an object writes on the glass.
func texts(o fyne.CanvasObject) []string {
	if !o.Visible() {
		return nil
	}
	switch o := o.(type) {
	case *canvas.Text:
		return []string{o.Text}
	case *fyne.Container:
		var all []string
		for _, c := range o.Objects {
			all = append(all, texts(c)...)
		}
		return all
	case fyne.Widget:
		var all []string
		for _, c := range test.WidgetRenderer(o).Objects() {
			all = append(all, texts(c)...)
		}
		return all
	}
	return nil
}

func namesIn(o fyne.CanvasObject) bool {
	all := strings.Join(texts(o), "")
	for _, n := range people {
		if strings.Contains(all, n) {
			return true
		}
	}
	return false
}

// Every scene, drawn as a picture for technicians: there is something on it, and nobody.
func TestMaskedScenesNameNobody(t *testing.T) {
	a := test.NewTempApp(t)
	a.Settings().SetTheme(look.Theme{Ground: look.Paper})
	named := 0
	for _, form := range forms {
		k, w := NewKiosk(config(form.frame, nil)), NewWall(config(form.frame, nil))
		for _, lang := range []string{"zh-CN", "en"} {
			for _, s := range kioskStories(lang) {
				state, now := s.kiosk()
				if k.Show(state, now); namesIn(k.Root()) {
					named++
				}
				if k.Show(state.Masked(), now); namesIn(k.Root()) || len(texts(k.Root())) == 0 {
					t.Errorf("kiosk %s %s %s says %q", s.name, form.name, lang, texts(k.Root()))
				}
			}
			for _, s := range wallStories(lang) {
				state, now := s.wall()
				if w.Show(state, now); namesIn(w.Root()) {
					named++
				}
				if w.Show(state.Masked(), now); namesIn(w.Root()) || len(texts(w.Root())) == 0 {
					t.Errorf("wall %s %s %s says %q", s.name, form.name, lang, texts(w.Root()))
				}
			}
		}
	}
	if named < 20 {
		t.Errorf("only %d stories name somebody where they are not masked: this test is blind", named)
	}
}
