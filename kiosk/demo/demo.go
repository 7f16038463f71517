// Package demo reads demo packs and plays them: scenes that answer a finger, written without a line of Go.
//
// In: a pack's files (a folder, a ZIP file, or what the store fetched), then the passing of time in seconds and what a
// finger does. Out: a Pack or every fault in it with file and line; a State, which is a plain value; a View of it, laid out
// on a stage of 1000 x 1550 units standing or 1550 x 1000 lying; and at the end a Result. PACKS.md is the manual of packs.
// It never draws, decodes no picture, video or program, reads no clock, starts no goroutine, and no pack makes it loop.
// Called by kiosk/scene, which holds the State, kiosk/screens, which draws the View, and cmd/foyer.
package demo

import (
	"image/color"
	"maps"
	"slices"
)

// The stage, in units. A unit is a tenth of look's design unit: a thousandth of the screen's short side.
const (
	StageShort = 1000
	StageLong  = 1550
)

// Stage is its size as it stands or lies.
func Stage(tall bool) (w, h float32) {
	if tall {
		return StageShort, StageLong
	}
	return StageLong, StageShort
}

// Limits of a pack.
const (
	MaxBytes   = 8 << 20 // all files together, as they lie in the ZIP file and unpacked
	MaxFiles   = 200
	MaxFile    = 6 << 20
	MaxScenes  = 60
	MaxLayers  = 400 // of a scene, after each
	MaxActions = 2000
	MaxVars    = 120
	MaxSeconds = 900 // of what a pack says it takes
	MaxNest    = 6   // groups within groups
	MaxShown   = 260 // things on the stage at once
)

// Rules are what a pack is checked with beside its own files. A check that is nil is not made.
type Rules struct {
	Colour  func(name string) (color.NRGBA, bool)                         // a colour of the house's own
	Covers  func(text string) bool                                        // whether our font has every character
	Picture func(name string, data []byte) error                          // whether a picture can be drawn
	Clip    func(data []byte) (w, h int, fps, seconds float64, err error) // whether a clip can be played
	Cart    func(data []byte) error                                       // whether a cartridge can run
}

// Pack is a pack that may be played. It never changes.
type Pack struct {
	Manifest
	scenes []scene
	byName map[string]int
	slots  names
	start  []float64
	files  map[string][]byte
}

// File returns a file's bytes, which nobody may change.
func (p *Pack) File(name string) []byte { return p.files[name] }

// Files lists the names of the files.
func (p *Pack) Files() []string { return slices.Sorted(maps.Keys(p.files)) }

// SceneNames lists the names of the scenes.
func (p *Pack) SceneNames() []string {
	list := make([]string, len(p.scenes))
	for i, s := range p.scenes {
		list[i] = s.name
	}
	return list
}

// The places that every state has; a pack's own variables follow.
const (
	slotT       = iota // seconds since the scene came
	slotDt             // seconds since the last step
	slotTall           // 1 where the stage stands
	slotScore          // what has been scored; a pack may set it
	slotKept           // 1 once the store has written the result down
	slotElapsed        // seconds since the pack began
	slotRandom         // another number from 0 to 1 at every step
	firstOwn
)

var builtin = names{"t": slotT, "dt": slotDt, "tall": slotTall, "score": slotScore, "kept": slotKept, "elapsed": slotElapsed, "random": slotRandom}

// scene is a compiled scene.
type scene struct {
	name   string
	ground color.NRGBA
	enter  []action
	tick   []action
	timers []timer
	layers []layer
	count  int // of layers that a finger can do something with
}

type timer struct {
	after expr
	do    []action
}

// action is a compiled action.
type action struct {
	when   expr // nil: always
	set    []assignment
	then   []action
	other  []action
	scene  int // to go to; -1: stay
	finish string
}

// layer is a compiled layer.
type layer struct {
	at      [2][]expr // lying, standing; x, y, w, h
	show    expr
	fill    color.NRGBA
	stroke  color.NRGBA
	weight  expr
	radius  expr
	shadow  bool
	line    []expr
	ring    []expr
	image   string
	clip    string
	playing expr
	cart    string

	text   map[string]saying
	size   expr
	heavy  bool
	colour color.NRGBA
	align  side
	top    bool
	lines  int
	inset  expr

	opacity expr
	move    track
	scale   track
	fade    track
	clock   expr
	loop    expr
	ease    ease

	of    []expr
	inner []layer

	touch               int // its number among those a finger can do something with; -1: none
	tap, swipeL, swipeR []action
	slide               *slider
	hold                button
}

type slider struct {
	slot           int
	from, to, step expr
}

// track is keyframes: seconds, then one or two values.
type track [][]expr
