package demo

import (
	"fmt"

	"foyer/internal/strictyaml"
)

// The rule for touch, in units, on the smallest panel that we count on: 21.5 inch, 268 mm wide standing.
const (
	TargetSide = 74  // 20 mm
	TargetGap  = 22  // 6 mm
	Reach      = 445 // above that line an arm does not reach a standing panel
	rimmed     = 0.5 // rounding
)

// stage looks at every scene as it comes, standing and lying: what a finger may touch is large enough, apart, on the stage
// and within reach.
func (l *loader) stage() {
	for i := range l.pack.scenes {
		s := Start(l.pack, 1)
		s = s.enter(i, chain)
		for _, tall := range []bool{true, false} {
			var v View
			s.Draw(&v, tall, l.pack.Languages[0])
			for _, fault := range v.Faults(tall) {
				l.faults = append(l.faults, strictyaml.Fault{File: ManifestFile, Path: "scene " + l.pack.scenes[i].name, Text: fault})
			}
		}
	}
}

// Faults tells what is wrong with the targets of a view.
func (v *View) Faults(tall bool) []string {
	var out []string
	form := map[bool]string{true: "standing", false: "lying"}[tall]
	w, h := Stage(tall)
	for i, a := range v.Targets {
		if a.Cart {
			continue
		}
		name := fmt.Sprintf("%s: the target at %.0f, %.0f", form, a.X, a.Y)
		if min(a.W, a.H) < TargetSide-rimmed {
			out = append(out, fmt.Sprintf("%s is %.0f x %.0f, want at least %d each way (20 mm)", name, a.W, a.H, TargetSide))
		}
		if a.X < -rimmed || a.Y < -rimmed || a.X+a.W > w+rimmed || a.Y+a.H > h+rimmed {
			out = append(out, fmt.Sprintf("%s leaves the stage of %.0f x %.0f", name, w, h))
		}
		if tall && a.Y < Reach && a.Y+a.H < Reach+TargetSide {
			out = append(out, fmt.Sprintf("%s is too high to reach: want %d or below", name, Reach))
		}
		for _, b := range v.Targets[i+1:] {
			if b.Cart || covers(a, b) || covers(b, a) {
				continue // a button on a large sheet is meant before the sheet
			}
			if gap := max(a.X-(b.X+b.W), b.X-(a.X+a.W), a.Y-(b.Y+b.H), b.Y-(a.Y+a.H)); gap < TargetGap-rimmed {
				out = append(out, fmt.Sprintf("%s is %.0f from the one at %.0f, %.0f, want at least %d (6 mm)", name, gap, b.X, b.Y, TargetGap))
			}
		}
	}
	return out
}

func covers(a, b Target) bool {
	return a.X <= b.X && a.Y <= b.Y && a.X+a.W >= b.X+b.W && a.Y+a.H >= b.Y+b.H
}
