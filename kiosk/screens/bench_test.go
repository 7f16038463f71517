package screens

import (
	"testing"

	"fyne.io/fyne/v2/test"

	"foyer/kiosk/scene"
)

// What Fyne's goroutine spends before it can paint: the invitation gives way to a greeting, and comes back.
func BenchmarkGreetAndBack(b *testing.B) {
	test.NewTempApp(b)
	k := NewKiosk(config(panels[0], nil))
	attract, now := script{lang: "zh-CN", in: []any{opened(0, 1, 2)}}.kiosk()
	greet, _ := script{lang: "zh-CN", in: []any{opened(0, 1, 2), speaking(wang, "zh-CN")}}.kiosk()
	for b.Loop() {
		k.Show(greet, now)
		k.Show(attract, now)
	}
}

// Making all scenes of a full HD panel from pictures that are drawn already (look.BenchmarkHall draws one).
func BenchmarkNewKiosk(b *testing.B) {
	test.NewTempApp(b)
	for b.Loop() {
		k := NewKiosk(config(panels[0], nil))
		k.Show(scene.Kiosk{Language: "en"}, noon)
	}
}
